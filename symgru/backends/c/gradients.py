"""Gradients in C: how a network is walked there and back, the structs that it needs, and the test of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import cast

import numpy as np
from sympy import Expr, Symbol

from symgru.algebra import Mat, Total, Vec, terms, walk
from symgru.backends.c.kernel import copy, initializer, kernel
from symgru.backends.c.names import member, number
from symgru.backends.c.reverse import Pair, call, pair, signature
from symgru.backends.model import Unit, output_width, split_time
from symgru.gradient_vectors import recorded_gradients
from symgru.gradients import Gradients
from symgru.network import Array, Network, Tensor
from symgru.trace import keeps_time


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
        return 4 * sum(prod(shape) for p in self.pairs for _, shape in p.sums)

    def local_bytes(self) -> int:
        """Local arrays alive at once, at most: the walk's own, then one layer's or those of the layers at its turn."""
        walk = sum(p.unit.sizes["D"] for p in self.timed[1:])
        walk += sum(p.unit.sizes["H"] for p in self.timed if p.unit.recurrent)
        return 4 * (walk + max(self._turn(), *(sum(p.back.buffers.values()) for p in self.timed)))

    def _turn(self) -> int:
        """Numbers in the local arrays of the layers after the last time step, with the deepest call among them."""
        if not self.head:
            return 0
        records = sum(n for record in self.head_record() for _, n in self.head_vectors(record))
        own = records + sum(p.unit.sizes["D"] for p in self.head) + self.timed[-1].unit.sizes["H"]
        called = [self.timed[-1].kernel, *(k for p in self.head for k in (p.keep, p.back))]
        return own + self.outputs * self.head[-1].keeps + max(sum(k.buffers.values()) for k in called)

    # The walk there and back ----------------------------------------------------------------------------------------

    def forward(self) -> list[str]:
        """One time step of N_forward."""
        lines: list[str] = []
        for i, p in enumerate(self.timed):
            after = self.timed[i + 1] if i + 1 < len(self.timed) else None
            target = f"tape[t].{member(after.unit.id)}.x" if after else "out" if self.keeps_time else ""
            if p.unit.recurrent:
                state = f"state->{member(p.unit.id)}"
                lines += call(p.keep.function, [self.read(p), state, "&tape[t]"])
                lines += copy(target, state, p.unit.sizes["H"]) if target else []
            else:
                lines += self.dense(p, self.read(p), target, "&tape[t]")
        return lines

    def read(self, p: Pair) -> str:
        """Where a layer's input lies, at time step t."""
        return f"x + t * {self.name.upper()}_FEATURES" if p.back.first else f"tape[t].{member(p.unit.id)}.x"

    @staticmethod
    def dense(p: Pair, source: str, target: str, record: str) -> list[str]:
        if p.keeps:
            return call(p.keep.function, [source, target, record])
        return call(p.kernel.function, [source, target])

    @property
    def _turn_reads_x(self) -> bool:
        """Whether the last state is that of the first layer, which reads the network's input."""
        return len(self.timed) == 1

    def turn_head(self) -> list[str]:
        x = ["const float *x"] if self._turn_reads_x else []
        own = ["size_t t", "const float *dy", f"const {self.name}_tape *tape", f"{self.name}_gradients *sums"]
        return signature(f"static void {self.name}_back_from_output", [*x, *own, f"{self.name}_state *dstate"])

    def backward_head(self) -> list[str]:
        own = ["const float *x", "size_t steps", "const float *dy", f"const {self.name}_tape *tape"]
        own += [f"{self.name}_gradients *sums", "float *dx", f"{self.name}_state *dstate"]
        return signature(f"void {self.name}_backward", own)

    def forward_head(self) -> list[str]:
        own = [f"{self.name}_state *state", "const float *x", "size_t steps", "float *y", f"{self.name}_tape *tape"]
        return signature(f"void {self.name}_forward", own)

    def head_lines(self) -> list[str]:
        """The layers that only see the last time step, t: there and back."""
        source = self.timed[-1]
        units, own = source.unit.sizes["H"], member(source.unit.id)
        lines = [f"float last[{units}];", *copy("last", f"tape[t].{own}.h", units)]
        lines += call(source.kernel.function, [self.read(source), "last"])
        for i, p in enumerate(self.head):
            after = self.head[i + 1] if i + 1 < len(self.head) else None
            if after is None and not p.keeps:
                break
            if after is None:
                lines.append(f"float y[{self.outputs}];")
            target = f"head.{member(after.unit.id)}.x" if after else "y"
            lines += self.dense(p, self.head_read(p), target, "&head")
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
            x = "x, " if self._turn_reads_x else ""
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
        return [declared, *call(p.back.function, arguments)]


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
        "why": vectors.why.replace("\n", "\n * "),
    }


def _expected(network: Network, backwards: Backwards, exact: Gradients) -> Iterator[dict[str, object]]:
    """Each array of exact gradients, and where the C holds it."""

    def one(name: str, says: str, found: str, array: Array, **more: object) -> dict[str, object]:
        head = f"static const float {name}[{array.size}] = "
        literal = initializer(array.ravel().astype(np.float64), len(head))
        return {"name": name, "says": says, "found": found, "size": array.size, "literal": literal, **more}

    for use, p in zip(network.calls, backwards.pairs, strict=True):
        own = member(use.layer)
        for param, shape in p.sums:
            merged = p.kernel.plan.params.get(Vec(param, real=True))
            source = str(terms(merged)[0]) if merged is not None else param  # b_z + c_z has the gradient of either
            place = f"sums.{own}.{param}" + "[0]" * (len(shape) - 1)
            yield one(f"{use.layer}_{param}", f"{own}.{param}", place, exact.weights[use.layer][source])
    yield one("input", "dx", "dx[0]", exact.x)
    for use, p in zip(network.calls, backwards.pairs, strict=True):
        if p.unit.recurrent:
            own, found = member(use.layer), f"state_{use.layer}"
            more = {"member": own, "units": p.unit.sizes["H"], "found_name": found}
            yield one(f"before_{use.layer}", f"dstate.{own}", f"{found}[0]", exact.states[use.id], **more)


def add_to(target: str, source: str, n: int) -> list[str]:
    """Lines that add a vector to another."""
    return [f"for (size_t i = 0; i < {n}; i++) {{", f"    {target}[i] += {_element(source)};", "}"]


def _element(source: str) -> str:
    """Element i of a vector that begins at `dy + t * N_OUTPUTS`."""
    base, plus, offset = source.partition(" + ")
    return f"{base}[{offset} + i]" if plus else f"{base}[i]"


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
