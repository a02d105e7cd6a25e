"""The reverse sweep as NumPy: one function for each cell, and `gradients` beside `predict`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Symbol

from symgru.adjoint import Adjoint, adjoint
from symgru.algebra import Outer, terms, walk
from symgru.backends.model import Unit
from symgru.backends.numpy.functions import Functions, split
from symgru.backends.numpy.literals import WIDTH
from symgru.backends.numpy.printer import NumPyPrinter
from symgru.layout import BIASES
from symgru.network import Network
from symgru.trace import keeps_time


def backwards(network: Network, units: list[Unit], calls: list[str], functions: Functions) -> dict[str, object]:
    """What the template needs; the derivatives that the cells use are entered into `functions`."""
    cells = {call: _Backward(call, unit) for unit, call in zip(units, calls, strict=True)}
    for cell in cells.values():
        for _, e in (*cell.forward, *cell.reverse.step.equations):
            functions.use(e)
    return {"cells": list(cells.values()), **_body(network, units, calls)}


@dataclass(frozen=True)
class _Backward:
    """The lines of one cell's function."""

    name: str
    unit: Unit

    @cached_property
    def reverse(self) -> Adjoint:
        return adjoint(self.unit.cell)

    @property
    def recurrent(self) -> bool:
        return self.unit.recurrent

    @property
    def arrays(self) -> list[str]:
        return list(self.unit.arrays)

    @cached_property
    def form(self) -> NumPyPrinter:
        return NumPyPrinter({"x": "x_t", "dh1": "dh"} if self.recurrent else {})

    @cached_property
    def forward(self) -> list[tuple[Symbol, Expr]]:
        """The forward lines that a reverse step, or the next step, needs."""
        needed = {*self.reverse.read, *(after for _, after in self.unit.cell.states)}
        lines = []
        for lhs, rhs in reversed(self.reverse.forward.equations):
            if lhs in needed:
                needed |= set(walk(rhs))
                lines.append((lhs, rhs))
        return lines[::-1]

    @property
    def before_keeping(self) -> list[str]:
        """The lines that give what is kept of a step."""
        return [f"{self.form.doprint(lhs)} = {self.form.doprint(rhs)}" for lhs, rhs in self.forward if self.early(lhs)]

    @property
    def after_keeping(self) -> list[str]:
        """The lines that give the next step's state."""
        if self.keeps_output:
            return ["h = h1"]
        return [f"h = {self.form.doprint(rhs)}" for lhs, rhs in self.forward if not self.early(lhs)]

    def early(self, lhs: Symbol) -> bool:
        return self.keeps_output or lhs != self.unit.cell.output

    @property
    def keeps_output(self) -> bool:
        return self.unit.cell.output in self.reverse.read

    @property
    def kept(self) -> str:
        names = [str(s) for s in self.reverse.read if s not in self.unit.cell.inputs]
        return ", ".join(names) + ("," if len(names) == 1 else "")

    @property
    def steps(self) -> list[str]:
        """The reverse step, without what it hands back."""
        given = set(self.reverse.back.values())
        return [f"{lhs} = {self.form.doprint(e)}" for lhs, e in self.reverse.step.equations if lhs not in given]

    @property
    def additions(self) -> Iterator[tuple[str, str]]:
        """Each parameter's gradient and what one step (one call of a cell without a state) adds to it."""
        for p, e in self.reverse.gradients.items():
            yield f"d{p}", " + ".join(map(self.summed, terms(e)))

    def summed(self, e: Expr) -> str:
        """Over the batch."""
        return self.form.doprint(e) if isinstance(e, Outer) else f"{self.form.doprint(e)}.sum(axis=0)"

    def handed(self, symbol: str) -> str:
        """What a step gives for the input or for the state before."""
        back = {s.name: d for s, d in self.reverse.back.items()}[symbol]
        return str(self.form.doprint(dict(self.reverse.step.equations)[back]))

    @property
    def unpack(self) -> list[str]:
        """Lines that cut the arrays into those symbols that are read."""
        used = {s for _, e in (*self.forward, *self.reverse.step.equations) for s in walk(e)}
        return list(self._cut("", used))

    @property
    def unpack_gradients(self) -> list[str]:
        """The same for the gradients, as views into their arrays."""
        return list(self._cut("d", set(self.unit.cell.params)))

    def _cut(self, d: str, used: set[Expr]) -> Iterator[str]:
        for array, rows in self.unit.layout.arrays.items():
            for k, row in enumerate(rows):
                if used & set(row):
                    place = f"{d}{array}[{k}]" if len(rows) > 1 else d + array
                    yield split(tuple(f"{d}{s}" for s in row), place, "" if array in BIASES else ", axis=1")

    @property
    def single(self) -> list[str]:
        """The gradients in the order of the arrays, where each array is one parameter."""
        return [f"d{row[0]}" for rows in self.unit.layout.arrays.values() for row in rows]


def _body(network: Network, units: list[Unit], calls: list[str]) -> dict[str, object]:
    """The lines of `gradients`: forward through every layer but the last, then back through all."""
    forward: list[str] = []
    back: list[list[str]] = []
    first, source = 0, "x"
    for unit, function in zip(units, calls, strict=True):
        last = first + len(unit.arrays)
        given = f"{source}, weights[{first}:{last}]"
        more = f", h_{unit.id}" if unit.recurrent else ""
        more += ", return_sequences=True" if unit.recurrent and unit.sequences else ""
        if unit is not units[-1]:
            forward += _call(f"y_{unit.id} = {function}", f"{given}{more}")
        results = f"d_{unit.id}, {'dx' if source == 'x' else 'dy'}" + (f", dh_{unit.id}" if unit.recurrent else "")
        back.append(_call(f"{results} = {function}_gradients", f"{given}, dy{more}"))
        first, source = last, f"y_{unit.id}"
    width = units[-1].sizes["H"]
    return {
        "forward": forward,
        "back": [line for call in reversed(back) for line in call],
        "weights": _list("dweights", [f"*d_{unit.id}" for unit in units]),
        "states": _list("dstates", [f"dh_{unit.id}" for unit in units if unit.recurrent]),
        "dy_shape": f"(len(x), x.shape[1], {width})" if keeps_time(network) else f"(len(x), {width})",
    }


def _call(head: str, arguments: str) -> list[str]:
    """A call on one line, or its arguments on a line of their own."""
    if len(f"{head}({arguments})") + 8 <= WIDTH:
        return [f"{head}({arguments})"]
    return [f"{head}(", f"    {arguments}", ")"]


def _list(name: str, items: list[str]) -> list[str]:
    """A list on as many lines as it needs."""
    return textwrap.wrap(f"{name} = [{', '.join(items)}]", WIDTH - 4, subsequent_indent=" " * (len(name) + 4))
