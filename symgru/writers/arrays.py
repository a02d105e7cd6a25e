"""The arrays of a network's layers under a framework's names, and how each came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from symgru.arrangement import Convention
from symgru.conventions import CONVENTIONS
from symgru.conversion import Converted, convert
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Array, Layer, Network
from symgru.writers.directions import bidirectional, uses


@dataclass(frozen=True)
class Named:
    """One layer's arrays by their names in the file; `mapping` has an equation for each, `converted` how a recurrent
    layer's came about."""

    layer: Layer
    arrays: Mapping[str, Array]
    mapping: tuple[str, ...]
    converted: Converted | None = None


@dataclass(frozen=True)
class Style:
    """What a framework calls things: the conventions of its recurrent and dense layers, and what stands between a
    layer's name and an array's."""

    title: str
    recurrent: tuple[str, ...]  # conventions to try, by the cell
    dense: str
    between: str
    table: str  # an embedding's array; "" where there is no such layer
    batch: Mapping[str, str]  # parameters of a batch normalisation
    layer: Mapping[str, str]  # of a layer normalisation


TORCH = Style(
    "PyTorch", ("torch", "torch_rnn"), "torch_linear", ".", "weight",
    {"g": "weight", "b": "bias", "mu": "running_mean", "v": "running_var"}, {"g": "weight", "b": "bias"},
)  # fmt: skip
STYLES: dict[str, Style] = {
    "torch": TORCH,
    "flax": Style("Flax linen", ("flax", "flax_mgu", "flax_mgu_plain", "flax_simple"), "flax_dense", "/", "embedding",
                  {"g": "scale", "b": "bias", "mu": "mean", "v": "var"}, {"g": "scale", "b": "bias"}),
    "flax_nnx": Style("Flax nnx", ("flax_nnx",), "flax_dense", "/", "embedding",
                      {"g": "scale", "b": "bias", "mu": "mean", "v": "var"}, {"g": "scale", "b": "bias"}),
    "haiku": Style("Haiku", ("haiku",), "haiku_linear", "/", "embeddings", {}, {"g": "scale", "b": "offset"}),
    "equinox": Style("Equinox", ("equinox",), "torch_linear", ".", "weight", {}, {"g": "weight", "b": "bias"}),
    "mlx": Style("MLX", ("mlx",), "torch_linear", ".", "weight", {}, {"g": "weight", "b": "bias"}),
    "paddle": Style("Paddle", ("paddle",), "paddle_linear", ".", "weight",
                    {"g": "weight", "b": "bias", "mu": "_mean", "v": "_variance"}, {"g": "weight", "b": "bias"}),
    "tf1": Style("TensorFlow 1", ("tf1",), "keras_dense", "/", "", {}, {}),
}  # fmt: skip


def convention_for(layer: Layer, names: tuple[str, ...]) -> Convention:
    """The first of a framework's conventions whose cell the layer can become; refused with the reason of the first."""
    first: Unsupported | None = None
    for name in names:
        try:
            convert(layer, CONVENTIONS[name])
        except Unsupported as error:
            first = first or error
        else:
            return CONVENTIONS[name]
    assert first is not None
    raise first


def named(network: Network, style: Style) -> Iterator[Named]:
    """Each layer's arrays, in the network's dtype."""
    names = torch_names(network) if style is TORCH else {}
    for layer in network.layers.values():
        if layer.weights:
            head, suffix = names.get(layer.id, (layer.id, ""))
            yield _named(layer, style, network.dtype, head + style.between, suffix)


def torch_names(network: Network) -> dict[str, tuple[str, str]]:
    """A recurrent layer's module and the end of its arrays' names: a Bidirectional is one nn.GRU."""
    found = {use.layer.id: (use.layer.id, "_l0") for use in uses(network).values()}
    for first, second in bidirectional(network).values():
        forward, backward = (uses(network)[name].layer for name in (first, second))
        if _size(forward) == _size(backward):
            found[backward.id] = (forward.id, "_l0_reverse")
    return found


def _size(layer: Layer) -> tuple[tuple[int, ...], tuple[str, ...]]:
    weights = {name: t.value.shape for name, t in layer.weights.items()}
    return next(shape for name, shape in weights.items() if name.startswith("W")), tuple(sorted(weights))


def _named(layer: Layer, style: Style, dtype: str, head: str, suffix: str) -> Named:
    if any(name.startswith("U") for name in layer.weights):
        made = convert(layer, convention_for(layer, style.recurrent))
        arrays = {f"{head}{name}{suffix}": a for name, a in made.arrays.items()}
        return Named(layer, _typed(arrays, dtype), _equations(arrays, made), made)
    if layer.kind == "dense":
        if layer.options.get("kernel_shape"):
            return _convolution(layer, head, dtype, style)
        made = convert(layer, CONVENTIONS[style.dense])
        arrays = {f"{head}{name}": a for name, a in made.arrays.items()}
        return Named(layer, _typed(arrays, dtype), _equations(arrays, made), made)
    names = {"embed": {"E": style.table}, "batch_normalization": style.batch, "layer_normalization": style.layer}
    known = names.get(layer.kind, {})
    if not known or not all(known.get(name) for name in layer.weights):
        says = MAPS[layer.kind].says if layer.kind in MAPS else layer.kind.replace("_", " ")
        raise Unsupported(f"layer {layer.id}: {says} has no arrays in {style.title}'s convention here")
    arrays = {head + known[name]: t.value for name, t in layer.weights.items()}
    return Named(layer, _typed(arrays, dtype), tuple(f"{head}{known[name]} = {name}" for name in layer.weights))


def _convolution(layer: Layer, head: str, dtype: str, style: Style) -> Named:
    """A Conv1D's kernel (size, features, filters) as PyTorch has it: (filters, features, size)."""
    if style is not TORCH:
        raise Unsupported(f"layer {layer.id}: a convolution is not written for {style.title}")
    kernel_shape = layer.options["kernel_shape"]
    kernel = layer.weights["W"].value.T.reshape(kernel_shape).transpose(2, 1, 0)  # type: ignore[call-overload]
    arrays = {f"{head}weight": kernel}
    equations = [f"{head}weight = W as (filters, features, size)"]
    if "b" in layer.weights:
        arrays[f"{head}bias"] = layer.weights["b"].value
        equations.append(f"{head}bias = b")
    return Named(layer, _typed(arrays, dtype), tuple(equations))


def _typed(arrays: Mapping[str, Array], dtype: str) -> dict[str, Array]:
    return {name: np.ascontiguousarray(a, dtype=dtype) for name, a in arrays.items()}


def _equations(arrays: Mapping[str, Array], made: Converted) -> tuple[str, ...]:
    sides = (equation.partition(" = ")[2] for equation in made.equations)
    return tuple(f"{name} = {side}" for name, side in zip(arrays, sides, strict=True))
