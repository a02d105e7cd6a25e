"""A layer's equations as Python that a student can change: W_z*x_1 + U_z*h_0, or x_1 @ W_z + h_0 @ U_z.

The symbols are spelled as in the document's text blocks, as far as Python has names like that.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from sympy import Expr

from symgru.algebra import Mat
from symgru.backends.formula import decimal_text
from symgru.backends.notation import Name, Notation
from symgru.backends.text.printer import Text, TextMatrix, TextUnit
from symgru.errors import Unsupported
from symgru.styles import DEFAULT, Style

_NO_NAME = re.compile("[^\\w\x01\x02]+")  # a time that is filled in later stays


class Python(Text):
    """The spelling. `called` collects the functions that are used; `marks` stand before the names of parameters and
    before those of everything else, where several layers or sequences have the same ones."""

    language = "the notebook"
    times = "*"
    called: set[str]
    marks = ("", "")

    @property
    def hadamard(self) -> str:
        return self.times

    @property
    def separator(self) -> str:
        return ", "

    def number(self, text: str) -> str:
        return text

    def name(self, n: Name) -> str:
        plain = _NO_NAME.sub("_", super().name(n).replace("'", "_prime")).strip("_")
        return f"{self.marks[not self._is_parameter(n)]}{plain}"

    def _is_parameter(self, n: Name) -> bool:
        known = (self.notation.vector(p) for p in self.notation.cell.params)
        return any((n.letter, n.gate, n.of) == (p.letter, p.gate, p.of) for p in known)

    def _print_Rational(self, e: Any) -> str:
        text = decimal_text(Fraction(int(e.p), int(e.q)))
        return f'number("{text}")' if text else f"number({e.p})/{e.q}"

    def function(self, name: str, *args: str) -> str:
        self.called.add(name)
        return f"{name}({', '.join(args)})"

    def power_of_e(self, exponent: str) -> str:
        return self.function("exp", exponent)

    def root(self, text: str) -> str:
        return self.function("sqrt", text)

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        return f"{then} if {condition} else {otherwise}"

    def squared(self, base: str) -> str:
        return f"{base}**2"

    def _print_erf(self, e: Expr) -> str:
        raise Unsupported("Python's decimals have no error function")


class PythonMatrix(Python, TextMatrix):
    """Arrays: x_1 @ W_z."""


class PythonUnit(Python, TextUnit):
    """Single numbers: W_z*x_1."""

    def _print_Mat(self, e: Mat) -> str:
        return self.name(self.notation.matrix(e))


def printer(
    notation: Notation | None,
    called: set[str],
    single: bool = True,
    marks: tuple[str, str] = ("", ""),
    style: Style = DEFAULT,
) -> Python:
    """For a cell's equations, `single` where every axis has length 1; without a notation for definitions."""
    form = (PythonUnit if single else PythonMatrix)(notation, style)
    form.called, form.marks = called, marks
    return form
