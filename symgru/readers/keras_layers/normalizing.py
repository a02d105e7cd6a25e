"""Normalisations, and PReLU, whose slopes lie along axes as theirs do: keras/src/layers/normalization,
preprocessing/normalization.py and activations/prelu.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Shape, Tensor
from symgru.readers.decimals import tensor
from symgru.readers.keras_config import Axes
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value
from symgru.readers.keras_weights import Wanted

KERAS_EPSILON = 1e-7  # keras.config.epsilon()
SMALLEST = 1e-24  # UnitNormalization keeps the length above 1e-12, its square above this


def over(entry: Entry, x: Value, axes: Axes, apply: Callable[[Value], Value]) -> Value:
    """What `apply`, which works along the last axis, makes of several axes together, wherever they are."""
    n = len(x.shape)
    if axes == (n,):
        return apply(x)
    others = tuple(a for a in range(1, n + 1) if a not in axes)
    order = (*others, *axes)
    moved = _moved(entry, x, order)
    shape = moved.shape
    y = moved
    if len(axes) > 1:
        rest = shape[: len(others)]
        y = _reshaped(entry, y, (*rest, prod(known(shape[len(others) :]))))
    y = apply(y)
    if len(axes) > 1:
        y = _reshaped(entry, y, shape)
    return replace(_moved(entry, y, tuple(order.index(a) + 1 for a in range(1, n + 1))), dtype=x.dtype)


def known(shape: Shape) -> tuple[int, ...]:
    if None in shape:
        raise Unsupported("works along an axis of no fixed length")
    return tuple(n for n in shape if n is not None)


def _moved(entry: Entry, x: Value, order: tuple[int, ...]) -> Value:
    same = order == tuple(range(1, len(order) + 1))
    return x if same else replace(entry.map("permute", {"axes": list(order)}, x), dtype=x.dtype)


def _reshaped(entry: Entry, x: Value, shape: Shape) -> Value:
    if sum(n is None for n in shape) > 1:
        raise Unsupported("has several axes of no fixed length")
    target = [-1 if n is None else n for n in shape]
    return replace(entry.map("reshape", {"shape": target}, x), shape=shape, dtype=x.dtype)


def _lengths(x: Value, axes: Axes) -> tuple[int, ...]:
    return known(tuple(x.shape[a - 1] for a in axes))


def _call(entry: Entry, x: Value, axes: Axes, layer: str) -> Value:
    return over(entry, x, axes, lambda v: entry.builder.call(layer, [v], v.shape))


def batch_normalization(entry: Entry, given: Given) -> Outputs:
    """In inference: with the moving mean and variance."""
    options, x = entry.options, given.x
    axes = options.axes("axis", -1, x.rank)
    center, scale, renorm = options.boolean("center", True), options.boolean("scale", True), options.boolean("renorm")
    eps = options.number("epsilon", 1e-3)
    for name in ("renorm_clipping", "renorm_momentum"):
        options.get(name)
    options.finish(("virtual_batch_size", "fused"))
    (features,) = _lengths(x, axes)
    row = (features,)
    shapes: dict[str, Wanted] = {"gamma": row} if scale else {}
    shapes |= {"beta": row} if center else {}
    shapes |= {"moving_mean": row, "moving_variance": row}
    shapes |= dict.fromkeys(("moving_stddev", "renorm_mean", "renorm_stddev")) if renorm else {}

    def weights() -> dict[str, Tensor]:
        found = entry.tensors(shapes)
        return {
            "g": found.get("gamma") or Tensor(np.ones(features, entry.dtype)),
            "b": found.get("beta") or Tensor(np.zeros(features, entry.dtype)),
            "mu": found["moving_mean"],
            "v": found["moving_variance"],
        }

    layer = entry.cell("batch_normalization", {"eps": eps, **_arrays(shapes, 4)}, weights)
    return (replace(_call(entry, x, axes, layer), mask=given.previous),)


def _arrays(shapes: Mapping[str, Wanted], usual: int) -> dict[str, object]:
    """The names of a layer's arrays, where they are not all that its cell has."""
    return {} if len(shapes) == usual and None not in shapes.values() else {"arrays": list(shapes)}


def layer_normalization(entry: Entry, given: Given) -> Outputs:
    """Over its axes; `rms_scaling` divides by the deviation and leaves the mean in."""
    options, x = entry.options, given.x
    axes = options.axes("axis", -1, x.rank)
    center, scale = options.boolean("center", True), options.boolean("scale", True)
    rms, eps = options.boolean("rms_scaling"), options.number("epsilon", 1e-3)
    options.finish()
    lengths = _lengths(x, axes)
    shapes: dict[str, Wanted] = {"gamma": lengths} if scale or rms else {}
    shapes |= {"beta": lengths} if center and not rms else {}

    def weights() -> dict[str, Tensor]:
        found = {name: _flat(t) for name, t in entry.tensors(shapes).items()}
        ones = Tensor(np.ones(prod(lengths), entry.dtype))
        zeros = Tensor(np.zeros(prod(lengths), entry.dtype))
        return {"g": found.get("gamma", ones), **({} if rms else {"b": found.get("beta", zeros)})}

    kind = "rms_scaling" if rms else "layer_normalization"
    layer = entry.cell(kind, {"eps": eps, **_arrays(shapes, 1 if rms else 2), **_axes(shapes)}, weights)
    return (replace(_call(entry, x, axes, layer), mask=given.previous),)


