"""Diagnoses put together by hand, so that what a report says is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from symgru.diagnosis.claims import LAST, Case, Number
from symgru.diagnosis.findings import Alike, Diagnosis, Fit, Probe, Tried, Verdict
from symgru.domains import Float64
from symgru.mistakes import Mistake, Trial
from symgru.network import Network, Tensor

TRIED = (Tried("single mistakes", 60, 41), Tried("pairs of mistakes", 1500, 1100))


def mistake(trial: Trial, kind: str, name: str) -> Mistake:
    return next(m for m in trial.mistakes if (m.kind, m.name) == (kind, name))


def fit(trial: Trial, case: Case, made: Sequence[Mistake], printing: float = 6e-8) -> Fit:
    changed = trial.changed(made)
    y = changed.results(changed.run(Float64()))
    values = tuple(float(y[n.sequence, n.step, n.unit or 0]) for n in case.claim)
    distances = tuple(abs(v - float(n.value)) for v, n in zip(values, case.claim, strict=True))
    same = (printing,) * len(values), (2.4e-7,) * len(values)
    return Fit(tuple(made), len(made), values, distances, tuple(n.half for n in case.claim), *same)


def diagnosis(
    network: Network,
    x: Tensor,
    claims: Sequence[str | Number],
    verdict: Verdict,
    *classes: Sequence[Sequence[tuple[str, str]]],
    near: Sequence[Sequence[tuple[str, str]]] = (),
    chance: float = 5e-4,
    probe: Probe | None = None,
    complete: bool = True,
) -> Diagnosis:
    """A diagnosis whose classes and near misses are mistakes by kind and name."""
    trial = Trial(network, x)
    case = Case((x,), tuple(n if isinstance(n, Number) else Number(n, step=LAST) for n in claims))

    def one(names: Sequence[tuple[str, str]]) -> Fit:
        return fit(trial, case, [mistake(trial, *name) for name in names])

    own = one(())
    return Diagnosis(
        network,
        (case,),
        verdict,
        tuple(Decimal(v) for v in own.values),
        own,
        tuple(Alike(tuple(map(one, members)), probe) for members in classes),
        tuple(map(one, near)),
        chance,
        TRIED,
        complete,
    )
