"""The real framework for a .onnx file: ONNX Runtime on the CPU."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from symgru.errors import SymgruError
from symgru.network import Array, Held, Network
from symgru.verify.frameworks import in_batches

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
    """Every output of the file's graph, with the batch first as the reader gives it."""
    onnxruntime = import_module("onnxruntime")
    assert path is not None
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        ports = [_Port(put, own.held) for put, own in zip(session.get_inputs(), network.inputs, strict=True)]

        def ask(part: list[Array]) -> list[Array]:
            found = session.run(None, {port.name: port.held(x) for port, x in zip(ports, part, strict=True)})
            return [_arranged(np.asarray(y), held) for y, held in zip(found, network.held, strict=True)]

        return in_batches(ask, xs, ports[0].batch)
    except Exception as e:  # whatever a framework raises
        words = " ".join(str(e).split())[:120]
        raise SymgruError(f"ONNX Runtime cannot run {path.name[:60]} ({words})") from None


def _arranged(y: Array, held: Held) -> Array:
    """An output with the batch first, without an axis of one direction."""
    if held.batch is None:
        raise SymgruError("an output has no batch axis")
    y = np.moveaxis(y, held.batch, 0)
    if held.left_out is None:
        return y
    return y.squeeze(held.left_out + (held.left_out < held.batch))


class _Port:
    """An input of the session, and where it has the batch."""

    def __init__(self, put: Any, held: Held) -> None:
        if held.batch is None:
            raise SymgruError("an input has no batch axis")
        self.name, self.kind, self.dims, self.axis, self.left_out = (
            put.name,
            put.type,
            put.shape,
            held.batch,
            held.left_out,
        )

    @property
    def batch(self) -> int | None:
        """How many sequences the file takes at once, where it fixes that."""
        size = self.dims[self.axis] if self.dims else None
        return size if isinstance(size, int) else None

    def held(self, x: Array) -> Array:
        """The input as the file has it: its type, its axes, an axis for one direction."""
        types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int32)": np.int32}
        if self.left_out is not None:
            x = np.expand_dims(x, self.left_out + (self.left_out < self.axis))
        x = np.moveaxis(x, 0, self.axis)
        held: Array = np.ascontiguousarray(x.astype(types.get(self.kind, np.int64)))
        return held
