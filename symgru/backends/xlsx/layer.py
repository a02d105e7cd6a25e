"""The rows of one layer: its input, its mask, then its lines as formulas, beside the same in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sympy import Expr, Symbol

from symgru.algebra import Mat, Ref, Select, Vec
from symgru.backends.dialect import Dialect
from symgru.backends.notation import BEFORE, NOW
from symgru.backends.xlsx.plan import Row, Value
from symgru.backends.xlsx.printer import SheetPrinter
from symgru.building import build
from symgru.cell import Cell
from symgru.drawing.colours import letter
from symgru.network import Call, Network
from symgru.trace import as_called
from symgru.unroll import lower
from symgru.wiring import phrase

FEW = 4  # sizes up to which the words write every term out


class Lines:
    """Writes the rows of one layer, and knows where its numbers stand."""

    def __init__(
        self,
        network: Network,
        dialect: Dialect,
        weights: Mapping[tuple[str, str], str],  # (layer, parameter): the name of its range
        call: Call,
        base: Cell,  # without a mask
        units: int,
        timed: bool,
        top: int,
        args: Sequence[Value],
    ) -> None:
        self.network, self.dialect, self.weights = network, dialect, weights
        self.call, self.layer, self.base, self.top, self.args = call, network.layers[call.layer], base, top, args
        cell = self.cell = as_called(call, base)
        self.rows: dict[Symbol, int] = {}
        self.before = dict(cell.states)
        self.after = {new: old for old, new in cell.states}
        self.widths: dict[Symbol, int] = {s: a.where.shape[1] for s, a in zip(base.inputs, args, strict=True)}
        row = top
        for s, width in self.widths.items():
            self.rows[s], row = row, row + width
        self.origin = build(self.layer.kind, self.layer.options)
        self.sizes = {"D": self.widths[cell.inputs[0]], "H": units}
        self.notation = dialect.notation(base, self.sizes, timed)
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
        *lines, (lhs, rhs) = self.base.equations
        yield from lines
        mask = self.cell.mask
        yield lhs, rhs if mask is None else cast(Expr, Select(mask, rhs, self.after[lhs], evaluate=False))

    def inputs(self) -> Iterator[Row]:
        form = self.dialect.scalar(self.notation)
        for s, arg, edge in zip(self.base.inputs, self.args, self.call.args, strict=True):
            for k in range(self.widths[s]):
                name = form.scalar(Ref(s, (k,), 0)) if self.base.dims[s][0] in self.sizes else f"{s.name}[{k + 1}]"
                words = phrase(self.network, edge) if k == 0 else ""
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
        name = self.weights[self.layer.id, s.name]
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
        name = self.weights[self.layer.id, m.name]
        return name if self.layer.weights[m.name].value.shape[0] == 1 else f"INDEX({name},0,{unit + 1})"

    def _column(self, s: Symbol) -> str:
        return BEFORE if s in self.before else NOW

    def _row(self, s: Symbol) -> int:
        return self.rows[self.before.get(s, s)]
