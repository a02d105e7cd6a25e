"""How far a right claim may be from what a way gives: what was not printed, and a framework's own rounding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np

from symgru.diagnosis.going import Going
from symgru.diagnosis.rows import Stack, Versions
from symgru.diagnosis.space import Space
from symgru.mistakes import Changed, Mistake
from symgru.network import Array, Layer, Network, Tensor, Weights

PRINTED = 4  # decimals and more are what a framework prints (PyTorch 4, NumPy 8); fewer are a person's whole number
MOSTLY = 0.6  # of an array's numbers have as many decimals as its longest, or a 0 less: it was printed
ULPS = 4  # of the largest |h_t|, for the functions and the last sums of a framework
SPREAD = 8  # standard deviations of the rounding errors in the products, taken as independent
MOST_MOVED = 4096  # numbers that are moved one by one; of more, DRAWN random directions are tried
DRAWN = 64


@dataclass(frozen=True)
class Allowance:
    """For each claimed number of each alternative, (alternatives, numbers): what the unprinted digits of weights and
    inputs can move it, all in the worst direction, and what a framework's rounding may."""

    printing: Array
    arithmetic: Array


class Open:
    """What the printed numbers of a network and of its inputs leave open, by array.

    A number that was printed may be off by half a unit of its last digit, and each by what storing it in the network's
    dtype changes. Which numbers were printed, their decimals tell: an array most of whose numbers have as many as its
    longest, at least PRINTED, is taken for printed, and those of its numbers that have so many for rounded. An array
    that was read from a file was not printed.
    """

    def __init__(self, network: Network, inputs: tuple[Tensor, ...]) -> None:
        self.weights: Mapping[str, Mapping[str, Tensor]] = {
            layer.id: {name: Tensor(left_open(t, network.dtype)) for name, t in layer.weights.items()}
            for layer in network.layers.values()
        }
        self.inputs = tuple(Tensor(left_open(x, network.dtype)) for x in inputs)


def left_open(tensor: Tensor, dtype: str) -> Array:
    """For each number how far the one meant may be from the one printed."""
    if not np.issubdtype(tensor.value.dtype, np.floating):
        return np.zeros(tensor.value.shape)
    if not tensor.typed:
        return np.zeros(tensor.value.shape)
    typed = tensor.text.astype(np.float64)
    with np.errstate(over="ignore"):
        stored = np.abs(typed.astype(dtype).astype(np.float64) - typed)
    return _half_units(tensor.text) + np.where(np.isfinite(stored), stored, 0)


def _half_units(texts: Array) -> Array:
    decimals = np.array([-cast(int, Decimal(t).as_tuple().exponent) for t in texts.ravel()])
    told = [d for t, d in zip(texts.ravel(), decimals, strict=True) if Decimal(t)]
    longest = max(told, default=0)
    count = Counter(told)
    printed = longest >= PRINTED and count[longest] + count[longest - 1] >= MOSTLY * len(told)
    half = np.where(printed & (decimals == longest), 0.5 * 10.0 ** -float(longest), 0.0)
    return half.reshape(texts.shape)


@np.errstate(all="ignore")  # some ways lead beyond all bounds
def allowance(space: Space, opened: Open, made: tuple[Mistake, ...], dtype: str) -> Allowance:
    """Of one way. Raises SymgruError where it cannot be gone.

    `printing`: each open number is moved alone, and the effects are added up. `arithmetic`: as if each weight and input
    were off by the dtype's unit of rounding, SPREAD standard deviations of that, and ULPS of the largest |h_t|.
    """
    unit = float(np.finfo(dtype).eps) / 2
    changed = space.trial.changed(made)
    numbers = _Numbers.of(space, made, changed)
    left = numbers.left_open(opened)
    moves = np.where(numbers.whole, 0, np.maximum(left, unit * np.abs(numbers.values)))
    at = np.flatnonzero(moves)
    y = numbers.run(numbers.values + _directions(at, moves))
    told = space.told(y)
    effects = np.abs(told[1:] - told[:1])
    largest = max(np.nan_to_num(np.abs(y[0])).max(initial=0.0), 1e-30)
    ulps = ULPS * float(np.spacing(np.asarray(largest, dtype=dtype)))
    if len(at) > MOST_MOVED:  # the effects of all at once, in random directions
        spread = SPREAD * np.sqrt((effects**2).mean(axis=0))
        return Allowance(spread, np.full_like(spread, ulps)) if left.any() else Allowance(0 * spread, spread + ulps)
    printed = (left[at] / moves[at])[:, None, None]
    rounded = (unit * np.abs(numbers.values[at]) / moves[at])[:, None, None]
    return Allowance((effects * printed).sum(axis=0), SPREAD * np.sqrt(((effects * rounded) ** 2).sum(axis=0)) + ulps)


