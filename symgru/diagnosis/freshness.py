"""Whether weights look as a framework draws them before training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import cast

import numpy as np
from sympy import Symbol

from symgru.building import build
from symgru.layout import Layout, layout
from symgru.maps import MAPS
from symgru.network import Array, Layer, Network, Tensor

SINGLE = 1e-5  # orthogonalised in float32: off by 1e-6 at most; training moves far more
EVEN = 2.2  # Kolmogorov and Smirnov's statistic times sqrt(n): exceeded in 1 of 8000 even samples
MANY = 10_000  # numbers of which nobody types the digits
FEW = 24  # numbers that may lie within a limit by chance


@dataclass(frozen=True)
class Fresh:
    """A recurrent layer that looks as `framework` initialises it. `evidence` says why, each point a plain sentence.

    `strong`: training would hardly leave it so; else there are few numbers, and it may be chance.
    """

    layer: Layer
    framework: str
    evidence: tuple[str, ...]
    strong: bool


def fresh(network: Network) -> tuple[Fresh, ...]:
    """The recurrent layers that look freshly initialised, each once."""
    layers = {layer.id: layer for _, layer in network if layer.kind not in MAPS}
    recurrent = (layer for layer in layers.values() if build(layer.kind, layer.options).states)
    return tuple(found for layer in recurrent for found in _looks(layer))


def _looks(layer: Layer) -> Iterator[Fresh]:
    own = layout(build(layer.kind, layer.options))
    if not own.recurrent or not all(np.isfinite(t.value).all() for t in layer.weights.values()):
        return
    found = _keras(layer, own) or _torch(layer, own)
    if found:
        yield found


def _keras(layer: Layer, own: Layout) -> Fresh | None:
    """Keras' default: recurrent kernel orthogonal, kernel Glorot-uniform, biases 0 (keras/src/layers/rnn/gru.py).

    The recurrent kernel has shape (units, gates · units). Glorot's limit is sqrt(6 / (fan_in + fan_out)), with all
    columns of the kernel counted (keras/src/initializers/random_initializers.py).
    """
    k, r = _side_by_side(layer, own.kernel), _side_by_side(layer, own.recurrent)
    deviation = float(np.abs(r @ r.T - np.eye(len(r))).max())
    biases = [layer.weights[b.name] for row in own.biases for b in row]
    limit, largest = sqrt(6 / sum(k.shape)), float(np.abs(k).max())
    printed = 2 * sqrt(r.shape[1]) * _half(layer, own.recurrent)  # what the digits left out may do to a product of rows
    if deviation > SINGLE + printed or largest > limit * (1 + SINGLE) or not all(b.is_zero for b in biases):
        return None
    count = sum(b.value.size for b in biases)
    if len(r) == 1:
        length = sqrt(float(r[0] @ r[0]))
        rows = f"the row of the recurrent kernel has the length {length:.9f}; Keras draws rows of length 1"
    else:
        rows = (
            f"the {len(r)} rows of the recurrent kernel have the length 1 and stand at right angles to each other, to "
            f"within {deviation:.1g}; Keras draws them so"
        )
    return Fresh(
        layer,
        "Keras",
        (
            rows,
            f"no weight of the kernel is larger than {largest:.4f}; Keras draws them from -{limit:.4f} to {limit:.4f}",
            *([f"all {count} biases are 0, as Keras sets them"] if count else []),
        ),
        True,
    )


def _torch(layer: Layer, own: Layout) -> Fresh | None:
    """PyTorch's: every number, of the biases too, evenly from -1/sqrt(units) to 1/sqrt(units) (torch/nn/modules/rnn.py:
    reset_parameters)."""
    biases = [b for row in own.biases for b in row]
    if any(layer.weights[b.name].is_zero for b in biases):
        return None
    symbols: tuple[Symbol, ...] = (*own.kernel, *own.recurrent, *biases)
    rows = [_numbers(layer.weights[s.name]).ravel() for s in symbols]
    numbers = np.concatenate(rows)
    limit, n = 1 / sqrt(len(layer.weights[own.recurrent[0].name].value)), len(numbers)
    largest = float(np.abs(numbers).max())
    close = largest >= limit * (1 - 7 / n)  # of n even numbers none comes so near in 1 of 1000 cases
    if largest > limit * (1 + SINGLE) + _half(layer, (*own.kernel, *own.recurrent)) or not close:
        return None
    if _unevenness(numbers / limit) > EVEN:
        return None
    return Fresh(
        layer,
        "PyTorch",
        (
            f"all {n} weights and biases lie between -{limit:.4f} and {limit:.4f}, the largest is {largest:.4f}, and "
            f"they are spread evenly in between; so PyTorch draws them",
        ),
        n >= FEW,
    )


def _unevenness(numbers: Array) -> float:
    """How far the share of numbers below a value is from an even one on [-1, 1], at most, times sqrt(n)."""
    n = len(numbers)
    even = (np.sort(numbers) + 1) / 2
    steps = np.arange(n + 1) / n
    return float(max((steps[1:] - even).max(), (even - steps[:-1]).max()) * sqrt(n))


def _side_by_side(layer: Layer, blocks: tuple[Symbol, ...]) -> Array:
    """An array as Keras has it, from the numbers as typed."""
    return np.hstack([_numbers(layer.weights[s.name]).T for s in blocks])


def _half(layer: Layer, blocks: tuple[Symbol, ...]) -> float:
    """Half a unit of the last digit that the numbers are printed to; 0 for numbers from a file of many."""
    arrays = [layer.weights[s.name] for s in blocks]
    if not any(t.typed for t in arrays) and sum(t.value.size for t in arrays) > MANY:
        return 0.0
    exponents = [cast(int, Decimal(str(text)).as_tuple().exponent) for t in arrays for text in t.text.ravel()]
    return 0.5 * 10.0 ** min(exponents)


def _numbers(t: Tensor) -> Array:
    """As typed, or as a file holds them."""
    return (t.text if t.typed else t.value).astype(np.float64)
