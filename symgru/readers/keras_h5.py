"""Keras' HDF5 files: whole models (.h5, .hdf5 of Keras 2 and 3) and weights alone (.weights.h5), their configuration
beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Network
from symgru.readers import hdf5, keras_graph, keras_v2
from symgru.readers.assemble import within
from symgru.readers.checks import mapping, printable, text_of
from symgru.readers.json_file import parse
from symgru.readers.keras_layers import RULES
from symgru.readers.keras_legacy import Legacy, texts
from symgru.readers.keras_weights import Tree, Weights

MAX_CONFIG = 16 * 2**20
ENDINGS = (".weights.h5", ".h5", ".hdf5")


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network in an HDF5 file of Keras.

    A file of weights alone needs the model's configuration, what model.to_json() gives or the config.json of a .keras
    file: `architecture`, or a file beside it, NAME.json for NAME.weights.h5, or config.json, or model.json.
    """
    name = _stem(path)
    with hdf5.reading(path) as file:
        if "model_config" in file.attributes:
            return _model(file, architecture, name, path.name)
        given, said = (architecture, "the architecture") if architecture is not None else _beside(path, name)
        with within(said):
            config = mapping(given, "the configuration")
            if "class_name" not in config:
                raise UnusableInput(f"has no class_name; {_wanted(name)} is needed")
        return _weights_alone(file, config, name, path.name)


def _model(file: hdf5.Group, architecture: Mapping[str, object] | None, name: str, origin: str) -> Network:
    """A whole model: its configuration is an attribute, its weights lists of arrays, one for each layer."""
    if architecture is not None:
        raise UnusableInput("a Keras model has its own layers; an architecture is for weights alone")
    text = file.attributes["model_config"]
    if not isinstance(text, str):
        raise UnusableInput("its model_config is no text")
    with within("model_config"):
        config = mapping(parse(text[: MAX_CONFIG + 1], typed=False), "the content")
    weights = file.group("model_weights")
    version = keras_v2.major(file.attributes.get("keras_version", weights.attributes.get("keras_version")))
    return _built(config, weights, version, name, origin)


def _weights_alone(file: hdf5.Group, config: Mapping[str, object], name: str, origin: str) -> Network:
    old = keras_v2.is_old(config)
    if texts(file, "layer_names") is not None:
        return _built(config, file, 2 if old else 3, name, origin)
    if "layers" not in file:
        raise Unsupported("holds no layers that symgru knows; save the whole model as .keras")
    form = keras_v2.modern(config) if old else config
    return _network(form, Tree(file), 2 if old else 3, name, origin)


def _built(config: Mapping[str, object], group: hdf5.Group, version: int, name: str, origin: str) -> Network:
    """From lists of arrays, whose order the configuration tells."""
    form = keras_v2.modern(config) if version == 2 else _operations(config)
    return _network(form, Legacy(group, form, version), version, name, origin)


def _network(form: Mapping[str, object], weights: Weights, version: int, name: str, origin: str) -> Network:
    return keras_graph.build(form, keras_v2.Cudnn(weights), version=version, name=name, origin=origin)


def _operations(config: Mapping[str, object]) -> Mapping[str, object]:
    """Keras 3's legacy files do not say that an operation such as NotEqual, which makes a mask, is one of keras.ops.
    Its configuration does not say either whether it is trainable, as each layer's does."""
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(layers, list):
        return config

    def told(layer: object) -> object:
        if not isinstance(layer, Mapping):
            return layer
        own = layer.get("config")
        bare = isinstance(own, Mapping) and "trainable" not in own and "module" not in layer
        operation = bare and f"ops.{layer.get('class_name')}" in RULES
        return {**layer, "module": "keras.src.ops.numpy"} if operation else _operations(layer)

    return {**config, "config": {**inner, "layers": [told(layer) for layer in layers]}}


def _beside(path: Path, name: str) -> tuple[object, str]:
    """The configuration beside a file of weights, and the name of its file."""
    for candidate in (f"{name}.json", "config.json", "model.json"):
        place = path.with_name(candidate)
        if place.is_file():
            with within(printable(candidate)):
                return parse(text_of(place), typed=False), printable(candidate)
    raise UnusableInput(f"holds weights alone; {_wanted(name)} is needed")


def _wanted(name: str) -> str:
    return f"the text of model.to_json() as {printable(name)}.json beside it, or as --architecture F.json,"


def _stem(path: Path) -> str:
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), "")
    return path.name[: len(path.name) - len(ending)]
