"""What every worked example shows of a layer: its lines with numbers put in, and its symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal, cast

from sympy import Expr, Symbol, exp

from symgru.algebra import Across, Dot, Mat, Ref, Vec, rebuild, walk
from symgru.backends.formula import (
    MatrixForm,
    Name,
    Notation,
    NumberForm,
    ScalarForm,
    Syntax,
    Template,
    UnitForm,
    at_time,
    row_index,
    taken_apart,
)
from symgru.cell import Cell
from symgru.derivation import Derivation, gates
from symgru.explanation import Explanation
from symgru.network import Array
from symgru.styles import DEFAULT, Style
from symgru.unroll import Assign, Program
from symgru.wiring import phrase
from symgru.wording import counted
from symgru.working import Line, Working


@dataclass(frozen=True)
class Dialect:
    """One syntax in all its forms, and how it writes a number inside a formula."""

    matrix: Callable[..., MatrixForm]
    unit: Callable[..., UnitForm]
    scalar: Callable[..., ScalarForm]
    numbers: Callable[..., NumberForm]
    syntax: Callable[..., Syntax]
    before: str  # how "t - 1" is written as a time
    quoted: str  # what stands around a symbol within a sentence
    style: Style = DEFAULT

    def styled(self, style: Style) -> Dialect:
        """The same in another style: every form that it makes, and every number."""
        return replace(
            self,
            style=style,
            matrix=partial(self.matrix, style=style),
            unit=partial(self.unit, style=style),
            scalar=partial(self.scalar, style=style),
            numbers=partial(self.numbers, style=style),
            syntax=partial(self.syntax, style=style),
        )

    def notation(self, cell: Cell, sizes: dict[str, int], timed: bool = True) -> Notation:
        """For equations at a general time t."""
        return Notation(cell, sizes, timed, "t", self.before, columns=self.style.columns)

    @cached_property
    def number(self) -> Callable[[str], str]:
        """How a number's text is written: 1.2e-08 as a power of ten in LaTeX, with the style's decimal sign."""
        return self.numbers().plain

    def quote(self, formula: str) -> str:
        """A symbol within a sentence."""
        return f"{self.quoted}{formula}{self.quoted}"

    def listed(self, texts: Iterable[str]) -> str:
        """Numbers one after the other, as they are typed: 1, 2, 9, 8."""
        return self.syntax().separator.join(map(self.number, texts))

    def row(self, texts: Sequence[str]) -> str:
        """The numbers of a vector; a single one stands alone."""
        return self.number(texts[0]) if len(texts) == 1 else self.syntax().row(list(map(self.number, texts)))


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


def elements(cell: Cell, sizes: Mapping[str, int], dialect: Dialect) -> str:
    """Where the elements of a kernel and of a recurrent kernel stand, and from where to where each leads; "" where
    every axis has length 1."""
    said: dict[str, str] = {}
    notation, form, quote = dialect.notation(cell, dict(sizes)), dialect.syntax(), dialect.quote
    for m in (p for p in cell.params if isinstance(p, Mat)):
        units, inputs = cell.dims[m]
        row = row_index(inputs)
        axes = [
            (place, kind, quote(index))
            for place, kind, index, length in (
                ("row", "input" if inputs == "D" else "unit", row, inputs),
                ("column", "unit", "i", units),
            )
            if sizes[length] > 1
        ]
        if row in said or not axes:
            continue
        one, whole = form.name(notation.matrix(m, row, "i")), form.whole(notation.matrix(m), matrix=True)
        across = {"row": "column", "column": "row"} if dialect.style.columns else {}
        stands = [f"{across.get(place, place)} {index}" for place, _, index in axes]
        places = " and ".join(reversed(stands) if across else stands)
        ways = " ".join(f"{'from' if place == 'row' else 'to'} {kind} {index}" for place, kind, index in axes)
        said[row] = f"{quote(one)} stands in {places} of {quote(whole)} and leads {ways}"
    return "; ".join(said.values())


def names(layer: Working, dialect: Dialect) -> Iterator[str]:
    """Sentences that say what the letters of a layer's equations and worked lines are."""
    cell, calculator, form = layer.cell, layer.calculator, dialect.syntax()
    notation = Notation(calculator, layer.sizes, timed=False)

    def spelled(s: Expr) -> str:
        return dialect.quote(form.name(notation.vector(cast(Symbol, s))))

    yield (
        ", ".join(
            f"{spelled(s)} is the {says}" if k == 0 else f"{spelled(s)} the {says}"
            for k, (s, says) in enumerate(gates(cell))
        )
        + "."
    )
    summed = [letter for letter in ("D", "H") if layer.sizes[letter] > 1 and letter in _summed(cell)]
    if summed:
        counted = {"D": "features" if layer.place == 1 else "inputs", "H": "units"}
        yield (
            f"The sum{'s run' if len(summed) > 1 else ' runs'} over "
            + " and ".join(f"{dialect.quote(f'{k} = {layer.sizes[k]}')} {counted[k]}" for k in summed)
            + "."
        )
    parts = list(dict.fromkeys(_parts(calculator, set(calculator.defined) - set(cell.defined), dialect, spelled)))
    if parts:
        yield f"Each part has a line of its own: {', '.join(parts)}."


