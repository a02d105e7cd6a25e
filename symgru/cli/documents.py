"""Sending a document to the terminal or to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from symgru.cli.output import plain_ascii, say_written, waiting
from symgru.document import Document
from symgru.writing import write_pieces

MANY = 100  # time steps that nobody reads


def send(document: Document, output: Path | None, **options: Any) -> None:
    """To a file in the format of its ending, else to the terminal as it becomes known, without the header that says
    where a file comes from. `options` are the document's: show=3 leaves out the middle of many time steps."""
    if not options.get("show", True) and document.steps > MANY:
        click.echo(f"note: {document.steps:,} time steps in full; --show 3 leaves out the middle", err=True)
    if output is not None:
        with waiting(f"writing {output.name}") as sign:
            write_pieces(output, sign.watch(document.pieces(output.suffix, **options), output.name))
        say_written([output])
        return
    for part in document.pieces(".txt", ascii=plain_ascii(), header=False, **options):
        click.echo(part, nl=False)
