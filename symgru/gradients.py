"""Back-propagation through a network in any arithmetic: the derived reverse step of each cell, run from the last time
step to the first and from the last layer to the first.

This is what emitted gradients are compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from sympy import Expr, Symbol

from symgru.adjoint import Adjoint, adjoint
from symgru.algebra import Outer, terms
from symgru.building import build
from symgru.domains import Domain, Float64
from symgru.errors import UnusableInput
from symgru.layout import layout
from symgru.network import Array, Layer, Network, Tensor
from symgru.trace import Trace, run


@dataclass(frozen=True)
class Gradients:
    """dL/d everything that the output depends on.

    `weights` holds for each layer its parameters' gradients under the parameters' names, in the canonical form of
    `network` (one row for each unit); a layer that is called twice has their sum. `x` is (batch, time, features),
    `states` holds dL/d the state before the first step of each recurrent call, (batch, units). `y` is the output.
    """

    y: Array
    weights: Mapping[str, Mapping[str, Array]]
    x: Array
    states: Mapping[str, Array]

    def arrays(self, network: Network) -> list[Array]:
        """The weights' gradients as arrays like those of get_weights(), in its order."""
        return [array for layer in network.layers.values() for array in stacked(layer, self.weights[layer.id])]


def gradients(
    network: Network,
    x: Tensor,
    dy: Tensor,
    domain: Domain | None = None,
    states: Mapping[str, Array] | None = None,
) -> Gradients:
    """The gradients of a loss whose derivative by the output is dy, at an input x (batch, time, features).

    dy has the shape of the output: (batch, units), or (batch, time, units) where the last recurrent layer returns
    sequences. `states` are those before the first step, by call (0 where it has none). Float64 unless another
    arithmetic is given. Raises UnusableInput for a dy of another shape, Unsupported where a function in a cell has no
    derivative rule.
    """
    domain = domain or Float64()
    reverse = {call.id: _adjoint(build(layer.kind, layer.options)) for call, layer in network}
    forward = run(network, x, domain, states, {name: a.forward for name, a in reverse.items()})
    if dy.value.shape != forward.y.shape:
        raise UnusableInput(f"dy has shape {dy.value.shape}; the output has {forward.y.shape}")
    weights: dict[str, dict[str, Array]] = {}
    before: dict[str, Array] = {}
    with domain.context():
        back = domain.lift(dy)
        for trace in reversed(forward.traces):
            back = back.reshape(len(x.value), -1, back.shape[-1])  # one time step where the output is the last state
            sweep = _Sweep(reverse[trace.call.id], trace, domain)
            if trace.cell.states:
                start = (states or {}).get(trace.call.id)
                back, before[trace.call.id] = sweep.steps(back, start)
            else:
                back = sweep.whole(back)
            add_to(weights.setdefault(trace.layer.id, {}), sweep.gradients)
    in_order = {layer.id: weights[layer.id] for _, layer in network}
    return Gradients(forward.y, in_order, back, dict(reversed(before.items())))


_adjoint = cache(adjoint)


class _Sweep:
    """The reverse of one layer call; its gradients grow with every step."""

    def __init__(self, reverse: Adjoint, trace: Trace, domain: Domain) -> None:
        self.reverse, self.trace, self.domain = reverse, trace, domain
        self.step = domain.step(reverse.step)
        self.params = domain.params(reverse.step, trace.layer.weights)
        self.gradients: dict[str, Array] = {}

    def whole(self, dy: Array) -> Array:
        """dL/dx of a cell without a state: all time steps at once."""
        (x,) = self.trace.cell.inputs
        found = self.one(dy, {x.name: self.trace.x, **self.trace.columns})
        return found[self.reverse.back[x].name]

    def steps(self, dy: Array, start: Array | None) -> tuple[Array, Array]:
        """dL/dx and dL/d the state before the first step; dy is for every step, or for the last alone."""
        (x,), ((h, after),) = self.trace.cell.inputs, self.trace.cell.states
        last = self.trace.columns[after.name]
        zeros = self.domain.zeros((len(last), last.shape[-1]))
        dh, dx = zeros, []
        for t in reversed(range(last.shape[1])):
            from_loss = t - last.shape[1] + dy.shape[1]
            seed = dh + dy[:, from_loss] if from_loss >= 0 else dh
            before = last[:, t - 1] if t else zeros if start is None else start
            values = {name: column[:, t] for name, column in self.trace.columns.items()}
            found = self.one(seed, {**values, x.name: self.trace.x[:, t], h.name: before})
            dh = found[self.reverse.back[h].name]
            dx.append(found[self.reverse.back[x].name])
        return np.stack(dx[::-1], axis=1), dh

    def one(self, seed: Array, values: Mapping[str, Array]) -> Mapping[str, Array]:
        """One reverse step; the parameters' gradients are added up."""
        found = {**values, self.reverse.seed.name: seed, **self.step(seed, None, {**self.params, **values})}
        add_to(self.gradients, {p.name: _sum(e, found) for p, e in self.reverse.gradients.items()})
        return found


def _sum(e: Expr, values: Mapping[str, Array]) -> Array:
    """What a step adds to the gradient of a parameter, over the batch (and over time where it has that axis)."""

    def rows(s: Expr) -> Array:
        array = values[str(s)]
        return array.reshape(-1, array.shape[-1])

    parts = [rows(t.args[0]).T @ rows(t.args[1]) if isinstance(t, Outer) else rows(t).sum(0) for t in terms(e)]
    total: Array = sum(parts[1:], parts[0])
    return total


def add_to(sums: dict[str, Array], more: Mapping[str, Array]) -> None:
    for name, array in more.items():
        sums[name] = sums[name] + array if name in sums else array


def stacked(layer: Layer, parts: Mapping[str, Array]) -> list[Array]:
    """A layer's parameters, by name and in canonical form, as the arrays of its framework: kernel, recurrent kernel,
    bias."""

    def row(symbols: tuple[Symbol, ...]) -> Array:
        return np.hstack([parts[s.name].T for s in symbols])

    arrays = layout(build(layer.kind, layer.options)).arrays
    return [np.stack([row(r) for r in rows]) if len(rows) > 1 else row(rows[0]) for rows in arrays.values()]
