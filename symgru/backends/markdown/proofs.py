"""The proofs as Markdown, their formulas as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from symgru.backends.latex.proofs import RELATIONS, LatexNumbersOnly, LatexVectors
from symgru.backends.proofs import Speaker, notation
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
    proofs = (SPEAKER.proof(result, lambda formulas: [*map(SPEAKER.formula, formulas)]) for result in results)
    return stream("markdown/proofs.md.j2", proofs=proofs)
