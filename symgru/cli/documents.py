"""Sending a document to the terminal or to a file, in the format that the file's ending names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from symgru.backends import DOCUMENTS, backend
from symgru.cli.output import plain_ascii, say_written, write_text
from symgru.errors import UnusableInput


def send(output: Path | None, render: Callable[..., str | Iterable[str]]) -> None:
    """`render(backend)` gives the text; the terminal gets it piece by piece, as it becomes known."""
    if output is None:
        for part in _parts(render(backend("text"), ascii=plain_ascii())):
            click.echo(part, nl=False)
        return
    if output.suffix.lower() not in DOCUMENTS:
        raise UnusableInput(f"{output.name[:60]}: the ending says the format; it can be {', '.join(DOCUMENTS)}")
    write_text(output, _parts(render(backend(DOCUMENTS[output.suffix.lower()]))))
    say_written([output])


def _parts(text: str | Iterable[str]) -> Iterable[str]:
    return [text] if isinstance(text, str) else text
