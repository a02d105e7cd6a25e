"""Operations among the layers, as keras.ops or an operator between tensors puts them there: keras/src/ops/numpy.py.

Most belong to masks: a functional model that Keras 3 has built holds the operations that made its masks. A mask that is
spread over the features is not carried out (`SPREAD`): only what becomes of it, a mask of time steps again, is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symgru.errors import Unsupported
from symgru.readers.keras_config import number
from symgru.readers.keras_layers.merging import either, elementwise
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value

SPREAD = "spread"  # the dtype of a mask, its `mask`, that has been given an axis of features
NOTHING = "nothing"  # of truth values that are false throughout


def not_equal(entry: Entry, given: Given) -> Outputs:
    """A comparison with a number."""
    entry.options.finish()
    if len(given.inputs) != 1 or len(given.rest) != 1:
        raise Unsupported("compares two tensors; symgru reads a comparison with a number")
    value = number(given.rest[0], "the number that it compares with")
    x = given.x
    if value == 0 and len(x.shape) == 1:
        return (entry.map("not_zero", {}, x),)
    return (entry.map("differs", {"value": value}, x),)


def any_of(entry: Entry, given: Given) -> Outputs:
    """Whether anything holds along the features."""
    options, x = entry.options, given.x
    axes = options.axes("axis", None, x.rank) if options.get("axis") is not None else ()
    kept = options.boolean("keepdims")
    options.finish()
    if kept or axes != (len(x.shape),):
        raise Unsupported("is read over the last axis only")
    if x.dtype == SPREAD and x.mask:
        return (x.mask,)
    if x.dtype != "bool":
        raise Unsupported("is read of truth values only")
    call = entry.builder.calls.get(x.edge.source)
    made = entry.builder.layers[call.layer] if call else None
    if call and made and made.kind == "differs":
        return (entry.map("not_equal", made.options, entry.builder.shown[call.args[0]]),)
    return (entry.map("any", {}, x),)


def expand_dims(entry: Entry, given: Given) -> Outputs:
    """A mask with an axis for the features."""
    options, x = entry.options, given.x
    axis = options.get("axis")
    options.finish()
    if x.dtype != "bool" or axis not in (-1, x.rank):
        raise Unsupported("is read of masks only, which get a last axis")
    return (Value(x.edge, (*x.shape, 1), SPREAD, x),)


def zeros_like(entry: Entry, given: Given) -> Outputs:
    """Truth values that are false throughout, of the shape of a tensor."""
    _truth(entry)
    return (replace(given.x, dtype=NOTHING, mask=None),)


def ones_like(entry: Entry, given: Given) -> Outputs:
    """Truth values that are true throughout."""
    _truth(entry)
    return (replace(given.x, dtype=SPREAD, mask=entry.map("unmasked", {}, given.x)),)


def _truth(entry: Entry) -> None:
    options = entry.options
    if options.get("dtype") != "bool":
        raise Unsupported("is read of truth values only")
    options.finish()


def logical(kind: str) -> Callable[[Entry, Given], Outputs]:
    """Both of two masks, or either."""

    def call(entry: Entry, given: Given) -> Outputs:
        entry.options.finish()
        values = given.inputs
        kinds = [value.dtype for value in values]
        if kind == "either" and sorted(kinds) == [NOTHING, SPREAD]:
            spread, shape = (values if kinds[0] == SPREAD else values[::-1])[0], values[kinds.index(NOTHING)].shape
            return (replace(spread, shape=shape),)
        if kinds != ["bool", "bool"]:
            raise Unsupported("is read of two masks only")
        return (either(entry, list(values)) or values[0],) if kind == "either" else (entry.map(kind, {}, *values),)

    return call


def concatenate(entry: Entry, given: Given) -> Outputs:
    """Masks that were spread over features, joined as those are."""
    options, values = entry.options, given.inputs
    (axis,) = options.axes("axis", -1, values[0].rank)
    options.finish()
    masks = [value.mask for value in values if value.dtype == SPREAD and value.mask and value.rank == 3]
    if len(masks) < len(values):
        raise Unsupported("is read of masks only; the layer Concatenate joins tensors")
    if axis == 1:
        mask = entry.map("concatenate", {"axis": 1}, *masks) if len(masks) > 1 else masks[0]
    else:
        mask = either(entry, list(masks)) or masks[0]
    return (replace(values[0], shape=(*mask.shape, values[0].shape[-1]), mask=mask),)


def arithmetic(kind: str) -> Callable[[Entry, Given], Outputs]:
    """An operator between two tensors of as many axes."""

    def call(entry: Entry, given: Given) -> Outputs:
        entry.options.finish()
        if len(given.inputs) != 2 or given.rest or any(v.dtype in ("bool", SPREAD, NOTHING) for v in given.inputs):
            raise Unsupported("is read between two tensors only; a Rescaling layer multiplies by a number")
        return (replace(elementwise(entry, kind, list(given.inputs)), mask=None),)

    return call
