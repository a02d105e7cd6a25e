"""What every combination of hypotheses gives, and which of them a number that somebody got agrees with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

import numpy as np
from sympy import Symbol

from symgru.algebra import Mat
from symgru.building import build
from symgru.cell import Cell
from symgru.domains import Decimals, Float64
from symgru.errors import UnusableInput
from symgru.hypotheses import Combination, Weights, combinations, only_layer
from symgru.network import Array, Network, Tensor
from symgru.readers.decimals import canonical
from symgru.trace import Run, run

ULPS = 4  # of the largest |h_t|: how far a framework's own arithmetic may be off (2 for Keras on examples/seed.json)
PRINTED = 8  # numpy prints at most 8 decimals unless told otherwise: a number with so many may hold more
WORKING = 40  # significant digits of exact values
NEGLIGIBLE = 1e-12  # float64's own error; where a verdict hangs on less, exact decimals decide


class Stacked(Float64):
    """Float64 for many sets of weights at once: x is (1, time, features), results are (sets, time, 1, units)."""

    def __init__(self, sets: Sequence[Weights]) -> None:
        self.sets = sets
        self._stacks: dict[str, Array] = {}

    def lift(self, tensor: Tensor) -> Array:
        _, steps, features = tensor.value.shape
        return np.broadcast_to(tensor.value[:, :, None, :], (len(self.sets), steps, 1, features))

    def params(self, cell: Cell, weights: Weights) -> Mapping[str, Array]:
        return {p.name: self._stack(p) for p in cell.params}

    def _stack(self, p: Symbol) -> Array:
        if p.name not in self._stacks:
            stack = np.stack([w[p.name].value for w in self.sets]).astype(np.float64)
            # `dot` is v @ W.T, and the transpose of (units, columns, sets) is (sets, columns, units)
            self._stacks[p.name] = stack.transpose(1, 2, 0) if isinstance(p, Mat) else stack[:, None, :]
        return self._stacks[p.name]

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros((shape[0], 1, shape[1]))


@dataclass(frozen=True)
class Outcome:
    """What one combination gives after the last step (unit 1), and how far a right claim may be from it.

    `arithmetic` is 4 ulps of the network's dtype at the largest |h_t|. `printing` is how far the weights' unknown
    digits can move the result: each number with 8 or more decimals may be off by half a unit of its last one, and each
    by what storing it in the network's dtype changes; every effect is worked out alone, and they are added up. Inputs
    are taken as typed.
    """

    combination: Combination
    value: float
    arithmetic: float
    printing: float


def outcomes(network: Network, x: Tensor, tried: Sequence[Combination] | None = None) -> list[Outcome]:
    """What each combination gives, all those with one cell and one input in one run. x is (1, time, features)."""
    layer = only_layer(network)
    tried = combinations(layer) if tried is None else tried
    cell, sets = build(layer.kind, layer.options), _perturbed(layer.weights)
    groups: dict[object, list[Combination]] = {}
    for c in tried:
        groups.setdefault((c.cells, c.inputs), []).append(c)
    stacks: dict[object, Stacked] = {}
    found: dict[int, Outcome] = {}
    for members in groups.values():
        orders = tuple(c.arrays for c in members)
        if orders not in stacks:
            stacks[orders] = Stacked([c.weights(w) for c in members for w in sets])
        h = _run(network, members[0].x(x), stacks[orders], members[0].cell(cell)).traces[0].y[..., 0, 0]
        h = h.reshape(len(members), len(sets), -1)
        last, largest = h[:, :, -1], np.abs(h[:, 0]).max(axis=-1)
        printing = np.abs(last[:, 1:] - last[:, :1]).sum(axis=-1)
        ulp = np.spacing(largest.astype(network.dtype)).astype(np.float64)
        for k, c in enumerate(members):
            found[id(c)] = Outcome(c, float(last[k, 0]), ULPS * float(ulp[k]), float(printing[k]))
    return [found[id(c)] for c in tried]


def _run(network: Network, x: Tensor, domain: Float64 | Decimals, cell: Cell) -> Run:
    return run(network, x, domain, rewrite={network.calls[0].id: cell})


def _perturbed(weights: Weights) -> list[Weights]:
    """The weights as typed, then with one number after the other moved by what its text leaves open."""
    typed = {name: Tensor(_each(float, t.text), t.text) for name, t in weights.items()}
    sets: list[Weights] = [typed]
    for name, t in typed.items():
        stored = np.abs(weights[name].value.astype(np.float64) - t.value)
        for at, open_ in np.ndenumerate(_each(_half_unit, t.text) + stored):
            if open_:
                moved = t.value.copy()
                moved[at] += open_
                sets.append({**typed, name: Tensor(moved, t.text)})
    return sets


def _each(f: Callable[[str], float], texts: Array) -> Array:
    return np.array([f(t) for t in texts.ravel()]).reshape(texts.shape)


def _half_unit(text: str) -> float:
    exponent = cast(int, Decimal(text).as_tuple().exponent)
    return 0.5 * 10.0**exponent if exponent <= -PRINTED else 0.0


def exact_run(network: Network, x: Tensor, cell: Cell | None = None, weights: Weights | None = None) -> Run:
    """A run in decimals, from the numbers as typed, with a cell and weights in place of the network's own."""
    layer = only_layer(network)
    changed = replace(network, layers={layer.id: replace(layer, weights=weights or layer.weights)})
    return _run(changed, x, Decimals(WORKING, typed=True), cell or build(layer.kind, layer.options))


