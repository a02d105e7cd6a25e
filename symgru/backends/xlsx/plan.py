"""Where everything stands in the sheets Steps and Unrounded, which are laid out alike: time runs to the right, lines
run down.

A block is one call of the network: a layer with equations, or a map that looks at values. Its first rows are its input,
each cell a link to where the value comes from; then come its lines, in the order of the equations, unit below unit. The
state before the first step stands in the column left of step 1, so that the state before a step is always to the left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

import numpy as np
from sympy import Expr, Symbol

from symgru.algebra import Mat, Ref, Select, Vec
from symgru.backends.formula import BEFORE, NOW
from symgru.backends.text.document import TEXT
from symgru.backends.xlsx import maps
from symgru.backends.xlsx.printer import SheetPrinter
from symgru.backends.xlsx.ties import as_worked
from symgru.building import build
from symgru.cell import Cell, masked
from symgru.domains import Decimals, Float64
from symgru.drawing.colours import letter
from symgru.errors import UnusableInput
from symgru.explanation import Explanation
from symgru.maps import MAPS
from symgru.network import Array, Call, Edge, Layer, Tensor
from symgru.rounding import PRECISION
from symgru.rules import CALCULATOR
from symgru.trace import Trace, cell_of, run
from symgru.unroll import lower
from symgru.wiring import does, phrase

ROWS, COLUMNS = 1_048_576, 16_384  # of a sheet
NAME, WORDS, START, FIRST = 0, 1, 2, 3  # columns: the line's name, its formula in words, step 0, step 1
TOP = 3  # rows above the first block
PLAIN = re.compile(r"[A-Za-z]\w*", re.ASCII)  # what a range can be called
FEW = 4  # sizes up to which the words write every term out


def column_name(k: int) -> str:
    """A, B, … Z, AA, …"""
    text = ""
    while k >= 0:
        text, k = chr(ord("A") + k % 26) + text, k // 26 - 1
    return text


def address(row: int, column: int) -> str:
    return f"{column_name(column)}{row + 1}"


@dataclass(frozen=True)
class Row:
    """One line of a block for all its columns.

    `formula` is one text for all columns, with placeholders for this column and the one before; without it each column
    has its own, `links`. `start` is what stands in the column of step 0, with its two values. `rounds` says whether
    the rounded sheet rounds it. Values: `chain` of the sheet Steps, `full` of the sheet Unrounded.
    """

    name: str
    words: str
    colour: str
    chain: Array
    full: Array
    formula: str = ""
    links: tuple[str, ...] = ()
    start: tuple[str, float, float] | None = None
    rounds: bool = False
    main: bool = False

    def at(self, column: int) -> str:
        """The formula of one column, counted from step 1."""
        if not self.formula:
            return self.links[column]
        before, now = column_name(FIRST + column - 1), column_name(FIRST + column)
        return self.formula.replace(NOW, now).replace(BEFORE, before)


@dataclass(frozen=True)
class Block:
    """Rows from `top` + 1 on, under a heading at `top`. `mask` is the row of the mask, if any."""

    title: str
    cell: Cell | None
    top: int
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    mask: int | None = None


@dataclass(frozen=True)
class Result:
    """One number of the result: its name, where it stands, and its values in both sheets."""

    name: str
    address: str
    chain: Decimal
    full: float


@dataclass
class Names:
    """Names of ranges: unique without regard to case, and none that looks like a cell."""

    taken: set[str] = field(default_factory=lambda: {"r", "c", "size", "places", "true", "false"})

    def make(self, wanted: str) -> str:
        name = wanted.replace("'", "_")
        if name[-1:].isdigit() and name.isalnum():  # a1 is a cell, and so is abc12
            name += "_"
        while name.lower() in self.taken:
            name += "_"
        self.taken.add(name.lower())
        return name


class Doubles(Float64):
    """The sheet's arithmetic: numbers as they are written, as doubles."""

    def lift(self, tensor: Tensor) -> Array:
        return as_doubles(tensor.text)


