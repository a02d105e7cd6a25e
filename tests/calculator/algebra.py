"""Vectors and matrices on the calculator: a line in matrix form, worked out component by component."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.calculator.arithmetic import FUNCTIONS, Symbols, _all_of, _tanh, tokens
from tests.calculator.line import Wrong

LITERAL = re.compile(r"(?<![\w>'}\]])\[[^][]*\]|\[(?:\[[^][]*\](?:, )?)+\]")  # [1, 2] and [[1, 2], [3, 4]]; no index
PLACE = "literal_"
PRODUCTS = "⊙∘×·"  # element by element, as * is
ON_EACH = {**FUNCTIONS, "tanh": _tanh}


class Array(tuple[Any, ...]):
    """A vector of numbers, or a matrix as a vector of its rows; + - * go element by element, @ is the product."""

    def _each(self, other: Any, do: Callable[[Any, Any], Any]) -> Array:
        if not isinstance(other, Array):
            return Array(do(a, other) for a in self)
        if len(self) != len(other):
            raise Wrong(f"{len(self)} numbers beside {len(other)}")
        return Array(do(a, b) for a, b in zip(self, other, strict=True))

    def __add__(self, other: Any) -> Array:
        return self._each(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> Array:
        return self._each(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Array:
        return Array(other - a for a in self)

    def __mul__(self, other: Any) -> Array:
        return self._each(other, lambda a, b: a * b)

    def __neg__(self) -> Array:
        return Array(-a for a in self)

    def __matmul__(self, other: Any) -> Array:
        """A row times a matrix, or a matrix times a column."""
        if not isinstance(other, Array):
            raise Wrong(f"a product with {other}")
        if isinstance(self[0], Array):
            return Array(sum(row * other, Decimal(0)) for row in self)
        if not isinstance(other[0], Array):  # a single feature, whose matrix is printed as a vector
            (one,), vector = sorted((self, other), key=len)
            return vector * one
        scaled = [row * a for a, row in zip(self, _as_long(other, self), strict=True)]
        return sum(scaled[1:], scaled[0])

    @property
    def flat(self) -> Array:
        """A matrix of one row or one column as a vector."""
        if not isinstance(self[0], Array):
            return self
        return self[0] if len(self) == 1 else Array(row[0] for row in self) if len(self[0]) == 1 else self

    def each(self, function: Callable[[Decimal], Decimal]) -> Array:
        return Array(function(a) for a in self)


def _as_long(matrix: Array, vector: Array) -> Array:
    if len(matrix) != len(vector):
        raise Wrong(f"{len(vector)} numbers times {len(matrix)} rows")
    return matrix


def literal(text: str) -> Array | Decimal:
    """[0.5, 1] or [[0.5, 1], [2, 3]], or a single number."""
    text = text.strip()
    if not text.startswith("["):
        return Decimal(text)
    inner = text[1:-1].strip()
    if inner.startswith("["):
        return Array(literal(row) for row in re.findall(r"\[[^][]*\]", inner))
    return Array(Decimal(each) for each in inner.split(","))


def split(text: str) -> tuple[list[str], dict[str, Array | Decimal]]:
    """The tokens of a formula, its vectors and matrices replaced by names."""
    found: dict[str, Array | Decimal] = {}

    def placed(match: re.Match[str]) -> str:
        found[f"{PLACE}{len(found)}"] = literal(match[0])
        return f" {PLACE}{len(found) - 1} "

    text = LITERAL.sub(placed, re.sub(f"[{PRODUCTS}]", "*", text).replace("σ", "sigma"))
    pieces = text.split("@")
    all_of = [token for piece in pieces for token in [*(tokens(piece) if piece.strip() else ()), "@"]]
    return all_of[:-1], found


def work_out(text: str, known: Mapping[str, Any]) -> Any:
    """The value of a formula in matrix form."""
    found, literals = split(text)
    return _all_of(_Vectors(found, {**known, **literals}), text)


class _Vectors(Symbols):
    def product(self) -> Any:
        total: Any = self.signed()
        while sign := self.take("*", "@"):
            other: Any = self.signed()
            total = total * other if sign == "*" else total @ other
        return total

    def atom(self) -> Any:
        if self.rest and self.rest[0] in ON_EACH:
            function = ON_EACH[self.rest.pop(0)]
            (value,) = self.arguments()
            return value.each(function) if isinstance(value, Array) else function(value)
        return super().atom()
