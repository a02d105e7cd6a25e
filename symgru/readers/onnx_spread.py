"""Constants that are the same along axes of unknown length, such as the zeros of a state for any batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array
from symgru.readers.checks import printable
from symgru.readers.onnx_constants import axes_of, fold, slices
from symgru.readers.onnx_inputs import Item, Items, constants
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_values import Length, Spread, Unknown, place_of


def spread(array: Array, target: Sequence[Length]) -> Array | Spread:
    """A constant expanded to lengths, of which some may be unknown."""
    rank = max(array.ndim, len(target))
    array = array.reshape((1,) * (rank - array.ndim) + array.shape)
    full = [*array.shape[: rank - len(target)], *target]
    unknown = {k: n for k, n in enumerate(full) if isinstance(n, Unknown)}
    if any(array.shape[k] != 1 for k in unknown):
        raise Unsupported("expands an axis to a length that is computed while the model runs")
    if any(k not in unknown and n != 1 != array.shape[k] != n for k, n in enumerate(full)):
        raise UnusableInput(f"expands a constant of shape {array.shape} to lengths that do not fit")
    known = tuple(array.shape[k] if k in unknown or n == 1 else n for k, n in enumerate(full))
    sizes = [n for n in known if isinstance(n, int)]
    if np.prod(sizes, dtype=object) > 2**24 or any(n < 0 for n in sizes):
        raise UnusableInput(f"expands a constant to {printable(sizes)}, which is too large")
    found = np.broadcast_to(array, sizes)
    return Spread(found, unknown) if unknown else found.copy()


def of_spread(node: Node, item: Spread, given: Items) -> Item:
    """An operator on a constant that is the same along unknown lengths: done on the constant, where these axes stay."""
    kept = node.op in ("Cast", "Identity", "Slice", "Gather", "Split")
    if kept:
        rest = constants(given)[1:]
        cut = [axis for axis, *_ in slices(node, [None, *rest], item.array.ndim)] if node.op == "Slice" else []
        cut = [place_of(node.integer("axis", 0), item.array.ndim)] if node.op in ("Gather", "Split") else cut
        found = fold(node, [item.array, *rest])[0]
        if found.ndim == item.array.ndim and not set(cut) & set(item.unknown):
            return Spread(found, item.unknown)
    if node.op == "Transpose":
        perm = node.integers("perm") or list(range(item.array.ndim))[::-1]
        found = fold(node, [item.array])[0]
        return Spread(found, {k: item.unknown[p] for k, p in enumerate(perm) if p in item.unknown})
    if node.op in ("Unsqueeze", "Squeeze"):
        return _renumbered(node, item, given)
    if node.op == "Concat":
        return _joined_spreads(node, item, given)
    raise Unsupported("works on a constant of unknown length in a way that symgru does not follow")


def _renumbered(node: Node, item: Spread, given: Items) -> Item:
    """Axes of length 1 added or dropped, none of them of unknown length."""
    rest = constants(given)[1:]
    axes = axes_of(node, [None, *rest]) or []
    found = fold(node, [item.array, *rest])[0]
    rank = max(found.ndim, item.array.ndim)
    places = {place_of(a, rank) for a in axes}
    left = [k for k in range(rank) if k not in places]
    if not axes or (node.op == "Squeeze" and places & set(item.unknown)):
        raise Unsupported("drops an axis of unknown length")
    if node.op == "Squeeze":
        return Spread(found, {left.index(k): n for k, n in item.unknown.items()})
    return Spread(found, {left[k]: n for k, n in item.unknown.items()})


def _joined_spreads(node: Node, item: Spread, given: Items) -> Item:
    """Constants side by side that have the same axes of unknown length."""
    place = place_of(node.integer("axis", 0), item.array.ndim)
    parts = [each for each in given if isinstance(each, Spread)]
    if len(parts) != len(given) or any(each.unknown != item.unknown for each in parts) or place in item.unknown:
        raise Unsupported("joins constants of unlike unknown lengths")
    return Spread(fold(node, [each.array for each in parts])[0], item.unknown)
