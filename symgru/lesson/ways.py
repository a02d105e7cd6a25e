"""The ways that give a claim: what speaks for them, what tells them apart, and what came near."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symgru.diagnosis.enumeration import Enumeration, enumeration
from symgru.diagnosis.findings import Alike, Diagnosis, Fit
from symgru.lesson.asked import sequence
from symgru.lesson.claimed import (
    FEW,
    FEWEST,
    GUARDS,
    MOST_DECIMALS,
    apart,
    decimals_of,
    did,
    furthest,
    shown,
    small,
    some,
    the_claim,
)
from symgru.lesson.parts import Case, Cases, Heading, Paragraph, Part
from symgru.lesson.prose import Text, joined, number, numbers, say
from symgru.mistakes import Mistake
from symgru.rounding import Rounding, exactly
from symgru.wording import counted, listed

MOST_WAYS, MOST_INVOLVED, MOST_NEAR = 12, 6, 3  # that fit, those of more than two mistakes; that nearly do
HELD = ("float16", "bfloat16", "int8")  # names of the mistakes that keep fewer digits, beside "4 decimals" and the like
RARE = 1e-6  # a chance that is not told from smaller ones


def sureness(d: Diagnosis) -> Iterator[Part]:
    """What speaks for the explanation, and what else would explain it as well."""
    best = d.best
    assert best
    yield Heading(2, say("How sure this is"))
    gives = say(
        "That calculation gives {v}. ",
        v=some([shown(v, n.text, GUARDS) for v, n in zip(best.values, d.numbers, strict=True)]),
    )
    yield Paragraph(joined((gives, apart(d, best)), ""))
    yield Paragraph(_no_chance(d))
    yield from alike(d.classes[0])
    if more := len(d.classes) - 1:
        yield Paragraph(
            say(
                "{n} with more mistakes in {them} {fit} too; the fewest are the likeliest.",
                n=counted(more, "way"),
                them="it" if more == 1 else "them",
                fit="fits" if more == 1 else "fit",
            )
        )
    if not d.complete:
        yield Paragraph(
            say("The search ended there: ways with more mistakes were not tried, since this one is plain enough.")
        )


def _no_chance(d: Diagnosis) -> Text:
    if not d.chance:
        return say("No other way that was tried comes near.")
    odds = 1 / max(d.chance, RARE)
    return say(
        "This is hardly chance: a number picked at random would agree with a way as simple as this {about} once in "
        "{odds} times.",
        about="about" if d.chance > RARE else "less than",
        odds=f"{float(f'{odds:.0e}'):,.0f}",
    )


def alike(found: Alike) -> Iterator[Part]:
    """The ways that have one result here, and an input that tells them apart."""
    members = _distinct(found.members)
    if len(members) < 2:
        return
    yield Paragraph(say("With these weights and this input the same number comes out for each of these:"))
    probe = found.probe
    if probe is None or probe.tells < 2:
        yield Cases(tuple(Case(number(k), say("You {did}.", did=did(m))) for k, m in enumerate(members, 1)))
        if probe:
            yield Paragraph(say("No other input that was tried tells them apart either."))
        return
    asked = _distinct(found.members[: len(probe.values)])
    every = [probe.values[found.members.index(m)] for m in asked]
    width = len(every[0])
    few = next((w for w in range(FEW, width) if _tells(every, w) == _tells(every, width)), width)
    first = f" (its first {few} numbers)" if few < width else ""
    yield Paragraph(say(f"To tell them apart, feed {{x}}. Then the result{first} is:", x=sequence(probe.x)))
    values = _told([row[:few] for row in every])
    yield Cases(tuple(Case(numbers(v), say("if you {did}.", did=did(m))) for v, m in zip(values, asked, strict=True)))
    if _tells(every, few) < len(asked):
        yield Paragraph(say("Those with the same result this input does not tell apart."))


def _tells(values: Sequence[Sequence[float]], width: int) -> int:
    """How many different results there are in so many of the first numbers."""
    return len({tuple(round(v, FEWEST) for v in row[:width]) for row in values})


def _distinct(members: Sequence[Fit]) -> list[Fit]:
    """Without those that are said in the same words."""
    first: dict[tuple[str, ...], Fit] = {}
    for m in members:
        first.setdefault(tuple(made.says for made in m.made), m)
    return list(first.values())[:MOST_WAYS]


def _told(values: Sequence[Sequence[float]], fewest: int = FEWEST) -> list[list[str]]:
    """Results with as many decimals as tell them apart."""
    many = len({tuple(round(v, MOST_DECIMALS) for v in row) for row in values})
    texts: list[list[str]] = []
    for decimals in range(min(fewest, MOST_DECIMALS), MOST_DECIMALS + 1):
        rounding = Rounding(decimals)
        texts = [[rounding.text(rounding(exactly(v))) for v in row] for row in values]
        if len({tuple(row) for row in texts}) == many:
            break
    return texts


@dataclass(frozen=True)
class Listed:
    """A result that fits; with it those of its ways that only keep fewer digits besides, and what they do."""

    found: Alike
    shortened: tuple[tuple[Mistake, ...], ...] = ()


def rows(d: Diagnosis) -> tuple[Listed, ...]:
    """Everything that fits, the likeliest first."""
    found: list[Listed] = []
    for c in d.classes:
        for k, row in enumerate(found):
            if more := _shortened(row.found, c):
                found[k] = Listed(row.found, (*row.shortened, *more))
                break
        else:
            found.append(Listed(c))
    return tuple(found)


def _shortened(found: Alike, other: Alike) -> list[tuple[Mistake, ...]]:
    """What the ways of the other do beside one of those found; [] where that is more than to keep fewer digits."""
    added = []
    for m in other.members:
        each = (tuple(x for x in m.made if x not in known.made) for known in found.members if {*known.made} < {*m.made})
        more = next((x for x in each if all(map(_keeps_fewer_digits, x))), None)
        if more is None:
            return []
        added.append(more)
    return added


def _keeps_fewer_digits(m: Mistake) -> bool:
    return m.kind == "rounding" or m.kind == "arrays" and (m.name.endswith(" decimals") or m.name in HELD)


def ways(d: Diagnosis) -> Iterator[Part]:
    """Everything that fits, the likeliest first; of the ways with many mistakes a few."""
    every = rows(d)
    few = [row for row in every if row.found.first.faults <= 2]
    listed = [*few, *every[len(few) : len(few) + MOST_INVOLVED]][:MOST_WAYS]
    yield Heading(2, say("What gives {claim}", claim=the_claim(d)))
    firsts = [row.found.first for row in listed]
    most = max(decimals_of(n.text) for n in d.numbers) + GUARDS
    values = _told([f.values[:FEW] for f in firsts], max(most, FEWEST))
    units = {f.unit for f in firsts}
    yield Cases(tuple(_way(d, row, v, len(units) > 1) for row, v in zip(listed, values, strict=True)))
    if more := len(every) - len(listed):
        yield Paragraph(say("and {n} more.", n=str(more)))


def _way(d: Diagnosis, row: Listed, values: Sequence[str], several_units: bool) -> Case:
    """A result, of which unit it is where that is not the same in all, and what was done."""
    unit = row.found.first.unit
    told = some([*values, *[""] * (len(d.numbers) - len(values))])
    others = [did(m) for m in _distinct(row.found.members)]
    text = say("You {did}.", did=joined(others[:FEW], "; or you "))
    if more := list(dict.fromkeys(" and ".join(m.says for m in each) for each in row.shortened)):
        text = joined((text, say(f"It fits as well if you also {', or '.join(more[:FEW])}.")), " ")
    where = say(f", unit {unit + 1}") if several_units and unit is not None else say("")
    return Case(joined((told, where), ""), text)


def enumerated(d: Diagnosis) -> Iterator[Part]:
    """What was tried, and what came nearest."""
    results = sum(t.results for t in d.tried)
    yield Paragraph(
        say(
            f"{listed([f'{t.ways:,} {t.says}' for t in d.tried])}, which lead to {results:,} different results. None "
            "of them is {claim} to its digits.{again}",
            claim=the_claim(d),
            again=_again(enumeration(d)),
        ),
        "Tried",
    )
    if d.near:
        yield Paragraph(say("These come nearest, but they are near misses and explain nothing:"))
        yield Cases(tuple(_near(d, fit) for fit in d.near[:MOST_NEAR]))


def _again(checked: Enumeration) -> Text:
    """What was checked with intervals; nothing where they do not settle it."""
    if not checked.certain:
        return say("")
    return say(
        f" The {checked.checked} nearest were worked again with intervals: none of them is, for certain. All others "
        "are {apart} away or more, far beyond the rounding of the numbers they were computed with.",
        apart=number(small(checked.apart)),
    )


def _near(d: Diagnosis, fit: Fit) -> Case:
    k = furthest(fit)
    return Case(
        number(shown(fit.values[k], d.numbers[k].text)),
        say(
            "You {did}. That is {far} away, and {most} is allowed.",
            did=did(fit),
            far=number(small(fit.distances[k])),
            most=number(small(fit.allowed[k])),
        ),
    )
