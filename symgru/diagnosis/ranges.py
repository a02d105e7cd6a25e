"""What these weights can give at all: bounds of the output for all inputs in a box, by interval arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import product
from typing import cast

import numpy as np

from symgru.building import build
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.intervals import Interval, Intervals, typed
from symgru.errors import SymgruError, Unsupported
from symgru.maps import MAPS
from symgru.mistake_table import Mistake
from symgru.mistakes import Changed, Known, Trial, mistakes
from symgru.network import Array, Network, Tensor
from symgru.shapes import units
from symgru.trace import run

MOST_WORK = 3_000_000  # products of a weight and a number: a few seconds
PER_STEP = 2000  # products take as long as the rest of a step, however small the layer is


class Fed(Intervals):
    """Intervals in which the inputs are given, whatever the tensors hold."""

    def __init__(self, inputs: Sequence[Interval]) -> None:
        self._waiting = list(inputs)

    def lift(self, tensor: Tensor) -> Array:
        return cast(Array, self._waiting.pop(0)) if self._waiting else super().lift(tensor)


def run_within(
    changed: Changed, inputs: Sequence[Interval] | None = None, states: Mapping[str, Interval] | None = None
) -> Interval:
    """Bounds of the results at every step, (batch, time, units), of a network with mistakes made, for all inputs (its
    own where None) and all first states in between. Raises Unsupported for a network that intervals do not run."""
    if any(put.whole for put in changed.network.inputs):
        raise Unsupported("indices are no numbers of an interval")
    if _work(changed.network, changed.inputs) > MOST_WORK:
        raise Unsupported("this network is too large to be run with intervals")
    fed = [typed(x) for x in changed.inputs] if inputs is None else list(inputs)
    batch = max(len(s) for s in states.values()) if states else 1
    fed = [x.spread((batch, *x.shape[1:])) if len(x) == 1 else x for x in fed]
    begun = {name: cast(Array, s) for name, s in (states or {}).items()}
    layers = {call.id: layer for call, layer in changed.network}
    for name, start in changed.starts.items():
        if name not in layers:
            continue
        width = units(build(layers[name].kind, layers[name].options), layers[name])
        begun.setdefault(name, cast(Array, Interval.exactly(np.full((batch, width), float(start)))))
    try:
        found = run(changed.network, changed.inputs, Fed(fed), begun, dict(changed.cells))
        return cast(Interval, changed.results(found))
    except (TypeError, AttributeError) as error:
        raise Unsupported("a layer of this network is not run with intervals") from error


def _work(network: Network, inputs: Sequence[Tensor]) -> int:
    """Products of a weight and a number that take as long as all steps, about."""
    return (network.parameters + PER_STEP) * max((int(x.value.shape[1]) for x in inputs if x.value.ndim > 1), default=1)


# The ranges ----------------------------------------------------------------------------------------------------------

CONVENTIONS = "gate order", "update rule", "reset gate"
PLACES = "before the product", "after the product"
SUMMED = ("sequence", "summed into one step")
SHOWN = 6  # decimals
CONVENTIONS_TRIED = 24  # that take as many steps as the sequence has
NOTHING = 0.999  # a range of [-1, 1], or nearly, tells nothing


@dataclass(frozen=True)
class Range:
    """The output lies between `low` and `high`, for certain, for all inputs in a box. `says` which, in plain words.

    `useless`: it says no more than that there is a number, or that a state lies between -1 and 1.
    """

    low: float
    high: float
    says: str
    useless: bool = False

    def excludes(self, number: Number) -> bool:
        """Whether a claimed number, allowing for its last digit, lies outside."""
        value = float(number.value)
        return value + number.half < self.low or value - number.half > self.high


@dataclass(frozen=True)
class Reach:
    """What can come out where a number is claimed, with each number of the inputs anywhere between the smallest and
    the largest that its feature has.

    `own` is for the network's own convention, `every` for all `conventions` that were tried: every order of the gates'
    blocks, both update rules, both places of the reset gate, each with the sequence as given and summed into one step.
    `excluding` of them cannot give the number, by a range of their own; `left` are the others, by the mistakes made.
    """

    number: Number
    own: Range
    every: Range
    conventions: int
    excluding: int
    left: tuple[tuple[Mistake, ...], ...] = ()


def ranges(network: Network, cases: Sequence[Case], known: Known = mistakes) -> tuple[Reach, ...]:
    """One for each claimed number, case by case; () for a network that intervals do not run."""
    try:
        return tuple(reach for case in cases for reach in _of_case(network, case, known))
    except SymgruError:
        return ()


def _of_case(network: Network, case: Case, known: Known) -> list[Reach]:
    trial = Trial(network, case.inputs, known)
    small = _work(network, case.inputs) * CONVENTIONS_TRIED <= MOST_WORK
    ways = _conventions(trial) if small else [()]
    run = [(made, y) for made in ways if (y := _outputs(trial, made)) is not None]
    found = [y for _, y in run]
    if not found:
        raise Unsupported("this network is not run with intervals")
    box, state = _box_words(case), _gives_a_state(network)
    reaches = []
    for number in case.claim:
        each = [_range(*_bounds(y, number), state, box, "with the network's own convention") for y in found]
        low, high = min(r.low for r in each), max(r.high for r in each)
        every = _range(low, high, state, box, f"with each of {len(found)} conventions") if len(found) > 1 else each[0]
        left = tuple(made for (made, _), r in zip(run, each, strict=True) if not r.excludes(number))
        reaches.append(Reach(number, each[0], every, len(found), len(found) - len(left), left))
    return reaches


def _gives_a_state(network: Network) -> bool:
    end = network.outputs[0].source if network.outputs else network.calls[-1].id
    layer = next(layer for call, layer in network if call.id == end)
    return layer.kind not in MAPS and bool(build(layer.kind, layer.options).states)


def _conventions(trial: Trial) -> list[tuple[Mistake, ...]]:
    """The network's own first. A convention is made of mistakes, since that is what it would be here."""
    by_kind = {kind: [m for m in trial.mistakes if m.kind == kind] for kind in CONVENTIONS}
    by_kind["reset gate"] = [m for m in by_kind["reset gate"] if m.name in PLACES]
    summed = [m for m in trial.mistakes if (m.kind, m.name) == SUMMED]
    choices = ([None, *options] for options in (summed, *by_kind.values()))
    return [tuple(m for m in way if m is not None) for way in product(*choices)]


