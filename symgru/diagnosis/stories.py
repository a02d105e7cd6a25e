"""What may have happened where no mistake gives the claim: the likely stories, each with what speaks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from symgru.building import build
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.freshness import fresh
from symgru.diagnosis.intervals import Interval
from symgru.diagnosis.ranges import outward, run_within
from symgru.domains import Float64
from symgru.errors import SymgruError
from symgru.maps import MAPS
from symgru.mistakes import Changed, Trial
from symgru.network import Array, Call, Layer, Network, Tensor
from symgru.shapes import units
from symgru.trace import run

Strength = Literal["likely", "possible", "remark", "excluded"]
ORDER: tuple[Strength, ...] = ("likely", "possible", "remark", "excluded")
GRID = 2001  # starting states that are tried
PIECES = 256  # of [-1, 1], each run as an interval of starting states
FACTORS = np.logspace(-4, 3, 1401)
HALVINGS = 60
AGREES = 1e-6  # float32's part, where one number decides and the others are to agree
MOST_FACTORS = 3
ROUND = 1e-4  # relative: a factor so near to a plain one is meant to be it


@dataclass(frozen=True)
class Story:
    """What may have happened, and the evidence, each point a plain sentence. Formulas stand in backquotes.

    "likely": the numbers speak for it; "possible": nothing speaks against it; "remark": it would give the claim, as
    many things would; "excluded": it cannot have been so.
    """

    says: str
    evidence: tuple[str, ...]
    strength: Strength


def stories(network: Network, cases: Sequence[Case]) -> tuple[Story, ...]:
    """The stories, the likeliest first."""
    found = [*_another_instance(network), *_scatter(network, cases), *_earlier_state(network, cases)]
    found += _scaled(network, cases)
    return tuple(sorted(found, key=lambda story: ORDER.index(story.strength)))


# Other weights -------------------------------------------------------------------------------------------------------


def _another_instance(network: Network) -> Iterator[Story]:
    layers = fresh(network)
    if not layers:
        yield Story(
            "The number may come from other weights than these: from before or after training, or from another copy of "
            "the model.",
            ("the numbers alone do not tell; weights and prediction have to be printed from one and the same model",),
            "possible",
        )
        return
    several = len({layer.id for layer in network.layers.values() if _recurrent(layer)}) > 1
    named = [f"layer {f.layer.id}: " if several else "" for f in layers]
    yield Story(
        "These weights look freshly drawn, not trained. So the model was probably built a second time between printing "
        "the weights and predicting (running a notebook cell again is enough): each time new random weights are drawn, "
        "and the number comes from another set than the one that was printed.",
        tuple(name + point for name, f in zip(named, layers, strict=True) for point in f.evidence),
        "likely" if any(f.strong for f in layers) else "possible",
    )


def _recurrent(layer: Layer) -> bool:
    return layer.kind not in MAPS and bool(build(layer.kind, layer.options).states)


# One input, several results ------------------------------------------------------------------------------------------


def _scatter(network: Network, cases: Sequence[Case]) -> Iterator[Story]:
    said = "dropout" in " ".join([*network.notes, *(n for layer in network.layers.values() for n in layer.notes)])
    same = _contradiction(cases)
    if same:
        yield Story(
            "Something random was at work: dropout that was on (training=True, or PyTorch without `model.eval()`), or "
            "weights that were drawn anew.",
            (f"for one and the same input both {same[0].text} and {same[1].text} are claimed",),
            "likely",
        )
    elif said:
        yield Story(
            "Dropout may have been on (training=True, or PyTorch without `model.eval()`); then a prediction is random.",
            ("the model has dropout",),
            "possible",
        )


def _contradiction(cases: Sequence[Case]) -> tuple[Number, Number] | None:
    """Two numbers claimed of the same output for the same input."""
    known: dict[object, Number] = {}
    for case in cases:
        for number in case.claim:
            fed = tuple(tuple(map(str, x.text[number.sequence].ravel())) for x in case.inputs)
            other = known.setdefault((fed, number.step, number.unit), number)
            if abs(float(other.value - number.value)) > other.half + number.half:
                return other, number
    return None


# Another first state -------------------------------------------------------------------------------------------------


def _earlier_state(network: Network, cases: Sequence[Case]) -> Iterator[Story]:
    """Whether some state before the first step gives the claim: in float64 for one unit, excluded by intervals."""
    calls = [(call, layer) for call, layer in network if _recurrent(layer)]
    if len(calls) != 1 or calls[0][0].initial or not cases:
        return
    ((call, layer),) = calls
    width = units(build(layer.kind, layer.options), layer)
    says = "The model may have gone on from the state that an earlier run left (stateful=True, or a state passed in)."
    state = "every `h_0` between -1 and 1" if width == 1 else "every `h_0` of numbers between -1 and 1"
    try:
        for case in cases:
            for number in case.claim:
                reach = _reach(network, call, width, case, number)
                if reach and not reach[0] - number.half <= float(number.value) <= reach[1] + number.half:
                    yield Story(
                        "The model went on from the state that an earlier run left.",
                        (
                            f"{state} leads to a number between {outward(*reach)}, and {number.text} is not one "
                            f"(computed with intervals, so for certain)",
                        ),
                        "excluded",
                    )
                    return
        if width == 1:
            found = [_start(network, call, case) for case in cases]
            if all(start is not None for start in found):
                told = " and ".join(f"`h_0 = {start:.6f}`" for start in found)
                which = "it" if len(found) == 1 else "each input"
                yield Story(says, (f"begun at {told}, the network gives what is claimed for {which}",), "remark")
    except (SymgruError, ValueError, TypeError):
        return


def _reach(network: Network, call: Call, width: int, case: Case, number: Number) -> tuple[float, float] | None:
    """Bounds of the output over all states in [-1, 1]; None where the run says nothing."""
    ends = np.linspace(-1, 1, PIECES + 1)
    low, high = (ends[:-1, None], ends[1:, None]) if width == 1 else (-np.ones((1, width)), np.ones((1, width)))
    changed = Trial(network, tuple(x[number.sequence : number.sequence + 1] for x in case.inputs)).changed(None)
    y = run_within(changed, None, {call.id: Interval.between(low, high)})
    picked = y[:, number.step] if number.unit is None else y[:, number.step, number.unit]
    bounds = float(picked.low.min()), float(picked.high.max())
    return bounds if all(map(np.isfinite, bounds)) else None


def _start(network: Network, call: Call, case: Case) -> float | None:
    """A state in [-1, 1] from which one unit gives everything that is claimed of a case."""
    if len({n.sequence for n in case.claim}) != 1:
        return None
    changed = Trial(network, tuple(x[case.claim[0].sequence :][:1] for x in case.inputs)).changed(None)

    def outputs(starts: Array) -> Array:
        inputs = tuple(
            Tensor(np.repeat(x.value, len(starts), 0), np.repeat(x.text, len(starts), 0)) for x in changed.inputs
        )
        return _float64(changed, inputs, {call.id: starts[:, None]})

    return next(_solutions(outputs, case.claim, np.linspace(-1, 1, GRID)), None)


def _float64(changed: Changed, inputs: tuple[Tensor, ...], states: dict[str, Array]) -> Array:
    return changed.results(run(changed.network, inputs, Float64(), states))


def _solutions(outputs: Callable[[Array], Array], claim: Sequence[Number], grid: Array) -> Iterator[float]:
    """Where the first number is met, found by halving between neighbours on the grid, and the others agree."""
    first, *others = claim

    def off(at: Array) -> Array:
        y = outputs(at)
        return np.asarray(_picked(y, first) - float(first.value))

    values = off(grid)
    for k in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) <= 0):
        low, high = float(grid[k]), float(grid[k + 1])
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if off(np.array([middle]))[0] * values[k] > 0:
                low = middle
            else:
                high = middle
        y = outputs(np.array([low]))
        if all(abs(_picked(y, n)[0] - float(n.value)) <= 10 * n.half + AGREES for n in (first, *others)):
            yield low


def _picked(y: Array, number: Number) -> Array:
    return np.asarray(y[:, number.step, number.unit or 0])


# Another scale -------------------------------------------------------------------------------------------------------


def _scaled(network: Network, cases: Sequence[Case]) -> Iterator[Story]:
    """Whether the input times some factor gives the claim; with one number claimed that is no evidence."""
    if len(cases) != 1 or len(cases[0].inputs) != 1 or network.inputs[0].whole or network.features != 1:
        return
    (case,) = cases
    (x,) = case.inputs
    if x.value.ndim != 3 or len({n.sequence for n in case.claim}) != 1 or any(n.unit is None for n in case.claim):
        return
    x = x[case.claim[0].sequence :][:1]
    numbers = x.text.astype(np.float64)
    try:
        changed = Trial(network, x).changed(None)

        def outputs(factors: Array) -> Array:
            scaled = Tensor(numbers * factors[:, None, None])
            return _float64(changed, (scaled,), {})

        factors = [
            s for grid in (FACTORS, -FACTORS[::-1]) for s in _solutions(outputs, case.claim, grid) if abs(s - 1) > ROUND
        ]
    except (SymgruError, ValueError, TypeError):
        return
    if factors:
        told = [_factor(s, numbers) for s in sorted(factors, key=lambda s: abs(np.log(abs(s))))]
        plain = [t for t in told if "(" in t]
        yield Story(
            "The input may have been scaled before it was fed.",
            (f"the input times {' or '.join((plain or told)[:MOST_FACTORS])} would give the claim",),
            "possible" if plain else "remark",
        )


def _factor(s: float, numbers: Array) -> str:
    """A factor in six digits, with what it is where it is a plain one."""
    largest, total = float(np.abs(numbers).max()), float(numbers.sum())
    plain = {
        "1/10": 0.1, "1/100": 0.01, "1/255": 1 / 255, "1/1000": 0.001, "10": 10, "100": 100, "-1": -1,
        "1 over the largest": 1 / largest if largest else 0, "1 over the sum": 1 / total if total else 0,
    }  # fmt: skip
    name = next((name for name, value in plain.items() if value and abs(s / value - 1) < ROUND), "")
    return f"{s:.6g}" + (f" ({name})" if name else "")
