"""The tensors of a state_dict by name: shapes and dtypes first, numbers when a layer asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array, Tensor
from symgru.readers.checks import MAX_NUMBERS, dtype_name, printable
from symgru.readers.decimals import finite

MAX_TENSORS = 20_000
HALF = ("float16", "bfloat16")
NUMPY = {  # how the bytes of each dtype are read; a bfloat16 is the upper half of a float32
    "float64": "f8",
    "float32": "f4",
    "float16": "f2",
    "bfloat16": "u2",
    "int64": "i8",
    "int32": "i4",
    "int16": "i2",
    "int8": "i1",
    "uint8": "u1",
    "bool": "u1",
}


@dataclass(frozen=True)
class Lazy:
    """One tensor: `load` gives its numbers, in float64 or float32."""

    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], Array]


class Arrays:
    """Tensors by name, in the file's order. What layers take is counted and remembered."""

    def __init__(self, tensors: Mapping[str, Lazy], dtype: object = None) -> None:
        if not 1 <= len(tensors) <= MAX_TENSORS:
            raise UnusableInput(f"holds {len(tensors)} tensors; from 1 to {MAX_TENSORS} are read")
        self.tensors = tensors
        self.notes: list[str] = []
        self.used: set[str] = set()
        self._numbers = 0
        self.dtype = dtype_name(dtype, "the architecture's dtype") if dtype is not None else self._dtype()

    def __contains__(self, name: object) -> bool:
        return name in self.tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        return self.tensors[name].shape

    def within(self, prefix: str) -> dict[str, str]:
        """The tensors of the module `prefix` itself (not of modules inside it): own name, full name."""
        start = f"{prefix}." if prefix else ""
        return {name[len(start) :]: name for name in self if name.startswith(start) and "." not in name[len(start) :]}

    def take(self, name: str) -> Tensor:
        """A tensor in the network's dtype. Raises UnusableInput for one that is too large, empty or not finite."""
        lazy = self.tensors[name]
        where, size = printable(name), prod(lazy.shape)
        self._numbers += size if name not in self.used else 0
        if not size or self._numbers > MAX_NUMBERS:
            raise UnusableInput(f"{where} has shape {lazy.shape}; from 1 to {MAX_NUMBERS} numbers of a model are read")
        if lazy.dtype not in ("float32", "float64", *HALF):
            raise UnusableInput(f"{where} has dtype {lazy.dtype}; floating point numbers are needed")
        self.used.add(name)
        with np.errstate(over="ignore"):
            return Tensor(finite(finite(lazy.load(), where).astype(self.dtype), where))

    @property
    def unused(self) -> list[str]:
        return [name for name in self if name not in self.used and not name.endswith("num_batches_tracked")]

    def _dtype(self) -> str:
        """float64 where every weight is; half precision is read as float32, which holds it exactly."""
        found = {lazy.dtype for lazy in self.tensors.values() if "float" in lazy.dtype}
        if "float64" in found and len(found) > 1:
            raise UnusableInput(
                f"its tensors are {' and '.join(sorted(found))}; PyTorch computes in one precision: "
                'say which with an architecture {"dtype": "float64"}'
            )
        half = sorted(found.intersection(HALF))
        if half:
            self.notes.append(
                f"weights are stored as {' and '.join(half)} and computed with in float32; PyTorch itself rounds each "
                f"result to {half[0]}, so its numbers differ from the third digit on"
            )
        return "float64" if found == {"float64"} else "float32"


def decoded(data: bytes, dtype: str, little: bool = True) -> Array:
    """The numbers in so many bytes."""
    array = np.frombuffer(data, ("<" if little else ">") + NUMPY[dtype])
    if dtype == "bfloat16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32) if dtype == "float16" else array.astype(array.dtype.newbyteorder("="))


def itemsize(dtype: str) -> int:
    return int(NUMPY[dtype][1])
