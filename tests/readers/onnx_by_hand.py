"""ONNX files written byte by byte, as no library would: for what a hostile or damaged file may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Node = tuple[str, Sequence[str], Sequence[str], Mapping[str, object]]


class Wire:
    """A protobuf message in the making; each method adds a field and returns the message."""

    def __init__(self) -> None:
        self.content = b""

    def number(self, field: int, value: int) -> Wire:
        self.content += varint(field << 3) + varint(value % 2**64)
        return self

    def raw(self, field: int, value: bytes) -> Wire:
        self.content += varint(field << 3 | 2) + varint(len(value)) + value
        return self

    def text(self, field: int, value: str) -> Wire:
        return self.raw(field, value.encode())


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def tensor(name: str, array: np.ndarray, dims: Sequence[int] | None = None) -> bytes:
    """A TensorProto of float32 whose shape may lie."""
    wire = Wire()
    for n in array.shape if dims is None else dims:
        wire.number(1, n)
    return wire.number(2, 1).text(8, name).raw(9, array.astype("<f4").tobytes()).content


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Mapping[str, object]) -> bytes:
    wire = Wire()
    for name in inputs:
        wire.text(1, name)
    for name in outputs:
        wire.text(2, name)
    wire.text(4, op)
    for name, value in attributes.items():
        held = Wire().text(1, name)
        if isinstance(value, list):
            for v in value:
                held.number(8, v)
            held.number(20, 7)
        else:
            held.number(3, int(str(value))).number(20, 2)
        wire.raw(5, held.content)
    return wire.content


def value(name: str, dims: Sequence[int | str]) -> bytes:
    shape = Wire()
    for n in dims:
        shape.raw(1, (Wire().text(2, n) if isinstance(n, str) else Wire().number(1, n)).content)
    typed = Wire().number(1, 1).raw(2, shape.content).content
    return Wire().text(1, name).raw(2, Wire().raw(1, typed).content).content


GRU: tuple[Node, ...] = (("GRU", ["X", "W", "R"], ["Y"], {}),)


def whole(name: str, number: int) -> bytes:
    """A TensorProto of one int64 without axes."""
    return Wire().number(2, 7).text(8, name).number(7, number).content


def gru_model(
    w: bytes | None = None,
    nodes: Sequence[Node] = GRU,
    opset: int = 17,
    more: Sequence[bytes] = (),
    outputs: Sequence[str] = ("Y",),
) -> bytes:
    """A GRU with 1 unit and 2 features, without biases; `more` are further initializers."""
    graph = Wire()
    for each in nodes:
        graph.raw(1, node(*each))
    graph.raw(5, tensor("W", np.full((1, 3, 2), 0.5)) if w is None else w)
    graph.raw(5, tensor("R", np.full((1, 3, 1), 0.25)))
    for held in more:
        graph.raw(5, held)
    graph.raw(11, value("X", ["time", "batch", 2]))
    for name in outputs:
        graph.raw(12, Wire().text(1, name).content)
    return Wire().number(1, 8).raw(7, graph.content).raw(8, Wire().number(2, opset).content).content
