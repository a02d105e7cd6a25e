"""How a report speaks of the numbers that were claimed: which they are, what is right, how far apart the two are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from symgru.diagnosis.claims import LAST
from symgru.diagnosis.findings import Diagnosis, Fit
from symgru.lesson.prose import Text, joined, number, say
from symgru.network import Edge
from symgru.rounding import Rounding, exactly
from symgru.shapes import shapes

FEWEST, MOST_DECIMALS = 6, 10  # decimals of a number
GUARDS = 2  # beyond those of the claim, where a number is told from it
FEW = 3  # numbers that are named within a sentence
NEGLIGIBLE = 0.01  # a part of what is allowed that is not worth a word


def the_claim(d: Diagnosis) -> Text:
    """The claimed number, or the first few of several."""
    texts = [n.text for n in d.numbers]
    return some(texts)


def the_right(d: Diagnosis) -> Text:
    """What the network gives instead."""
    values = some([shown(v, n.text) for v, n in zip(d.exact, d.numbers, strict=True)])
    place = next(places(d))
    return say(f"{{values}} ({place})", values=values) if len(d.numbers) == 1 and place else values


def some(texts: Sequence[str]) -> Text:
    """Numbers; of many the first few."""
    few = list(map(number, texts[:FEW]))
    more = [say(f"{len(texts) - FEW} more")] if len(texts) > FEW else []
    return one_and_all([*few, *more])


def be(d: Diagnosis) -> str:
    """The claim is, or the claims are."""
    return "is" if len(d.numbers) == 1 else "are"


def did(fit: Fit) -> Text:
    """What was done, one thing after the other."""
    return say("; and ".join(dict.fromkeys(m.says for m in fit.made)))


def shown(v: Decimal | float, claim: str, more: int = 0) -> str:
    """A value with as many decimals as a claim has, and at least FEWEST."""
    rounding = Rounding(min(max(decimals_of(claim) + more, FEWEST), MOST_DECIMALS))
    return rounding.text(rounding(v if isinstance(v, Decimal) else exactly(v)))


def short(text: str) -> str:
    """A claimed number as it was written, without the decimals that a table has no room for."""
    return shown(Decimal(text), text) if decimals_of(text) > MOST_DECIMALS else text


def decimals_of(text: str) -> int:
    """How many decimals a number was written with."""
    return max(0, -int(Decimal(text).as_tuple().exponent))


def apart(d: Diagnosis, fit: Fit) -> Text:
    """How far a way is from the claim, and how far it may be: of several numbers the one that is off most."""
    k = furthest(fit)
    allowed = [
        ("half a unit of its last digit", fit.half[k]),
        ("what the digits that were not printed of weights and inputs can change", fit.printing[k]),
        ("a framework's own rounding", fit.arithmetic[k]),
    ]
    telling = [(what, v) for what, v in allowed if v > NEGLIGIBLE * fit.allowed[k]]
    parts = [say("{what} ({size})", what=what, size=number(small(v))) for what, v in telling]
    return say(
        "{which} is {far} away, and {most} is allowed{because}.",
        which=_it(d, k),
        far=number(small(fit.distances[k])),
        most=number(small(fit.allowed[k])),
        because=say(": {parts}", parts=one_and_all(parts)) if parts else "",
    )


def _it(d: Diagnosis, k: int) -> Text:
    return say("It") if len(d.numbers) == 1 else say("Furthest off is {n}; it", n=number(d.numbers[k].text))


def one_and_all(texts: Sequence[Text]) -> Text:
    """a, b and c"""
    *first, last = texts
    return say("{first} and {last}", first=joined(first), last=last) if first else last


def small(v: float) -> str:
    """A distance: two digits."""
    return f"{v:.2g}"


def furthest(fit: Fit) -> int:
    """Which of the numbers is off most, in units of what is allowed there."""
    away = [far / most if most else float("inf") for far, most in zip(fit.distances, fit.allowed, strict=True)]
    return max(range(len(away)), key=away.__getitem__)


def places(d: Diagnosis) -> Iterator[str]:
    """Which number is which: only what tells them apart."""
    every = [(i, n) for i, case in enumerate(d.cases, 1) for n in case.claim]
    sequences, steps = {n.sequence for _, n in every}, {n.step for _, n in every}
    units = shapes(d.network)[(d.network.outputs or (Edge(d.network.calls[-1].id),))[0]][-1]
    for i, n in every:
        unit = n.unit if n.unit is not None else (d.best or d.own).unit
        words = [
            f"input {i}" if len(d.cases) > 1 else "",
            f"sequence {n.sequence + 1}" if len(sequences) > 1 else "",
            ("last step" if n.step == LAST else f"step {n.step + 1}") if len(steps) > 1 or steps != {LAST} else "",
            f"unit {unit + 1}" if unit is not None and units != 1 else "",
        ]
        yield ", ".join(filter(None, words))
