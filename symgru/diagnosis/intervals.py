"""Interval arithmetic: every number is known to lie between two float64s, for certain.

Each operation rounds its lower end down and its upper end up unless it is exact, so that what the intervals say holds
over the real numbers. The cell's one printed source is run in it, through `trace.run` or a step at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any, cast

import numpy as np
from sympy import Expr, Function, Poly

from symgru.activations import activation
from symgru.algebra import Vec, walk
from symgru.cell import Cell, x
from symgru.domains import FLOAT64, Step, compiled
from symgru.network import Array, Tensor

INF = np.inf
ULPS = 16 * np.finfo(np.float64).eps  # relative; libraries promise 4 units in the last place or better for exp and tanh
TINY = 4 * np.nextafter(0.0, 1.0)
WHOLE = 2.0**53  # whole numbers below it are floats
_PAIRS = [0, 0, 1, 1], [0, 1, 0, 1]  # each end of one with each end of the other


class Interval:
    """An array of intervals. `ends` has one axis more than they have, the last: lower and upper end.

    NumPy's functions for moving numbers about take it as an array; those that would compute with it refuse.
    """

    __array_ufunc__ = None  # a - b with an array on the left is this class' business too
    dtype = np.dtype(np.float64)

    def __init__(self, ends: Array) -> None:
        self.ends = ends

    @staticmethod
    def between(low: Any, high: Any) -> Interval:
        return Interval(np.stack(np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float)), axis=-1))

    @staticmethod
    def exactly(v: Any) -> Interval:
        return Interval.between(v, v)

    @property
    def low(self) -> Array:
        return self.ends[..., 0]

    @property
    def high(self) -> Array:
        return self.ends[..., 1]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.ends.shape[:-1]

    @property
    def ndim(self) -> int:
        return self.ends.ndim - 1

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: Any) -> Interval:
        whole = index if isinstance(index, tuple) else (index,)
        return Interval(self.ends[(*whole, slice(None)) if any(i is Ellipsis for i in whole) else whole])

    def reshape(self, *shape: Any) -> Interval:
        given = shape[0] if isinstance(shape[0], tuple) else shape
        return Interval(self.ends.reshape(*given, 2))

    def spread(self, shape: tuple[int, ...]) -> Interval:
        """Repeated along axes, as NumPy broadcasts."""
        return Interval(np.broadcast_to(self.ends, (*shape, 2)))

    def within(self, other: Interval) -> bool:
        """Whether every one lies inside the other."""
        return bool(np.all((other.low <= self.low) & (self.high <= other.high)))

    def cut(self, low: Any, high: Any) -> Interval:
        """What both hold of a number that lies between low and high as well."""
        return Interval.between(np.clip(self.low, low, high), np.clip(self.high, low, high))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        moved = _MOVES.get(function)
        return moved(*args, **kwargs) if moved else NotImplemented

    def __neg__(self) -> Interval:
        return Interval(-self.ends[..., ::-1])

    def __add__(self, other: Any) -> Interval:
        return Interval(_sum(self.ends, _interval(other).ends))

    def __sub__(self, other: Any) -> Interval:
        return self + -_interval(other)

    def __rsub__(self, other: Any) -> Interval:
        return _interval(other) + -self

    def __mul__(self, other: Any) -> Interval:
        return Interval(_product(self.ends, _interval(other).ends))

    def __truediv__(self, other: Any) -> Interval:
        return Interval(_quotient(self.ends, _interval(other).ends))

    def __rtruediv__(self, other: Any) -> Interval:
        return Interval(_quotient(_interval(other).ends, self.ends))

    __radd__, __rmul__ = __add__, __mul__


def _interval(v: Any) -> Interval:
    return v if isinstance(v, Interval) else Interval.exactly(v)


def _outward(ends: Array) -> Array:
    """Both ends one float further out."""
    return np.asarray(np.nextafter(ends, np.array([-INF, INF])))


def _sum(a: Array, b: Array) -> Array:
    """Rounded outward where it is not exact: Knuth's two-sum gives what rounding lost."""
    s = a + b
    part = s - a
    lost = (a - (s - part)) + (b - part)  # NaN where an end is infinite
    out = _outward(s)
    return np.stack(
        [np.where(lost[..., 0] >= 0, s[..., 0], out[..., 0]), np.where(lost[..., 1] <= 0, s[..., 1], out[..., 1])],
        axis=-1,
    )


