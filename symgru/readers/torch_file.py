"""What torch.save wrote: a state_dict in a .pt or .pth file, read without torch and without running code.

Since PyTorch 1.6 such a file is a zip: one folder with data.pkl (a pickle that describes the tensors), data/<key> (the
numbers of each storage) and byteorder. Before, it was a row of pickles with the numbers behind them. Both forms are
those of torch/serialization.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Network
from symgru.readers import torch_layers
from symgru.readers.archive import MAX_FILE, Archive
from symgru.readers.checks import MAX_NUMBERS, a_file, printable, reason
from symgru.readers.torch_arrays import Lazy, decoded, itemsize
from symgru.readers.torch_objects import Storage, Stored, Vocabulary
from symgru.readers.unpickler import load

MAX_PICKLE = 16 * 2**20
MAX_STORAGE = 8 * MAX_NUMBERS  # bytes of one storage
MAX_HELD = 2 * MAX_STORAGE  # bytes of all storages that are read
MAX_LEGACY = 2**29  # bytes of a file in the old form, which is read as a whole
WHAT = "a file that torch.save wrote"
MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001  # of the form before 1.6
SAVE = "torch.save(model.state_dict(), F)"


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network whose weights a .pt or .pth file holds; `architecture` as torch_layers.network takes it, and beside
    that "state_dict", the key of the weights in a checkpoint that holds several.

    Raises UnusableInput or Unsupported: a pickled module, a TorchScript archive, damage of any kind.
    """
    asked = None if architecture is None else dict(architecture)
    key = asked.pop("state_dict", None) if asked else None
    try:
        with a_file(path, MAX_FILE).open("rb") as file:
            zipped = file.read(2) == b"PK"
        if not zipped:
            value, storages = _legacy(a_file(path, MAX_LEGACY).read_bytes())
            return _network(path, asked or None, value, key, storages)
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None
    with Archive(path, WHAT) as archive:
        value, storages = _zipped(archive)
        return _network(path, asked or None, value, key, storages)


def _network(path: Path, asked: Mapping[str, object] | None, value: Any, key: object, storages: Storages) -> Network:
    found, notes = state_dict(value, key)
    tensors = {name: Lazy(t.shape, t.storage.dtype, Numbers(name, t, storages)) for name, t in found.items()}
    return torch_layers.network(tensors, asked, name=path.stem, origin=path.name, notes=notes)


class Storages:
    """The numbers of each storage; `read` gives the bytes of one."""

    def __init__(self, read: Callable[[Storage], bytes], little: bool) -> None:
        self._read, self._little = read, little
        self._held: dict[str, Array] = {}
        self._bytes = 0

    def numbers(self, storage: Storage) -> Array:
        if storage.key not in self._held:
            size = storage.count * itemsize(storage.dtype)
            self._bytes += size
            if size > MAX_STORAGE or self._bytes > MAX_HELD:
                raise UnusableInput(f"a storage of {size} bytes is more than is read")
            data = self._read(storage)
            if len(data) < size:
                raise UnusableInput(f"its storage holds {len(data)} bytes; {size} are declared")
            self._held[storage.key] = decoded(data[:size], storage.dtype, self._little)
        return self._held[storage.key]


@dataclass(frozen=True)
class Numbers:
    """Loads one tensor, whose shape and strides must stay within its storage."""

    name: str
    stored: Stored
    storages: Storages

    def __call__(self) -> Array:
        t = self.stored
        size = prod(t.shape)
        reach = t.offset + sum((n - 1) * step for n, step in zip(t.shape, t.stride, strict=True)) + 1 if size else 0
        if reach > t.storage.count:
            raise UnusableInput(
                f"{printable(self.name)} reaches number {reach} of a storage that has {t.storage.count}: damaged"
            )
        if size > MAX_NUMBERS:
            raise UnusableInput(f"{printable(self.name)} has shape {t.shape}; at most {MAX_NUMBERS} numbers are read")
        flat = self.storages.numbers(t.storage)
        if not size:
            return np.empty(t.shape, flat.dtype)
        steps = [step * flat.itemsize for step in t.stride]
        return np.lib.stride_tricks.as_strided(flat[t.offset :], t.shape, steps, writeable=False).copy()


