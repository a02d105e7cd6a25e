"""The worked example as a notebook: the Markdown document, and under each step a cell that computes it again.

The last cells are the network as emitted NumPy, its input, and its prediction held against the document's result. Each
cell of code comes with what it prints, so that a notebook that nobody has run shows its numbers.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator

from symgru.backends.markdown.worked import MarkdownWriter, spelling
from symgru.backends.notebook.calculator import Calculator
from symgru.backends.notebook.cells import Cell, Markdown, notebook
from symgru.backends.notebook.emitted import emitted
from symgru.explanation import Explanation
from symgru.lesson.extent import EVERYTHING, Extent
from symgru.lesson.outline import outline
from symgru.lesson.parts import Heading, Lines, Listing, Part, Picture, Step, Vectors, Weights
from symgru.templating import render
from symgru.working import Working

HOW_TO_RUN = (
    "Each cell of code below computes what stands above it once more. Change a weight, an input or a line, and choose "
    "*Run all cells*.\n"
)


def render_explanation(e: Explanation, extent: Extent = EVERYTHING) -> Iterator[str]:
    """The notebook, cell by cell as they become known."""
    return notebook(NotebookWriter(e, extent).cells(outline(e, extent)))


class NotebookWriter(MarkdownWriter):
    """A cell of Markdown for each section and each step."""

    def __init__(self, e: Explanation, extent: Extent) -> None:
        super().__init__(e.style)
        self.explanation = e

        def shows(layer: Working) -> bool:
            return extent.answers and extent.of(layer) != "overview"

        self.calculator = Calculator(e, shows)

    def cells(self, parts: Iterable[Part]) -> Iterator[Cell]:
        """The parts gathered between headings, and after each section the code that belongs to it."""
        section, code, bare = render("notebook/header.md.j2", e=self.explanation), list[Cell](), True
        ready = not self.calculator
        for part in parts:
            if isinstance(part, Heading | Step) and not bare:  # a heading under a heading shares its cell
                if not ready and isinstance(part, Heading) and part.level == 2:
                    ready = True
                    section += HOW_TO_RUN
                    code.append(self.calculator.setup())
                yield from _section(section, code)
                section, code = "", []
            bare = isinstance(part, Heading)
            section += self.part(part)
            code += self._code(part)
        yield from _section(section + spelling(self.explanation), code)

    def _code(self, part: Part) -> Iterator[Cell]:
        """The code that a part calls for, unless its section has it already."""
        if isinstance(part, Listing):
            yield from emitted(self.explanation)
        elif isinstance(part, Weights) and part.array is part.layer.arrays[-1]:
            if writer := self.calculator.of(part.layer):
                yield writer.weights()
        elif isinstance(part, Lines | Vectors):
            writer = self.calculator.of(part.layer)
            if writer and part.t not in writer.given:
                yield from writer.left_out(part.t)
                yield writer.step(part.t)

    def listing(self, part: Listing) -> str:
        return ""

    def picture(self, part: Picture) -> str:
        """An image with its data: JupyterLab shows SVG so, and not as an attachment."""
        from symgru.backends.svg import render_svg

        data = base64.b64encode(render_svg(part.drawing()).encode()).decode()
        caption = part.caption(self.prose)
        alt = html.escape(caption.replace("`", "").replace("\n", " "))
        return f'<img alt="{alt}" src="data:image/svg+xml;base64,{data}">\n\n{caption}\n\n'


def _section(text: str, code: list[Cell]) -> Iterator[Cell]:
    if text.strip():
        yield Markdown(text.strip())
    yield from code
