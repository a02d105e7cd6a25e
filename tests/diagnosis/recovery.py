"""Random networks, mistakes planted in them, and what `diagnose` makes of the numbers that come of it.

Where a number says which mistakes were made is computed before the search is asked: from what every way with as few
mistakes gives, and how far from it the number may be. The number itself comes from `Trial`, which runs one way in
exact decimals, in float64 or in a framework's float32; the search runs thousands as rows of a batch. The tests make a
few cases, benchmarks/diagnose.py thousands.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import combinations
from time import process_time
from typing import Any
from unittest import mock

import numpy as np

from symgru.decimal_domain import Decimals
from symgru.diagnosis.allowance import Open, allowance
from symgru.diagnosis.chance import CERTAIN, different, expected
from symgru.diagnosis.claims import LAST, Case, Number, could_be_of
from symgru.diagnosis.findings import Fit
from symgru.diagnosis.rarer import catalogue, earlier_states, lost_signs
from symgru.diagnosis.search import diagnose
from symgru.diagnosis.space import Space
from symgru.diagnosis.ways import NONE, SEVERAL, combined, pairs, singles
from symgru.diagnosis.wiring_slips import of_network
from symgru.domains import Domain, Float64
from symgru.errors import SymgruError
from symgru.mistakes import ALIKE, Mistake, Trial
from symgru.network import Array, Layer, Network, Tensor, chain

GIVEN = {"one number": 0.35, "unit not told": 0.15, "all units": 0.35, "all steps": 0.15}
LONGEST, EVERY = 20, 99  # time steps; mistakes, more than any way has
LARGEST = 1e3  # claims beyond are no outputs that anybody would ask about
TRIES = 40  # drawings of mistakes in one network, before another network is drawn
REACH = 10.0  # so many times what is allowed of the planted way, others are looked at closely
Rng = np.random.Generator
Made = tuple[Mistake, ...]


class Single(Float64):
    """A framework's own arithmetic: every number and every line in float32."""

    name = "float32"

    def lift(self, tensor: Tensor) -> Array:
        return tensor.value.astype(np.float32)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, np.float32)


@dataclass(frozen=True)
class Given:
    """What of the outputs after so many steps somebody tells, with how many decimals."""

    what: str
    steps: int
    digits: int
    places: tuple[tuple[int, int | None, int], ...]  # step, unit as it is told, unit in truth

    def texts(self, y: Array) -> tuple[str, ...] | None:
        """The numbers of outputs (batch, time, units); None where these are of other steps or units."""
        told = []
        for step, _, unit in self.places:
            if not y.shape[1] or (step != LAST and y.shape[1] != self.steps) or unit >= y.shape[2]:
                return None
            told.append(float(y[0, step, unit]))
        if not np.isfinite(told).all() or max(map(abs, told)) > LARGEST:
            return None
        return tuple(f"{v:.{self.digits}f}" for v in told)

    def claim(self, texts: Sequence[str]) -> tuple[Number, ...]:
        return tuple(
            Number(text, step=step, unit=unit) for text, (step, unit, _) in zip(texts, self.places, strict=True)
        )


# ------------------------------------------------------------------------------ networks


def printed(a: Array) -> Tensor:
    """An array in float32 as NumPy prints it, with 8 decimals."""
    a = a.astype(np.float32)
    line = np.array2string(a.ravel(), max_line_width=sys.maxsize, threshold=sys.maxsize, precision=8)
    return Tensor(a, np.array(line.strip("[]").split(), dtype=object).reshape(a.shape))


def network(
    rng: Rng, units: int, features: int, reset_after: bool | None = None, scale: float | None = None
) -> Network:
    """A GRU with weights as frameworks and people draw them; its biases are 0 in about a third of the cases."""
    after = bool(rng.integers(2)) if reset_after is None else reset_after
    kernel, recurrent = _matrix(rng, features, units), _matrix(rng, units, units)
    rows = 2 if after else 1
    drawn = rng.choice([0.05, 0.3, 0.8]) if rng.random() < 2 / 3 else 0.0
    bias = rng.normal(0, 1, (rows, 3 * units)) * (drawn if scale is None else scale)
    tensors = [printed(kernel).T, printed(recurrent).T, *(printed(row) for row in bias)]
    weights = {
        f"{letter}_{gate}": t[k * units : (k + 1) * units]
        for letter, t in zip("WUbc"[: 2 + rows], tensors, strict=True)
        for k, gate in enumerate("zrn")
    }
    layer = Layer("gru", "gru", "gru", {"reset_after": after}, weights)
    return chain([layer], dtype="float32", features=features)


