"""Float64 with another way of going about it in each row of the batch: the same printed source, other numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
from sympy import Symbol

from symgru.algebra import Mat
from symgru.cell import Cell
from symgru.domains import Float64, Rounded64
from symgru.network import Array, Tensor


class Stack:
    """A layer's weights in several versions, (versions, ...) by name."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.arrays = arrays
        self._columns: dict[str, Array] = {}

    def columns(self, name: str) -> Array:
        """A matrix as (versions, columns, units): the way in which a row's product runs through it."""
        if name not in self._columns:
            self._columns[name] = np.ascontiguousarray(self.arrays[name].swapaxes(1, 2))
        return self._columns[name]


class Versions(Mapping[str, Tensor]):
    """A stack of weights, and which version each row has; as a mapping the first one, for whoever asks for shapes."""

    def __init__(self, stack: Stack, rows: Array) -> None:
        self._stack, self._rows = stack, rows
        self._alike = bool((rows == rows[0]).all())

    def __getitem__(self, name: str) -> Tensor:
        return Tensor(self._stack.arrays[name][0])

    def __iter__(self) -> Iterator[str]:
        return iter(self._stack.arrays)

    def __len__(self) -> int:
        return len(self._stack.arrays)

    def of_rows(self, p: Symbol, steps: bool) -> Array:
        """What `dot` and the sums take: (rows, columns, units) for a matrix and (rows, units) for a vector.

        With an axis of time where the layer takes all steps at once; without one of rows where all have the same
        numbers.
        """
        if self._alike:
            return cast(Array, self._stack.arrays[p.name][self._rows[0]])
        if isinstance(p, Mat):
            return self._stack.columns(p.name)[self._rows]
        own = self._stack.arrays[p.name][self._rows]
        return own[:, None] if steps else own


def _dot(W: Array, v: Array) -> Array:
    """W is (units, columns) for all rows or (rows, columns, units); v is (rows, columns) or (rows, time, columns)."""
    if W.ndim == 2:
        return v @ W.T
    if v.ndim == 3:
        return cast(Array, np.matmul(v, W))
    if W.shape[1] == 1:
        return v * W[:, 0]
    return cast(Array, np.einsum("rk,rku->ru", v, W))


def _sigma(a: Array) -> Array:
    """In one array; where e^-a overflows the result is the 0 that it is to 300 digits."""
    e = np.exp(np.negative(a))
    e += 1
    return np.divide(1, e, out=e) if isinstance(e, np.ndarray) else 1 / e


class Rows(Float64):
    """Float64 for layers whose weights are `Versions`; x is (rows, time, features)."""

    def params(self, cell: Cell, weights: Mapping[str, Tensor]) -> Mapping[str, Array]:
        if not isinstance(weights, Versions):
            return super().params(cell, weights)
        return {p.name: weights.of_rows(p, steps=not cell.states) for p in cell.params}

    @property
    def functions(self) -> Mapping[str, object]:
        return {**super().functions, "dot": _dot, "sigma": _sigma}


class RoundedRows(Rows, Rounded64):
    """The same with every line rounded to so many decimals."""


def rows(decimals: int | None) -> Rows:
    """The arithmetic; every line rounded where `decimals` says so."""
    return Rows() if decimals is None else RoundedRows(decimals)
