"""The reverse sweep as C: a forward step that keeps what its reverse reads, and the reverse step, for each layer.

The mathematics is in the derived equations (`adjoint`); this prints their schedules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from sympy import Expr, Symbol

from symgru.adjoint import Adjoint, adjoint
from symgru.algebra import Across, Mat, Outer, Total, Transposed, Vec, rebuild, terms, walk
from symgru.backends.c.kernel import Kernel, copy, initializer, kernel
from symgru.backends.c.names import member, number
from symgru.backends.c.printer import Formula, LanePrinter
from symgru.backends.model import Unit, output_width, split_time
from symgru.gradient_vectors import recorded_gradients
from symgru.gradients import Gradients
from symgru.network import Array, Network, Tensor
from symgru.schedule import Phase, Schedule, schedule
from symgru.trace import keeps_time

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

    def place(self, s: Symbol) -> str:
        return f"{self.weight(s.name)}[i]" if s in self.params else super().place(s)


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
        """A vector's element; what was kept has been read into a variable."""
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


def mapping(unit: Unit, merged: Mapping[Symbol, Expr]) -> Iterator[tuple[str, str]]:
    """Each member of the gradients' struct, and the elements of get_weights() that it belongs to."""
    into = {t: p for p, e in merged.items() for t in terms(e)}
    places: dict[str, list[str]] = {}
    for array, rows in unit.layout.arrays.items():
        for k, row in enumerate(rows):
            for column, p in enumerate(row):
                at = f"{column * unit.sizes['H']} + i" if column else "i"
                matrix = isinstance(p, Mat)
                index = f"[k][{at}]" if matrix else f"[{k}][{at}]" if len(rows) > 1 else f"[{at}]"
                own = f"{member(unit.id)}.{into.get(p, p)}" + ("[i][k]" if matrix else "[i]")
                places.setdefault(own, []).append(array + index)
    return ((own, " and ".join(at)) for own, at in places.items())


