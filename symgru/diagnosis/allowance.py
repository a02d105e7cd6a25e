"""How far a right claim may be from what a way gives: what was not printed, and a framework's own rounding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np

from symgru.diagnosis.rows import Versions
from symgru.diagnosis.space import Space, evaluate
from symgru.mistakes import Mistake
from symgru.network import Array, Network, Tensor

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


def allowance(space: Space, opened: Open, made: tuple[Mistake, ...], dtype: str) -> Allowance:
    """Of one way. Raises SymgruError where it cannot be gone.

    `printing`: each open number is moved alone, and the effects are added up. `arithmetic`: as if each weight were off
    by the dtype's unit of rounding, SPREAD standard deviations of that, and ULPS of the largest |h_t|.
    """
    trial = space.trial
    unit = float(np.finfo(dtype).eps) / 2
    changed = trial.changed(made)
    weights = {layer.id: changed.network.layers[layer.id].weights for _, layer in trial.recurrent}
    open_weights = {layer.id: _through(space, made, layer.id, opened.weights[layer.id]) for _, layer in trial.recurrent}
    open_inputs = _fed(space, made, opened.inputs)
    arrays = [(name, key, t.value) for name, own in weights.items() for key, t in own.items()]
    arrays += [("", str(k), x.value) for k, x in enumerate(changed.inputs)]
    opens = [open_weights[name][key] if name else open_inputs[int(key)] for name, key, _ in arrays]
    values = np.concatenate([a.ravel() for _, _, a in arrays]).astype(np.float64)
    left = np.concatenate([np.broadcast_to(o, a.shape).ravel() for o, (_, _, a) in zip(opens, arrays, strict=True)])
    moves = np.maximum(left, unit * np.abs(values))
    if any(not np.issubdtype(x.value.dtype, np.floating) for x in changed.inputs):
        moves[-sum(x.value.size for x in changed.inputs) :] = 0  # indices
    at = np.flatnonzero(moves)
    directions = _directions(at, moves, len(values))
    y = _moved(space, made, arrays, values + directions)
    told = space.told(y)
    effects = np.abs(told[1:] - told[:1])
    largest = np.nan_to_num(np.abs(y[0])).max(initial=0.0)
    ulp = float(np.spacing(np.asarray(max(largest, 1e-30), dtype=dtype)))
    if len(at) > MOST_MOVED:  # the effects of all at once, in random directions
        both = SPREAD * np.sqrt((effects**2).mean(axis=0))
        return Allowance(both * bool(left.any()), both * (not left.any()) + ULPS * ulp)
    scale = np.ones((len(at), 1, 1))
    scale[:, 0, 0] = left[at] / moves[at]
    noise = np.ones((len(at), 1, 1))
    noise[:, 0, 0] = unit * np.abs(values[at]) / moves[at]
    return Allowance((effects * scale).sum(axis=0), SPREAD * np.sqrt(((effects * noise) ** 2).sum(axis=0)) + ULPS * ulp)


def _directions(at: Array, moves: Array, size: int) -> Array:
    """What is added in each row: nothing, then one move after the other, or random signs of all."""
    if len(at) <= MOST_MOVED:
        directions = np.zeros((len(at) + 1, size))
        directions[np.arange(1, len(at) + 1), at] = moves[at]
        return directions
    signs = np.random.Generator(np.random.PCG64(0)).choice([-1.0, 1.0], (DRAWN + 1, size))
    signs[0] = 0
    return cast(Array, signs * moves)


def _moved(space: Space, made: tuple[Mistake, ...], arrays: list[tuple[str, str, Array]], values: Array) -> Array:
    """What a way gives at every step for each row of numbers in the place of its own, (rows, batch, time, units)."""
    trial, changed = space.trial, space.trial.changed(made)
    count, batch = len(values), len(changed.inputs[0].value)
    stacks: dict[str, dict[str, Array]] = {}
    x: list[Array] = []
    first = 0
    for name, key, a in arrays:
        own = values[:, first : first + a.size].reshape(count, *a.shape)
        first += a.size
        if name:
            stacks.setdefault(name, {})[key] = own
        else:
            x.append(own.reshape(count * batch, *a.shape[1:]).astype(a.dtype))
    rows_of = np.repeat(np.arange(count), batch)
    versions = {name: Versions(own, rows_of) for name, own in stacks.items()}
    start = next((m.start for m in made if m.start is not None), None)
    with np.errstate(all="ignore"):
        y = evaluate(space, dict(changed.cells), versions, x, start, changed.decimals, changed.reads)
    y = y.reshape(count, batch, *y.shape[1:])
    for change in changed.outputs:
        y = np.stack([change(each) for each in y])
    assert trial.recurrent
    return y


def _through(space: Space, made: tuple[Mistake, ...], layer: str, opened: Mapping[str, Tensor]) -> Mapping[str, Array]:
    """What is open in the arrays as they are taken: moved along with the numbers."""
    own = next(each for _, each in space.trial.recurrent if each.id == layer)
    weights = dict(opened)
    for m in made:
        change = space.trial.of_layer(m, own).weights
        weights = dict(change(weights)) if change else weights
    return {name: np.abs(t.value) for name, t in weights.items()}


def _fed(space: Space, made: tuple[Mistake, ...], opened: tuple[Tensor, ...]) -> list[Array]:
    """What is open in the inputs as they are fed."""
    inputs = opened
    for m in made:
        if m.inputs is not None and len(inputs) == 1 and inputs[0].value.ndim == 3:
            inputs = (m.inputs(inputs[0]),)
    return [np.abs(x.value) for x in inputs]
