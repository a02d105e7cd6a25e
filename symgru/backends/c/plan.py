"""When each value of a network is there: at every time step, before the first one, or after the last.

A network whose values are all one of these runs step by step. A layer that looks at later time steps needs the whole
window: then every value is an array, and the number of time steps is fixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Literal

from symgru.backends.c.kernel import Kernel, kernel
from symgru.backends.model import Unit, units_of
from symgru.cell import Cell
from symgru.errors import Unsupported, UnusableInput
from symgru.maps import MAPS
from symgru.network import Call, Edge, Input, Layer, Network, Shape, safe_id
from symgru.shapes import shapes
from symgru.trace import cell_of
from symgru.wiring import reads
from symgru.yardstick import table_sizes

Rate = Literal["stream", "folded", "static", "final"]
# at every time step; the same inside a TimeDistributed; before the first step; after the last

SAME = (
    *("slice", "part", "cast", "embed", "erase", "blank", "concatenate"),
    *("not_equal", "differs", "any", "not_zero", "both", "either", "unmasked"),
)
MASKS = ("not_equal", "differs", "any", "not_zero", "until", "started", "both", "either", "unmasked")
# maps that give a truth value a time step; `differs` one a number
EMITTED = (
    *SAME,
    *("flip", "flip_until", "last", "pad", "crop", "repeat", "upsample", "window", "max_pool", "mean_pool"),
    *("global_max", "global_mean", "flatten", "reshape", "permute", "take", "constant", "fold", "unfold"),
    *("until", "started"),
)


COUNTS = "it gives another number of time steps than it takes"
EVERY = "it looks at every time step"
WHY = {
    "flip": "it begins with the last time step",
    "flip_until": "it begins with the last time step",
    **dict.fromkeys(("pad", "crop", "repeat", "upsample", "max_pool", "mean_pool"), COUNTS),
    **dict.fromkeys(("global_max", "global_mean", "flatten", "reshape", "permute", "take"), EVERY),
    "until": "it counts the time steps of a window",
    "constant": "its numbers are those of a whole window",
}


class Ahead(Exception):
    """Why a layer cannot give its value step by step."""


@dataclass(frozen=True)
class Port:
    """An input or output of the C: how it is called, and how many numbers it has (at each time step if `timed`)."""

    edge: Edge
    id: str
    name: str
    macro: str
    size: int
    timed: bool
    whole: bool = False
    axes: tuple[int, ...] = ()

    @property
    def type(self) -> str:
        return "int32_t" if self.whole else "float"


class Plan:
    """A network as the C computes it. `steps` is the length of a window where the network needs one whole."""

    def __init__(self, prefix: str, network: Network, steps: int | None = None) -> None:
        self.prefix, self.given = prefix, network
        _check_maps(network)
        _check_length(network, steps)
        self.rates, self.ahead = _rates(network)
        self.network = network if not self.ahead else _fixed(network, steps, self.ahead)

    @property
    def streams(self) -> bool:
        return not self.ahead

    @property
    def steps(self) -> int | None:
        """The length of a window, where it is known."""
        if self.streams:
            return self.network.steps
        return next((put.shape[0] for put in self.network.inputs if timed(self.network, put)), None)

    @cached_property
    def shapes(self) -> dict[Edge, Shape]:
        return shapes(self.network)

    @cached_property
    def outputs_of(self) -> tuple[Edge, ...]:
        return self.network.outputs or (Edge(self.network.calls[-1].id),)

    @cached_property
    def calls(self) -> list[tuple[Call, Layer]]:
        """The calls that an output depends on, in order; in a stream also all that moves a state on."""
        wanted = {edge.source for edge in self.outputs_of}
        kept: list[tuple[Call, Layer]] = []
        for call, layer in reversed(list(self.network)):
            if call.id in wanted or (self.network.is_chain and self.streams):
                kept.append((call, layer))
                wanted |= {edge.source for edge in reads(call)}
        return kept[::-1]

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        return units_of(self.network)

    @cached_property
    def kernels(self) -> dict[str, Kernel]:
        """The function of each call by its id; calls of a shared layer have the same one."""
        taken = {layer.id for layer in self.network.layers.values()}
        made: dict[tuple[str, Cell, tuple[tuple[str, int], ...]], Kernel] = {}
        names: set[str] = set()
        found: dict[str, Kernel] = {}
        for call, layer in self.calls:
            if layer.kind in MAPS:
                continue
            unit = self.units[call.id]
            key = (layer.id, unit.cell, tuple(sorted(unit.sizes.items())))
            if key not in made:
                first = layer.id not in names
                names.add(layer.id)
                made[key] = replace(kernel(self.prefix, unit), own="" if first else safe_id(layer.id, taken))
            found[call.id] = made[key]
        return found

    @cached_property
    def unique(self) -> list[Kernel]:
        """Every function once."""
        return list({k.function: k for k in self.kernels.values()}.values())

    def width(self, edge: Edge) -> int:
        """How many numbers a value has, at one time step where it is one of a stream."""
        shape = self.shapes[edge]
        one = shape[1:] if self.streams and self.rates[edge] == "stream" else shape
        return prod(n or 1 for n in one)

    @cached_property
    def inputs(self) -> list[Port]:
        several = len(self.network.inputs) > 1
        return [
            self._port(Edge(put.id, "input"), put.id, "x", "FEATURES", several, put.whole)
            for put in self.network.inputs
        ]

    @cached_property
    def outputs(self) -> list[Port]:
        several, taken = len(self.outputs_of) > 1, set[str]()
        names = [safe_id(e.source + ("_state" if e.port == "state" else ""), taken) for e in self.outputs_of]
        pairs = zip(self.outputs_of, names, strict=True)
        return [self._port(edge, name, "y", "OUTPUTS", several) for edge, name in pairs]

    def _port(self, edge: Edge, own: str, letter: str, what: str, several: bool, whole: bool = False) -> Port:
        upper = self.prefix.upper()
        name, macro = (f"{letter}_{own}", f"{upper}_{what}_{own.upper()}") if several else (letter, f"{upper}_{what}")
        timed = self.streams and self.rates[edge] == "stream"
        axes = tuple(n or 1 for n in self.shapes[edge])
        return Port(edge, own, name, macro, self.width(edge), timed, whole, axes)


def _check_maps(network: Network) -> None:
    """Refuse a map that the C does not have."""
    for _, layer in network:
        if layer.kind in MAPS and layer.kind not in EMITTED:
            raise Unsupported(f"layer {layer.id}: {layer.kind} ({MAPS[layer.kind].says}) is not emitted as C")
    for call, layer in network:
        if layer.kind in MASKS and Edge(call.id) in network.outputs:
            raise Unsupported(f"layer {layer.id}: an output that is a mask is not emitted as C")


def _check_length(network: Network, steps: int | None) -> None:
    fixed = network.steps
    if steps is not None and fixed is not None and steps != fixed:
        raise UnusableInput(f"--steps {steps}: the model's own input has {fixed} time steps")


def _fixed(network: Network, steps: int | None, ahead: str) -> Network:
    """The network with a number of time steps in every input. Raises UnusableInput where none is known."""

    def fix(put: Input) -> Input:
        if put.shape and put.shape[0] is None:
            if steps is None:
                raise UnusableInput(f"{ahead}; say how many time steps the window has: --steps T")
            put = replace(put, shape=(steps, *put.shape[1:]))
        if None in put.shape:
            raise Unsupported(f"input {put.id}: has an axis of any length besides time, which C cannot hold")
        return put

    return replace(network, inputs=tuple(fix(put) for put in network.inputs))


def timed(network: Network, put: Input) -> bool:
    """Whether an input's first axis is time: it has features behind it, any length, or indices that are looked up."""
    return len(put.shape) == 2 or (len(put.shape) == 1 and (put.shape[0] is None or put.id in table_sizes(network)))


