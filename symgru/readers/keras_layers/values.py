"""Values that go from layer to layer with their shapes and masks, and the network that grows from the calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symgru import maps
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Call, Edge, Input, Layer, Network, Shape, Tensor, safe_id
from symgru.readers.assemble import MAX_LAYERS
from symgru.readers.checks import MAX_NUMBERS
from symgru.readers.decimals import tensor
from symgru.readers.keras_config import Config, Options, dtype_of, mixed_note
from symgru.readers.keras_weights import Place, Wanted, Weights

MAX_CALLS = 4096  # of one network: a model that calls a model twice, which calls one twice, doubles each time


@dataclass(frozen=True)
class Value:
    """A tensor of the model: `shape` leaves the batch out; `mask` is what Keras attaches to it, of shape (time,)."""

    edge: Edge
    shape: Shape
    dtype: str = "float32"
    mask: Value | None = None

    @property
    def rank(self) -> int:
        """How many axes it has, the batch among them."""
        return len(self.shape) + 1


@dataclass(frozen=True)
class Given:
    """What a layer is called with: its tensors (a list is one argument of several), and what goes beside them."""

    inputs: tuple[Value, ...]
    mask: Value | None = None
    initial: tuple[Value, ...] = ()
    rest: tuple[object, ...] = ()  # of an operation: what is no tensor

    @property
    def x(self) -> Value:
        if len(self.inputs) != 1:
            raise Unsupported(f"is called on {len(self.inputs)} tensors; it takes one")
        return self.inputs[0]

    @property
    def previous(self) -> Value | None:
        """The mask that Keras hands on: the one that was given, else that of the first tensor."""
        return self.mask or (self.inputs[0].mask if self.inputs else None)


Outputs = tuple[Value, ...]


class Builder:
    """The network while it is read. Layers keep the order of the model, in which get_weights() lists their arrays."""

    def __init__(self, weights: Weights, version: int, dtype: str) -> None:
        self.weights, self.version, self.dtype = weights, version, dtype
        self.taken: set[str] = set()
        self.layers: dict[str, Layer] = {}
        self.order: dict[str, tuple[int, ...]] = {}
        self.calls: dict[str, Call] = {}
        self.inputs: list[Input] = []
        self.notes: list[str] = []
        self.entered: list[Value] = []  # the network's inputs, in their own precision
        self.shown: dict[Edge, Value] = {}  # every value by its edge
        self.numbers = 0
        self._maps: dict[str, Value] = {}

    def input(self, label: str, shape: Shape, whole: bool, alone: bool) -> Edge:
        name = safe_id("x" if alone else label, self.taken, "x")
        self.inputs.append(Input(name, shape, label, whole))
        return Edge(name, "input")

    def learn(self, x: Value, features: int) -> Value:
        """An input's number of features, from the first weights that multiply it."""
        if x.edge.port != "input":
            raise UnusableInput("its number of features is not told; call the model on data or give it an Input")
        known = (*x.shape[:-1], features)
        self.inputs = [replace(put, shape=known) if put.id == x.edge.source else put for put in self.inputs]
        return replace(x, shape=known)

    def layer(
        self,
        label: str,
        kind: str,
        options: Mapping[str, object],
        weights: Mapping[str, Tensor],
        order: tuple[int, ...] = (),
        notes: Sequence[str] = (),
        fallback: str = "",
    ) -> str:
        """A new layer's id."""
        self.numbers += sum(t.value.size for t in weights.values())
        if self.numbers > MAX_NUMBERS:
            raise UnusableInput(f"has more than {MAX_NUMBERS} parameters, which is as many as are read")
        name = safe_id(label, self.taken, fallback or kind)
        self.layers[name] = Layer(name, label, kind, options, weights, tuple(notes))
        self.order[name] = order
        return name

    def note(self, layer: str, text: str) -> None:
        """Say something of a layer, once."""
        found = self.layers[layer]
        if text not in found.notes:
            self.layers[layer] = replace(found, notes=(*found.notes, text))

    def call(
        self, layer: str, args: Sequence[Value], shape: Shape, mask: Value | None = None, initial: Sequence[Value] = ()
    ) -> Value:
        """A call of a cell."""
        if len(self.calls) >= MAX_CALLS:
            raise Unsupported(f"has more than {MAX_CALLS} calls of layers, as no model in use has")
        known = any(call.layer == layer for call in self.calls.values())
        name = safe_id(layer, self.taken) if known else layer
        edges = tuple(value.edge for value in args)
        firsts = tuple(value.edge for value in initial)
        self.calls[name] = Call(name, layer, edges, mask.edge if mask else None, firsts)
        self.shown[Edge(name)] = made = Value(Edge(name), shape, args[0].dtype)
        return made

    def map(self, kind: str, options: Mapping[str, object], *values: Value, name: str = "") -> Value:
        """What a map makes of values; the same map of the same values is called once."""
        said = [kind, dict(options), *([v.edge.source, v.edge.port] for v in values)]
        key = json.dumps(said, sort_keys=True)
        if key not in self._maps:
            shape = maps.shape(kind, options, [value.shape for value in values])
            layer = self.layer(name or kind, kind, options, {}, self.last, fallback=kind)
            made = self.call(layer, values, shape)
            self._maps[key] = replace(made, dtype="bool" if maps.MAPS[kind].says.startswith("a mask") else made.dtype)
        return self._maps[key]

    @property
    def last(self) -> tuple[int, ...]:
        """Where a layer without weights stands: behind the one before it."""
        return next(reversed(self.order.values()), ())

    def network(self, outputs: Sequence[Value], name: str, origin: str) -> Network:
        """What has been read, without maps that nothing reads (masks that go nowhere)."""
        calls = self._needed([value.edge.source for value in outputs])
        used = {call.layer for call in calls}
        ordered = sorted((n for n in self.layers if n in used), key=lambda n: self.order[n])
        return Network(
            self.dtype,
            {n: self.layers[n] for n in ordered},
            tuple(calls),
            tuple(self.inputs),
            tuple(value.edge for value in outputs),
            safe_id(name, set(), "gru"),
            origin,
            tuple(dict.fromkeys(self.notes)),
        )

    def _needed(self, wanted: list[str]) -> list[Call]:
        needed = set(wanted)
        for call in reversed(self.calls.values()):
            if call.id in needed or self.layers[call.layer].weights:
                edges = [*call.args, *call.initial, *([call.mask] if call.mask else [])]
                needed |= {call.id, *(edge.source for edge in edges)}
        return [call for call in self.calls.values() if call.id in needed]


