"""The weights of a legacy HDF5 file: one list of arrays for each layer of the model, in Keras' order.

Keras finds them by order alone (keras/src/legacy/saving/legacy_h5_format.py, _legacy_weights): all trainable arrays of
a layer and of what is inside it, then all others. Which array belongs to which nested layer therefore follows from the
configuration: from each class, its options, and what is trainable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array
from symgru.readers import hdf5
from symgru.readers.keras_weights import Counter, Place, Wanted, check_shape

Slot = tuple[str, int]  # a layer's folder in the tree of Keras 3, and which of its arrays
MODELS = ("Sequential", "Functional")
CELLS = ("GRU", "SimpleRNN")  # layers whose arrays belong to a cell inside them
GATED = ("GRUCell", "SimpleRNNCell", "CuDNNGRU")


@dataclass(frozen=True)
class Slots:
    """Where a layer's arrays go, those that training changes first."""

    trainable: tuple[Slot, ...] = ()
    others: tuple[Slot, ...] = ()

    @property
    def all(self) -> tuple[Slot, ...]:
        return self.trainable + self.others


class Legacy:
    """The arrays of a group that holds layer_names, and a group with weight_names for each of them."""

    def __init__(self, group: hdf5.Group, config: Mapping[str, object], version: int) -> None:
        names = texts(group, "layer_names")
        if names is None:
            raise UnusableInput("the weights have no layer_names; save the model again as .keras")
        self.group = group
        self.layers = dict(_layers(config, "", version))
        self.filled = [name for name in names if texts(_part(group, name), "weight_names")]

    def take(self, place: Place, shapes: Mapping[str, Wanted]) -> list[Array]:
        if not shapes:
            return []
        label = place.names[0]
        slots = self.layers[label].all
        part = _part(self.group, self._stored(label))
        stored = texts(part, "weight_names") or []
        if len(stored) != len(slots):
            raise UnusableInput(f"the file holds {len(stored)} arrays for it; its options need {len(slots)}")
        own = sorted((k, name) for (folder, k), name in zip(slots, stored, strict=True) if folder == place.folder)
        if len(own) != len(shapes):
            raise UnusableInput(f"the file holds {len(own)} arrays for it; its options need {', '.join(shapes)}")
        return [
            np.zeros(()) if shape is None else _array(part, path, name, shape)
            for (name, shape), (_, path) in zip(shapes.items(), own, strict=True)
        ]

    def _stored(self, label: str) -> str:
        """The name under which the file holds a layer: its own, or, where the configuration is another's, that in
        its place in the order."""
        if label in self.filled:
            return label
        wanting = [name for name, slots in self.layers.items() if slots.all]
        if len(wanting) != len(self.filled):
            raise UnusableInput(f"the file has weights for {len(self.filled)} layers; the model has {len(wanting)}")
        return self.filled[wanting.index(label)]


def _part(group: hdf5.Group, name: str) -> hdf5.Group:
    return group.group(name.replace("//", "/").strip("/"))


def _array(group: hdf5.Group, path: str, name: str, shape: tuple[int | None, ...]) -> Array:
    data = group.dataset(path.strip("/"))
    check_shape(name, data.shape, shape)
    return data.read(name)


def texts(group: hdf5.Group, name: str) -> list[str] | None:
    """An attribute of names. Keras cuts one of more than 64 kB into name0, name1, … (HDF5_OBJECT_HEADER_LIMIT)."""
    found = group.attributes
    keys = [name] if name in found else [key for k in range(len(found)) if (key := f"{name}{k}") in found]
    if not keys:
        return None
    values = [found[key] for key in keys]
    if any(isinstance(value, str) for value in values):
        raise UnusableInput(f"{name} is no list of names")
    return [item for value in values for item in value or ()]  # None: an empty list, which HDF5 holds as numbers


def _layers(config: Mapping[str, Any], folder: str, version: int) -> Iterator[tuple[str, Slots]]:
    """Each layer of a model: its name, and its arrays in the order of a legacy file."""
    counter = Counter()
    for layer in _listed(_inner(config).get("layers")):
        kind = str(layer.get("class_name"))
        yield (
            str(_inner(layer).get("name")),
            _slots(layer, f"{folder}/layers/{counter.folder(kind)}".lstrip("/"), version),
        )


def _slots(layer: Mapping[str, Any], folder: str, version: int) -> Slots:
    kind, inner = str(layer.get("class_name")), _inner(layer)
    if kind in MODELS:
        found = _joined([slots for _, slots in _layers(layer, folder, version)])
    elif kind == "Bidirectional":
        forward = inner.get("layer")
        pair = (("forward_layer", forward), ("backward_layer", inner.get("backward_layer") or forward))
        found = _joined(
            [_slots(child, f"{folder}/{name}", version) for name, child in pair if isinstance(child, Mapping)]
        )
    elif kind in ("TimeDistributed", "RNN"):
        name = "layer" if kind == "TimeDistributed" else "cell"
        child = inner.get(name)
        found = _slots(child, f"{folder}/{name}", version) if isinstance(child, Mapping) else Slots()
    elif kind == "StackedRNNCells":
        counter = Counter()
        cells = _listed(inner.get("cells"))
        found = _joined(
            [_slots(c, f"{folder}/cells/{counter.folder(str(c.get('class_name')))}", version) for c in cells]
        )
    else:
        trainable, others = _counts(kind, inner)
        place = f"{folder}/cell" if kind in CELLS else folder
        slots = [(place, k) for k in range(trainable + others)]
        found = Slots(tuple(slots[:trainable]), tuple(slots[trainable:]))
    return found if inner.get("trainable", True) is not False else _frozen(found, kind, version)


def _frozen(found: Slots, kind: str, version: int) -> Slots:
    """Nothing is trainable, and in Keras 3 the arrays of each layer inside stay together (layer.weights)."""
    if version == 2 or kind not in MODELS:
        return Slots((), found.all)
    order = dict.fromkeys(folder for folder, _ in found.all)
    return Slots((), tuple(slot for folder in order for slot in found.all if slot[0] == folder))


def _counts(kind: str, options: Mapping[str, Any]) -> tuple[int, int]:
    """How many arrays a layer has that training changes, and how many others."""

    def on(*names: str) -> int:
        return sum(options.get(name, True) is not False for name in names)

    if kind in GATED or kind in CELLS:
        return 2 + on("use_bias"), 0
    if kind in ("Dense", "Conv1D"):
        return 1 + on("use_bias"), 0
    if kind == "BatchNormalization":
        return on("scale", "center"), 2
    if kind == "LayerNormalization":
        return (1, 0) if options.get("rms_scaling") is True else (on("scale", "center"), 0)
    if kind == "Normalization":
        return 0, 0 if options.get("mean") is not None else 3
    return int(kind in ("Embedding", "PReLU")), 0


def _joined(parts: Sequence[Slots]) -> Slots:
    return Slots(
        tuple(slot for part in parts for slot in part.trainable), tuple(slot for part in parts for slot in part.others)
    )


def _inner(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = layer.get("config")
    return inner if isinstance(inner, Mapping) else {}


def _listed(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []
