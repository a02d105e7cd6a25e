"""An .onnx file without onnx: a bounded reader of its bytes, its graph as a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from symgru.errors import UnusableInput
from symgru.network import Network
from symgru.readers import onnx_graph
from symgru.readers.checks import a_file, reason
from symgru.readers.onnx_messages import read_model
from symgru.readers.onnx_tensors import Folder

MAX_FILE = 2**29


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network in an ONNX model. External data is read from files in the model's own folder alone.

    The network takes and gives the batch first. Raises UnusableInput for a damaged or hostile file, Unsupported for an
    operator that is not read around a GRU; both name the node.
    """
    if architecture is not None:
        raise UnusableInput("an ONNX model has its own layers; an architecture is for bare arrays")
    try:
        content = a_file(path, MAX_FILE).read_bytes()
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None
    graph = read_model(memoryview(content), Folder(path.parent))
    return onnx_graph.network(graph, path.stem, path.name)
