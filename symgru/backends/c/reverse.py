"""One layer there and back in C: a forward step that keeps what its reverse reads, and the reverse step.

The mathematics is in the derived equations (`adjoint`); this prints their schedules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from sympy import Expr, Symbol

from symgru.adjoint import Adjoint, adjoint
from symgru.algebra import Across, Outer, Total, Transposed, Vec, rebuild, terms, walk
from symgru.backends.c.kernel import WIDTH, Kernel, copy
from symgru.backends.c.names import member
from symgru.backends.c.printer import Formula, LanePrinter
from symgru.backends.model import Unit
from symgru.schedule import Phase, Schedule, schedule

TOTAL = Symbol("total")  # what the schedule takes for a function of a whole vector


@dataclass(frozen=True)
class Record:
    """Where one layer's kept values lie: `tape->gru.z`."""

    base: str
    layer: str

    def array(self, v: Symbol) -> str:
        return f"{self.base}->{self.layer}.{v}"


@dataclass(frozen=True)
class Keeping(Kernel):
    """The forward step, writing to `record` what the reverse step reads."""

    reverse: Adjoint
    record: Record
    params: frozenset[Symbol]

    @property
    def function(self) -> str:
        return f"{self.prefix}_{self.unit.id}_keep"

    @property
    def buffers(self) -> dict[str, int]:
        return {name: n for name, n in super().buffers.items() if name not in {v.name for v in self.reverse.kept}}

    def body(self) -> list[str]:
        start = []
        if self.state in self.reverse.read:
            start = copy(self.record.array(cast(Symbol, self.state)), self.state, self.unit.sizes["H"])
        return [*start, *super().body()]

    def across(self, phase: Phase) -> list[str]:
        lines = super().across(phase)
        for lhs, _, _ in phase.across:
            if self.is_kept_result(lhs):
                lines += copy(self.record.array(lhs), lhs, self.length(lhs))
        return lines

    def is_kept_result(self, v: Symbol) -> bool:
        """Whether a vector is what the function gives and is kept as well."""
        return v == self.plan.cell.output and v in self.reverse.kept and not self.unit.recurrent

    def loop(self, phase: Phase) -> list[str]:
        """What was kept by an earlier loop is read into a variable first."""
        own = {lhs for lhs, _ in phase.lanes}
        read = {s for _, e in phase.lanes for s in walk(e)}
        head, *rest = super().loop(phase)
        earlier = [s for s in self.reverse.kept if s in read - own]
        return [head, *(f"    const float {s} = {self.array(s)}[i];" for s in earlier), *rest]

    def lane(self, lhs: Vec, rhs: Expr) -> list[str]:
        """What is kept is a variable, then an element of the record."""
        lines = super().lane(lhs, rhs) if self._names.get(rhs) != lhs else []
        return lines + ([f"    {self.record.array(lhs)}[i] = {self.place(lhs)};"] if lhs in self.reverse.kept else [])

    @cached_property
    def _names(self) -> Mapping[Expr, Vec]:
        """Sums that have no other use than to be kept bear the name under which they are."""
        sums = {acc for phase in self.plan.phases for acc in phase.start}
        return {rhs: lhs for p in self.plan.phases for lhs, rhs in p.lanes if rhs in sums and lhs in self.reverse.kept}

    def local(self, v: Symbol) -> str:
        return str(self._names.get(v, v))

    def array(self, v: Symbol) -> str:
        return self.record.array(v) if v in self.reverse.kept and not self.is_kept_result(v) else v.name

    def is_array(self, s: Symbol) -> bool:
        return self.is_kept_result(s) or s not in self.reverse.kept and super().is_array(s)

    def place(self, s: Symbol, index: str = "i") -> str:
        return f"{self.weight(s.name)}[{index}]" if s in self.params else super().place(s, index)


