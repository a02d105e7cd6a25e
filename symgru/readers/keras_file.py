"""A .keras file without Keras: a zip of JSON and HDF5, every size and shape checked before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Network
from symgru.readers import hdf5, keras_graph
from symgru.readers.archive import Archive
from symgru.readers.assemble import within
from symgru.readers.checks import mapping, printable
from symgru.readers.json_file import parse
from symgru.readers.keras_weights import Tree

MAX_CONFIG = 16 * 2**20
MAX_WEIGHTS = 2**30


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network in a file that Keras 3 saved."""
    if architecture is not None:
        raise UnusableInput("a Keras model has its own layers; an architecture is for bare arrays")
    with Archive(path) as archive:
        _check_version(_json(archive, "metadata.json"))
        config = _json(archive, "config.json")
        if "model.weights.h5" not in archive and "model.weights.json" in archive:
            raise Unsupported("its weights are split over several files; save the model without max_shard_size")
        content = archive.read("model.weights.h5", MAX_WEIGHTS)
    with hdf5.reading(content) as root:
        return keras_graph.build(config, Tree(root), name=path.stem, origin=path.name)


def _json(archive: Archive, name: str) -> Mapping[str, object]:
    content = archive.read(name, MAX_CONFIG)
    with within(name):
        try:
            return mapping(parse(content.decode("utf-8"), typed=False), "the content")
        except UnicodeDecodeError:
            raise UnusableInput("is not UTF-8 text") from None


def _check_version(metadata: Mapping[str, object]) -> None:
    """Keras 2 writes the same names for other things: its hard_sigmoid is another function."""
    version = metadata.get("keras_version")
    if not isinstance(version, str) or not version.startswith("3."):
        raise Unsupported(f"was saved by Keras {printable(version, 20)}; symgru reads the .keras files of Keras 3")
