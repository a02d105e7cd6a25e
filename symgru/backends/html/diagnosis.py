"""What a diagnosis says, as one web page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.html.page import page
from symgru.backends.html.worked import HtmlWriter
from symgru.diagnosis.against import Disagreement
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.against import outline as of_two
from symgru.lesson.against import title as title_of_two
from symgru.lesson.diagnosis import outline, title
from symgru.lesson.grounds import Grounds

STYLES = ("diagnosis.css",)


def render_diagnosis(d: Diagnosis, known: Grounds | None = None) -> Iterator[str]:
    """The report; `known` is what there is to say where nothing fits; it is found where it is not given."""
    writer = HtmlWriter()
    pieces = writer.write(outline(d, known))
    return page(title(d)(writer.prose), pieces, writer.typeset, None, writer.worked, d.network.fingerprint, STYLES)


def render_disagreement(d: Disagreement) -> Iterator[str]:
    """Two models beside each other."""
    writer = HtmlWriter()
    pieces, head = writer.write(of_two(d)), title_of_two(d)(writer.prose)
    return page(head, pieces, writer.typeset, None, writer.worked, d.network.fingerprint, STYLES)
