"""A network over a window of fixed length as C: each layer over all time steps, one layer after the other.

Values lie in a workspace, where a place is given again when nothing reads its value any more. What only reads
another value in another way (reversed, reshaped, a stretch of it) takes no place.
"""

from __future__ import annotations

from math import prod
from typing import cast

from symgru.backends.c.arrays import Value, filled, names, nest
from symgru.backends.c.kernel import Kernel
from symgru.backends.c.memory import Span, lay_out
from symgru.backends.c.plan import Plan
from symgru.backends.c.window_maps import lines, view
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer
from symgru.wiring import reads

VIEWED_WHOLE = ("flatten", "reshape", "fold", "unfold")


class Window:
    """The lines of N_window and the size of its workspace in numbers."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.values: dict[Edge, Value] = {}
        self.spans: dict[str, Span] = {}
        self.roots: dict[Edge, str] = {}
        self.body: list[tuple[int, str]] = []
        self.spare = [port.name for port in plan.inputs if not self._is_read(port.edge)]
        self.now = 0
        for port in plan.inputs:
            if port.name not in self.spare:
                self._input(port.edge, port.name, port.whole)
        for call, layer in plan.calls:
            self.now += 1
            self._call(call, layer)
        self.now += 1
        for port in plan.outputs:
            value = self._read(port.edge)
            if value.name != port.name:
                target = Value(port.name, value.shape, value.lead)
                self._say(filled(target, value.at(*names(value.axes))))
        self.size = lay_out(list(self.spans.values()))

    def _is_read(self, edge: Edge) -> bool:
        return any(edge in reads(call) for call, _ in self.plan.calls) or edge in self.plan.outputs_of

    def _say(self, found: list[str]) -> None:
        self.body += [(self.now, line) for line in found]

    def _input(self, edge: Edge, name: str, whole: bool) -> None:
        shape = cast("tuple[int, ...]", self.plan.shapes[edge])
        given = Value(name, shape)
        self.values[edge] = given
        if whole:  # indices are kept as float, which holds each of a table's
            value = self._place(f"in_{edge.source}", given, edge)
            self._say(filled(value, f"(float){given.at(*names(given.axes))}"))

    def _place(self, name: str, like: Value, edge: Edge | None = None) -> Value:
        """Room for a value."""
        self.spans[name] = Span(name, like.size, self.now, self.now)
        value = Value(name, like.shape, like.lead)
        if edge is not None:
            self.values[edge], self.roots[edge] = value, name
        return value

    def _read(self, edge: Edge) -> Value:
        """A value that is read now."""
        if edge in self.roots:
            self.spans[self.roots[edge]].death = self.now
        return self.values[edge]

    def _target(self, edge: Edge, lead: int, shape: tuple[int, ...]) -> Value:
        """Where a value is written: an output's own place, or room in the workspace."""
        for port in self.plan.outputs:
            if port.edge == edge:
                self.values[edge] = Value(port.name, shape, lead)
                return self.values[edge]
        return self._place(f"from_{edge.source}", Value("", shape, lead), edge)

    def _call(self, call: Call, layer: Layer) -> None:
        args = [self._read(edge) for edge in call.args]
        shape = cast("tuple[int, ...]", self.plan.shapes[Edge(call.id)])
        says = MAPS[layer.kind].says if layer.kind in MAPS else self.plan.units[call.id].cell.name
        start = len(self.body)
        if layer.kind in MAPS:
            self._map(call, layer, args, shape)
        elif self.plan.units[call.id].recurrent:
            self._recurrent(call, layer, args[0])
        else:
            self._rows(call, args, shape)
        if len(self.body) > start:
            self.body.insert(start, (self.now, f"/* {call.id}: {says} */"))

    def _map(self, call: Call, layer: Layer, args: list[Value], shape: tuple[int, ...]) -> None:
        edge = Edge(call.id)
        if layer.kind in VIEWED_WHOLE and args[0].reversed:
            args[0] = self._straight(call, 0, args[0])
            self.roots[edge] = args[0].name
        seen = view(layer.kind, layer.options, args, shape)
        if seen is not None:
            self.values[edge] = seen
            root = self.roots.get(edge) or self.roots.get(call.args[0])
            if root:
                self.roots[edge] = root
            return
        tables = [
            Value(f"{self.plan.prefix}_{layer.id}_{name}", layer.weights[name].value.shape)
            for name in MAPS[layer.kind].tables
        ]
        target = self._target(edge, args[0].lead, shape)
        if layer.kind == "embed":
            self._say(self._embedded(layer, args[0], target))
            return
        self._say(lines(layer.kind, layer.options, [*args, *tables], target))

    def _straight(self, call: Call, k: int, x: Value) -> Value:
        """A copy of what is read backwards."""
        straight = self._place(f"turned_{k}_{call.id}", x)
        self._say(filled(straight, x.at(*names(straight.axes))))
        return straight

    def _embedded(self, layer: Layer, index: Value, y: Value) -> list[str]:
        rows, width = layer.weights["E"].value.shape
        own = names(index.axes)
        table = f"{self.plan.prefix}_{layer.id}_E"
        find = f"const float *const row = {table}[{self.plan.prefix}_row({index.at(*own)}, {rows})];"
        place = y.at(*own, "k")
        return nest(index.axes, [find, f"for (size_t k = 0; k < {width}; k++) {{", f"    {place} = row[k];", "}"])

    def _rows(self, call: Call, args: list[Value], shape: tuple[int, ...]) -> None:
        """A layer without a state: on each vector of features."""
        kernel = self.plan.kernels[call.id]
        args = [self._straight(call, k, x) if x.reversed and len(x.shape) == 1 else x for k, x in enumerate(args)]
        if any(x.shape != shape[:-1] + x.shape[-1:] for x in args) or len({x.shape[-1] for x in args}) > 1:
            args = [self._broadcast(call, k, x, shape) for k, x in enumerate(args)]
        target = self._target(Edge(call.id), args[0].lead, shape)
        axes = target.axes[:-1]
        own = names((*axes, 2))[:-1]
        call_ = f"{kernel.function}({', '.join([*(x.row(*own) for x in args), target.row(*own)])});"
        self._say(nest((*axes, 1), [call_]))

    def _broadcast(self, call: Call, k: int, x: Value, shape: tuple[int, ...]) -> Value:
        """An argument repeated along the axes that it has once."""
        if x.shape == shape:
            return x
        whole = self._place(f"wide_{k}_{call.id}", Value("", shape, x.lead))
        own = names(whole.axes)
        chosen = ["0" if n == 1 else i for n, i in zip(x.axes, own, strict=True)]
        self._say(filled(whole, x.at(*chosen)))
        return whole

    def _recurrent(self, call: Call, layer: Layer, x: Value) -> None:
        kernel, n = self.plan.kernels[call.id], self.plan.units[call.id].sizes["H"]
        sequences = bool(layer.options.get("return_sequences", False))
        state, out = Edge(call.id, "state"), Edge(call.id)
        h = self._target(state if sequences else out, x.lead, (n,))
        if sequences:
            h = self._renamed(state, h, call)
        else:
            self.values[state] = h
            if out in self.roots:
                self.roots[state] = self.roots[out]
        y = self._target(out, x.lead, (x.shape[0], n)) if sequences else h
        b, t = names((x.lead, x.shape[0], 1))[:2]
        step = [self._step(call, kernel, x, h, b, t)]
        if sequences:
            step += [f"for (size_t i = 0; i < {n}; i++) {{", f"    {y.at(b, t, 'i')} = {h.at(b, 'i')};", "}"]
        begin = self._begin(call, h, b)
        steps = nest((1, x.shape[0], 1), step)
        self._say([*begin, *steps] if x.lead == 1 else nest((x.lead, 1), [*begin, *steps]))

    def _renamed(self, edge: Edge, h: Value, call: Call) -> Value:
        """The state of a layer that gives its whole sequence has a name beside it."""
        if edge not in self.roots:
            return h  # an output's own place
        del self.spans[self.roots[edge]]
        return self._place(f"state_{call.id}", h, edge)

    def _begin(self, call: Call, h: Value, b: str) -> list[str]:
        """The state before the first step."""
        n = h.shape[0]
        source = "0.0f"
        if call.initial:
            first = self._read(call.initial[0])
            if first.lead != h.lead:
                raise Unsupported(f"layer {call.layer}: a first state inside TimeDistributed is not emitted as C")
            source = first.at(b, "i" if n > 1 else "0")
        i = "i" if n > 1 else "0"
        return nest((1, 1, n), [f"{h.at(b, i)} = {source};"])

    def _step(self, call: Call, kernel: Kernel, x: Value, h: Value, b: str, t: str) -> str:
        mask = []
        if call.mask and kernel.plan.cell.mask:
            mask = [f"{self._read(call.mask).at(b, t)} != 0.0f"]
        return f"{kernel.function}({', '.join([x.row(b, t), *mask, h.row(b)])});"

    def lines(self) -> list[str]:
        """The body; a place in the workspace is named where it is first written."""
        found: list[str] = [f"(void){name};" for name in self.spare]
        born = sorted(self.spans.values(), key=lambda s: s.birth)
        for now, line in self.body:
            while born and born[0].birth <= now:
                span = born.pop(0)
                place = f"work->memory + {span.offset}" if span.offset else "work->memory"
                found.append(f"float *const {span.name} = {place};")
            found.append(line)
        return found

    @property
    def multiply_adds(self) -> int:
        """Multiply-accumulates of one window."""
        total = 0
        for call, _ in self.plan.calls:
            if call.id in self.plan.kernels:
                x = self.values[call.args[0]]
                rows = x.lead * prod(x.shape[:-1])
                total += rows * self.plan.kernels[call.id].multiply_adds
        return total
