"""What a command says: whether the terminal can show it, and what was written."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click


def plain_ascii() -> bool:
    """Whether the output cannot show σ."""
    try:
        "σ·₁²".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def say_written(places: Iterable[Path]) -> None:
    for place in places:
        click.echo(f"wrote {place}", err=True)
