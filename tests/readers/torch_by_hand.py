"""Files as torch.save writes them, made by hand: pickles of any instructions, zips of any members. No torch."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from symgru.readers.torch_file import MAGIC, VERSION

STORAGES = {"float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage"}


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    data = value.to_bytes(16, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def numbers(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    key: str,
    shape: Sequence[int],
    *,
    count: int,
    stride: Sequence[int] | None = None,
    offset: int = 0,
    storage: str = "FloatStorage",
) -> bytes:
    """The instructions of one tensor."""
    if stride is None:
        stride = [int(np.prod(shape[k + 1 :], dtype=object)) for k in range(len(shape))]
    persistent = (
        b"(" + text("storage") + b"ctorch\n" + storage.encode() + b"\n" + text(key) + text("cpu") + number(count)
    )
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + persistent + b"tQ" + number(offset) + numbers(shape) + numbers(stride)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip


def pickled(tensors: Mapping[str, bytes]) -> bytes:
    """A state_dict of such tensors."""
    items = b"".join(text(name) + value for name, value in tensors.items())
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + items + b"u."


def zipped(data: bytes, storages: Mapping[str, bytes] = {}, more: Mapping[str, bytes] = {}) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("net/data.pkl", data)
        for key, content in storages.items():
            file.writestr(f"net/data/{key}", content)
        for name, content in more.items():
            file.writestr(name, content)
    return buffer.getvalue()


def legacy(data: bytes, storages: Mapping[str, np.ndarray], little: bool = True) -> bytes:
    head = [pickle.dumps(part, 2) for part in (MAGIC, VERSION, {"protocol_version": 1001, "little_endian": little})]
    keys = pickle.dumps(list(storages), 2)
    numbers_ = b"".join(struct.pack("<q", a.size) + a.tobytes() for a in storages.values())
    return b"".join(head) + data + keys + numbers_


GRU = {"weight_ih_l0": (6, 3), "weight_hh_l0": (6, 2), "bias_ih_l0": (6,), "bias_hh_l0": (6,)}


def arrays(seed: int = 0, dtype: str = "float32", shapes: Mapping[str, tuple[int, ...]] = GRU) -> dict[str, np.ndarray]:
    """The arrays of a GRU of two units and three features."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def file_of(given: Mapping[str, np.ndarray]) -> bytes:
    """A sound .pt file."""
    parts = {
        name: tensor(str(k), a.shape, count=a.size, storage=STORAGES[str(a.dtype)])
        for k, (name, a) in enumerate(given.items())
    }
    return zipped(pickled(parts), {str(k): a.tobytes() for k, a in enumerate(given.values())})


def safetensors(given: Mapping[str, np.ndarray], changed: Mapping[str, Mapping[str, object]] = {}) -> bytes:
    """A .safetensors file, entries of its header exchanged by `changed`."""
    dtypes = {"float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64"}
    at, header = 0, {}
    for name, a in given.items():
        header[name] = {"dtype": dtypes[str(a.dtype)], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        header[name] |= changed.get(name, {})
        at += a.nbytes
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + b"".join(a.tobytes() for a in given.values())


def write(folder: Path, content: bytes, name: str = "net.pt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
