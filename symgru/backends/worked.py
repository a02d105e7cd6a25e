"""What every worked example shows of a layer: its lines with numbers put in, and its symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Symbol

from symgru.algebra import Ref
from symgru.backends.formula import MatrixForm, Notation, NumberForm, ScalarForm, Syntax, Template, UnitForm, at_time
from symgru.cells import Cell
from symgru.derivation import Derivation
from symgru.explanation import Explanation
from symgru.unroll import Program
from symgru.working import Line, Working


@dataclass(frozen=True)
class Dialect:
    """One syntax in all its forms, and how it writes a number inside a formula."""

    matrix: type[MatrixForm]
    unit: type[UnitForm]
    scalar: type[ScalarForm]
    numbers: type[NumberForm]
    syntax: type[Syntax]
    before: str  # how "t - 1" is written as a time

    def notation(self, cell: Cell, sizes: dict[str, int], timed: bool = True) -> Notation:
        """For equations at a general time t."""
        return Notation(cell, sizes, timed, "t", self.before)


@dataclass(frozen=True)
class Written:
    """A line ready to be laid out: lhs = symbols = numbers = value."""

    lhs: str
    symbols: str
    numbers: str
    line: Line
    since: tuple[str, ...]  # conditions that chose a branch


@dataclass(frozen=True)
class LayerWriter:
    """Writes one layer's worked lines in a dialect; each line is printed once and filled in for each step."""

    layer: Working
    dialect: Dialect

    @cached_property
    def _scalar(self) -> ScalarForm:
        return self.dialect.scalar(Notation(self.layer.calculator, self.layer.sizes, self.layer.timed))

    @cached_property
    def _symbols(self) -> dict[Expr, str]:
        return {}

    @cached_property
    def _templates(self) -> dict[Expr, Template]:
        return {}

    def ref(self, ref: Ref, t: int) -> str:
        return at_time(self._text(ref), t)

    def _text(self, e: Expr) -> str:
        if e not in self._symbols:
            self._symbols[e] = self._scalar.scalar(e)
        return self._symbols[e]

    def numbers(self, line: Line) -> str:
        if line.numeric not in self._templates:
            self._templates[line.numeric] = self.dialect.numbers().template(line.numeric)
        return self._templates[line.numeric].fill(line.texts)

    def starts(self, t: int) -> Iterator[tuple[str, list[str]]]:
        """The input of step t and the state before it: their symbols and numbers."""
        layer, form = self.layer, self.dialect
        whole = form.matrix if max(layer.sizes.values()) > 1 else form.unit
        printer = whole(Notation(layer.cell, layer.sizes, layer.timed))
        yield at_time(printer.scalar(layer.cell.inputs[0]), t), [str(v) for v in layer.x_texts[t - 1]]
        for before, after in layer.cell.states:
            state = [layer.value(after.name, t - 1, k) for k in range(layer.sizes["H"])] if t > 1 else ["0"]
            yield at_time(printer.scalar(before), t), state

    def lines(self, t: int) -> Iterator[Written]:
        for line in self.layer.lines(t):
            since = tuple(f"{self.ref(ref, t)} {'>' if positive else '≤'} 0" for ref, positive in line.branch)
            yield Written(self.ref(line.lhs, t), at_time(self._text(line.rhs), t), self.numbers(line), line, since)


def equations(cell: Cell, form: Syntax) -> list[tuple[str, str]]:
    """(left, right) of each equation."""
    return [(form.scalar(lhs), form.scalar(rhs)) for lhs, rhs in cell.equations]


def program_lines(program: Program, dialect: Dialect) -> Iterator[tuple[range, list[tuple[str, str]]]]:
    """Each block once, as (left, right) with placeholders for the time, and the steps it holds for."""
    form = dialect.scalar(Notation(program.cell, program.sizes))
    for block in program.blocks:
        yield block.times, [(form.scalar(line.lhs), form.scalar(line.rhs)) for line in block.lines]


def output_name(e: Explanation, dialect: Dialect, unit: int) -> str:
    """The result's symbol: h_4, y[2]."""
    last = e.layers[-1]
    form = dialect.scalar(Notation(last.cell, last.sizes, last.timed))
    after = dict(last.cell.states)
    state = {new: old for old, new in after.items()}.get(last.cell.output, last.cell.output)
    return at_time(form.scalar(Ref(state, (unit,), 0)), last.steps)


def summary_symbols(layer: Working) -> list[Symbol]:
    """The columns of the summary: what the cell's own equations define."""
    return list(layer.cell.defined)


def scientific(v: float | object) -> str:
    """A small difference with two digits; 0 where there is none."""
    return f"{float(v):.1e}" if float(v) else "0"  # type: ignore[arg-type]


def in_ulps(v: float) -> str:
    return f"{v:.1f}" if v < 1000 else f"{v:.0f}"


def operation_kinds(d: Derivation) -> list[str]:
    """The kinds of operation that occur in any stage."""
    return [k for k in ("*", "+", "/", "function") if any(s.after[k] for s in d.stages)]


KINDS = {"gru": "GRU", "gru_before": "GRU (reset before the product)", "dense": "Dense layer"}


def kind(cell: Cell) -> str:
    """What a cell is called in a title."""
    return KINDS.get(cell.name) or re.split(r"[;(]", cell.source)[0].strip() or cell.name


def sizes_text(layer: Working) -> str:
    """2 units, 3 features."""
    units, features = layer.sizes["H"], layer.sizes["D"]
    name = "feature" if layer.place == 1 else "input"
    return f"{units} unit{'s' * (units > 1)}, {features} {name}{'s' * (features > 1)}"
