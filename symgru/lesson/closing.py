"""How a worked example ends: what it is checked against, what other numbers mean, and the same as code."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.worked import footnote, in_ulps, scientific
from symgru.errors import SymgruError
from symgru.explanation import Check, Explanation
from symgru.lesson.parts import Case, Cases, Heading, Listing, Paragraph, Part, Table
from symgru.lesson.prose import Text, given, number, numbers, say


def verification(e: Explanation) -> Iterator[Part]:
    """The box: this page's result, the exact one, and the framework's."""
    last = say(" of the output after step {t}, the last", t=str(e.sequence)) if e.sequence > 1 else say("")
    yield Heading(2, say("Verification{last}", last=last))
    columns = 4 if e.framework else 3  # only what the framework gives has ulps
    heads = (say(""), say("value"), say("difference"), say("ulps"))[:columns]
    rows = (_check(check)[:columns] for checks in (e.checks, e.framework_rows) for check in checks())
    yield Table(heads, rows, 1, boxed=len(e.results) <= 3, slow=e.framework is not None)
    yield Paragraph(say(f"{footnote(e)} {e.proof}"))


def _check(check: Check) -> tuple[Text, ...]:
    unit = f", unit {check.component}" if check.component else ""
    difference = "" if check.difference is None else scientific(check.difference)
    return given(check.says + unit), number(check.text), number(difference), number(in_ulps(check.ulps))


def caught(e: Explanation) -> Iterator[Part]:
    """Other numbers that people get for this network, and what leads to each."""
    from symgru import mistakes

    rows = tuple(
        Case(numbers(found.values), say(f"You {'; or you '.join(found.says)}. Instead: {'; '.join(found.instead)}."))
        for found in mistakes.caught(e.network, e.inputs, e.digits)
    )
    if rows:
        yield Heading(2, say("If you got another number"))
        yield Cases(rows)


def code(e: Explanation) -> Iterator[Part]:
    """The equations as NumPy has them, where the network is emitted."""
    from symgru.backends.numpy.files import listing

    try:
        text = listing(e.network)
    except SymgruError:
        return
    yield Heading(2, say("The same as code"))
    yield Paragraph(say("From `symgru emit numpy`, which adds the weights and a test; `symgru emit c` writes C."))
    yield Listing("python", lambda: text)
