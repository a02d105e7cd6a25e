"""Schedule `portable` as C: small loops, one order of summation, nothing that a compiler may reorder.

A kernel is a printer of a Schedule; the mathematics is in the cell's equations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from sympy import Expr, Symbol

from symgru.algebra import Mat, Mean, Vec, walk
from symgru.backends.c.names import number
from symgru.backends.c.printer import Formula, LanePrinter
from symgru.backends.model import Unit
from symgru.network import Array
from symgru.pointwise import offset
from symgru.schedule import Phase, Schedule, schedule

WIDTH = 110  # columns of an emitted line


@dataclass(frozen=True)
class Kernel:
    """One layer's C: weights, the function that computes one time step, and what it costs. `own` names another function
    of a layer that has one already (masked, say), which has the same weights."""

    prefix: str
    unit: Unit
    plan: Schedule
    own: str = field(default="", kw_only=True)

    @property
    def function(self) -> str:
        return f"{self.prefix}_{self.own or self.unit.id}_cell"

    @property
    def signature(self) -> str:
        """The function's parameters: the inputs, a mask's truth value, then the state, or what is computed."""
        cell = self.plan.cell
        inputs = [f"const float {v}[{self.length(v)}]" for v in cell.inputs if v != cell.mask]
        mask = [f"int {cell.mask}"] if cell.mask else []
        return ", ".join([*inputs, *mask, f"float {self.state or cell.output}[{self.unit.sizes['H']}]"])

    @property
    def state(self) -> Vec | None:
        return self.unit.cell.states[0][0] if self.unit.recurrent else None

    @property
    def weights(self) -> dict[str, Array]:
        """C name to float64 values, in canonical orientation: one row a unit."""
        own = {name: t.value for name, t in self.unit.layer.weights.items()}
        return {self.weight(name): value for name, value in self.plan.weights(own).items()}

    def weight(self, param: str) -> str:
        return f"{self.prefix}_{self.unit.id}_{param}"

    @property
    def buffers(self) -> dict[str, int]:
        """Local arrays and their lengths: vectors that must be complete before something reads them."""
        whole = [*self.plan.kept, *(lhs for phase in self.plan.phases for lhs, _, _ in phase.across)]
        kept = {v.name: self.length(v) for v in whole if v != self.plan.cell.output}
        return kept | ({self.plan.cell.output.name: self.unit.sizes["H"]} if self.unit.recurrent else {})

    def length(self, v: Symbol) -> int:
        """How many elements a vector of the schedule has; what is not in the cell is one number a unit."""
        return self.unit.sizes[self.plan.cell.dims.get(v, ("H",))[0]]

    @property
    def multiply_adds(self) -> int:
        return self.plan.multiply_adds(self.unit.sizes)

    def equations(self) -> list[str]:
        """The scheduled equations, and what its merged parameters are, for a comment."""
        show = Formula().doprint
        lines = [f"{show(lhs)} = {show(rhs)}" for lhs, rhs in self.plan.cell.equations]
        made = [(p, e, "added" if e.is_Add and p != offset else "worked out") for p, e in self.plan.params.items()]
        return lines + [f"{show(p)} = {show(e)}, {how} once when this file was made" for p, e, how in made]

    def body(self) -> list[str]:
        lines = [f"float {name}[{n}];" for name, n in self.buffers.items()]
        for phase in self.plan.phases:
            lines += self.across(phase)
            for own, e in phase.totals:
                lines += self.total(own, e)
            if phase.start or phase.lanes:
                lines += self.loop(phase)
        if self.unit.recurrent:
            out = self.plan.cell.output
            lines += copy(self.state, self.array(out), self.unit.sizes["H"])
        return lines

    def array(self, v: Symbol) -> str:
        """How the array is spelled that holds a vector."""
        return str(v)

    def local(self, v: Symbol) -> str:
        """How the variable is spelled that holds one unit's element."""
        return str(v)

    def across(self, phase: Phase) -> list[str]:
        return [
            f"{self.prefix}_{name}({self.array(operand)}, {self.array(lhs)}, {self.length(lhs)});"
            for lhs, name, operand in phase.across
        ]

    def total(self, own: Vec, e: Expr) -> list[str]:
        """A sum or mean over all elements, from the first to the last."""
        operand = cast(Expr, e.args[0])
        n = max((self.length(s) for s in walk(operand) if isinstance(s, Vec) and s in self.plan.cell.dims), default=0)
        text = LanePrinter(self.prefix, lambda s: self.place(s, "k")).doprint(operand)
        lines = [
            f"float {self.local(own)} = 0.0f;",
            f"for (size_t k = 0; k < {n}; k++) {{",
            f"    {self.local(own)} += {text};",
            "}",
        ]
        return [*lines, f"{self.local(own)} /= {number(n)};"] if isinstance(e, Mean) else lines

    def loop(self, phase: Phase) -> list[str]:
        """For each unit: its sums, operand by operand, then its equations."""
        lines = [f"for (size_t i = 0; i < {self.unit.sizes['H']}; i++) {{"]
        lines += [f"    float {self.local(acc)} = {self.start(biases)};" for acc, biases in phase.start.items()]
        for operand, pairs in phase.groups.items():
            lines += self.sums(operand, pairs)
        for lhs, rhs in phase.lanes:
            lines += self.lane(lhs, rhs)
        return [*lines, "}"]

    def start(self, biases: tuple[Vec, ...]) -> str:
        return " + ".join(f"{self.weight(b.name)}[i]" for b in biases) or "0.0f"

    def sums(self, operand: Vec, pairs: list[tuple[Vec, Mat]]) -> list[str]:
        return [
            f"    for (size_t k = 0; k < {self.length(operand)}; k++) {{",
            *(f"        {self.local(a)} += {self.weight(m.name)}[i][k] * {self.array(operand)}[k];" for a, m in pairs),
            "    }",
        ]

    def lane(self, lhs: Vec, rhs: Expr) -> list[str]:
        text = LanePrinter(self.prefix, self.place).doprint(rhs)
        if self.is_array(lhs):
            return [f"    {self.array(lhs)}[i] = {text};"]
        return [f"    const float {self.local(lhs)} = {text};"]

    def place(self, s: Symbol, index: str = "i") -> str:
        if s in self.plan.cell.params:
            return f"{self.weight(s.name)}[{index}]"
        return f"{self.array(s)}[{index}]" if self.is_array(s) else self.local(s)

    def is_array(self, s: Symbol) -> bool:
        cell = self.plan.cell
        return s.name in self.buffers or s in {self.state, cell.output, *cell.inputs} - {cell.mask}


def kernel(prefix: str, unit: Unit) -> Kernel:
    return Kernel(prefix, unit, schedule(unit.cell))


def copy(target: object, source: object, n: int) -> list[str]:
    """Lines that copy a vector; a loop, since a freestanding compiler need not have memcpy."""
    return [f"for (size_t i = 0; i < {n}; i++) {{", f"    {target}[i] = {source}[i];", "}"]


def initializer(value: Array, column: int = 0) -> str:
    """Numbers as a C initializer that begins at `column`; long rows are wrapped under their first number."""
    if value.ndim == 2:
        rows = ("    " + initializer(row, 4) for row in value)
        return "{\n" + ",\n".join(rows) + "\n}"
    lines = [""]
    for word in map(number, value):
        if lines[-1] and column + 1 + len(lines[-1]) + len(word) + 2 > WIDTH:
            lines.append("")
        lines[-1] += f"{', ' if lines[-1] else ''}{word}"
    return "{" + (",\n" + " " * (column + 1)).join(lines) + "}"
