"""Layers as a Keras 3 configuration has them: class, options, and the arrays in their order in the weights file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgru.conventions import CONVENTIONS
from symgru.conversion import Converted, convert
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Array, Layer

CELL = "cell/vars"  # where a recurrent layer's arrays lie under its folder


@dataclass(frozen=True)
class KerasLayer:
    """`folders` holds each folder's arrays in their order: {"vars": [...]}, {"cell/vars": [...]}."""

    class_name: str
    config: Mapping[str, Any]
    folders: Mapping[str, list[Array]] = field(default_factory=dict)
    converted: Converted | None = None


def recurrent(layer: Layer, sequences: bool) -> KerasLayer:
    """A GRU or SimpleRNN; the cell is brought to one of Keras'."""
    options = layer.options
    if layer.kind == "simple":
        W, U = layer.weights["W"].value.T, layer.weights["U"].value.T
        bias = [layer.weights["b"].value] if "b" in layer.weights else []
        config = {**_common(layer), "use_bias": bool(bias), "return_sequences": sequences}
        return KerasLayer("SimpleRNN", config, {CELL: [W, U, *bias]})
    made = convert(layer, _convention(layer))
    after = made.convention.name == "keras"
    config = {
        **_common(layer),
        "recurrent_activation": _activation(options.get("recurrent_activation", "sigmoid")),
        "use_bias": "bias" in made.arrays,
        "reset_after": after,
        "return_sequences": sequences,
    }
    return KerasLayer("GRU", config, {CELL: list(made.arrays.values())}, made)


def _convention(layer: Layer) -> Any:
    before = layer.kind in ("fully_gated", "gru_before") or not layer.options.get("reset_after", True)
    return CONVENTIONS["keras_before" if before else "keras"]


def _common(layer: Layer) -> dict[str, Any]:
    units = next(t for name, t in layer.weights.items() if name.startswith("U")).value.shape[0]
    if layer.options.get("clip") is not None:
        raise Unsupported("clip, which ONNX has, is no option of a Keras GRU")
    return {"units": units, "activation": _activation(layer.options.get("activation", "tanh"))}


def _activation(name: object) -> str:
    if not isinstance(name, str):
        raise Unsupported(f"activation {name} has numbers of its own, which Keras' activations by name have not")
    return name


def pointwise(layer: Layer) -> KerasLayer:
    """A layer without a state."""
    o, w = layer.options, {name: t.value for name, t in layer.weights.items()}
    if layer.kind == "dense":
        return _dense(layer)
    if layer.kind == "activation":
        return KerasLayer("Activation", {"activation": _activation(o.get("activation", "linear"))})
    if layer.kind == "batch_normalization":
        config = {"axis": -1, "epsilon": o["eps"], "center": True, "scale": True}
        return KerasLayer("BatchNormalization", config, {"vars": [w["g"], w["b"], w["mu"], w["v"]]})
    if layer.kind == "layer_normalization":
        config = {"axis": -1, "epsilon": o["eps"], "center": True, "scale": True}
        return KerasLayer("LayerNormalization", config, {"vars": [w["g"], w["b"]]})
    if layer.kind == "rescaling":
        return KerasLayer("Rescaling", {"scale": o["scale"], "offset": o["offset"]})
    names = {"add": "Add", "multiply": "Multiply", "subtract": "Subtract", "average": "Average"}
    if layer.kind in names:
        return KerasLayer(names[layer.kind], {})
    raise Unsupported(f"{layer.kind.replace('_', ' ')} is not written to .keras")


def _dense(layer: Layer) -> KerasLayer:
    made = convert(layer, CONVENTIONS["keras_dense"])
    kernel, *bias = made.arrays.values()
    activation = _activation(layer.options.get("activation", "linear"))
    config = {"units": kernel.shape[1], "use_bias": bool(bias), "activation": activation}
    return KerasLayer("Dense", config, {"vars": [kernel, *bias]}, made)


def convolution(layer: Layer, window: Layer) -> KerasLayer:
    """A Conv1D from its dense layer and the windows before it."""
    made = _dense(layer)
    kernel, *bias = made.folders["vars"]
    size, _, filters = shape = tuple(int(n) for n in layer.options["kernel_shape"])  # type: ignore[attr-defined]
    o = window.options
    config = {
        "filters": filters,
        "kernel_size": [size],
        "strides": [o.get("stride", 1)],
        "padding": o.get("padding", "valid"),
        "dilation_rate": [o.get("dilation", 1)],
        "activation": made.config["activation"],
        "use_bias": bool(bias),
    }
    return KerasLayer("Conv1D", config, {"vars": [kernel.reshape(shape), *bias]}, made.converted)


def moved(layer: Layer) -> KerasLayer:
    """A map that is a layer of Keras."""
    if layer.kind not in MOVED:
        raise Unsupported(f"{layer.kind} ({MAPS[layer.kind].says}) is not written to .keras")
    class_name, config = MOVED[layer.kind]
    folders = {"vars": [layer.weights["E"].value]} if layer.kind == "embed" else {}
    return KerasLayer(class_name, config(layer), folders)


def _pool(layer: Layer) -> dict[str, Any]:
    o = layer.options
    return {"pool_size": [o["size"]], "strides": [o.get("stride", 1)], "padding": o.get("padding", "valid")}


def _embedding(layer: Layer) -> dict[str, Any]:
    rows, width = layer.weights["E"].value.shape
    return {"input_dim": rows, "output_dim": width, "mask_zero": False}


MOVED: dict[str, tuple[str, Callable[[Layer], dict[str, Any]]]] = {
    "flatten": ("Flatten", lambda layer: {}),
    "reshape": ("Reshape", lambda layer: {"target_shape": list(layer.options["shape"])}),  # type: ignore[call-overload]
    "permute": ("Permute", lambda layer: {"dims": list(layer.options["axes"])}),  # type: ignore[call-overload]
    "repeat": ("RepeatVector", lambda layer: {"n": layer.options["n"]}),
    "pad": ("ZeroPadding1D", lambda layer: {"padding": [layer.options["before"], layer.options["after"]]}),
    "crop": ("Cropping1D", lambda layer: {"cropping": [layer.options["before"], layer.options["after"]]}),
    "upsample": ("UpSampling1D", lambda layer: {"size": layer.options["n"]}),
    "concatenate": ("Concatenate", lambda layer: {"axis": layer.options["axis"]}),
    "max_pool": ("MaxPooling1D", _pool),
    "mean_pool": ("AveragePooling1D", _pool),
    "global_max": ("GlobalMaxPooling1D", lambda layer: {}),
    "global_mean": ("GlobalAveragePooling1D", lambda layer: {}),
    "embed": ("Embedding", _embedding),
}


def typed(folders: Mapping[str, list[Array]], dtype: str) -> dict[str, list[Array]]:
    """The arrays in the network's dtype."""
    return {name: [np.ascontiguousarray(a, dtype=dtype) for a in arrays] for name, arrays in folders.items()}
