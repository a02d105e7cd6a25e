"""The real framework for a PyTorch file: its layers built again in torch, with the weights that torch reads from it.

A state_dict does not say what `forward` does, so the order of the layers is the network's; that the arrays were read
right is not taken on trust, where they stand in the file under the layers' names.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from symgru.backends.model import Unit, layers
from symgru.errors import SymgruError
from symgru.network import Array, Network

NAME, HOW = "PyTorch", "pip install torch"
ENDINGS = (".pt", ".pth", ".safetensors")
ACTIVATIONS = ("linear", "tanh", "sigmoid", "relu", "softmax")


def installed() -> bool:
    """Whether PyTorch can be asked, without importing it."""
    return importlib.util.find_spec("torch") is not None


def loads(path: Path | None) -> bool:
    """Whether the file is one of PyTorch's."""
    return path is not None and path.suffix.lower() in ENDINGS


def knows(network: Network) -> bool:
    """Whether torch has these layers in a row: nn.GRU, nn.Linear, activations."""
    try:
        return network.is_chain and all(map(_knows, layers(network)))
    except SymgruError:
        return False


def _knows(unit: Unit) -> bool:
    options = unit.layer.options
    if unit.layer.kind == "gru":
        usual = (options.get("activation", "tanh"), options.get("recurrent_activation", "sigmoid"))
        return options.get("reset_after", True) is True and usual == ("tanh", "sigmoid") and "clip" not in options
    return unit.layer.kind in ("dense", "activation") and options.get("activation", "linear") in ACTIVATIONS


def refusal(network: Network, xs: Sequence[Array], path: Path | None) -> str:
    """Why PyTorch cannot be asked; "" where it can."""
    if not installed():
        return f"not installed: {HOW}"
    return "" if knows(network) else "is asked for GRU, Linear and activations in a row only"


def version(path: Path | None = None) -> str:
    """The framework that is asked, with its version."""
    import torch

    return f"PyTorch {torch.__version__.partition('+')[0]}"


def outputs(network: Network, xs: Sequence[Array], path: Path | None = None) -> list[Array]:
    """The output of torch's own layers for x (batch, time, features)."""
    import torch

    dtype = getattr(torch, network.dtype)
    file = _state_dict(torch, path)
    with torch.no_grad():
        y = torch.tensor(xs[0], dtype=dtype)
        for unit in layers(network):
            arrays = _in_file(file, unit) or _as_read(unit)
            own = {name: torch.as_tensor(array).to(dtype) for name, array in arrays.items()}
            y = _recurrent(torch, unit, y, own, dtype) if unit.recurrent else _pointwise(torch, unit, y, own)
    return [y.numpy()]


def _state_dict(torch: Any, path: Path | None) -> Mapping[str, Any]:
    """The file as torch reads it, without running code; nothing where it holds no plain state_dict."""
    try:
        if path is not None and path.suffix.lower() == ".safetensors":
            found = import_module("safetensors.torch").load_file(path)
        else:
            found = torch.load(path, weights_only=True, map_location="cpu") if path is not None else {}
        return found if isinstance(found, Mapping) else {}
    except Exception:  # whatever a framework raises: then the weights are as symgru read them
        return {}


def _in_file(file: Mapping[str, Any], unit: Unit) -> dict[str, Any]:
    """A layer's arrays in the file by torch's names, if all are there: rnn.weight_ih_l1 of the layer rnn_l1."""
    module, _, layer = unit.layer.label.rpartition("_l") if unit.recurrent else ("", "", "")
    names = _names(unit)
    for prefix, number in ((unit.layer.label, "0"), (module, layer)):
        suffix = f"_l{number}" if unit.recurrent else ""
        found = {name: file.get(f"{prefix}.{name}{suffix}") for name in names}
        if names and all(array is not None for array in found.values()):
            return found
    return {}


def _names(unit: Unit) -> list[str]:
    biased = bool(unit.layer.options.get("use_bias", True))
    if unit.recurrent:
        return ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if biased else [])]
    return ["weight", *(["bias"] if biased else [])] if unit.layer.kind == "dense" else []


def _as_read(unit: Unit) -> dict[str, Any]:
    """The same arrays from the network: rows r, z, n and the two biases apart."""
    weights = {name: tensor.value for name, tensor in unit.layer.weights.items()}
    if not unit.recurrent:
        return {name: weights[own] for name, own in zip(_names(unit), "Wb", strict=False)}
    blocks = {
        name: [weights[f"{own}_{gate}"] for gate in "rzn"] for name, own in zip(_names(unit), "WUbc", strict=False)
    }
    return {name: np.concatenate(parts) for name, parts in blocks.items()}


def _recurrent(torch: Any, unit: Unit, x: Any, arrays: Mapping[str, Any], dtype: Any) -> Any:
    """nn.GRU of one layer and direction."""
    biased = "bias_ih" in arrays
    gru = torch.nn.GRU(unit.sizes["D"], unit.sizes["H"], bias=biased, batch_first=True, dtype=dtype)
    for name, array in arrays.items():
        getattr(gru, f"{name}_l0").copy_(array)
    y, last = gru(x)
    return y if unit.sequences else last[0]


def _pointwise(torch: Any, unit: Unit, x: Any, arrays: Mapping[str, Any]) -> Any:
    """nn.Linear and the activation behind it."""
    if unit.layer.kind == "dense":
        x = torch.nn.functional.linear(x, arrays["weight"], arrays.get("bias"))
    name = unit.layer.options.get("activation", "linear")
    return x if name == "linear" else torch.softmax(x, -1) if name == "softmax" else getattr(torch, str(name))(x)
