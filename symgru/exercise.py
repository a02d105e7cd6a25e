"""An exercise to be worked by hand: a small network in which every common mistake leads to an answer of its own.

Candidates are drawn from a seed and the first that serves is taken: short decimal weights, gates away from 0 and 1, no
line that ends on a rounding tie or that a calculator of ten digits could round otherwise, and for every two mistakes
two answers that are told apart in the digits asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import islice
from math import sqrt
from typing import cast

import numpy as np
from sympy import Add, Expr, Mul

from symgru.algebra import Dot
from symgru.array_slips import Shortened
from symgru.building import build
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.comparison import Profile
from symgru.decimal_domain import Decimals
from symgru.diagnosis.rows import Rows, Stack, Versions
from symgru.errors import UnusableInput
from symgru.explanation import DEFAULT_DIGITS, GUARDS, MOST_DIGITS, Explanation, explain
from symgru.mistakes import WORKING, Caught, Mistake, Trial, grouped, mistakes
from symgru.network import Array, Layer, Network, Tensor, Weights, chain
from symgru.readers.conventions import ARRAYS
from symgru.rounding import line_rounding
from symgru.rules import CALCULATOR
from symgru.slips import roles
from symgru.styles import Style
from symgru.styles.network import RULES
from symgru.trace import run
from symgru.working import Chain

MOST_SIZE, MOST_STEPS = 8, 12  # units or features, and time steps, that a person works by hand
MOST_STATES = 24  # units times steps
BATCH, BATCHES = 256, 100  # candidates drawn at once, and how often
MOST_WORKED = 300  # of them that are worked out in decimals
GRAIN = Decimal("0.05")  # weights and biases are multiples of it
SMALLEST, LARGEST = 2, 19  # of them, in grains
BIASES = 10
INPUTS = (2, 15)  # the inputs' range, in tenths
GATES, CANDIDATE, VALUES = (0.1, 0.9), 0.95, 0.01  # bounds of a gate; of a candidate; below which a value is small
APART = 3  # units of the last digit between two answers, so that a last digit rounded otherwise does no harm
GENERIC = 6  # networks of arbitrary numbers that say which mistakes no numbers of a kind tell apart


@dataclass(frozen=True)
class Exercise:
    """A network and a sequence x of shape (1, time, features), worked out, and what a marker needs.

    `marks` are the wrong answers, as printed, with the mistakes that lead there; `unseen` are the mistakes that do no
    harm in a network of this size. `version` is "A" of an exam, or "".
    """

    explanation: Explanation
    marks: tuple[Caught, ...]
    unseen: tuple[Mistake, ...]
    seed: int
    version: str

    @property
    def network(self) -> Network:
        return self.explanation.network

    @property
    def x(self) -> Tensor:
        return self.explanation.x

    @property
    def answer(self) -> tuple[str, ...]:
        """The right answer as printed, a text for each unit."""
        return tuple(plain(v, self.explanation.digits) for v in self.explanation.results)

    def model(self) -> str:
        """The network as a .json MODEL that every command reads, with its input."""
        (layer,) = self.network.layers.values()
        entry = {"kind": layer.kind, "name": layer.label, "options": dict(layer.options), "weights": self._arrays()}
        note = f"Made by symgru exercise with --seed {self.seed}" + (
            f" as version {self.version}" if self.version else ""
        )
        top = {"name": self.network.name, "note": note, "dtype": self.network.dtype, "layers": [entry]}
        text = json.dumps({**top, "input": _plain(self.x.text[0])}, indent=2) + "\n"
        return re.sub(
            r"\[[^\[\]{}]*\]", lambda row: f"[{' '.join(row[0][1:-1].split())}]", text
        )  # a row of numbers on a line

    def _arrays(self) -> object:
        """Weights as a .json MODEL has them: get_weights() where Keras has the layer, else by name."""
        (working,) = self.explanation.layers
        if working.layer.kind in ARRAYS:
            return [_plain(np.block([[b.texts for b in row] for row in a.blocks])) for a in working.arrays]
        return {name: _plain(t.text) for name, t in working.layer.weights.items()}


def exercise(
    cell: str = "gru",
    units: int = 2,
    features: int = 2,
    steps: int = 3,
    seed: int = 0,
    digits: int | None = None,
    version: str = "",
    style: Style | None = None,
) -> Exercise:
    """An exercise on one layer of `cell`, the same for the same arguments.

    `digits` are the decimals of the answer, 1 to 6, 4 where None. Another `version` has other numbers of the same kind.
    Raises UnusableInput where the sizes are none to be worked by hand, where the cell has another update rule than the
    `style`, or where no candidate serves.
    """
    digits = DEFAULT_DIGITS if digits is None else digits
    _check(cell, units, features, steps, seed, digits)
    _check_rule(cell, style)
    sizes = {"H": units, "D": features}
    layer = Layer(cell, cell, cell, {}, {})
    # PCG64 is named, since what NumPy's default is may change
    numbers = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *version.encode()])))
    told = _classes(cell, units, features, steps)
    batches = (_Batch.drawn(layer, sizes, steps, numbers) for _ in range(BATCHES))
    candidates = (pair for batch in batches for pair in batch.telling(told, digits))
    for weights, x in islice(candidates, MOST_WORKED):
        made = _made(layer, weights, x, told, seed, digits, version, style)
        if made is not None:
            return made
    raise UnusableInput(
        f"of {BATCH * BATCHES} networks of {units} unit{'s' * (units > 1)} and {steps} step{'s' * (steps > 1)} none "
        f"is without a line near 0 and leads every mistake to an answer of its own at {digits} "
        f"digit{'s' * (digits > 1)}: ask for more --digits, for other --units or --steps, or for another --seed"
    )


def _check(cell: str, units: int, features: int, steps: int, seed: int, digits: int) -> None:
    known = _recurrent()
    if cell not in known:
        raise UnusableInput(f"no recurrent cell is called {str(cell)[:60]!r}; known are {', '.join(known)}")
    for says, n, most in (("units", units, MOST_SIZE), ("features", features, MOST_SIZE), ("steps", steps, MOST_STEPS)):
        if not 1 <= n <= most:
            raise UnusableInput(f"{says} is {n}; an exercise to be worked by hand has 1 to {most}")
    if units * steps > MOST_STATES:
        raise UnusableInput(
            f"{units} units at {steps} steps are {units * steps} states; an exercise to be worked by hand has at most "
            f"{MOST_STATES}"
        )
    if not 1 <= digits <= MOST_DIGITS:
        raise UnusableInput(f"digits is {digits}; it must be a whole number from 1 to {MOST_DIGITS}")
    if seed < 0:
        raise UnusableInput(f"seed is {seed}; it must be 0 or a larger whole number")


def _recurrent() -> list[str]:
    return [name for name, c in CELLS.items() if c.states]


def _check_rule(cell: str, style: Style | None) -> None:
    """Refuse a style that would print the update gate's weights negated: that is nothing to begin with."""
    if style is None or not style.update:
        return
    rules = {name: update.rule for name in _recurrent() if (update := Profile(CELLS[name]).update)}
    if rules.get(cell, style.update) != style.update:
        others = ", ".join(name for name, rule in rules.items() if rule == style.update)
        raise UnusableInput(
            f"in the notation of {style.title} the update gate says {RULES[style.update]}, and in cell {cell} "
            f"{RULES[rules[cell]]}: choose another --style, or --cell {others}"
        )