def _summed(cell: Cell) -> set[str]:
    """The letters of the lengths that sums in the equations run over."""
    nodes = [node for _, e in cell.equations for node in walk(e)]
    products = {cell.dims[node.args[0]][1] for node in nodes if isinstance(node, Dot)}
    return products | {cell.dims[cell.output][0] for node in nodes if isinstance(node, Across)}


def _parts(cell: Cell, parts: set[Vec], dialect: Dialect, spelled: Callable[[Expr], str]) -> Iterator[str]:
    """What each line that only the calculator needs is for, in reading order."""
    for lhs, rhs in cell.equations:
        for node in walk(rhs):
            for part in (cast(Vec, a) for a in node.args if a in parts):
                if node.is_Mul:
                    others = [spelled(s) for s in node.args if isinstance(s, Vec) and s != part]
                    role = f"{' and '.join(others) or 'a number'} multiplies"
                elif isinstance(node, Dot):
                    matrix = cast(Mat, node.args[0])
                    role = f"{dialect.quote(dialect.syntax().name(Name(*matrix.name.split('_'))))} is multiplied by"
                elif node.is_Function:
                    role = _applied(node, dialect)
                else:
                    continue
                yield f"{spelled(part)} is what {role} in {spelled(lhs)}"


def _applied(node: Expr, dialect: Dialect) -> str:
    """σ is taken of"""
    if isinstance(node, exp):
        return f"{dialect.quote('e')} is raised to"
    name = node.args[0].name if isinstance(node, Across) else type(node).__name__
    return f"{dialect.quote(dialect.syntax().function(name, '').removesuffix('()'))} is taken of"


Pairs = list[tuple[str, str]]  # the left and right sides of equations


@dataclass(frozen=True)
class ProgramWriter:
    """Writes an unrolled program in a dialect; each block is printed once and filled in for each step."""

    program: Program
    dialect: Dialect
    timed: bool = True

    @cached_property
    def _form(self) -> ScalarForm:
        notation = Notation(self.program.cell, self.program.sizes, self.timed, shapes=self.program.shapes)
        return self.dialect.scalar(notation)

    def _pairs(self, lines: tuple[Assign, ...]) -> Pairs:
        return [(self._form.scalar(line.lhs), self._form.scalar(line.rhs)) for line in lines]

    def once(self) -> Pairs:
        """What is computed before the first step."""
        return self._pairs(self.program.once)

    def blocks(self) -> Iterator[tuple[range, Pairs]]:
        """Each block once, with placeholders for the time, and the steps it holds for."""
        return ((block.times, self._pairs(block.lines)) for block in self.program.blocks)

    def closed(self) -> Pairs:
        """The last state as one formula in inputs and parameters."""
        known: dict[tuple[Ref, int], Expr] = {(line.lhs, 0): line.rhs for line in self.program.once}
        result: list[tuple[str, str]] = []
        for t, line in self.program.lines():

            def value(s: Expr, t: int = t) -> Expr:
                if not isinstance(s, Ref):
                    return s
                time = 0 if s.dt is None else t + s.dt
                now = Ref(s.of, s.idx, None if s.dt is None else 0)
                return known.get((now, time), Symbol(at_time(self._form.scalar(s), t)))

            known[line.lhs, t] = rebuild(line.rhs, value)
            if t == self.program.steps and line.lhs.of in {before for before, _ in self.program.cell.states}:
                result.append((at_time(self._form.scalar(line.lhs), t), self._form.scalar(known[line.lhs, t])))
        return result


