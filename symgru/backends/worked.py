"""What every worked example shows of a layer: its lines with numbers put in, and its symbols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sympy import Expr, Symbol

from symgru.algebra import Mat, Ref, Vec, rebuild
from symgru.backends.dialect import Dialect
from symgru.backends.formula import ScalarForm, Syntax, Template
from symgru.backends.notation import Name, Notation, at_time, row_index
from symgru.backends.unrolled import shown_times
from symgru.cell import Cell
from symgru.explanation import Explanation
from symgru.network import Array
from symgru.working import Line, Working


@dataclass(frozen=True)
class Written:
    """A line ready to be laid out: lhs = symbols = numbers = value."""

    lhs: str
    symbols: str
    numbers: str
    value: str
    more: str  # the value with two digits more, where a calculator could round it otherwise; else ""
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

    def vectors(self, t: int, filled: bool) -> Iterator[tuple[str, list[str]]]:
        """The lines of step t in matrix form: (left, [symbols, values of all units]), with `filled` the numbers of
        vectors and matrices between the two."""
        layer, d = self.layer, self.dialect
        form = d.matrix(Notation(layer.calculator, layer.sizes, layer.timed))
        after = {new: old for old, new in layer.calculator.states}
        texts = layer.texts(t)
        for lhs, rhs in layer.calculator.equations:
            values = [
                texts[Ref(after.get(lhs, lhs), (k,), 0)] for k in range(layer.sizes[layer.calculator.dims[lhs][0]])
            ]
            numbers = [filled_in(d, rhs, layer, texts)] if filled else []
            yield (
                at_time(form.scalar(lhs), t),
                [at_time(form.scalar(rhs), t), *numbers, d.row(values)],
            )

    def lines(self, t: int) -> Iterator[Written]:
        return map(self.written, self.layer.lines(t))

    def written(self, line: Line) -> Written:
        """A line in the dialect."""
        t, number = line.t, self.dialect.number
        since = tuple(f"{at_time(self._text(c), t)} {'>' if positive else '≤'} 0" for c, positive in line.branch)
        symbols, more = at_time(self._text(line.rhs), t), number(line.more) if line.risky else ""
        return Written(self.ref(line.lhs, t), symbols, self.numbers(line), number(line.text), more, line, since)


def parameter(layer: Working, dialect: Dialect, s: Symbol, row: str = "", column: str = "") -> str:
    """The symbol of a weight, or of its element in a row (of a matrix) and a column of the framework's array."""
    notation = dialect.notation(layer.whole, dict(layer.sizes))
    name = notation.matrix(s, row, column) if isinstance(s, Mat) else notation.vector(s, column)
    return dialect.syntax().name(name)


def input_name(dialect: Dialect, name: str, time: str = "") -> str:
    """An input of the network, at one step where it has several features. `name` is a safe id."""
    return dialect.syntax().name(Name(name.replace("_", ""), time=time))


def columns_first(dialect: Dialect, canonical: Array) -> Array:
    """The texts of a matrix (units, inputs) as the dialect's style shows them: a row for each input where vectors are
    rows, a row for each unit where they are columns."""
    return canonical if dialect.style.columns else canonical.T


def filled_in(dialect: Dialect, e: Expr, layer: Working, texts: Mapping[Ref, str]) -> str:
    """An expression in matrix form with the numbers of its vectors and matrices put in."""
    form = dialect.syntax()
    states = dict(layer.calculator.states)

    def value(s: Expr) -> Expr:
        if isinstance(s, Mat):
            grid = columns_first(dialect, layer.layer.weights[s.name].text)
            return Symbol(form.rows([[dialect.number(str(v)) for v in row] for row in grid]))
        if isinstance(s, Vec):
            at: Literal[None, 0, -1] = None if s in layer.calculator.params else -1 if s in states else 0
            length = layer.sizes[layer.calculator.dims[s][0]]
            return Symbol(form.row([dialect.number(texts[Ref(s, (k,), at)]) for k in range(length)]))
        return s

    return dialect.matrix(Notation(layer.calculator, layer.sizes, layer.timed)).scalar(rebuild(e, value))


def starting_names(layer: Working, dialect: Dialect, t: int) -> list[str]:
    """The symbols that step t starts from: its input, then the state before it."""
    whole = dialect.matrix if max(layer.sizes.values()) > 1 else dialect.unit
    printer = whole(Notation(layer.cell, layer.sizes, layer.timed))
    states = [before for before, _ in layer.cell.states]
    return [at_time(printer.scalar(s), t) for s in (layer.cell.inputs[0], *states)]


def equations(cell: Cell, form: Syntax) -> list[tuple[str, str]]:
    """(left, right) of each equation."""
    return [(form.scalar(lhs), form.scalar(rhs)) for lhs, rhs in cell.equations]


def shown_steps(layer: Working, show: int | None) -> Iterator[int | range]:
    """The same for the steps of a worked layer."""
    return shown_times(range(1, layer.steps + 1), layer.steps, show)


def output_name(e: Explanation, dialect: Dialect, unit: int) -> str:
    """The symbol of one of the results, which are the units of every output: h_4, y[2]."""
    sizes = [y.shape[-1] for y in e.outputs]
    place = next(k for k in range(len(sizes)) if unit < sum(sizes[: k + 1]))
    edge, own = e.network.outputs[place], unit - sum(sizes[:place])
    layer = next((layer for layer in e.layers if layer.trace.call.id == edge.source), None)
    if layer:
        return result_name(layer, dialect, own)
    return dialect.syntax().name(Name("y", index=(str(own + 1),) if sizes[place] > 1 else ()))


def result_name(layer: Working, dialect: Dialect, unit: int) -> str:
    """The symbol of a layer's output after its last step."""
    form = dialect.scalar(Notation(layer.cell, layer.sizes, layer.timed))
    state = {new: old for old, new in layer.cell.states}.get(layer.cell.output, layer.cell.output)
    return at_time(form.scalar(Ref(state, (unit,), 0)), layer.steps)


def element_name(layer: Working, dialect: Dialect) -> str:
    """An element of a layer's kernel: W_z[j,i]."""
    kernel = next(p for p in layer.cell.params if isinstance(p, Mat))
    notation = dialect.notation(layer.cell, dict(layer.sizes))
    return dialect.syntax().name(notation.matrix(kernel, row_index(layer.cell.dims[kernel][1]), "i"))


def summary_symbols(layer: Working) -> list[Symbol]:
    """The columns of the summary: what the cell's own equations define."""
    return list(layer.cell.defined)


def summary_value(layer: Working, s: Symbol, t: int, unit: int) -> str:
    """A quantity's printed value; where a mask keeps the state the gates are not used, and the place is empty."""
    return "" if layer.keeps(t) and s != layer.cell.output else layer.value(s.name, t, unit)
