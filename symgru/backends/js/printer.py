"""Expressions as JavaScript, one component at a time: z[i] * h[i], and dot(W_z[i], x_t) for the i-th row of W_z @ x."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sympy import Expr, Symbol, oo

from symgru.algebra import Across, Dot, Mat, Mean, Select, Total, Vec
from symgru.errors import Unsupported
from symgru.printing import ATOM, OrderedPrinter

FUNCTIONS = {
    "sigma": "sigmoid",
    "tanh": "Math.tanh",
    "exp": "Math.exp",
    "expm1": "Math.expm1",
    "log1p": "Math.log1p",
    "erf": "erf",
    "sqrt": "Math.sqrt",
    "Abs": "Math.abs",
}


class JavaScriptPrinter(OrderedPrinter):
    """`names` says how symbols are spelled where that differs from their own name (x is x_t, h1 is h); what is in
    `scalars` is one number, without an index. `sums` collects the sums over all units, (name, text), to be defined
    before the expression; they are called after the `line` that they are for."""

    language = "JavaScript"
    times = " * "

    def __init__(self, names: Mapping[str, str] | None = None, scalars: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.names, self.scalars = names or {}, scalars
        self.index, self.line = "i", ""
        self.sums: list[tuple[str, str]] = []

    def name(self, s: Symbol) -> str:
        """A whole vector or matrix."""
        return self.names.get(s.name, s.name.replace("'", "_"))

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        return " / ".join([self.product(above), *(self.tight(b, ATOM) for b in below)])

    def _print_Symbol(self, e: Symbol) -> str:
        return self.name(e)

    def _print_Vec(self, e: Vec) -> str:
        return self.name(e) if e.name in self.scalars else f"{self.name(e)}[{self.index}]"

    def _print_Integer(self, e: Expr) -> str:
        return str(e)

    def _print_Rational(self, e: Any) -> str:
        return repr(float(e))

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Mat, Expr]", e.args)
        return f"dot({self.name(matrix)}[{self.index}], {self.whole(operand)})"

    def whole(self, e: Expr) -> str:
        """A vector that has a line of its own."""
        if not isinstance(e, Vec):
            raise Unsupported(f"{self.language} needs a line of its own for {str(e)[:60]}")
        return self.name(e)

    def _print_Across(self, e: Across) -> str:
        return f"{self.across(e)}[{self.index}]"

    def across(self, e: Across) -> str:
        """A function of all units, for all of them."""
        return f"{e.args[0]}({self.whole(cast(Expr, e.args[1]))})"

    def _print_Total(self, e: Total) -> str:
        return self._summed("total", e)

    def _print_Mean(self, e: Mean) -> str:
        return self._summed("mean", e)

    def _summed(self, function: str, e: Expr) -> str:
        name = f"{function}_{self.line}" + "_" * len(self.sums)
        self.sums.append((name, f"{function}(each(units, (i) => {self._print(e.args[0])}))"))
        return name

    def _print_Select(self, e: Select) -> str:
        return self._either(*(self._print(a) for a in e.args))

    def _print_where_positive(self, e: Expr) -> str:
        condition, then, otherwise = (self._print(a) for a in e.args)
        return self._either(f"{condition} > 0", then, otherwise)

    @staticmethod
    def _either(condition: str, then: str, otherwise: str) -> str:
        return f"({condition} ? {then} : {otherwise})"

    def _print_clip(self, e: Expr) -> str:
        a, low, high = cast("tuple[Expr, Expr, Expr]", e.args)
        above = self.call("Math.max", (low, a))
        return above if high == oo else f"Math.min({self._print(high)}, {above})"

    def _print_Function(self, e: Expr) -> str:
        name = type(e).__name__
        if name not in FUNCTIONS:
            return self.emptyPrinter(e)
        return self.call(FUNCTIONS[name], cast("tuple[Expr, ...]", e.args))

    def _print_AppliedUndef(self, e: Expr) -> str:
        return self.call(type(e).__name__, cast("tuple[Expr, ...]", e.args))
