"""The worked example as plain text, for the terminal and for .txt files."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import numpy as np

from symgru.backends.text.document import (
    SO_FAR,
    TEXT,
    WIDTH,
    formula,
    gathered,
    nested,
    paragraph,
    table,
    worked,
    written,
)
from symgru.backends.text.printer import ascii_text, plain_text
from symgru.backends.worked import columns_first, parameter
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
    Side,
    Step,
    Table,
    Vectors,
    Weights,
)
from symgru.lesson.prose import Prose
from symgru.lesson.writer import Writer
from symgru.network import Array
from symgru.styles import DEFAULT, Style
from symgru.templating import stream
from symgru.working import Block, WeightArray, Working

MARK = "▶"  # the line at which two calculations part


def render_explanation(
    e: Explanation,
    extent: Extent = EVERYTHING,
    ascii: bool = False,
    header: bool = True,
    parts: Iterable[Part] | None = None,
) -> Iterator[str]:
    """The worked example piece by piece, as it becomes known; `parts` are its own unless others are given."""
    written_parts = TextWriter(e.style).write(outline(e, extent) if parts is None else parts)
    pieces = gathered(stream("text/explanation.txt.j2", header=header, e=e, parts=written_parts))
    return map(ascii_text, pieces) if ascii else pieces


class TextWriter(Writer):
    """The parts as paragraphs of at most 100 columns; pictures have no place here."""

    def __init__(self, style: Style = DEFAULT) -> None:
        dialect = TEXT.styled(style)
        super().__init__(Prose(dialect, str, plain_text, str, dialect.number), dialect, dialect)

    def write(self, parts: Iterable[Part]) -> Iterator[str]:
        """What is known is handed on before what takes seconds."""
        blank = True
        for part in parts:
            if isinstance(part, Table) and part.slow:
                yield SO_FAR
            if text := self.part(part):
                yield text.removeprefix("\n") if blank else text
                blank = text.endswith("\n\n")

    def heading(self, part: Heading) -> str:
        title = part.text(self.prose)
        rule = {1: "═", 2: "─"}.get(part.level)
        return ("" if part.level == 1 else "\n") + f"{title}\n" + (rule * len(title) + "\n" if rule else "")

    def paragraph(self, part: Paragraph) -> str:
        lead = f"{part.lead}: " if part.lead else ""
        return "\n" + paragraph(lead + part.text(self.prose)) + "\n"

    def equations(self, part: Equations) -> str:
        rows = [(e.left(self.formulas), [side(self.formulas) for side in e.right]) for e in part.rows]
        pad = max(len(lhs) for lhs, _ in rows) if part.tied else 0
        return "".join(formula(lhs, sides, pad) + "\n" for lhs, sides in rows)

    def results(self, part: Results) -> str:
        rows = [self._equation(e) for e in part.rows]
        if after := part.after(self.prose):
            rows = [f"{rows[0]}, {after}"] if len(rows) == 1 else [*rows, f"all {after}"]
        return "".join(
            f"  {row[: row.find('=') + 2]}{_hanging(row[row.find('=') + 2 :], row.find('=') + 4)}\n" for row in rows
        )

    def _equation(self, e: Equation) -> str:
        lhs = e.left(self.formulas)
        return formula(lhs, [side(self.formulas) for side in e.right]).strip()

    def step(self, part: Step) -> str:
        starts = [self._equation(e) for e in part.starts]
        title, together = part.title(self.prose), ", ".join(starts)
        if not starts:
            return f"\n{title}\n"
        if len(title) + len(together) + 2 <= WIDTH:
            return f"\n{title}: {together}\n"
        return f"\n{title}:\n" + "".join(f"  from {row}\n" for row in starts)

    def lines(self, part: Lines) -> str:
        lines = self.written(part)
        pad = max((len(w.lhs) for w in lines), default=0)
        return "".join(written(w, pad) + "\n" for w in lines)

    def pair(self, part: Pair) -> str:
        marks = (MARK if part.marked else " ", " ")
        return "\n" + self.beside(part, [f"  {mark} {whose}" for mark, whose in zip(marks, WHOSE, strict=True)])

    def beside(self, part: Pair, heads: Sequence[str]) -> str:
        """The lines of a pair behind their heads."""
        sides = [(heads[k], *self._side(side)) for k, side in part.sides]
        indent, pad = max(map(len, heads)) + 2, max(len(lhs) for _, lhs, _ in sides)
        rows = ((head, formula(lhs, right, pad, indent) if right else " " * indent + lhs) for head, lhs, right in sides)
        return "".join(head + row[len(head) :] + "\n" for head, row in rows)

    def _side(self, side: Side) -> tuple[str, list[str]]:
        """The line of one calculation: what it defines, and what stands behind each equals sign."""
        if side is None:
            return NO_LINE, []
        if isinstance(side, Equation):
            return side.left(self.worked), [right(self.worked) for right in side.right]
        w = self.layer(side.layer).written(side.line)
        return w.lhs, worked(w)

    def vectors(self, part: Vectors) -> str:
        rows = list(self.layer(part.layer).vectors(part.t, part.filled))
        pad = max(len(lhs) for lhs, _ in rows)
        return "".join(formula(lhs, sides, pad) + "\n" for lhs, sides in rows)

    def table(self, part: Table) -> str:
        rows = [[cell(self.prose) for cell in row] for row in part.rows]
        return "\n".join(table([head(self.prose) for head in part.heads], rows, part.left)) + "\n\n"

    def cases(self, part: Cases) -> str:
        rows = [(case.term(self.prose), case.text(self.prose)) for case in part.rows]
        pad = max(len(term) for term, _ in rows) + 4
        return "".join(f"  {term.ljust(pad - 2)}{_hanging(text, pad)}\n" for term, text in rows)

    def weights(self, part: Weights) -> str:
        layer, array = part.layer, part.array
        head = f"  [{array.place}] {array.name}, shape {array.shape}, columns {self.columns(layer, array)}"
        body = ["      all numbers are 0 and left out below"] if array.zero else self.blocks(layer, array)
        return "\n".join([head, *body]) + "\n"

    def columns(self, layer: Working, array: WeightArray) -> str:
        """W_z | W_r | W_n: what each block of an array's columns is."""
        rows = (" | ".join(parameter(layer, self.formulas, block.symbol) for block in row) for row in array.blocks)
        return "; second row ".join(rows)

    def blocks(self, layer: Working, array: WeightArray) -> list[str]:
        """Every number of an array beside its symbol."""
        syntax = self.formulas.syntax()
        cells = [
            [(parameter(layer, self.formulas, b.symbol), self._numbers(self._turned(b))) for b in row]
            for row in array.blocks
        ]
        single = ["   ".join(f"{name} = {texts[0, 0]}" for name, texts in row) for row in cells]
        if all(texts.size == 1 for row in cells for _, texts in row) and max(map(len, single)) < WIDTH - 6:
            return [" " * 6 + line for line in single]
        heads = [(f"{' ' * 6}{name} = ", texts) for row in cells for name, texts in row]
        return [head + nested(texts, len(head), syntax.separator.strip()) for head, texts in heads]

    def _turned(self, block: Block) -> Array:
        """A matrix as the style shows it; a bias is a row in any case."""
        return block.texts if block.is_bias else columns_first(self.formulas, block.texts.T)

    def _numbers(self, texts: Array) -> Array:
        return cast(Array, np.frompyfunc(self.prose.number, 1, 1)(texts))

    def picture(self, part: Picture) -> str:
        return ""

    def listing(self, part: Listing) -> str:
        return "\n" + textwrap.indent(part.code, "    ")

    def box(self, part: Box) -> str:
        text = "\n".join(map(self.part, part.parts)).lstrip("\n")
        return "\n" + re.sub(r"\n{3,}", "\n\n", text)


def _hanging(text: str, indent: int) -> str:
    """A paragraph whose first line stands behind something already."""
    rows = textwrap.wrap(text, WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(rows)
