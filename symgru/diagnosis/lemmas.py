"""What can be proven about a claim without trying one way after the other: the lemmas, and what each of them covers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from symgru import slips
from symgru.building import build
from symgru.cell import Cell
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.induction import Induction, Made, anything
from symgru.diagnosis.intervals import INF, Interval
from symgru.diagnosis.ranges import outward, run_within
from symgru.errors import SymgruError, Unsupported
from symgru.maps import MAPS
from symgru.mistake_table import Mistake
from symgru.mistakes import Known, Trial, mistakes
from symgru.network import Array, Call, Layer, Network, Tensor
from symgru.shapes import units

MOST_FREE = 4  # units of which both signs are tried
SLACK = 1e-6  # beyond a bound, relative, for a framework's own rounding: 8 units in the last place of a float32


@dataclass(frozen=True)
class Lemma:
    """Every `h_t` of the network lies between `low` and `high`, one number for each unit, in every way it covers.

    `says` and `proof` are plain words with formulas in backquotes. `case` is the place of the case that it holds for,
    None where it holds for every input. `numbers` are the claimed numbers that it excludes. `every` is said of the
    inputs for which it holds besides: "" where nothing more is proven.
    """

    name: str
    says: str
    proof: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    case: int | None
    numbers: tuple[Number, ...]
    every: str = ""
    _covers: Callable[[Made], bool] = field(default=lambda made: False, repr=False, compare=False)

    def excludes(self, number: Number) -> bool:
        """Whether a number, allowing for its last digit, lies outside: of its unit, or of every unit where none is
        said."""
        return _outside(number, self.low, self.high)

    def covers(self, made: Sequence[Mistake]) -> bool:
        """Whether it holds with these mistakes made too; its conditions are checked on the cell, the arrays and the
        inputs that they leave."""
        return self._covers(tuple(made))


def _outside(number: Number, low: Sequence[float], high: Sequence[float]) -> bool:
    value = float(number.value)
    named = range(len(low)) if number.unit is None else range(len(low))[number.unit : number.unit + 1]
    outside = [
        value + number.half < low[k] - _slack(low[k]) or value - number.half > high[k] + _slack(high[k]) for k in named
    ]
    return bool(outside) and all(outside)


def _slack(bound: float) -> float:
    """None at 0: a sum of numbers of one sign keeps it, however it is rounded."""
    return SLACK * max(1.0, abs(bound)) if bound and np.isfinite(bound) else 0.0


def lemmas(network: Network, cases: Sequence[Case], known: Known = mistakes) -> tuple[Lemma, ...]:
    """The lemmas that hold for the network as it is and exclude a claimed number; () where there is none.

    Where other layers follow the recurrent one, it is the bound of what they make of its state. `known` gives the
    mistakes of a layer, as `Trial` has them.
    """
    trials = [Trial(network, case.inputs, known) for case in cases]
    call = _source(network)
    if not trials:
        return ()
    if call is None:
        behind = _behind(trials, cases)
        return (behind,) if behind else ()
    found = [_bound(trials, call, cases)]
    found += [_sign(trial, call, k, case) for k, (trial, case) in enumerate(zip(trials, cases, strict=True))]
    return tuple(lemma for lemma in found if lemma is not None and lemma.numbers)


def _source(network: Network) -> Call | None:
    """The call whose state is the network's first output; None where that is another layer's."""
    end = network.outputs[0].source if network.outputs else network.calls[-1].id
    return next((call for call, layer in network if call.id == end and _recurrent(layer)), None)


def _recurrent(layer: Layer) -> bool:
    return layer.kind not in MAPS and bool(build(layer.kind, layer.options).states)


def _guarded(check: Callable[[Made], bool]) -> Callable[[Made], bool]:
    """A way that cannot be worked is not covered, nor one in which the layers are other ones."""
    known: dict[Hashable, bool] = {}

    def covers(made: Made) -> bool:
        key = tuple((m.kind, m.name) for m in made)
        if key not in known:
            try:
                known[key] = not any(m.network for m in made) and check(made)
            except (SymgruError, ValueError):
                known[key] = False
        return known[key]

    return covers


# |h| <= 1 ------------------------------------------------------------------------------------------------------------


def _bound(trials: Sequence[Trial], call: Call, cases: Sequence[Case]) -> Lemma | None:
    """Whatever the arrays and the inputs are: of both only the shape counts."""
    worked = Induction(trials[0], call)
    layer = trials[0].network.layers[call.layer]
    cell = build(layer.kind, layer.options)
    width = units(cell, layer)
    box = Interval.between(np.full(width, -1.0), np.full(width, 1.0))

    def holds(made: Made) -> bool:
        return worked.keeps(worked.part(made), box, worked.unknown(made))

    covers = _guarded(holds)
    low, high = (-1.0,) * width, (1.0,) * width
    numbers = tuple(n for case in cases for n in case.claim if _outside(n, low, high))
    if not numbers or not covers(()):
        return None
    return Lemma(
        "bound",
        "no `h_t` is above 1 or below -1",
        _bound_proof(cell),
        low,
        high,
        None,
        numbers,
        "whatever the weights and the inputs are",
        covers,
    )


# What comes behind ---------------------------------------------------------------------------------------------------


def _behind(trials: Sequence[Trial], cases: Sequence[Case]) -> Lemma | None:
    """The bound of the outputs for any input: the whole network is run with it."""
    trial = trials[0]
    known: dict[Hashable, Interval] = {}

    def outputs(made: Made) -> Interval:
        """Bounds of each unit, over all steps."""
        changed = trial.changed(made)
        if changed.decimals is not None:
            raise Unsupported("lines that are rounded are not run with intervals")
        shapes = [x.value.shape for x in changed.inputs]
        key = (*((m.kind, m.name) for m in made if not m.inputs), *shapes)
        if key not in known:
            y = run_within(changed, [anything((1, *shape[1:])) for shape in shapes])
            known[key] = Interval.between(y.low.min((0, 1)), y.high.max((0, 1)))
        return known[key]

    try:
        box = outputs(())
    except SymgruError:
        return None
    low, high = tuple(map(float, box.low)), tuple(map(float, box.high))
    numbers = tuple(n for case in cases for n in case.claim if _outside(n, low, high))
    if not numbers:
        return None
    return Lemma(
        "output",
        _output_words(low, high),
        "Whatever the inputs are, the recurrent layer hands on numbers within the bounds of its activations. What the "
        "layers behind it can make of such numbers was worked out with intervals, every end of which was rounded "
        "outward.",
        low,
        high,
        None,
        numbers,
        "whatever the inputs are",
        _guarded(lambda made: outputs(made).within(box)),
    )


def _output_words(low: Sequence[float], high: Sequence[float]) -> str:
    def says(a: float, b: float) -> str:
        below, above = outward(a, b).split(" and ")
        ends = (("above", b, above), ("below", a, below))
        return " or ".join(f"{side} {text}" for side, end, text in ends if np.isfinite(end))

    if len(set(zip(low, high, strict=True))) == 1:
        return f"no output is {says(low[0], high[0])}"
    named = enumerate(zip(low, high, strict=True), 1)
    return "; ".join(f"no output of unit {k} is {says(a, b)}" for k, (a, b) in named if says(a, b))


def _bound_proof(cell: Cell) -> str:
    own, head = slips.roles(cell), slips.candidate_head(cell) or "an activation"
    n, z = own.candidate, own.update
    if z is None:
        return f"Every `h_t` is {head} of something, and {head} gives nothing above 1 or below -1."
    return (
        f"`h_0 = 0` is between -1 and 1. Suppose the state before a step is so too. The candidate `{n}` is {head} of "
        f"something, whatever that is, so it is between -1 and 1, and the gate `{z}` is between 0 and 1. The new state "
        f"mixes the old one and `{n}` with the weights `{z}` and `1 - {z}`, in one order or the other: it lies between "
        f"the two, and so between -1 and 1 again."
    )


# The sign ------------------------------------------------------------------------------------------------------------


def _sign(trial: Trial, call: Call, k: int, case: Case) -> Lemma | None:
    """One sign for each unit, such that none has the other at any step, for the inputs of one case."""
    worked = Induction(trial, call)
    x = worked.inputs(())
    part = worked.part(())
    layer = trial.network.layers[call.layer]
    n = slips.roles(part.cell).candidate
    kernel = next((p for p in layer.weights if p in (f"W_{n}", "W")), None)
    if x is None or kernel is None:
        return None
    kernels = layer.weights[kernel]
    for signs in (np.ones(len(kernels.value), dtype=int), *_signs(kernels, x)):  # first what relu gives anyhow
        box = Interval.between(np.where(signs < 0, -INF, 0.0), np.where(signs < 0, 0.0, INF))
        low, high = tuple(map(float, box.low)), tuple(map(float, box.high))
        numbers = tuple(n for n in case.claim if _outside(n, low, high))
        if not numbers:
            continue

        def holds(made: Made, box: Interval = box) -> bool:
            signs = worked.signs(made)
            return signs is not None and worked.keeps(worked.part(made), box, signs)

        covers = _guarded(holds)
        if covers(()):
            positive = Interval.between(np.zeros((1, x.shape[-1])), np.full((1, x.shape[-1]), INF))
            every = worked.keeps(part, box, worked.signs_with((), positive))
            anyhow = worked.keeps(part, box, worked.unknown(()))
            says, proof = _sign_words(part.cell, layer.weights, signs, kernel)
            if anyhow:  # then the weights' signs may be others than those words say
                proof = _sign_of_the_candidate(part.cell, signs)
            return Lemma(
                "sign",
                says,
                proof,
                low,
                high,
                k,
                numbers,
                "for every input" if anyhow else "for every input without negative numbers" if every else "",
                covers,
            )
    return None


def _signs(kernel: Tensor, x: Interval) -> Iterable[Array]:
    """The signs that the weighted input has, unit by unit; a unit for which it is 0 at every step may take either."""
    sums = x.low @ kernel.value.astype(np.float64).T
    own = np.where(sums.min(0) < 0, -1, np.where(sums.max(0) > 0, 1, 0))
    free = np.flatnonzero(own == 0)
    for choice in product((1, -1), repeat=min(len(free), MOST_FREE)):
        signs = own.copy()
        signs[free] = 1
        signs[free[: len(choice)]] = choice
        yield signs


def _sign_words(cell: Cell, weights: Iterable[str], signs: Array, kernel: str) -> tuple[str, str]:
    """What the lemma says, and why."""
    own = slips.roles(cell)
    n, z = own.candidate, own.update
    u = next((name for name in weights if name == kernel.replace("W", "U", 1)), "U")
    if len(set(signs.tolist())) == 1:
        wrong, right = ("below", "above") if signs[0] > 0 else ("above", "below")
        says = f"no `h_t` is {wrong} 0"
        state, not_so, bias = f"is 0 or {right} it", f"not {wrong} 0", f"no bias is {wrong} 0"
        products = f"no weight of `{u}` is below 0"
        weighted = f"`{kernel} x` is {not_so} at any step"
    else:
        named = {s: _listed([str(k + 1) for k in np.flatnonzero(signs == s)]) for s in (1, -1)}
        says = f"no `h_t` of {named[1]} is below 0, and none of {named[-1]} above"
        state, not_so, bias = "has these signs or is 0", "of no other sign", "no bias has another one"
        products = f"`{u}` is not below 0 between units of one sign and not above 0 between units of two"
        weighted = f"`{kernel} x` has no other sign at any step"
    gates = "" if own.reset is None else f", the gate `{own.reset}` is not below 0"
    mix = (
        f" The new state mixes the old one and `{n}` with the weights `{z}` and `1 - {z}`, in one order or the other. "
        f"Neither is below 0, so the new state is {not_so} either."
        if z is not None
        else ""
    )
    proof = (
        f"At the start the state is 0. Suppose the state before a step {state}. Then the sum that `{n}` is worked out "
        f"of is {not_so}: {weighted}, {products}{gates}, and {bias}. The activation keeps that sign, so `{n}` is "
        f"{not_so}.{mix}"
    )
    return says, proof


def _sign_of_the_candidate(cell: Cell, signs: Array) -> str:
    """Why it holds where the candidate alone has that sign, as relu gives it, whatever the weights are."""
    own = slips.roles(cell)
    n, z = own.candidate, own.update
    not_so = "not below 0" if signs[0] > 0 else "not above 0"
    mix = (
        f" The new state mixes the old one and `{n}` with the weights `{z}` and `1 - {z}`, in one order or the other, "
        f"and neither is below 0: so the new state is {not_so} either."
        if z is not None
        else ""
    )
    return f"At the start the state is 0. The activation makes `{n}` {not_so}, whatever it is taken of.{mix}"


def _listed(numbers: Sequence[str]) -> str:
    if len(numbers) == 1:
        return f"unit {numbers[0]}"
    return f"units {', '.join(numbers[:-1])} and {numbers[-1]}"
