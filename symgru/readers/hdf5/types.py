"""HDF5's messages for a type and a shape: floats, whole numbers and text; all else by a name to refuse it with."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from symgru.readers.hdf5.source import Cursor, Damaged

# bytes: (precision, exponent's place and size, mantissa's place and size, bias), as IEEE 754 has them
IEEE = {2: (16, 10, 5, 0, 10, 15), 4: (32, 23, 8, 0, 23, 127), 8: (64, 52, 11, 0, 52, 1023)}
OTHERS = {2: "time", 4: "bit field", 5: "opaque", 6: "compound, such as complex", 7: "reference", 8: "enumeration"}
MAX_RANK = 32


@dataclass(frozen=True)
class Type:
    """`numpy` is NumPy's name of the type where it is a float or a whole number; `text` says that it is text of a
    fixed size, `loose` text of any length in the global heap."""

    says: str
    size: int
    numpy: str = ""
    text: bool = False
    loose: bool = False

    @property
    def is_float(self) -> bool:
        return self.numpy[1:2] == "f"


def read_type(message: Cursor) -> Type:
    kind = message.number(1) & 15
    bits = message.number(3)
    size = message.number(4)
    order = ">" if bits & 1 else "<"
    if kind == 0 and size in (1, 2, 4, 8):
        return Type(f"{'int' if bits & 8 else 'uint'}{8 * size}", size, f"{order}{'i' if bits & 8 else 'u'}{size}")
    if kind == 1 and size in IEEE and not bits & 0x40:
        message.skip(2)  # bit offset
        found = (message.number(2), *(message.number(1) for _ in range(4)), message.number(4))
        if found == IEEE[size]:
            return Type(f"float{8 * size}", size, f"{order}f{size}")
    if kind == 3:
        return Type("text", size, text=True)
    if kind == 9 and bits & 15 == 1:
        return Type("text", size, loose=True)
    names = {0: f"integer of {size} bytes", 1: f"float of {size} bytes that is not IEEE 754", **OTHERS}
    return Type(names.get(kind, "array or list"), size)


def read_shape(message: Cursor) -> tuple[int, ...] | None:
    """Lengths of the axes: () for one value, None for none at all."""
    version, rank, flags = message.number(1), message.number(1), message.number(1)
    if version not in (1, 2) or rank > MAX_RANK:
        raise Damaged(f"is damaged: a shape has version {version} and {rank} axes")
    kind = message.number(1)  # reserved in version 1
    if version == 1:
        message.skip(4)
    elif kind == 2:
        return None
    del flags  # whether the axes may grow: nothing to a reader
    shape = tuple(message.number(8) for _ in range(rank))
    if prod(shape) > 2**62:
        raise Damaged(f"is damaged: a shape of {rank} axes has no end")
    return shape
