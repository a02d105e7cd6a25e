"""Protocol buffers' wire format, the writing half (protobuf.dev/programming-guides/encoding): ONNX files are in it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

VARINT, LENGTH, FIXED32 = 0, 2, 5


def varint(n: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64-bit two's complement."""
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def integer(field: int, n: int) -> bytes:
    return varint(field << 3 | VARINT) + varint(n)


def integers(field: int, numbers: Iterable[int]) -> bytes:
    return b"".join(integer(field, n) for n in numbers)


def number(field: int, value: float) -> bytes:
    return varint(field << 3 | FIXED32) + struct.pack("<f", value)


def numbers(field: int, values: Iterable[float]) -> bytes:
    return b"".join(number(field, v) for v in values)


def content(field: int, raw: bytes) -> bytes:
    """Bytes, or a message that is already written."""
    return varint(field << 3 | LENGTH) + varint(len(raw)) + raw


def text(field: int, value: str) -> bytes:
    return content(field, value.encode())


def texts(field: int, values: Iterable[str]) -> bytes:
    return b"".join(text(field, v) for v in values)
