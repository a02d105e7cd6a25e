"""What the C's functions take and give, as declarations, comments and tests say it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgru.backends.c.kernel import initializer
from symgru.backends.c.names import number
from symgru.backends.c.plan import Plan, Port
from symgru.backends.c.stream import Stream
from symgru.backends.c.window import Window
from symgru.network import Array
from symgru.yardstick import Vectors


class Interface:
    """The parameters of the functions, in the network's order: inputs, then outputs."""

    def __init__(self, plan: Plan, stream: Stream | None, window: Window | None) -> None:
        self.plan, self.stream, self.window = plan, stream, window
        self.inputs, self.outputs = plan.inputs, plan.outputs

    @property
    def plain(self) -> bool:
        """Whether there is one sequence of numbers that goes in and one value that comes out, step by step."""
        (first, *others), several = self.inputs, len(self.outputs) > 1
        return self.plan.streams and not others and not several and first.timed and not first.whole

    @property
    def whole(self) -> bool:
        """Whether whole numbers go in."""
        return any(port.whole for port in self.inputs)

    @property
    def counts(self) -> bool:
        """Whether the state counts."""
        return self.stream is not None and any(m.count for m in self.stream.members)

    @property
    def macros(self) -> list[tuple[str, int, str]]:
        """(name, number, what it says) of every size."""
        return [(p.macro, p.size, _going(p, "go in", self.plan.streams)) for p in self.inputs] + [
            (p.macro, p.size, _going(p, "come out", self.plan.streams)) for p in self.outputs
        ]

    # Parameters -----------------------------------------------------------------------------------------------------

    def step(self) -> str:
        return ", ".join([f"{self.plan.prefix}_state *state", *_declared(self.inputs, True), *_declared(self.outputs)])

    def window_call(self) -> str:
        """The parameters of N_window."""
        work = [f"{self.plan.prefix}_workspace *work"] if self.window and self.window.size else []
        steps = ["size_t steps"] if self.stream else []
        return ", ".join([*work, *_declared(self.inputs, True), *steps, *_declared(self.outputs)])

    def advance(self) -> str:
        assert self.stream
        own = self.stream.advance
        return ", ".join([f"{self.plan.prefix}_state *state", *_declared(own.inputs, True), *_declared(own.ports)])

    def output(self) -> str:
        assert self.stream
        own = self.stream.output
        state = f"const {self.plan.prefix}_state *state"
        return ", ".join([state, *_declared(own.inputs, True), *_declared(own.ports)])

    # Calls ----------------------------------------------------------------------------------------------------------

    def advance_call(self, state: str, walking: bool) -> str:
        """The arguments of N_advance: at the time step t of whole arrays where it walks."""
        assert self.stream
        ports = [*self.stream.advance.inputs, *self.stream.advance.ports]
        return ", ".join([state, *(f"{p.name} + t * {p.macro}" if walking else p.name for p in ports)])

    def output_call(self, state: str) -> str:
        assert self.stream
        return ", ".join([state, *(p.name for p in [*self.stream.output.inputs, *self.stream.output.ports])])

    @property
    def ends(self) -> bool:
        """Whether something comes out after the last time step only."""
        return self.stream is not None and bool(self.stream.output.ports)

    @property
    def spare(self) -> list[str]:
        """Inputs that neither function takes."""
        assert self.stream
        taken = {p.name for p in [*self.stream.advance.inputs, *self.stream.output.inputs]}
        return [p.name for p in self.inputs if p.name not in taken]

    # Words ----------------------------------------------------------------------------------------------------------

    @property
    def says(self) -> list[str]:
        """What each parameter holds, one line each."""
        rows = [(p.name, f"{_kind(p)}[{p.macro}]", _holds(p, self.plan.streams)) for p in self.inputs]
        rows += [(p.name, f"float[{p.macro}]", _holds(p, self.plan.streams)) for p in self.outputs]
        widths = [max(len(row[c]) for row in rows) for c in range(2)]
        return [f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {holds}".rstrip() for name, kind, holds in rows]

    # The test -------------------------------------------------------------------------------------------------------

    def test(self, vectors: Vectors) -> dict[str, object]:
        """Recorded arrays of every input and output, as the test's template takes them."""
        pairs = zip(self.outputs, vectors.ys, vectors.tolerances, strict=True)
        given = list(zip(self.inputs, vectors.xs, strict=True))
        steps = next((x.value.shape[1] for port, x in given if port.timed), 0)
        return {
            "steps": steps or self.plan.network.steps or 1,
            "given": [(port, _recorded(port, x.value)) for port, x in given],
            "expected": [(port, _recorded(port, np.array(y, dtype=np.float64)), number(t)) for port, y, t in pairs],
        }


def _recorded(port: Port, value: Array) -> str:
    rows = value.reshape(-1, port.size)
    if not port.whole:
        return initializer(rows)
    lines = (f"    {{{', '.join(str(int(v)) for v in row)}}}" for row in rows)
    return "{\n" + ",\n".join(lines) + "\n}"


def _kind(port: Port) -> str:
    return f"const {port.type}"


def _declared(ports: Sequence[Port], read: bool = False) -> list[str]:
    return [f"{'const ' if read else ''}{port.type} *{port.name}" for port in ports]


def _going(port: Port, how: str, streams: bool) -> str:
    if port.timed:
        return f"numbers that {how} at each time step"
    if streams or len(port.axes) < 2:
        return f"numbers that {how}"
    return f"numbers that {how}: {' by '.join(map(str, port.axes))}"


def _holds(port: Port, streams: bool) -> str:
    if port.timed:
        return "at each time step"
    if streams:
        return "the same for all time steps" if port.edge.port == "input" else "after the last time step"
    return f"{' by '.join(map(str, port.axes))}, the last index runs fastest" if len(port.axes) > 1 else ""
