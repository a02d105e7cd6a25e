"""Ball arithmetic: every number is a midpoint and a radius, and the true one lies between the two ends, for certain.

The balls are Arb's, through python-flint (the extra `exact`). All that goes in is finite, and over the real numbers
no equation of a cell overflows or divides by 0. So a ball that Arb gives up on (NaN, infinite) says only that the
precision has run out: the number itself is some real one, and a gate's is still between 0 and 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, cast

import numpy as np
from flint import arb, arb_mat, ctx, fmpq

from symgru.cell import Cell
from symgru.domains import Step, compiled
from symgru.network import Array, Tensor

ZERO_TO_ONE = arb(0.5, 0.5)
WITHIN_ONE = arb(0, 1)


class Balls:
    """Real numbers enclosed to `bits` bits; arrays hold Arb's balls, and a matrix is an `arb_mat`.

    `typed` takes numbers as they are printed or were typed, else as the model stores them in binary.
    """

    name = "balls"

    def __init__(self, bits: int, typed: bool = False) -> None:
        self.bits, self.typed = bits, typed

    def lift(self, tensor: Tensor) -> Array:
        return _each(_typed)(tensor.text) if self.typed else _each(_stored)(tensor.value)

    def params(self, cell: Cell, weights: Mapping[str, Tensor]) -> Mapping[str, Array]:
        return {p.name: _matrix(self.lift(weights[p.name])) for p in cell.params}

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.full(shape, arb(0), dtype=object)

    def step(self, cell: Cell) -> Step:
        return compiled(cell, _BALLS)

    def context(self) -> Any:
        return ctx.workprec(self.bits)


def _each(f: Callable[..., Any], operands: int = 1) -> Callable[..., Array]:
    ufunc = np.frompyfunc(f, operands, 1)

    def apply(*arrays: Array) -> Array:
        return np.asarray(ufunc(*arrays), dtype=object)

    return apply


def _typed(text: object) -> Any:
    """A decimal that binary does not hold gets a radius."""
    return arb(fmpq(*Decimal(str(text)).as_integer_ratio()))


def _stored(value: float) -> Any:
    """A binary number without a radius, at any precision."""
    return arb(float(value))


def _matrix(a: Array) -> Array:
    """What `_dot` takes: a matrix for Arb, a vector as it is."""
    return cast(Array, arb_mat(*a.shape, a.ravel().tolist())) if a.ndim == 2 else a


def _dot(W: Any, v: Array) -> Array:
    """v @ W.T, in Arb's own product: as fast as it gets, and rounded once for each sum."""
    rows = v.reshape(-1, v.shape[-1])
    product = W * arb_mat(*rows.T.shape, rows.T.ravel().tolist())
    columns = np.empty(product.nrows() * product.ncols(), dtype=object)
    columns[:] = product.entries()
    return columns.reshape(product.nrows(), -1).T.reshape(*v.shape[:-1], -1)


def _within(range_: Any, ball: Any) -> Any:
    """The ball, unless the function's range says more."""
    return ball if ball.rad() < range_.rad() else range_


def _sigma(a: Any) -> Any:
    return _within(ZERO_TO_ONE, 1 / (1 + (-a).exp()))


def _tanh(a: Any) -> Any:
    return _within(WITHIN_ONE, a.tanh())


def _abs(a: Any) -> Any:
    return abs(a).max(0)  # |[-1, 3]| is [0, 3], where Arb alone gives [-1, 3]


def _clip(low: int, high: int | None) -> Callable[[Any], Any]:
    """Arb's max and min enclose both numbers where it is not certain which is meant."""
    if high is None:
        return lambda a: a.max(low)
    return lambda a: _within(arb(low).union(high), a.max(low).min(high))


def _where_positive(a: Any, p: Any, q: Any) -> Any:
    """Both where the ball does not tell. A comparison of balls is true only where it is certain."""
    return arb(p) if a > 0 else arb(q) if a <= 0 else arb(p).union(q)


def _softmax(a: Array) -> Array:
    """The same for every shift; the largest midpoint keeps the exponentials small."""
    top = _each(lambda v: v.mid())(a).max(-1, keepdims=True)
    e = _each(arb.exp)(a - top)
    return _each(lambda v: _within(ZERO_TO_ONE, v))(e / e.sum(-1, keepdims=True))


def _log_softmax(a: Array) -> Array:
    top = _each(lambda v: v.mid())(a).max(-1, keepdims=True)
    return cast(Array, a - top - _each(arb.log)(_each(arb.exp)(a - top).sum(-1, keepdims=True)))


def _sparsemax(a: Array) -> Array:
    """By `domains.sparsemax`, row by row, where the balls tell the order and the support; else nothing is known."""
    rows = a.reshape(-1, a.shape[-1])
    return np.array([_sparse(list(row)) for row in rows], dtype=object).reshape(a.shape)


def _sparse(row: list[Any]) -> list[Any]:
    unknown = [arb("nan")] * len(row)
    falling = sorted(row, key=lambda v: v.mid(), reverse=True)
    if any(not p > q and not (p == q and p.is_exact()) for p, q in itertools.pairwise(falling)):
        return unknown
    total, count, last = arb(0), 0, arb(0)
    for k, value in enumerate(falling, 1):
        last += value
        margin = k * value - (last - 1)
        if margin > 0:
            total, count = total + last, count + 1
        elif not margin <= 0:
            return unknown
    return [(v - (total - 1) / count).max(0) for v in row]


_BALLS = {
    "sigma": _each(_sigma),
    "tanh": _each(_tanh),
    "exp": _each(arb.exp),
    "expm1": _each(arb.expm1),
    "log1p": _each(arb.log1p),
    "erf": _each(arb.erf),
    "sqrt": _each(arb.sqrt),
    "Mean": lambda v: v.sum(-1, keepdims=True) / v.shape[-1],
    "Total": lambda v: v.sum(-1, keepdims=True),
    "Select": np.where,
    "Abs": _each(_abs),
    "clip": lambda a, low, high: _each(_clip(low, high))(a),
    "where_positive": _each(_where_positive, 3),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "sparsemax": _sparsemax,
    "dot": _dot,
    "ratio": lambda p, q: arb(fmpq(p, q)),
    "store": lambda v: v,
}
