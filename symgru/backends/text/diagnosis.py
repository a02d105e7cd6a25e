"""What a diagnosis says, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.text.document import gathered
from symgru.backends.text.printer import ascii_text
from symgru.backends.text.worked import TextWriter
from symgru.diagnosis.against import Disagreement
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.against import outline as of_two
from symgru.lesson.diagnosis import outline
from symgru.lesson.grounds import Grounds
from symgru.templating import stream


def render_diagnosis(
    d: Diagnosis, ascii: bool = False, header: bool = True, known: Grounds | None = None
) -> Iterator[str]:
    """The report; `known` is what there is to say where nothing fits; it is found where it is not given."""
    parts = TextWriter().write(outline(d, known))
    pieces = gathered(stream("text/diagnosis.txt.j2", header=header, d=d, parts=parts))
    return map(ascii_text, pieces) if ascii else pieces


def render_disagreement(d: Disagreement, ascii: bool = False, header: bool = True) -> Iterator[str]:
    """Two models beside each other."""
    parts = TextWriter().write(of_two(d))
    pieces = gathered(stream("text/diagnosis.txt.j2", header=header, d=d, parts=parts))
    return map(ascii_text, pieces) if ascii else pieces
