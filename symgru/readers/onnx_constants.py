"""Operators whose inputs are all constants, such as a Transpose of a weight or the arithmetic of shapes: done at once.

Lengths that the file leaves open stand in such arrays as `Unknown`. The size of every result is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array
from symgru.readers.checks import MAX_NUMBERS, printable
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_tensors import TYPES
from symgru.readers.onnx_values import Length, Unknown, place_of

Given = Sequence[Array | None]


def fold(node: Node, given: Given) -> list[Array]:
    """The outputs of an operator on constants. Raises Unsupported for one that is not needed around a GRU."""
    if node.op not in FOLDED:
        raise Unsupported("is an operator that symgru does not compute on constants")
    needed = next((k for k in range(NEEDED.get(node.op, 1)) if k >= len(given) or given[k] is None), None)
    if needed is not None:
        raise UnusableInput(f"lacks its input {needed + 1}")
    try:
        with np.errstate(all="ignore"):
            found = FOLDED[node.op](node, given)
    except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError) as error:
        raise UnusableInput(f"cannot be computed from its constants: {printable(error, 100)}") from None
    return [np.asarray(a) for a in (found if isinstance(found, list) else [found])]


def has_unknown(array: Array) -> bool:
    """Whether a length that the file leaves open is in an array."""
    return array.dtype == object and any(isinstance(v, Unknown) for v in array.flat)


def tidy(array: Array) -> Array:
    """Lengths as an array of whole numbers where all are known."""
    return array.astype(np.int64) if array.dtype == object and not has_unknown(array) else array


def lengths(array: Array) -> list[Length]:
    """An array of lengths as a list."""
    return [v if isinstance(v, Unknown) else int(v) for v in array.reshape(-1)]


def whole_list(array: Array | None) -> list[int] | None:
    """An array of known whole numbers as a list; None stays."""
    if array is None:
        return None
    if has_unknown(array):
        raise Unsupported("needs a number that is computed while the model runs; export it with fixed lengths")
    if array.dtype.kind not in "iuO" or array.size > 64:
        raise UnusableInput("needs a few whole numbers")
    return [int(v) for v in array.reshape(-1)]


def axes_of(node: Node, given: Given, place: int = 1) -> list[int] | None:
    """The axes of an operator that takes them as an attribute, or since some version as an input."""
    found = node.integers("axes")
    return whole_list(given[place]) if found is None and len(given) > place else found


def _limited(shape: Sequence[int]) -> tuple[int, ...]:
    if len(shape) > 8 or any(n < 0 for n in shape) or prod(shape) > MAX_NUMBERS:
        raise UnusableInput(f"would have the shape {printable(list(shape))}, which is too large")
    return tuple(shape)


def _broadcast(*arrays: Array) -> None:
    _limited(np.broadcast_shapes(*(a.shape for a in arrays)))


def _two(f: Callable[[Array, Array], Array]) -> Callable[[Node, Given], Array]:
    def apply(_: Node, given: Given) -> Array:
        one, other = _first(given), _first(given[1:])
        _broadcast(one, other)
        return f(one, other)

    return apply


def _one(f: Callable[[Array], Array]) -> Callable[[Node, Given], Array]:
    return lambda _, given: f(_first(given))


def _first(given: Given) -> Array:
    if not given or given[0] is None:
        raise UnusableInput("lacks an input")
    return given[0]


def _divided(p: Array, q: Array) -> Array:
    """Whole numbers are divided towards 0, as in C."""
    if p.dtype.kind == "f":
        return np.asarray(p / q)
    if object in (p.dtype, q.dtype):
        return np.asarray(p // q)
    return np.asarray(np.trunc(p / q).astype(p.dtype))


def _transpose(node: Node, given: Given) -> Array:
    x = _first(given)
    perm = node.integers("perm")
    if perm is not None and sorted(perm) != list(range(x.ndim)):
        raise UnusableInput(f"has the order of axes {printable(perm)} for {x.ndim} axes")
    return x.transpose(perm)


def _squeeze(node: Node, given: Given) -> Array:
    x, axes = _first(given), axes_of(node, given)
    return x.squeeze() if axes is None else x.squeeze(tuple(place_of(a, x.ndim) for a in axes))


def _unsqueeze(node: Node, given: Given) -> Array:
    x, axes = _first(given), axes_of(node, given) or []
    rank = x.ndim + len(axes)
    places = {place_of(a, rank) for a in axes}
    _limited([1] * rank)
    left = iter(x.shape)
    return x.reshape([1 if k in places else next(left) for k in range(rank)])


def _reshape(node: Node, given: Given) -> Array:
    x, target = _first(given), whole_list(given[1]) or []
    if not node.integer("allowzero", 0):
        target = [x.shape[k] if n == 0 else n for k, n in enumerate(target)]
    return x.reshape(target)


def _concat(node: Node, given: Given) -> Array:
    arrays = [a for a in given if a is not None]
    if sum(a.size for a in arrays) > MAX_NUMBERS:
        raise UnusableInput("would be too large")
    return np.concatenate(arrays, axis=place_of(node.integer("axis", 0), arrays[0].ndim))


def slices(node: Node, given: Given, rank: int) -> list[tuple[int, int | None, int | None, int]]:
    """What a Slice cuts: (axis, start, stop, step) as Python's slices have them."""
    if node.version < 10:
        starts, ends, steps = node.integers("starts") or [], node.integers("ends") or [], None
        axes = node.integers("axes")
    else:
        found = [whole_list(given[k]) if k < len(given) else None for k in range(1, 5)]
        starts, ends, axes, steps = found[0] or [], found[1] or [], found[2], found[3]
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise UnusableInput("has starts, ends, axes and steps that do not fit together")
    far = 2**31 - 1
    return [
        (
            place_of(axis, rank),
            None if step < 0 and start >= far else start,
            None if (stop >= far if step > 0 else stop <= -far) else stop,
            step,
        )
        for axis, start, stop, step in zip(axes, starts, ends, steps, strict=True)
    ]


