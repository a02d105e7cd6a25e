"""What became of a claimed number: single mistakes, then pairs, then the orders of the gates with all the rest.

Each level is judged before the next is tried. Whatever fits is judged against chance: the more ways were tried, and
the fewer digits were given, the less an agreement says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from symgru.decimal_domain import Decimals
from symgru.diagnosis.allowance import Allowance, Open, allowance
from symgru.diagnosis.chance import CERTAIN, different, expected
from symgru.diagnosis.claims import Case, could_be_of
from symgru.diagnosis.findings import Alike, Diagnosis, Fit, Near, Progress, Tried, Verdict
from symgru.diagnosis.probe import probed
from symgru.diagnosis.rarer import catalogue, earlier_states, lost_signs
from symgru.diagnosis.space import Space
from symgru.diagnosis.ways import NONE, Level, combined, pairs, singles
from symgru.diagnosis.wiring_slips import of_network
from symgru.errors import SymgruError, Unsupported
from symgru.mistakes import ALIKE, WORKING, Mistake, alike
from symgru.network import Array, Layer, Network

SAMPLED = 24  # ways whose allowances say how far from a claim a way is worth a closer look
WIDE, WIDER = 0.9, 4  # so many times the allowance that so large a part of them does not pass
EXAMINED = 300  # ways that are looked at closely at each level; for more the sample's allowances have to do
NEAR, NEAREST = 20.0, 3  # a near miss is within so many times what is allowed; how many are told
CHECKED = 20  # ways that come nearest without fitting: what "nothing fits" rests on is checked on them
PROBED = 3  # results for which an input is looked for that tells the ways apart
MOST_WORK = 5e10  # products of a level, beyond which it is not tried: minutes
FINITE = 1e6  # allowances above are those of ways that lead nowhere


def diagnose(
    network: Network, cases: Sequence[Case], exhaustive: bool = False, progress: Progress = lambda *told: None
) -> Diagnosis:
    """Which way of going about it gives what was claimed in all cases.

    The search ends with the level whose explanation is certain, unless it is to be `exhaustive`. Raises Unsupported for
    a network without a recurrent layer.
    """
    return _Search(network, tuple(cases), exhaustive, progress).diagnosis()


class _Search:
    """What is known so far: the values of all ways tried, and what of them fits."""

    def __init__(self, network: Network, cases: tuple[Case, ...], exhaustive: bool, progress: Progress) -> None:
        self.network, self.cases, self.exhaustive, self.progress = network, cases, exhaustive, progress
        x = cases[0].inputs[0]
        sequence = (*earlier_states(x.value.shape[1]), *lost_signs(x)) if x.value.ndim == 3 else ()

        def known(layer: Layer) -> tuple[Mistake, ...]:
            return (*catalogue(layer), *sequence)

        others = of_network(network)
        self.spaces = [Space(network, case, known, others) for case in cases]
        self.catalogue = self.spaces[0].catalogue
        if not self.catalogue:
            raise Unsupported("the network has no recurrent layer, whose mistakes could be looked for")
        self.dtypes = [_precision(network.dtype, case) for case in cases]
        self.opened = [Open(network, case.inputs) for case in cases]
        self.claim = np.array([float(n.value) for case in cases for n in case.claim])
        self.half = np.array([n.half for case in cases for n in case.claim])
        self.unknown_unit = any(n.unit is None for case in cases for n in case.claim)
        self.alternatives = max(space.alternatives for space in self.spaces)
        self.results = np.zeros((0, self.alternatives, len(self.claim)))  # of all ways so far
        self.faults = np.zeros(0, dtype=int)
        self.tried: list[Tried] = []
        self.fitting: list[Alike] = []
        self.near: list[Fit] = []
        self.aways: list[tuple[Level, Array]] = []  # how far from the claim each way comes
        self._allowances: dict[tuple[Mistake, ...], Allowance] = {}

    def diagnosis(self) -> Diagnosis:
        self.own = self._nearest_unit((), self._values(np.full((1, 1), NONE))[0])
        if self.own.fits:
            self._add(self.own)
        self.window = self._window()
        verdict: Verdict = "none"
        levels = (singles, pairs, combined)
        for make in levels:
            level = make(self.catalogue)
            if self._work(level) > MOST_WORK:
                break
            self._try(level)
            verdict = self._verdict()
            if verdict in ("right", "explained") and not self.exhaustive:
                break
        return Diagnosis(
            self.network,
            self.cases,
            verdict,
            tuple(self._exact()),
            self.own,
            tuple(probed(self.spaces[0], a) if k < PROBED else a for k, a in enumerate(self.fitting)),
            tuple(sorted(self.near, key=lambda f: (f.faults, f.away))[:NEAREST]) if verdict == "none" else (),
            self._chance(self.fitting[0].first) if self.fitting else 0.0,
            tuple(self.tried),
            complete=len(self.tried) == len(levels),
            nearest=self._nearest() if verdict == "none" else (),
        )

    def _nearest(self) -> tuple[Near, ...]:
        """The ways that come nearest, and one more, which says how far all others are at least."""
        found = []
        for level, away in self.aways:
            for k in np.argsort(away)[: CHECKED + 1]:
                found.append(Near(tuple(self.catalogue[i] for i in level.ways[k] if i != NONE), float(away[k])))
        return tuple(sorted(found, key=lambda n: n.away)[: CHECKED + 1])

    def _work(self, level: Level) -> float:
        """Products of a weight and a number, for all ways of a level."""
        return len(level.ways) * sum(
            sum(t.value.size for t in layer.weights.values()) * space.case.inputs[0].value[..., 0].size
            for space in self.spaces
            for _, layer in space.trial.recurrent
        )

    # ------------------------------------------------------------------------------ running

    def _try(self, level: Level) -> None:
        values = self._values(level.ways, level.says)
        before = len(different(self._flat(self.results)))
        self.results = np.concatenate([self.results, values])
        self.faults = np.concatenate([self.faults, level.faults])
        told = int(np.isfinite(values).all(axis=(1, 2)).sum())
        self.tried.append(Tried(level.says, told, len(different(self._flat(self.results))) - before))
        self._examine(level, values)

    def _values(self, ways: Array, says: str = "") -> Array:
        """What each way gives for every claimed number, (ways, alternatives, numbers)."""
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            self.progress(says, done, len(ways) * len(self.spaces))

        found = [space.values(ways, told if says else lambda count: None) for space in self.spaces]
        return np.concatenate([np.broadcast_to(v, (len(ways), self.alternatives, v.shape[2])) for v in found], axis=2)

    def _flat(self, values: Array) -> Array:
        return values.reshape(len(values), self.alternatives * len(self.claim))

    def _exact(self) -> Iterator[Decimal]:
        domain = Decimals(WORKING, typed=True)
        for space, case in zip(self.spaces, self.cases, strict=True):
            changed = space.trial.changed(None)
            with domain.context():
                y = changed.results(changed.run(domain))
            for n in case.claim:
                best = self.fitting[0].first if self.fitting else self.own
                unit = best.unit if n.unit is None else n.unit
                yield y[n.sequence, n.step, unit or 0]

    # ------------------------------------------------------------------------------ looking closely

    def _window(self) -> Array:
        """How far from the claim a way is worth a closer look, (alternatives, numbers): a sample of allowances."""
        count = len(self.catalogue)
        sample = [(), *((self.catalogue[k],) for k in range(0, count, max(1, count // SAMPLED)))]
        found = []
        for made in sample:
            try:
                a = self._allowance(made)
            except (SymgruError, ValueError):
                continue
            both = a.printing + a.arithmetic
            found.append(np.where(np.isfinite(both) & (both < FINITE), both, 0))
        self.typical = Allowance(np.zeros_like(found[0]), np.median(found, axis=0))
        return np.asarray(self.half + WIDER * np.quantile(found, WIDE, axis=0))

    def _allowance(self, made: tuple[Mistake, ...]) -> Allowance:
        if made not in self._allowances:
            each = [
                allowance(space, opened, made, dtype)
                for space, opened, dtype in zip(self.spaces, self.opened, self.dtypes, strict=True)
            ]

            def whole(arrays: Sequence[Array]) -> Array:
                return np.concatenate([np.broadcast_to(a, (self.alternatives, a.shape[1])) for a in arrays], axis=1)

            self._allowances[made] = Allowance(whole([a.printing for a in each]), whole([a.arithmetic for a in each]))
        return self._allowances[made]

    def _examine(self, level: Level, values: Array) -> None:
        """Put what fits with what fits already, the likeliest first, and keep the near misses of few mistakes."""
        with np.errstate(invalid="ignore", over="ignore"):
            far = np.abs(values - self.claim)
            away = far / self.window
        self.aways.append((level, np.where(np.isnan(far), np.inf, far).max(axis=2).min(axis=1)))
        away = np.where(np.isnan(away), np.inf, away).max(axis=2).min(axis=1)
        made = {int(k): tuple(self.catalogue[i] for i in level.ways[k] if i != NONE) for k in np.flatnonzero(away <= 1)}
        order = sorted(made, key=lambda k: (level.faults[k], *sorted(m.rank for m in made[k])))
        for place, k in enumerate(order):
            fewer = (a.first for a in self.fitting if a.first.faults < level.faults[k])
            if any(self._same(f, values[k]) for f in (self.own, *fewer)):
                continue  # one of its mistakes changes nothing
            fit = self._nearest_unit(made[k], values[k], int(level.faults[k]), closely=place < EXAMINED)
            if fit.fits:
                self._add(fit)
        self.fitting.sort(key=lambda a: a.first.rank)
        if level.faults.max(initial=0) <= 2:
            for k in np.argsort(away)[:NEAREST]:
                if away[k] <= NEAR and not self._same(self.own, values[k]):
                    self._miss(tuple(self.catalogue[i] for i in level.ways[k]), values[k], int(level.faults[k]))

    def _miss(self, made: tuple[Mistake, ...], values: Array, faults: int) -> None:
        fit = self._nearest_unit(made, values, faults)
        if not fit.fits and fit.away <= NEAR and not any(alike(f.values, fit.values) for f in self.near):
            self.near.append(fit)

    def _add(self, fit: Fit) -> None:
        for k, a in enumerate(self.fitting):
            if alike(a.first.values, fit.values):
                self.fitting[k] = Alike((*a.members, fit))
                return
        self.fitting.append(Alike((fit,)))

    def _same(self, fit: Fit, values: Array) -> bool:
        return alike(fit.values, values[fit.unit or 0])

    def _nearest_unit(self, made: tuple[Mistake, ...], values: Array, faults: int = 0, closely: bool = True) -> Fit:
        """A way beside the claim; of several units the one that comes nearest, in what is allowed."""
        a = self._allowance(made) if closely else self.typical
        units = range(self.alternatives)
        return min((self._fit(made, faults, values[u], a, u) for u in units), key=lambda f: f.away)

    def _fit(self, made: tuple[Mistake, ...], faults: int, values: Array, a: Allowance, unit: int) -> Fit:
        distances = np.abs(values - self.claim)
        return Fit(
            made,
            faults,
            _floats(values),
            _floats(np.where(np.isnan(distances), np.inf, distances)),
            _floats(self.half),
            _floats(a.printing[unit]),
            _floats(a.arithmetic[unit]),
            unit if self.unknown_unit else None,
        )

    # ------------------------------------------------------------------------------ judging

    def _verdict(self) -> Verdict:
        if self.own.fits:
            return "right"
        if not self.fitting:
            return "none"
        fewest = self.fitting[0].first.faults
        rivals = sum(a.first.faults == fewest for a in self.fitting)
        return "explained" if rivals == 1 and self._chance(self.fitting[0].first) < CERTAIN else "ambiguous"

    def _chance(self, fit: Fit) -> float:
        """Expected chance hits among the ways with no more faults than this one."""
        unit = fit.unit or 0
        others = different(self.results[self.faults <= fit.faults][:, unit])
        apart = ~np.isclose(others, fit.values, rtol=0, atol=ALIKE).all(axis=1)
        return expected(others[apart], self.claim, np.array(fit.closeness), self.alternatives)


def _precision(dtype: str, case: Case) -> str:
    """In which the claim was calculated: that of the network, unless its numbers cannot be of it."""
    return dtype if all(could_be_of(n, dtype) for n in case.claim) else "float64"


def _floats(numbers: Array) -> tuple[float, ...]:
    return tuple(map(float, numbers))