def state_dict(value: Any, key: object = None) -> tuple[dict[str, Stored], list[str]]:
    """The tensors by name in what was saved: a state_dict, or a checkpoint that holds one beside other things.

    Raises UnusableInput where there is none, or several and no `key` says which.
    """
    if isinstance(value, Stored) or not isinstance(value, dict):
        raise UnusableInput(f"holds no state_dict: weights by name are needed, as {SAVE} writes them")
    if key is not None:
        if not isinstance(key, str) or not isinstance(value.get(key), dict):
            raise UnusableInput(f"has no state_dict under {printable(repr(key))}; there are {_keys(value)}")
        value, key = value[key], None
        found = _tensors(value)
        if not found:
            raise UnusableInput("what the architecture's state_dict names holds no tensors")
        return found, []
    inside = {name: _tensors(inner) for name, inner in value.items() if isinstance(inner, dict) and _whole(inner)}
    inside = {name: tensors for name, tensors in inside.items() if tensors}
    if not inside or _whole(value):
        found = _tensors(value)
        if not found:
            raise UnusableInput(f"holds no tensors by name ({_keys(value)}); {SAVE} writes them")
        return found, [] if _whole(value) else ["what is no tensor in the file is left out"]
    if len(inside) > 1:
        raise UnusableInput(
            f'holds several state_dicts, {_keys(inside)}; say which with an architecture {{"state_dict": "…"}}'
        )
    ((name, found),) = inside.items()
    return found, [f"the file is a checkpoint; the weights under {printable(repr(name))} are read"]


def _tensors(value: dict[Any, Any]) -> dict[str, Stored]:
    return {name: t for name, t in value.items() if isinstance(name, str) and isinstance(t, Stored)}


def _whole(value: dict[Any, Any]) -> bool:
    """Whether all that a dict holds are tensors by name."""
    return all(isinstance(name, str) and isinstance(t, Stored) for name, t in value.items())


def _keys(value: Mapping[Any, Any]) -> str:
    return printable(", ".join(str(name)[:60] for name in list(value)[:8]) or "nothing", 120)


def _zipped(archive: Archive) -> tuple[Any, Storages]:
    roots = {name.partition("/")[0] for name in archive.names}
    if len(roots) != 1:
        raise UnusableInput(f"the zip has {len(roots)} folders where one is: not {WHAT}")
    (root,) = roots
    if f"{root}/constants.pkl" in archive or any(name.startswith(f"{root}/code/") for name in archive.names):
        raise Unsupported(
            f"is a TorchScript archive (torch.jit.save), whose code would have to be run; save the weights: {SAVE}"
        )
    order = archive.read(f"{root}/byteorder", 16) if f"{root}/byteorder" in archive else b"little"
    if order not in (b"little", b"big"):
        raise UnusableInput("its byteorder is neither little nor big")
    value, _ = load(archive.read(f"{root}/data.pkl", MAX_PICKLE), 0, Vocabulary())
    return value, Storages(lambda s: archive.read(f"{root}/data/{s.key}", MAX_STORAGE), order == b"little")


def _legacy(data: bytes) -> tuple[Any, Storages]:
    """Pickles of a magic number, a version, the machine, the object, the storages' keys; then their numbers."""
    words = Vocabulary()
    if not data.startswith(b"\x80"):
        raise UnusableInput(f"is not {WHAT}")
    at, parts = 0, []
    for k in range(5):
        part, at = load(data[: at + MAX_PICKLE] if k < 3 else data, at, words)
        parts.append(part)
        if k == 0 and part != MAGIC:
            raise UnusableInput(f"is a pickle, but not {WHAT}; save the weights: {SAVE}")
    _, version, machine, value, keys = parts
    if version != VERSION or not isinstance(machine, dict) or not isinstance(keys, list):
        raise UnusableInput("is damaged: its head is not as PyTorch before 1.6 writes it")
    little = machine.get("little_endian") is not False
    places = dict(_places(data, at, keys, words.storages))

    def numbers(storage: Storage) -> bytes:
        if storage.key not in places:
            raise UnusableInput(f"lacks the storage {printable(storage.key)}")
        return data[places[storage.key] :][: storage.count * itemsize(storage.dtype)]

    return value, Storages(numbers, little)


def _places(data: bytes, at: int, keys: list[Any], storages: Mapping[str, Storage]) -> Iterator[tuple[str, int]]:
    """Where the numbers of each storage begin: behind their count, in the order of the keys."""
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        if storage is None:
            raise UnusableInput("is damaged: the list of its storages has one that no tensor uses")
        if int.from_bytes(data[at : at + 8], "little") != storage.count:
            raise UnusableInput(f"is damaged: storage {printable(key)} is not where it should be")
        yield key, at + 8
        at += 8 + storage.count * itemsize(storage.dtype)
