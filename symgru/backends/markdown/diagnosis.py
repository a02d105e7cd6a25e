"""What a diagnosis says, as Markdown that can be posted as an answer where the question was asked."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.markdown.worked import MarkdownWriter, fenced
from symgru.diagnosis.against import Disagreement
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.against import outline as of_two
from symgru.lesson.diagnosis import outline
from symgru.lesson.grounds import Grounds
from symgru.lesson.parts import Equations, Heading
from symgru.templating import stream


def render_diagnosis(d: Diagnosis, known: Grounds | None = None) -> Iterator[str]:
    """The report; `known` is what there is to say where nothing fits; it is found where it is not given."""
    return stream("markdown/diagnosis.md.j2", d=d, parts=PostWriter().write(outline(d, known)))


class PostWriter(MarkdownWriter):
    """Headings as small as within a thread, where the question has the large one; equations as plain as the lines,
    since few forums set them."""

    def heading(self, part: Heading) -> str:
        return f"{'#' * (part.level + 2)} {part.text(self.prose)}\n\n"

    def equations(self, part: Equations) -> str:
        return fenced(self.text.equations(part))


def render_disagreement(d: Disagreement) -> Iterator[str]:
    """Two models beside each other."""
    return stream("markdown/diagnosis.md.j2", d=d, parts=PostWriter().write(of_two(d)))
