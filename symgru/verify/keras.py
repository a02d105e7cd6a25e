"""The real framework: the same model in Keras, built from its file or from the arrays, and its predict()."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any, cast

import numpy as np

from symgru.backends.model import Unit, layers
from symgru.errors import MissingTool, SymgruError, Unsupported
from symgru.network import Array, Network

KINDS = ("gru", "dense")


def installed() -> bool:
    """Whether Keras can be asked, without importing it."""
    return all(importlib.util.find_spec(name) for name in ("keras", "tensorflow"))


def knows(network: Network) -> bool:
    """Whether Keras has every layer of the network."""
    return all(layer.kind in KINDS for layer in network.layers.values())


def _keras() -> Any:
    if not installed():
        raise MissingTool("Keras is not installed: pip install tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import keras

    return keras


def version() -> str:
    return f"Keras {_keras().__version__}"


def model(network: Network, path: Path | None = None) -> Any:
    """A Keras model: loaded by Keras itself where there is a file, else built with the network's arrays."""
    keras = _keras()
    if path is not None:
        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as e:  # whatever a framework raises
            raise SymgruError(f"{path.name[:60]}: Keras cannot load it ({str(e)[:120]})") from None
    if not knows(network):
        unknown = next(layer for layer in network.layers.values() if layer.kind not in KINDS)
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


def predict(network: Network, x: Array, path: Path | None = None) -> Array:
    """Keras' predict() on x (batch, time, features).

    A file's model is loaded by Keras itself, so that nothing of symgru's reading is taken on trust; where its input
    layer fixes another number of time steps, a model without that limit is built from the arrays.
    """
    framework = model(network, path if network.steps in (None, x.shape[1]) else None)
    x = x.astype(network.dtype)
    if network.dtype != "float32":  # predict() would cast the input to float32 on its way in
        return np.asarray(framework(x, training=False))
    return cast(Array, framework.predict(x, verbose=0))