def _rates(network: Network) -> tuple[dict[Edge, Rate], str]:
    """When each value is there, or which layer is in the way of a stream and why."""
    known = shapes(network)
    rates: dict[Edge, Rate] = {
        Edge(put.id, "input"): "stream" if timed(network, put) else "static" for put in network.inputs
    }
    lengths = {put.shape[0] for put in network.inputs if timed(network, put)} - {None}
    for put in network.inputs:
        if len(put.shape) > 2:
            return rates, f"input {put.id} has {len(put.shape)} axes beside the batch"
    if len(lengths) > 1:
        return rates, f"the inputs have {' and '.join(map(str, sorted(lengths, key=str)))} time steps"
    for call, layer in network:
        args = [rates[edge] for edge in call.args]
        try:
            if layer.kind in MAPS:
                rates[Edge(call.id)] = _map_rate(layer, args, [known[edge] for edge in call.args])
                continue
            rate = _cell_rate(call, layer, args, [known[edge] for edge in call.args])
            if call.mask and rates[call.mask] != "stream":
                raise Ahead("its mask is no value of the same time step")
        except Ahead as error:
            return rates, f"layer {layer.id} ({_said(call, layer)}) needs the whole window: {error}"
        rates[Edge(call.id)] = rate
        if cell_of(call, layer).states:
            rates[Edge(call.id, "state")] = "final"
    return rates, ""


