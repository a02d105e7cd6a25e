"""The proofs as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from symgru.backends.latex.printer import Latex, LatexMatrix, latex_text
from symgru.backends.proofs import Speaker, Statements, notation
from symgru.proofs.sentences import Formula
from symgru.templating import stream

if TYPE_CHECKING:
    from symgru.proving import Result

RELATIONS = {"=": "=", "!=": r"\ne", "<": "<", ">": ">", "<=": r"\le", ">=": r"\ge", "->": r"\to"}


class LatexSpelling(Statements):
    """Powers and derivatives."""

    def raised(self, base: str, power: str) -> str:
        return f"{base}^{{{power}}}"

    def slope(self, variable: str, body: str) -> str:
        return rf"\frac{{d}}{{d{variable}}}\,{body}"


class LatexNumbersOnly(LatexSpelling, Latex):
    """Statements about numbers."""


class LatexVectors(LatexSpelling, LatexMatrix):
    """Statements about what a cell computes."""


class LatexSpeaker(Speaker):
    """Names of cells in a typewriter's letters."""

    def code(self, name: str) -> str:
        return rf"\texttt{{{latex_text(name)}}}"


SPEAKER = LatexSpeaker(LatexNumbersOnly(), LatexVectors(notation("t-1")), RELATIONS, "$")


def render_proofs(results: Sequence[Result]) -> Iterator[str]:
    """Each statement with its argument and its false twins."""
    proofs = (SPEAKER.proof(result, lambda formulas: " \\\\\n".join(map(aligned, formulas))) for result in results)
    return stream("latex/proofs.tex.j2", proofs=proofs)


def aligned(formula: Formula) -> str:
    """One row of an align environment: the first relation stands below those of other rows."""
    left, first, *more = SPEAKER.sides(formula)
    return f"{left} &{first.lstrip()}" + "".join(more)