def made_params(made: Mapping[Symbol, Expr], dialect: Dialect) -> Pairs:
    """d_z = b_z + c_z, for each parameter that a rule made."""
    form = dialect.syntax()

    def written(e: Expr) -> Expr:
        return Symbol(form.name(_name(e))) if isinstance(e, Vec | Mat) else e

    return [(form.name(_name(s)), form.scalar(rebuild(e, written))) for s, e in made.items()]


def _name(s: Symbol) -> Name:
    """A parameter as a whole: letter, primes, gate."""
    return Name(*taken_apart(s.name))


def shown_times(times: range, steps: int, show: int | None) -> Iterator[int | range]:
    """The steps of a block that are shown: all, or where `show` is given the first and last so many; what is left out
    comes as a range."""
    if show is None or steps <= 2 * show + 1:
        yield from times
        return
    middle = range(max(times.start, show + 1), min(times.stop, steps - show + 1))
    yield from range(times.start, min(times.stop, show + 1))
    if middle:
        yield middle
    yield from range(max(times.start, steps - show + 1), times.stop)


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


def ending(e: Explanation) -> str:
    """What the result is where it is not simply what a layer gives, as a sentence; else ""."""
    shown = {layer.trace.call.id for layer in e.layers}
    said = [phrase(e.network, edge) for edge in e.network.outputs if edge.source not in shown]
    if not said:
        return ""
    return (
        f"The result y is {said[0]}." if len(e.network.outputs) == 1 else f"Of the results y is {'; y is '.join(said)}."
    )


def source(layer: Working) -> str:
    """Where a layer's input x comes from, as a sentence; "" for the first of a chain."""
    if layer.source:
        return f"Its input x is {layer.source}, rounded as printed there."
    return f"Its input x is the output of layer {layer.place - 1}, rounded as printed there." if layer.place > 1 else ""


SENTENCE = 2000  # characters of a sentence, as against those of a name


def notes(e: Explanation) -> list[str]:
    """What there is to know of the layers shown, each once."""
    return list(dict.fromkeys(note for layer in e.layers for note in layer.layer.notes))


def held(layer: Working, t: int) -> str:
    """What a step says at which a mask keeps the state."""
    ((_, after),) = layer.cell.states
    values = ", ".join(layer.value(after.name, t, k) for k in range(layer.sizes["H"]))
    return f"The mask does not hold at this step, and the state stays as it was: {values}."


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


def footnote(e: Explanation) -> str:
    """What the numbers of the verification box are compared with."""
    if e.framework is None:
        return f"The difference is to the exact value{' from the decimals shown above' if e.stored_differs else ''}."
    sides = (
        ": this page's to that from the decimals shown above, the framework's to that from the stored numbers"
        if e.stored_differs
        else ""
    )
    return (
        f"The difference is to the exact value of the same weights{sides}; ulps are units in the last place of a "
        f"{e.network.dtype}."
    )


def summary_symbols(layer: Working) -> list[Symbol]:
    """The columns of the summary: what the cell's own equations define."""
    return list(layer.cell.defined)


def summary_value(layer: Working, s: Symbol, t: int, unit: int) -> str:
    """A quantity's printed value; where a mask keeps the state the gates are not used, and the place is empty."""
    return "" if layer.keeps(t) and s != layer.cell.output else layer.value(s.name, t, unit)


def scientific(v: float | object) -> str:
    """A small difference with two digits; 0 where there is none."""
    return f"{float(v):.1e}" if float(v) else "0"  # type: ignore[arg-type]


def in_ulps(v: float | None) -> str:
    if v is None:
        return ""
    return f"{v:.1f}" if v < 1000 else f"{v:.0f}"


def operation_kinds(d: Derivation) -> list[str]:
    """The kinds of operation that occur in any stage."""
    return [k for k in ("*", "+", "/", "function") if any(s.after[k] for s in d.stages)]


def kind(cell: Cell) -> str:
    """What a cell is called in a title."""
    return cell.title or cell.name


def sizes_text(layer: Working) -> str:
    """2 units, 3 features."""
    return _sizes(layer.sizes, layer.place)


def _sizes(sizes: Mapping[str, int], place: int) -> str:
    return f"{counted(sizes['H'], 'unit')}, {counted(sizes['D'], 'feature' if place == 1 else 'input')}"


def part_title(d: Derivation, quoted: Callable[[str], str]) -> str:
    """Layer 1, “gru”: GRU, 8 units, 1 feature; what stands over a network's layer. `quoted` makes its name harmless."""
    if d.layer is None:
        return ""
    return f"Layer {d.place}, {quoted(d.layer.label)}: {kind(d.cell)}, {_sizes(d.sizes, d.place)}"
