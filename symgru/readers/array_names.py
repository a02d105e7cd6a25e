"""The names under which frameworks save arrays, taken apart: a path of modules, and the array's own name at its end."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from symgru.errors import UnusableInput
from symgru.readers.checks import printable

RANDOM = ("rngs", "rng")  # the state of a random generator, beside the weights of an nnx module
Path = tuple[str, ...]


def tokens(name: str) -> Path:
    """The parts of a name: "params/GRUCell_0/ir/kernel", "cell.weight_ih", "['params']['gru']['w_i']",
    "rnn/gru_cell/gates/kernel:0", "gru_kernel_array", "weight_ih_l0"."""
    parts = [part for part in re.split(r"[\[\]'\"/.]+", name[:1000]) if part and part != "~"]
    if len(parts) > 1 and parts[-1] in ("value", "raw_value"):
        parts.pop()
    if not parts:
        return (name,)
    last = parts[-1].removesuffix(":0")
    torch = re.fullmatch(r"((?:weight|bias)_[ih]h)_(l[0-9]+(?:_reverse)?)", last)
    plain = re.fullmatch(r"(.+?)_(recurrent_kernel|recurrent_bias|kernel|bias)(?:_array)?", last)
    if torch:
        return (*parts[:-1], torch[2], torch[1])
    if len(parts) == 1 and plain and last not in ("recurrent_kernel", "recurrent_bias"):
        return plain[1], plain[2]
    return (*parts[:-1], last)


def paths_of(arrays: Mapping[str, object]) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for key in arrays:
        path = tokens(key)
        if any(part in RANDOM for part in path[:-1]):
            continue
        if path in found:
            raise UnusableInput(f"'{printable(key)}' and '{printable(found[path])}' are names of one array")
        found[path] = key
    return _without_aliases(found, arrays)


def _without_aliases(paths: dict[Path, str], arrays: Mapping[str, object]) -> dict[Path, str]:
    """Paddle's state_dict holds each array twice: as weight_ih_l0 and as 0.cell.weight_ih (cell_fw, cell_bw)."""
    found = dict(paths)
    for path, key in paths.items():
        if len(path) > 2 and path[-2] in ("cell", "cell_fw", "cell_bw") and path[-3].isdigit():
            place = f"l{path[-3]}{'_reverse' if path[-2] == 'cell_bw' else ''}"
            twin = paths.get((*path[:-3], place, path[-1]))
            if twin is not None and np.array_equal(np.asarray(arrays[key]), np.asarray(arrays[twin])):
                del found[path]
    return found
