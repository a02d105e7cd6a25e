"""A .keras file without Keras: a zip of JSON and HDF5, every size and shape checked before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Network
from symgru.readers import conventions, hdf5, keras_config
from symgru.readers.archive import Archive
from symgru.readers.assemble import keras_layer, named, network, within
from symgru.readers.checks import mapping, printable
from symgru.readers.json_file import parse
from symgru.readers.keras_config import Plan, Planned

MAX_CONFIG = 16 * 2**20
MAX_WEIGHTS = 2**30


def read(path: Path, architecture: Mapping[str, object] | None = None) -> Network:
    """The network in a file that Keras 3 saved."""
    if architecture is not None:
        raise UnusableInput("a Keras model has its own layers; an architecture is for bare arrays")
    with Archive(path) as archive:
        _check_version(_json(archive, "metadata.json"))
        plan = keras_config.plan(_json(archive, "config.json"))
        if "model.weights.h5" not in archive and "model.weights.json" in archive:
            raise Unsupported("its weights are split over several files; save the model without max_shard_size")
        content = archive.read("model.weights.h5", MAX_WEIGHTS)
    weights = _weights(content, plan)
    specs = [
        keras_layer(p.kind, p.label, p.options, arrays, dtype=plan.dtype, notes=p.notes)
        for p, arrays in zip(plan.layers, weights, strict=True)
    ]
    return network(
        specs,
        dtype=plan.dtype,
        name=path.stem,
        origin=path.name,
        features=plan.features,
        steps=plan.steps,
        notes=plan.notes,
    )


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


def _weights(content: bytes, plan: Plan) -> list[list[Array]]:
    """Each layer's arrays, in get_weights() order."""
    with within("model.weights.h5"), hdf5.reading(content) as file:
        return [_layer(file, planned, _features(plan, k)) for k, planned in enumerate(plan.layers)]


def _features(plan: Plan, k: int) -> int | None:
    """The width of layer k's input, where the configuration tells."""
    return plan.features if k == 0 else int(str(plan.layers[k - 1].options["units"]))


def _layer(file: hdf5.Group, planned: Planned, features: int | None) -> list[Array]:
    """The folder is found by counting, as Keras does; the attribute with the layer's name is left alone."""
    with within(named(planned.label)):
        cell = "/cell" if planned.kind == "gru" else ""
        group = file.group(f"layers/{planned.folder}{cell}/vars")
        expected = conventions.shapes(planned.kind, {"reset_after": True, **planned.options}, features or 1)
        if sorted(group.names) != [str(k) for k in range(len(expected))]:
            found = printable(", ".join(sorted(group.names)) or "nothing")
            raise UnusableInput(f"the weights file holds {found} for it; its options need {', '.join(expected)}")
        return [
            _dataset(group, str(k), name, shape, free=features is None and name == "kernel")
            for k, (name, shape) in enumerate(expected.items())
        ]


def _dataset(group: hdf5.Group, key: str, name: str, shape: tuple[int, ...], *, free: bool) -> Array:
    """An array whose shape is looked at before it is read; `free` leaves its first axis open."""
    data = group.dataset(key)
    wanted = (*data.shape[:1], *shape[1:]) if free else shape
    if data.shape != wanted:
        raise UnusableInput(f"{name} has shape {data.shape}; its options need {shape}")
    return data.read(name)
