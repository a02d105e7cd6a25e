"""Several tensors made one: keras/src/layers/merging."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

from symgru.errors import Unsupported
from symgru.network import Shape
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value


def _merge(kind: str) -> Callable[[Entry, Given], Outputs]:
    def call(entry: Entry, given: Given) -> Outputs:
        entry.options.finish()
        values = given.inputs
        if kind == "subtract" and len(values) != 2:
            raise Unsupported(f"is called on {len(values)} tensors; it takes two")
        masks = [value.mask for value in values]
        rank = max(len(value.shape) for value in values)
        wide = [_widened(entry, value, rank) for value in values]
        if kind == "multiply" and entry.builder.version > 2 and any(value.mask for value in wide):
            return (_masked_product(entry, wide),)
        y = elementwise(entry, kind, wide)
        return (replace(y, mask=either(entry, masks)),)

    return call


add, subtract, multiply, average = (_merge(kind) for kind in ("add", "subtract", "multiply", "average"))


def _masked_product(entry: Entry, values: list[Value]) -> Value:
    """keras/src/layers/merging/multiply.py: masked steps count as 1; where every tensor is masked, the product is 0 at
    the steps that are masked in all."""
    wholes = [entry.map("blank", {"value": 1}, v, v.mask) if v.mask else v for v in values]
    y = elementwise(entry, "multiply", [replace(w, dtype=values[0].dtype, mask=None) for w in wholes])
    entry.builder.note(entry.made[str(len(values))], PRODUCT)
    mask = either(entry, [value.mask for value in values])
    return replace(entry.map("blank", {}, y, mask), dtype=y.dtype, mask=mask) if mask else y


PRODUCT = "Keras 3 multiplies by 1, not by the numbers, at the masked steps of an input"


def _widened(entry: Entry, x: Value, rank: int) -> Value:
    """With axes of length 1 behind the batch, until it has as many axes as the others."""
    if len(x.shape) == rank:
        return x
    shape = [1] * (rank - len(x.shape)) + [-1 if n is None else n for n in x.shape]
    return replace(entry.map("reshape", {"shape": shape}, x), dtype=x.dtype)


def elementwise(entry: Entry, kind: str, values: list[Value]) -> Value:
    shape = reduce(_joined, (value.shape for value in values))
    if len(values) == 1:
        return values[0]
    layer = entry.cell(kind, {"inputs": len(values)}, dict, part=str(len(values)))
    return entry.builder.call(layer, values, shape)


def _joined(one: Shape, other: Shape) -> Shape:
    """The shape of two that are put together element by element."""
    if len(one) != len(other):
        raise Unsupported(f"is given {len(one) + 1} and {len(other) + 1} axes")
    return tuple(_length(a, b) for a, b in zip(one, other, strict=True))


def _length(a: int | None, b: int | None) -> int | None:
    if b in (a, 1):
        return a
    if a == 1:
        return b
    if a is None or b is None:
        return a or b
    raise Unsupported(f"is given {a} and {b} along one axis")


def either(entry: Entry, masks: list[Value | None]) -> Value | None:
    """Where any mask holds; none where one tensor has none. In Keras 2 where all hold that there are
    (tf_keras/src/layers/merging/base_merge.py)."""
    found = [mask for mask in masks if mask is not None]
    if entry.builder.version == 2 and found:
        return reduce(lambda a, b: a if a == b else entry.map("both", {}, a, b), found)
    if len(found) < len(masks):
        return None
    return reduce(lambda a, b: a if a == b else entry.map("either", {}, a, b), found)


def concatenate(entry: Entry, given: Given) -> Outputs:
    """Along an axis; where one tensor has a mask, one without counts as unmasked."""
    options, values = entry.options, given.inputs
    rank = values[0].rank
    (axis,) = options.axes("axis", -1, rank)
    options.finish()
    if any(value.rank != rank for value in values):
        raise Unsupported("is given tensors with unlike numbers of axes")
    for k in range(rank - 1):
        lengths = {n for n in (value.shape[k] for value in values) if n is not None}
        if k != axis - 1 and len(lengths) > 1:
            raise Unsupported(f"is given {', '.join(map(str, sorted(lengths)))} along axis {k + 1}")
    y = values[0] if len(values) == 1 else entry.map("concatenate", {"axis": axis}, *values)
    return (replace(y, dtype=values[0].dtype, mask=_joined_masks(entry, values, axis)),)


def _joined_masks(entry: Entry, values: tuple[Value, ...], axis: int) -> Value | None:
    if all(value.mask is None for value in values):
        return None
    if values[0].rank != 3:
        raise Unsupported("joins masked tensors that are no sequences")
    masks = [value.mask or entry.map("unmasked", {}, value) for value in values]
    if axis == 1:
        return masks[0] if len(masks) == 1 else entry.map("concatenate", {"axis": 1}, *masks)
    return either(entry, list(masks))
