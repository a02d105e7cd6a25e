"""Layers without a state around a recurrent module: what each is in the equations' words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symgru.arrangement import options, split
from symgru.conventions import CONVENTIONS
from symgru.errors import UnusableInput
from symgru.network import Edge, Tensor
from symgru.readers import torch_names
from symgru.readers.checks import boolean, printable
from symgru.readers.torch_arrays import Arrays
from symgru.readers.torch_graph import Graph


@dataclass(frozen=True)
class Source:
    """The tensors of a file, and the graph that they are put into."""

    arrays: Arrays
    graph: Graph

    def full(self, name: str, own: str) -> str:
        """The whole name of a module's array."""
        names = self.arrays.within(name)
        if own not in names:
            there = torch_names.modules(self.arrays)
            raise UnusableInput(f"the file has no {own} of it; it has the modules {printable(', '.join(there), 160)}")
        return names[own]

    def tensors(self, name: str, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Tensor]:
        """A module's arrays by their own names."""
        found = {own: self.full(name, own) for own in needed}
        there = self.arrays.within(name)
        found |= {own: there[own] for own in optional if own in there}
        return {own: self.arrays.take(full) for own, full in found.items()}


@dataclass
class Place:
    """One entry of the list: what it says, and what it is given."""

    entry: Mapping[str, object]
    kind: str
    name: str
    x: Edge

    @property
    def label(self) -> str:
        return self.name or self.kind


def _linear(source: Source, place: Place) -> Edge:
    arrays = source.tensors(place.name, ("weight",), ("bias",))
    convention = CONVENTIONS["torch_linear"]
    weights = split(convention, arrays)
    units, features = weights["W"].value.shape
    if source.graph.features(place.x) != features:
        raise UnusableInput(f"takes {features} features; it is given {source.graph.features(place.x)}")
    layer = source.graph.layer("dense", place.label, options(convention, weights), weights, shared=place.name)
    return source.graph.call(layer, (place.x,), (*source.graph.shapes[place.x][:-1], units))


def _embedding(source: Source, place: Place) -> Edge:
    (table,) = source.tensors(place.name, ("weight",)).values()
    if table.value.ndim != 2:
        raise UnusableInput(f"weight has shape {table.value.shape}; it must have two axes")
    if place.x.port != "input" or len(source.graph.shapes[place.x]) != 1:
        raise UnusableInput("takes the model's input; an embedding of what a layer computes is not read")
    return source.graph.map("embed", {}, place.x, table=table)


def _layer_norm(source: Source, place: Place) -> Edge:
    weights = _vectors(source, place, ("weight", "bias"))
    return _normal(source, "layer_normalization", place, {"g": weights["weight"], "b": weights["bias"]})


def _batch_norm(source: Source, place: Place) -> Edge:
    if len(source.graph.shapes[place.x]) > 1 and not boolean(place.entry.get("transposed", False), "transposed"):
        raise UnusableInput(
            "BatchNorm1d takes (batch, features, time): if the model transposes the sequence before and after it, "
            'say "transposed": true'
        )
    w = _vectors(source, place, ("weight", "bias", "running_mean", "running_var"), ("running_mean", "running_var"))
    found = {"g": w["weight"], "mu": w["running_mean"], "v": w["running_var"], "b": w["bias"]}
    if (found["v"].value < 0).any():
        raise UnusableInput("running_var holds a number below 0")
    return _normal(source, "batch_normalization", place, found)


def _vectors(source: Source, place: Place, names: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Tensor]:
    """The vectors of a normalisation; a scale that lacks is 1, an offset 0 (elementwise_affine or bias False)."""
    found = source.tensors(place.name, needed, names)
    width = source.graph.features(place.x)
    for own, tensor in found.items():
        if tensor.value.shape != (width,):
            raise UnusableInput(f"{own} has shape {tensor.value.shape}; its input has {width} features")
    ones = {"weight": np.ones(width, source.arrays.dtype), "bias": np.zeros(width, source.arrays.dtype)}
    return {own: found[own] if own in found else Tensor(ones[own]) for own in names}


def _normal(source: Source, kind: str, place: Place, weights: Mapping[str, Tensor]) -> Edge:
    eps = _number(place.entry.get("eps", 1e-5), "eps")
    return source.graph.pointwise(kind, place.label, {"eps": eps}, weights, place.x)


def _prelu(source: Source, place: Place) -> Edge:
    width = source.graph.features(place.x)
    (slope,) = source.tensors(place.name, ("weight",)).values()
    if slope.value.shape not in ((1,), (width,)) or (len(source.graph.shapes[place.x]) > 1 and slope.value.size > 1):
        raise UnusableInput(f"weight has shape {slope.value.shape}; one slope for all features is read")
    alpha = Tensor(np.broadcast_to(slope.value, (width,)).copy())
    return source.graph.pointwise("parametric", place.label, {}, {"alpha": alpha}, place.x)


def _activation(source: Source, place: Place) -> Edge:
    function = place.entry.get("activation")
    if isinstance(function, tuple):
        function = list(function)
    if not isinstance(function, str | list):
        raise UnusableInput('needs an activation, such as "relu" or ["leaky_relu", 0.01]')
    if place.entry.get("dim", -1) not in (-1, len(source.graph.shapes[place.x])):
        raise UnusableInput(f"acts along axis {printable(place.entry['dim'], 20)}; only the last is read")
    return source.graph.pointwise("activation", place.label, {"activation": function}, {}, place.x)


def _time(source: Source, place: Place) -> Edge:
    """last, mean, max: over the time steps."""
    if len(source.graph.shapes[place.x]) < 2:
        raise UnusableInput("is given one vector, not a sequence")
    return source.graph.map({"mean": "global_mean", "max": "global_max"}.get(place.kind, place.kind), {}, place.x)


def _flatten(source: Source, place: Place) -> Edge:
    return source.graph.map("flatten", {}, place.x)


def _nothing(source: Source, place: Place) -> Edge:
    """Dropout and identities: what they are given."""
    return place.x


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise UnusableInput(f"{what} is {printable(repr(value))}; it must be a number from 0 to below 1")
    return value


BUILDERS: Mapping[str, Callable[[Source, Place], Edge]] = {
    "linear": _linear,
    "embedding": _embedding,
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "prelu": _prelu,
    "activation": _activation,
    "last": _time,
    "mean": _time,
    "max": _time,
    "flatten": _flatten,
    "dropout": _nothing,
    "identity": _nothing,
}
