"""Networks written by hand for tests: layers with weights from a seed, called one after the other."""

import numpy as np

from symgru.building import build
from symgru.maps import MAPS
from symgru.network import Call, Edge, Input, Layer, Network, Tensor


class Graph:
    """`add` makes a layer and calls it; `network` puts everything together."""

    def __init__(self, *inputs, dtype="float64", seed=0):
        self.inputs, self.dtype = inputs, dtype
        self.layers, self.calls = {}, []
        self.rng = np.random.default_rng(seed)

    def numbers(self, *shape):
        return Tensor(self.rng.uniform(-1, 1, shape).astype(self.dtype))

    def add(self, kind, *args, id=None, units=2, features=2, weights=None, mask=None, initial=(), **options):
        """The value of a new layer; `args` are values or names of inputs."""
        name = id or f"{kind}_{len(self.layers)}"
        if weights is None and kind not in MAPS:
            cell, sizes = build(kind, options), {"H": units, "D": features}
            weights = {p.name: self.numbers(*(sizes[d] for d in cell.dims[p])) for p in cell.params}
            if "v" in weights:  # a variance
                weights["v"] = Tensor(np.abs(weights["v"].value) + np.asarray(0.1, self.dtype))
        self.layers[name] = Layer(name, name, kind, options, weights or {})
        return self.call(name, *args, mask=mask, initial=initial)

    def call(self, layer, *args, mask=None, initial=(), id=None):
        """The value of a layer that is there, called (again)."""
        name = id or (layer if layer not in {c.id for c in self.calls} else f"{layer}_again")
        edges = tuple(Edge(arg, "input") if isinstance(arg, str) else arg for arg in args)
        self.calls.append(Call(name, layer, edges, mask, tuple(initial)))
        return Edge(name)

    def network(self, *outputs, name="net"):
        return Network(self.dtype, self.layers, tuple(self.calls), self.inputs, outputs, name)


def sequence(name="x", features=2, steps=None):
    return Input(name, (steps, features))


def state_of(edge):
    return Edge(edge.source, "state")
