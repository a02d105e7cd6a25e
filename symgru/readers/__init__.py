"""Readers: what a file, a text, a live model or bare arrays say, translated into a Network. No SymPy here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from symgru.errors import SymgruError, UnusableInput
from symgru.network import Network
from symgru.readers import arrays, json_file, keras_model, named_arrays, printed, torch_model
from symgru.readers.assemble import within
from symgru.readers.checks import MAX_TEXT, mapping, printable, text_of
from symgru.readers.inputs import Inputs, read_input, read_inputs

PRINTED = "the weights are as printed: numpy rounds to 8 decimals unless told otherwise, the model may hold more digits"

PRINTED_BY_TORCH = (
    "the weights are as printed: PyTorch rounds to 4 decimals unless told otherwise, the model may hold more digits"
)


def read(source: Any, architecture: Mapping[str, object] | str | Path | None = None) -> Network:
    """The network in `source`.

    A path of a .keras, .json or .txt file (the text that printing get_weights() gives); "-" for such text or JSON
    on standard input; a live Keras model, layer or list of layers; a list of arrays as get_weights() returns it; or
    a dict as a .json file holds it. `architecture`, a dict or the path of a JSON file, gives what bare arrays cannot
    tell; see `arrays.from_arrays`.

    Raises UnusableInput or Unsupported, with one line that names the file, the layer and the reason.
    """
    asked = _architecture(architecture)
    if isinstance(source, str) and source == "-":
        with within("standard input"):
            return _text(_standard_input(), asked, "", "standard input")
    if isinstance(source, str | Path):
        path = Path(source)
        with within(printable(path.name) or "the path"):
            return _file(path, asked)
    with within("model"):
        return _object(source, asked)


READERS = {  # by the end of a file's name, the longest first; each module has read(path, architecture)
    ".weights.h5": "keras_h5",
    ".safetensors": "safetensors_file",
    ".msgpack": "msgpack_file",
    ".keras": "keras_file",
    ".hdf5": "keras_h5",
    ".onnx": "onnx_file",
    ".npz": "npz_file",
    ".pth": "torch_file",
    ".pt": "torch_file",
    ".h5": "keras_h5",
}


def _file(path: Path, asked: Mapping[str, object] | None) -> Network:
    name, suffix = path.name.lower(), path.suffix.lower()
    ending = next((known for known in READERS if name.endswith(known)), None)
    if ending:
        reader = import_module(f"symgru.readers.{READERS[ending]}")
        return cast(Network, reader.read(path, asked))
    if not suffix and path.is_dir():
        raise UnusableInput("is a directory; a .keras, .json or .txt file is needed")
    if suffix == ".json":
        data = json_file.parse(text_of(path))
        return json_file.from_object(data, _named(data, path.stem), path.name, asked)
    if suffix in (".txt", ""):
        return _text(text_of(path), asked, path.stem, path.name)
    raise UnusableInput(f"the name's ending is not known; symgru reads {', '.join(READERS)}, .json and .txt")


def _object(source: Any, asked: Mapping[str, object] | None) -> Network:
    if isinstance(source, Mapping):
        return json_file.from_object(source, _named(source), "", asked)
    layers = isinstance(source, list | tuple) and len(source) > 0 and all(map(keras_model.is_layer, source))
    if keras_model.is_layer(source) or layers:
        _none(asked)
        return keras_model.read_model(source)
    if torch_model.is_module(source):
        return torch_model.read_module(source, asked)
    if isinstance(source, list | tuple):
        return arrays.from_arrays(source, asked, name="gru", origin="")
    if isinstance(source, np.ndarray):
        raise UnusableInput("is one array; the list of all that get_weights() gives is needed")
    raise UnusableInput(f"a {printable(type(source).__name__)} is no path, Keras model, list of arrays or dict")


def _text(text: str, asked: Mapping[str, object] | None, name: str, origin: str) -> Network:
    """JSON where the text begins with a brace, else printed weights: by name where the print gives names."""
    if not text.strip():
        raise UnusableInput("there is no text; JSON or what printing get_weights() gives is needed")
    if text.lstrip().startswith("{") and not text.lstrip(" \n{").startswith("'"):  # JSON has no single quotes
        data = json_file.parse(text)
        return json_file.from_object(data, _named(data, name or "gru"), origin, asked)
    name = name or "gru"
    by_name = printed.named(text)
    if by_name is None:
        note = PRINTED_BY_TORCH if printed.is_of_torch(text) else PRINTED
        return arrays.from_arrays(printed.parse(text), asked, name=name, origin=origin, notes=[note])
    wide = all(array.dtype == "float64" for array in by_name.values())
    return named_arrays.from_named(
        {key: array.data for key, array in by_name.items()},
        ({"dtype": "float64"} if wide else {}) | dict(asked or {}),
        name=name,
        origin=origin,
        notes=[PRINTED_BY_TORCH],
    )


def _standard_input() -> str:
    if sys.stdin is None:
        raise UnusableInput("is closed")
    try:
        text = sys.stdin.read(MAX_TEXT + 1)
    except UnicodeDecodeError:
        raise UnusableInput("is not UTF-8 text") from None
    if len(text) > MAX_TEXT:
        raise UnusableInput(f"the text is longer than {MAX_TEXT} characters")
    return text.removeprefix("\ufeff")


def _named(data: Any, otherwise: str = "gru") -> str:
    """The name that a JSON file gives itself."""
    name = data.get("name") if isinstance(data, Mapping) else None
    return name if isinstance(name, str) and name.strip() else otherwise


def _none(asked: Mapping[str, object] | None) -> None:
    """Refuse an architecture beside a model that has its own."""
    if asked is not None:
        raise UnusableInput("a Keras model has its own layers; an architecture is for bare arrays")


def _architecture(given: Mapping[str, object] | str | Path | None) -> Mapping[str, object] | None:
    if given is None:
        return None
    if isinstance(given, Mapping):
        return mapping(given, "the architecture")
    if not isinstance(given, str | Path):
        raise UnusableInput("the architecture must be a dict or the path of a JSON file")
    with within(printable(Path(given).name)):
        return mapping(json_file.parse(text_of(Path(given)), typed=False), "the architecture")


__all__ = ["Inputs", "SymgruError", "read", "read_input", "read_inputs"]