def _matrix(rng: Rng, rows: int, units: int) -> Array:
    """(rows, 3 units): Glorot's uniform, orthogonal rows, PyTorch's uniform, or normal."""
    shape = (rows, 3 * units)
    draw = rng.integers(4)
    if draw == 0:
        limit = np.sqrt(6 / sum(shape))
        return rng.uniform(-limit, limit, shape)
    if draw == 1:
        q, _ = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
        return q if q.shape == shape else q.T
    if draw == 2:
        limit = 1 / np.sqrt(units)
        return rng.uniform(-limit, limit, shape)
    return rng.normal(0, rng.choice([0.3, 0.7, 1.2]), shape)


def sequence(rng: Rng, steps: int, features: int) -> Tensor:
    decimals = int(rng.integers(1, 4))
    x = rng.choice([0.5, 1.0, 2.0]) * rng.normal(size=(1, steps, features))
    text = np.array([f"{v:.{decimals}f}" for v in x.ravel()], dtype=object).reshape(x.shape)
    return Tensor(text.astype(np.float64), text)


def given(rng: Rng, units: int, steps: int) -> Given:
    """One number, of a unit that is told or not; all units after the last step; or one unit after every step."""
    digits, unit = int(rng.integers(4, 9)), int(rng.integers(units))
    chances = {"one number": 0.65, "all steps": 0.35} if units == 1 else GIVEN
    what = str(rng.choice(list(chances), p=list(chances.values())))
    places: dict[str, list[tuple[int, int | None, int]]] = {
        "one number": [(LAST, unit, unit)],
        "unit not told": [(LAST, None, unit)],
        "all units": [(LAST, k, k) for k in range(units)],
        "all steps": [(t, unit, unit) for t in range(steps)],
    }
    return Given(what, steps, digits, tuple(places[what]))


# ------------------------------------------------------------------------------ mistakes


def planted(rng: Rng, known: Sequence[Mistake]) -> Made:
    """One mistake, two of different kinds, or the gate orders of each array on its own; common ones are drawn more."""
    draw = rng.random()
    if draw < 0.15:
        return _orders(rng, known)
    likely = np.array([1 / max(m.rank, 1) for m in known])
    first = known[rng.choice(len(known), p=likely / likely.sum())]
    if draw < 0.575:
        return (first,)
    likely = likely * [m is not first and (m.kind != first.kind or m.kind in SEVERAL) for m in known]
    second = known[rng.choice(len(known), p=likely / likely.sum())]
    return tuple(sorted((first, second), key=known.index))


def _orders(rng: Rng, known: Sequence[Mistake]) -> Made:
    """For each array an order of its gates, the right one among them."""
    by_array: dict[str, list[Mistake | None]] = {}
    for m in known:
        where = m.name.partition(" in ")[2]
        if m.kind == "gate order" and where and " and " not in where:
            by_array.setdefault(where, [None]).append(m)
    while True:
        drawn = [choices[rng.integers(len(choices))] for choices in by_array.values()]
        if any(drawn):
            return tuple(m for m in drawn if m)


@dataclass(frozen=True)
class Drawn:
    """A network, an input, mistakes that were made with it, and the number that came of it."""

    network: Network
    case: Case
    given: Given
    made: Made
    arithmetic: str
    again: Counter[str] = field(default_factory=Counter)  # why mistakes were drawn again, and how often

    @cached_property
    def trial(self) -> Trial:
        return Trial(self.network, self.case.inputs, known_of(self.case.inputs[0]))

    @property
    def names(self) -> list[str]:
        return named(self.made)


def known_of(x: Tensor) -> Callable[[Layer], Made]:
    more = (*earlier_states(x.value.shape[1]), *lost_signs(x))
    return lambda layer: (*catalogue(layer), *more)


def named(made: Sequence[Mistake]) -> list[str]:
    return [f"{m.kind}: {m.name}" for m in made]


def setting(rng: Rng, units: int, longest: int) -> tuple[Network, Tensor, Given]:
    features, steps = int(rng.integers(1, 5)), int(rng.integers(2, longest + 1))
    return network(rng, units, features), sequence(rng, steps, features), given(rng, units, steps)


@dataclass(frozen=True)
class Teller:
    """Somebody who works a network in an arithmetic and tells what came of it.

    A framework holds its weights in full, and only prints them with 8 decimals.
    """

    network: Network
    x: Tensor
    given: Given
    arithmetic: str

    @cached_property
    def trial(self) -> Trial:
        held = unprinted(self.network) if self.arithmetic == "float32" else self.network
        return Trial(held, self.x, known_of(self.x))

    def texts(self, made: Made) -> tuple[str, ...] | None:
        """The numbers; None where there are none. Raises SymgruError or ValueError where it cannot be worked so."""
        return self.given.texts(outputs(self.trial, made, self.arithmetic))

    def amounts_to(self, made: Made, texts: tuple[str, ...]) -> bool:
        """Whether a part of the mistakes gives the same numbers."""
        for part in _parts(made):
            with suppress(SymgruError, ValueError):
                if self.texts(part) == texts:
                    return True
        return False