# ------------------------------------------------------------------------------ candidates


@dataclass(frozen=True)
class _Class:
    """Mistakes that lead to one result whatever the numbers are; `right` says that it is the right one."""

    mistakes: tuple[Mistake, ...]
    right: bool


@dataclass(frozen=True)
class _Batch:
    """Candidates: a set of weights for each, and x of shape (candidates, time, features)."""

    layer: Layer
    sizes: Mapping[str, int]
    sets: Sequence[Weights]
    x: Tensor

    @staticmethod
    def drawn(layer: Layer, sizes: Mapping[str, int], steps: int, numbers: np.random.Generator) -> _Batch:
        """Candidates of short decimals, none of them 0; wide layers have smaller ones."""
        cell = build(layer.kind, layer.options)
        top = max(6, min(LARGEST, round(LARGEST * 2 / sqrt(sizes["H"] + sizes["D"]))))
        drawn = {
            p.name: _short(numbers, SMALLEST if len(dims) > 1 else 1, top if len(dims) > 1 else BIASES, shape, GRAIN)
            for p, dims in ((p, cell.dims[p]) for p in cell.params)
            for shape in [(BATCH, *(sizes[d] for d in dims))]
        }
        x = _short(numbers, *INPUTS, (BATCH, steps, sizes["D"]), Decimal("0.1"))
        return _Batch(layer, sizes, [{name: t[k] for name, t in drawn.items()} for k in range(BATCH)], x)

    @staticmethod
    def generic(layer: Layer, sizes: Mapping[str, int], steps: int) -> _Batch:
        """Networks of arbitrary numbers, always the same, in which nothing is 0 after the first step's products.

        Where relu cuts off, they are networks of numbers above 0, where it does not.
        """
        cell, numbers = build(layer.kind, layer.options), np.random.Generator(np.random.PCG64(0))
        sets = [
            {p.name: Tensor(numbers.normal(size=[sizes[d] for d in cell.dims[p]])) for p in cell.params}
            for _ in range(GENERIC)
        ]
        x = Tensor(numbers.normal(size=(GENERIC, steps, sizes["D"])))
        made = _Batch(layer, sizes, sets, x)
        if all(v.all() for v in made.columns().values()):
            return made
        above = [{name: Tensor(np.abs(t.value)) for name, t in own.items()} for own in sets]
        return _Batch(layer, sizes, above, Tensor(np.abs(x.value)))

    def only(self, chosen: Array) -> _Batch:
        return _Batch(self.layer, self.sizes, [self.sets[int(k)] for k in chosen], self.x[chosen])

    def columns(self, mistake: Mistake | None = None) -> Mapping[str, Array]:
        """Every quantity by name, (candidates, time, units), with a mistake or with none."""
        cell, x, sets = build(self.layer.kind, self.layer.options), self.x, self.sets
        start = np.zeros((len(sets), self.sizes["H"]))
        if mistake:
            cell = mistake.cell(cell) if mistake.cell else cell
            x = mistake.inputs(x) if mistake.inputs else x
            sets = [mistake.weights(w) for w in sets] if mistake.weights else sets
            start += mistake.start or 0
        stack = Stack({name: np.stack([w[name].value for w in sets]).astype(np.float64) for name in sets[0]})
        own = replace(self.layer, weights=Versions(stack, np.arange(len(sets))))
        network = _network(own, self.sizes["D"])
        found = run(network, x, Rows(), {own.id: start}, {own.id: cell}).traces[0].columns
        return {name: np.broadcast_to(column, (*column.shape[:2], self.sizes["H"])) for name, column in found.items()}

    def result(self, mistake: Mistake | None = None) -> Array:
        """The state after the last step, (candidates, units)."""
        cell = build(self.layer.kind, self.layer.options)
        return self.columns(mistake)[cell.output.name][:, -1]

    def telling(self, told: Sequence[_Class], digits: int) -> Iterator[tuple[Weights, Tensor]]:
        """The candidates that no gate saturates and that tell the mistakes apart."""
        chosen = np.flatnonzero(_unsaturated(build(self.layer.kind, self.layer.options), self.columns()))
        if not len(chosen):
            return
        some = self.only(chosen)
        results = np.stack([some.result(None if c.right else c.mistakes[0]) for c in told])
        gaps = np.abs(results[:, None] - results[None]).max(axis=-1)  # (classes, classes, candidates)
        gaps[np.arange(len(told)), np.arange(len(told))] = np.inf
        good = np.isfinite(results).all(axis=(0, 2)) & (gaps.min(axis=(0, 1)) >= APART * 10.0**-digits)
        for k in map(int, np.flatnonzero(good)):
            yield some.sets[k], some.x[k : k + 1]


