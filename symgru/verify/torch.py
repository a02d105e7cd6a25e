"""The real framework for a PyTorch file: its layers built again in torch, with the weights that the file holds."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
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
    with torch.no_grad():
        y = torch.tensor(xs[0], dtype=dtype)
        for unit in layers(network):
            y = _recurrent(torch, unit, y, dtype) if unit.recurrent else _pointwise(torch, unit, y, dtype)
    return [y.numpy()]


def _recurrent(torch: Any, unit: Unit, x: Any, dtype: Any) -> Any:
    """nn.GRU with rows r, z, n and the two biases apart."""
    biased = bool(unit.layer.options.get("use_bias", True))
    gru = torch.nn.GRU(unit.sizes["D"], unit.sizes["H"], bias=biased, batch_first=True, dtype=dtype)
    letters = {"weight_ih_l0": "W", "weight_hh_l0": "U"} | ({"bias_ih_l0": "b", "bias_hh_l0": "c"} if biased else {})
    for name, letter in letters.items():
        blocks = [unit.layer.weights[f"{letter}_{gate}"].value for gate in "rzn"]
        getattr(gru, name).copy_(torch.tensor(np.concatenate(blocks), dtype=dtype))
    y, last = gru(x)
    return y if unit.sequences else last[0]


def _pointwise(torch: Any, unit: Unit, x: Any, dtype: Any) -> Any:
    """nn.Linear and the activation behind it."""
    weights = {name: torch.tensor(t.value, dtype=dtype) for name, t in unit.layer.weights.items()}
    if unit.layer.kind == "dense":
        x = torch.nn.functional.linear(x, weights["W"], weights.get("b"))
    name = unit.layer.options.get("activation", "linear")
    return x if name == "linear" else torch.softmax(x, -1) if name == "softmax" else getattr(torch, str(name))(x)
