"""Operators that move values and compute nothing: axes exchanged, added, dropped, regrouped, cut, joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array
from symgru.readers.checks import printable
from symgru.readers.onnx_constants import (
    axes_of,
    cast_type,
    filling,
    lengths,
    sizes_of,
    slices,
    tidy,
    whole_list,
)
from symgru.readers.onnx_inputs import Item, Items, constant, constants, optional, seen
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_reshape import reshape
from symgru.readers.onnx_spread import spread
from symgru.readers.onnx_values import Axis, Builder, Length, Seen, Spread, Unknown, place_of


def _transpose(builder: Builder, node: Node, given: Items) -> Seen:
    x = seen(given)
    perm = node.integers("perm") or list(range(len(x.axes)))[::-1]
    if sorted(perm) != list(range(len(x.axes))):
        raise UnusableInput(f"has the order of axes {printable(perm)} for {len(x.axes)} axes")
    return x.with_axes(x.axes[k] for k in perm)


def _squeeze(builder: Builder, node: Node, given: Items) -> Seen:
    x, axes, sizes = seen(given), axes_of(node, constants(given)), builder.lengths(seen(given))
    gone = {k for k, n in enumerate(sizes) if n == 1} if axes is None else {place_of(a, len(sizes)) for a in axes}
    for k in sorted(gone, reverse=True):
        if sizes[k] != 1:
            raise UnusableInput(f"squeezes axis {k}, which is not of length 1")
        x = _dropped(builder, x, k)
    return x


def _dropped(builder: Builder, x: Seen, place: int) -> Seen:
    """The value without an axis of length 1."""
    if place == x.batch:  # a batch of 1: the file's value has no batch any more, the network's keeps it
        return x.with_axes([*x.axes[:place], *x.axes[place + 1 :]])
    return builder.take(x, place, 0, keep=False)


def _unsqueeze(builder: Builder, node: Node, given: Items) -> Seen:
    x, axes = seen(given), axes_of(node, constants(given)) or []
    rank = len(x.axes) + len(axes)
    places, left = {place_of(a, rank) for a in axes}, iter(x.axes)
    if len(places) != len(axes) or rank > 8:
        raise UnusableInput(f"adds the axes {printable(axes)}")
    return x.with_axes([() if k in places else next(left) for k in range(rank)])


def _reshape(builder: Builder, node: Node, given: Items) -> Seen:
    x = seen(given)
    target = node.integers("shape") if node.version < 5 else None
    wanted: list[Length] = list(target) if target else lengths(constant(given, 1, "the shape"))
    sizes = builder.lengths(x)
    if len(wanted) > 8 or any(isinstance(n, int) and n < -1 for n in wanted):
        raise UnusableInput(f"reshapes to {printable([_said(n) for n in wanted])}")
    if not node.integer("allowzero", 0):
        if any(n == 0 and k >= len(sizes) for k, n in enumerate(wanted)):
            raise UnusableInput("copies the length of an axis that its input has not")
        wanted = [sizes[k] if n == 0 else n for k, n in enumerate(wanted)]
    return reshape(builder, x, wanted)


def _said(length: Length) -> object:
    return length.name if isinstance(length, Unknown) else length


def _flatten(builder: Builder, node: Node, given: Items) -> Seen:
    x = seen(given)
    axis = place_of(node.integer("axis", 1), len(x.axes) + 1)
    return x.with_axes([_joined(x.axes[:axis]), _joined(x.axes[axis:])])


def _joined(axes: Sequence[Axis]) -> Axis:
    return tuple(a for axis in axes for a in axis if a >= 0)


def _gather(builder: Builder, node: Node, given: Items) -> Seen:
    if isinstance(given[0], np.ndarray):
        return _embedded(builder, node, given[0], seen(given, 1))
    x, index = seen(given), tidy(constant(given, 1, "the index"))
    place = place_of(node.integer("axis", 0), len(x.axes))
    if index.size == 1 and index.ndim <= 1:
        return builder.take(x, place, int(index.reshape(())), keep=index.ndim == 1)
    found = whole_list(index) or []
    if index.ndim == 1 and found and found == list(range(found[0], found[0] + len(found))) and found[0] >= 0:
        return builder.part(x, place, found[0], found[-1] + 1, 1)
    raise Unsupported("gathers other than one index or neighbouring ones")


def _embedded(builder: Builder, node: Node, table: Array, x: Seen) -> Seen:
    """A look-up: each index is replaced by a row of the table."""
    if place_of(node.integer("axis", 0), max(1, table.ndim)) or table.ndim != 2 or table.dtype.kind != "f":
        raise Unsupported("looks up in other than the rows of a table of floats")
    edge = builder.map("embed", {}, x.edge, table=table)
    return Seen(edge, (*x.axes, (len(builder.shapes[edge]),)))


def _slice(builder: Builder, node: Node, given: Items) -> Seen:
    x = seen(given)
    for axis, start, stop, step in slices(node, constants(given), len(x.axes)):
        x = builder.part(x, axis, start, stop, step)
    return x


def _split(builder: Builder, node: Node, given: Items) -> list[Seen]:
    x = seen(given)
    place = place_of(node.integer("axis", 0), len(x.axes))
    length = builder.lengths(x)[place]
    if isinstance(length, Unknown):
        raise Unsupported("splits an axis of unknown length")
    found, start = [], 0
    for size in sizes_of(node, constants(given), length, place):
        found.append(builder.part(x, place, start, start + size, 1))
        start += size
    return found


def _concat(builder: Builder, node: Node, given: Items) -> Seen:
    first = next(x for x in given if isinstance(x, Seen))
    if len(given) == 1:
        return first
    rank, batch = len(first.axes), first.batch
    place = place_of(node.integer("axis", 0), rank)
    if place == batch:
        raise Unsupported("joins values along the batch axis")
    values = [x if isinstance(x, Seen) else fixed(builder, x, first, rank) for x in given]
    if any(len(x.axes) != rank or x.batch != batch for x in values):
        raise Unsupported("joins values whose axes are in different orders")
    edges = [builder.arranged(x) for x in values]
    axis = first.others.index(place) + 1
    _check_joined([builder.shapes[edge] for edge in edges], axis)
    edge = builder.map("concatenate", {"axis": axis}, *edges)
    if all(builder.shapes[each][axis - 1] == 1 for each in edges):  # steps or directions that are taken apart again
        pieces = [builder.take(Seen(e, plain(rank, batch)), place, 0, keep=False).edge for e in edges]
        builder.stacked[edge] = (axis, tuple(pieces))
    return Seen(edge, plain(rank, batch))


def _check_joined(shapes: Sequence[tuple[int | None, ...]], axis: int) -> None:
    rest = {(*s[: axis - 1], *s[axis:]) for s in shapes}
    if len({tuple(n for n in r if n is not None) for r in rest}) > 1:
        raise UnusableInput(f"joins values of unlike shapes, {printable(shapes)}")


def plain(rank: int, batch: int | None) -> tuple[Axis, ...]:
    """The file's axes of an edge that `arranged` gave."""
    others = iter(range(1, rank + 1))
    return tuple((0,) if k == batch else (next(others),) for k in range(rank))


