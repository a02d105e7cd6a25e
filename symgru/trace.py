"""Running a network in a domain, with every number of every step kept where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symgru.building import build
from symgru.cell import Cell, masked
from symgru.decimal_domain import Decimals
from symgru.domains import Domain
from symgru.errors import Unsupported
from symgru.exact_maps import apply_exact
from symgru.float32 import Float32
from symgru.float32_maps import apply_in_order
from symgru.maps import MAPS, apply
from symgru.network import Array, Call, Edge, Layer, Network, Tensor
from symgru.shapes import shapes, units


@dataclass(frozen=True)
class Trace:
    """One layer call: its cell, its input and each defined vector by name, arrays of shape (batch, time, units)."""

    call: Call
    layer: Layer
    cell: Cell
    x: Array
    columns: Mapping[str, Array]

    @property
    def sizes(self) -> dict[str, int]:
        return {"H": self.columns[self.cell.output.name].shape[-1], "D": self.x.shape[-1]}

    @property
    def y(self) -> Array:
        return self.columns[self.cell.output.name]


@dataclass(frozen=True)
class Run:
    """What a network gives: its outputs as the framework shapes them, the trace of each call of a cell, the states
    after the last step by call, and every value on the way."""

    outputs: tuple[Array, ...]
    traces: tuple[Trace, ...]
    states: Mapping[str, Array]
    values: Mapping[Edge, Array]

    @property
    def y(self) -> Array:
        """The first output."""
        return self.outputs[0]


def run(
    network: Network,
    x: Tensor | Sequence[Tensor],
    domain: Domain,
    states: Mapping[str, Array] | None = None,
    rewrite: Mapping[str, Cell] | None = None,
) -> Run:
    """Feed x (batch, time, features), or one array for each input, through every call.

    `states` are those before the first step, by call (0 where it has none, unless the network gives it one); `rewrite`
    gives a call another cell in place of its own.
    """
    given = (x,) if isinstance(x, Tensor) else tuple(x)
    traces: list[Trace] = []
    last: dict[str, Array] = {}
    with domain.context():
        values = {
            Edge(put.id, "input"): tensor.value if put.whole else domain.lift(tensor)
            for put, tensor in zip(network.inputs, given, strict=True)
        }
        for call, layer in network:
            args = [values[edge] for edge in call.args]
            if layer.kind in MAPS:
                values[Edge(call.id)] = _map(network, layer, args, domain)
                continue
            cell = (rewrite or {}).get(call.id) or cell_of(call, layer)
            before = (states or {}).get(call.id)
            if before is None and call.initial:
                before = values[call.initial[0]]
            mask = values[call.mask] if call.mask else None
            trace = _call(call, layer, cell, args, mask, domain, before)
            traces.append(trace)
            y = trace.y.reshape(*args[0].shape[:-1], -1) if not cell.states else trace.y
            if cell.states:
                last[call.id] = values[Edge(call.id, "state")] = y[:, -1]
                y = y if layer.options.get("return_sequences", False) else y[:, -1]
            values[Edge(call.id)] = y
        ends = network.outputs or (Edge(network.calls[-1].id),)
    return Run(tuple(values[edge] for edge in ends), tuple(traces), last, values)


def cell_of(call: Call, layer: Layer) -> Cell:
    """The cell that a call runs: its layer's, masked where the call has a mask."""
    return as_called(call, build(layer.kind, layer.options))


def as_called(call: Call, cell: Cell) -> Cell:
    """A layer's cell in other lines as a call runs it: masked where the call has a mask."""
    return masked(cell) if call.mask and cell.states else cell


def last_step(outputs: Sequence[Array]) -> Array:
    """What is there after the last step: one number for each unit, one output after the other."""
    return np.concatenate([y.reshape(-1, y.shape[-1])[-1] for y in outputs])


def keeps_time(network: Network) -> bool:
    """Whether the first output has a time axis."""
    return len(shapes(network)[network.outputs[0]]) > 1


def _map(network: Network, layer: Layer, args: list[Array], domain: Domain) -> Array:
    tables = [domain.lift(layer.weights[name]) for name in MAPS[layer.kind].tables]
    if layer.kind == "cast":  # a domain has one precision
        return args[0]
    zero = domain.zeros((1,))
    if zero.dtype == object:
        y = _exact_map(network, layer, [*args, *tables], zero[0])
        return domain.store(y) if MAPS[layer.kind].computes and isinstance(domain, Decimals) else y
    if MAPS[layer.kind].plain:
        args = [a.astype(network.dtype) for a in args]
    run_map = apply_in_order if isinstance(domain, Float32) else apply
    return run_map(layer.kind, layer.options, [*args, *tables])


def _exact_map(network: Network, layer: Layer, arrays: list[Array], zero: object) -> Array:
    try:
        return apply_exact(layer.kind, layer.options, arrays, zero, network.dtype)
    except Unsupported as error:
        raise Unsupported(f"layer {layer.id}: {error}") from None


def _call(
    call: Call, layer: Layer, cell: Cell, args: list[Array], mask: Array | None, domain: Domain, h: Array | None
) -> Trace:
    params, step = domain.params(cell, layer.weights), domain.step(cell)
    if not cell.states:
        x, *others = (a[:, None] if a.ndim == 2 else a for a in args)
        more = {s.name: other for s, other in zip(cell.inputs[1:], others, strict=True)}
        return Trace(call, layer, cell, x, step(x, None, {**params, **more}))
    (x,) = args
    if h is None:
        h = domain.zeros((x.shape[0], units(cell, layer)))
    rows: list[dict[str, Array]] = []
    for t in range(x.shape[1]):
        more = {} if mask is None else {cell.inputs[-1].name: mask[:, t, None]}
        rows.append(step(x[:, t], h, {**params, **more}))
        h = _of_every_unit(rows[-1][cell.output.name], h)
    return Trace(call, layer, cell, x, Columns(rows, h.shape))


class Columns(Mapping[str, Array]):
    """What each step gave, by name: (batch, time, units), put together when it is asked for."""

    def __init__(self, rows: Sequence[Mapping[str, Array]], shape: tuple[int, ...]) -> None:
        self._rows, self._shape = rows, shape
        self._stacked: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._stacked:
            self._stacked[name] = np.stack([_of_shape(row[name], self._shape) for row in self._rows], axis=1)
        return self._stacked[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows[0])

    def __len__(self) -> int:
        return len(self._rows[0])


def _of_shape(v: Array, shape: tuple[int, ...]) -> Array:
    return v if np.shape(v) == shape else np.broadcast_to(v, shape)


def _of_every_unit(new: Array, h: Array) -> Array:
    """A state; one number for all units, as a dot product gives, is that of each."""
    return new if np.shape(new) == h.shape else np.broadcast_to(new, np.broadcast_shapes(np.shape(new), h.shape))


def exact(network: Network, x: Tensor | Sequence[Tensor], typed: bool = False, digits: int = 30) -> Array:
    """The first output as Decimal objects: `digits` significant digits and ten more, so that a reader rounds them only
    once.

    Whether they are proven, `certified.exact` says.
    """
    return exact_outputs(network, x, typed, digits)[0]


def exact_outputs(
    network: Network, x: Tensor | Sequence[Tensor], typed: bool = False, digits: int = 30
) -> tuple[Array, ...]:
    """The same for every output."""
    from symgru import certified  # which runs networks in turn

    return certified.exact(network, x, typed, digits + 10).outputs
