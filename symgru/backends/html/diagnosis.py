"""What a diagnosis says, as one web page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symgru.backends.html.page import page
from symgru.backends.html.worked import HtmlWriter
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.diagnosis import outline, title
from symgru.lesson.parts import Part


def render_diagnosis(d: Diagnosis, evidence: Iterable[Part] = ()) -> Iterator[str]:
    """The report; `evidence` is what else is known where nothing fits."""
    writer = HtmlWriter()
    pieces = writer.write(outline(d, evidence))
    return page(title(d)(writer.prose), pieces, writer.typeset, None, writer.worked, d.network.fingerprint)