def _slice(node: Node, given: Given) -> Array:
    x = _first(given)
    cut = [slice(None)] * x.ndim
    for axis, start, stop, step in slices(node, given, x.ndim):
        cut[axis] = slice(start, stop, step)
    return x[tuple(cut)]


def _gather(node: Node, given: Given) -> Array:
    x, index = _first(given), _first(given[1:])
    axis = place_of(node.integer("axis", 0), x.ndim)
    _limited([x.size // max(1, x.shape[axis]), index.size])
    return np.take(x, tidy(index).astype(np.int64), axis=axis)


def sizes_of(node: Node, given: Given, length: int, axis: int) -> list[int]:
    """The lengths of a Split's outputs."""
    found = node.integers("split")
    if found is None and len(given) > 1:
        found = whole_list(given[1])
    count = node.integer("num_outputs", len(node.outputs))
    if found is None:
        each = -(-length // max(1, count))
        found = [each] * (count - 1) + [length - each * (count - 1)]
    if sum(found) != length or len(found) != len(node.outputs) or min(found) < 0:
        raise UnusableInput(f"splits axis {axis} of length {length} into {printable(found)}")
    return found


def _split(node: Node, given: Given) -> list[Array]:
    x = _first(given)
    axis = place_of(node.integer("axis", 0), x.ndim)
    sizes = sizes_of(node, given, x.shape[axis], axis)
    return np.split(x, np.cumsum(sizes)[:-1].tolist(), axis=axis)


def _cast(node: Node, given: Given) -> Array:
    x = _first(given)
    return x if x.dtype == object else x.astype(cast_type(node))


def cast_type(node: Node) -> str:
    """The type that a Cast names; 16-bit floats are held as float32."""
    name = TYPES.get(node.integer("to", 0), "")
    if not name:
        raise Unsupported("casts to a type that symgru does not read")
    return "float32" if name in ("float16", "bfloat16") else name


def _constant(node: Node, _: Given) -> Array:
    for name, dtype in (("value", None), ("value_float", "float32"), ("value_int", "int64")):
        if name in node.attributes:
            return np.asarray(node.attributes[name], dtype=dtype)
    for name, dtype in (("value_floats", "float32"), ("value_ints", "int64")):
        if name in node.attributes:
            return np.array(node.attributes[name], dtype=dtype)
    raise Unsupported("holds no number")


def _filled(node: Node, given: Given) -> Array:
    return np.full(_limited(whole_list(given[0]) or []), filling(node))


def filling(node: Node) -> Array:
    """The number that a ConstantOfShape repeats."""
    value = node.attributes.get("value")
    if value is None:
        return np.float32(0)  # type: ignore[return-value]
    if not isinstance(value, np.ndarray) or value.size != 1:
        raise UnusableInput("should repeat one number")
    return value.reshape(())


def _expand(_: Node, given: Given) -> Array:
    x, shape = _first(given), whole_list(given[1]) or []
    return np.broadcast_to(x, _limited(np.broadcast_shapes(x.shape, _limited(shape)))).copy()


def _tile(_: Node, given: Given) -> Array:
    x, repeats = _first(given), whole_list(given[1]) or []
    _limited([n * r for n, r in zip(x.shape, repeats, strict=True)])
    return np.tile(x, repeats)


def _range(_: Node, given: Given) -> Array:
    start, stop, step = (float(_first(given[k:])) for k in range(3))
    if not step or not (stop - start) / step <= MAX_NUMBERS:
        raise UnusableInput("would be too large")
    return np.arange(start, stop, step).astype(_first(given).dtype)


def _reduced(f: Callable[..., Array]) -> Callable[[Node, Given], Array]:
    def apply(node: Node, given: Given) -> Array:
        x = _first(given)
        axes = axes_of(node, given)
        over = tuple(range(x.ndim)) if not axes else tuple(place_of(a, x.ndim) for a in axes)
        return f(x, axis=over, keepdims=bool(node.integer("keepdims", 1)))

    return apply


def _where(_: Node, given: Given) -> Array:
    condition, p, q = (_first(given[k:]) for k in range(3))
    _broadcast(condition, p, q)
    return np.where(condition.astype(bool), p, q)


def _matmul(_: Node, given: Given) -> Array:
    one, other = _first(given), _first(given[1:])
    if one.ndim != 2 or other.ndim != 2:
        raise Unsupported("is a product of constants with other than two axes")
    _limited([one.shape[0], other.shape[1]])
    return one @ other


NEEDED = {"Constant": 0, "Reshape": 2, "Gather": 2, "Expand": 2, "Tile": 2, "Range": 3, "Where": 3, "MatMul": 2}
FOLDED: dict[str, Callable[[Node, Given], Array | list[Array]]] = {
    "Abs": _one(np.abs),
    "Add": _two(lambda p, q: p + q),
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Div": _two(_divided),
    "Equal": _two(lambda p, q: np.asarray(p == q)),
    "Expand": _expand,
    "Flatten": lambda node, given: _first(given).reshape(
        prod(_first(given).shape[: place_of(node.integer("axis", 1), _first(given).ndim + 1)]), -1
    ),
    "Gather": _gather,
    "Identity": _one(lambda x: x),
    "MatMul": _matmul,
    "Max": _two(np.maximum),
    "Min": _two(np.minimum),
    "Mul": _two(lambda p, q: p * q),
    "Neg": _one(lambda x: -x),
    "Range": _range,
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "Reshape": _reshape,
    "Shape": _one(lambda x: np.array(x.shape, dtype=np.int64)),
    "Slice": _slice,
    "Split": _split,
    "Sqrt": _one(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _two(lambda p, q: p - q),
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": _where,
}
