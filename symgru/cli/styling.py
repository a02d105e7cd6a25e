"""The options that choose a notation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from symgru.styles import Style

NAMES = "Keras, PyTorch, Wikipedia, Cho or d2l"


def options(command: Any) -> Any:
    """--style and --notation, as the arguments `style` and `notation` of a command."""
    named = click.option("--style", metavar="S", help=f"The notation of {NAMES}.")
    own = click.option(
        "--notation",
        metavar="FILE.toml",
        type=click.Path(path_type=Path),
        help="A notation of your own: symbols, time index, product sign, rows or columns, decimal comma.",
    )
    return named(own(command))


def chosen(style: str | None, notation: Path | None) -> Style | None:
    """What the options say, None where they say nothing. Raises UnusableInput; both at once are a usage error."""
    if style is not None and notation is not None:
        raise click.UsageError("--style and --notation exclude each other: a notation file is a style of its own")
    if style is None and notation is None:
        return None
    from symgru import styles

    return styles.style(style) if style is not None else styles.read_style(Path(str(notation)))
