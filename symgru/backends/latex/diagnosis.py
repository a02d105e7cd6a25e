"""What a diagnosis says, as standalone LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symgru.backends.latex.worked import LatexWriter
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.diagnosis import outline
from symgru.lesson.parts import Part
from symgru.templating import stream


def render_diagnosis(d: Diagnosis, evidence: Iterable[Part] = ()) -> Iterator[str]:
    """The report; `evidence` is what else is known where nothing fits."""
    return stream("latex/diagnosis.tex.j2", d=d, parts=LatexWriter().write(outline(d, evidence)))
