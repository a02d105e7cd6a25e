"""How a worked example ends: what it is checked against, what other numbers mean, and the same as code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from symgru.backends.sentences import footnote, in_ulps, scientific
from symgru.errors import SymgruError
from symgru.explanation import Check, Explanation
from symgru.lesson.parts import Case, Cases, Heading, Listing, Paragraph, Part, Table
from symgru.lesson.prose import Text, given, joined, number, numbers, say

MOST_CHECKED = 8  # units whose results are compared one by one
FEW = 3  # results of many that tell one mistake from another


def verification(e: Explanation) -> Iterator[Part]:
    """The box: this page's result, the exact one, and the framework's."""
    last = say(" of the output after step {t}, the last", t=str(e.sequence)) if e.sequence > 1 else say("")
    yield Heading(2, say("Verification{last}", last=last))
    columns = 4 if e.framework else 3  # only what the framework gives has ulps
    heads = (say(""), say("value"), say("difference"), say("ulps"))[:columns]
    rows = (_check(check)[:columns] for check in _checks(e))
    yield Table(heads, rows, 1, boxed=len(e.results) <= 3, slow=e.framework is not None)
    yield Paragraph(say(f"{footnote(e)} {e.proof}"))


def _checks(e: Explanation) -> Iterator[Check]:
    """The rows of the box; of many units those of the first few, and where the largest difference is."""
    for checks in (e.checks, e.framework_rows):
        kinds: dict[str, list[Check]] = {}
        for check in checks():
            kinds.setdefault(check.says, []).append(check)
        for rows in kinds.values():
            yield from rows[:MOST_CHECKED]
            if len(rows) > MOST_CHECKED and rows[0].difference is not None:
                worst = max(rows, key=lambda check: abs(check.difference or Decimal(0)))
                yield replace(worst, says=f"{worst.says}, furthest of {len(rows)}")


def _check(check: Check) -> tuple[Text, ...]:
    unit = f", unit {check.component}" if check.component else ""
    difference = "" if check.difference is None else scientific(check.difference)
    return given(check.says + unit), number(check.text), number(difference), number(in_ulps(check.ulps))


def caught(e: Explanation) -> Iterator[Part]:
    """Other numbers that people get for this network, and what leads to each."""
    from symgru import mistakes

    rows = tuple(
        Case(_first(found.values), say(f"You {'; or you '.join(found.says)}. Instead: {'; '.join(found.instead)}."))
        for found in mistakes.caught(e.written.network, e.inputs, e.digits)
    )
    if rows:
        yield Heading(2, say("If you got another number"))
        yield Cases(rows)


def _first(values: tuple[str, ...]) -> Text:
    """The results of the first few units."""
    return numbers(values) if len(values) <= FEW else joined((numbers(values[:FEW]), say("…")))


def code(e: Explanation) -> Iterator[Part]:
    """The equations as NumPy has them, where the network is emitted."""
    from symgru.backends.numpy.files import listing

    try:
        text = listing(e.network)
    except SymgruError:
        return
    yield Heading(2, say("The same as code"))
    yield Paragraph(say("From `symgru emit numpy`, which adds the weights and a test; `symgru emit c` writes C."))
    yield Listing(text)
