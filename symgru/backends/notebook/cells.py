"""A notebook's file: its cells as JSON (nbformat 4.5), in the form in which Jupyter itself saves it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

END = {
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


@dataclass(frozen=True)
class Markdown:
    source: str

    def content(self, place: int) -> Mapping[str, Any]:
        return {"cell_type": "markdown", "id": f"text-{place}", "metadata": {}, "source": rows(self.source)}


@dataclass(frozen=True)
class Code:
    """Python, and what running it prints; `folded` code is hidden until somebody opens it."""

    source: str
    prints: str = ""
    folded: bool = False

    def content(self, place: int) -> Mapping[str, Any]:
        output = {"name": "stdout", "output_type": "stream", "text": rows(self.prints)}
        return {
            "cell_type": "code",
            "execution_count": None,
            "id": f"code-{place}",
            "metadata": {"jupyter": {"source_hidden": True}} if self.folded else {},
            "outputs": [output] if self.prints else [],
            "source": rows(self.source.rstrip("\n")),
        }


Cell = Markdown | Code


def rows(text: str) -> list[str]:
    """A text as the format holds it: one item a line."""
    return text.splitlines(keepends=True)


def notebook(cells: Iterable[Cell]) -> Iterator[str]:
    """The file piece by piece: a cell each, numbered from 1."""
    yield '{\n "cells": ['
    for place, cell in enumerate(cells, 1):
        yield ("," if place > 1 else "") + "\n" + textwrap.indent(_json(cell.content(place)), "  ")
    yield "\n ]," + _json(END).removeprefix("{") + "\n"


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
