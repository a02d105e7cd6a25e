"""Maps on arrays of Decimal objects or of Arb's balls: the same text, and what NumPy does not know of such numbers.

NumPy's own numbers (padding, counts) become numbers of the arithmetic. Of balls, the largest is one that encloses all
that may be it, and a mask is only made where every ball tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from symgru.errors import Unsupported
from symgru.maps import MAPS, Options, apply, evaluate
from symgru.network import Array

LARGEST = ("max_pool", "global_max")  # maps whose text ends in .max(axis=...)
COUNTED = ("erase",)  # maps that multiply by a mask


def apply_exact(kind: str, options: Options, arrays: Sequence[Array], zero: Any, dtype: str) -> Array:
    """Run a map; `zero` is the arithmetic's own 0, `dtype` the framework's, in which a mask compares.

    Raises Unsupported where a ball does not tell whether its time step is masked.
    """
    balls = hasattr(zero, "rad")
    if MAPS[kind].plain:
        return _compared(kind, options, arrays, dtype, balls)
    given = list(arrays)
    if kind == "embed" and given[0].dtype == object:
        given[0] = _indices(given[0], balls)
    if kind in COUNTED:  # a ball times a truth value is no ball
        given[1:] = [_lifted(mask.astype(int), zero) for mask in given[1:]]
    if balls and kind in LARGEST:
        return _largest(kind, options, given[0], zero)
    found = apply(kind, options, given)
    return _lifted(found, zero) if any(a.dtype == object for a in arrays) else found  # indices stay as they are


def _indices(a: Array, balls: bool) -> Array:
    """Indices that the network is given as floats."""
    if balls and any(not v.is_exact() for v in a.ravel()):
        raise Unsupported("an index is worked out from other numbers, so that its row is not certain")
    return a.astype(np.float64)


def _lifted(a: Array, zero: Any) -> Array:
    """Every number as one of the arithmetic; truth values as they are."""
    if a.dtype == bool:
        return a
    own = type(zero)
    each = np.frompyfunc(lambda v: v if isinstance(v, own) else own(v.item() if isinstance(v, np.generic) else v), 1, 1)
    return np.asarray(each(a), dtype=object)


def _largest(kind: str, options: Options, x: Array, zero: Any) -> Array:
    """The largest of balls along an axis."""
    places, _, axis = MAPS[kind].text(options, "a").rpartition(".max(axis=")
    maximum = np.frompyfunc(lambda p, q: p.max(q), 2, 1)
    found = maximum.reduce(_lifted(evaluate(places, ["a"], [x]), zero), axis=int(axis.removesuffix(")")))
    return np.asarray(found, dtype=object)


def _compared(kind: str, options: Options, arrays: Sequence[Array], dtype: str, balls: bool) -> Array:
    """A mask, from the numbers as the framework holds them; lengths and indices are whole numbers already."""
    if balls:
        value = float(cast(float, options.get("value", 0)))
        for a in arrays[:1]:
            if a.dtype == object and any(not v.is_exact() and v.contains(value) for v in a.ravel()):
                raise Unsupported(f"a value may be {value:g} or just beside it, so that its mask is not certain")
    return apply(kind, options, [a.astype(np.float64 if kind == "until" else dtype) for a in arrays])