class Backwards:
    """What the templates need: the kept records, the gradients' struct, and how a network is walked there and back."""

    def __init__(self, name: str, network: Network) -> None:
        timed, head = split_time(network)
        self.name, self.outputs, self.keeps_time = name, output_width(network), keeps_time(network)
        self.timed = [pair(kernel(name, unit), "tape", i == 0) for i, unit in enumerate(timed)]
        self.head = [pair(kernel(name, unit), "head", False) for unit in head]

    @property
    def pairs(self) -> list[Pair]:
        return [*self.timed, *self.head]

    def expressions(self) -> list[Expr]:
        """All that is computed besides the forward pass."""
        cells = (c for p in self.pairs for c in (p.keep.plan.cell, p.back.reverse.step))
        return [e for cell in cells for _, e in cell.equations]

    def uses_total(self) -> bool:
        return any(isinstance(node, Total) for e in self.expressions() for node in walk(e))

    # For the header -------------------------------------------------------------------------------------------------

    def records(self, pairs: list[Pair]) -> list[dict[str, object]]:
        return [{"member": member(p.unit.id), "vectors": p.record} for p in pairs if p.record]

    def sums(self) -> list[dict[str, object]]:
        def arrays(p: Pair) -> list[str]:
            return [name + "".join(f"[{n}]" for n in shape) for name, shape in p.sums]

        return [{"member": member(p.unit.id), "arrays": arrays(p)} for p in self.pairs]

    def mapping(self) -> list[str]:
        rows = [row for p in self.pairs for row in mapping(p.unit, p.kernel.plan.params)]
        width = max(len(own) for own, _ in rows)
        return [f"{own:<{width}}  {places}" for own, places in rows]

    def tape_bytes(self) -> int:
        return 4 * sum(n for p in self.timed for _, n in p.record)

    def sums_bytes(self) -> int:
        return 4 * sum(_product(shape) for p in self.pairs for _, shape in p.sums)

    def local_bytes(self) -> int:
        """Local arrays of N_backward at most, with the largest layer's own."""
        between = sum(p.unit.sizes["D"] for p in self.pairs[1:]) + sum(
            p.unit.sizes["H"] for p in self.timed if p.unit.recurrent
        )
        head = sum(n for p in self.head for _, n in p.record)
        last = self.timed[-1].unit.sizes["H"] + self.outputs if self.head else 0
        deepest = max(sum(k.buffers.values()) for p in self.pairs for k in (p.kernel, p.keep, p.back))
        return 4 * (between + head + last + deepest)

    # The walk there and back ----------------------------------------------------------------------------------------

    def forward(self) -> list[str]:
        """One time step of N_forward."""
        lines: list[str] = []
        for i, p in enumerate(self.timed):
            after = self.timed[i + 1] if i + 1 < len(self.timed) else None
            target = f"tape[t].{member(after.unit.id)}.x" if after else "out" if self.keeps_time else ""
            if p.unit.recurrent:
                state = f"state->{member(p.unit.id)}"
                lines.append(f"{p.keep.function}({self.read(p)}, {state}, &tape[t]);")
                lines += copy(target, state, p.unit.sizes["H"]) if target else []
            else:
                lines.append(self.dense(p, self.read(p), target, "&tape[t]"))
        return lines

    def read(self, p: Pair) -> str:
        """Where a layer's input lies, at time step t."""
        return f"x + t * {self.name.upper()}_FEATURES" if p.back.first else f"tape[t].{member(p.unit.id)}.x"

    @staticmethod
    def dense(p: Pair, source: str, target: str, record: str) -> str:
        if p.keeps:
            return f"{p.keep.function}({source}, {target}, {record});"
        return f"{p.kernel.function}({source}, {target});"

    @property
    def turn_reads_x(self) -> bool:
        """Whether the last state is that of the first layer, which reads the network's input."""
        return len(self.timed) == 1

    def head_lines(self) -> list[str]:
        """The layers that only see the last time step, t: there and back."""
        source = self.timed[-1]
        units, own = source.unit.sizes["H"], member(source.unit.id)
        lines = [f"float last[{units}];", *copy("last", f"tape[t].{own}.h", units)]
        lines.append(f"{source.kernel.function}({self.read(source)}, last);")
        for i, p in enumerate(self.head):
            after = self.head[i + 1] if i + 1 < len(self.head) else None
            if after is None and not p.keeps:
                break
            if after is None:
                lines.append(f"float y[{self.outputs}];")
            target = f"head.{member(after.unit.id)}.x" if after else "y"
            lines.append(self.dense(p, self.head_read(p), target, "&head"))
        given = "dy"
        for p in reversed(self.head):
            lines += self.back_through(p, self.head_read(p), given, "&head")
            given = f"to_{p.unit.id}"
        return [*lines, *add_to(f"dstate->{own}", given, units)]

    def head_read(self, p: Pair) -> str:
        return "last" if p is self.head[0] else f"head.{member(p.unit.id)}.x"

    def head_record(self) -> list[dict[str, object]]:
        """The records of the layers after the last state; the first of them reads that state."""
        return [r for r in self.records(self.head) if self.head_vectors(r)]

    def head_vectors(self, record: dict[str, object]) -> list[tuple[str, int]]:
        vectors = cast("list[tuple[str, int]]", record["vectors"])
        return [v for v in vectors if v[0] != "x" or record["member"] != member(self.head[0].unit.id)]

    def start(self) -> list[str]:
        """Where N_backward starts from, if the output is no sequence."""
        if self.keeps_time:
            return []
        if self.head:
            x = "x, " if self.turn_reads_x else ""
            return [f"{self.name}_back_from_output({x}steps - 1, dy, tape, sums, dstate);"]
        last = self.timed[-1].unit
        return add_to(f"dstate->{member(last.id)}", "dy", last.sizes["H"])

    def backward(self) -> list[str]:
        """One time step of N_backward."""
        lines: list[str] = []
        given = f"dy + t * {self.name.upper()}_OUTPUTS" if self.keeps_time else ""
        for p in reversed(self.timed):
            if p.unit.recurrent:
                state, after = f"dstate->{member(p.unit.id)}", f"after_{p.unit.id}"
                n = p.unit.sizes["H"]
                more = f" + {_element(given)}" if given else ""
                lines += [f"float {after}[{n}];", f"for (size_t i = 0; i < {n}; i++) {{"]
                lines += [f"    {after}[i] = {state}[i]{more};", "}"]
                given = after
            lines += self.back_through(p, self.read(p), given, "&tape[t]")
            given = f"to_{p.unit.id}"
        return lines

    def back_through(self, p: Pair, source: str, given: str, record: str) -> list[str]:
        upper = self.name.upper()
        to = f"to_{p.unit.id}"
        state = [f"dstate->{member(p.unit.id)}"] if p.unit.recurrent else []
        arguments = [source, *([record] if p.keeps else []), given, *state, to, "sums"]
        declared = f"float {to}[{p.unit.sizes['D']}];"
        if p.back.first:
            declared = f"float *{to} = dx == NULL ? NULL : dx + t * {upper}_FEATURES;"
        return [declared, f"{p.back.function}({', '.join(arguments)});"]


