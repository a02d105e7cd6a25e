"""Gradients in ball arithmetic: each number lies for certain between the two ends of its ball."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import numpy as np
from flint import arb, arb_mat

from symgru.balls import _BALLS, Balls, _each
from symgru.cell import Cell
from symgru.domains import Step, compiled
from symgru.gradients import Gradients, gradients
from symgru.network import Array, Network, Tensor


class BackwardBalls(Balls):
    """Balls, with what only a reverse step needs."""

    def step(self, cell: Cell) -> Step:
        return compiled(cell, {**_BALLS, **_BACKWARD})


def ball_gradients(network: Network, x: Tensor, dy: Tensor, bits: int) -> Gradients:
    """Gradients whose arrays hold Arb's balls."""
    return gradients(network, x, dy, BackwardBalls(bits))


def midpoints(balls: Array, digits: int) -> tuple[Array, Array]:
    """The balls' midpoints and radii as Decimal objects; of `digits` digits, which is nothing next to the radius of a
    ball of fewer bits. The radius of a ball that is not finite is infinite."""

    def parts(ball: Any) -> tuple[Decimal, Decimal]:
        if not ball.is_finite():
            return Decimal(0), Decimal("Infinity")
        return _decimal(ball.mid(), digits), _decimal(ball.rad(), digits)

    both = np.frompyfunc(parts, 1, 2)(_each(arb)(balls))
    return cast("tuple[Array, Array]", both)


def _decimal(point: Any, digits: int) -> Decimal:
    return Decimal(point.str(digits, radius=False))


def _step(certain: Any, excluded: Any) -> Any:
    """1 or 0, and what lies between them where the ball does not tell."""
    return arb(1) if certain else arb(0) if excluded else arb(0.5, 0.5)


_BACKWARD = {
    "between": lambda a, low, high: _each(lambda v: _step(low < v < high, v <= low or v >= high))(a),
    "within": lambda a, low, high: _each(lambda v: _step(low <= v <= high, v < low or v > high))(a),
    "gauss": lambda a: 2 / arb.pi().sqrt() * _each(arb.exp)(-a * a),
    "Total": lambda v: v.sum(-1, keepdims=True),
    "Transposed": arb_mat.transpose,
}