@dataclass(frozen=True)
class Reversing(Kernel):
    """The reverse step: reads dL/d what the layer gave, writes dL/d what it read, adds to the weights' gradients."""

    reverse: Adjoint
    record: Record
    first: bool  # dx of the network's input may be left out by its caller

    @property
    def function(self) -> str:
        return f"{self.prefix}_{self.unit.id}_back"

    @property
    def dims(self) -> Mapping[Symbol, tuple[str, ...]]:
        return self.plan.cell.dims

    @cached_property
    def held(self) -> tuple[Vec, ...]:
        """What the forward step left in the record."""
        return tuple(s for s in self.reverse.read if s not in self.unit.cell.inputs)

    @cached_property
    def made(self) -> set[Symbol]:
        """Vectors that are needed as a whole."""
        sums = {s for e in self.reverse.gradients.values() for s in walk(e) if isinstance(s, Vec)}
        across = {v for phase in self.plan.phases for _, _, operand in phase.across for v in (operand,)}
        every = {lhs for phase in self.plan.phases for lhs, _ in phase.lanes}
        return (sums | across | set(self.plan.kept)) & every

    @property
    def buffers(self) -> dict[str, int]:
        given = set(self.reverse.back.values())
        order = [lhs for phase in self.plan.phases for lhs, _ in phase.lanes if lhs in self.made and lhs not in given]
        return {v.name: self.length(v) for v in order}

    def length(self, v: Symbol) -> int:
        return self.unit.sizes[self.dims.get(v, ("H",))[0]]

    def array(self, v: Symbol) -> str:
        return self.record.array(v) if v in self.held else v.name

    def is_array(self, s: Symbol) -> bool:
        return s in self.made or s == self.reverse.seed or s in self.reverse.back.values()

    def equations(self) -> list[str]:
        show = Formula().doprint
        lines = [f"{show(lhs)} = {show(rhs)}" for lhs, rhs in self.reverse.step.equations]
        return lines + [f"dL/d{p} += {show(e)}" for p, e in self.reverse.gradients.items()]

    def body(self) -> list[str]:
        lines = [f"float {name}[{n}];" for name, n in self.buffers.items()]
        for phase in self.plan.phases:
            lines += self.across(phase)
            for letter in dict.fromkeys(self.dims.get(lhs, ("H",))[0] for lhs, _ in phase.lanes):
                lines += self.loops(phase, letter)
        return lines + self.sums_of_gradients()

    def across(self, phase: Phase) -> list[str]:
        """Sums over all units."""
        return [
            f"const float {lhs} = {self.prefix}_{name}({operand}, {self.length(operand)});"
            for lhs, name, operand in phase.across
        ]

    def loops(self, phase: Phase, letter: str) -> list[str]:
        """The lanes of one length, and the sums that they read."""
        lanes = [(lhs, e) for lhs, e in phase.lanes if self.dims.get(lhs, ("H",))[0] == letter]
        if self.first and [lhs for lhs, _ in lanes] == [self.reverse.back[self.unit.cell.inputs[0]]]:
            inner = self.loop_over(phase, lanes, self.unit.sizes[letter])
            return ["if (dx != NULL) {", *(f"    {line}" for line in inner), "}"]
        return self.loop_over(phase, lanes, self.unit.sizes[letter])

    def loop_over(self, phase: Phase, lanes: list[tuple[Vec, Expr]], n: int) -> list[str]:
        read = list(dict.fromkeys(s for _, e in lanes for s in walk(e) if isinstance(s, Vec)))
        lines = [f"const float {s} = {self.record.array(s)}[i];" for s in self.held if s in read]
        lines += [f"float {acc} = 0.0f;" for acc in phase.start if acc in read]
        for length in dict.fromkeys(self.length(operand) for operand in phase.groups):
            adding = [
                f"    {acc} += {self.weight(str(cast(Transposed, m).args[0]))}[k][i] * {self.array(operand)}[k];"
                for operand, pairs in phase.groups.items()
                if self.length(operand) == length
                for acc, m in pairs
                if acc in read
            ]
            if adding:
                lines += [f"for (size_t k = 0; k < {length}; k++) {{", *adding, "}"]
        for lhs, e in lanes:
            text = LanePrinter(self.prefix, self.element).doprint(e)
            lines.append(f"{self.array(lhs)}[i] = {text};" if self.is_array(lhs) else f"const float {lhs} = {text};")
        return [f"for (size_t i = 0; i < {n}; i++) {{", *(f"    {line}" for line in lines), "}"]

    def element(self, s: Symbol) -> str:
        """A vector's element; what was kept has been read into a variable. A gate may read nothing but its bias."""
        if s in self.reverse.gradients:
            return f"{self.weight(s.name)}[i]"
        return f"{s}[i]" if self.is_array(s) else s.name

    # The weights' gradients -----------------------------------------------------------------------------------------

    def sums_of_gradients(self) -> list[str]:
        parts = [(p, t) for p, e in self.reverse.gradients.items() for t in terms(e)]
        lines = []
        for operand in dict.fromkeys(cast(Symbol, t.args[1]) for _, t in parts if isinstance(t, Outer)):
            lines += [
                f"    for (size_t k = 0; k < {self.length(operand)}; k++) {{",
                *(
                    f"        {self.sum_of(p)}[i][k] += {t.args[0]}[i] * {self.array(operand)}[k];"
                    for p, t in parts
                    if isinstance(t, Outer) and t.args[1] == operand
                ),
                "    }",
            ]
        lines += [f"    {self.sum_of(p)}[i] += {t}[i];" for p, t in parts if not isinstance(t, Outer)]
        return [f"for (size_t i = 0; i < {self.unit.sizes['H']}; i++) {{", *lines, "}"]

    def sum_of(self, p: Symbol) -> str:
        return f"sums->{member(self.unit.id)}.{p}"


