"""Two models that should give the same: where they part, layer by layer, and what is different there.

Each layer of the one is paired with a layer of the other, and both are given the same input, the first model's own:
so an early difference hides no later one. What differs in a pair is read off its weights and options, exactly; where
weights have nothing to do with each other, the outputs are searched like any claim.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symgru.diagnosis.allowance import SPREAD, ULPS
from symgru.diagnosis.causes import Cause, causes, held_by_another
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.findings import Diagnosis, Progress
from symgru.diagnosis.mending import Mending, matched, mending
from symgru.diagnosis.related import Source, sources
from symgru.diagnosis.search import diagnose
from symgru.diagnosis.stations import Alone, Station, pairs, stations
from symgru.domains import Float64
from symgru.errors import SymgruError, UnusableInput
from symgru.network import Array, Call, Edge, Input, Layer, Network, Tensor
from symgru.trace import Run, run
from symgru.wording import counted

DRAWN = 8  # runs with other rounding errors, from whose scatter the allowance is taken
MOST_SEARCHED = 8  # units of a layer whose outputs are searched
_LAST = re.compile(r" after its step (\d+) of \1$")
PROBED = 8  # steps of an input that tells whether layers are alike for any
MOST_CLAIMED = 24  # of their numbers are taken


@dataclass(frozen=True)
class Place:
    """Which number of an output: of which sequence, after which step (None where there are none), of which unit; all
    from 0."""

    sequence: int
    step: int | None
    unit: int


@dataclass(frozen=True)
class Difference:
    """Two outputs of one shape: the largest difference, how large it may be there, and the first number that is off by
    more than it may (None: they agree), as either has it."""

    largest: float
    allowed: float
    first: Place | None = None
    values: tuple[float, float] = (0.0, 0.0)

    @property
    def agrees(self) -> bool:
        return self.first is None


@dataclass(frozen=True)
class Pair:
    """A layer of the first model beside one of the second, both given the first one's input.

    `difference` is None where that cannot be done: `shapes` says why. `sources` tells where the second layer's arrays
    come from. `hidden`: they agree here, and would not with another input.
    """

    own: Station
    other: Station
    shapes: str = ""
    difference: Difference | None = None
    sources: Mapping[str, Source] | None = None
    hidden: bool = False
    causes: tuple[Cause, ...] = ()
    searched: Diagnosis | None = None

    @property
    def agrees(self) -> bool:
        return self.difference is not None and self.difference.agrees

    @property
    def same_weights(self) -> bool:
        return all(s.own for s in (self.sources or {}).values())


@dataclass(frozen=True)
class Wiring:
    """What a layer is given otherwise in the second model although all layers before it agree: where its columns come
    from in either model, as (columns, what they are); None for the models' outputs."""

    pair: Pair | None
    own: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def first_step_for_last(self) -> bool:
        """Whether the second model takes a layer's first step where the first model takes its last."""
        both = zip(self.own, self.other, strict=False)
        return any(_LAST.search(a) and " after its step 1 of " in b and not _LAST.search(b) for a, b in both)


@dataclass(frozen=True)
class Disagreement:
    """Two models, `network` and `other`, given the same inputs.

    `difference` is that of their first outputs that differ, None where `shapes` says that those have not the same
    shape. `alone` are layers of either model that have no counterpart.
    """

    network: Network
    other: Network
    inputs: tuple[Tensor, ...]
    difference: Difference | None
    pairs: tuple[Pair, ...]
    alone: Alone = ((), ())
    shapes: str = ""
    wiring: Wiring | None = None
    mending: Mending | None = None

    @property
    def agrees(self) -> bool:
        return self.difference is not None and self.difference.agrees

    @property
    def parted(self) -> tuple[Pair, ...]:
        """The pairs that do not agree, in the order in which they are called."""
        return tuple(p for p in self.pairs if not p.agrees)


