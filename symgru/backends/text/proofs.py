"""The proofs as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from symgru.backends.proofs import Speaker, Statements, displayed, notation
from symgru.backends.text.document import WIDTH
from symgru.backends.text.printer import Text, TextMatrix, ascii_text
from symgru.proofs.claims import Step
from symgru.templating import stream
from symgru.wording import counted

if TYPE_CHECKING:
    from symgru.proving import Result

RELATIONS = {"=": "=", "!=": "≠", "<": "<", ">": ">", "<=": "≤", ">=": "≥", "->": "→"}
ASCII = str.maketrans({"≥": ">=", "≠": "!=", "→": "->", "²": "^2"})
POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Spelling(Statements):
    def raised(self, base: str, power: str) -> str:
        return base + power.translate(POWERS)

    def slope(self, variable: str, body: str) -> str:
        return f"d/d{variable} {body}"


class TextNumbersOnly(_Spelling, Text):
    """Statements about numbers."""


class TextVectors(_Spelling, TextMatrix):
    """Statements about what a cell computes."""


SPEAKER = Speaker(TextNumbersOnly(), TextVectors(notation("(t-1)")), RELATIONS, "")


def render_proofs(results: Sequence[Result], ascii: bool = False, header: bool = True) -> Iterator[str]:
    """Each statement with its argument and its false twins."""
    pieces = stream("text/proofs.txt.j2", header=header, proofs=map(_proof, results))
    return map(in_ascii, pieces) if ascii else pieces


def _proof(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "verdict": result.verdict,
        "statement": paragraph(SPEAKER.paragraph(result.argument.statement)),
        "steps": [_step(k, step) for k, step in enumerate(result.argument.steps, 1)],
        "twins": [
            paragraph(f"{t.statement}{': ' * bool(t.verdict)}{t.verdict}", "- ") + "\n" + paragraph(t.evidence, "  ")
            for t in result.refuted
        ],
    }


def _step(k: int, step: Step) -> dict[str, Any]:
    formulas, sentences = displayed(step)
    return {
        "says": paragraph(SPEAKER.sentence(step.says), f"{k}. "),
        "lines": [
            *("     " + SPEAKER.formula(formula) for formula in formulas),
            *(paragraph(SPEAKER.sentence(pieces), "   ") for pieces in sentences),
        ],
    }


def row(result: Result) -> str:
    """A proof and its false twins in the table that `symgru prove` prints."""
    head = f"{result.name:<17}{'proved' if result.holds else 'FAILED':<6}{1000 * result.seconds:>5.0f} ms  "
    lines = [_hanging(head, result.statement)]
    for twin in result.refuted:
        head = f"{'':<17}{'false' if twin else 'NOT REFUTED':<16}"
        lines.append(_hanging(head, f"{twin.statement}; {twin.evidence}"))
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """20 statements proved and 48 false ones refuted in 0.6 s."""
    proved = sum(result.holds for result in results)
    twins = [bool(twin) for result in results for twin in result.refuted]
    failed = "" if all(results) else f"; {len(results) - proved} NOT PROVED, {len(twins) - sum(twins)} NOT REFUTED"
    seconds = sum(result.seconds for result in results)
    done = f"{counted(proved, 'statement')} proved, {counted(sum(twins), 'false twin')} refuted"
    return f"{done}{failed}, in {seconds:.2f} s"


def _hanging(head: str, text: str) -> str:
    """Text wrapped beside what stands to its left."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def in_ascii(text: str) -> str:
    """The same for a terminal without Unicode."""
    return ascii_text(text.translate(ASCII))


def paragraph(text: str, lead: str = "") -> str:
    """A paragraph, wrapped; what begins it stands out to the left."""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent="  " + lead,
        subsequent_indent="  " + " " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
