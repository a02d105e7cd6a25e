"""Layers with a matrix or a table: keras/src/layers/core/dense.py, embedding.py and convolutional/conv1d.py."""

from __future__ import annotations

from dataclasses import replace

from symgru.errors import Unsupported
from symgru.network import Tensor
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value
from symgru.readers.keras_weights import Wanted

LIMIT = 2**24


def dense(entry: Entry, given: Given) -> Outputs:
    """Dense, along the last axis."""
    options = entry.options
    known: dict[str, object] = {"units": options.whole("units"), "use_bias": options.boolean("use_bias", True)}
    known["activation"] = options.activation("activation")
    options.finish()
    x = given.x
    if not x.shape:
        raise Unsupported("is given one number for each sample; it takes features")
    units, features = int(str(known["units"])), x.shape[-1]

    def weights() -> dict[str, Tensor]:
        found = entry.tensors(_with_bias({"kernel": (features, units)}, units, known["use_bias"]))
        return {"W": found["kernel"].T, **({"b": found["bias"]} if "bias" in found else {})}

    layer = entry.cell("dense", known, weights)
    if features is None:
        x = entry.builder.learn(x, entry.builder.layers[layer].weights["W"].value.shape[1])
    return (replace(entry.builder.call(layer, [x], (*x.shape[:-1], units)), mask=given.previous),)


def _with_bias(shapes: dict[str, Wanted], units: int, biased: object) -> dict[str, Wanted]:
    return {**shapes, "bias": (units,)} if biased else shapes


def embedding(entry: Entry, given: Given) -> Outputs:
    """A row of a table for each index; with mask_zero index 0 is masked."""
    options = entry.options
    rows, width = options.whole("input_dim", high=LIMIT), options.whole("output_dim")
    masks = options.boolean("mask_zero")
    options.get("input_length")  # of Keras 2: the number of steps, which the input's shape says
    options.finish()
    x = given.x
    if "E" not in entry.made:
        table = entry.tensors({"embeddings": (rows, width)})["embeddings"]
        entry.made["E"] = entry.builder.layer(entry.label, "embed", {}, {"E": table}, entry.order)
    y = replace(entry.builder.call(entry.made["E"], [x], (*x.shape, width)), dtype=entry.dtype)
    return (replace(y, mask=entry.map("not_zero", {}, x) if masks else None),)


def conv1d(entry: Entry, given: Given) -> Outputs:
    """Conv1D as windows of time steps and a Dense layer on each; its kernel is (size, features, filters)."""
    options = entry.options
    filters, size = options.whole("filters"), options.one("kernel_size", None)
    known: dict[str, object] = {"units": filters, "use_bias": options.boolean("use_bias", True)}
    known["activation"] = options.activation("activation")
    window = {
        "size": size,
        "stride": options.one("strides", 1),
        "dilation": options.one("dilation_rate", 1),
        "padding": options.choice("padding", ("valid", "same", "causal"), "valid"),
    }
    if options.whole("groups", 1) != 1:
        raise Unsupported("groups is above 1; symgru reads Conv1D with one group")
    options.choice("data_format", ("channels_last",), "channels_last")
    options.finish()
    x = sequence(given)
    features = x.shape[-1]
    if features is None:
        raise Unsupported("its number of features is not told; call the model on data or give it an Input")

    def weights() -> dict[str, Tensor]:
        found = entry.tensors(_with_bias({"kernel": (size, features, filters)}, filters, known["use_bias"]))
        kernel = found["kernel"]
        flat = Tensor(kernel.value.reshape(-1, filters), kernel.text.reshape(-1, filters)).T
        return {"W": flat, **({"b": found["bias"]} if "bias" in found else {})}

    stretches = entry.map("window", window, x)
    layer = entry.cell("dense", {**known, "kernel_shape": [size, features, filters]}, weights)
    return (entry.builder.call(layer, [stretches], (*stretches.shape[:-1], filters)),)


def sequence(given: Given) -> Value:
    """The one tensor given, which must be (batch, time, features)."""
    if len(given.x.shape) != 2:
        raise Unsupported(f"takes a sequence (batch, time, features); it is given {given.x.rank} axes")
    return given.x
