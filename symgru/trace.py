"""Running a network in a domain, with every number of every step kept where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from symgru.cells import Cell, build
from symgru.domains import Domain
from symgru.network import Array, Call, Layer, Network, Tensor


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
    """A network's output as the framework shapes it, the trace of each call, and the states after the last step."""

    y: Array
    traces: tuple[Trace, ...]
    states: Mapping[str, Array]


def run(
    network: Network,
    x: Tensor,
    domain: Domain,
    states: Mapping[str, Array] | None = None,
    rewrite: Mapping[str, Cell] | None = None,
) -> Run:
    """Feed x of shape (batch, time, features) through every call.

    `states` are those before the first step, by call (0 where it has none); `rewrite` gives a call another cell in
    place of its own. The output has a time axis where the last recurrent layer returns sequences.
    """
    traces: list[Trace] = []
    last: dict[str, Array] = {}
    with domain.context():
        value = domain.lift(x)
        for call, layer in network:
            cell = (rewrite or {}).get(call.id) or build(layer.kind, layer.options)
            trace = _call(call, layer, cell, value, domain, (states or {}).get(call.id))
            traces.append(trace)
            value = trace.y
            if cell.states:
                last[call.id] = value[:, -1]
                if not layer.options.get("return_sequences", False):
                    value = value[:, -1:]
    return Run(value if keeps_time(network) else value[:, -1], tuple(traces), last)


def keeps_time(network: Network) -> bool:
    """Whether the output has a time axis."""
    return all(
        layer.options.get("return_sequences", False) or not build(layer.kind, layer.options).states
        for _, layer in network
    )


def _call(call: Call, layer: Layer, cell: Cell, x: Array, domain: Domain, h: Array | None) -> Trace:
    params, step = domain.params(cell, layer.weights), domain.step(cell)
    if not cell.states:
        return Trace(call, layer, cell, x, step(x, None, params))
    if h is None:
        h = domain.zeros((x.shape[0], units(cell, layer)))
    rows: list[dict[str, Array]] = []
    for t in range(x.shape[1]):
        rows.append(step(x[:, t], h, params))
        h = rows[-1][cell.output.name]
    columns = {name: np.stack([np.broadcast_to(row[name], h.shape) for row in rows], axis=1) for name in rows[0]}
    return Trace(call, layer, cell, x, columns)


def units(cell: Cell, layer: Layer) -> int:
    """How many units a layer has, from the shapes of its weights."""
    for p in cell.params:
        if cell.dims[p][0] == "H":
            return cast(int, layer.weights[p.name].value.shape[0])
    raise AssertionError(f"cell {cell.name} has no parameter with one row for each unit")


def exact(network: Network, x: Tensor, typed: bool = False, digits: int = 30) -> Array:
    """The output as Decimal objects: `digits` significant digits and ten more, so that a reader rounds them only once.

    Whether they are proven, `certified.exact` says.
    """
    from symgru import certified  # which runs networks in turn

    return certified.exact(network, x, typed, digits + 10).y
