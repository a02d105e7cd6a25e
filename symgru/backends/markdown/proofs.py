"""The proofs as Markdown, their formulas as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from symgru.backends.latex.proofs import RELATIONS, LatexNumbersOnly, LatexVectors
from symgru.backends.proofs import Speaker, displayed, notation
from symgru.proofs.claims import Step
from symgru.templating import stream

if TYPE_CHECKING:
    from symgru.proving import Result


class MarkdownSpeaker(Speaker):
    """Names of cells as code."""

    def code(self, name: str) -> str:
        return f"`{name}`"


SPEAKER = MarkdownSpeaker(LatexNumbersOnly(), LatexVectors(notation("t-1")), RELATIONS, "$")


def render_proofs(results: Sequence[Result]) -> Iterator[str]:
    """Each statement with its argument and its false twins."""
    return stream("markdown/proofs.md.j2", proofs=map(_proof, results))


def _proof(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "verdict": result.verdict,
        "statement": SPEAKER.paragraph(result.argument.statement),
        "steps": map(_step, result.argument.steps),
        "twins": [
            (SPEAKER.sentence(t.twin.says), t.verdict, SPEAKER.sentence(t.twin.counterexample.says))
            for t in result.refuted
        ],
    }


def _step(step: Step) -> dict[str, Any]:
    formulas, sentences = displayed(step)
    return {
        "says": SPEAKER.sentence(step.says),
        "formulas": [SPEAKER.formula(formula) for formula in formulas],
        "sentences": [SPEAKER.sentence(pieces) for pieces in sentences],
    }
