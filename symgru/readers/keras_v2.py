"""What Keras 2 and tf_keras write otherwise than Keras 3: their configuration, put into Keras 3's form.

tf_keras/src/engine/functional.py (inbound_nodes as nested lists), tf_keras/src/saving/legacy/hdf5_format.py (the arrays
of CuDNNGRU). What they compute otherwise (hard_sigmoid, masks) is `keras_graph`'s business, by its `version`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array
from symgru.readers.checks import mapping, printable
from symgru.readers.keras_weights import Place, Wanted, Weights

RECURRENT = ("GRU", "CuDNNGRU", "SimpleRNN", "LSTM", "CuDNNLSTM", "RNN", "Bidirectional")
RENAMED = {
    "Model": "Functional",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "ThresholdedReLU": "ReLU",
}
OPTIONS = {
    "LeakyReLU": {"alpha": "negative_slope"},
    "ReLU": {"theta": "threshold"},  # what ThresholdedReLU calls it
    "InputLayer": {"batch_input_shape": "batch_shape"},
}
SHAPES = ("batch_input_shape", "input_shape", "input_length", "input_dtype")  # they tell of the input only
TRAINING = (
    "fused",
    "renorm",
    "renorm_clipping",
    "renorm_momentum",
    "virtual_batch_size",
    "adjustment",
    "implementation",
)
CUDNN = {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "reset_after": True}


def major(version: object) -> int:
    """2 or 3, from a file's keras_version such as "2.21.0" or "2.2.4-tf"."""
    if isinstance(version, str) and version[:2] in ("2.", "3."):
        return int(version[0])
    raise Unsupported(f"was saved by Keras {printable(version, 20)}; symgru reads the files of Keras 2 and 3")


def is_old(config: Mapping[str, object]) -> bool:
    """Whether a configuration without a version beside it is Keras 2's: its layers say batch_input_shape, or the nodes
    between them are lists."""
    if "keras_version" in config:
        return major(config["keras_version"]) == 2
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, Mapping) else inner
    found = [layer for layer in layers if isinstance(layer, Mapping)] if isinstance(layers, list | tuple) else []
    own = [layer["config"] for layer in found if isinstance(layer.get("config"), Mapping)]
    nodes = [node for layer in found for node in _listed(layer.get("inbound_nodes"))]
    return any("batch_input_shape" in o for o in own) or any(isinstance(node, list | tuple) for node in nodes)


def modern(config: object) -> dict[str, object]:
    """A model's or a layer's {"class_name": …, "config": …} of Keras 2 in the form that Keras 3 writes."""
    outer = dict(mapping(config, "the configuration"))
    kind = outer.get("class_name")
    outer["class_name"] = kind = RENAMED.get(kind, kind) if isinstance(kind, str) else kind
    inner = outer.get("config")
    if isinstance(inner, list | tuple) and kind == "Sequential":  # Keras before 2.3
        inner = {"name": "sequential", "layers": inner}
    if not isinstance(inner, Mapping):
        return outer
    given = dict(inner)
    if kind == "Sequential" and isinstance(given.get("layers"), list | tuple):
        given["layers"] = _with_entrance(_listed(given.get("layers")))
    counted = _counted(_listed(given.get("layers")))
    for key in ("layers", "cells"):
        if isinstance(given.get(key), list | tuple):
            given[key] = [_called(modern(layer), counted) for layer in given[key]]
    if "output_layers" in given:
        given["output_layers"] = _ends(given["output_layers"], counted)
    for key in ("layer", "backward_layer", "cell"):
        if isinstance(given.get(key), Mapping):
            given[key] = modern(given[key])
    outer["config"] = _options(str(kind), given)
    module = outer.get("module")
    if isinstance(module, str) and module.startswith("tf_keras."):
        outer["module"] = module.removeprefix("tf_")
    return outer


def _counted(layers: Sequence[Any]) -> set[str]:
    """The nested Sequential models. Keras 2 counts as their first call the one that made them; so it does with nested
    functional models, as Keras 3 does too (tf_keras/src/engine/functional.py, kept_nodes)."""
    nested = [layer for layer in layers if isinstance(layer, Mapping) and layer.get("class_name") == "Sequential"]
    return {name for layer in nested if isinstance(name := layer.get("name"), str)}


def _called(layer: dict[str, object], counted: set[str]) -> dict[str, object]:
    """A layer of a functional model, its calls in Keras 3's form."""
    if isinstance(layer.get("inbound_nodes"), list | tuple):
        kind = str(layer.get("class_name"))
        layer["inbound_nodes"] = [_node(node, kind, counted) for node in _listed(layer["inbound_nodes"])]
    return layer


