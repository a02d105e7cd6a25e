"""A .safetensors file: the length of a header, the header in JSON, the numbers (huggingface/safetensors' format).

The header is bounded, and every tensor's place must follow from its shape and lie behind the one before it, before any
number is read. The library safetensors is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from pathlib import Path

from symgru.errors import UnusableInput
from symgru.network import Array, Network
from symgru.readers import named_arrays, torch_layers
from symgru.readers.archive import MAX_FILE
from symgru.readers.assemble import within
from symgru.readers.checks import a_file, mapping, printable, reason
from symgru.readers.json_file import parse
from symgru.readers.torch_arrays import Arrays, Lazy, decoded, itemsize

MAX_HEADER = 16 * 2**20
MAX_AXES = 8
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network whose weights the file holds; `architecture` as torch_layers.network takes it, or, for the arrays of
    another framework than PyTorch, as named_arrays.from_named does.

    Raises UnusableInput or Unsupported for damage, overlaps, and dtypes that hold no weights.
    """
    tensors = read_tensors(path)
    if "convention" in (architecture or {}) or not _is_torch(tensors):
        arrays = Arrays(tensors, "float64")
        held = {name: _own(arrays, name) for name in tensors}
        return named_arrays.from_named(held, architecture, name=path.stem, origin=path.name)
    return torch_layers.network(tensors, architecture, name=path.stem, origin=path.name)


def _is_torch(tensors: Mapping[str, Lazy]) -> bool:
    """Whether a module of PyTorch is among them. Equinox, whose names are alike, has a bias_n; MLX has other names."""
    own = {name.rpartition(".")[2] for name in tensors}
    return bool(own & {"weight_ih", "weight_ih_l0"}) and "bias_n" not in own


def _own(arrays: Arrays, name: str) -> Array:
    """A tensor as it is stored; `take` looks at its size and its numbers."""
    arrays.take(name)
    return arrays.tensors[name].load()


def read_tensors(path: Path) -> dict[str, Lazy]:
    """The tensors by name, in the file's order; their numbers are read when they are asked for."""
    a_file(path, MAX_FILE)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > MAX_HEADER:
                raise UnusableInput(f"is no safetensors file: its header would have {length} bytes")
            head = file.read(length)
            size = file.seek(0, 2) - 8 - length
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None
    if len(head) < length or not head.startswith(b"{"):
        raise UnusableInput("is no safetensors file, or a truncated one")
    return _tensors(path, head, 8 + length, size)


def _tensors(path: Path, head: bytes, start: int, size: int) -> dict[str, Lazy]:
    with within("header"):
        try:
            entries = mapping(parse(head.decode("utf-8"), typed=False), "it")
        except UnicodeDecodeError:
            raise UnusableInput("is not UTF-8 text") from None
    places = [(*_place(name, entry), name) for name, entry in entries.items() if name != "__metadata__"]
    end, found = 0, {}
    for begin, stop, shape, dtype, name in sorted(places, key=lambda place: place[:2]):
        if begin != end:
            raise UnusableInput(f"{printable(name)} begins at byte {begin}; byte {end} is the next that is free")
        found[name] = Lazy(shape, dtype, partial(_numbers, path, start + begin, shape, dtype))
        end = stop
    if end != size:
        raise UnusableInput(f"its tensors need {end} bytes; the file has {size} behind its header")
    return {name: found[name] for *_, name in places}


def _place(name: str, given: object) -> tuple[int, int, tuple[int, ...], str]:
    """Where a tensor lies, its shape and dtype."""
    where = printable(name)
    entry = mapping(given, where)
    dtype, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise UnusableInput(f"{where} has dtype {printable(repr(dtype), 20)}; known are {', '.join(DTYPES)}")
    axes, ends = _counts(shape, where), _counts(offsets, where)
    if len(ends) != 2 or ends[1] - ends[0] != prod(axes) * itemsize(DTYPES[dtype]):
        raise UnusableInput(f"{where} of shape {printable(axes)} and dtype {dtype} does not fit its data_offsets")
    return ends[0], ends[1], axes, DTYPES[dtype]


def _counts(value: object, where: str) -> tuple[int, ...]:
    if (
        not isinstance(value, list)
        or len(value) > MAX_AXES
        or not all(type(n) is int and 0 <= n < 2**48 for n in value)
    ):
        raise UnusableInput(f"{where}: shape and data_offsets must be lists of at most {MAX_AXES} whole numbers from 0")
    return tuple(value)


def _numbers(path: Path, start: int, shape: tuple[int, ...], dtype: str) -> Array:
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(prod(shape) * itemsize(dtype))
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None
    if len(data) < prod(shape) * itemsize(dtype):
        raise UnusableInput("became shorter while it was read")
    return decoded(data, dtype).reshape(shape)
