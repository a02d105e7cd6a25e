"""The worked example as standalone LaTeX that compiles with pdflatex, no line wider than the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symgru.backends.latex.document import LATEX, ROOM, Formula, aligned, worked
from symgru.backends.latex.printer import latex_text
from symgru.backends.latex.table import COLUMN, points, table
from symgru.backends.latex.tikz import TIKZ_MACROS, render_tikz
from symgru.backends.notation import row_index
from symgru.backends.worked import parameter
from symgru.drawing.colours import colours
from symgru.drawing.colours import letter as letter_of
from symgru.drawing.shapes import Drawing
from symgru.explanation import Explanation
from symgru.lesson.extent import EVERYTHING, Extent
from symgru.lesson.outline import outline
from symgru.lesson.parts import (
    NO_LINE,
    WHOSE,
    Box,
    Cases,
    Equation,
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
    Worked,
)
from symgru.lesson.prose import Prose
from symgru.lesson.writer import Writer
from symgru.styles import DEFAULT, Style
from symgru.templating import stream
from symgru.working import WeightArray, Working

PAGE, NARROW = 472.0, 345.0  # points between the margins: of our own page, of LaTeX's article as it comes
WIDE = 455.0  # points that a table may be wide on our page
WORDS = {
    "†": r"$\dagger$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "σ": r"$\sigma$",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
}
BY_HAND = r"\begingroup\jot=10pt"  # room between lines that a reader fills in
DISPLAYS = (r"\begin{align*}", r"\begin{gather*}", BY_HAND)
STAYS = r"\nopagebreak"  # with what comes next
BOXED = 20.0  # points that a box takes from a line
PARTS = {2: "section", 3: "subsection"}


def render_explanation(
    e: Explanation, extent: Extent = EVERYTHING, fragment: bool = False, parts: Iterable[Part] | None = None
) -> Iterator[str]:
    """The worked example, ready to be compiled, or a `fragment` to be \\input."""
    if fragment:
        extent = replace(extent, code=False)  # its lines are too long for a narrow page
    writer = LatexWriter(e.style, NARROW if fragment else PAGE)
    written_parts = writer.write(outline(e, extent) if parts is None else parts)
    return stream("latex/explanation.tex.j2", e=e, parts=written_parts, tikz=TIKZ_MACROS, fragment=fragment)


def breakable(formula: str) -> str:
    """A formula in a line of text, which may end between the numbers of a list."""
    return f"${formula}$".replace(r",\ ", "$, $").replace(r";\ ", "$; $")


def words(text: str) -> str:
    """symgru's own words, whose only special characters are these."""
    for character, written in WORDS.items():
        text = text.replace(character, written)
    return text


def own_code(text: str) -> str:
    """symgru's own code, which knows sigma."""
    return rf"\texttt{{{WORDS['σ'].join(latex_text(part, 400) for part in text.split('σ'))}}}"


