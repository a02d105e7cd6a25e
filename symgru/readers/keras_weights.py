"""Where a Keras model's arrays come from: a file's tree of layers, a live model, or the list of a legacy file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array
from symgru.readers import hdf5
from symgru.readers.checks import printable

Wanted = tuple[int | None, ...] | None
"""The shape of an array, None an axis that the configuration does not tell; None in its place: an array that inference
does not read."""


@dataclass(frozen=True)
class Place:
    """Where a layer stands in its model.

    `names` are the layers' own names from the model down: nested models, then the layer, then what is inside a wrapper
    or an RNN (a cell). `folder` is the path in the tree of Keras 3 (keras/src/saving/saving_lib.py), below which the
    arrays lie in "vars": layers/bidirectional/forward_layer/cell. `kind` is the class of the innermost of them.
    """

    names: tuple[str, ...] = ()
    folder: str = ""
    kind: str = ""

    def inside(self, name: str, attribute: str, kind: str) -> Place:
        """What a layer holds under one of its attributes; without a name of its own (the cell of a GRU layer) it has
        that of the layer."""
        names = (*self.names, name) if name else self.names
        return replace(self, names=names, folder=f"{self.folder}/{attribute}".lstrip("/"), kind=kind)

    @property
    def label(self) -> str:
        return self.names[-1] if self.names else ""


class Weights(Protocol):
    """A source of arrays."""

    def take(self, place: Place, shapes: Mapping[str, Wanted]) -> list[Array]:
        """A layer's own arrays in get_weights() order, one for each name in `shapes` (kernel, recurrent_kernel, …).

        Each layer is asked once, the first time that it is called; also a layer without arrays. In place of an array
        that inference does not read there may be anything.
        Raises UnusableInput for arrays that lack or do not fit, before anything of another size is held in memory.
        """
        ...


class Counter:
    """The folder of each layer in a list: its class in snake case, and a count from the second on.

    keras/src/saving/saving_lib.py, _save_container_state: the layer's name has no part in it.
    """

    def __init__(self) -> None:
        self.used: dict[str, int] = {}

    def folder(self, kind: str) -> str:
        stem = snake_case(kind)
        self.used[stem] = count = self.used.get(stem, -1) + 1
        return f"{stem}_{count}" if count else stem


def snake_case(kind: str) -> str:
    """BatchNormalization is batch_normalization, PReLU p_re_lu (keras/src/utils/naming.py)."""
    split = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", split).lower()


@dataclass(frozen=True)
class Tree:
    """The weights file of Keras 3: a folder for each layer, found by counting; their names are left alone."""

    root: hdf5.Group

    def take(self, place: Place, shapes: Mapping[str, Wanted]) -> list[Array]:
        if not shapes:
            return []
        group = self.root.group(f"{place.folder}/vars")
        if sorted(group.names, key=lambda name: (len(name), name)) != [str(k) for k in range(len(shapes))]:
            found = printable(", ".join(sorted(group.names)) or "nothing")
            raise UnusableInput(f"the weights file holds {found} for it; its options need {', '.join(shapes)}")
        return [
            np.zeros(()) if shape is None else _dataset(group, str(k), name, shape)
            for k, (name, shape) in enumerate(shapes.items())
        ]


def _dataset(group: hdf5.Group, key: str, name: str, shape: tuple[int | None, ...]) -> Array:
    """An array whose shape is looked at before it is read."""
    data = group.dataset(key)
    check_shape(name, data.shape, shape)
    return data.read(name)


def check_shape(name: str, found: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    """Refuse an array of another shape than the layer's options ask for."""
    fits = len(found) == len(wanted) and all(n in (None, m) for n, m in zip(wanted, found, strict=True))
    if not fits:
        said = "(" + ", ".join("?" if n is None else str(n) for n in wanted) + ("," if len(wanted) == 1 else "") + ")"
        raise UnusableInput(f"{name} has shape {found}; its options need {said}")
