"""Protocol Buffers' wire format, read without generated code: every length is checked against the bytes that are there.

A message is a run of fields: a varint (field number times 8 plus wire type), then the content. Which field is what, a
table says (`Table`: field number to name); what it does not name is passed over. Nothing is copied before it is asked
for. The format: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array
from symgru.readers.checks import MAX_NUMBERS

MAX_FIELDS = 200_000  # of one message
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Table = Mapping[int, str]
Raw = int | memoryview


@dataclass(frozen=True)
class Message:
    """The fields of one message by name: whole numbers as they are on the wire, everything else as bytes."""

    fields: Mapping[str, list[Raw]]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def integer(self, name: str, otherwise: int = 0) -> int:
        """A field of type int32, int64 or an enum; the last one counts where there are several."""
        return signed(_varint(self.fields[name][-1], name)) if name in self.fields else otherwise

    def text(self, name: str, otherwise: str = "") -> str:
        """A text field; bytes that are not UTF-8 are refused."""
        return _decoded(self.content(name), name) if name in self.fields else otherwise

    def texts(self, name: str) -> list[str]:
        return [_decoded(_content(raw, name), name) for raw in self.fields.get(name, [])]

    def content(self, name: str) -> memoryview:
        """The bytes of a field, empty where it is absent."""
        found = self.fields.get(name)
        return _content(found[-1], name) if found else memoryview(b"")

    def contents(self, name: str) -> list[memoryview]:
        return [_content(raw, name) for raw in self.fields.get(name, [])]

    def message(self, name: str, table: Table) -> Message:
        """A field that is a message; an empty one where it is absent."""
        return parse(self.content(name), table)

    def messages(self, name: str, table: Table) -> list[Message]:
        return [parse(content, table) for content in self.contents(name)]

    def integers(self, name: str) -> list[int]:
        """A repeated field of whole numbers, packed or not."""
        found: list[int] = []
        for raw in self.fields.get(name, []):
            if isinstance(raw, int):
                found.append(signed(raw))
            else:
                found.extend(_packed_varints(raw, name))
            if len(found) > MAX_NUMBERS:
                raise UnusableInput(f"{name} holds more than {MAX_NUMBERS} numbers")
        return found

    def floats(self, name: str, size: int = 4) -> Array:
        """A repeated field of floats (size 4) or doubles (size 8), packed or not."""
        raws = [_fixed(raw, size, name) if isinstance(raw, int) else raw for raw in self.fields.get(name, [])]
        joined = b"".join(raws) if len(raws) != 1 else raws[0]
        if len(joined) % size:
            raise UnusableInput(f"{name} has {len(joined)} bytes; numbers of {size} bytes are needed")
        return np.frombuffer(joined, dtype=f"<f{size}")


def parse(content: memoryview, table: Table) -> Message:
    """The fields of a message. Raises UnusableInput where a field is cut off or of no known form."""
    fields: dict[str, list[Raw]] = {}
    place, end, count = 0, len(content), 0
    while place < end:
        count += 1
        if count > MAX_FIELDS:
            raise UnusableInput(f"one message holds more than {MAX_FIELDS} fields; symgru reads no more")
        key, place = read_varint(content, place)
        raw, place = _field(content, place, key & 7)
        name = table.get(key >> 3)
        if name is not None:
            fields.setdefault(name, []).append(raw)
    return Message(fields)


def _field(content: memoryview, place: int, wire: int) -> tuple[Raw, int]:
    if wire == VARINT:
        return read_varint(content, place)
    if wire == BYTES:
        size, place = read_varint(content, place)
        if size > len(content) - place:
            raise UnusableInput(f"is damaged: a field of {size} bytes where {len(content) - place} are left")
        return content[place : place + size], place + size
    size = {FIXED64: 8, FIXED32: 4}.get(wire, 0)
    if not size or size > len(content) - place:
        raise UnusableInput("is damaged: a field of unknown form or one that is cut off")
    return int.from_bytes(content[place : place + size], "little"), place + size


def read_varint(content: memoryview, place: int) -> tuple[int, int]:
    """An unsigned number of at most 64 bits and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise UnusableInput("is damaged: it ends within a number")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place
    raise UnusableInput("is damaged: a number of more than 64 bits")


def signed(value: int) -> int:
    """A number of 64 bits in two's complement."""
    return value - 2**64 if value >= 2**63 else value


def _fixed(raw: int, size: int, name: str) -> bytes:
    if raw >> 8 * size:
        raise UnusableInput(f"is damaged: {name} should hold numbers of {size} bytes")
    return raw.to_bytes(size, "little")


def _packed_varints(raw: memoryview, name: str) -> list[int]:
    if len(raw) > 10 * MAX_NUMBERS:
        raise UnusableInput(f"{name} has {len(raw)} bytes; symgru reads at most {MAX_NUMBERS} numbers")
    data = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        raise UnusableInput("is damaged: it ends within a number")
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    lengths = ends - starts + 1
    if len(lengths) and lengths.max() > 10:
        raise UnusableInput("is damaged: a number of more than 64 bits")
    values = np.zeros(len(ends), dtype=np.uint64)
    for k in range(int(lengths.max()) if len(lengths) else 0):
        has = lengths > k
        values[has] |= (data[starts[has] + k] & 0x7F).astype(np.uint64) << np.uint64(7 * k)
    return [int(v) for v in values.astype(np.int64)]


def _varint(raw: Raw, name: str) -> int:
    if not isinstance(raw, int):
        raise UnusableInput(f"is damaged: {name} should be a number")
    return raw


def _content(raw: Raw, name: str) -> memoryview:
    if isinstance(raw, int):
        raise UnusableInput(f"is damaged: {name} should not be a number")
    return raw


def _decoded(content: memoryview, name: str) -> str:
    try:
        return bytes(content).decode("utf-8")
    except UnicodeDecodeError:
        raise UnusableInput(f"is damaged: {name} is not UTF-8 text") from None