class LatexWriter(Writer):
    """The parts in the order of the page; colours are those of the gates, each beside its letter."""

    def __init__(self, style: Style = DEFAULT, page: float = PAGE) -> None:
        dialect = LATEX.styled(style)
        self.page = page
        self.room, self.wide = page - (PAGE - ROOM), page - (PAGE - WIDE)
        prose = Prose(dialect, words, latex_text, own_code, self.number)
        super().__init__(prose, dialect, dialect)

    def write(self, parts: Iterable[Part]) -> Iterator[str]:
        """Without a paragraph's end before a displayed formula, which would leave a gap."""
        before = ""
        for text in super().write(parts):
            yield before.rstrip() + "\n" if text.startswith(DISPLAYS) and before else before
            before = text
        yield before

    def number(self, text: str) -> str:
        """A number outside a formula."""
        return f"${self.formulas.number(text)}$"

    def heading(self, part: Heading) -> str:
        title = part.text(self.prose)
        if part.level == 1:
            return rf"{{\raggedright\LARGE\bfseries {title}\par}}" + "\n\n"
        return f"\\{PARTS[part.level]}*{{\\raggedright {title}}}\n"

    def paragraph(self, part: Paragraph) -> str:
        lead = rf"\emph{{{part.lead}.}} " if part.lead else ""
        text = part.text(self.prose)
        return f"{lead}{text}{STAYS if text.endswith(':') else ''}\n\n"

    def equations(self, part: Equations) -> str:
        rows = [self._formula(e) for e in part.rows]
        if part.tied:
            return self.display(rows)
        text = " \\\\[3pt]\n".join(" = ".join((lhs, *sides)) for lhs, sides in rows)
        return f"\\begin{{gather*}}\n{text}\n\\end{{gather*}}\n"

    def _formula(self, e: Equation) -> Formula:
        return e.left(self.formulas), [side(self.formulas) for side in e.right]

    def results(self, part: Results) -> str:
        rows = [breakable(" = ".join((lhs, *sides))) for lhs, sides in map(self._formula, part.rows)]
        if after := part.after(self.prose):
            rows = [f"{rows[0]}, {after}"] if len(rows) == 1 else [*rows, f"all {after}"]
        return "\\par\n".join(rows) + "\\par\n"

    def step(self, part: Step) -> str:
        starts = (breakable(" = ".join((lhs, *sides))) for lhs, sides in map(self._formula, part.starts))
        said = ", \\quad ".join(starts)
        return f"\\subsubsection*{{{part.title(self.prose)}}}\n{{\\raggedright {said}\\par}}{STAYS}\n"

    def lines(self, part: Lines) -> str:
        text = self.display([worked(w) for w in self.written(part)])
        return f"{BY_HAND}\n{text}\\endgroup\n" if part.layer.hidden else text

    def display(self, rows: list[Formula]) -> str:
        """Formulas below each other."""
        return f"\\begin{{align*}}\n{aligned(rows, room=self.room)}\n\\end{{align*}}\n"

    def pair(self, part: Pair) -> str:
        """Each line below whose it is, the two in their own colours; a marked pair in a box."""
        room = self.room - (BOXED if part.marked else 0)
        text = ""
        for k, side in part.sides:
            mark = r"$\triangleright$ " if part.marked else ""
            text += f"\\textcolor{{symgru-{('own', 'other')[k]}}}{{{mark}\\textbf{{{WHOSE[k]}}}}}"
            if side is None:
                text += f": {NO_LINE}\\par\n"
            else:
                rows = aligned([self._side(side)], room=room)
                text += f"{STAYS}\n\\begin{{align*}}\n{rows}\n\\end{{align*}}\n"
        return f"\\symgrubox{{\n{text}}}\n\n" if part.marked else text + "\n"

    def _side(self, side: Equation | Worked) -> Formula:
        return self._formula(side) if isinstance(side, Equation) else worked(self.layer(side.layer).written(side.line))

    def vectors(self, part: Vectors) -> str:
        return self.display(list(self.layer(part.layer).vectors(part.t, part.filled)))

    def table(self, part: Table) -> str:
        rows = [[cell(self.prose) for cell in row] for row in part.rows]
        text = table([head(self.prose) for head in part.heads], rows, part.left, ruled=not part.boxed)
        if self.page < PAGE:
            text = f"{{\\footnotesize {text}}}"
        return f"\\symgrubox{{\n{text}}}\n\n" if part.boxed else text + "\n\n"

    def cases(self, part: Cases) -> str:
        rows = [(case.term(self.prose), case.text(self.prose)) for case in part.rows]
        room = f"{max(points(term) for term, _ in rows) + COLUMN:.0f}pt"
        return "".join(f"\\symgrucase{{{room}}}{{{term}}}{{{text}}}\n" for term, text in rows) + "\n"

    def weights(self, part: Weights) -> str:
        array = part.array
        zero = "; all numbers are 0 and left out below." if array.zero else ""
        call = rf"\symgruroom\texttt{{get\_weights()[{array.place}]}}"
        head = f"{call}: {latex_text(array.name)}, shape ${array.shape}${zero}"
        return "\n".join([head, *([] if array.zero else self.grids(part.layer, array))]) + "\n\n"

    def grids(self, layer: Working, array: WeightArray) -> Iterator[str]:
        """The numbers of an array as tables that fit the page: a column for each unit, coloured by gate, a row for each
        input of a kernel and each unit of a recurrent kernel."""
        cell = layer.cell
        inks = colours(cell)
        for row in array.blocks:
            letter = row_index(layer.cell.dims[row[0].symbol][1]) if len(row[0].texts) > 1 else ""
            columns = [
                (
                    f"symgru-{inks[letter_of(cell, block.symbol.name)].name}",
                    parameter(layer, self.formulas, block.symbol, letter, str(unit + 1)),
                    self.aligned([str(v) for v in block.texts[:, unit]]),
                )
                for block in row
                for unit in range(block.texts.shape[1])
            ]
            widest = max(points(f"${text}$") for _, head, values in columns for text in (head, *values))
            fit = max(1, int((self.wide - 30) // (widest + COLUMN)))
            units = len(columns) // len(row)
            if not letter and len(columns) > fit:
                yield self.upright(columns, units)
                continue
            fit = fit // units * units or fit  # the columns of a gate stay together where they can
            for chunk in (columns[k : k + fit] for k in range(0, len(columns), fit)):
                heads, shades = [f"${head}$" for _, head, _ in chunk], [ink for ink, _, _ in chunk]
                numbers = [[f"${values[k]}$" for _, _, values in chunk] for k in range(len(row[0].texts))]
                if letter:
                    labelled = [[f"${letter} = {k}$", *cells] for k, cells in enumerate(numbers, 1)]
                    yield table(["", *heads], labelled, 1, ["", *shades])
                else:
                    yield table(heads, numbers, colours=shades)

    def upright(self, columns: list[tuple[str, str, list[str]]], units: int) -> str:
        """A single row of an array that is too long for the page: a column for each gate, a row for each unit."""
        gates = [columns[k : k + units] for k in range(0, len(columns), units)]
        rows = [
            [cell for gate in gates for cell in (f"${gate[unit][1]}$", f"${gate[unit][2][0]}$")]
            for unit in range(units)
        ]
        shades = [gate[0][0] for gate in gates for _ in range(2)]
        return table([""] * len(shades), rows, colours=shades, headless=True)

    def aligned(self, texts: list[str]) -> list[str]:
        """A column of numbers of any length, their decimal points below each other."""
        places = [len(text.partition(".")[2]) for text in texts]
        most = max(places) if not any("e" in text for text in texts) else 0
        missing = ["0" * (most - k) if k or not most else "." + "0" * most for k in places]
        return [
            self.formulas.number(text) + (rf"\phantom{{{rest}}}" if most and rest else "")
            for text, rest in zip(texts, missing, strict=True)
        ]

    def picture(self, part: Picture) -> str:
        drawing, caption = self.fitted(part.drawing()), rf"{{\small {part.caption(self.prose)}}}"
        return f"\\begin{{center}}\n{drawing}\\par\\nopagebreak\n{caption}\n\\end{{center}}\n\n"

    def fitted(self, drawing: Drawing) -> str:
        """A picture, no wider than the page."""
        written = render_tikz(drawing)
        return written if drawing.width <= self.wide else rf"\resizebox{{\linewidth}}{{!}}{{{written}}}"

    def listing(self, part: Listing) -> str:
        return f"{{\\footnotesize\n\\begin{{verbatim}}\n{part.code}\\end{{verbatim}}\n}}\n"

    def box(self, part: Box) -> str:
        return f"\\symgrubox{{\n{''.join(map(self.part, part.parts))}}}\n\n"