def as_doubles(values: Array) -> Array:
    """Texts, Decimals or truth values as doubles."""
    return np.asarray(np.frompyfunc(float, 1, 1)(values), dtype=np.float64)


@dataclass
class Value:
    """A value of the network: the formula of each number, and its values in both sheets. The batch is first."""

    where: Array
    chain: Array
    full: Array

    def map(self, f: Any) -> Value:
        return Value(f(self.where), f(self.chain), f(self.full))


@dataclass(frozen=True)
class Given:
    """A table of the sheet Inputs: rows of numbers as typed, with its name."""

    name: str
    title: str
    top: int
    columns: tuple[str, ...]
    texts: Array
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Everything that the sheets hold, with its place."""

    explanation: Explanation
    blocks: tuple[Block, ...]
    given: tuple[Given, ...]
    weights: Mapping[tuple[str, str], str]  # (layer, parameter): the name of its range
    results: tuple[Result, ...]
    rows: int
    columns: int
    usual: int  # decimals that the other documents carry


def lay_out(e: Explanation, usual: int | None = None) -> Plan:
    """Lay a worked example out, of which the other documents carry `usual` decimals.

    Raises UnusableInput where it is larger than a sheet.
    """
    return replace(_Planner(e).plan(), usual=e.decimals if usual is None else usual)


class _Planner:
    def __init__(self, e: Explanation) -> None:
        self.e, self.network, self.dialect = e, as_worked(e), TEXT.styled(e.style)
        self.shown = {w.trace.call.id: w for w in e.layers}
        self.cells = {call.id: cell for call, layer in self.network if (cell := self._cell(call, layer))}
        self.values: dict[Edge, Value] = {}
        self.names = Names()
        self.given: list[Given] = []
        self.blocks: list[Block] = []
        self.top = TOP
        self.down = 2  # rows used in the sheet Inputs
        weighted = [layer.id for layer in self.network.layers.values() if layer.weights]
        self.prefixed = len(weighted) > 1
        self.weights = {
            (layer.id, name): self.names.make(f"{layer.id}_{shown}" if self.prefixed else shown)
            for layer in self.network.layers.values()
            for name, shown in self._symbols(layer).items()
        }

    def _symbols(self, layer: Layer) -> dict[str, str]:
        """What the formulas in words call a layer's weights, where a range can have that name."""
        found = {name: name for name in layer.weights}
        if layer.kind not in MAPS:
            cell = build(layer.kind, layer.options)
            notation, form = self.dialect.notation(cell, {}, False), self.dialect.syntax()
            for p in (p for p in cell.params if p.name in found):
                shown = form.name(notation.matrix(p) if isinstance(p, Mat) else notation.vector(p))
                found[p.name] = shown if PLAIN.fullmatch(shown) else p.name
        return found

    def _cell(self, call: Call, layer: Layer) -> Cell | None:
        if layer.kind in MAPS:
            return None
        if call.id not in self.shown:
            return cell_of(call, layer)
        cell = CALCULATOR(build(layer.kind, layer.options))
        return masked(cell) if call.mask and cell.states else cell

    def plan(self) -> Plan:
        own = {name: cell for name, cell in self.cells.items() if name in self.shown}
        self.full = run(self.network, self.e.inputs, Doubles(), rewrite=own)
        self.traces = {trace.call.id: trace for trace in self.full.traces}
        for put, tensor in zip(self.network.inputs, self.e.inputs, strict=True):
            self._input(put.id, put.whole, tensor)
        for call, layer in self.network:
            if layer.kind in MAPS:
                self._map(call, layer)
            else:
                self._layer(call, layer)
        columns = FIRST + max((len(b.heads) for b in self.blocks), default=1)
        if columns > COLUMNS or max(self.top, self.down) > ROWS:
            raise UnusableInput(
                f"the run takes {self.top:,} rows and {columns:,} columns; a spreadsheet has {ROWS:,} and {COLUMNS:,}: "
                "give fewer time steps"
            )
        return Plan(
            self.e,
            tuple(self.blocks),
            tuple(self.given),
            self.weights,
            tuple(self._results()),
            self.top,
            columns,
            self.e.decimals,
        )

    # ------------------------------------------------------------ inputs

    def _table(self, name: str, title: str, texts: Array, labels: tuple[str, ...], columns: tuple[str, ...]) -> Array:
        """Put a table of numbers into the sheet Inputs; where each of them stands."""
        self.given.append(Given(self.names.make(name), title, self.down, columns, texts, labels))
        first = self.down + 2
        self.down = first + len(texts) + 1
        rows, width = texts.shape
        if 1 + width > COLUMNS or self.down > ROWS:
            raise UnusableInput(f"{title} has {rows:,} rows and {width:,} columns; a spreadsheet cannot hold them")
        letters = [f"${column_name(1 + k)}$" for k in range(width)]
        return np.array([[f"Inputs!{c}{first + t + 1}" for c in letters] for t in range(rows)], dtype=object).reshape(
            texts.shape
        )

    def _input(self, name: str, whole: bool, tensor: Tensor) -> None:
        texts = tensor.text
        flat = texts.reshape(-1, 1) if whole and texts.ndim == 2 else texts.reshape(-1, texts.shape[-1])
        shown = "x" if len(self.network.inputs) == 1 else name
        timed = texts.ndim > 2 or whole
        labels = tuple(f"t = {t}" for t in range(1, len(flat) + 1)) if timed else ("",) * len(flat)
        columns = (shown,) if flat.shape[1] == 1 else tuple(f"{shown}[{k}]" for k in range(1, flat.shape[1] + 1))
        where = self._table(shown, f"Input {shown}, as given", flat, labels, columns).reshape(texts.shape)
        chain = tensor.value if whole else np.asarray(np.frompyfunc(Decimal, 1, 1)(texts), dtype=object)
        edge = Edge(name, "input")
        self.values[edge] = Value(where, chain, self.full.values[edge])

    # ------------------------------------------------------------ maps

    def _map(self, call: Call, layer: Layer) -> None:
        edge = Edge(call.id)
        chain, full = self.e.values[edge], np.asarray(self.full.values[edge])
        where = [self.values[arg].where for arg in call.args] + [
            self._table_cells(layer.id, name, layer.weights[name]) for name in MAPS[layer.kind].tables
        ]
        if layer.kind not in maps.FORMULAS:
            self.values[edge] = Value(maps.moved(layer, where), chain, full)
            return
        found = Value(maps.FORMULAS[layer.kind](layer.options, *where), chain, full)
        self.values[edge] = self._map_block(call, layer, found)

    def _table_cells(self, layer: str, name: str, tensor: Tensor) -> Array:
        own = self.weights[layer, name]
        rows, columns = np.indices(tensor.value.shape) + 1
        return np.asarray(np.frompyfunc(lambda r, c: f"INDEX({own},{r},{c})", 2, 1)(rows, columns), dtype=object)

    def _map_block(self, call: Call, layer: Layer, found: Value) -> Value:
        """Rows for what a map computes, one for each feature."""
        shape = found.where.shape
        featureless = len(shape) == 2 and len(self._shape(call)) == 1 and layer.kind in _MASKS
        flat = found.map(lambda a: a.reshape(-1, 1 if featureless else a.shape[-1]))
        steps, width = flat.where.shape
        timed = featureless or len(shape) > 2
        rows = tuple(
            Row(
                call.id + ("_t" if timed else "") + (f"[{k + 1}]" if width > 1 else ""),
                does(layer) if k == 0 else "",
                "x",
                flat.chain[:, k],
                flat.full[:, k],
                links=tuple(flat.where[:, k]),
                rounds=MAPS[layer.kind].computes,
            )
            for k in range(width)
        )
        top = self._add(f"{call.id}: {phrase(self.network, Edge(call.id))}", None, steps, timed, rows)
        where = [[address(top + 1 + k, FIRST + t) for k in range(width)] for t in range(steps)]
        return Value(np.array(where, dtype=object).reshape(shape), found.chain, found.full)

    def _shape(self, call: Call) -> tuple[int, ...]:
        return self.full.values[Edge(call.id)].shape[1:]

    def _add(
        self, title: str, cell: Cell | None, steps: int, timed: bool, rows: tuple[Row, ...], mask: int | None = None
    ) -> int:
        heads = tuple(f"t = {t}" for t in range(1, steps + 1)) if timed else ("output",) * steps
        top = self.top
        self.blocks.append(Block(title, cell, top, heads, rows, mask))
        self.top += len(rows) + 2
        return top

    # ------------------------------------------------------------ layers

    def _layer(self, call: Call, layer: Layer) -> None:
        cell, trace = self.cells[call.id], self.traces[call.id]
        args = [self.values[edge] for edge in call.args]
        chain = self._chain(call, layer, cell, args)
        if not cell.states:
            self._stateless(call, layer, cell, trace, args, chain)
            return
        batches, y = args[0].where.shape[0], []
        for b in range(batches):
            own = [a.map(lambda v, b=b: v[b]) for a in args]
            columns = {name: (chain[name][b], trace.columns[name][b]) for name in trace.columns}
            y.append(self._block(call, layer, cell, own, columns, b if batches > 1 else None))
        every = Value(*(np.stack([getattr(v, part) for v in y]) for part in ("where", "chain", "full")))
        self.values[Edge(call.id, "state")] = every.map(lambda a: a[:, -1])
        sequences = layer.options.get("return_sequences", False)
        self.values[Edge(call.id)] = every if sequences else self.values[Edge(call.id, "state")]

    def _stateless(
        self, call: Call, layer: Layer, cell: Cell, trace: Trace, args: list[Value], chain: Mapping[str, Array]
    ) -> None:
        where = np.broadcast_arrays(*(a.where for a in args))
        chains = np.broadcast_arrays(*(a.chain for a in args))
        fulls = np.broadcast_arrays(*(a.full for a in args))
        flat = [Value(*(v.reshape(-1, v.shape[-1]) for v in parts)) for parts in zip(where, chains, fulls, strict=True)]
        columns = {
            name: tuple(np.reshape(c[name], (-1, c[name].shape[-1])) for c in (chain, trace.columns))
            for name in trace.columns
        }
        y = self._block(call, layer, cell, flat, columns, None, timed=where[0].ndim > 2)
        leading = where[0].shape[:-1]
        self.values[Edge(call.id)] = y.map(lambda a: a.reshape(*leading, -1))

    def _chain(self, call: Call, layer: Layer, cell: Cell, args: list[Value]) -> Mapping[str, Array]:
        """The rounded chain's numbers of a call, by line."""
        if call.id in self.shown:
            return self.shown[call.id].trace.columns
        domain = Decimals(PRECISION, typed=True, rounding=self.e.rounding)
        with domain.context():
            x, *others = (a.chain[:, None] if a.chain.ndim == 2 else a.chain for a in args)
            more = {s.name: other for s, other in zip(cell.inputs[1:], others, strict=True)}
            return domain.step(cell)(x, None, {**domain.params(cell, layer.weights), **more})

    def _block(
        self,
        call: Call,
        layer: Layer,
        cell: Cell,
        args: list[Value],
        columns: Mapping[str, Any],
        sequence: int | None,
        timed: bool = True,
    ) -> Value:
        """The rows of one layer on one sequence; what it gives, of shape (time, units)."""
        steps = len(args[0].where)
        writer = _Lines(
            self, call, layer, cell, timed, self.top + 1, dict(zip((s.name for s in cell.inputs), args, strict=False))
        )
        rows = [*writer.inputs(args)]
        mask = None
        if cell.mask is not None:
            m = self.values[cast(Edge, call.mask)].map(lambda a: a[sequence or 0])
            mask = self.top + 1 + len(rows)
            rows.append(writer.masks(m))
        writer.place(mask, columns)
        rows += writer.lines(columns, self._start(call, layer, cell, columns, sequence or 0))
        which = "" if sequence is None else f", sequence {sequence + 1}"
        title = f"{call.id}: {cell.title or cell.name}, {writer.sizes_text()}{which}"
        top = self._add(title, writer.origin, steps, timed, tuple(rows), mask)
        assert top + 1 == writer.top
        output = cell.output
        chain, full = columns[output.name]
        first = writer.rows[output]
        where = np.array(
            [[address(first + i, FIRST + t) for i in range(chain.shape[1])] for t in range(steps)], dtype=object
        ).reshape(chain.shape)
        return Value(where, chain, full)

    def _start(self, call: Call, layer: Layer, cell: Cell, columns: Mapping[str, Any], b: int) -> Value | None:
        """The state before the first step, which the sheet Inputs holds where nothing gives it."""
        if not cell.states:
            return None
        if call.initial:
            return self.values[call.initial[0]].map(lambda a: a[b])
        units = columns[cell.output.name][0].shape[1]
        many = sum(bool(c.states) for c in self.cells.values()) > 1
        letter = cell.states[0][0].name
        texts = np.full((1, units), "0", dtype=object)
        names = (f"{letter}_0",) if units == 1 else tuple(f"{letter}_0[{i}]" for i in range(1, units + 1))
        name = f"{call.id}_{letter}_0" if many else f"{letter}_0"
        where = self._table(name, f"State of {call.id} before the first step", texts, ("",), names)
        return Value(where[0], np.full(units, Decimal(0)), np.zeros(units))

    # ------------------------------------------------------------ results

    def _results(self) -> Iterator[Result]:
        from symgru.backends.worked import output_name

        k = 0
        for edge in self.network.outputs or (Edge(self.network.calls[-1].id),):
            last = self.values[edge].map(lambda a: a.reshape(-1, a.shape[-1])[-1])
            for where, chain, full in zip(last.where, last.chain, last.full, strict=True):
                yield Result(output_name(self.e, self.dialect, k), str(where), Decimal(chain), float(full))
                k += 1


