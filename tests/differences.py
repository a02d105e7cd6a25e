"""Difference quotients in decimal arithmetic, for tests only: the slope of a loss along a direction, to some 30 digits.

Nothing in here knows a derivative: it runs the forward equations twice, a step of 10^-20 apart, with 60 digits.
"""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from symgru.decimal_domain import Decimals
from symgru.network import Tensor
from symgru.trace import run

STEP = Decimal("1e-20")


class Given(Decimals):
    """Takes arrays of Decimals as they are."""

    def lift(self, tensor):
        return tensor.value if tensor.value.dtype == object else super().lift(tensor)


DOMAIN = Given(60)


def decimals(values):
    return np.array([Decimal(float(v)) for v in np.ravel(values)], dtype=object).reshape(np.shape(values))


class Loss:
    """sum(dy * y) as a function of all weights, the input and the states before the first step."""

    def __init__(self, network, x, dy):
        self.network, self.dy = network, decimals(dy)
        with DOMAIN.context():
            self.point = {
                (layer.id, name): DOMAIN.lift(t)
                for layer in network.layers.values()
                for name, t in layer.weights.items()
            }
            self.point["x"] = DOMAIN.lift(x)
            for call_id, trace in ((t.call.id, t) for t in run(network, x, DOMAIN).traces if t.cell.states):
                self.point["state", call_id] = DOMAIN.zeros((len(x.value), trace.y.shape[-1]))

    def __call__(self, point):
        layers = {
            key: replace(layer, weights={name: Tensor(point[key, name]) for name in layer.weights})
            for key, layer in self.network.layers.items()
        }
        states = {key[1]: v for key, v in point.items() if key[0] == "state"}
        y = run(replace(self.network, layers=layers), Tensor(point["x"]), DOMAIN, states).y
        return (self.dy * y).sum()

    def slope(self, key, direction):
        """The derivative along `direction` in one of the arrays."""
        with DOMAIN.context():
            there, back = (
                self({**self.point, key: self.point[key] + sign * STEP * direction})
                for sign in (Decimal(1), Decimal(-1))
            )
            return (there - back) / (2 * STEP)


def worst_slope(network, x, dy, gradients, seed=0):
    """The largest relative difference between gradients (Decimal arrays) and slopes, along one direction per array."""
    rng = np.random.default_rng(seed)
    loss, worst = Loss(network, x, dy), 0.0
    found = {(layer, name): g for layer, parts in gradients.weights.items() for name, g in parts.items()}
    found |= {"x": gradients.x} | {("state", call): g for call, g in gradients.states.items()}
    assert set(found) == set(loss.point)
    for key, gradient in found.items():
        assert gradient.shape == loss.point[key].shape
        direction = decimals(rng.normal(size=gradient.shape))
        with DOMAIN.context():
            product, size = gradient * direction, abs(gradient).max()
            if size == 0:
                assert loss.slope(key, direction) == 0
                continue
            worst = max(worst, float(abs(product.sum() - loss.slope(key, direction)) / size))
    return worst
