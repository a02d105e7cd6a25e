"""What "nothing that was tried fits" rests on: the ways that come nearest are worked again with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from symgru.decimal_domain import Decimals
from symgru.diagnosis.claims import LAST, Case, Number
from symgru.diagnosis.findings import Diagnosis, Near
from symgru.diagnosis.intervals import Interval, Intervals
from symgru.diagnosis.rarer import catalogue
from symgru.domains import Domain
from symgru.errors import SymgruError
from symgru.mistakes import WORKING, Trial
from symgru.network import Array

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
    try:
        changed = trial.changed(near.made)
        # a line that is rounded to decimals is exact in decimals
        domain: Domain = Intervals() if changed.decimals is None else Decimals(WORKING, typed=True)
        with domain.context():
            y = changed.results(changed.run(domain))
    except (SymgruError, ValueError, TypeError):  # what intervals have no rule for
        return False
    return any(_outside(y, case, n) for n in case.claim)


def _outside(y: Array | Interval, case: Case, n: Number) -> bool:
    low, high = (y.low, y.high) if isinstance(y, Interval) else (y, y)
    if n.step != LAST and low.shape[1] != case.inputs[0].value.shape[1]:
        return False
    ends = zip(low[n.sequence, n.step], high[n.sequence, n.step], strict=True)
    each = [(Decimal(a), Decimal(b)) for a, b in ends]
    if n.unit is not None and n.unit >= len(each):
        return False
    half = Decimal(n.half)
    return all(n.value + half < a or n.value - half > b for a, b in (each if n.unit is None else [each[n.unit]]))
