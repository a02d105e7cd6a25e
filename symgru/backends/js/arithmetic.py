"""One component of an equation in any arithmetic: JavaScript over `m`, which adds, multiplies and knows the functions.

The same text gives a line's double and its decimal, as `domains.Source` does for Python.
"""

from __future__ import annotations

from typing import Any, cast

from sympy import Expr, S, Symbol

from symgru.activations import expanded
from symgru.algebra import Across, Dot, Mat, Vec
from symgru.backends.js.text import quoted
from symgru.printing import OrderedPrinter, fraction, negated

FUNCTIONS = {
    "sigma": "sigma",
    "tanh": "tanh",
    "exp": "exp",
    "expm1": "expm1",
    "log1p": "log1p",
    "erf": "erf",
    "sqrt": "sqrt",
    "Abs": "abs",
    "clip": "clip",
}


def member(symbol: Symbol) -> str:
    """A symbol's values in `v`; a_z' is no identifier."""
    return f"v.{symbol.name}" if symbol.name.isidentifier() else f"v[{quoted(symbol.name)}]"


class Arithmetic(OrderedPrinter):
    """`v` holds every vector and matrix by name, `i` is the component."""

    language = "JavaScript"

    index = "i"

    def value(self, e: Expr) -> str:
        """A function of the arithmetic, the values and the component."""
        return f"(m, v, i) => {self.doprint(expanded(e))}"

    def _print_Vec(self, e: Vec) -> str:
        return f"{member(e)}[{self.index}]"

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Mat, Expr]", e.args)
        if not isinstance(operand, Vec):
            return self.emptyPrinter(e)
        return f"m.dot({member(matrix)}[{self.index}], {member(operand)})"

    def _print_Across(self, e: Across) -> str:
        name, operand = e.args
        if not isinstance(operand, Vec):
            return self.emptyPrinter(e)
        return f"{name}(m, {member(operand)})[{self.index}]"

    def _print_Integer(self, e: Any) -> str:
        return f"m.whole({e.p})"

    def _print_Rational(self, e: Any) -> str:
        return f"m.ratio({float(e)!r}, {e.p}n, {e.q}n)"

    def _print_Infinity(self, e: Expr) -> str:
        return "null"

    _print_NegativeInfinity = _print_Infinity

    def _print_Add(self, e: Expr) -> str:
        return self.call("m.add", cast("tuple[Expr, ...]", e.args))

    def _print_Mul(self, e: Expr) -> str:
        minus = negated(e)
        if minus is not None:
            return self.call("m.negative", (minus,))
        above, below = fraction(e)
        return self.quotient(above, below) if below else self.product(above)

    def product(self, factors: list[Expr]) -> str:
        return self.call("m.multiply", tuple(factors)) if len(factors) > 1 else cast(str, self._print(factors[0]))

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        text = self.product(above or [S.One])
        for divisor in below:
            text = f"m.divide({text}, {self._print(divisor)})"
        return text

    def _print_where_positive(self, e: Expr) -> str:
        condition, then, otherwise = (self._print(a) for a in e.args)
        return f"(m.isPositive({condition}) ? {then} : {otherwise})"

    def _print_Function(self, e: Expr) -> str:
        name = type(e).__name__
        if name not in FUNCTIONS:
            return self.emptyPrinter(e)
        return self.call(f"m.{FUNCTIONS[name]}", cast("tuple[Expr, ...]", e.args))