def exact_combination(network: Network, x: Tensor, c: Combination) -> Run:
    """The run of a combination in decimals."""
    layer = only_layer(network)
    return exact_run(network, c.x(x), c.cell(build(layer.kind, layer.options)), c.weights(layer.weights))


def final(r: Run) -> Decimal:
    """The state of unit 1 after the last step."""
    return cast(Decimal, r.traces[0].y[0, -1, 0])


LARGEST, COARSEST = Decimal(10) ** 30, 0.051  # of a claim, and of half a unit of its last digit


@dataclass(frozen=True)
class Claim:
    """A number that somebody got, as written. The last digit may be off by `half` a unit."""

    text: str

    @property
    def value(self) -> Decimal:
        return Decimal(self.text)

    @property
    def half(self) -> float:
        return 0.5 * 10.0 ** cast(int, self.value.as_tuple().exponent)

    @staticmethod
    def read(text: str, whose: str) -> Claim:
        """Raises UnusableInput where the text is no number, or tells too little to be compared with anything."""
        try:
            claim = Claim(canonical(text))
        except UnusableInput as error:
            raise UnusableInput(f"{whose}: {error}") from None
        if abs(claim.value) > LARGEST or claim.half > COARSEST:
            raise UnusableInput(f"{whose}: {text[:30]} cannot be told from other numbers: give it with decimals")
        return claim


@dataclass(frozen=True)
class Match:
    """An outcome beside a claim: its exact value, the distance, and what distance is allowed."""

    outcome: Outcome
    claim: Claim
    value: Decimal

    @property
    def combination(self) -> Combination:
        return self.outcome.combination

    @property
    def distance(self) -> Decimal:
        return abs(self.value - self.claim.value)

    @property
    def tolerance(self) -> float:
        """Half a unit of the claim's last digit, and the outcome's own allowance."""
        return self.claim.half + self.outcome.arithmetic + self.outcome.printing


@dataclass(frozen=True)
class Verdict:
    """What a claim is: `fits` have the fewest mistakes, and `further` counts fits that need more.

    `nearest` is the closest of all `tried`; `chance` is how many distinct values a random claim in [-1, 1] would hit.
    """

    claim: Claim
    fits: tuple[Match, ...]
    further: int
    nearest: Match
    tried: int
    chance: float

    @property
    def right(self) -> bool:
        return any(not m.combination.mistakes for m in self.fits)


def matches(network: Network, x: Tensor, claim: Claim, found: Sequence[Outcome]) -> Verdict:
    """Which of the outcomes a claim agrees with."""
    value = float(claim.value)

    def tolerance(o: Outcome) -> float:
        return claim.half + o.arithmetic + o.printing

    def match(o: Outcome) -> Match:
        return Match(o, claim, final(exact_combination(network, x, o.combination)))

    def fits(o: Outcome) -> bool:
        spare = tolerance(o) - abs(o.value - value)
        return spare > 0 if abs(spare) > NEGLIGIBLE else match(o).distance <= Decimal(tolerance(o))

    fitting = [o for o in found if fits(o)]
    fewest = min((len(o.combination.mistakes) for o in fitting), default=0)
    best = [match(o) for o in fitting if len(o.combination.mistakes) == fewest]
    distinct = {round(o.value, 12): tolerance(o) for o in found}
    nearest = min(found, key=lambda o: (round(abs(o.value - value), 12), len(o.combination.mistakes)))
    return Verdict(claim, tuple(best), len(fitting) - len(best), match(nearest), len(found), sum(distinct.values()))
