"""NumPy's .npz: arrays by name. Those of np.savez(F, *model.get_weights()) are Keras' in their order; others are found
by their framework's names. A member `convention` says which framework's they are, as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from symgru.errors import UnusableInput
from symgru.network import Array, Network
from symgru.readers import arrays, json_file, npy
from symgru.readers.archive import Archive
from symgru.readers.checks import MAX_NUMBERS, printable
from symgru.readers.named_arrays import from_named

MAX_MEMBER = 8 * MAX_NUMBERS + 2**16
MAX_TOTAL = 2**28
NUMBERED = re.compile(r"arr_(\d{1,4})")


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network in a .npz file."""
    found, said = _members(path)
    asked = {**said, **(architecture or {})}
    numbers = [NUMBERED.fullmatch(name) for name in found]
    if found and all(numbers):
        ordered = [found[f"arr_{k}"] for k in sorted(int(match[1]) for match in numbers if match)]
        return arrays.from_arrays(ordered, asked, name=path.stem, origin=path.name)
    return from_named(found, asked, name=path.stem, origin=path.name)


def _members(path: Path) -> tuple[dict[str, Array], dict[str, object]]:
    """The arrays, and the convention where a member says it."""
    found: dict[str, Array] = {}
    said: dict[str, object] = {}
    total = 0
    with Archive(path, "a file of arrays that NumPy saved") as archive:
        for member in archive.names:
            if not member.endswith(".npy"):
                raise UnusableInput(f"the zip holds {printable(member)}; a .npz holds .npy files alone")
            content = archive.read(member, MAX_MEMBER)
            total += len(content)
            if total > MAX_TOTAL:
                raise UnusableInput(f"its arrays have more than {MAX_TOTAL} bytes")
            name = member.removesuffix(".npy")
            value = npy.parse(content, printable(name))
            if not isinstance(value, str):
                found[name] = value
            elif name == "convention":
                said = {"convention": _convention(value)}
            else:
                raise UnusableInput(f"{printable(name)} is a text; the file may hold one, named convention")
    return found, said


def _convention(text: str) -> object:
    """A name, or JSON where it is in words."""
    return json_file.parse(text, typed=False) if text.lstrip().startswith("{") else text