_MASKS = ("not_equal", "any", "not_zero", "until", "started", "both", "either", "unmasked")


class _Lines:
    """Writes the rows of one layer, and knows where its numbers stand."""

    def __init__(
        self,
        planner: _Planner,
        call: Call,
        layer: Layer,
        cell: Cell,
        timed: bool,
        top: int,
        args: Mapping[str, Value],
    ) -> None:
        self.planner, self.call, self.layer, self.cell, self.top = planner, call, layer, cell, top
        self.rows: dict[Symbol, int] = {}
        self.before = dict(cell.states)
        self.after = {new: old for old, new in cell.states}
        self.widths: dict[Symbol, int] = {s: args[s.name].where.shape[1] for s in cell.inputs if s.name in args}
        row = top
        for s in cell.inputs:
            if s in self.widths:
                self.rows[s], row = row, row + self.widths[s]
        base = self.base = _unmasked(cell)
        self.origin = build(layer.kind, layer.options)
        trace = planner.traces[call.id]
        self.sizes = {"D": self.widths[cell.inputs[0]], "H": trace.columns[cell.output.name].shape[-1]}
        self.dialect = planner.dialect
        self.notation = self.dialect.notation(base, self.sizes, timed)
        self.printer = SheetPrinter(self)

    def place(self, mask: int | None, columns: Mapping[str, Any]) -> None:
        """Fix the rows of what the equations define."""
        row = self.top + sum(self.widths.values()) + (mask is not None)
        if mask is not None:
            self.rows[cast(Symbol, self.cell.mask)] = mask
        for lhs, _ in self.equations():
            self.rows[lhs] = row
            self.widths[lhs] = columns[lhs.name][0].shape[1]
            row += self.widths[lhs]

    def equations(self) -> Iterator[tuple[Vec, Expr]]:
        """Those of the cell; under a mask the new state and the choice of it are one line."""
        if self.cell.mask is None:
            yield from self.cell.equations
            return
        *lines, (_, rhs), (after, choice) = self.cell.equations
        yield from lines
        yield after, cast(Expr, Select(choice.args[0], rhs, choice.args[2], evaluate=False))

    def inputs(self, args: list[Value]) -> Iterator[Row]:
        network = self.planner.network
        form = self.dialect.scalar(self.notation)
        for s, arg, edge in zip(
            (s for s in self.cell.inputs if s != self.cell.mask), args, self.call.args, strict=True
        ):
            for k in range(self.widths[s]):
                name = form.scalar(Ref(s, (k,), 0)) if self.base.dims[s][0] in self.sizes else f"{s.name}[{k + 1}]"
                words = phrase(network, edge) if k == 0 else ""
                yield Row(name, words, "x", arg.chain[:, k], arg.full[:, k], links=tuple(map(str, arg.where[:, k])))

    def masks(self, m: Value) -> Row:
        words = "the mask: 0 keeps the state as it was"
        return Row("m_t", words, "x", m.chain, m.full, links=tuple(map(str, m.where)))

    def lines(self, columns: Mapping[str, Any], start: Value | None) -> Iterator[Row]:
        words = self._words()
        for lhs, rhs in self.equations():
            chain, full = columns[lhs.name]
            main = "_" not in lhs.name
            for i in range(self.widths[lhs]):
                first = None
                if lhs in self.after and start is not None:
                    first = (str(start.where[i]), float(start.chain[i]), float(start.full[i]))
                name, text = words[lhs, i]
                formula = self.printer.formula(rhs, i)
                colour = letter(self.origin, lhs.name)
                yield Row(name, text, colour, chain[:, i], full[:, i], formula, (), first, True, main)

    def _words(self) -> dict[tuple[Symbol, int], tuple[str, str]]:
        """Name and right side of each line, as the text document writes them."""
        scalar, found = self.dialect.scalar(self.notation), {}
        small = max(self.sizes.values()) <= FEW
        lines = {(line.lhs.of, line.lhs.idx[0]): line.rhs for line in lower(self.base, self.sizes)} if small else {}
        unit = self.dialect.unit(self.notation)
        for lhs, rhs in self.base.equations:
            state = self.after.get(lhs, lhs)
            for i in range(self.widths[lhs]):
                unit.index = str(i + 1)
                name = scalar.scalar(Ref(state, (i,), 0))
                words = scalar.scalar(lines[state, i]) if small else unit.scalar(rhs)
                if lhs in self.after and self.cell.mask is not None:
                    words = scalar.cases("m_t holds", words, scalar.scalar(Ref(state, (i,), -1)))
                found[lhs, i] = name, words
        return found

    def sizes_text(self) -> str:
        units, inputs = self.sizes["H"], self.sizes["D"]
        return f"{units} unit{'s' * (units > 1)}, {inputs} input{'s' * (inputs > 1)}"

    # ------------------------------------------------------------ where the numbers stand (printer.Cells)

    def size(self, s: Symbol) -> int:
        return self.widths[self.before.get(s, s)]

    def one(self, s: Symbol, *index: int) -> str:
        if s not in self.cell.params:
            return f"{self._column(s)}{self._row(s) + (index[0] if s != self.cell.mask else 0) + 1}"
        name = self.planner.weights[self.layer.id, s.name]
        shape = self.layer.weights[s.name].value.shape
        if all(n == 1 for n in shape):
            return name
        return (
            f"INDEX({name},{index[1] + 1},{index[0] + 1})" if isinstance(s, Mat) else f"INDEX({name},1,{index[0] + 1})"
        )

    def every(self, s: Symbol) -> str:
        column, row = self._column(s), self._row(s)
        return f"{column}{row + 1}:{column}{row + self.size(s)}"

    def into(self, m: Symbol, unit: int) -> str:
        name = self.planner.weights[self.layer.id, m.name]
        return name if self.layer.weights[m.name].value.shape[0] == 1 else f"INDEX({name},0,{unit + 1})"

    def _column(self, s: Symbol) -> str:
        return BEFORE if s in self.before else NOW

    def _row(self, s: Symbol) -> int:
        return self.rows[self.before.get(s, s)]


def _unmasked(cell: Cell) -> Cell:
    """The cell that a masked one was made of."""
    if cell.mask is None:
        return cell
    *lines, (_, rhs), (after, _) = cell.equations
    return replace(cell, equations=(*lines, (after, rhs)), inputs=tuple(s for s in cell.inputs if s != cell.mask))
