"""An ONNX graph as it grows: nodes, constants and names (onnx/onnx.proto; opset 17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from symgru.network import Array, Shape
from symgru.writers import protobuf as wire

OPSET, IR_VERSION = 17, 8
TYPES = {"float32": 1, "float64": 11, "int64": 7, "int32": 6, "bool": 9}
Values = Mapping[str, tuple[Shape, str]]
Attribute = int | float | str | Sequence[int] | Sequence[float] | Sequence[str]


class Graph:
    """Nodes in the order in which they are added; `add` gives the name of a node's first output."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.nodes: list[bytes] = []
        self.constants: dict[str, Array] = {}
        self._count = 0

    def name(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"

    def add(self, op: str, inputs: Sequence[str], outputs: int | Sequence[str] = 1, **attributes: Attribute) -> str:
        """A node; an input "" is left out."""
        names = [self.name(op.lower()) for _ in range(outputs)] if isinstance(outputs, int) else list(outputs)
        node = wire.texts(1, inputs) + wire.texts(2, names) + wire.text(3, names[0] or names[-1]) + wire.text(4, op)
        node += b"".join(wire.content(5, _attribute(name, value)) for name, value in attributes.items())
        self.nodes.append(node)
        return names[0] or names[-1]

    def constant(self, stem: str, value: Array) -> str:
        name = self.name(stem)
        self.constants[name] = np.ascontiguousarray(value)
        return name

    def number(self, value: float) -> str:
        """A constant of the network's dtype, without axes."""
        return self.constant("number", np.array(value, dtype=self.dtype))

    def indices(self, *values: int) -> str:
        """A constant vector of whole numbers, as Slice and Squeeze take."""
        return self.constant("indices", np.array(values, dtype=np.int64))

    def model(self, name: str, inputs: Values, outputs: Values) -> bytes:
        """The whole ModelProto; each input and output with its shape (without the batch) and dtype."""
        graph = b"".join(wire.content(1, node) for node in self.nodes) + wire.text(2, name)
        graph += b"".join(wire.content(5, _tensor(key, value)) for key, value in self.constants.items())
        graph += b"".join(wire.content(11, _value(key, *what)) for key, what in inputs.items())
        graph += b"".join(wire.content(12, _value(key, *what)) for key, what in outputs.items())
        opset = wire.text(1, "") + wire.integer(2, OPSET)
        return wire.integer(1, IR_VERSION) + wire.text(2, "symgru") + wire.content(7, graph) + wire.content(8, opset)


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto: the field and the type follow from the value."""
    head = wire.text(1, name)
    if isinstance(value, str):
        return head + wire.text(4, value) + wire.integer(20, 3)
    if isinstance(value, int):
        return head + wire.integer(3, value) + wire.integer(20, 2)
    if isinstance(value, float):
        return head + wire.number(2, value) + wire.integer(20, 1)
    if all(isinstance(v, str) for v in value):
        return head + wire.texts(9, [str(v) for v in value]) + wire.integer(20, 8)
    if all(isinstance(v, int) for v in value):
        return head + wire.integers(8, [int(v) for v in value]) + wire.integer(20, 7)
    return head + wire.numbers(7, [float(v) for v in value]) + wire.integer(20, 6)


def _tensor(name: str, value: Array) -> bytes:
    raw = value.astype(value.dtype.newbyteorder("<")).tobytes()
    head = wire.integers(1, value.shape) + wire.integer(2, TYPES[str(value.dtype)]) + wire.text(8, name)
    return head + wire.content(9, raw)


def _value(name: str, shape: Shape, dtype: str) -> bytes:
    """ValueInfoProto: an axis of any length has a name in place of a number."""
    axes: list[int | None] = [None, *shape]
    dims = b"".join(
        wire.content(1, wire.integer(1, n) if n is not None else wire.text(2, _free(k))) for k, n in enumerate(axes)
    )
    kind = wire.integer(1, TYPES[dtype]) + wire.content(2, dims)
    return wire.text(1, name) + wire.content(2, wire.content(1, kind))


def _free(axis: int) -> str:
    return ("batch", "time")[axis] if axis < 2 else f"axis_{axis}"
