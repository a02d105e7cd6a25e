"""The templates that stand around equations: one Jinja environment for every backend."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from symgru import __version__

LICENCE = "0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD)."


def directory() -> Path:
    """Beside the package in a wheel, beside its folder in a checkout."""
    package = Path(__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@cache
def environment() -> Environment:
    """Undefined names are errors, and lines that hold only a tag leave no trace. Nothing is escaped here: untrusted
    text passes through its backend's own function first."""
    return Environment(
        loader=FileSystemLoader(directory()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        autoescape=False,
    )


def stream(template_name: str, **context: Any) -> Iterator[str]:
    """The text piece by piece, as its lazy parts become known.

    Every template also sees `template`, its own name; `version`, symgru's; and `licence`, the notice that what symgru
    emits is its user's.
    """
    return (
        environment()
        .get_template(template_name)
        .generate(**context, template=f"templates/{template_name}", version=__version__, licence=LICENCE)
    )


def render(template_name: str, **context: Any) -> str:
    """The whole text; the same context as `stream`."""
    return "".join(stream(template_name, **context))
