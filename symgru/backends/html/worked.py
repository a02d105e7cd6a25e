"""The parts of a worked example as HTML: equations set by ziamath, worked lines as text whose numbers are linked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape

from symgru.algebra import Ref, walk
from symgru.backends.dialect import Dialect
from symgru.backends.html.printer import HTML, html_text, reference, referring
from symgru.backends.html.typeset import Typesetter
from symgru.backends.latex.document import LATEX
from symgru.backends.notation import Name, at_time, row_index
from symgru.backends.svg import render_svg
from symgru.backends.worked import Written, parameter
from symgru.cell import Cell
from symgru.drawing.colours import colours, letter
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
    Side,
    Step,
    Table,
    Vectors,
    Weights,
    Worked,
)
from symgru.lesson.prose import Prose
from symgru.lesson.writer import Writer
from symgru.styles import DEFAULT, Style
from symgru.working import Block, Line, Working

PLACES = ("own", "other")  # classes of the two sides of a pair
SCROLL = 'class="scroll" tabindex="0" role="group"'  # what is wide scrolls by itself, with the keyboard too


def code_text(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def number_text(text: str) -> str:
    return f'<span class="number">{escape(text)}</span>'


class HtmlWriter(Writer):
    """Headings of level 2 begin a section; `opening` is what stands before the first one."""

    def __init__(self, style: Style = DEFAULT, typesetter: Typesetter | None = None) -> None:
        dialect = HTML.styled(style)
        words = Prose(
            replace(dialect, quoted=""), escape, html_text, code_text, lambda text: number_text(dialect.number(text))
        )
        super().__init__(words, LATEX.styled(style), dialect)
        self.typeset = typesetter or Typesetter()
        self.sections = 0
        self.level = 1

    def write(self, parts: Iterable[Part], between: str = "") -> Iterator[str]:
        """The parts in their sections; `between` stands behind what opens the document."""
        yield '<div class="opening">\n'
        stepping = False
        for part in parts:
            if stepping and not isinstance(part, Lines | Vectors | Paragraph):
                yield "</div>\n"
                stepping = False
            if isinstance(part, Heading) and part.level == 2:
                yield "</section>\n" if self.sections else f'</div>\n{between}<div class="rest">\n'
                yield '<section class="chapter">\n'
                self.sections += 1
            yield self.part(part)
            stepping = stepping or isinstance(part, Step)
        yield "</div>\n" * stepping + "</section>\n" * bool(self.sections) + "</div>\n"
        if not self.sections:
            yield between

    def heading(self, part: Heading) -> str:
        self.level = part.level
        return f"<h{part.level}>{part.text(self.prose)}</h{part.level}>\n"

    def paragraph(self, part: Paragraph) -> str:
        lead = f"<strong>{escape(part.lead)}.</strong> " if part.lead else ""
        return f"<p>{lead}{part.text(self.prose)}</p>\n"

    def equations(self, part: Equations) -> str:
        rows = "".join(f'<div class="equation">{self._equation(e)}</div>\n' for e in part.rows)
        return f'<div class="equations{" tied" * part.tied}{" own" * part.own}">\n{rows}</div>\n'

    def _equation(self, e: Equation) -> str:
        left = self.typeset.formula(e.left(self.formulas))
        right = " ".join(self.typeset.formula("= " + side(self.formulas)) for side in e.right)
        return f'<span class="left">{left}</span> <span>{right}</span>'

    def results(self, part: Results) -> str:
        after = part.after(self.prose)
        return f'<p class="results">{self._items(part.rows)}{f", {after}" if after else ""}</p>\n'

    def _items(self, rows: Iterable[Equation]) -> str:
        d = self.worked
        written = (" = ".join((e.left(d), *(side(d) for side in e.right))) for e in rows)
        return " ".join(f'<span class="item">{row}</span>' for row in written)

    def step(self, part: Step) -> str:
        level = min(self.level + 1, 4)
        starts = f'<p class="starts results">{self._items(part.starts)}</p>\n' if part.starts else ""
        return f'<div class="step">\n<h{level}>{part.title(self.prose)}</h{level}>\n{starts}'

    def lines(self, part: Lines) -> str:
        lines = "\n".join(line(part.layer, w, part.t, self.worked) for w in self.written(part))
        unit = "" if part.unit is None else f' data-unit="{part.unit}"'
        return f'<div class="lines" data-layer="{part.layer.place}" data-step="{part.t}"{unit}>\n{lines}\n</div>\n'

    def pair(self, part: Pair) -> str:
        mark = "▶ " if part.marked else ""
        rows = "".join(
            f'<div class="{PLACES[k]}" data-layer="{PLACES[k]}"><span class="whose">{mark}{WHOSE[k]}</span>\n'
            f"{self._side(side, (part.other, part.own)[k])}</div>\n"
            for k, side in part.sides
        )
        return f'<div class="pair{" marked" * part.marked}">\n{rows}</div>\n'

    def _side(self, side: Side, beside: Side) -> str:
        """One of the two lines; the numbers that are others in the line beside it stand out."""
        if side is None:
            return f"<p>{NO_LINE}</p>\n"
        if isinstance(side, Worked):
            written = self.layer(side.layer).written(side.line)
            if isinstance(beside, Worked):
                written = replace(written, numbers=_differing(written.numbers, side.line, beside.line))
            return line(side.layer, written, side.line.t, self.worked) + "\n"
        d = self.worked
        right = " ".join(f'<span class="part">= {each(d)}</span>' for each in side.right)
        return f'<p class="line"><span class="name">{side.left(d)}</span> {right}</p>\n'

    def vectors(self, part: Vectors) -> str:
        rows = self.layer(part.layer).vectors(part.t, part.filled)
        return "".join(
            f'<p class="vector line still"><span class="name">{left}</span> '
            + " ".join(f'<span class="part">= {side}</span>' for side in sides)
            + "</p>\n"
            for left, sides in rows
        )

    def table(self, part: Table) -> str:
        kinds = ["word" if k < part.left else "number" for k in range(len(part.heads))]
        heads = "".join(
            f'<th scope="col" class="{kind}">{head(self.prose)}</th>' if head(self.prose) else "<td></td>"
            for kind, head in zip(kinds, part.heads, strict=True)
        )
        rows = "".join(
            "<tr>"
            + "".join(f'<td class="{kind}">{cell(self.prose)}</td>' for kind, cell in zip(kinds, row, strict=False))
            + "</tr>\n"
            for row in part.rows
        )
        boxed = ' class="boxed"' if part.boxed else ""
        return (
            f'<div {SCROLL} aria-label="Table"><table{boxed}>\n<thead><tr>{heads}</tr></thead>\n'
            f"<tbody>\n{rows}</tbody></table></div>\n"
        )

    def cases(self, part: Cases) -> str:
        rows = "".join(f"<dt>{case.term(self.prose)}</dt><dd>{case.text(self.prose)}</dd>\n" for case in part.rows)
        return f'<dl class="still">\n{rows}</dl>\n'

    def weights(self, part: Weights) -> str:
        layer, array = part.layer, part.array
        head = f"{code_text(f'get_weights()[{array.place}]')}: {html_text(array.name)}, shape {array.shape}"
        if array.zero:
            names = ", ".join(parameter(layer, self.worked, b.symbol) for row in array.blocks for b in row)
            return f"<p>{head}: {names}; all numbers are 0 and left out below.</p>\n"
        tables = "\n".join(self._grid(layer, row) for row in array.blocks)
        label = f"get_weights()[{array.place}], {html_text(array.name)}"
        return f'<p>{head}</p>\n<div {SCROLL} aria-label="{label}" data-layer="{layer.place}">{tables}</div>\n'

    def _grid(self, layer: Working, blocks: tuple[Block, ...]) -> str:
        """One row of blocks: a column for each unit of each gate, a row for each input."""
        units, rows = blocks[0].texts.shape[1], len(blocks[0].texts)
        gates = "".join(
            f'<th scope="colgroup" colspan="{units}" class="coloured {colour(layer, b.symbol.name)}">'
            f"{parameter(layer, self.worked, b.symbol)}</th>"
            for b in blocks
        )
        name = row_index(layer.cell.dims[blocks[0].symbol][1]) if rows > 1 else ""
        corner = "<td></td>" if rows > 1 else ""
        numbered = "".join(f'<th scope="col">i = {i + 1}</th>' for _ in blocks for i in range(units))
        body = "\n".join(
            "<tr>"
            + (f'<th scope="row">{name} = {j + 1}</th>' if name else "")
            + "".join(self._weight(layer, b, i, j) for b in blocks for i in range(units))
            + "</tr>"
            for j in range(rows)
        )
        return (
            f'<table class="weights"><thead><tr>{corner}{gates}</tr>'
            + (f"<tr>{corner}{numbered}</tr>" if units > 1 else "")
            + f"</thead><tbody>\n{body}\n</tbody></table>"
        )

    def _weight(self, layer: Working, block: Block, unit: int, row: int) -> str:
        matrix = len(layer.layer.weights[block.symbol.name].value.shape) > 1
        ref = f"{block.symbol.name}[{unit},{row}]" if matrix else f"{block.symbol.name}[{unit}]"
        text = escape(self.worked.number(str(block.texts[row, unit])))
        return f'<td class="number coloured {colour(layer, block.symbol.name)}" data-ref="{ref}">{text}</td>'

    def picture(self, part: Picture) -> str:
        drawing = render_svg(part.drawing())
        caption = part.caption(self.prose)
        return (
            f'<figure class="still"><div {SCROLL} aria-label="Picture">\n{drawing}</div>'
            f"<figcaption>{caption}</figcaption></figure>\n"
        )

    def listing(self, part: Listing) -> str:
        return f'<pre tabindex="0"><code>{escape(part.code)}</code></pre>\n'

    def box(self, part: Box) -> str:
        return f'<div class="box still">\n{"".join(map(self.part, part.parts))}</div>\n'


def _differing(numbers: str, own: Line, other: Line) -> str:
    """The numbers of a line, those marked that are no such numbers in the other."""
    for ref in {s for s in walk(own.rhs) if isinstance(s, Ref) and own.texts[s] != other.texts.get(s)}:
        named = f'<span data-ref="{reference(ref)}">'
        numbers = numbers.replace(named, named.replace("<span", '<span class="differs"'))
    return numbers


def colour(layer: Working, symbol: str) -> str:
    """The class that gives a symbol its gate's colour."""
    return f"c-{colours(layer.cell)[letter(layer.cell, symbol)].name}"


