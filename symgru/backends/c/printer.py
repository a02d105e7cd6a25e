"""Expressions as C99 float arithmetic, and as the plain equations of a comment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sympy import Expr, Symbol, oo

from symgru.algebra import Across, Dot, Mean, Outer, Prime, Select, Total, Transposed
from symgru.backends.c.names import number
from symgru.errors import Unsupported
from symgru.printing import ATOM, MUL, OrderedPrinter


class LanePrinter(OrderedPrinter):
    """An element-wise expression for one unit. `place` says where a vector's element is held."""

    language = "the C backend"
    times = " * "

    def __init__(self, prefix: str, place: Callable[[Symbol], str]) -> None:
        super().__init__()
        self.prefix, self.place = prefix, place

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        return " / ".join([self.product(above), *(self.tight(b, ATOM) for b in below)])

    def _print_Symbol(self, e: Symbol) -> str:
        return self.place(e)

    def _print_Integer(self, e: Expr) -> str:
        return number(e)

    def _print_Rational(self, e: Any) -> str:
        return number(e)

    def _print_clip(self, e: Expr) -> str:
        a, low, high = cast("tuple[Expr, Expr, Expr]", e.args)
        if high == oo:
            return self.call(f"{self.prefix}_at_least", (a, low))
        return self.call(f"{self.prefix}_clip", (a, low, high))

    def _print_where_positive(self, e: Expr) -> str:
        a, p, q = (self._print(v) for v in e.args)
        return f"({a} > 0.0f ? {p} : {q})"

    def _print_Select(self, e: Select) -> str:
        m, a, b = (self._print(v) for v in e.args)
        return f"({m} ? {a} : {b})"

    def _print_between(self, e: Expr) -> str:
        a, low, high = (self._print(v) for v in e.args)
        return f"({low} < {a} && {a} < {high} ? 1.0f : 0.0f)"

    def _print_within(self, e: Expr) -> str:
        a, low, high = (self._print(v) for v in e.args)
        return f"({low} <= {a} && {a} <= {high} ? 1.0f : 0.0f)"

    def _print_Prime(self, e: Prime) -> str:
        name, argument = e.args
        return f"{self.prefix}_{name}_prime({self._print(argument)})"

    def _print_Function(self, e: Expr) -> str:
        if isinstance(e, Dot | Across | Outer | Mean | Total | Transposed):
            raise Unsupported(f"{type(e).__name__} has no place among element-wise expressions")
        return self.call(f"{self.prefix}_{type(e).__name__}", cast("tuple[Expr, ...]", e.args))

    _print_AppliedUndef = _print_Function


class Formula(OrderedPrinter):
    """An equation as a comment shows it: z = sigma(W_z x + U_z h + d_z)."""

    language = "a comment"
    times = "*"

    def strength(self, e: Expr) -> int:
        return MUL if isinstance(e, Dot) else super().strength(e)

    def _print_Symbol(self, e: Symbol) -> str:
        return {"h1": "h'", "dh1": "dh'"}.get(e.name, str(e.name))

    def _print_Integer(self, e: Expr) -> str:
        return str(e)

    def _print_Rational(self, e: Any) -> str:
        return f"{e.p}/{e.q}"

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Expr, Expr]", e.args)
        return f"{self._print(matrix)} {self.tight(operand, ATOM)}"

    def _print_Transposed(self, e: Transposed) -> str:
        return f"{self._print(e.args[0])}^T"

    def _print_Outer(self, e: Outer) -> str:
        return f"{self._print(e.args[0])} {self._print(e.args[1])}^T"

    def _print_Total(self, e: Total) -> str:
        return f"sum({self._print(e.args[0])})"

    def _print_Mean(self, e: Mean) -> str:
        return f"mean({self._print(e.args[0])})"

    def _print_Select(self, e: Select) -> str:
        m, a, b = cast("tuple[Expr, ...]", e.args)
        return f"{self.tight(a, MUL)} if {self._print(m)} else {self.tight(b, MUL)}"

    def _print_Prime(self, e: Prime) -> str:
        return f"{e.args[0]}'({self._print(e.args[1])})"

    def _print_Across(self, e: Across) -> str:
        return f"{e.args[0]}({self._print(e.args[1])})"

    def _print_Infinity(self, e: Expr) -> str:
        return "inf"

    def _print_Function(self, e: Expr) -> str:
        return self.call(type(e).__name__, cast("tuple[Expr, ...]", e.args))

    _print_AppliedUndef = _print_Function
