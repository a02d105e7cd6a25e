"""What a diagnosis tells the person who asked: the answer, the two calculations side by side, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.diagnosis.chance import CERTAIN
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.claimed import apart, be, did, places, shown, the_claim, the_right
from symgru.lesson.grounds import Grounds, grounds, proven, what_happened
from symgru.lesson.parted import calculations
from symgru.lesson.parts import Box, Heading, Paragraph, Part, Table
from symgru.lesson.prose import Text, number, say
from symgru.lesson.ways import enumerated, sureness, ways

MOST_NUMBERS = 12  # of a table
SOME = 0.05  # a chance that is worth nothing as evidence from here on


def outline(d: Diagnosis, known: Grounds | None = None) -> Iterator[Part]:
    """The parts of the report, in order. `known` is what there is to say where nothing fits; it is found where it is
    not given."""
    yield Heading(1, title(d))
    yield Box(tuple(answer(d)))
    yield from _compared(d)
    if d.verdict == "explained":
        yield from calculations(d)
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
    if d.verdict == "right":
        return say("{are} {claim} right?", are=be(d).capitalize(), claim=the_claim(d))
    return say("Why {claim}?", claim=the_claim(d))


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
    n, may = len(d.classes), "may" if len(d.numbers) == 1 else "may all"
    if n == 1:
        words = "One way that was tried gives {claim}, but that may be chance."
    else:
        words = f"{{claim}} {may} have come about in {n} different ways, and nothing says which of them it was."
    yield say(words + " The network gives {right}.", claim=the_claim(d), right=the_right(d))
    yield _by_chance(d)


def _is_not_explained(d: Diagnosis) -> Iterator[Text]:
    words = "{claim} {be} not what the network gives, which is {right}; and no mistake that was tried leads there."
    yield say(words, claim=the_claim(d), be=be(d), right=the_right(d))


def _by_chance(d: Diagnosis) -> Text:
    """What agreement alone is worth."""
    if d.chance < CERTAIN:
        return say(
            "That is hardly chance, but several of them take as few mistakes: another input, with what came out for "
            "it, would tell them apart."
        )
    fewest = d.classes[0].first.faults
    tried = sum(t.ways for t in d.tried[:fewest])  # the first are single mistakes, the second pairs
    worth = "agreement alone tells little" if d.chance > SOME else "it may well be right, but need not be"
    return say(
        f"Of {{tried}} ways tried about {{chance}} would agree with any number picked at random, so {worth}: give more "
        "digits or more numbers.",
        tried=f"{tried:,}",
        chance=number(f"{d.chance:.1g}" if d.chance < 1 else f"{d.chance:,.0f}"),
    )


def _compared(d: Diagnosis) -> Iterator[Part]:
    """Each number beside the right one, where there are several."""
    if len(d.numbers) < 2:
        return
    best = d.best if d.verdict == "explained" else None
    heads = [say("where"), say("you have"), say("the network gives"), *([say("with that mistake")] if best else [])]
    rows = [
        (
            say(where),
            number(n.text),
            number(shown(exact, n.text)),
            *([number(shown(best.values[k], n.text))] if best else []),
        )
        for k, (where, n, exact) in enumerate(zip(places(d), d.numbers, d.exact, strict=True))
    ]
    yield Paragraph(say("Number by number:"))
    yield Table(tuple(heads), tuple(rows[:MOST_NUMBERS]), 1)
    if len(rows) > MOST_NUMBERS:
        yield Paragraph(say("and {n} more.", n=str(len(rows) - MOST_NUMBERS)))
