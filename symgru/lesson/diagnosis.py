"""What a diagnosis tells the person who asked: the answer, the two calculations side by side, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.diagnosis.chance import CERTAIN
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.asked import asked
from symgru.lesson.claimed import FEW, GUARDS, apart, be, did, places, short, shown, some, the_claim, the_right
from symgru.lesson.grounds import Grounds, grounds, proven, what_happened
from symgru.lesson.parted import calculations, taken_for_0
from symgru.lesson.parts import Box, Heading, Paragraph, Part, Table
from symgru.lesson.prose import Text, number, say
from symgru.lesson.ways import enumerated, rows, sureness, ways
from symgru.wording import counted

MOST_NUMBERS = 12  # of a table
LIKELY, SOME = 0.1, 0.05  # chances up to which a way is the likely one; above which agreement is worth nothing
ABOUT_ONE = 0.67  # chance hits from which on they are counted, not the cases in which there is one


def outline(d: Diagnosis, known: Grounds | None = None) -> Iterator[Part]:
    """The parts of the report, in order. `known` is what there is to say where nothing fits; it is found where it is
    not given."""
    yield Heading(1, title(d))
    yield Paragraph(asked(d))
    yield from body(d, known)


def body(d: Diagnosis, known: Grounds | None = None) -> Iterator[Part]:
    """The report without its title and what was asked of."""
    yield Box(tuple(answer(d)))
    yield from _compared(d)
    if d.verdict == "explained":
        yield from calculations(d)
        yield from taken_for_0(d)
        yield from sureness(d)
    elif d.verdict == "ambiguous":
        yield from ways(d)
        if d.chance < 1:  # else the first is no likelier than what chance brings
            yield from calculations(d)
    elif d.verdict == "none":
        known = known or grounds(d)
        yield Heading(2, say("What this rests on"))
        yield from proven(known)
        yield from enumerated(d)
        yield from what_happened(known)


def title(d: Diagnosis) -> Text:
    """What was asked."""
    claim = the_claim(d) if len(d.numbers) <= FEW else say(f"these {len(d.numbers)} numbers")
    if d.verdict == "right":
        return say("{are} {claim} right?", are=be(d).capitalize(), claim=claim)
    return say("Why {claim}?", claim=claim)


def answer(d: Diagnosis) -> Iterator[Part]:
    """The verdict and the right number, in a sentence or two."""
    told = {"right": _is_right, "explained": _is_explained, "ambiguous": _is_ambiguous, "none": _is_not_explained}
    for words in told[d.verdict](d):
        yield Paragraph(words)


def _is_right(d: Diagnosis) -> Iterator[Text]:
    words = "{claim} {be} right: the network gives {right}. {apart}"
    yield say(words, claim=the_claim(d), be=be(d), right=the_right(d), apart=apart(d, d.own))
    if others := len(d.classes) - 1:
        n = f"{others} mistakes" if others > 1 else "a mistake"
        yield say(f"So few digits say little, though: {n} would give the same. More digits would tell.")


def _is_explained(d: Diagnosis) -> Iterator[Text]:
    words = "{claim} {be} what comes out if you {did}. The network gives {right}."
    yield say(words, claim=the_claim(d), be=be(d), did=did(d.classes[0].first), right=the_right(d))


def _is_ambiguous(d: Diagnosis) -> Iterator[Text]:
    first, *others = rows(d)
    if d.chance < LIKELY and all(other.found.first.faults > first.found.first.faults for other in others):
        yield _is_likely(d, len(others))
        return
    n, may = 1 + len(others), "may" if len(d.numbers) == 1 else "may all"
    if n == 1:
        words = "One way that was tried gives {claim}, but that may be chance."
    else:
        words = f"{{claim}} {may} have come about in {n} different ways, and nothing says which of them it was."
    yield say(words + " The network gives {right}.", claim=the_claim(d), right=the_right(d))
    yield _by_chance(d)


def _is_not_explained(d: Diagnosis) -> Iterator[Text]:
    words = "{claim} {be} not what the network gives, which {be} {right}; and no mistake that was tried leads there."
    yield say(words, claim=the_claim(d), be=be(d), right=the_right(d))


def _is_likely(d: Diagnosis, more: int) -> Text:
    """One way has the fewest mistakes, and chance is no good explanation."""
    best, it = d.classes[0].first, "it" if len(d.numbers) == 1 else "them"
    others = "Still," if len(d.classes) > 1 else f"No other way that was tried gives {it}, but"
    if more:
        others = f"{counted(more, 'way')} with more mistakes give{'s' * (more == 1)} {it} too, and"
    words = f"Most likely you {{did}} ({{values}}). {others} {{chance}}: more digits would settle it. "
    return say(
        words + "The network gives {right}.",
        did=did(best),
        values=some([shown(v, n.text, GUARDS) for v, n in zip(best.values, d.numbers, strict=True)]),
        chance=_fits_by_chance(d),
        right=the_right(d),
    )


def _fits_by_chance(d: Diagnosis, begins: bool = False) -> Text:
    """How often a number of no relation to these would agree with a way as simple as the first."""
    which = {1: "the single mistakes", 2: "the ways of one or two mistakes"}
    ways = which.get(d.classes[0].first.faults, "the ways with as few mistakes")
    what = "a random number" if len(d.numbers) == 1 else "random numbers"
    what = what[0].upper() + what[1:] if begins else what
    if d.chance >= ABOUT_ONE:
        return say(f"{what} would fit about {{n}} of {ways}", n=number(f"{d.chance:,.0f}"))
    return say(f"{what} would fit one of {ways} in 1 case of {{n}}", n=number(f"{float(f'{1 / d.chance:.0e}'):,.0f}"))


def _by_chance(d: Diagnosis) -> Text:
    """What agreement alone is worth."""
    if d.chance < CERTAIN:
        return say(
            "That is hardly chance, but several of them take as few mistakes: another input, with what came out for "
            "it, would tell them apart."
        )
    worth = "agreement alone tells little" if d.chance > SOME else "it may well be right, but need not be"
    return say(f"{{chance}}, so {worth}: give more digits or more numbers.", chance=_fits_by_chance(d, begins=True))


def _compared(d: Diagnosis) -> Iterator[Part]:
    """Each number beside the right one, where there are several."""
    if len(d.numbers) < 2:
        return
    best = d.best if d.verdict == "explained" else None
    heads = [say("where"), say("you have"), say("the network gives"), *([say("with that mistake")] if best else [])]
    lines = [
        (
            say(where),
            number(short(n.text)),
            number(shown(exact, n.text)),
            *([number(shown(best.values[k], n.text))] if best else []),
        )
        for k, (where, n, exact) in enumerate(zip(places(d), d.numbers, d.exact, strict=True))
    ]
    yield Paragraph(say("Number by number:"))
    yield Table(tuple(heads), tuple(lines[:MOST_NUMBERS]), 1)
    if len(lines) > MOST_NUMBERS:
        yield Paragraph(say("and {n} more.", n=str(len(lines) - MOST_NUMBERS)))
