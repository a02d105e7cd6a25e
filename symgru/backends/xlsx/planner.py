"""Laying a worked example out: the tables of the sheet Inputs one below the other, then a block for each call, in the
order in which they are computed, each number linked to where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import numpy as np

from symgru.algebra import Mat
from symgru.backends.sentences import kind
from symgru.backends.text.document import TEXT
from symgru.backends.worked import output_name
from symgru.backends.xlsx import maps
from symgru.backends.xlsx.layer import Lines
from symgru.backends.xlsx.plan import FIRST, TOP, Block, Given, Plan, Result, Row, Value, address, column_name
from symgru.building import build
from symgru.cell import Cell
from symgru.decimal_domain import Decimals
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.explanation import Explanation
from symgru.maps import MAPS
from symgru.network import Array, Call, Edge, Layer, Tensor
from symgru.rounding import PRECISION
from symgru.rules import CALCULATOR
from symgru.trace import Trace, as_called, run
from symgru.wiring import does, phrase

ROWS, COLUMNS = 1_048_576, 16_384  # of a sheet
PLAIN = re.compile(r"[A-Za-z]\w*", re.ASCII)  # what a range can be called


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
        return tensor.text.astype(np.float64)


def lay_out(e: Explanation, usual: int) -> Plan:
    """Lay a worked example out, of which the other documents carry `usual` decimals.

    Raises UnusableInput where it is larger than a sheet.
    """
    return _Planner(e).plan(usual)


class _Planner:
    def __init__(self, e: Explanation) -> None:
        self.e, self.network, self.dialect = e, e.written.network, TEXT.styled(e.style)
        self.shown = {w.trace.call.id: w for w in e.layers}
        self.cells = {call.id: self._cell(call, layer) for call, layer in self.network if layer.kind not in MAPS}
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

    def _cell(self, call: Call, layer: Layer) -> Cell:
        """What the lines of a call work through, without its mask."""
        cell = build(layer.kind, layer.options)
        return CALCULATOR(cell) if call.id in self.shown else cell

    def plan(self, usual: int) -> Plan:
        own = {call.id: as_called(call, self.cells[call.id]) for call in self.network.calls if call.id in self.shown}
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
            usual,
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
        featureless = len(shape) == 2 and found.full.dtype == bool  # a mask
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
        output = cell.output
        chain, full = columns[output.name]
        writer = Lines(self.network, self.dialect, self.weights, call, cell, chain.shape[1], timed, self.top + 1, args)
        rows = [*writer.inputs()]
        mask = None
        if writer.cell.mask is not None:
            m = self.values[cast(Edge, call.mask)].map(lambda a: a[sequence or 0])
            mask = self.top + 1 + len(rows)
            rows.append(writer.masks(m))
        writer.place(mask, columns)
        rows += writer.lines(columns, self._start(call, layer, cell, columns, sequence or 0))
        which = "" if sequence is None else f", sequence {sequence + 1}"
        title = f"{call.id}: {kind(cell)}, {writer.sizes_text()}{which}"
        top = self._add(title, writer.origin, steps, timed, tuple(rows), mask)
        assert top + 1 == writer.top
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
        start = f"{cell.states[0][0].name}_0"
        texts = np.full((1, units), "0", dtype=object)
        names = (start,) if units == 1 else tuple(f"{start}[{i}]" for i in range(1, units + 1))
        name = f"{call.id}_{start}" if many else start
        where = self._table(name, f"State of {call.id} before the first step", texts, ("",), names)
        return Value(where[0], np.full(units, Decimal(0)), np.zeros(units))

    # ------------------------------------------------------------ results

    def _results(self) -> Iterator[Result]:
        k = 0
        for edge in self.network.outputs or (Edge(self.network.calls[-1].id),):
            last = self.values[edge].map(lambda a: a.reshape(-1, a.shape[-1])[-1])
            for where, chain, full in zip(last.where, last.chain, last.full, strict=True):
                yield Result(output_name(self.e, self.dialect, k), str(where), Decimal(chain), float(full))
                k += 1
