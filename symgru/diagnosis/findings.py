"""What a diagnosis says, free of any format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from symgru.diagnosis.claims import Case, Number
from symgru.mistakes import Mistake
from symgru.network import Network, Tensor

Verdict = Literal["right", "explained", "ambiguous", "none"]
Progress = Callable[[str, int, int], None]  # what is tried, how many are done, of how many


@dataclass(frozen=True)
class Fit:
    """One way to go about it, by the mistakes made (none: the network's own way), beside the claim.

    One entry for each claimed number: `values` is what it gives there, `distances` how far that is from the claim, and
    `allowed` how far it may be: half a unit of the claim's last digit (`half`), what the unprinted digits of weights
    and inputs can move (`printing`), and a framework's own rounding (`arithmetic`). `unit` is the one compared
    (counted from 0) where the claim does not say which.
    """

    made: tuple[Mistake, ...]
    faults: int
    values: tuple[float, ...]
    distances: tuple[float, ...]
    half: tuple[float, ...]
    printing: tuple[float, ...]
    arithmetic: tuple[float, ...]
    unit: int | None = None

    @property
    def allowed(self) -> tuple[float, ...]:
        return tuple(map(sum, zip(self.half, self.printing, self.arithmetic, strict=True)))

    @property
    def fits(self) -> bool:
        return all(d <= a for d, a in zip(self.distances, self.allowed, strict=True))

    @property
    def away(self) -> float:
        """The largest distance, in units of what is allowed there."""
        return max(d / a if a else float("inf") for d, a in zip(self.distances, self.allowed, strict=True))

    @property
    def closeness(self) -> tuple[float, ...]:
        """How near it comes, as parts of what is allowed that are alike for all numbers: a claim is never nearer than
        half a unit of its last digit tells."""
        parts = (max(d, h) / a for d, h, a in zip(self.distances, self.half, self.allowed, strict=True) if a)
        near = min(1.0, max(parts, default=1.0))
        return tuple(near * a for a in self.allowed)

    @property
    def rank(self) -> tuple[int, ...]:
        """How common it is: fewest faults first, then the commonest mistake."""
        return (self.faults, *sorted(m.rank for m in self.made))


@dataclass(frozen=True)
class Probe:
    """An input, of shape (1, time, features), that tells the members of a class apart, and what each of them gives for
    it after the last step, in their order. Members that no input tried tells apart have the same values.

    `tells` is how many different results there are; 1 where no input that was tried tells anything.
    """

    x: Tensor
    values: tuple[tuple[float, ...], ...]
    tells: int


@dataclass(frozen=True)
class Alike:
    """What these weights and inputs cannot tell apart: members with one result, the commonest first."""

    members: tuple[Fit, ...]
    probe: Probe | None = None

    @property
    def first(self) -> Fit:
        return self.members[0]


@dataclass(frozen=True)
class Tried:
    """How many ways were tried with so many mistakes, and how many results they have that differ."""

    says: str  # "single mistakes", "pairs of mistakes", "gate orders of each array, with ..."
    ways: int
    results: int


@dataclass(frozen=True)
class Near:
    """A way that does not fit, and how far from it the claim is: in the number that is furthest off."""

    made: tuple[Mistake, ...]
    away: float


@dataclass(frozen=True)
class Diagnosis:
    """What became of a claim.

    `verdict`: "right" (it is what the network gives), "explained" (one class of mistakes fits, and chance would do that
    with an expectation of `chance` < CERTAIN), "ambiguous" (several classes fit, or chance is as good an explanation),
    or "none". `classes` are what fits, the likeliest first; of a verdict "explained" only the first is asserted.
    `near` are near misses, nearest first; they fit nothing. `exact` is the right value of each claimed number.
    `complete`: everything was tried; else the search was cut short, since a plain explanation was certain. `nearest`:
    where nothing fits, the ways that come nearest; all others are at least as far away as the last.
    """

    network: Network
    cases: tuple[Case, ...]
    verdict: Verdict
    exact: tuple[Decimal, ...]
    own: Fit  # the network's own way beside the claim
    classes: tuple[Alike, ...]
    near: tuple[Fit, ...]
    chance: float
    tried: tuple[Tried, ...]
    complete: bool
    nearest: tuple[Near, ...] = ()

    @property
    def best(self) -> Fit | None:
        """The first way that fits; None where nothing does."""
        return self.classes[0].first if self.classes else None

    @property
    def numbers(self) -> Sequence[Number]:
        """Every claimed number, case by case: the order of `values` in a Fit."""
        return tuple(n for case in self.cases for n in case.claim)
