"""The real framework for a .onnx file: ONNX Runtime on the CPU."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from symgru.errors import SymgruError
from symgru.network import Array, Network

NAME, HOW = "ONNX Runtime", "pip install onnxruntime"


def installed() -> bool:
    """Whether ONNX Runtime can be asked, without importing it."""
    return importlib.util.find_spec("onnxruntime") is not None


def loads(path: Path | None) -> bool:
    """Whether ONNX Runtime loads this file."""
    return path is not None and path.suffix.lower() == ".onnx"


def refusal(network: Network, xs: Sequence[Array], path: Path | None) -> str:
    """Why ONNX Runtime cannot be asked; "" where it can."""
    return "" if installed() else f"not installed: {HOW}"


def version(path: Path | None = None) -> str:
    """The framework that is asked, with its version."""
    return f"ONNX Runtime {import_module('onnxruntime').__version__}"


def outputs(network: Network, xs: Sequence[Array], path: Path | None = None) -> list[Array]:
    """Every output of the file's graph, its inputs as (batch, ...), as the reader takes and gives them."""
    onnxruntime = import_module("onnxruntime")
    assert path is not None
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        names = {put.name: put.type for put in session.get_inputs()}
        given = {name: _typed(x, kind) for (name, kind), x in zip(names.items(), xs, strict=True)}
        return [np.asarray(y) for y in session.run(None, given)]
    except Exception as e:  # whatever a framework raises
        words = " ".join(str(e).split())[:120]
        raise SymgruError(f"{path.name[:60]}: ONNX Runtime cannot run it ({words})") from None


def _typed(x: Array, kind: str) -> Any:
    """An input in the type that the graph names, such as tensor(float)."""
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int32)": np.int32}
    return x.astype(types.get(kind, np.int64))