def _flat(t: Tensor) -> Tensor:
    return t if t.value.ndim == 1 else Tensor(t.value.reshape(-1))


def _axes(shapes: Mapping[str, Wanted]) -> dict[str, object]:
    """The shapes of arrays in get_weights() that have several axes; symgru has them as one."""
    several = {name: list(shape) for name, shape in shapes.items() if shape is not None and len(shape) != 1}
    return {"array_shapes": several} if several else {}


def rms_normalization(entry: Entry, given: Given) -> Outputs:
    """keras/src/layers/normalization/rms_normalization.py; it does not support masks."""
    options, x = entry.options, given.x
    axes = options.axes("axis", -1, x.rank)
    eps = options.number("epsilon", 1e-6)
    options.finish()
    shapes: dict[str, Wanted] = {"scale": _lengths(x, axes)}
    layer = entry.cell(
        "rms_normalization", {"eps": eps, **_axes(shapes)}, lambda: {"g": _flat(entry.tensors(shapes)["scale"])}
    )
    return (_call(entry, x, axes, layer),)


def unit_normalization(entry: Entry, given: Given) -> Outputs:
    """Divided by the length along its axes."""
    options, x = entry.options, given.x
    axes = options.axes("axis", -1, x.rank)
    options.finish()
    layer = entry.cell("unit_normalization", {"eps": SMALLEST}, dict)
    return (replace(_call(entry, x, axes, layer), mask=given.previous),)


def normalization(entry: Entry, given: Given) -> Outputs:
    """With a mean and variance that were adapted (weights) or given (constants), along its axes."""
    options, x = entry.options, given.x
    axes = () if options.get("axis", -1) in (None, [], ()) else options.axes("axis", -1, x.rank)
    kind = "denormalization" if options.boolean("invert") else "normalization"
    mean, variance = options.get("mean"), options.get("variance")
    options.finish()
    lengths = _lengths(x, axes)
    along: Axes = axes or (len(x.shape),)
    count = prod(_lengths(x, along))
    shapes: dict[str, Wanted] = {"mean": lengths, "variance": lengths, "count": None}

    def weights() -> dict[str, Tensor]:
        if mean is None:
            read = entry.tensors(shapes)
        else:
            read = {
                name: _given(value, lengths, name, entry) for name, value in (("mean", mean), ("variance", variance))
            }
        spread = {name: Tensor(np.broadcast_to(t.value, lengths or (count,)).reshape(-1)) for name, t in read.items()}
        return {"mu": spread["mean"], "v": spread["variance"]}

    arrays: list[str] = [] if mean is not None else list(shapes) if axes else ["one mean", "one variance", "count"]
    known_ = {"eps": KERAS_EPSILON, "arrays": arrays, **(_axes(shapes) if axes and mean is None else {})}
    layer = entry.cell(kind, known_, weights)
    return (replace(_call(entry, x, along, layer), mask=given.previous),)


def _given(value: object, lengths: tuple[int, ...], name: str, entry: Entry) -> Tensor:
    """A mean or variance of the configuration, spread over the axes that are kept."""
    try:
        found = np.asarray(value, np.float64)
        spread = np.broadcast_to(found, lengths) if found.size > 1 else np.full(lengths, found.reshape(-1)[0])
    except (ValueError, TypeError, IndexError):
        raise UnusableInput(f"{name} does not fit its axes, which have {lengths}") from None
    return tensor(np.ascontiguousarray(spread.astype(entry.dtype)), entry.dtype, name)


def prelu(entry: Entry, given: Given) -> Outputs:
    """A slope below 0 for each place; along `shared_axes` it is the same."""
    options, x = entry.options, given.x
    shared = options.get("shared_axes")
    common: Axes = () if shared in (None, []) else options.axes("shared_axes", None, x.rank)
    options.finish()
    axes: Axes = tuple(a for a in range(1, x.rank) if a not in common)
    lengths = _lengths(x, axes)
    full = tuple(1 if a in common else n for a, n in enumerate(x.shape, 1))
    along: Axes = axes or (len(x.shape),)
    count = prod(_lengths(x, along))
    shapes: dict[str, Wanted] = {"alpha": full}

    def weights() -> dict[str, Tensor]:
        flat = entry.tensors(shapes)["alpha"].value.reshape(-1)
        return {"alpha": Tensor(np.broadcast_to(flat, (count,)) if not lengths else flat)}

    known_ = {**_axes(shapes), **({} if axes else {"arrays": ["one slope"]})}
    layer = entry.cell("parametric", known_, weights)
    return (replace(_call(entry, x, along, layer), mask=given.previous),)