def gradients_test(network: Network, backwards: Backwards, x: Tensor | None) -> dict[str, object]:
    """What the test of the gradients needs besides what all templates have."""
    vectors = recorded_gradients(network, x, "float32", c=True)
    batch, steps, _ = vectors.x.value.shape
    expected = list(_expected(network, backwards, vectors.exact))
    return {
        "batch": batch,
        "steps": steps,
        "rows": vectors.dy.value.size // backwards.outputs,
        "x": initializer(vectors.x.value.reshape(batch * steps, -1)),
        "dy": initializer(vectors.dy.value.reshape(-1, backwards.outputs)),
        "expected": expected,
        "states": [e for e in expected if "units" in e],
        "tolerance": number(vectors.tolerance),
        "why": vectors.why,
    }


def _expected(network: Network, backwards: Backwards, exact: Gradients) -> Iterator[dict[str, object]]:
    """Each array of exact gradients, and where the C holds it."""

    def one(name: str, says: str, found: str, array: Array, **more: object) -> dict[str, object]:
        head = f"static const float {name}[{array.size}] = "
        literal = initializer(array.ravel().astype(np.float64), len(head))
        return {"name": name, "says": says, "found": found, "size": array.size, "literal": literal, **more}

    for call, pair_ in zip(network.calls, backwards.pairs, strict=True):
        own = member(call.layer)
        for p, shape in pair_.sums:
            merged = pair_.kernel.plan.params.get(Vec(p, real=True))
            source = str(terms(merged)[0]) if merged is not None else p  # b_z + c_z has the gradient of either
            place = f"sums.{own}.{p}" + "[0]" * (len(shape) - 1)
            yield one(f"{call.layer}_{p}", f"{own}.{p}", place, exact.weights[call.layer][source])
    yield one("input", "dx", "dx[0]", exact.x)
    for call, pair_ in zip(network.calls, backwards.pairs, strict=True):
        if pair_.unit.recurrent:
            own, found = member(call.layer), f"state_{call.layer}"
            more = {"member": own, "units": pair_.unit.sizes["H"], "found_name": found}
            yield one(f"before_{call.layer}", f"dstate.{own}", f"{found}[0]", exact.states[call.id], **more)


def add_to(target: str, source: str, n: int) -> list[str]:
    """Lines that add a vector to another."""
    return [f"for (size_t i = 0; i < {n}; i++) {{", f"    {target}[i] += {_element(source)};", "}"]


def _element(source: str) -> str:
    """Element i of a vector that begins at `dy + t * N_OUTPUTS`."""
    base, plus, offset = source.partition(" + ")
    return f"{base}[{offset} + i]" if plus else f"{base}[i]"


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total
