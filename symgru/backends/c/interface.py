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

WIDTH = 118  # columns of a declaration or call


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

    # Declarations ---------------------------------------------------------------------------------------------------

    def step(self) -> str:
        state = f"{self.plan.prefix}_state *state"
        parameters = [state, *_declared(self.inputs, True), *_declared(self.outputs)]
        return wrapped(f"void {self.plan.prefix}_step(", parameters)

    def whole_window(self) -> str:
        work = [f"{self.plan.prefix}_workspace *work"] if self.window and self.window.size else []
        steps = ["size_t steps"] if self.stream else []
        parameters = [*work, *_declared(self.inputs, True), *steps, *_declared(self.outputs)]
        return wrapped(f"void {self.plan.prefix}_window(", parameters)

    def advance(self) -> str:
        assert self.stream
        own, state = self.stream.advance, f"{self.plan.prefix}_state *state"
        parameters = [state, *_declared(own.inputs, True), *_declared(own.ports)]
        return wrapped(f"static void {self.plan.prefix}_advance(", parameters)

    def output(self) -> str:
        assert self.stream
        own, state = self.stream.output, f"const {self.plan.prefix}_state *state"
        parameters = [state, *_declared(own.inputs, True), *_declared(own.ports)]
        return wrapped(f"static void {self.plan.prefix}_output(", parameters)

    # Calls ----------------------------------------------------------------------------------------------------------

    def advance_call(self, state: str, walking: bool) -> str:
        """A call of N_advance: at the time step t of whole arrays where it walks."""
        assert self.stream
        ports = [*self.stream.advance.inputs, *self.stream.advance.ports]
        arguments = [state, *(f"{p.name} + t * {p.macro}" if walking else p.name for p in ports)]
        return wrapped(f"{self.plan.prefix}_advance(", arguments, ");", 8 if walking else 4)

    def output_call(self, state: str) -> str:
        assert self.stream
        arguments = [state, *(p.name for p in [*self.stream.output.inputs, *self.stream.output.ports])]
        return wrapped(f"{self.plan.prefix}_output(", arguments, ");", 4)

    def test_window(self) -> str:
        """The test's call of N_window for the sequence s."""
        work = ["&work"] if self.window and self.window.size else []
        given = [f"given_{p.id}[s{' * STEPS' if p.timed else ''}]" for p in self.inputs]
        steps = ["STEPS"] if self.stream else []
        arguments = [*work, *given, *steps, *(p.name for p in self.outputs)]
        return wrapped(f"{self.plan.prefix}_window(", arguments, ");", 8)

    def test_step(self) -> str:
        """The test's call of N_step for the time step t of the sequence s."""
        given = [f"given_{p.id}[s{' * STEPS + t' if p.timed else ''}]" for p in self.inputs]
        return wrapped(f"{self.plan.prefix}_step(", ["&state", *given, *(p.name for p in self.outputs)], ");", 12)

    def test_compare(self, port: Port, tolerance: str, step: bool, indent: int) -> str:
        """The test's comparison of one output: of a time step, or of all that there is."""
        place = "s" + (" * STEPS" if port.timed else "") + (" + t" if step else "")
        count = f"{'STEPS * ' if port.timed and not step else ''}{port.macro}"
        arguments = [f'"{port.name}"', port.name, f"expected_{port.id}[{place}]", count, tolerance]
        return wrapped("compare(", arguments, ");", indent)

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
            "steps": steps or self.plan.steps or 1,
            "given": [(port, _recorded(port, x.value)) for port, x in given],
            "expected": [(port, _recorded(port, np.array(y, dtype=np.float64)), number(t)) for port, y, t in pairs],
        }


def wrapped(head: str, parts: Sequence[str], tail: str = ")", indent: int = 0) -> str:
    """A call or declaration that begins at a column, over several lines where it is too long for one."""
    words = [*(f"{part}," for part in parts[:-1]), *([parts[-1] + tail] if parts else [tail])]
    margin = indent + len(head) if indent + len(head) + max(map(len, words)) <= WIDTH else indent + 4
    lines = [head]
    for k, word in enumerate(words):
        gap = " " if k and lines[-1].strip() != "" else ""
        used = len(lines[-1]) + (indent if len(lines) == 1 else 0)
        if k and used + len(gap) + len(word) > WIDTH:
            lines.append(" " * margin + word)
        else:
            lines[-1] += gap + word
    return "\n".join(lines)


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