def _outputs(trial: Trial, made: tuple[Mistake, ...]) -> Interval | None:
    """Bounds at every step; None for a way that cannot be gone."""
    summed = any((m.kind, m.name) == SUMMED for m in made)
    try:
        return run_within(trial.changed(made), [_box(x, summed) for x in trial.inputs])
    except SymgruError:
        if not made:
            raise
        return None


def _box(x: Tensor, summed: bool) -> Interval:
    """Every number between the smallest and the largest of its feature: (1, time, features), or their sum."""
    own = typed(x)
    axes = tuple(range(x.value.ndim - 1))
    low, high = own.low.min(axes), own.high.max(axes)
    steps = x.value.shape[1:-1]
    each = Interval.between(np.broadcast_to(low, (1, *steps, len(low))), np.broadcast_to(high, (1, *steps, len(high))))
    if not summed:
        return each
    total = each[:, :1]
    for _ in range(1, steps[0]):
        total = total + each[:, :1]
    return total


def _bounds(y: Interval, number: Number) -> tuple[float, float]:
    step = number.step if -y.shape[1] <= number.step < y.shape[1] else -1  # a sum is one step
    picked = y[:, step] if number.unit is None else y[:, step, number.unit]
    low, high = float(picked.low.min()), float(picked.high.max())
    return (-np.inf, np.inf) if np.isnan([low, high]).any() else (low, high)


def _box_words(case: Case) -> str:
    (x, *others) = case.inputs
    numbers = x.text.astype(np.float64)
    if others or x.value.shape[-1] > 1:
        return "For inputs within the range that each feature has here"
    return f"For inputs between {numbers.min():g} and {numbers.max():g}"


def _range(low: float, high: float, state: bool, box: str, which: str) -> Range:
    """`state`: the output is a recurrent layer's state."""
    said = f"{box}, however they are chosen, these weights give a number between {outward(low, high)} {which}"
    all_there_is = (-NOTHING, NOTHING) if state else (-np.inf, np.inf)
    useless = low <= all_there_is[0] and high >= all_there_is[1]
    return Range(low, high, said + (", which tells nothing." if useless else "."), useless)


def outward(low: float, high: float) -> str:
    """Both ends in six decimals at most, the lower rounded down and the upper up."""
    return f"{_rounded(low, ROUND_FLOOR)} and {_rounded(high, ROUND_CEILING)}"


def _rounded(end: float, way: str) -> str:
    if not np.isfinite(end):
        return str(end)
    text = f"{Decimal(end).quantize(Decimal(1).scaleb(-SHOWN), way):f}"
    return text.rstrip("0").rstrip(".") or "0"
