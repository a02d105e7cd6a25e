"""What a command says beside its results: that it is at work, what it wrote; and whether a terminal can show them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click


def plain_ascii() -> bool:
    """Whether the output cannot show σ."""
    try:
        "σ·₁²".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def waiting(for_what: str) -> AbstractContextManager[object]:
    """A sign of life on a terminal's standard error while something takes seconds; nothing elsewhere."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(for_what)


def say_written(places: Iterable[Path]) -> None:
    for place in places:
        click.echo(f"wrote {place}", err=True)