def _said(call: Call, layer: Layer) -> str:
    return MAPS[layer.kind].says if layer.kind in MAPS else cell_of(call, layer).title


def _together(args: Sequence[Rate]) -> Rate:
    """When all of several values are there."""
    found = set(args)
    if found <= {"static", "final"}:
        return "final" if "final" in found else "static"
    if len(found) > 1:
        raise Ahead("it joins values of one time step and of all")
    return args[0]


def _map_rate(layer: Layer, args: Sequence[Rate], known: Sequence[Shape]) -> Rate:
    axes = len(known[0])
    if layer.kind == "fold" and args[0] == "stream" and axes == 2:
        return "folded"
    if layer.kind == "unfold" and args[0] == "folded" and axes == 1:
        return "stream"
    if layer.kind == "last" and args[0] == "stream" and axes == 2:
        return "final"
    if layer.kind == "flatten" and axes == 1 and args[0] != "stream":
        return args[0]
    if layer.kind in ("started", "unmasked") and args[0] == "stream":
        return "stream"
    if layer.kind == "window" and args[0] == "stream":
        if layer.options.get("padding", "valid") == "causal" and layer.options.get("stride", 1) == 1:
            return "stream"
        raise Ahead("a window that is not causal, or has a stride, does not give a vector for each time step")
    if layer.kind in SAME:
        rate = _together(args)
        if _one_step(layer, rate, axes):
            return rate
    raise Ahead(WHY.get(layer.kind, "it looks at more than one time step"))


def _one_step(layer: Layer, rate: Rate, axes: int) -> bool:
    """Whether a map takes each time step (or a vector) for itself, features and nothing else behind it."""
    inner = axes - (rate == "stream")
    if layer.kind in ("concatenate", "part"):
        return inner == 1 and layer.options["axis"] == axes
    return inner == 0 if layer.kind in ("embed", "not_zero", "both", "either") else inner == 1


def _cell_rate(call: Call, layer: Layer, args: Sequence[Rate], known: Sequence[Shape]) -> Rate:
    if cell_of(call, layer).states:
        if call.initial:
            raise Ahead("its first state is given, so that it cannot go on from call to call")
        if args[0] != "stream":
            raise Ahead("it goes through a sequence that is there only when all is known")
        return "stream" if layer.options.get("return_sequences", False) else "final"
    rate = _together(args)
    if len(known[0]) - (rate == "stream") != 1:
        raise Ahead("its input has more axes than time and features")
    if len({shape[-1] for shape in known}) > 1:
        raise Ahead("its inputs are of different widths")
    return rate


def readers(calls: Sequence[tuple[Call, Layer]]) -> Iterator[tuple[int, Edge]]:
    """(place, value) of every value that a call reads."""
    return ((place, edge) for place, (call, _) in enumerate(calls) for edge in reads(call))