def _short(numbers: np.random.Generator, low: int, high: int, shape: tuple[int, ...], grain: Decimal) -> Tensor:
    """Multiples of a grain, of either sign and none of them 0, with their texts: -0.6, 0.25."""
    whole = numbers.integers(low, high, shape, endpoint=True) * numbers.choice([-1, 1], shape)
    texts = {k: f"{(k * grain).normalize():f}" for k in range(-high, high + 1)}
    text = np.array([texts[int(k)] for k in whole.ravel()], dtype=object).reshape(shape)
    return Tensor(text.astype(np.float64), text)


def _unsaturated(cell: Cell, columns: Mapping[str, Array]) -> Array:
    """For each candidate whether its gates and its values are ones that a person can follow: none is near 0."""
    own = roles(cell)
    good = np.ones(len(columns[cell.output.name]), dtype=bool)
    for name, v in columns.items():
        low, high = GATES if name in {g.name for g in own.gates} else (-CANDIDATE, CANDIDATE)
        fine = (low <= v) & (v <= high) & (np.abs(v) >= VALUES)
        good &= fine.reshape(len(v), -1).all(axis=-1)
    return good


@cache
def _classes(kind: str, units: int, features: int, steps: int) -> tuple[_Class, ...]:
    """The right result first, then the mistakes by what networks of this kind and size can tell apart.

    Those that do no harm are in the first. That a weight is typed with fewer digits is no mistake here.
    """
    bare = Layer(kind, kind, kind, {}, {p.name: _ZERO for p in build(kind, {}).params})
    listed = [m for m in mistakes(bare) if not isinstance(m.weights, Shortened)]
    generic = _Batch.generic(bare, {"H": units, "D": features}, steps)
    made = grouped((m, generic.result(m).ravel().tolist()) for m in (None, *listed))
    return tuple(_Class(tuple(m for m in c if m is not None), None in c) for c in made)