def _product(a: Array, b: Array) -> Array:
    """The least and the largest of the four products of ends; 0 times anything is 0, for no number is infinite."""
    p, q = a[..., _PAIRS[0]], b[..., _PAIRS[1]]
    zero = (p == 0) | (q == 0)
    pq = np.where(zero, 0.0, p * q)
    exact = zero | (np.abs(p) == 1) | (np.abs(q) == 1)
    positive = np.sign(p) * np.sign(q) > 0
    low = np.where(exact, pq, np.where(positive, np.maximum(np.nextafter(pq, -INF), 0), np.nextafter(pq, -INF)))
    high = np.where(exact, pq, np.where(positive, np.nextafter(pq, INF), np.minimum(np.nextafter(pq, INF), 0)))
    return np.stack([low.min(-1), high.max(-1)], axis=-1)


def _quotient(a: Array, b: Array) -> Array:
    """The least and the largest of the four quotients of ends; nothing is known where the divisor may be 0."""
    p, q = a[..., _PAIRS[0]], b[..., _PAIRS[1]]
    pq = p / q
    exact = (p == 0) | (pq == np.round(pq)) & (q == np.round(q)) & (np.abs(p) < WHOLE) & (pq * q == p)
    low, high = np.where(exact, pq, np.nextafter(pq, -INF)), np.where(exact, pq, np.nextafter(pq, INF))
    open_ = (b[..., 0] <= 0) & (b[..., 1] >= 0) | np.isnan(pq).any(-1)
    return np.stack([np.where(open_, -INF, low.min(-1)), np.where(open_, INF, high.max(-1))], axis=-1)


def _rising(f: Callable[[Array], Array], low: float = -INF, high: float = INF) -> Callable[[Interval], Interval]:
    """A rising function with values between low and high. Its error is relative, so that it keeps its sign."""

    def apply(a: Interval) -> Interval:
        ends = f(_interval(a).ends)
        off = np.where(ends == 0, 0.0, np.maximum(np.abs(ends) * ULPS, TINY))
        moved = np.stack([ends[..., 0] - off[..., 0], ends[..., 1] + off[..., 1]], axis=-1)
        moved = np.where(np.sign(ends) * np.sign(moved) < 0, 0.0, moved)
        moved = np.where(np.isnan(moved), np.array([-INF, INF]), moved)
        return Interval(np.clip(moved, low, high))

    return apply


def _abs(a: Interval) -> Interval:
    sizes = np.abs(a.ends)
    crosses = (a.low < 0) & (a.high > 0)
    return Interval.between(np.where(crosses, 0.0, sizes.min(-1)), sizes.max(-1))


def _clip(a: Interval, low: float | None, high: float | None) -> Interval:
    return a.cut(-INF if low is None else low, INF if high is None else high)


def _where_positive(a: Interval, p: Any, q: Any) -> Interval:
    return _either(a.low > 0, a.high <= 0, _interval(p), _interval(q))


def _either(first: Array, second: Array, p: Interval, q: Interval) -> Interval:
    """p where that is certain, q where that is; both where nothing is."""
    both = Interval.between(np.minimum(p.low, q.low), np.maximum(p.high, q.high))
    return Interval(np.where(first[..., None], p.ends, np.where(second[..., None], q.ends, both.ends)))


