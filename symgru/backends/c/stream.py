"""A network step by step as C: what runs at every time step, what after the last one, and the state between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symgru.backends.c.kernel import copy
from symgru.backends.c.memory import Span, lay_out
from symgru.backends.c.names import member, number
from symgru.backends.c.plan import MASKS, Plan, Port
from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer, safe_id
from symgru.wiring import reads


@dataclass(frozen=True)
class Member:
    """A part of the state struct: `units` floats, or a count where `count` is set."""

    member: str
    units: int
    count: bool = False


class Stream:
    """The lines of two functions: `advance` for every time step, `output` after the last."""

    def __init__(self, plan: Plan, scaled: bool = False) -> None:
        self.plan, self.scaled = plan, scaled
        self.members: list[Member] = []
        self._taken = {call.id for call in plan.network.calls} | {member(call.id) for call in plan.network.calls}
        self._states: dict[str, str] = {}
        for call, _ in plan.calls:
            if self._recurrent(call):
                self._states[call.id] = member(call.id)
                self.members.append(Member(member(call.id), plan.units[call.id].sizes["H"]))
        self.advance = _Function(self, final=False)
        self.output = _Function(self, final=True)

    def _recurrent(self, call: Call) -> bool:
        return call.id in self.plan.units and self.plan.units[call.id].recurrent

    def late(self, edge: Edge) -> bool:
        """Whether a value is worked out after the last time step (or could be)."""
        return self.plan.rates[edge] in ("final", "static") and not self.is_state(edge)

    def is_state(self, edge: Edge) -> bool:
        return edge.source in self._states

    def state(self, call: str) -> str:
        return f"state->{self._states[call]}"

    def keep(self, stem: str, units: int, count: bool = False) -> str:
        """A new member of the state."""
        name = safe_id(stem, self._taken)
        self.members.append(Member(member(name), units, count))
        return f"state->{member(name)}"

    @cached_property
    def kept_last(self) -> dict[str, str]:
        """Where the last time step of a value is kept, by the call of `last` that asks for it."""
        found: dict[str, str] = {}
        for call, layer in self.plan.calls:
            if layer.kind == "last":
                (edge,) = call.args
                own = self.is_state(edge)
                found[call.id] = self.state(edge.source) if own else self.keep(call.id, self.plan.width(edge))
        return found

    @property
    def state_bytes(self) -> int:
        return 4 * sum(m.units for m in self.members)

    @property
    def outputs(self) -> tuple[list[Port], list[Port]]:
        """Those of every time step, and those after the last."""
        ports = self.plan.outputs
        return [p for p in ports if p.timed], [p for p in ports if not p.timed]


class _Function:
    """The lines of one of the two functions; `places` says where each value is."""

    def __init__(self, stream: Stream, final: bool) -> None:
        self.stream, self.plan, self.final = stream, stream.plan, final
        self.places: dict[Edge, str] = {}
        self.spans: dict[Edge, Span] = {}
        self.used: set[str] = set()
        self.body: list[str | Edge] = []  # an Edge stands for the declaration of its array
        self.ports = stream.outputs[final]
        self.mine = [
            (call, layer)
            for call, layer in self.plan.calls
            if self._late(call) == final or (layer.kind == "last" and not final)
        ]
        self._write()

    def _late(self, call: Call) -> bool:
        return self.stream.late(Edge(call.id))

    @cached_property
    def _death(self) -> dict[Edge, int]:
        """The place of the last call here that reads a value; values that are views of another keep it alive."""
        found: dict[Edge, int] = {}
        for place, (call, _) in enumerate(self.mine):
            found |= dict.fromkeys(reads(call), place)
        for call, layer in reversed(self.mine):
            if layer.kind in VIEWS:
                own = found.get(Edge(call.id), 0)
                for edge in call.args:
                    found[edge] = max(found[edge], own)
        return found | {port.edge: len(self.mine) for port in self.ports}

    def _write(self) -> None:
        for place, (call, layer) in enumerate(self.mine):
            if layer.kind in MAPS:
                self._map(place, call, layer)
            else:
                self._cell(place, call)
        for port in self.ports:
            source = self.place(port.edge)
            if source != port.name:
                self.body += copy(port.name, source, port.size)

    def place(self, edge: Edge) -> str:
        """How C spells where a value is."""
        if edge in self.places:
            return self.places[edge]
        if edge.port == "input":
            return self._input(edge)
        if self.stream.is_state(edge):
            return self.stream.state(edge.source)
        return self.stream.kept_last[edge.source]

    def _input(self, edge: Edge) -> str:
        port = next(p for p in self.plan.inputs if p.edge == edge)
        self.used.add(port.name)
        if not port.whole:
            self.places[edge] = "scaled" if self.stream.scaled and not self.final else port.name
            return self.places[edge]
        own = f"in_{port.id}"
        if port.size == 1:
            self.body.append(f"const float {own}[1] = {{(float){port.name}[0]}};")
        else:
            self.body.append(f"float {own}[{port.size}];")
            self.body += [
                f"for (size_t i = 0; i < {port.size}; i++) {{",
                f"    {own}[i] = (float){port.name}[i];",
                "}",
            ]
        self.places[edge] = own
        return own

    def _target(self, place: int, edge: Edge) -> str:
        """Where a value is written: an output's own place, or a local array."""
        for port in self.ports:
            if port.edge == edge:
                self.places[edge] = port.name
                return port.name
        name = f"from_{edge.source}"
        self.spans[edge] = Span(name, self.plan.width(edge), place, self._death.get(edge, place))
        self.body.append(edge)
        self.places[edge] = name
        return name

    def _cell(self, place: int, call: Call) -> None:
        kernel = self.plan.kernels[call.id]
        sources = [self.place(edge) for edge in call.args]
        mask = [f"{self.place(call.mask)}"] if call.mask and kernel.plan.cell.mask else []
        recurrent = kernel.unit.recurrent
        target = self.stream.state(call.id) if recurrent else self._target(place, Edge(call.id))
        self.body.append(f"{kernel.function}({', '.join([*sources, *mask, target])});")

    def _map(self, place: int, call: Call, layer: Layer) -> None:
        edge = Edge(call.id)
        if layer.kind == "last":
            if not self.final and not self.stream.is_state(call.args[0]):
                source, width = self.place(call.args[0]), self.plan.width(call.args[0])
                self.body += copy(self.stream.kept_last[call.id], source, width)
            return
        sources = [self.place(arg) for arg in call.args]
        if layer.kind in MASKS and layer.kind != "differs":
            self._mask(call, layer, sources)
        elif layer.kind in ("cast", "fold", "unfold", "flatten"):
            self.places[edge] = sources[0]
        elif layer.kind in ("slice", "part") and layer.options.get("step") in (None, 1):
            start = _start(layer.options, self.plan.width(call.args[0]))
            self.places[edge] = f"{sources[0]} + {start}" if start else sources[0]
        elif layer.kind == "embed":
            table, rows = f"{self.plan.prefix}_{layer.id}_E", len(layer.weights["E"].value)
            own, index = f"from_{call.id}", f"{_paren(sources[0])}[0]"
            self.body.append(f"const float *const {own} = {table}[{self.plan.prefix}_row({index}, {rows})];")
            self.places[edge] = own
        else:
            self._written(place, call, layer, sources)

    def _written(self, place: int, call: Call, layer: Layer, sources: list[str]) -> None:
        """Maps that fill an array."""
        target, n = self._target(place, Edge(call.id)), self.plan.width(Edge(call.id))
        if layer.kind == "concatenate":
            start = 0
            for edge, source in zip(call.args, sources, strict=True):
                own = self.plan.width(edge)
                self.body += copy_from(target, start, source, own)
                start += own
        elif layer.kind in ("erase", "blank"):
            source, mask = sources
            value = f"{mask} ? {_at(source)} : {number(layer.options.get('value', 0))}"
            if layer.kind == "erase":
                value = f"{_at(source)} * ({mask} ? 1.0f : 0.0f)"
            self.body += [f"for (size_t i = 0; i < {n}; i++) {{", f"    {target}[i] = {value};", "}"]
        elif layer.kind == "differs":
            value = f"{_at(sources[0])} != {number(layer.options['value'])} ? 1.0f : 0.0f"
            self.body += [f"for (size_t i = 0; i < {n}; i++) {{", f"    {target}[i] = {value};", "}"]
        elif layer.kind == "part":
            options: Mapping[str, Any] = layer.options
            chosen = slice(options.get("start"), options.get("stop"), options.get("step"))
            for k, at in enumerate(range(self.plan.width(call.args[0]))[chosen]):
                self.body.append(f"{target}[{k}] = {_paren(sources[0])}[{at}];")
        else:
            self._window(call, layer, sources[0], target)

    def _window(self, call: Call, layer: Layer, source: str, target: str) -> None:
        """A ring of the time steps before this one, which are 0 at the start."""
        options: Mapping[str, Any] = layer.options
        width, size, dilation = self.plan.width(call.args[0]), options["size"], options.get("dilation", 1)
        ring = (size - 1) * dilation
        if not ring:
            self.body += copy(target, _paren(source), width)
            return
        kept = self.stream.keep(f"{call.id}_past", ring * width)
        if ring == 1:
            self.body += copy(target, kept, width)
            self.body += copy_from(target, width, source, width)
            self.body += copy(kept, _paren(source), width)
            return
        now = self.stream.keep(f"{call.id}_place", 1, count=True)
        own = f"at_{call.id}"
        step = f"k * {dilation}" if dilation > 1 else "k"
        self.body += [
            f"for (size_t k = 0; k < {size - 1}; k++) {{ /* the oldest is at {now.removeprefix('state->')} */",
            f"    const size_t {own} = ({now} + {step}) % {ring} * {width};",
            f"    for (size_t i = 0; i < {width}; i++) {{",
            f"        {target}[k * {width} + i] = {kept}[{own} + i];",
            "    }",
            "}",
            *copy_from(target, (size - 1) * width, source, width),
            f"for (size_t i = 0; i < {width}; i++) {{",
            f"    {kept}[{now} * {width} + i] = {_at(source)};",
            "}",
            f"{now} = ({now} + 1) % {ring};",
        ]

    def _mask(self, call: Call, layer: Layer, sources: list[str]) -> None:
        """A truth value as a variable."""
        own, edge = f"is_{call.id}", Edge(call.id)
        self.places[edge] = own
        if layer.kind in ("not_equal", "any"):
            value = number(layer.options.get("value", 0))
            n = self.plan.width(call.args[0])
            self.body += [
                f"int {own} = 0;",
                f"for (size_t i = 0; i < {n}; i++) {{",
                f"    {own} |= {_at(sources[0])} != {value};",
                "}",
            ]
            return
        if layer.kind == "started":
            flag = self.stream.keep(call.id, 1, count=True)
            self.body += [f"{flag} |= {sources[0]} ? 1u : 0u;", f"const int {own} = {flag} != 0;"]
            return
        tests = {"not_zero": f"{_paren(sources[0])}[0] != 0.0f", "both": " && ".join(sources), "unmasked": "1"}
        tests["either"] = " || ".join(sources)
        self.body.append(f"const int {own} = {tests[layer.kind]};")

    def lines(self) -> list[str]:
        """The body, with its local arrays declared where they are first written: or all in one, where that is less."""
        total, separate = self.layout
        together = total < separate
        found = [f"float memory[{total}]; /* values that are not needed at the same time share a place */"]
        found = found if together else []
        for line in self.body:
            if isinstance(line, Edge):
                span = self.spans[line]
                where = f"float *const {span.name} = memory{f' + {span.offset}' if span.offset else ''};"
                found.append(where if together else f"float {span.name}[{span.size}];")
            else:
                found.append(line)
        return found + [f"(void){name};" for name in self.spare]

    @cached_property
    def layout(self) -> tuple[int, int]:
        """How many numbers the local arrays hold together, and one beside the other. A plain chain's stay apart."""
        separate = sum(span.size for span in self.spans.values())
        return (separate if self.plan.network.is_chain else lay_out(list(self.spans.values()))), separate

    @property
    def held(self) -> int:
        """Numbers in local arrays."""
        return min(self.layout) + sum(p.size for p in self.plan.inputs if p.whole and p.name in self.used)

    @property
    def inputs(self) -> list[Port]:
        """What the function takes: every input of a time step, or those that are read after the last."""
        if self.final:
            return [port for port in self.plan.inputs if port.name in self.used]
        return [port for port in self.plan.inputs if port.timed]

    @property
    def spare(self) -> list[str]:
        return [port.name for port in self.inputs if port.name not in self.used]


VIEWS = ("slice", "part", "cast", "fold", "unfold", "flatten")


def _start(options: Mapping[str, Any], width: int) -> int:
    found = range(width)[options.get("start") : options.get("stop")]
    return found.start


def _paren(place: str) -> str:
    return f"({place})" if " " in place else place


def _at(place: str) -> str:
    return f"{_paren(place)}[i]"


def copy_from(target: str, start: int, source: str, n: int) -> list[str]:
    """Lines that copy a vector to `target` from the element `start` on."""
    where = f"{start} + i" if start else "i"
    return [f"for (size_t i = 0; i < {n}; i++) {{", f"    {target}[{where}] = {_at(source)};", "}"]
