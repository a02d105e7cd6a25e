"""One array as NumPy's .npy format holds it, its header read by a pattern: no code, no pickle, no literal_eval."""

from __future__ import annotations

import re
from math import prod

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array
from symgru.readers.checks import MAX_NUMBERS, printable

MAX_HEADER = 4096
MAX_AXES = 32
_HEADER = re.compile(
    r"\{'descr': '([<>|=])([A-Za-z])(\d{1,4})', 'fortran_order': (True|False), "
    r"'shape': \(((?:\d{1,12}, {0,2})*(?:\d{1,12})?) ?\),? ?\}\s*"
)
_FLOATS = {2, 4, 8}


def parse(content: bytes, what: str) -> Array | str:
    """The array in the content of a .npy file, or the text where it holds one; `what` names it in messages.

    Raises UnusableInput for any other type (objects, complex numbers, records) and where shape and size disagree.
    """
    if content[:6] != b"\x93NUMPY" or len(content) < 12 or content[6] not in (1, 2, 3):
        raise UnusableInput(f"{what} is not in NumPy's format")
    wide = 2 if content[6] == 1 else 4
    size = int.from_bytes(content[8 : 8 + wide], "little")
    if size > MAX_HEADER or len(content) < 8 + wide + size:
        raise UnusableInput(f"{what} has a header of {size} bytes, which is damaged or not a plain array's")
    header = content[8 + wide : 8 + wide + size].decode("latin-1")
    match = _HEADER.fullmatch(header)
    if not match:
        raise UnusableInput(f"{what} is no plain array of numbers: {printable(header.strip(), 80)}")
    order, kind, width, fortran, axes = match.groups()
    shape = tuple(int(n) for n in re.findall(r"\d+", axes))
    return _content(content[8 + wide + size :], order, kind, int(width), shape, fortran == "True", what)


def _content(
    data: bytes, order: str, kind: str, width: int, shape: tuple[int, ...], fortran: bool, what: str
) -> Array | str:
    if kind == "U" and shape in ((), (1,)):
        if len(data) != 4 * width:
            raise UnusableInput(f"{what} holds {len(data)} bytes; its header says {4 * width}")
        try:
            return data.decode("utf-32-be" if order == ">" else "utf-32-le").rstrip("\0")
        except UnicodeDecodeError:
            raise UnusableInput(f"{what} is not a text") from None
    known = (kind == "f" and width in _FLOATS) or (kind in "iu" and width in (1, 2, 4, 8))
    if not known:
        raise UnusableInput(f"{what} has dtype {kind}{width}; real numbers are needed (objects are never unpickled)")
    if len(shape) > MAX_AXES or prod(shape) > MAX_NUMBERS:
        raise UnusableInput(f"{what} has shape {printable(shape)}; at most {MAX_NUMBERS} numbers are read")
    if len(data) != prod(shape) * width:
        raise UnusableInput(f"{what} has shape {shape} but {len(data)} bytes; {prod(shape) * width} are needed")
    dtype = np.dtype(f"{'>' if order == '>' else '<'}{kind}{width}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="))
