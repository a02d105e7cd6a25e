"""Layers that work on each number for itself: keras/src/layers/activations, core/identity.py, regularization,
preprocessing/rescaling.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from symgru.errors import Unsupported
from symgru.network import Tensor
from symgru.readers.assemble import named
from symgru.readers.decimals import tensor
from symgru.readers.keras_config import number
from symgru.readers.keras_layers.normalizing import over
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value


def identity(entry: Entry, given: Given) -> Outputs:
    """What matters in training alone."""
    entry.builder.notes.append(f"{named(entry.label)} ({entry.kind}) does nothing in inference and is left out")
    return (replace(given.x, mask=given.previous),)


def _activated(entry: Entry, x: Value, activation: object) -> Value:
    return replace(entry.pointwise("activation", {"activation": activation}, x), mask=None)


def activation(entry: Entry, given: Given) -> Outputs:
    options = entry.options
    chosen = options.activation("activation")
    options.finish()
    return (replace(_activated(entry, given.x, chosen), mask=given.previous),)


def softmax(entry: Entry, given: Given) -> Outputs:
    """Softmax over its axes."""
    options, x = entry.options, given.x
    axes = options.axes("axis", -1, x.rank)
    options.finish()
    if given.previous is not None:
        raise Unsupported("is given a mask of time steps, which Keras' Softmax cannot take; Activation('softmax') can")
    return (over(entry, x, axes, lambda v: _activated(entry, v, "softmax")),)


def relu(entry: Entry, given: Given) -> Outputs:
    """ReLU with a slope below 0, a limit and a threshold."""
    options, x = entry.options, given.x
    slope, threshold = options.number("negative_slope", 0.0), options.number("threshold", 0.0)
    highest = options.get("max_value")
    limit = None if highest is None else number(highest, "max_value")
    options.finish()
    if (slope, threshold, limit) == (0, 0, None):
        y = _activated(entry, x, "relu")
    elif (threshold, limit) == (0, None):
        y = entry.pointwise("leaky", {"slope": _single(entry, slope)}, x)
    else:
        y = entry.pointwise("rectified", {"slope": slope, "threshold": threshold, "highest": limit}, x)
    return (replace(y, mask=given.previous),)


def _single(entry: Entry, n: float) -> float:
    """A number that TensorFlow holds as a float32, in a model of float64 too (a leaky slope; a scale)."""
    return float(np.float32(n)) if entry.dtype == "float64" else n


def leaky_relu(entry: Entry, given: Given) -> Outputs:
    options = entry.options
    name = "alpha" if "alpha" in entry.config else "negative_slope"  # Keras 2 says alpha
    slope = options.number(name, 0.3)
    options.finish()
    return (replace(entry.pointwise("leaky", {"slope": _single(entry, slope)}, given.x), mask=given.previous),)


def elu(entry: Entry, given: Given) -> Outputs:
    options = entry.options
    slope = options.number("alpha", 1.0)
    options.finish()
    return (replace(entry.pointwise("exponential_unit", {"slope": slope}, given.x), mask=given.previous),)


def rescaling(entry: Entry, given: Given) -> Outputs:
    """x * scale + offset, of numbers or of one for each feature."""
    options, x = entry.options, given.x
    scale, offset = _plain(options.get("scale")), _plain(options.get("offset", 0.0))
    options.finish()
    if not isinstance(scale, list) and not isinstance(offset, list):
        known = {"scale": _single(entry, number(scale, "scale")), "offset": _single(entry, number(offset, "offset"))}
        return (replace(entry.pointwise("rescaling", known, x), mask=given.previous),)
    features = x.shape[-1] if x.shape else None
    if features is None:
        raise Unsupported("its number of features is not told")

    def weights() -> dict[str, Tensor]:
        given_ = {"g": _row(scale, features, "scale", entry), "b": _row(offset, features, "offset", entry)}
        fixed = {"mu": np.zeros(features, entry.dtype), "v": np.ones(features, entry.dtype)}
        return {**given_, **{name: Tensor(value) for name, value in fixed.items()}}

    layer = entry.cell("batch_normalization", {"eps": 0, "arrays": []}, weights)
    return (replace(entry.builder.call(layer, [x], x.shape), mask=given.previous),)


def _plain(value: object) -> object:
    """Numbers as lists, in whichever form Keras has written them."""
    if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping):
        return value["config"].get("value")
    return value


def _row(value: object, features: int, what: str, entry: Entry) -> Tensor:
    """One number for each feature, from one or as many."""
    listed = value if isinstance(value, list) else [number(value, what)]
    numbers = [_single(entry, number(n, what)) for n in listed]
    found = tensor(np.asarray(numbers, np.float64), "float64", what).value
    if found.shape not in ((1,), (features,)):
        raise Unsupported(f"{what} has {len(found)} numbers; its input has {features} features")
    return Tensor(np.broadcast_to(found, (features,)).astype(entry.dtype))