def draw(rng: Rng, units: int, longest: int = LONGEST) -> Drawn:
    """A case in which every planted mistake shows in the numbers as they are printed."""
    again: Counter[str] = Counter()
    while True:
        net, x, told = setting(rng, units, longest)
        teller = Teller(net, x, told, str(rng.choice(["exact", "float64", "float32"], p=[0.25, 0.35, 0.4])))
        right = teller.texts(())
        for _ in range(TRIES):
            made = planted(rng, teller.trial.mistakes)
            try:
                found = teller.texts(made)
            except (SymgruError, ValueError):
                again["cannot be made together"] += 1
                continue
            if found is None:
                again["gives no such number"] += 1
            elif found == right:
                again["gives the network's own numbers"] += 1
            elif teller.amounts_to(made, found):
                again["gives the numbers of fewer of the mistakes"] += 1
            else:
                return Drawn(net, Case((x,), told.claim(found)), told, made, teller.arithmetic, again)


def _parts(made: Made) -> Iterator[Made]:
    for count in range(1, len(made)):
        yield from combinations(made, count)


def unprinted(net: Network) -> Network:
    layers = [
        Layer(own.id, own.label, own.kind, own.options, {k: Tensor(t.value) for k, t in own.weights.items()})
        for own in net.layers.values()
    ]
    return chain(layers, dtype=net.dtype, features=net.features)


def outputs(trial: Trial, made: Made, arithmetic: str) -> Array:
    """What the network gives at every step, (batch, time, units), with mistakes made, in one of three arithmetics."""
    domains: dict[str, Domain] = {"exact": Decimals(40, typed=True), "float64": Float64(), "float32": Single()}
    domain = domains[arithmetic]
    changed = trial.changed(made)
    with domain.context():
        return changed.results(changed.run(domain))


# ------------------------------------------------------------------------------ whether a number says what was done


@dataclass(frozen=True)
class Expected:
    """What a claim can say, computed before the search: the fewest mistakes that give the planted numbers, the
    expected chance hits among the ways with no more, and the other ways with no more that are within what is allowed.

    `away` is how far the claim is from the planted way, in units of what is allowed; `among` whether the search tries
    a way with the planted numbers at all.
    """

    faults: int
    among: bool
    chance: float
    rivals: tuple[tuple[str, ...], ...]
    away: float

    @property
    def identifiable(self) -> bool:
        return self.chance < CERTAIN and not self.rivals


class Ways:
    """What every way of the search gives for the claimed numbers of a case."""

    def __init__(self, net: Network, case: Case) -> None:
        self.network, self.case = net, case
        self.space = space_of(net, case)
        self.dtype = net.dtype if all(could_be_of(n, net.dtype) for n in case.claim) else "float64"
        self.opened = Open(net, case.inputs)
        self.claim = np.array([float(n.value) for n in case.claim])
        self.half = np.array([n.half for n in case.claim])
        own = np.full((1, 1), NONE)
        self.ways: list[Array] = [own]
        self.results, self.faults = self.space.values(own), np.zeros(1, dtype=int)

    def up_to(self, faults: int) -> Ways:
        """All ways with no more mistakes."""
        levels = [singles, pairs, combined][:faults]
        for level in (make(self.space.catalogue) for make in levels):
            few = level.faults <= faults
            ways = level.ways[few]
            self.ways.append(ways)
            self.results = np.concatenate([self.results, self.space.values(ways)])
            self.faults = np.concatenate([self.faults, level.faults[few]])
        return self

    def made(self, k: int) -> Made:
        for ways in self.ways:
            if k < len(ways):
                return tuple(self.space.catalogue[i] for i in ways[k] if i != NONE)
            k -= len(ways)
        raise IndexError

    def fits(self, made: Made, values: Array) -> list[Fit]:
        """A way beside the claim, for each unit that it may be of."""
        own = allowance(self.space, self.opened, made, self.dtype)
        found = []
        for unit, each in enumerate(zip(values, own.printing, own.arithmetic, strict=True)):
            v, printing, arithmetic = map(_floats, each)
            distances = _floats(np.nan_to_num(np.abs(values[unit] - self.claim), nan=np.inf))
            found.append(Fit(made, len(made), v, distances, _floats(self.half), printing, arithmetic, unit))
        return found

    def chance(self, faults: int, apart: Array, fit: Fit) -> float:
        """Expected chance hits among the ways with no more mistakes that are `apart` from the one judged."""
        others = different(self.results[(self.faults <= faults) & apart][:, fit.unit or 0])
        return expected(others, self.claim, np.array(fit.closeness), self.space.alternatives)


