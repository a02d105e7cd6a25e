"""Formulas inside a picture: the printers' text, with every symbol spelled as the picture spells it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sympy import Expr

from symgru.backends.formula import ScalarForm
from symgru.backends.notation import Name, Notation
from symgru.backends.text.printer import Text as PlainText
from symgru.backends.text.printer import TextMatrix, TextUnit
from symgru.cell import Cell
from symgru.drawing.shapes import Run, Runs
from symgru.drawing.spelling import Spelling

FIRST = 0xE000  # symbols stand in the printed text as characters for private use, from this one on
_PRIVATE = re.compile("([\ue000-\uf8ff])")


class _Spelled(PlainText):
    """Plain text whose symbols are kept apart."""

    times = "\u2009"
    spelling: Spelling

    def name(self, n: Name) -> str:
        self.found.append(self.spelling.symbol(n))
        return chr(FIRST + len(self.found) - 1)

    def row_times_matrix(self, row: str, matrix: str) -> str:
        return f"{row}\u2009{matrix}"

    def runs(self, e: Expr) -> Runs:
        self.found: list[Runs] = []
        parts = _PRIVATE.split(self.scalar(e).replace("-", "−"))
        return tuple(
            run
            for k, part in enumerate(parts)
            if part
            for run in (self.found[ord(part) - FIRST] if k % 2 else (Run(part),))
        )


class _Whole(_Spelled, TextMatrix):
    pass


class _One(_Spelled, TextUnit):
    pass


class _Scalar(_Spelled, ScalarForm):
    pass


class Formulas:
    """Prints what belongs to one cell: its equations, and the scalars of its program."""

    def __init__(self, cell: Cell, sizes: Mapping[str, int], timed: bool, spelling: Spelling) -> None:
        self.notation = Notation(cell, sizes, timed, "t", "t−1", columns=spelling.style.columns)
        self.spelling = spelling

    def _printer(self, form: type[_Spelled]) -> _Spelled:
        printer = form(self.notation, self.spelling.style)
        printer.spelling = self.spelling
        return printer

    def equation(self, e: Expr) -> Runs:
        """Vectors and matrices as wholes; of one unit with one feature, its numbers' names."""
        return self._printer(_One if max(self.notation.sizes.values()) == 1 else _Whole).runs(e)

    def scalar(self, e: Expr) -> Runs:
        return self._printer(_Scalar).runs(e)
