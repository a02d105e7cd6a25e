"""What a diagnosis says, as standalone LaTeX."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.latex.worked import LatexWriter
from symgru.diagnosis.against import Disagreement
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.against import outline as of_two
from symgru.lesson.diagnosis import outline
from symgru.lesson.grounds import Grounds
from symgru.templating import stream


def render_diagnosis(d: Diagnosis, known: Grounds | None = None) -> Iterator[str]:
    """The report; `known` is what there is to say where nothing fits; it is found where it is not given."""
    return stream("latex/diagnosis.tex.j2", d=d, parts=LatexWriter().write(outline(d, known)))


def render_disagreement(d: Disagreement) -> Iterator[str]:
    """Two models beside each other."""
    return stream("latex/diagnosis.tex.j2", d=d, parts=LatexWriter().write(of_two(d)))