def _across(low: float, high: float) -> Callable[[Interval], Interval]:
    """A function of all units of which only its range is used."""
    return lambda a: Interval.between(np.full(a.shape, low), np.full(a.shape, high))


def dot(W: Interval, v: Interval) -> Interval:
    """v @ W.T, for W of shape (rows, columns) and v of (..., columns).

    The sums' own error is at most (n - 1) u / (1 - (n - 1) u) of the sum of sizes, in whatever order they are
    added; so a sum of numbers of one sign keeps it."""
    terms = _product(W.ends, v.ends[..., None, :, :])
    n = terms.shape[-2]
    if n == 1:
        return Interval(terms[..., 0, :])
    total, sizes = terms.sum(-2), np.abs(terms).sum(-2)
    off = np.where(sizes == 0, 0.0, np.nextafter(sizes * (n + 2) * np.finfo(np.float64).eps, INF))
    least, most = terms.min(-2), terms.max(-2)
    low, high = np.nextafter(total[..., 0] - off[..., 0], -INF), np.nextafter(total[..., 1] + off[..., 1], INF)
    return Interval.between(
        np.where(np.isnan(low), -INF, np.where(least[..., 0] >= 0, np.maximum(low, 0), low)),
        np.where(np.isnan(high), INF, np.where(most[..., 1] <= 0, np.minimum(high, 0), high)),
    )


def _mean(v: Interval) -> Interval:
    return dot(Interval.exactly(np.ones((1, v.shape[-1]))), v) / v.shape[-1]


def _select(m: Any, p: Any, q: Any) -> Interval:
    """A mask of truth values, or a vector that holds where it is not 0."""
    if isinstance(m, Interval):
        return _either((m.low > 0) | (m.high < 0), (m.low == 0) & (m.high == 0), _interval(p), _interval(q))
    return _either(m, ~m, _interval(p), _interval(q))


def _stack(arrays: Sequence[Interval], axis: int = 0) -> Interval:
    return Interval(np.stack([a.ends for a in arrays], axis=axis))


def _concatenate(arrays: Sequence[Interval], axis: int = 0) -> Interval:
    return Interval(np.concatenate([a.ends for a in arrays], axis=axis))


_MOVES: dict[Any, Callable[..., Any]] = {  # axes are counted from the first, so the ends stay the last
    np.stack: _stack,
    np.concatenate: _concatenate,
    np.broadcast_to: Interval.spread,
    np.shape: lambda a: a.shape,
}
_INTERVALS: dict[str, Any] = {
    "sigma": _rising(FLOAT64["sigma"], 0, 1),
    "tanh": _rising(np.tanh, -1, 1),
    "exp": _rising(np.exp, 0),
    "expm1": _rising(np.expm1, -1),
    "log1p": _rising(np.log1p),
    "erf": _rising(FLOAT64["erf"], -1, 1),
    "sqrt": _rising(np.sqrt, 0),
    "softsign_alone": _rising(lambda a: np.where(np.isinf(a), np.sign(a), a / (1 + np.abs(a))), -1, 1),
    "Abs": _abs,
    "clip": _clip,
    "where_positive": _where_positive,
    "softmax": _across(0, 1),
    "log_softmax": _across(-INF, 0),
    "sparsemax": _across(0, 1),
    "Mean": _mean,
    "Total": lambda v: dot(Interval.exactly(np.ones((1, v.shape[-1]))), v),
    "Select": _select,
    "dot": dot,
    "ratio": lambda p, q: Interval.exactly(float(p)) / Interval.exactly(float(q)),
    "store": lambda v: v,
}


