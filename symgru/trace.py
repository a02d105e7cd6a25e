"""Running a network in a domain, with every number of every step kept where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np

from symgru.cells import Cell, build
from symgru.domains import Decimals, Domain, Float64
from symgru.errors import Unsupported
from symgru.network import Array, Call, Layer, Network, Tensor
from symgru.rules import CALCULATOR


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
    """The output to `digits` significant digits, as Decimal objects: two decimal precisions that agree.

    That is strong evidence and not a proof. The precision begins high enough for what a float64 run shows: sums of
    numbers of unlike size, and gates so far saturated that 1 - z has many zeros.
    """
    working = digits + 10 + _lost_digits(network, x)
    while True:
        low, high = (run(network, x, Decimals(p, typed)).y for p in (working, working + 15))
        with Decimals(working + 15).context():
            agreed = [_agree(a, b, digits) for a, b in zip(low.ravel(), high.ravel(), strict=True)]
        if all(agreed):
            return high
        if working >= MOST_DIGITS:
            break
        working = min(2 * working, MOST_DIGITS)
    # what shrinks with every precision tried is 0: nothing else cancels to so many places
    if any(v.adjusted() > -working // 8 for v, settled in zip(high.ravel(), agreed, strict=True) if not settled):
        raise Unsupported(f"the exact output cannot be had: {working} digits are lost on the way through the network")
    values = [v if settled else Decimal(0) for v, settled in zip(high.ravel(), agreed, strict=True)]
    return np.array(values, dtype=object).reshape(high.shape)


MOST_DIGITS = 1500  # of the precision that is tried last
MOST_LOST = 650  # digits: a float64 reaches from 10^-324 to 10^308


def _lost_digits(network: Network, x: Tensor) -> int:
    """How many digits sums and saturated gates may cost, from the sizes that a float64 run meets."""
    cells = {call.id: CALCULATOR(build(layer.kind, layer.options)) for call, layer in network}
    traces = run(network, x, Float64(), rewrite=cells).traces
    arrays = [x.value, *(t.value for layer in network.layers.values() for t in layer.weights.values())]
    size = max(_largest(a) for a in [*arrays, *(c for trace in traces for c in trace.columns.values())])
    arguments = [c for trace in traces for name, c in trace.columns.items() if name.startswith("a_")]
    depth = max((_largest(a) for a in arguments), default=0.0)  # 1 - tanh(a) is about 2 e^-2a
    return int(min(MOST_LOST, 2 * np.log10(max(size, 1.0)) + 0.87 * depth))


def _largest(a: Array) -> float:
    """The largest magnitude; 10^300 for what is not finite."""
    if not a.size:
        return 0.0
    return float(np.abs(np.nan_to_num(a.astype(np.float64), nan=1e300, posinf=1e300, neginf=-1e300)).max())


def _agree(a: Decimal, b: Decimal, digits: int) -> bool:
    if not (a.is_finite() and b.is_finite()):
        return str(a) == str(b)
    return a == b or abs(a - b).adjusted() < b.adjusted() - digits
