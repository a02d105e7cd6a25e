"""Maps that add, in float32 as the emitted C does it: every sum from the first time step to the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgru.maps import apply, evaluate
from symgru.network import Array


def apply_in_order(kind: str, options: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    """A map on float32 arrays (its tables last)."""
    if kind == "mean_pool":
        return _mean_pool(options, arrays[0])
    if kind == "global_mean":
        return _global_mean(options.get("axis", 1), *arrays)
    return apply(kind, options, arrays)


def _total(x: Array, axis: int) -> Array:
    total = np.zeros(x.shape[:axis] + x.shape[axis + 1 :], np.float32)
    for k in range(x.shape[axis]):
        total = total + np.take(x, k, axis)
    return total


def _mean_pool(options: Mapping[str, Any], x: Array) -> Array:
    shown = ", ".join(f"{name}={options[name]!r}" for name in ("stride", "padding") if name in options)
    text = f"windows(x, {options['size']}, {shown})"
    if options.get("padding", "valid") == "valid":
        return _total(evaluate(text, ("x",), (x,)), 2) / np.float32(options["size"])
    count = _total(evaluate(text, ("x",), (np.ones((1, x.shape[1], 1), np.float32),)), 2)
    found: Array = _total(evaluate(text, ("x",), (x,)), 2) / count
    return found


def _global_mean(axis: int, x: Array, mask: Array | None = None) -> Array:
    if mask is None:
        return _total(x, axis) / np.float32(x.shape[axis])
    held = mask.astype(np.float32)
    found: Array = _total(x * held[..., None], 1) / _total(held, 1)[:, None]
    return found