class Intervals:
    """The arithmetic, as a domain. Weights and inputs are taken as typed; a decimal that binary does not hold gets the
    two floats beside it."""

    name = "intervals"

    def lift(self, tensor: Tensor) -> Array:
        return cast(Array, typed(tensor))

    def params(self, cell: Cell, weights: Mapping[str, Tensor]) -> Mapping[str, Array]:
        return {p.name: cast(Array, typed(weights[p.name])) for p in cell.params}

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return cast(Array, Interval.exactly(np.zeros(shape)))

    def step(self, cell: Cell) -> Step:
        return cast(Step, step_of(cell))

    def context(self) -> AbstractContextManager[Any]:
        return np.errstate(all="ignore")  # what is NaN there is taken care of here


def typed(tensor: Tensor) -> Interval:
    """The numbers as typed."""
    texts = tensor.text
    value = texts.astype(np.float64)
    exact = np.array(
        [Decimal(str(t)) == Decimal(v) for t, v in zip(texts.ravel(), value.ravel().tolist(), strict=True)]
    )
    ends = np.stack([value, value], axis=-1)
    return Interval(np.where(exact.reshape(*value.shape, 1), ends, _outward(ends)))


# a / (1 + |a|) has `a` twice, which would make it as wide as the line; so it is a function of its own here
NARROW = {activation("softsign")(x).func: Function("softsign_alone", real=True)}
Stepped = Callable[[Interval, "Interval | None", Mapping[str, Interval]], dict[str, Interval]]


@cache
def step_of(cell: Cell) -> Stepped:
    """A step of a cell. Lines that mix vectors are bounded by their corners as well.

    Plain intervals take the two z in z h + (1 - z) n for two numbers, and so give twice the width. But a line that is
    of the first degree in each vector by itself is largest and smallest at corners: with every vector at one of its
    ends. There the same line is run.
    """
    whole = cast(Stepped, compiled(cell.activated(NARROW), _INTERVALS))
    mixed = [(lhs, _of_corners(lhs, e)) for lhs, e in cell.equations if _mixes(e)]
    if not mixed:
        return whole
    ((before, after),) = cell.states or ((None, None),)
    final = {lhs for lhs, _ in mixed} <= {after, cell.output}  # nothing else is computed from it

    def step(x: Interval, h: Interval | None, p: Mapping[str, Interval]) -> dict[str, Interval]:
        found = whole(x, h, p)
        if final:
            known = {**p, **found, **({before.name: h} if before is not None and h is not None else {})}
            for lhs, corners in mixed:
                found[lhs.name] = corners(known, found[lhs.name])
        return found

    return step


def _mixes(e: Expr) -> bool:
    """Whether some vector occurs twice, though each is of the first degree by itself."""
    nodes = list(walk(e))
    vectors = [s for s in nodes if isinstance(s, Vec)]
    if len(vectors) == len(set(vectors)) or any(isinstance(n, Function) for n in nodes):
        return False
    form = Poly(e.doit().expand(), *sorted(set(vectors), key=str))
    return all(form.degree(v) <= 1 for v in form.gens)


def _of_corners(lhs: Vec, e: Expr) -> Callable[[Mapping[str, Interval], Interval], Interval]:
    vectors = list(dict.fromkeys(s for s in walk(e) if isinstance(s, Vec)))
    line = compiled(Cell("corner", ((lhs, e),), inputs=tuple(vectors), states=()), _INTERVALS)
    ends = np.array(list(product((0, 1), repeat=len(vectors)))).T  # one row for each vector

    def corners(known: Mapping[str, Interval], naive: Interval) -> Interval:
        boxes = [np.broadcast_to(known[v.name].ends, naive.ends.shape) for v in vectors]
        if not all(np.isfinite(b).all() for b in boxes):
            return naive  # a corner at infinity is none
        points = [Interval.exactly(np.moveaxis(b, -1, 0)[at]) for b, at in zip(boxes, ends, strict=True)]
        found = line(
            cast(Array, points[0]), None, {v.name: cast(Array, q) for v, q in zip(vectors[1:], points[1:], strict=True)}
        )[lhs.name]
        value = cast(Interval, found)
        return naive.cut(value.low.min(0), value.high.max(0))

    return corners
