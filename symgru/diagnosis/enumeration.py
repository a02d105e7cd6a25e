"""What "nothing that was tried fits" rests on: the ways that come nearest are worked again with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from symgru.diagnosis.claims import LAST, Case, Number
from symgru.diagnosis.findings import Diagnosis, Near
from symgru.diagnosis.intervals import Interval, Intervals
from symgru.diagnosis.rarer import catalogue
from symgru.errors import SymgruError
from symgru.mistakes import Trial

MOST_WORK = 500_000  # numbers of the network times those of the inputs, beyond which nothing is worked again


@dataclass(frozen=True)
class Enumeration:
    """`excluded` of the `checked` nearest ways cannot give the claim to its digits, for certain. All others are at
    least `apart` away from it, in double precision."""

    checked: int
    excluded: int
    apart: float

    @property
    def certain(self) -> bool:
        return 0 < self.checked == self.excluded


def enumeration(d: Diagnosis) -> Enumeration:
    """Of a diagnosis that found nothing."""
    *nearest, further = d.nearest or (Near((), 0.0),)
    if d.network.parameters * sum(case.inputs[0].value.size for case in d.cases) > MOST_WORK:
        nearest = []
    tried = [(Trial(d.network, case.inputs, catalogue), case) for case in d.cases]
    excluded = sum(any(_excludes(trial, case, near) for trial, case in tried) for near in nearest)
    return Enumeration(len(nearest), excluded, further.away)


def _excludes(trial: Trial, case: Case, near: Near) -> bool:
    """Whether a claimed number of the case lies outside what a way certainly gives, its half unit counted."""
    domain = Intervals()
    try:
        changed = trial.changed(near.made)
        with domain.context():
            y = cast(Interval, changed.results(changed.run(domain)))
    except (SymgruError, ValueError, TypeError):  # what intervals have no rule for
        return False
    return any(_outside(y, case, n) for n in case.claim)


def _outside(y: Interval, case: Case, n: Number) -> bool:
    if n.step != LAST and y.ends.shape[1] != case.inputs[0].value.shape[1]:
        return False
    low, high = (end[n.sequence, n.step] for end in (y.low, y.high))
    units = range(len(low)) if n.unit is None else (n.unit,)
    half = Decimal(n.half)
    return all(n.value + half < Decimal(float(low[u])) or n.value - half > Decimal(float(high[u])) for u in units)