_ZERO = Tensor(np.zeros(1))


# ------------------------------------------------------------------------------ worked out


def _made(
    layer: Layer,
    weights: Weights,
    x: Tensor,
    told: Sequence[_Class],
    seed: int,
    digits: int,
    version: str,
    style: Style | None,
) -> Exercise | None:
    """A candidate worked out; None where a line ends on a tie or near one, or where two answers print alike."""
    own = Layer(layer.id, layer.label, layer.kind, layer.options, weights)
    network = _network(own, x.value.shape[-1], "exercise" + (f" {version}" if version else ""))
    network = network.with_steps(x.value.shape[1])
    trial, fewest = Trial(network, x), digits + min(GUARDS)
    if _awkward(trial, fewest):
        return None
    e = explain(network, x, digits, style=style)
    if not e.reached or e.risky or e.decimals != fewest and _awkward(trial, e.decimals):
        return None
    domain = _Chain(WORKING, typed=True, rounding=line_rounding(e.decimals))
    printed: dict[tuple[str, ...], tuple[Mistake, ...]] = {}
    for c in told:
        values = trial.result(None if c.right else c.mistakes[0], domain, CALCULATOR)
        texts = tuple(plain(v, digits) for v in values)
        if texts in printed:
            return None
        printed[texts] = c.mistakes
    (answer, unseen), *marks = printed.items()
    made = Exercise(e, tuple(Caught(texts, listed) for texts, listed in marks), unseen, seed, version)
    return made if made.answer == answer else None


def plain(v: Decimal, digits: int) -> str:
    """An answer to so many decimals, however small it is: 0.0008."""
    rounded = v.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{rounded or abs(rounded):f}"


class _Chain(Decimals):
    """The rounded chain, in which a mistake may leave a line of nothing but a whole number."""

    def store(self, v: Array) -> Array:
        return super().store(np.asarray(v, dtype=object) + Decimal(0))


def _awkward(trial: Trial, decimals: int) -> bool:
    """Whether a line's value is small, lies just between two rounded ones, or is risky. Only a product with the state
    before the first step may be 0."""
    rounding = line_rounding(decimals)
    chain = Chain(rounding)
    trial.run(None, chain, CALCULATOR)
    ((_, layer),) = trial.recurrent
    idle = _of_the_state(CALCULATOR(build(layer.kind, layer.options)))
    lines = (
        cast(Decimal, v)
        for t, row in enumerate(chain.raw)
        for name, a in row.items()
        if t or name not in idle
        for v in a.ravel()
    )
    return any(
        abs(v) < Decimal(str(VALUES)) or abs(v).scaleb(decimals) % 1 == Decimal("0.5") or rounding.is_risky(v)
        for v in lines
    )


def _of_the_state(cell: Cell) -> frozenset[str]:
    """The lines that are 0 at the first step, since they are multiples of the state."""
    idle: set[Expr] = {old for old, _ in cell.states}

    def is_idle(e: Expr) -> bool:
        return e in idle or (all if isinstance(e, Add) else any)(map(is_idle, _factors(e)))

    for s, e in cell.equations:
        if is_idle(e):
            idle.add(s)
    return frozenset(s.name for s in cell.defined if s in idle)


def _factors(e: Expr) -> tuple[Expr, ...]:
    """What makes a product 0, or the terms of a sum."""
    return cast(tuple[Expr, ...], e.args) if isinstance(e, Mul | Dot | Add) else ()


def _network(layer: Layer, features: int, name: str = "exercise") -> Network:
    return chain([layer], dtype="float32", features=features, name=name)


def _plain(texts: Array) -> object:
    """Nested lists of numbers, which JSON writes as their texts."""
    return np.frompyfunc(json.loads, 1, 1)(texts).tolist()
