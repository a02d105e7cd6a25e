"""Flax' .msgpack: what flax.serialization.to_bytes (msgpack_serialize) writes, decoded by hand.

flax/serialization.py: maps of maps with text keys; an array is an extension of type 1, itself the msgpack list
[shape, dtype name, bytes] in C order, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Network
from symgru.readers.checks import MAX_NUMBERS, a_file, printable, reason
from symgru.readers.named_arrays import from_named

MAX_FILE = 2**28
MAX_DEPTH = 32
MAX_ITEMS = 10_000
MAX_NAME = 1000
_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


class Extension(tuple[int, bytes]):
    """A value of a type that msgpack leaves open: its number and bytes."""

    __slots__ = ()


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network in a file of Flax' parameters."""
    try:
        content = a_file(path, MAX_FILE).read_bytes()
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None
    tree = parse(content)
    if not isinstance(tree, dict):
        raise UnusableInput("holds no tree of parameters, as flax.serialization.to_bytes writes it")
    found = dict(_leaves(tree, ()))
    halves = [name for name, (dtype, _) in found.items() if dtype == "bfloat16"]
    notes = ["the weights are stored as bfloat16; symgru computes in float32 with them"] if halves else []
    return from_named(
        {name: array for name, (_, array) in found.items()},
        architecture,
        name=path.stem,
        origin=path.name,
        notes=notes,
    )


def parse(content: bytes) -> object:
    """One msgpack value: None, booleans, numbers, text, bytes, lists, dicts with text keys and extensions."""
    decoder = _Decoder(content)
    try:
        value = decoder.value(0)
    except struct.error:
        raise UnusableInput("ends in the middle of a value; the file is truncated") from None
    if decoder.place != len(content):
        raise UnusableInput(f"has {len(content) - decoder.place} bytes after its end: not a msgpack file of Flax")
    return value


class _Decoder:
    """Recursive descent; depth and the number of items are bounded, and nothing is longer than the file."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place, self.items = content, 0, 0

    def take(self, size: int) -> bytes:
        if size > len(self.content) - self.place:
            raise UnusableInput("ends in the middle of a value; the file is truncated or damaged")
        self.place += size
        return self.content[self.place - size : self.place]

    def number(self, form: str) -> int | float:
        found: int | float = struct.unpack(f">{form}", self.take(struct.calcsize(form)))[0]
        return found

    def size(self, form: str) -> int:
        return int(self.number(form))

    def value(self, depth: int) -> object:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise UnusableInput(f"is nested deeper than {MAX_DEPTH} or has more than {MAX_ITEMS} items")
        code = self.take(1)[0]
        if code < 0x80 or code >= 0xE0:
            return code if code < 0x80 else code - 0x100
        if code < 0x90:
            return self.dict(code & 15, depth)
        if code < 0xA0:
            return self.list(code & 15, depth)
        if code < 0xC0:
            return self.text(code & 31)
        if code in _SIMPLE:
            return _SIMPLE[code]
        if code in _NUMBERS:
            return self.number(_NUMBERS[code])
        if code in _SIZED:
            kind, form = _SIZED[code]
            return self.sized(kind, self.size(form), depth)
        if 0xD4 <= code <= 0xD8:
            return self.sized("ext", 1 << (code - 0xD4), depth)
        raise UnusableInput(f"holds the byte {code:#x}, which begins no msgpack value")

    def sized(self, kind: str, size: int, depth: int) -> object:
        if kind == "bin":
            return self.take(size)
        if kind == "ext":
            number = self.size("b")
            return Extension((number, self.take(size)))
        if kind == "str":
            return self.text(size)
        return self.list(size, depth) if kind == "array" else self.dict(size, depth)

    def text(self, size: int) -> str:
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError:
            raise UnusableInput("holds a text that is not UTF-8") from None

    def list(self, size: int, depth: int) -> object:
        return [self.value(depth + 1) for _ in range(min(size, MAX_ITEMS + 1))]

    def dict(self, size: int, depth: int) -> object:
        found: dict[str, object] = {}
        for _ in range(min(size, MAX_ITEMS + 1)):
            key = self.value(depth + 1)
            if isinstance(key, bool) or not isinstance(key, str | int) or len(str(key)) > MAX_NAME:
                raise UnusableInput(f"has a key that is no name: {printable(repr(key), 40)}")
            if str(key) in found:
                raise UnusableInput(f"has the name '{printable(key)}' twice")
            found[str(key)] = self.value(depth + 1)
        return found


_SIMPLE = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = dict(zip(range(0xCA, 0xD4), "fdBHIQbhiq", strict=True))
_SIZED = {
    **{0xC4 + k: ("bin", form) for k, form in enumerate("BHI")},
    **{0xC7 + k: ("ext", form) for k, form in enumerate("BHI")},
    **{0xD9 + k: ("str", form) for k, form in enumerate("BHI")},
    **{0xDC + k: ("array", form) for k, form in enumerate("HI")},
    **{0xDE + k: ("map", form) for k, form in enumerate("HI")},
}


def _leaves(tree: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, Array]]]:
    """Every array of the tree by its path; what is no array must be empty."""
    for key, value in tree.items():
        place = (*path, key)
        if key == "__msgpack_chunked_array__":
            raise Unsupported("holds an array in pieces, as Flax writes those of more than 1 GB")
        if isinstance(value, dict):
            yield from _leaves(value, place)
        elif isinstance(value, Extension):
            yield "/".join(place), _array(value, printable("/".join(place)))
        elif value is not None and not isinstance(value, int | float):
            raise UnusableInput(f"'{printable('/'.join(place))}' is no array")


def _array(value: Extension, what: str) -> tuple[str, Array]:
    number, content = value
    inner = parse(content) if number == 1 else None
    if not isinstance(inner, list) or len(inner) != 3:
        raise UnusableInput(f"{what} is an extension of type {number}; arrays of Flax have type 1")
    shape, dtype, data = inner
    plain = isinstance(shape, list) and all(isinstance(n, int) and n >= 0 for n in shape) and len(shape) <= 8
    if not plain or not isinstance(dtype, str) or not isinstance(data, bytes):
        raise UnusableInput(f"{what} is not [shape, dtype, bytes], as Flax writes an array")
    if dtype not in (*_DTYPES, "bfloat16"):
        raise UnusableInput(f"{what} has dtype {printable(dtype, 20)}; real numbers are needed")
    width = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
    if prod(shape) > MAX_NUMBERS or prod(shape) * width != len(data):
        raise UnusableInput(f"{what} has shape {printable(shape)} but {len(data)} bytes")
    if dtype == "bfloat16":  # the upper half of a float32
        wide = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return dtype, wide.view(np.float32).reshape(shape)
    return dtype, np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).reshape(shape).astype(dtype)
