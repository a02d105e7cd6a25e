"""The worked example as Markdown that GitHub, StackExchange and Jupyter show alike.

Equations are LaTeX, one to a $$ block and without an environment, since not every renderer knows the same ones. Lines
with numbers are plain text in fenced blocks: whoever copies them can type them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symgru.backends.latex.document import LATEX
from symgru.backends.markdown.document import markdown_text, table, whole
from symgru.backends.text.document import TEXT
from symgru.backends.text.worked import TextWriter
from symgru.backends.worked import element_name, result_name
from symgru.explanation import Explanation
from symgru.lesson.extent import EVERYTHING, Extent
from symgru.lesson.outline import outline
from symgru.lesson.parts import (
    WHOSE,
    Box,
    Cases,
    Equations,
    Heading,
    Lines,
    Listing,
    Pair,
    Paragraph,
    Part,
    Picture,
    Results,
    Step,
    Table,
    Vectors,
    Weights,
)
from symgru.lesson.prose import Prose
from symgru.lesson.writer import Writer
from symgru.styles import DEFAULT, Style
from symgru.templating import stream


def render_explanation(
    e: Explanation, extent: Extent = EVERYTHING, parts: Iterable[Part] | None = None
) -> Iterator[str]:
    """The worked example in one file; pictures are left out, since a file cannot hold them."""
    written_parts = MarkdownWriter(e.style).write(outline(e, extent) if parts is None else parts)
    return stream("markdown/explanation.md.j2", e=e, parts=written_parts, spelling=spelling(e))


def spelling(e: Explanation) -> str:
    """How the symbols of the text blocks are spelled in the formulas, by the example of the layer that shows most."""
    layer = max(e.layers, key=lambda layer: (max(layer.sizes.values()) > 1, bool(layer.cell.states)))
    forms = [TEXT.styled(e.style), LATEX.styled(e.style)]
    pairs = [(result_name(layer, form, 0), element_name(layer, form)) for form in forms]
    alike = " and ".join(f"`{plain}` for ${latex}$" for plain, latex in zip(*pairs, strict=True))
    return f"The text blocks write {alike}."


class MarkdownWriter(Writer):
    """Sentences spell their symbols as the text blocks do."""

    def __init__(self, style: Style = DEFAULT) -> None:
        self.text = TextWriter(style)
        plain = replace(self.text.worked, quoted="`")
        prose = Prose(plain, words, markdown_text, lambda code: f"`{code}`", plain.number)
        super().__init__(prose, LATEX.styled(style), self.text.worked)

    def heading(self, part: Heading) -> str:
        return f"{'#' * part.level} {part.text(self.prose)}\n\n"

    def paragraph(self, part: Paragraph) -> str:
        lead = f"*{part.lead}.* " if part.lead else ""
        return f"{lead}{part.text(self.prose)}\n\n"

    def equations(self, part: Equations) -> str:
        rows = (" = ".join((e.left(self.formulas), *(side(self.formulas) for side in e.right))) for e in part.rows)
        return "".join(f"$$\n{whole(row)}\n$$\n\n" for row in rows)

    def results(self, part: Results) -> str:
        return fenced(self.text.results(replace(part, after=lambda p: part.after(self.prose))))

    def step(self, part: Step) -> str:
        title, _, starts = self.text.step(part).strip().partition("\n")
        return f"#### {title}\n\n" + (fenced(starts + "\n") if starts else "")

    def lines(self, part: Lines) -> str:
        return fenced(self.text.lines(part))

    def pair(self, part: Pair) -> str:
        """A block in the colours of a difference, which GitHub and StackOverflow give to lines with + and -."""
        heads = [f"{sign} {whose}" for sign, whose in zip("+-", WHOSE, strict=True)]
        mark = "**Here they part:**\n\n" if part.marked else ""
        return mark + fenced(self.text.beside(part, heads), "diff")

    def vectors(self, part: Vectors) -> str:
        return fenced(self.text.vectors(part))

    def table(self, part: Table) -> str:
        rows = [[cell(self.prose) for cell in row] for row in part.rows]
        return table([head(self.prose) for head in part.heads], rows, part.left) + "\n\n"

    def cases(self, part: Cases) -> str:
        rows = (f"- **{case.term(self.prose)}**: {case.text(self.prose)}\n" for case in part.rows)
        return "".join(rows) + "\n"

    def weights(self, part: Weights) -> str:
        layer, array = part.layer, part.array
        columns = self.text.columns(layer, array).replace("; second row ", "`; second row `")
        head = f"`get_weights()[{array.place}]`: {markdown_text(array.name)}, shape {array.shape}, columns `{columns}`"
        if array.zero:
            return f"{head}; all numbers are 0 and left out below\n\n"
        return f"{head}\n\n" + fenced("\n".join(self.text.blocks(layer, array)) + "\n")

    def picture(self, part: Picture) -> str:
        return ""

    def listing(self, part: Listing) -> str:
        return fenced(part.code, "python")

    def box(self, part: Box) -> str:
        return "".join(map(self.part, part.parts))


def words(text: str) -> str:
    """symgru's own words: 3 x (1*1 + 2*1) is not emphasised."""
    return text.replace("*", r"\*")


def fenced(text: str, language: str = "text") -> str:
    """A block that is shown as it is, without the indentation that all its lines share."""
    rows = text.strip("\n").split("\n")
    indent = min((len(row) - len(row.lstrip()) for row in rows if row.strip()), default=0)
    return f"```{language}\n" + "\n".join(row[indent:] for row in rows) + "\n```\n\n"
