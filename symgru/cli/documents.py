"""Sending a document to the terminal or to a file, in the format that the file's ending names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from symgru.backends import DOCUMENTS, backend
from symgru.cli.output import plain_ascii, say_written
from symgru.errors import UnusableInput
from symgru.writing import write_text


def send(output: Path | None, show: Callable[..., Iterable[str]], render: Callable[[Any], str | Iterable[str]]) -> None:
    """`render(backend)` gives a file's text. The terminal gets `show(text backend)` piece by piece, as it becomes
    known, without the header that says where a file comes from."""
    if output is None:
        for part in show(backend("text"), ascii=plain_ascii(), header=False):
            click.echo(part, nl=False)
        return
    if output.suffix.lower() not in DOCUMENTS:
        raise UnusableInput(f"{output.name[:60]}: the ending says the format; it can be {', '.join(DOCUMENTS)}")
    write_text(output, _parts(render(backend(DOCUMENTS[output.suffix.lower()]))))
    say_written([output])


def _parts(text: str | Iterable[str]) -> Iterable[str]:
    return [text] if isinstance(text, str) else text
