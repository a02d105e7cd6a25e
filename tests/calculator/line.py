"""What a reader sees of a worked line, and of the sections that lines stand in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Section = tuple[int | None, list[str]]  # the step in its heading, None for a layer without time, and its statements


class Wrong(AssertionError):
    """A line that a reader would stumble over."""


@dataclass(frozen=True)
class Line:
    """name = symbols = numbers = value, in the calculator's own writing.

    `layer` counts the layers worked through, from 1. `more` is the value with more digits where the line is marked,
    else "".
    """

    layer: int
    step: int | None
    name: str
    symbols: str
    numbers: str
    value: str
    more: str = ""


def lines(sections: Iterable[Section]) -> list[Line]:
    """The lines of all sections; where steps begin again, or where there is no time, there is another layer."""
    found: list[Line] = []
    layer, last = 0, None
    for step, statements in sections:
        if step is None or last is None or step <= last:
            layer += 1
        last = step
        found += [_line(statement, layer, step) for statement in statements]
    return found


def _line(statement: str, layer: int, step: int | None) -> Line:
    """A line out of a whole statement, which may end in a mark and in the reason for a branch."""
    statement, _, more = re.sub(r",? since .*$", "", statement).partition(" † ")
    parts = [part.strip() for part in statement.split(" = ")]
    if len(parts) != 4 or not all(parts):
        raise Wrong(f"not name = symbols = numbers = value: {statement}")
    return Line(layer, step, *parts, more.strip().removeprefix("(").removesuffix(")"))


def step_of(heading: str) -> int | None:
    """The step under whose heading a line stands; None for the output of a layer without time."""
    found = re.match(r"Step (\d+)", heading)
    return int(found[1]) if found else None
