"""Where a long formula is broken: before an equals sign first, then before a plus or minus, then before a factor."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate

SUMS = (" + ", " - ", " if ", " otherwise ")  # and between cases in plain text
PRODUCTS = (*SUMS, "·", " ⊙ ", " ∘ ", " × ", " * ", " @ ", r" \odot ", r" \circ ", r" \times ", r" \ast ")

_AFTER = re.compile(r"(?<=[,;] )|(?<=[,;]\\ )")  # the signs between the numbers of a list, in plain text and in LaTeX

Row = tuple[bool, str]  # whether the row begins with an equals sign, and its text


def arrange(parts: Sequence[str], room: float, measure: Callable[[str], float], equals: str = " = ") -> list[Row]:
    """The rows of "... = part = part": as few as fit into `room`, broken before = and, where a part alone is too
    long, before + and -, then before the sign of a product, then before + and - within brackets (the
    outermost first), and a list of numbers after its commas."""
    rows: list[Row] = []
    for part in parts:
        if rows and measure(rows[-1][1] + equals + part) <= room:
            rows[-1] = (rows[-1][0], rows[-1][1] + equals + part)
            continue
        first, *more = _pieces(part, room, measure)
        rows.append((True, first))
        rows += [(False, piece) for piece in more]
    return rows


def _pieces(text: str, room: float, measure: Callable[[str], float], level: int = 0) -> list[str]:
    """A formula in pieces that fit, packed from left to right; the width of a piece is the sum of its parts'.

    The first two levels cut outside all brackets, sums and then products; each further one cuts sums a bracket deeper.
    """
    if measure(text) <= room:
        return [text]
    depth = max(level - 1, 0)
    chunks = split(text, depth, PRODUCTS if level == 1 else SUMS)
    if len(chunks) == 1 and level and depth >= _deepest(text):
        return _listed(text, room, measure)
    packed: list[str] = []
    filled = 0.0
    for chunk in chunks:
        for k, part in enumerate(_pieces(chunk, room, measure, level + 1)):
            wide = measure(part)
            if packed and not k and filled + wide <= room:
                packed[-1] += part
                filled += wide
            else:
                packed.append(part)
                filled = wide
    # the space behind a list's comma is a command in LaTeX, whose backslash would be left
    return [piece.strip().removesuffix("\\") for piece in packed] if level == 0 else packed


def _listed(text: str, room: float, measure: Callable[[str], float]) -> list[str]:
    """What holds no sign to break before, such as the numbers of a vector, broken after what separates them."""
    packed: list[str] = []
    for item in _AFTER.split(text):
        if packed and measure(packed[-1] + item) <= room:
            packed[-1] += item
        else:
            packed.append(item)
    return packed


def _deepest(text: str) -> int:
    """How many brackets stand within one another."""
    return max(accumulate(((c == "(") - (c == ")") for c in text), initial=0))


def split(text: str, depth: int, signs: tuple[str, ...]) -> list[str]:
    """Cut before every one of the signs that stands within at most `depth` brackets, and within no braces and no LaTeX
    environment at all."""
    cuts, brackets, braces = [0], 0, 0
    for k, c in enumerate(text):
        brackets += (c == "(") - (c == ")")
        braces += (c == "{") - (c == "}") + text.startswith(r"\begin{", k) - text.startswith(r"\end{", k)
        if braces == 0 and brackets <= depth and text.startswith(signs, k) and k:
            cuts.append(k)
    return [text[i:j] for i, j in zip(cuts, [*cuts[1:], len(text)], strict=True)]
