"""What all LaTeX documents share: equations below each other, no line wider than the page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from symgru.activations import LOGISTIC, Activation
from symgru.backends.dialect import Dialect
from symgru.backends.latex.printer import (
    Latex,
    LatexMatrix,
    LatexNumbers,
    LatexScalar,
    LatexUnit,
    width,
)
from symgru.backends.notation import at_time
from symgru.backends.worked import Written
from symgru.backends.wrapping import arrange

LATEX = Dialect(LatexMatrix, LatexUnit, LatexScalar, LatexNumbers, Latex, "t-1", "$")
ROOM = 425.0  # points between the margins of the templates' page, less indents and an equals sign
TABLE = 455.0  # points that a table may be wide
CONTINUED = r"\qquad {}"
UNBROKEN = 4  # rows that stay on one page


Formula = tuple[str, list[str]]  # left-hand side, and what follows each equals sign


def aligned(formulas: list[Formula], latest: int = 0, room: float = ROOM) -> str:
    """The rows of an align environment; a page may end only between formulas, and leaves neither the first nor the last
    alone."""
    blocks = list(formula_rows(formulas, latest, room))
    rows = [(row, place, len(block)) for place, block in enumerate(blocks) for row in block]
    text = rows[0][0]
    for (row, place, length), (below, after, _) in pairwise(rows):
        keep = length <= UNBROKEN if place == after else place == 0 or after == len(blocks) - 1
        tall = _is_tall(row) and _is_tall(below)
        text += f" \\\\{'*' if keep or len(rows) <= UNBROKEN else ''}{'[3pt]' if tall else ''}\n{below}"
    return text


def formula_rows(formulas: list[Formula], latest: int = 0, room: float = ROOM) -> Iterator[list[str]]:
    """The rows of each formula, the equals signs below each other, long ones over several rows.

    Where the time is still open, there is room for it up to `latest`.
    """

    def measure(text: str) -> float:
        return width(at_time(text, latest))

    head = max(measure(lhs) for lhs, _ in formulas)
    for lhs, parts in formulas:
        yield [
            f"{'' if k else lhs} &{'= ' if starts else CONTINUED}{text}"
            for k, (starts, text) in enumerate(arrange(parts, room - head, measure))
        ]


def _is_tall(row: str) -> bool:
    return any(command in row for command in (r"\frac", r"\sum", r"\begin"))


def single(pairs: list[tuple[str, str]], latest: int = 0) -> str:
    """Equations with one right-hand side each."""
    return aligned([(lhs, [rhs]) for lhs, rhs in pairs], latest)


def definitions(activations: tuple[Activation, ...], uses_sigma: bool) -> str:
    """What each named function means: the rows of a gather environment, since some have no room for a wide margin."""
    form = Latex()
    pairs = [(r"\sigma(a)", form.scalar(LOGISTIC))] if uses_sigma else []
    pairs += [(form.function(a.name, "a"), form.scalar(a.meaning)) for a in activations]
    return " \\\\[3pt]\n".join(f"{lhs} = {rhs}" for lhs, rhs in pairs)


def worked(w: Written) -> Formula:
    """One worked line."""
    value = w.value
    if w.more:
        value += rf"\;{{}}^{{\dagger}}\;({w.more})"
    if w.since:
        value += r"\quad\text{since } " + r"\text{ and }".join(w.since).replace("≤", r"\le ")
    return w.lhs, [w.symbols, w.numbers, value]