def against(
    network: Network, other: Network, x: Tensor | Sequence[Tensor], progress: Progress = lambda *told: None
) -> Disagreement:
    """Compare two models on one input (batch, time, features), or one for each of their inputs.

    Raises UnusableInput where they have not as many inputs, or where the second cannot be given these.
    """
    inputs = (x,) if isinstance(x, Tensor) else tuple(x)
    if len(other.inputs) != len(inputs):
        raise UnusableInput(f"the second model has {len(other.inputs)} inputs; the first has {len(inputs)}")
    first = run(network, inputs, Float64())
    try:
        second = run(other, inputs, Float64())
    except (SymgruError, ValueError):
        second = None  # its layers are for other features: the pairs tell
    paired, alone = pairs(network, other)
    layers = tuple(_compared(network, other, p, (first, second), progress) for p in paired)
    difference, shapes = _outputs(network, other, inputs, first, second)
    made = Disagreement(network, other, inputs, difference, layers, alone, shapes)
    wrong = [(p.own, p.other) for p in layers if (p.hidden or not p.agrees) and not p.shapes and not p.same_weights]
    if made.agrees and not wrong:
        return made
    mend = mending(network, other, wrong, inputs)
    wiring = None if made.agrees else _wiring(made, mend.network or other, first)
    return replace(made, mending=mend, wiring=wiring)


# ---------------------------------------------------------------- pairs


def _compared(network: Network, other: Network, both: tuple[Station, Station], known: Runs, progress: Progress) -> Pair:
    own, its = both
    pair = Pair(own, its)
    if said := _shapes(own.layer, its.layer):
        return replace(pair, shapes=said, causes=causes(own, its, {}))
    try:
        mine = _alone(network, own, own.backward, known)
        theirs = _alone(other, its, own.backward, known, own.call)
        a, b = _every_step(mine), _every_step(theirs)
    except (SymgruError, ValueError) as error:
        return replace(pair, shapes=str(error))
    (allowed,) = _roundings(*mine, (a,))
    pair = replace(pair, difference=_difference(a, b, allowed), sources=sources(own.layer.weights, its.layer.weights))
    if pair.agrees and own.backward == its.backward:
        hidden = not pair.same_weights and _differ(mine[0], theirs[0])
        return replace(pair, hidden=hidden, causes=causes(own, its, pair.sources or {})) if hidden else pair
    pair = replace(pair, causes=causes(own, its, pair.sources or {}))
    if all(s.known for s in (pair.sources or {}).values()):
        return pair
    whose = held_by_another(its.layer, [s for s in stations(network) if s.layer is not own.layer])
    if whose is not None:
        return replace(pair, causes=(whose, *(c for c in pair.causes if c.kind == "option")))
    unrelated = any(c.kind == "unrelated" for c in pair.causes)
    if unrelated and own.recurrent and a.shape[-1] <= MOST_SEARCHED and not pair.agrees:
        return replace(pair, searched=_searched(mine, b, pair, progress))
    return pair


def _shapes(own: Layer, its: Layer) -> str:
    """How the shapes of two layers differ; "" where they do not."""
    said = []
    for what, axis in (("units", 0), ("features", 1)):
        counts = [
            next((t.value.shape[axis] for name, t in layer.weights.items() if name[0] in "WE"), None)
            for layer in (own, its)
        ]
        if None not in counts and counts[0] != counts[1]:
            said.append(f"{counts[0]} {what} in the first model, {counts[1]} in the second")
    return "; ".join(said)


Lone = tuple[Network, tuple[Tensor, ...]]
Runs = tuple[Run, Run | None]  # of the first model and of the second


def _alone(network: Network, s: Station, backward: bool, known: Runs, given: Call | None = None) -> Lone:
    """A layer as a network of its own, and what it is fed: the values that `given` (its own call) reads in the first
    model's run; a mask or a state that the first model lacks comes from the second's.

    A layer that should be `backward` and is not, or the other way round, is given the sequence from its other end.
    """
    call = given or s.call
    values = [known[0].values[edge] for edge in call.args]
    if s.recurrent and backward != s.backward:
        values[0] = values[0][:, ::-1]
    values += [_value(edge, s, call, known) for edge in _rest(s.call)]
    puts = [Edge(f"x{k}", "input") for k in range(len(values))]
    rest = puts[len(call.args) :]
    mask = rest.pop(0) if s.call.mask else None
    lone = Call(s.call.id, s.layer.id, tuple(puts[: len(call.args)]), mask, tuple(rest))
    layer = replace(s.layer, options={**s.layer.options, "return_sequences": True}) if s.recurrent else s.layer
    inputs = tuple(
        Input(put.source, v.shape[1:], whole=not np.issubdtype(v.dtype, np.floating))
        for put, v in zip(puts, values, strict=True)
    )
    made = Network(network.dtype, {layer.id: layer}, (lone,), inputs, (Edge(s.call.id),), name=layer.id)
    return made, tuple(map(Tensor, values))


