"""Expressions as NumPy, in Keras' orientation: rows are samples, so W @ x is written x @ W."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sympy import Expr, Symbol, oo

from symgru.algebra import Across, Dot, Mean, Outer, Prime, Select, Total, Transposed
from symgru.printing import ATOM, MUL, OrderedPrinter

FUNCTIONS = {
    "sigma": "sigmoid",
    "tanh": "np.tanh",
    "exp": "np.exp",
    "expm1": "np.expm1",
    "log1p": "np.log1p",
    "erf": "erf",
    "sqrt": "np.sqrt",
    "gauss": "gauss",
    "Abs": "np.abs",
}


class NumPyPrinter(OrderedPrinter):
    """`names` says how symbols are spelled where that differs from their own name (x is x_t, h1 is h)."""

    language = "NumPy"
    times = " * "

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.names = names or {}

    def strength(self, e: Expr) -> int:
        return MUL if isinstance(e, Dot | Outer) else super().strength(e)

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        return " / ".join([self.product(above), *(self.tight(b, ATOM) for b in below)])

    def _print_Symbol(self, e: Symbol) -> str:
        return self.names.get(e.name, e.name)

    def _print_Integer(self, e: Expr) -> str:
        return str(e)

    def _print_Rational(self, e: Any) -> str:
        return repr(float(e))

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Expr, Expr]", e.args)
        return f"{self.tight(operand, ATOM)} @ {self._print(matrix)}"

    def _print_Transposed(self, e: Transposed) -> str:
        return f"{self._print(e.args[0])}.T"

    def _print_Outer(self, e: Outer) -> str:
        """Summed over the samples, in Keras' orientation."""
        delta, operand = (self._print(s) for s in e.args)
        return f"{operand}.T @ {delta}"

    def _print_Total(self, e: Total) -> str:
        return f"np.sum({self._print(e.args[0])}, axis=-1, keepdims=True)"

    def _print_Mean(self, e: Mean) -> str:
        return f"np.mean({self._print(e.args[0])}, axis=-1, keepdims=True)"

    def _print_Select(self, e: Select) -> str:
        return self.call("np.where", cast("tuple[Expr, ...]", e.args))

    def _print_Prime(self, e: Prime) -> str:
        name, argument = e.args
        return f"{name}_prime({self._print(argument)})"

    def _print_between(self, e: Expr) -> str:
        a, low, high = (self._print(v) for v in e.args)
        return f"np.where(({low} < {a}) & ({a} < {high}), 1, 0)"

    def _print_within(self, e: Expr) -> str:
        a, low, high = (self._print(v) for v in e.args)
        return f"np.where(({low} <= {a}) & ({a} <= {high}), 1, 0)"

    def _print_Across(self, e: Across) -> str:
        return f"{e.args[0]}({self._print(e.args[1])})"

    def _print_clip(self, e: Expr) -> str:
        a, low, high = cast("tuple[Expr, Expr, Expr]", e.args)
        return self.call("np.maximum", (a, low)) if high == oo else self.call("np.clip", (a, low, high))

    def _print_where_positive(self, e: Expr) -> str:
        a, p, q = (self._print(v) for v in e.args)
        return f"np.where({a} > 0, {p}, {q})"

    def _print_Function(self, e: Expr) -> str:
        name = type(e).__name__
        if name not in FUNCTIONS:
            return self.emptyPrinter(e)
        return self.call(FUNCTIONS[name], cast("tuple[Expr, ...]", e.args))

    def _print_AppliedUndef(self, e: Expr) -> str:
        return self.call(type(e).__name__, cast("tuple[Expr, ...]", e.args))
