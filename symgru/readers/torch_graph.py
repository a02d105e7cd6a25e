"""The network while a description in PyTorch's words is read: layers, calls, and the shape of every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symgru import maps
from symgru.errors import UnusableInput
from symgru.network import Call, Edge, Input, Layer, Shape, Tensor, safe_id
from symgru.readers.checks import printable

MAX_CALLS = 2000


class Graph:
    """Values are edges; `named` are those that a layer's name stands for."""

    def __init__(self) -> None:
        self.layers: dict[str, Layer] = {}
        self.calls: list[Call] = []
        self.inputs: list[Input] = []
        self.shapes: dict[Edge, Shape] = {}
        self.named: dict[str, Edge] = {}
        self._taken: set[str] = set()
        self._shared: dict[object, Layer] = {}

    def input(self, label: str, shape: Shape, *, whole: bool = False) -> Edge:
        """An input of the network; the same one where the label is known."""
        if label in self.named:
            if self.shapes[self.named[label]] != shape:
                raise UnusableInput(f"the input {printable(label)} would have two shapes")
            return self.named[label]
        put = Input(safe_id(label, self._taken, "input"), shape, label, whole)
        self.inputs.append(put)
        edge = self.named[label] = Edge(put.id, "input")
        self.shapes[edge] = shape
        return edge

    def layer(
        self,
        kind: str,
        label: str,
        options: Mapping[str, object],
        weights: Mapping[str, Tensor],
        shared: object = None,
        notes: tuple[str, ...] = (),
    ) -> Layer:
        """A layer; of the same key `shared` and options the same one, called again."""
        key = None if shared is None else (shared, kind, repr(sorted(options.items())))
        if key in self._shared:
            return self._shared[key]
        made = Layer(safe_id(label or kind, self._taken, kind), label or kind, kind, options, weights, notes)
        self.layers[made.id] = made
        if key is not None:
            self._shared[key] = made
        return made

    def call(
        self,
        layer: Layer,
        args: Sequence[Edge],
        shape: Shape,
        *,
        mask: Edge | None = None,
        initial: tuple[Edge, ...] = (),
    ) -> Edge:
        """One use of a layer, which gives `shape`."""
        if len(self.calls) >= MAX_CALLS:
            raise UnusableInput(f"needs more than {MAX_CALLS} layers")
        first = all(call.layer != layer.id for call in self.calls)
        name = layer.id if first else safe_id(layer.id, self._taken)
        self.calls.append(Call(name, layer.id, tuple(args), mask, initial))
        self.shapes[Edge(name)] = shape
        return Edge(name)

    def map(self, kind: str, options: Mapping[str, Any], *args: Edge, table: Tensor | None = None) -> Edge:
        """A use of a map; what it gives follows from its arguments."""
        weights = {} if table is None else {maps.MAPS[kind].tables[0]: table}
        given = [*(self.shapes[edge] for edge in args), *(t.value.shape for t in weights.values())]
        shape = maps.shape(kind, options, given)
        return self.call(self.layer(kind, kind, options, weights), args, shape)

    def beside(self, edges: Sequence[Edge], axis: int) -> Edge:
        """Values side by side along an axis; one alone stays itself."""
        return edges[0] if len(edges) == 1 else self.map("concatenate", {"axis": axis}, *edges)

    def pointwise(
        self, kind: str, label: str, options: Mapping[str, object], weights: Mapping[str, Tensor], x: Edge
    ) -> Edge:
        """A layer that leaves the shape as it is."""
        return self.call(
            self.layer(kind, label, options, weights, shared=label if weights else None), (x,), self.shapes[x]
        )

    def features(self, x: Edge) -> int:
        """The width of a value."""
        width = self.shapes[x][-1] if self.shapes[x] else None
        if width is None:
            raise UnusableInput("its input has no fixed number of features")
        return width
