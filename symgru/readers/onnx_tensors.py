"""TensorProto: numbers in the file, or in a file beside it, as an array.

Shape, type and the bytes that are there are compared before anything is allocated. External data is read only from a
regular file inside the model's own folder.
"""

from __future__ import annotations

import os
from math import prod
from pathlib import Path

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array
from symgru.readers.checks import MAX_NUMBERS, printable, reason
from symgru.readers.protobuf import Message

TENSOR = {
    1: "dims",
    2: "data_type",
    4: "float_data",
    5: "int32_data",
    6: "string_data",
    7: "int64_data",
    8: "name",
    9: "raw_data",
    10: "double_data",
    11: "uint64_data",
    13: "external_data",
    14: "data_location",
}
ENTRY = {1: "key", 2: "value"}

TYPES = {  # onnx.TensorProto.DataType
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}
OTHER = {8: "string", 14: "complex64", 15: "complex128"}
WIDE = {"float32": "float_data", "float64": "double_data", "int64": "int64_data"}
WIDE |= {"uint32": "uint64_data", "uint64": "uint64_data"}
HALF = ("float16", "bfloat16")
EXTERNAL = 1


class Folder:
    """Where a model's file lies: external data is looked for here and nowhere else."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def read(self, location: str, offset: int, size: int) -> bytes:
        """`size` bytes of a file in the folder. Raises UnusableInput for any way out of it."""
        if self.path is None:
            raise UnusableInput("has external data, but the model is not a file")
        shown = printable(location)
        parts = Path(location).parts
        if not parts or "\0" in location or "\\" in location or Path(location).is_absolute() or ".." in parts:
            raise UnusableInput(f"has external data in '{shown}', which is not inside the model's folder")
        try:
            root = self.path.resolve()
            found = (root / location).resolve()
            if not found.is_relative_to(root) or (root / location).is_symlink():
                raise UnusableInput(f"has external data in '{shown}', which leads out of the model's folder")
            if not found.is_file():
                raise UnusableInput(f"has external data in '{shown}', which is no file beside the model")
            there = os.stat(found).st_size
            if offset < 0 or size < 0 or offset + size > there:
                raise UnusableInput(f"needs bytes {offset} to {offset + size} of '{shown}', which has {there}")
            with found.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except (OSError, ValueError) as error:
            raise UnusableInput(f"has external data in '{shown}', which cannot be read: {reason(error)}") from None


def dtype_of(message: Message, name: str = "data_type") -> str:
    """The type's name; "nothing" where the file says none."""
    code = message.integer(name)
    return TYPES.get(code) or OTHER.get(code) or (f"type {code}" if code else "nothing")


def array(message: Message, folder: Folder) -> Array:
    """The numbers of a tensor; float16 and bfloat16 as float32, which holds them exactly."""
    dims, dtype = message.integers("dims"), dtype_of(message)
    if dtype not in TYPES.values():
        raise Unsupported(f"holds {dtype}; symgru reads floats, whole numbers and booleans")
    if len(dims) > 8 or any(n < 0 for n in dims):
        raise UnusableInput(f"has the shape {printable(dims)}")
    size = prod(dims)
    if size > MAX_NUMBERS:
        raise UnusableInput(f"has the shape {printable(dims)}; at most {MAX_NUMBERS} numbers are read")
    return _numbers(message, dtype, size, folder).reshape(dims)


def _numbers(message: Message, dtype: str, size: int, folder: Folder) -> Array:
    if message.integer("data_location") == EXTERNAL:
        return _raw(_external(message, size * _width(dtype), folder), dtype, size)
    if "raw_data" in message:
        return _raw(message.content("raw_data"), dtype, size)
    name = WIDE.get(dtype, "int32_data")
    if dtype in ("float32", "float64"):
        found = message.floats(name, 4 if dtype == "float32" else 8).astype(dtype)
    else:
        found = _whole(message.integers(name), dtype)
    if len(found) != size:
        raise UnusableInput(f"has {len(found)} numbers where its shape needs {size}")
    return found


def _external(message: Message, size: int, folder: Folder) -> bytes:
    said = {entry.text("key"): entry.text("value") for entry in message.messages("external_data", ENTRY)}
    numbers = {}
    for key, otherwise in (("offset", 0), ("length", size)):
        text = said.get(key, str(otherwise))
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise UnusableInput(f"has external data with the {key} {printable(text, 30)}")
        numbers[key] = int(text)
    if numbers["length"] != size:
        raise UnusableInput(f"has external data of {numbers['length']} bytes where its shape needs {size}")
    return folder.read(said.get("location", ""), numbers["offset"], size)


def _width(dtype: str) -> int:
    return 2 if dtype in HALF else np.dtype(dtype).itemsize


def _raw(content: bytes | memoryview, dtype: str, size: int) -> Array:
    if len(content) != size * _width(dtype):
        raise UnusableInput(f"has {len(content)} bytes of data where its shape needs {size * _width(dtype)}")
    if dtype == "bfloat16":
        return _bfloat16(np.frombuffer(content, dtype="<u2"))
    if dtype == "bool":
        return np.asarray(np.frombuffer(content, dtype=np.uint8) != 0)
    stored = np.dtype(dtype).newbyteorder("<")
    return np.frombuffer(content, dtype=stored).astype("float32" if dtype == "float16" else dtype)


def _bfloat16(bits: Array) -> Array:
    """The upper half of a float32's bits."""
    return np.asarray((bits.astype(np.uint32) << 16).view(np.float32))


def _whole(values: list[int], dtype: str) -> Array:
    """Whole numbers of `int32_data` and its like, which hold float16 and bfloat16 as bits too."""
    if dtype in HALF:
        bits = np.array([v & 0xFFFF for v in values], dtype=np.uint16)
        return _bfloat16(bits) if dtype == "bfloat16" else bits.view(np.float16).astype(np.float32)
    if dtype == "bool":
        return np.array([v != 0 for v in values], dtype=bool)
    limits = np.iinfo(dtype)
    if dtype == "uint64":
        values = [v % 2**64 for v in values]
    if any(not limits.min <= v <= limits.max for v in values):
        raise UnusableInput(f"holds a number outside {dtype}")
    return np.array(values, dtype=dtype)