def _rest(call: Call) -> list[Edge]:
    """What a call reads beside its arguments."""
    return [*([call.mask] if call.mask else []), *call.initial]


def _value(edge: Edge, s: Station, call: Call, known: Runs) -> Array:
    """The mask or state that the first model gives its layer; the second's own where it gives none."""
    own = call.mask if edge == s.call.mask else (call.initial or (None,))[0]
    first, second = known
    if own is not None:
        return first.values[own]
    if second is None or edge not in second.values:
        raise UnusableInput("what it is given beside the sequence is not known")
    return second.values[edge]


def _differ(own: Network, its: Network) -> bool:
    """Whether two layers give something else for a random input."""
    if any(len(each.inputs) > 1 or each.inputs[0].whole for each in (own, its)):
        return False
    features = own.inputs[0].shape[-1] or 1
    x = Tensor(np.random.Generator(np.random.PCG64(0)).normal(size=(1, PROBED, features)))
    a, b = (_every_step((each.with_steps(PROBED), (x,))) for each in (own, its))
    return not _equal(a, b)


def _every_step(lone: Lone) -> Array:
    return run(*lone, Float64()).y


# ---------------------------------------------------------------- differences


def _roundings(network: Network, inputs: tuple[Tensor, ...], outputs: Sequence[Array]) -> list[Array]:
    """How far a framework that computes in the network's dtype may be from each of its outputs: the scatter of DRAWN
    runs whose weights and inputs are off by a unit of rounding, and a few units in the last place for the functions."""
    unit = float(np.finfo(network.dtype).eps) / 2
    signs = np.random.Generator(np.random.PCG64(0))

    def moved(t: Tensor) -> Tensor:
        if not np.issubdtype(t.value.dtype, np.floating):
            return t
        return Tensor(t.value * (1 + unit * signs.choice([-1.0, 1.0], t.value.shape)))

    squares = [np.zeros_like(y) for y in outputs]
    for _ in range(DRAWN):
        layers = {
            name: replace(layer, weights={n: moved(t) for n, t in layer.weights.items()})
            for name, layer in network.layers.items()
        }
        found = run(replace(network, layers=layers), tuple(map(moved, inputs)), Float64()).outputs
        squares = [total + (new - y) ** 2 for total, new, y in zip(squares, found, outputs, strict=True)]
    return [
        SPREAD * np.sqrt(total / DRAWN) + ULPS * _spacing(y, network.dtype)
        for total, y in zip(squares, outputs, strict=True)
    ]


def _spacing(y: Array, dtype: str) -> float:
    """A unit in the last place of the largest number."""
    largest = max(float(np.nan_to_num(np.abs(y)).max(initial=0)), 1e-30)
    return float(np.spacing(np.asarray(largest, dtype=dtype)))


def _difference(a: Array, b: Array, allowed: Array) -> Difference:
    """The first number by step, then by sequence and unit."""
    gap = np.abs(a - b)
    gap = np.where(np.isnan(a) & np.isnan(b), 0, np.where(np.isnan(gap), np.inf, gap))
    at = np.unravel_index(int(np.argmax(gap)), gap.shape)
    largest, there = float(gap[at]), float(allowed[at])
    off = np.argwhere(gap > allowed)
    if not len(off):
        return Difference(largest, there)
    timed = a.ndim > 2
    order = (1, 0, *range(2, a.ndim)) if timed else tuple(range(a.ndim))
    first = min((tuple(map(int, place)) for place in off), key=lambda place: tuple(place[k] for k in order))
    place = Place(first[0], first[1] if timed else None, first[-1])
    return Difference(largest, there, place, (float(a[first]), float(b[first])))