def line(layer: Working, w: Written, t: int, dialect: Dialect) -> str:
    """One worked line: an element whose text is that of the plain document, name = symbols = numbers = value."""
    more = f'<span class="more"> † {dialect.number(w.line.more)}</span>' if w.line.risky else ""
    since = f'<span class="since">, since {" and ".join(w.since).replace(" > ", " &gt; ")}</span>' if w.since else ""
    value = at_time(referring(w.line.lhs, dialect.number(w.line.text)), t)
    return (
        f'<p class="line {colour(layer, w.line.lhs.of.name)}" data-step="{t}"><span class="name">{w.lhs}</span> '
        f'<span class="part">= {w.symbols}</span> <span class="part">= {at_time(w.numbers, t)}</span> '
        f'<span class="part">= <b class="value">{value}</b>{more}{since}</span></p>'
    )


_FENCED = re.compile(r"`([^`]*)`")
_NAMED = re.compile(r"\b([A-Za-z])(?:_(?:([a-z])|([0-9])))?\b|[0-9]+\.[0-9]+")


def spoken(sentence: str, cell: Cell, d: Dialect) -> str:
    """A sentence of symgru's own whose formulas stand in backquotes; in another style they have its symbols."""
    letters = {s.name[0] for s in cell.dims}
    form = d.syntax()

    def named(found: re.Match[str]) -> str:
        letter, gate, time = found.groups()
        if letter is None:
            return form.number(found[0])
        return form.name(Name(letter, gate or "", time=time or "")) if letter in letters else found[0]

    def formula(found: re.Match[str]) -> str:
        if d.style is DEFAULT:
            return f"<code>{found[1]}</code>"
        return f'<span class="maths">{_NAMED.sub(named, found[1])}</span>'

    return _FENCED.sub(formula, escape(sentence))