@dataclass(frozen=True)
class Pair:
    """One layer there and back."""

    kernel: Kernel
    keep: Keeping
    back: Reversing

    @property
    def unit(self) -> Unit:
        return self.kernel.unit

    @property
    def record(self) -> list[tuple[str, int]]:
        """The kept vectors and their lengths; the input of the first layer is the caller's."""
        given = self.unit.cell.inputs if self.back.first else ()
        return [(s.name, self.back.length(s)) for s in self.back.reverse.read if s not in given]

    @property
    def keeps(self) -> bool:
        return bool(self.back.held)

    @property
    def _type(self) -> str:
        """The type of the record that holds this layer's kept values."""
        return f"{self.kernel.prefix}_{self.keep.record.base}"

    @property
    def keep_head(self) -> list[str]:
        units, features = self.unit.sizes["H"], self.unit.sizes["D"]
        result = "h" if self.unit.recurrent else "y"
        own = [f"const float x[{features}]", f"float {result}[{units}]", f"{self._type} *{self.keep.record.base}"]
        return signature(f"static void {self.keep.function}", own)

    @property
    def back_head(self) -> list[str]:
        units, features = self.unit.sizes["H"], self.unit.sizes["D"]
        own = [f"const float x[{features}]"]
        own += [f"const {self._type} *{self.keep.record.base}"] if self.keeps else []
        own += [f"const float {self.back.reverse.seed}[{units}]"]
        own += [f"float dh[{units}]"] if self.unit.recurrent else []
        own += [f"float dx[{features}]", f"{self.kernel.prefix}_gradients *sums"]
        return signature(f"static void {self.back.function}", own)

    @property
    def sums(self) -> list[tuple[str, tuple[int, ...]]]:
        """The parameters of the C and their shapes."""
        cell = self.kernel.plan.cell
        return [(p.name, tuple(self.unit.sizes[d] for d in cell.dims[p])) for p in cell.params]


def pair(there: Kernel, base: str, first: bool) -> Pair:
    """Both directions of a layer, for the parameters that the C has (biases merged)."""
    cell = there.plan.cell
    reverse = adjoint(cell)
    record = Record(base, member(there.unit.id))
    keep = Keeping(there.prefix, there.unit, schedule(reverse.forward), reverse, record, frozenset(cell.params))
    back = Reversing(there.prefix, there.unit, _backwards(reverse), reverse, record, first)
    return Pair(there, keep, back)


def _backwards(reverse: Adjoint) -> Schedule:
    """The schedule of a reverse step; a sum over all units is a line of its own."""
    lines: list[tuple[Vec, Expr]] = []
    for lhs, rhs in reverse.step.equations:

        def hoist(e: Expr, lhs: Vec = lhs) -> Expr:
            if not isinstance(e, Total):
                return e
            lines.append((Vec(f"total_{lhs}", real=True), cast(Expr, Across(TOTAL, e.args[0], evaluate=False))))
            return lines[-1][0]

        lines.append((lhs, rebuild(rhs, hoist)))
    return schedule(reverse.step.with_equations(tuple(lines)))


def call(function: str, arguments: list[str]) -> list[str]:
    *lines, last = signature(function, arguments)
    return [*lines, f"{last};"]


def signature(head: str, parameters: list[str]) -> list[str]:
    """The first line of a function, on as many lines as it needs."""
    lines = [f"{head}("]
    for k, parameter in enumerate(parameters):
        word = parameter + (", " if k + 1 < len(parameters) else ")")
        if len(lines[-1] + word.rstrip()) > WIDTH:
            lines.append(" " * (len(head) + 1))
        lines[-1] += word
    return [line.rstrip() for line in lines]
