"""Arrays and lines of an emitted module, cut to its width."""

from __future__ import annotations

import textwrap

import numpy as np

from symgru.network import Array

WIDTH = 110  # columns of an emitted line


def literal(array: Array, column: int) -> str:
    """Number texts as a nested Python list that begins at `column`; long rows are wrapped under their first number."""
    if not array.shape:
        return _number(array[()])
    pad = ",\n" + " " * (column + 1)
    if array.ndim > 1:
        return "[" + pad.join(literal(row, column + 1) for row in array) + "]"
    lines = [""]
    for word in map(_number, array):
        if lines[-1] and column + 1 + len(lines[-1]) + len(word) + 2 > WIDTH:
            lines.append("")
        lines[-1] += f"{', ' if lines[-1] else ''}{word}"
    return "[" + pad.join(lines) + "]"


def _number(number: object) -> str:
    return "-0.0" if number == "-0" else str(number)  # Python reads -0 as the integer 0


def doubles(array: Array) -> Array:
    """Decimal objects as the nearest doubles, in their shortest decimals."""
    return np.array([repr(float(v)) for v in array.ravel()], dtype=object).reshape(array.shape)


def assignment(name: str, expression: str, indent: int = 8) -> list[str]:
    """`name = expression` on one line, or with what is in its last brackets on lines of its own."""
    line = f"{name} = {expression}"
    if indent + len(line) <= WIDTH:
        return [line]
    opening = _opening(expression)
    head, inside, tail = expression[: opening + 1], expression[opening + 1 : -1], expression[-1]
    if opening < 0:
        head, inside, tail = "(", expression, ")"
    room = WIDTH - indent - 4
    cut = textwrap.wrap(inside, room, break_long_words=False, break_on_hyphens=False)
    return [f"{name} = {head}", *(f"    {part}" for part in cut), tail]


def _opening(expression: str) -> int:
    """Where the bracket opens that the expression ends with; -1 where it ends otherwise."""
    if not expression.endswith((")", "]")):
        return -1
    depth = 0
    for place in range(len(expression) - 1, -1, -1):
        depth += (expression[place] in ")]") - (expression[place] in "([")
        if depth == 0:
            return place
    return -1