def _ends(value: object, counted: set[str]) -> object:
    """The tensors of a model's end, in whatever they are nested."""
    if _is_tensor(value):
        return _history(_listed(value), counted)
    if isinstance(value, Mapping):
        return {key: _ends(item, counted) for key, item in value.items()}
    return [_ends(item, counted) for item in value] if isinstance(value, list | tuple) else value


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else []


def _with_entrance(layers: Sequence[Any]) -> Sequence[Any]:
    """The first layer of an old Sequential model may say the input's shape itself."""
    first = layers[0] if layers else None
    inner = first.get("config") if isinstance(first, Mapping) else None
    if not isinstance(first, Mapping) or first.get("class_name") == "InputLayer" or not isinstance(inner, Mapping):
        return layers
    if "batch_input_shape" not in inner:
        return layers
    whole = first.get("class_name") == "Embedding"
    config = {
        "name": "input",
        "batch_shape": inner["batch_input_shape"],
        "dtype": "float32" if whole or not isinstance(inner.get("dtype"), str) else inner["dtype"],
    }
    return [{"class_name": "InputLayer", "config": config}, *layers]


def _options(kind: str, given: dict[str, Any]) -> dict[str, object]:
    options = {OPTIONS.get(kind, {}).get(key, key): value for key, value in given.items()}
    for key in (*SHAPES, *TRAINING):
        options.pop(key, None)
    axis = options.get("axis")
    if isinstance(axis, list | tuple) and len(axis) == 1:
        options["axis"] = axis[0]
    return {**CUDNN, **options} if kind == "CuDNNGRU" else options


def _node(node: object, kind: str, counted: set[str]) -> dict[str, object]:
    """One call of a layer: [[name, node, tensor, arguments], …], one entry for each input."""
    entries: Sequence[Any] = [node] if _is_tensor(node) else _listed(node)
    if not entries or not all(map(_is_tensor, entries)):
        raise Unsupported(f"a layer is called on {printable(node)}, which symgru does not read")
    tensors: list[object] = [_tensor(entry, counted) for entry in entries]
    named = mapping(entries[0][3] if len(entries[0]) > 3 else {}, "a call's arguments")
    arguments = {key: _argument(value, counted) for key, value in named.items() if value is not None}
    if kind in RECURRENT and len(tensors) > 1:
        if "initial_state" in arguments:
            raise UnusableInput("a layer is given its initial state twice")
        arguments["initial_state"] = tensors[1:]
        tensors = tensors[:1]
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": arguments}


def _is_tensor(value: object) -> bool:
    """[name, node, tensor], with arguments behind them in a node's own list."""
    if not isinstance(value, list | tuple) or not 3 <= len(value) <= 4 or not isinstance(value[0], str):
        return False
    return value[0] != "_CONSTANT_VALUE" and all(isinstance(index, int) for index in value[1:3])


def _history(entry: Sequence[Any], counted: set[str]) -> list[object]:
    name, node, tensor = entry[:3]
    return [name, node - (name in counted), tensor]


def _tensor(entry: Sequence[Any], counted: set[str]) -> dict[str, object]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": _history(entry, counted)}}


def _argument(value: object, counted: set[str]) -> object:
    if _is_tensor(value):
        return _tensor(_listed(value), counted)
    if isinstance(value, list | tuple):
        return [_argument(item, counted) for item in value]
    return value


@dataclass(frozen=True)
class Cudnn:
    """A source in which a CuDNNGRU's arrays are found as a GRU's: it has no cell inside, and one row of biases."""

    inner: Weights

    def take(self, place: Place, shapes: Mapping[str, Wanted]) -> list[Array]:
        if place.kind != "CuDNNGRU" or not shapes:
            return self.inner.take(place, shapes)
        rows, columns = shapes["bias"] or (2, None)
        flat = None if rows is None or columns is None else rows * columns
        own = replace(place, folder=place.folder.removesuffix("/cell"))
        return from_cudnn(self.inner.take(own, {**shapes, "bias": (flat,)}))


def from_cudnn(arrays: Sequence[Array]) -> list[Array]:
    """A CuDNNGRU's kernel (features, 3 units), recurrent kernel (units, 3 units) and bias (6 units,) as a GRU's with
    reset_after: each gate's block is transposed, the kernel's as cuDNN lays it out in memory."""
    kernel, recurrent, bias = arrays
    blocks = [block.T.reshape(block.shape, order="F") for block in np.hsplit(kernel, 3)]
    return [np.hstack(blocks), np.hstack([block.T for block in np.hsplit(recurrent, 3)]), bias.reshape(2, -1)]
