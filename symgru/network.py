"""What a file said: layers, their weights in canonical form, and the order in which they are called.

No SymPy here. Readers translate a framework's conventions into this form; nothing after them knows that Keras
stacks its gates as columns z, r, n. The canonical form has one matrix W_g of shape (units, features), one U_g of
shape (units, units) and one bias vector of shape (units,) for each gate and place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Tensor:
    """An array as the model stores it (`value`) and as a person reads or typed it (`text`, same shape).

    Without a typed text, `text` holds the shortest decimals that read back as `value`: what printing shows in full.
    They are made when they are first asked for, since a large model has many.
    """

    def __init__(self, value: Array, text: Array | None = None) -> None:
        self.value, self._text = value, text

    @staticmethod
    def of(value: Array, text: Array | None = None) -> Tensor:
        return Tensor(value, text)

    @property
    def text(self) -> Array:
        if self._text is None:
            self._text = shortest(self.value)
        return self._text

    @property
    def typed(self) -> bool:
        """Whether somebody typed or printed the numbers; else they come from a file that holds them in binary."""
        return self._text is not None

    @property
    def T(self) -> Tensor:
        return Tensor(self.value.T, None if self._text is None else self._text.T)

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor(self.value[index], None if self._text is None else self._text[index])

    @property
    def is_zero(self) -> bool:
        """Whether every number is 0 (or -0)."""
        return not self.value.any()


def stored(x: Tensor, dtype: str) -> Tensor:
    """An input as a framework holds it: typed decimals rounded to its dtype (values still in float64)."""
    return Tensor(x.value.astype(dtype).astype(np.float64), x.text)


def shortest(value: Array) -> Array:
    """The shortest decimal text of each number that reads back as the same float of its type."""
    flat = [
        np.format_float_positional(v, unique=True, trim="-")
        if v == 0 or 1e-4 <= abs(v) < 1e9
        else np.format_float_scientific(v, unique=True, trim="-")
        for v in value.ravel()
    ]
    return np.array(flat, dtype=object).reshape(value.shape)


Weights = Mapping[str, Tensor]  # of a layer, by symbol


@dataclass(frozen=True)
class Layer:
    """One set of weights. `kind` and `options` name a cell; weights are keyed by the cell's parameter names.

    `id` matches [a-z][a-z0-9_]*, is unique in the network and safe in every language. `label` is the file's own
    name: untrusted, it reaches an output only through that target's `Names.text`.

    Some options tell what no equation does:
    - `return_sequences` of a recurrent layer: its value is every step, not the last.
    - `stateful` of a recurrent layer: True where the next call of the model goes on from the last state.
    - `kernel_shape` of a dense layer behind a `window` map: (size, features, filters), the shape of a Conv1D's kernel
      in get_weights(). The canonical W has its first two axes as one, (filters, size * features).
    - `arrays` of a layer without matrices: the names of its arrays in get_weights(), in their order, where they are not
      all of `backends.model.NAMES`. A weight whose name is missing is a constant of the layer, which get_weights() does
      not have (gamma of a BatchNormalization with scale=False: ones; an axis' mean that was given); a name that no
      weight has is an array that inference does not read (a Normalization's count).
    - `array_shapes` of such a layer: the shapes in get_weights() of arrays that have several axes there, by name; here
      they are one axis (a PReLU with a slope for each time step and feature, behind a `reshape`).
    """

    id: str
    label: str
    kind: str
    options: Mapping[str, object]
    weights: Weights
    notes: tuple[str, ...] = ()


Shape = tuple[int | None, ...]  # without the batch axis; None is an axis of any length


@dataclass(frozen=True)
class Edge:
    """A value in the graph: port "y" is a call's output, "state" a recurrent call's state after its last step,
    "input" an input of the network."""

    source: str
    port: Literal["y", "state", "input"] = "y"
    index: int = 0


@dataclass(frozen=True)
class Call:
    """One use of a layer; a shared layer has several.

    `mask` is a value of shape (batch, time): where it is false a recurrent layer keeps its state. `initial` are the
    states before the first step; a layer without them starts at 0.
    """

    id: str
    layer: str
    args: tuple[Edge, ...]
    mask: Edge | None = None
    initial: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class Held:
    """How a file lays out an input or output: which of its axes is the batch (None: none is), and which one of length
    1, the one direction of a GRU in ONNX, the network leaves out."""

    batch: int | None = 0
    left_out: int | None = None


@dataclass(frozen=True)
class Input:
    """What the network is given. `whole` says that it holds whole numbers, such as an Embedding's indices.

    `held` says where the file has the batch; here the batch is first.
    """

    id: str
    shape: Shape
    label: str = ""
    whole: bool = False
    held: Held = Held()


@dataclass(frozen=True)
class Network:
    """Layers, their calls in topological order, and the file's dtype ("float32" or "float64").

    Everything that a framework does without saying (masks handed on, a sequence turned round) is a call of its own
    here: a layer whose kind is in `maps.MAPS`, not a cell. `held` says how the file lays out each output; it is empty
    where all have the batch first.
    """

    dtype: str
    layers: Mapping[str, Layer]
    calls: tuple[Call, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Edge, ...]
    name: str = "gru"
    origin: str = ""
    notes: tuple[str, ...] = field(default=())
    held: tuple[Held, ...] = ()

    @cached_property
    def is_chain(self) -> bool:
        """Whether each call takes what the call before it gives, and nothing else."""
        before = [Edge(self.inputs[0].id, "input"), *(Edge(call.id) for call in self.calls)]
        alone = len(self.inputs) == 1 and self.outputs in ((before[-1],), ())
        return alone and all(_edges(call) == [edge] for call, edge in zip(self.calls, before, strict=False))

    def __iter__(self) -> Iterator[tuple[Call, Layer]]:
        return ((call, self.layers[call.layer]) for call in self.calls)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the layers' kinds, options and stored weights: the same function, the same fingerprint."""
        digest, plain = hashlib.sha256(self.dtype.encode()), self.is_chain
        for call, layer in self:
            wiring = [[edge.source, edge.port, edge.index] for edge in _edges(call)] if not plain else []
            said = [call.id, layer.kind, dict(layer.options), *wiring]
            digest.update(json.dumps(said, sort_keys=True, default=list).encode())
            for name, tensor in sorted(layer.weights.items()):
                digest.update(f"{name}{tensor.value.shape}".encode())
                digest.update(np.ascontiguousarray(tensor.value).astype("<f8").tobytes())
        if not plain:
            digest.update(json.dumps([[edge.source, edge.port, edge.index] for edge in self.outputs]).encode())
        return digest.hexdigest()

    @property
    def features(self) -> int:
        """The width of the first input."""
        return self.inputs[0].shape[-1] or 0

    @property
    def steps(self) -> int | None:
        """The time steps of the first input, where the file fixes their number."""
        return self.inputs[0].shape[0] if len(self.inputs[0].shape) == 2 else None

    def with_steps(self, steps: int | None) -> Network:
        """The network with another number of time steps in its first input."""
        first, *others = self.inputs
        return replace(self, inputs=(replace(first, shape=(steps, *first.shape[1:])), *others))

    @property
    def parameters(self) -> int:
        """How many numbers the model holds."""
        return sum(t.value.size for layer in self.layers.values() for t in layer.weights.values())


def _edges(call: Call) -> list[Edge]:
    """All that a call reads."""
    return [*call.args, *([call.mask] if call.mask else []), *call.initial]


def safe_id(label: str, taken: set[str], fallback: str = "layer") -> str:
    """An identifier made from an untrusted name: lower case, [a-z][a-z0-9_]*, at most 32 long, not in `taken`."""
    stem = re.sub(r"[^a-z0-9]+", "_", label.lower()[:200]).strip("_")[:32].rstrip("_")
    if not re.match(r"[a-z]", stem):
        stem = f"{fallback}_{stem}"[:32].rstrip("_")
    name, k = stem, 1
    while name in taken:
        k += 1
        name = f"{stem[: 31 - len(str(k))].rstrip('_')}_{k}"
    taken.add(name)
    return name


def chain(
    layers: list[Layer],
    *,
    dtype: str,
    features: int,
    steps: int | None = None,
    name: str = "gru",
    origin: str = "",
    notes: tuple[str, ...] = (),
) -> Network:
    """A Sequential model: each layer called once, on the output of the one before."""
    edge, calls = Edge("x", "input"), []
    for layer in layers:
        calls.append(Call(layer.id, layer.id, (edge,)))
        edge = Edge(layer.id)
    return Network(
        dtype,
        {layer.id: layer for layer in layers},
        tuple(calls),
        (Input("x", (steps, features)),),
        (edge,),
        name,
        origin,
        notes,
    )
