"""The parts of a .keras file, built by hand, so that the readers are tested without a framework."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
SEED = [
    np.array([[-0.90954137, 1.0425225, -0.04404902]], np.float32),
    np.array([[0.24168766, 0.8981342, 0.36734456]], np.float32),
    np.zeros((2, 3), np.float32),
]


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    """A layer's entry in config.json, as Keras 3.15 writes it."""
    return {
        "module": "keras.layers",
        "class_name": kind,
        "registered_name": None,
        "config": {"name": name, "trainable": True, "dtype": POLICY, **config},
    }


def entrance(*shape: int | None, **config: Any) -> dict[str, Any]:
    return layer("InputLayer", "input_layer") | {
        "config": {"batch_shape": [None, *shape], "dtype": "float32", "sparse": False, "name": "input_layer", **config}
    }


def gru(name: str = "gru", units: int = 1, **config: Any) -> dict[str, Any]:
    usual = {
        "return_sequences": False,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "zero_output_for_mask": False,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "kernel_initializer": {"class_name": "GlorotUniform"},
        "activity_regularizer": None,
        "bias_constraint": None,
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        "reset_after": True,
        "seed": None,
    }
    return layer("GRU", name, units=units, **{**usual, **config})


def dense(name: str = "dense", units: int = 1, **config: Any) -> dict[str, Any]:
    return layer("Dense", name, units=units, **{"activation": "linear", "use_bias": True, **config})


def sequential(*layers: Any) -> dict[str, Any]:
    return {
        "module": "keras",
        "class_name": "Sequential",
        "registered_name": None,
        "config": {"name": "sequential", "layers": list(layers)},
    }


def weights_file(folders: Mapping[str, tuple[str, Sequence[Any]]], edit: Callable[[h5py.File], None] | None) -> bytes:
    """model.weights.h5 with {folder: (real name, arrays)}; `edit` may damage it."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for folder, (name, arrays) in folders.items():
            file.create_group(f"layers/{folder}/vars").attrs["name"] = name
            place = f"layers/{folder}/cell/vars" if folder.startswith("gru") else f"layers/{folder}/vars"
            for k, array in enumerate(arrays):
                file[f"{place}/{k}"] = array
        if edit:
            edit(file)
    return buffer.getvalue()