@dataclass
class Entry:
    """A layer of the model's configuration, and what has been made of it so far."""

    builder: Builder
    place: Place
    kind: str
    config: Config
    order: tuple[int, ...]
    title: str = ""
    made: dict[str, str] = field(default_factory=dict)  # layers of the network by what they do in this one
    children: dict[str, Any] = field(default_factory=dict)
    asked: bool = False

    @property
    def options(self) -> Options:
        return Options(self.config, self.builder.version)

    @property
    def label(self) -> str:
        return self.title or self.place.label

    @property
    def dtype(self) -> str:
        return dtype_of(self.config)

    def cast(self, x: Value) -> Value:
        """A tensor in this layer's precision, as Keras casts what a layer is given."""
        if x.dtype == self.dtype or x.dtype in ("bool", "int"):
            return x
        made = self.map("cast", {"dtype": self.dtype}, x)
        return replace(made, dtype=self.dtype, mask=x.mask)

    def map(self, kind: str, options: Mapping[str, object], *values: Value) -> Value:
        """A map that this layer stands for, or needs."""
        own = kind.replace("_", "") == self.kind.lower()
        return self.builder.map(kind, options, *values, name=self.label if own else f"{kind}_{self.label}"[:80])

    def child(self, kind: str, config: Config, attribute: str, name: str = "", title: str = "") -> Entry:
        """A layer inside this one, the same each time that it is asked for; `title` is its label, where not `name`."""
        if attribute not in self.children:
            place = self.place.inside(name, attribute, kind)
            order = (*self.order, len(self.children))
            self.children[attribute] = Entry(self.builder, place, kind, config, order, title)
        found: Entry = self.children[attribute]
        return found

    def arrays(self, shapes: Mapping[str, Wanted]) -> list[Array]:
        """This layer's own arrays; also without any it is looked at, once."""
        self.asked = True
        return self.builder.weights.take(self.place, shapes)

    def tensors(self, shapes: Mapping[str, Wanted]) -> dict[str, Tensor]:
        """The arrays that inference reads, by name."""
        found = zip(shapes.items(), self.arrays(shapes), strict=True)
        return {name: tensor(array, self.dtype, name) for (name, shape), array in found if shape is not None}

    def cell(
        self,
        kind: str,
        options: Mapping[str, object],
        weights: Callable[[], Mapping[str, Tensor]],
        part: str = "",
        notes: Sequence[str] = (),
    ) -> str:
        """The layer of the network for `part` of this one; its weights are read the first time."""
        if part not in self.made:
            read = weights()
            if not self.asked:
                self.arrays({})
            said = (*notes, *mixed_note(self.config))
            if "sparsemax" in (options.get("activation"), options.get("recurrent_activation")):
                said = (*said, SPARSEMAX)
            self.made[part] = self.builder.layer(self.label, kind, options, read, self.order, said)
        return self.made[part]

    def pointwise(self, kind: str, options: Mapping[str, object], *values: Value) -> Value:
        """A cell without weights, element by element."""
        layer = self.cell(kind, options, dict)
        return self.builder.call(layer, values, values[0].shape)


SPARSEMAX = (
    "sparsemax is what Keras computes under this name: its threshold is taken from the sum of all partial sums in the "
    "support, so sparsemax of 1, 0.9, 0.8 is 0, 0, 0"
)


def check_count(layers: Sequence[object]) -> None:
    if len(layers) > MAX_LAYERS:
        raise UnusableInput(f"has {len(layers)} layers; at most {MAX_LAYERS} are read")
