"""PyTorch's state_dict as .pt (a zip with a small pickle) and as .safetensors, without torch.

The pickle is what torch.save writes for an OrderedDict of contiguous tensors: torch/serialization.py,
torch/_utils.py (_rebuild_tensor_v2). torch.load(F, weights_only=True) reads it.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping

from symgru.network import Array

STORAGES = {"float32": "FloatStorage", "float64": "DoubleStorage"}
SAFETENSORS = {"float32": "F32", "float64": "F64"}
DATE = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same weights


def pt(arrays: Mapping[str, Array]) -> bytes:
    """A .pt file that torch.load gives as an OrderedDict of tensors."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        members = {"data.pkl": _pickle(arrays), "byteorder": b"little", "version": b"3\n"}
        members |= {f"data/{k}": a.astype(a.dtype.newbyteorder("<")).tobytes() for k, a in enumerate(arrays.values())}
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}", DATE), content)
    return buffer.getvalue()


def _pickle(arrays: Mapping[str, Array]) -> bytes:
    """Protocol 2, opcode by opcode."""
    ordered = b"ccollections\nOrderedDict\n)R"
    items = b"".join(_text(name) + _tensor(k, a, ordered) for k, (name, a) in enumerate(arrays.items()))
    return b"\x80\x02" + ordered + b"(" + items + b"u."


def _tensor(k: int, a: Array, ordered: bytes) -> bytes:
    """_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)"""
    storage = b"ctorch\n" + STORAGES[str(a.dtype)].encode() + b"\n"
    persistent = b"(" + _text("storage") + storage + _text(str(k)) + _text("cpu") + _int(a.size) + b"tQ"
    strides = [s // a.itemsize for s in a.strides]
    arguments = persistent + _int(0) + _ints(a.shape) + _ints(strides) + b"\x89" + ordered
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def _text(text: str) -> bytes:
    raw = text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def _int(n: int) -> bytes:
    return b"J" + struct.pack("<i", n)


def _ints(numbers: tuple[int, ...] | list[int]) -> bytes:
    return b"(" + b"".join(map(_int, numbers)) + b"t"


def safetensors(arrays: Mapping[str, Array]) -> bytes:
    """A .safetensors file: the header's length, the header as JSON, then the arrays one after the other."""
    header, at = {}, 0
    for name, a in arrays.items():
        kind = SAFETENSORS[str(a.dtype)]
        header[name] = {"dtype": kind, "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays.values())
    return struct.pack("<Q", len(text)) + text + body
