"""What a diagnosis says, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symgru.backends.text.document import gathered
from symgru.backends.text.printer import ascii_text
from symgru.backends.text.worked import TextWriter
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.diagnosis import outline
from symgru.lesson.parts import Part
from symgru.templating import stream


def render_diagnosis(
    d: Diagnosis, ascii: bool = False, header: bool = True, evidence: Iterable[Part] = ()
) -> Iterator[str]:
    """The report; `evidence` is what else is known where nothing fits."""
    parts = TextWriter().write(outline(d, evidence))
    pieces = gathered(stream("text/diagnosis.txt.j2", header=header, d=d, parts=parts))
    return map(ascii_text, pieces) if ascii else pieces
