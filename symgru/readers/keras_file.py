"""A .keras file without Keras: a zip of JSON and HDF5, every size and shape checked before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Network
from symgru.readers import hdf5, keras_graph, keras_v2
from symgru.readers.archive import Archive
from symgru.readers.assemble import within
from symgru.readers.checks import mapping
from symgru.readers.json_file import parse
from symgru.readers.keras_weights import Tree

MAX_CONFIG = 16 * 2**20
MAX_WEIGHTS = 2**29


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network in a file that Keras 3 saved, or Keras 2 in the same form (tf_keras)."""
    if architecture is not None:
        raise UnusableInput("a Keras model has its own layers; an architecture is for bare arrays")
    with Archive(path) as archive:
        version = keras_v2.major(_json(archive, "metadata.json").get("keras_version"))
        config = _json(archive, "config.json")
        if "model.weights.h5" not in archive and "model.weights.json" in archive:
            raise Unsupported("its weights are split over several files; save the model without max_shard_size")
        content = archive.read("model.weights.h5", MAX_WEIGHTS)
    form = keras_v2.modern(config) if version == 2 else config
    with ExitStack() as stack:
        with within("model.weights.h5"):
            root = stack.enter_context(hdf5.reading(content))
        weights = keras_v2.Cudnn(Tree(root))
        return keras_graph.build(form, weights, version=version, name=path.stem, origin=path.name)


def _json(archive: Archive, name: str) -> Mapping[str, object]:
    content = archive.read(name, MAX_CONFIG)
    with within(name):
        try:
            return mapping(parse(content.decode("utf-8"), typed=False), "the content")
        except UnicodeDecodeError:
            raise UnusableInput("is not UTF-8 text") from None