@dataclass(frozen=True)
class _Numbers:
    """All numbers of a way in one row: the weights as they are taken, and the inputs as they are given."""

    space: Space
    made: tuple[Mistake, ...]
    changed: Changed
    weights: tuple[tuple[str, str, Array], ...]  # layer, array, numbers
    values: Array
    whole: Array  # which of them are indices

    @staticmethod
    def of(space: Space, made: tuple[Mistake, ...], changed: Changed) -> _Numbers:
        layers = dict.fromkeys(layer.id for _, layer in space.trial.recurrent)
        weights = tuple((id, name, t.value) for id in layers for name, t in changed.network.layers[id].weights.items())
        arrays = [*(a for _, _, a in weights), *(x.value for x in space.trial.inputs)]
        whole = [np.full(a.size, not np.issubdtype(a.dtype, np.floating)) for a in arrays]
        values = np.concatenate([a.ravel() for a in arrays]).astype(np.float64)
        return _Numbers(space, made, changed, weights, values, np.concatenate(whole))

    def left_open(self, opened: Open) -> Array:
        """What is open in each of them; in arrays whose numbers are taken elsewhere, it goes with them."""
        taken = {layer.id: self._taken(layer, opened.weights[layer.id]) for _, layer in self.space.trial.recurrent}
        own = [np.broadcast_to(taken[id][name], a.shape) for id, name, a in self.weights]
        return np.concatenate([a.ravel() for a in (*own, *(x.value for x in opened.inputs))])

    def _taken(self, layer: Layer, opened: Mapping[str, Tensor]) -> Mapping[str, Array]:
        """By how much the arrays as they are taken differ once every number is off by what is open in it."""
        own: Weights = layer.weights
        off: Weights = {name: Tensor(t.value + opened[name].value) for name, t in layer.weights.items()}
        changes = [self.space.trial.of_layer(m, layer).weights for m in self.made]
        if not any(changes):
            return {name: t.value for name, t in opened.items()}
        for change in filter(None, changes):
            own, off = change(own), change(off)
        return {name: np.abs(off[name].value - t.value) for name, t in own.items()}

    def run(self, values: Array) -> Array:
        """What each row of numbers gives at every step, (rows, batch, time, units)."""
        count, first = len(values), 0
        stacks: dict[str, dict[str, Array]] = {}
        for id, name, a in self.weights:
            stacks.setdefault(id, {})[name] = values[:, first : first + a.size].reshape(count, *a.shape)
            first += a.size
        given = []
        for x in self.space.trial.inputs:
            size = x.value.size
            given.append(values[:, first : first + size].reshape(count, *x.value.shape).astype(x.value.dtype))
            first += size
        first_fed = self._fed(tuple(each[0] for each in given))
        own = [any((each[k] != each[0]).any() for each in given) for k in range(count)]
        fed = [self._fed(tuple(each[k] for each in given)) if own[k] else first_fed for k in range(count)]
        inputs = [np.concatenate(each) for each in zip(*fed, strict=True)]
        rows_of = np.repeat(np.arange(count), len(fed[0][0]))
        versions = {id: Versions(Stack(own), rows_of) for id, own in stacks.items()}
        start = next((m.start for m in self.made if m.start is not None), None)
        changed = self.changed
        # whoever rounds lines has the printed numbers only; a digit more would not have been seen
        going = Going(changed.cells, start, None, changed.reads, changed.outputs, changed.network)
        return going.run(self.space, versions, inputs, count)

    def _fed(self, values: tuple[Array, ...]) -> tuple[Array, ...]:
        inputs = tuple(map(Tensor, values))
        for m in self.made:
            inputs = self.space.trial.fed(m, inputs)
        return tuple(x.value for x in inputs)


def _directions(at: Array, moves: Array) -> Array:
    """What is added in each row: nothing, then one move after the other, or random signs of all."""
    if len(at) <= MOST_MOVED:
        directions = np.zeros((len(at) + 1, len(moves)))
        directions[np.arange(1, len(at) + 1), at] = moves[at]
        return directions
    signs = np.random.Generator(np.random.PCG64(0)).choice([-1.0, 1.0], (DRAWN + 1, len(moves)))
    signs[0] = 0
    return signs * moves