def fixed(builder: Builder, item: Array | Spread | None, like: Seen, rank: int) -> Seen:
    """A constant as a value: the same for each sample."""
    array = item.array if isinstance(item, Spread) else item
    if array is None or array.dtype.kind not in "fiu" or array.ndim > rank:
        raise Unsupported("puts a constant together with a value in a way that symgru does not read")
    array = array.reshape((1,) * (rank - array.ndim) + array.shape)
    batch = like.batch
    if batch is not None:
        array = alike(array, batch, "a constant")
    return Seen(builder.constant(np.ascontiguousarray(array), like.edge), plain(rank, batch))


def alike(array: Array, axis: int, what: str) -> Array:
    """A constant without its batch axis, along which it must hold the same."""
    first: Array = array.take(0, axis=axis)
    if array.shape[axis] != 1 and not (array == np.expand_dims(first, axis)).all():
        raise Unsupported(f"has {what} with other numbers for each sample of the batch")
    return first


def _identity(builder: Builder, node: Node, given: Items) -> Item:
    return given[0]


def _dropout(builder: Builder, node: Node, given: Items) -> Item:
    """Nothing, in inference."""
    training = optional(given, 2, "training_mode")
    if training is not None and training.any():
        raise Unsupported("is in training mode; export the model for inference (model.eval())")
    return given[0]


def _cast(builder: Builder, node: Node, given: Items) -> Seen:
    x, dtype = seen(given), cast_type(node)
    if dtype in ("float32", "float64"):
        return x
    whole = builder.whole(x.edge)
    if dtype in ("int32", "int64") and whole:
        return x
    raise Unsupported(f"casts a value of the network to {dtype}")


def _shape(builder: Builder, node: Node, given: Items) -> Array:
    item = given[0]
    if isinstance(item, Spread):
        sizes: list[Length] = [item.unknown.get(k, n) for k, n in enumerate(item.array.shape)]
    else:
        sizes = builder.lengths(seen(given))
    end = node.attributes.get("end")
    cut = sizes[node.integer("start", 0) : end if isinstance(end, int) else None]
    found = np.empty(len(cut), dtype=object)
    found[:] = cut
    return tidy(found)


def _expand(builder: Builder, node: Node, given: Items) -> Item:
    """An expansion to the lengths that a value has already is nothing; of a constant it is the same for all of them."""
    target = lengths(constant(given, 1, "the shape"))
    if isinstance(given[0], np.ndarray):
        return spread(given[0], target)
    x = seen(given)
    if all(n in (1, have) for n, have in zip(target[::-1], builder.lengths(x)[::-1], strict=False)):
        rank = len(target)
        return x.with_axes([*([()] * (rank - len(x.axes))), *x.axes])
    raise Unsupported("repeats a value of the network along an axis")


def _filled(builder: Builder, node: Node, given: Items) -> Item:
    return spread(np.asarray(filling(node)), lengths(constant(given, 0, "the shape")))


AXES: dict[str, Callable[[Builder, Node, Items], Item | list[Seen]]] = {
    "Cast": _cast,
    "Concat": _concat,
    "ConstantOfShape": _filled,
    "Dropout": _dropout,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": _identity,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