def _floats(numbers: Array) -> tuple[float, ...]:
    return tuple(map(float, numbers))


def space_of(net: Network, case: Case) -> Space:
    return Space(net, case, known_of(case.inputs[0]), of_network(net))


def expectation(drawn: Drawn) -> Expected:
    ways = Ways(drawn.network, drawn.case).up_to(len(drawn.made))
    values = ways.space.told(outputs(drawn.trial, drawn.made, "float64")[None])[0]
    same = _same(ways.results, values)
    among = bool(same.any())
    faults = int(ways.faults[same].min()) if among else len(drawn.made)
    fit = ways.fits(drawn.made, values)[drawn.given.places[0][2] if drawn.given.what == "unit not told" else 0]
    reach = REACH * (np.array(fit.allowed) + ways.half)
    with np.errstate(invalid="ignore"):
        near = (np.abs(ways.results - ways.claim) <= reach).all(axis=2).any(axis=1)
    seen: list[Array] = []
    rivals: list[tuple[str, ...]] = []
    for k in map(int, np.flatnonzero(near & ~same & (ways.faults <= faults))):
        if any(_same(ways.results[k : k + 1], known)[0] for known in seen):
            continue
        seen.append(ways.results[k])
        if any(f.fits for f in ways.fits(ways.made(k), ways.results[k])):
            rivals.append(tuple(named(ways.made(k))) or ("none",))
    return Expected(faults, among, ways.chance(faults, ~same, fit), tuple(rivals), fit.away)


def _same(results: Array, values: Array) -> Array:
    """Which of the results (ways, ...) are these values (...), as closely as the search takes two for one."""
    with np.errstate(invalid="ignore"):
        near = np.abs(results - values) <= ALIKE * np.maximum(1, np.abs(values))
    return np.asarray((near | np.isnan(results) & np.isnan(values)).all(axis=tuple(range(1, results.ndim))))


# ------------------------------------------------------------------------------ what became of it


@contextmanager
def run_once() -> Iterator[None]:
    """Within it the ways of a network are run once: what they give does not depend on what is claimed."""
    known: dict[tuple[object, ...], Array] = {}
    run = Space.values

    def values(space: Space, ways: Array, *told: Any) -> Array:
        places = tuple((n.sequence, n.step, n.unit) for n in space.case.claim)
        key = (space.case.inputs, places, ways.shape, ways.tobytes())
        if key not in known:
            known[key] = run(space, ways, *told)
        return known[key]

    with mock.patch.object(Space, "values", values):
        yield


@dataclass(frozen=True)
class Outcome:
    """What `diagnose` said: its verdict, and where among the classes the planted mistakes are (-1: nowhere)."""

    verdict: str
    place: int
    classes: int
    first: tuple[str, ...]  # the likeliest member of the first class


def outcome(drawn: Drawn) -> Outcome:
    found = diagnose(drawn.network, [drawn.case])
    space = space_of(drawn.network, drawn.case)
    values = space.told(outputs(drawn.trial, drawn.made, "float64")[None])[0]
    planted = {(m.kind, m.name) for m in drawn.made}

    def holds(f: Fit) -> bool:
        """Whether it is the planted way, or one with its numbers."""
        same = _same(np.array(f.values)[None], values[f.unit or 0])[0]
        return bool(same) or {(m.kind, m.name) for m in f.made} == planted

    place = next((k for k, alike in enumerate(found.classes) if any(map(holds, alike.members))), -1)
    best = found.best
    return Outcome(found.verdict, place, len(found.classes), tuple(named(best.made)) if best else ())


def wrong(expect: Expected, found: Outcome) -> str:
    """What is wrong about a verdict; "" where it is as it must be."""
    if expect.identifiable:
        asserted = found.place == 0 and found.verdict == "explained"
        return "" if asserted else f"identifiable, and not first: {found.verdict}"
    if found.place < 0:
        return f"not identifiable, and not in the list: {found.verdict}"
    return "" if found.verdict in ("ambiguous", "right") else f"not identifiable, and called {found.verdict}"