def _outputs(
    network: Network, other: Network, inputs: tuple[Tensor, ...], first: Run, second: Run | None
) -> tuple[Difference | None, str]:
    """How the outputs differ: the first that does, or else the one that differs most."""
    if second is None:
        return None, "the second model cannot be given this input: its layers are of other sizes"
    if len(first.outputs) != len(second.outputs):
        return None, f"the first model has {len(first.outputs)} outputs, the second {len(second.outputs)}"
    moved = _roundings(network, inputs, first.outputs)
    found = [_output(*each) for each in zip(first.outputs, second.outputs, moved, strict=True)]
    return min(found, key=lambda each: (0, 0.0) if each[0] is None or not each[0].agrees else (1, -each[0].largest))


def _output(a: Array, b: Array, moved: Array) -> tuple[Difference | None, str]:
    """One of every step beside one of the last is compared at the last."""
    said = ""
    if a.shape != b.shape:
        said = f"the first model gives {_axes(a)}, the second {_axes(b)}"
        (a, b), (moved, _) = matched(a, b), matched(moved, b)
        if a.shape != b.shape:
            return None, said
        said += "; compared after the last step"
    return _difference(a, b, moved), said


def _axes(y: Array) -> str:
    names = ("sequence", "step", "number") if y.ndim == 3 else ("sequence", "number")
    return " × ".join(counted(n, name) for n, name in zip(y.shape, names, strict=False))


# ---------------------------------------------------------------- what explains a pair


def _searched(lone: Lone, b: Array, pair: Pair, progress: Progress) -> Diagnosis | None:
    """What way of going about the first layer gives the second one's outputs, of the sequence that differs first."""
    network, inputs = lone
    first = pair.difference.first if pair.difference else None
    if first is None or len(inputs) > 1:
        return None
    k = first.sequence
    steps, units = b.shape[1:]
    places = [(t, u) for t in range(steps - 1, -1, -1) for u in range(units)][:MOST_CLAIMED]
    claim = tuple(Number(repr(float(b[k, t, u])), 0, t, u, printed=False) for t, u in places)
    try:
        return diagnose(network, [Case((inputs[0][k : k + 1],), claim)], progress=progress)
    except (SymgruError, ValueError):
        return None


# ---------------------------------------------------------------- between the layers


def _wiring(d: Disagreement, mended: Network, first: Run) -> Wiring | None:
    """The first layer that is given something else, though what is before it agrees, or does so once it has the right
    weights; the outputs where there is none. None where nothing differs between the layers, or where it cannot be
    told."""
    if any(p.shapes or any(c.kind == "option" for c in p.causes) for p in d.pairs):
        return None
    try:
        second = run(mended, d.inputs, Float64())
    except (SymgruError, ValueError):
        return None
    for p in d.pairs:
        a, b = first.values[p.own.call.args[0]], second.values[p.other.call.args[0]]
        if not _equal(*matched(a, b)):  # every step beside the last one is told by the outputs' shapes
            return Wiring(p, whence(a, first), whence(b, second))
    for a, b in zip(first.outputs, second.outputs, strict=False):
        if not _equal(*matched(a, b)):
            return Wiring(None, whence(a, first), whence(b, second))
    return None


def _equal(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-9)


def whence(value: Array, known: Run) -> tuple[str, ...]:
    """Which layers' outputs, after which step, a value's columns are, in order: "gru after step 5"."""
    said: list[str] = []
    at = 0
    while at < value.shape[-1]:
        for trace in known.traces:
            y = trace.y
            width = y.shape[-1]
            part = value[..., at : at + width]
            if part.shape[-1] < width:
                continue
            if name := _when(part, y, trace.cell.states != ()):
                said.append(f"{trace.layer.id} {name}".strip())
                at += width
                break
        else:
            return (*said, "something else")
    return tuple(said)


def _when(part: Array, y: Array, timed: bool) -> str | None:
    """Which steps of a layer's outputs a value is; None where it is none of them."""
    if part.shape == y.shape and np.array_equal(part, y):
        return "at every step" if timed else ""
    if part.shape == y.shape and np.array_equal(part, y[:, ::-1]):
        return "at every step, the last first"
    if part.ndim == 2 and y.ndim == 3:
        for t in range(y.shape[1] - 1, -1, -1):
            if np.array_equal(part, y[:, t]):
                return f"after its step {t + 1} of {y.shape[1]}" if timed else ""
    return None
