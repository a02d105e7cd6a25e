"""Masking, pooling and what moves numbers about: keras/src/layers/core/masking.py, pooling, reshaping."""

from __future__ import annotations

from dataclasses import replace

from symgru.errors import Unsupported, UnusableInput
from symgru.readers.checks import printable, whole
from symgru.readers.keras_layers.dense import sequence
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value

LAST, FIRST = "channels_last", "channels_first"


def masking(entry: Entry, given: Given) -> Outputs:
    """Time steps whose features all equal mask_value are masked, and 0 from here on."""
    options = entry.options
    value = options.number("mask_value", 0.0)
    options.finish()
    mask = entry.map("not_equal", {"value": value}, given.x)
    y = entry.map("blank", {}, given.x, mask)
    return (replace(y, dtype=given.x.dtype, mask=mask),)


def _turned(entry: Entry, x: Value) -> Value:
    return replace(entry.map("permute", {"axes": [2, 1]}, x), dtype=x.dtype)


def _pool(kind: str) -> object:
    def call(entry: Entry, given: Given) -> Outputs:
        options = entry.options
        size = options.one("pool_size", 2)
        stride = size if options.get("strides") is None else options.one("strides", size)
        padding = options.choice("padding", ("valid", "same"), "valid")
        turned = options.choice("data_format", (LAST, FIRST), LAST) == FIRST
        options.finish()
        x = sequence(given)
        x = _turned(entry, x) if turned else x
        y = replace(entry.map(kind, {"size": size, "stride": stride, "padding": padding}, x), dtype=x.dtype)
        return (_turned(entry, y) if turned else y,)

    return call


max_pooling, average_pooling = _pool("max_pool"), _pool("mean_pool")


def global_max(entry: Entry, given: Given) -> Outputs:
    return (_global(entry, given, "global_max", ()),)


def global_average(entry: Entry, given: Given) -> Outputs:
    """The mean over time, of the steps that count where there is a mask."""
    return (_global(entry, given, "global_mean", (given.previous,) if given.previous else ()),)


def _global(entry: Entry, given: Given, kind: str, masks: tuple[Value, ...]) -> Value:
    options = entry.options
    first = options.choice("data_format", (LAST, FIRST), LAST) == FIRST
    kept = options.boolean("keepdims")
    options.finish()
    x = sequence(given)
    if first and masks:
        raise Unsupported("is given a mask of time steps, but its time axis is the last")
    y = replace(entry.map(kind, {"axis": 2} if first else {}, x, *masks), dtype=x.dtype)
    if not kept:
        return y
    shape = [y.shape[0], 1] if first else [1, y.shape[0]]
    return replace(entry.map("reshape", {"shape": [-1 if n is None else n for n in shape]}, y), dtype=x.dtype)


def flatten(entry: Entry, given: Given) -> Outputs:
    options, x = entry.options, given.x
    first = options.choice("data_format", (LAST, FIRST), LAST) == FIRST
    options.finish()
    if first and len(x.shape) > 1:
        x = replace(entry.map("permute", {"axes": [*range(2, x.rank), 1]}, x), dtype=x.dtype)
    if not x.shape:
        return (replace(entry.map("reshape", {"shape": [1]}, x), dtype=x.dtype),)
    return (replace(entry.map("flatten", {}, x), dtype=x.dtype),)


def reshape(entry: Entry, given: Given) -> Outputs:
    options, x = entry.options, given.x
    target = options.get("target_shape")
    options.finish()
    if not isinstance(target, list | tuple) or sum(n == -1 for n in target) > 1:
        raise UnusableInput(f"target_shape is {printable(repr(target), 30)}; it must be a list with at most one -1")
    shape = [n if n == -1 else whole(n, "target_shape", 2**24) for n in target]
    return (replace(entry.map("reshape", {"shape": shape}, x), dtype=x.dtype),)


def permute(entry: Entry, given: Given) -> Outputs:
    options, x = entry.options, given.x
    dims = options.get("dims")
    options.finish()
    if not isinstance(dims, list | tuple) or sorted(map(str, dims)) != [str(k) for k in range(1, x.rank)]:
        raise UnusableInput(f"dims is {printable(repr(dims), 30)}; it must name the axes 1 to {x.rank - 1} once each")
    return (replace(entry.map("permute", {"axes": list(dims)}, x), dtype=x.dtype),)


def repeat_vector(entry: Entry, given: Given) -> Outputs:
    options, x = entry.options, given.x
    n = options.whole("n")
    options.finish()
    if len(x.shape) != 1:
        raise Unsupported(f"takes a vector for each sample; it is given {x.rank} axes")
    return (replace(entry.map("repeat", {"n": n}, x), dtype=x.dtype),)


def up_sampling(entry: Entry, given: Given) -> Outputs:
    options, x = entry.options, sequence(given)
    n = options.one("size", 2)
    options.finish()
    return (replace(entry.map("upsample", {"n": n}, x), dtype=x.dtype),)


def zero_padding(entry: Entry, given: Given) -> Outputs:
    options, x = entry.options, sequence(given)
    before, after = options.two("padding", 1)
    turned = options.choice("data_format", (LAST, FIRST), LAST) == FIRST
    options.finish()
    x = _turned(entry, x) if turned else x
    y = replace(entry.map("pad", {"before": before, "after": after}, x), dtype=x.dtype)
    return (_turned(entry, y) if turned else y,)


def cropping(entry: Entry, given: Given) -> Outputs:
    options, x = entry.options, sequence(given)
    before, after = options.two("cropping", 1)
    options.finish()
    if x.shape[0] is not None and before + after >= x.shape[0]:
        raise UnusableInput(f"cuts off {before + after} time steps of {x.shape[0]}")
    return (replace(entry.map("crop", {"before": before, "after": after}, x), dtype=x.dtype),)
