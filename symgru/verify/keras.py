"""The real framework: the same model in Keras, loaded from its file or built from the arrays, and its outputs."""

from __future__ import annotations

import importlib.util
import json
import os
import zipfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from symgru.backends.model import Unit, layers
from symgru.errors import MissingTool, SymgruError, Unsupported
from symgru.network import Array, Network
from symgru.verify.frameworks import in_batches

NAME, HOW = "Keras", "pip install tensorflow"
KINDS = ("gru", "dense")
FILES = (".keras", ".h5", ".hdf5")  # that Keras loads by itself; .weights.h5 it does not


def installed() -> bool:
    """Whether Keras can be asked, without importing it."""
    return all(importlib.util.find_spec(name) for name in ("keras", "tensorflow"))


def loads(path: Path | None) -> bool:
    """Whether Keras loads this file by itself."""
    return path is not None and path.name.lower().endswith(FILES) and not path.name.lower().endswith(".weights.h5")


def knows(network: Network, path: Path | None = None) -> bool:
    """Whether Keras loads the file, or has every layer of the network."""
    plain = network.is_chain and all(layer.kind in KINDS for layer in network.layers.values())
    return loads(path) or plain


def refusal(network: Network, xs: Sequence[Array], path: Path | None) -> str:
    """Why Keras cannot be asked for these inputs; "" where it can."""
    if not installed():
        return f"not installed: {HOW}"
    if not knows(network, path):
        return "has no such layer"
    if knows(network) or path is None:
        return ""
    if _generation(path) == 2 and not importlib.util.find_spec("tf_keras"):
        return "the file is of Keras 2, which loads in tf_keras: pip install tf-keras"
    fixed = network.inputs[0].shape[:1]
    if len(network.inputs[0].shape) == 2 and fixed[0] not in (None, xs[0].shape[1]):
        return f"its input layer takes {fixed[0]} time steps; {xs[0].shape[1]} are given"
    return ""


def _generation(path: Path) -> int:
    """The major version of Keras that wrote a file; 3 where it does not say."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                said = json.loads(archive.read("metadata.json"))["keras_version"]
        else:
            import h5py  # comes with Keras

            with h5py.File(path) as file:
                said = file.attrs["keras_version"]
        text = said.decode() if isinstance(said, bytes) else str(said)
        return 2 if text.startswith(("1.", "2.")) else 3
    except (OSError, KeyError, ValueError, TypeError):
        return 3


def _keras(generation: int = 3) -> Any:
    if not installed():
        raise MissingTool(f"Keras is not installed: {HOW}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    return import_module("tf_keras" if generation == 2 else "keras")


def version(path: Path | None = None) -> str:
    """The framework that is asked, with its version."""
    generation = _generation(path) if path is not None and loads(path) and path.exists() else 3
    return f"{'tf_keras' if generation == 2 else 'Keras'} {_keras(generation).__version__}"


def model(network: Network, path: Path | None = None) -> Any:
    """A Keras model: loaded by Keras itself where there is a file, else built with the network's arrays."""
    if path is not None and loads(path):
        try:
            return _keras(_generation(path)).models.load_model(path, compile=False)
        except Exception as e:  # whatever a framework raises
            words = " ".join(str(e).split())[:120]
            raise SymgruError(f"{path.name[:60]}: Keras cannot load it ({words})") from None
    keras = _keras()
    if not knows(network):
        unknown = next((layer for layer in network.layers.values() if layer.kind not in KINDS), None)
        if unknown is None:
            raise Unsupported("Keras is only asked for a model in a file, or for GRU and Dense layers in a row")
        raise Unsupported(f"Keras has no layer for cell {unknown.kind!r} (layer {unknown.id})")
    dtype = network.dtype
    built = keras.Sequential(
        [keras.Input((None, network.features), dtype=dtype), *(_layer(keras, unit, dtype) for unit in layers(network))]
    )
    built.set_weights([a.astype(np.float64).astype(dtype) for unit in layers(network) for a in unit.arrays.values()])
    return built


def _layer(keras: Any, unit: Unit, dtype: str) -> Any:
    options = {k: v for k, v in unit.layer.options.items() if k != "units"}
    kind = {"gru": keras.layers.GRU, "dense": keras.layers.Dense}[unit.layer.kind]
    return kind(unit.sizes["H"], dtype=dtype, **options)


def predict(network: Network, x: Array | Sequence[Array], path: Path | None = None) -> Array:
    """Keras' first output for x (batch, time, features), or for one x for each input."""
    return outputs(network, [x] if isinstance(x, np.ndarray) else x, path)[0]


def outputs(network: Network, xs: Sequence[Array], path: Path | None = None) -> list[Array]:
    """Every output of Keras, in the model's order, from states of 0.

    A file's model is loaded by Keras itself, so that nothing of symgru's reading is taken on trust; where its input
    layer fixes another number of time steps, a model without that limit is built from the arrays.
    """
    free = network.steps in (None, xs[0].shape[1]) or not knows(network)
    framework = model(network, path if free else None)
    given = [x.astype("int32" if put.whole else network.dtype) for put, x in zip(network.inputs, xs, strict=True)]
    asked = _flat(framework)

    def ask(part: list[Array]) -> list[Array]:
        _reset(framework)
        return _ask(asked, part, network.dtype)

    return in_batches(ask, given, framework.inputs[0].shape[0])


def _flat(framework: Any) -> Any:
    """The model with a list of inputs and a list of outputs, whatever their nesting."""
    if type(framework).__name__ != "Functional":
        return framework
    return type(framework)(list(framework.inputs), list(framework.outputs))


def _ask(framework: Any, xs: list[Array], dtype: str) -> list[Array]:
    given: Any = xs if len(xs) > 1 else xs[0]
    if dtype != "float32":  # predict() would cast the input to float32 on its way in
        found = framework(given, training=False)
    else:
        found = framework.predict(given, verbose=0, batch_size=len(xs[0]))
    return [np.asarray(y) for y in (found if isinstance(found, list | tuple) else [found])]


def _reset(framework: Any) -> None:
    """States of 0 for every stateful layer."""
    for layer in framework._flatten_layers():
        reset = getattr(layer, "reset_state", None) or getattr(layer, "reset_states", None)
        if reset is not None and getattr(layer, "stateful", False):
            reset()
