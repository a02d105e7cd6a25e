"""Networks built by hand, call by call, with random weights."""

import numpy as np

from symgru.building import build
from symgru.maps import MAPS
from symgru.network import Call, Edge, Input, Layer, Network, Tensor
from symgru.shapes import shapes


class Graph:
    """Adds inputs and calls; each gives the Edge of its value."""

    def __init__(self, seed=0, scale=1.0):
        self.rng, self.scale = np.random.default_rng(seed), scale
        self.layers, self.calls, self.inputs = {}, [], []

    def input(self, id_, *shape, whole=False):
        self.inputs.append(Input(id_, shape, whole=whole))
        return Edge(id_, "input")

    def _shape(self, edge):
        network = Network("float32", self.layers, tuple(self.calls), tuple(self.inputs), ())
        return shapes(network)[edge]

    def weights(self, kind, units, features, options):
        cell = build(kind, options)
        sizes = {"H": units or features, "D": features}
        found = {}
        for p in cell.params:
            shape = tuple(sizes[d] for d in cell.dims[p])
            value = self.scale * self.rng.uniform(-1, 1, shape) / np.sqrt(shape[-1] if len(shape) > 1 else 1)
            found[p.name] = Tensor.of((np.abs(value) + 0.25 if p.name == "v" else value).astype(np.float32))
        return found

    def add(self, kind, *args, units=0, mask=None, initial=(), table=None, id_=None, layer=None, **options):
        """A call of a new layer, or of `layer`."""
        own = id_ or f"{kind}_{len(self.calls) + 1}"
        if layer is None:
            layer = own
            if kind in MAPS:
                weights = {} if table is None else {"E": Tensor.of(np.asarray(table, np.float32))}
            else:
                if len(args) > 1:
                    options = {**options, "inputs": len(args)}
                weights = self.weights(kind, units, self._shape(args[0])[-1], options)
            self.layers[own] = Layer(own, own, kind, options, weights)
        self.calls.append(Call(own, layer, args, mask, tuple(initial)))
        return Edge(own)

    def gru(self, x, units, sequences=False, kind="gru", **options):
        return self.add(kind, x, units=units, return_sequences=sequences, **options)

    def table(self, rows, width):
        return self.rng.uniform(-1, 1, (rows, width)).astype(np.float32)

    def network(self, *outputs, name="net", dtype="float32"):
        return Network(dtype, dict(self.layers), tuple(self.calls), tuple(self.inputs), outputs, name)


def state(edge):
    return Edge(edge.source, "state")
