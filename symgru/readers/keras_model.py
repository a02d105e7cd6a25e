"""A live Keras model, by its own methods alone: no framework is imported here."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Network
from symgru.readers import keras_graph, keras_v2
from symgru.readers.checks import printable
from symgru.readers.keras_weights import Counter, Place, Wanted, Weights, check_shape

CONTAINERS = ("layers", "cells")  # attributes that hold a list


def is_layer(source: object) -> bool:
    """A Keras layer or model, judged by its methods."""
    return callable(getattr(source, "get_config", None)) and callable(getattr(source, "get_weights", None))


def read_model(model: Any) -> Network:
    """The network that a live model, a layer or a list of layers computes."""
    single = not isinstance(model, list | tuple)
    if single and isinstance(getattr(model, "layers", None), list | tuple):
        config = serialised(model)
        name = str(config["config"].get("name", "")) if isinstance(config["config"], Mapping) else ""
        return _built(config, Live(model), framework(model), name)
    chain: Sequence[Any] = [model] if single else model
    listed = [serialised(layer) for layer in chain]
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "gru", "layers": listed}}
    return _built(config, Live(Chain(chain)), min((framework(layer) for layer in chain), default=3), "gru")


def _built(config: Mapping[str, object], weights: Weights, version: int, name: str) -> Network:
    form = keras_v2.modern(config) if version == 2 else config
    return keras_graph.build(form, keras_v2.Cudnn(weights), version=version, name=name, origin=name)


@dataclass(frozen=True)
class Chain:
    """A list of layers in the place of a model."""

    layers: Sequence[Any]


@dataclass(frozen=True)
class Live:
    """The arrays of a live model, found by the attributes that a file's folders are named after."""

    model: Any

    def take(self, place: Place, shapes: Mapping[str, Wanted]) -> list[Array]:
        layer = self._found(place)
        if layer is None:
            return []
        check_functions(layer)
        if not shapes:
            return []
        arrays = [np.asarray(array) for array in layer.get_weights()]
        if not arrays:
            raise UnusableInput("has no weights yet; call the model on data or give it an Input")
        if len(arrays) != len(shapes):
            raise UnusableInput(f"has {len(arrays)} arrays; its options need {', '.join(shapes)}")
        for (name, shape), array in zip(shapes.items(), arrays, strict=True):
            if shape is not None:
                check_shape(name, array.shape, shape)
        return arrays

    def _found(self, place: Place) -> Any:
        """The layer at a place; None for what stands in no folder (an operation)."""
        parts = place.folder.split("/")
        if parts[0] == "ops":
            return None
        found, left = self.model, parts
        while left:
            name, *left = left
            found = getattr(found, name)
            if name in CONTAINERS:
                folder, *left = left
                found = _counted(found, folder)
        return found


def _counted(layers: Sequence[Any], folder: str) -> Any:
    """The layer of a list whose folder this would be."""
    counter = Counter()
    found = {
        counter.folder(keras_v2.RENAMED.get(type(layer).__name__, type(layer).__name__)): layer for layer in layers
    }
    if folder not in found:
        raise UnusableInput(f"the model has no layer at {printable(folder)}")
    return found[folder]


def serialised(layer: Any) -> dict[str, object]:
    """The form in which a file holds a layer; the class itself says whether it is Keras' own."""
    kind = type(layer)
    try:
        config = layer.get_config()
    except NotImplementedError:
        raise Unsupported(f"{printable(kind.__name__)} has no configuration; symgru reads Sequential models") from None
    module = kind.__module__.replace("tf_keras", "keras", 1) if framework(layer) == 2 else kind.__module__
    return {"module": module, "class_name": kind.__name__, "config": config}


def framework(layer: Any) -> int:
    """2 for a layer of Keras 2 or tf_keras, else 3: the same names mean other functions."""
    root = type(layer).__module__.partition(".")[0]
    version = str(getattr(sys.modules.get(root), "__version__", "3."))
    return 2 if root == "tf_keras" or (root == "keras" and version.startswith("2.")) else 3


def check_functions(layer: Any) -> None:
    """A live activation must be one of keras.activations: a person's function called relu is configured as 'relu'
    too, and keras.ops.gelu, another function than keras.activations.gelu, as 'gelu'."""
    for name in ("activation", "recurrent_activation"):
        function = getattr(layer, name, None)
        module = (getattr(function, "__module__", None) or "").split(".")
        own = module[0] in ("keras", "tf_keras") and "activations" in module
        own |= module[0] == "tensorflow" and framework(layer) == 2  # where Keras 2 takes relu6 and others from
        if function is not None and not own:
            shown = printable(getattr(function, "__name__", function))
            raise Unsupported(f"{name} is {shown}, which is none of keras.activations")