def record(drawn: Drawn, expect: Expected, found: Outcome) -> dict[str, Any]:
    """A line of the experiment's progress."""
    layer = drawn.network.layers["gru"]
    x = drawn.case.inputs[0].value
    return {
        "units": len(layer.weights["b_z"].value),
        "features": x.shape[2],
        "steps": x.shape[1],
        "reset_after": reset_after(drawn.network),
        "biases": not all(layer.weights[name].is_zero for name in layer.weights if name[0] in "bc"),
        "digits": drawn.given.digits,
        "given": drawn.given.what,
        "arithmetic": drawn.arithmetic,
        "claim": [n.text for n in drawn.case.claim],
        "planted": drawn.names,
        "again": dict(drawn.again),
        "expected": {**asdict(expect), "rivals": expect.rivals[:5], "count": len(expect.rivals)},
        "identifiable": expect.identifiable,
        "found": asdict(found),
        "wrong": wrong(expect, found),
    }


# ------------------------------------------------------------------------------ numbers of no relation


def by_chance(rng: Rng, units: int, longest: int = LONGEST) -> dict[str, Any]:
    """What is said of random numbers: any explanation is false."""
    net, x, told = setting(rng, units, longest)
    return {"units": units, "given": told.what, **_said_of(rng, net, x, told)}


def many_by_chance(rng: Rng, units: int, count: int) -> dict[str, Any]:
    """The same for so many numbers, each by itself, of one network."""
    net, x, told = setting(rng, units, LONGEST)
    one = [replace(told, digits=int(rng.integers(4, 9)), places=told.places[:1]) for _ in range(count)]
    with run_once():
        return {"units": units, "numbers": [_said_of(rng, net, x, each) for each in one]}


def _said_of(rng: Rng, net: Network, x: Tensor, told: Given) -> dict[str, Any]:
    """`stated` is how many of the different results with at most one mistake, with at most two and of all are expected
    to fit by chance, `hits` how many do; `sure` with which chance one of them is asserted."""
    texts = [f"{v:.{told.digits}f}" for v in rng.uniform(-1, 1, len(told.places))]
    case = Case((x,), told.claim(texts))
    ways = Ways(net, case).up_to(EVERY)
    own = ways.fits((), ways.results[0])[0]
    barely = replace(own, distances=own.allowed)  # as far as is allowed, and as near as the digits tell
    nearest = replace(own, distances=(0.0,) * len(own.allowed))
    any_way = np.ones(len(ways.faults), dtype=bool)
    few = (1, 2, EVERY)
    stated, least = ([ways.chance(k, any_way, fit) for k in few] for fit in (barely, nearest))
    found = diagnose(net, [case])
    best = found.best
    return {
        "digits": told.digits,
        "claim": texts,
        "verdict": found.verdict,
        "chance": found.chance,
        "first": named(best.made) if best else [],
        "stated": stated,
        "sure": [min(s, CERTAIN) if n < CERTAIN else 0.0 for s, n in zip(stated, least, strict=True)],
        "hits": [sum(a.first.faults <= k for a in found.classes) for k in few],
    }


# ------------------------------------------------------------------------------ frameworks, and times


def reset_after(net: Network) -> bool:
    return bool(net.layers["gru"].options["reset_after"])


def stacked(net: Network, order: str) -> list[Array]:
    """(features, 3 units), (units, 3 units) and each row of the bias, (3 units,), with the gates in an order."""
    weights = net.layers["gru"].weights
    letters = "WUbc" if reset_after(net) else "WUb"
    return [np.concatenate([weights[f"{letter}_{gate}"].value for gate in order]).T for letter in letters]


def beyond(net: Network, x: Tensor, y: Array) -> float:
    """How far a framework's outputs (batch, time, units) are from the network's, at most, in units of what is allowed.

    A number that stands in an array is not printed, so that nothing is allowed for its digits.
    """
    _, steps, units = y.shape
    places = [(t, k) for t in range(steps) for k in range(units)]
    claim = tuple(Number(repr(float(y[0, t, k])), step=t, unit=k, printed=False) for t, k in places)
    ways = Ways(net, Case((x,), claim))
    exact = ways.space.told(outputs(ways.space.trial, (), "float64")[None])[0]
    (fit,) = ways.fits((), exact)
    return fit.away


def seconds(rng: Rng, units: int, features: int, steps: int) -> float:
    """CPU seconds of the whole search for a network with biases, and a random number."""
    while True:
        net, x = network(rng, units, features), sequence(rng, steps, features)
        if not any(t.is_zero for t in net.layers["gru"].weights.values()):
            break
    case = Case((x,), (Number(f"{rng.uniform(-1, 1):.8f}", unit=0),))
    start = process_time()
    diagnose(net, [case], exhaustive=True)
    return process_time() - start
