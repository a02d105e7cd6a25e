"""Values with certified bounds: an expression at a point of exact rationals, in interval arithmetic.

Every operation rounds outwards, so the exact value lies in the interval that comes out. Two intervals without a common
number are therefore a refutation of an equation, whatever the precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

from mpmath.ctx_iv import MPIntervalContext  # type: ignore[import-untyped]
from sympy import Derivative, Expr, Integer, Rational, S, Symbol

from symgru.activations import expanded
from symgru.algebra import Across, Dot
from symgru.errors import Unsupported
from symgru.proofs.normal import derivative

Interval = Any  # mpmath has no types
Value = Any  # an Interval for what is the same in every unit, else a tuple of them
Number = int | Fraction | tuple[Any, ...]  # a number, a vector of numbers, a matrix as a tuple of rows

BITS = 100
DIGITS = 6  # of a value that is printed

_iv = MPIntervalContext()
_iv.prec = BITS


@dataclass(frozen=True)
class Point:
    """A number for every symbol, by its name; `others` is that of each symbol that has none of its own.

    A vector or matrix whose elements are all the same is given by one number; but where there is more than one unit,
    the state is a tuple, which says how many there are.
    """

    values: Mapping[str, Number] = field(default_factory=dict)
    others: Number | None = None

    def __getitem__(self, name: str) -> Number:
        number = self.values.get(name, self.others)
        if number is None:
            raise Unsupported(f"the point has no number for {name}")
        return number

    def at(self, **values: Number) -> Point:
        """The point with other numbers for these."""
        return Point({**self.values, **values}, self.others)

    def renamed(self, old: str, new: str) -> Point:
        """The point with one symbol under another name."""
        return Point({new if name == old else name: number for name, number in self.values.items()}, self.others)


def enclosure(e: Expr, point: Point, known: Mapping[Symbol, Value] | None = None) -> Value:
    """Intervals that hold the exact value of `e` in each unit; one interval where all units are alike. `known` symbols
    have intervals already."""
    return _Evaluation(point, dict(known or {})).value(expanded(e))


def constant(number: Fraction | int) -> Interval:
    """The interval of one rational number."""
    return _lifted(Fraction(number))


def components(value: Value) -> tuple[Interval, ...]:
    return value if isinstance(value, tuple) else (value,)


def apart(left: Value, right: Value) -> Iterator[tuple[Interval, Interval]]:
    """The components in which two values have no number in common."""
    pairs = _elementwise(lambda p, q: (p, q))(left, right)
    for p, q in pairs if isinstance(pairs[0], tuple) else [pairs]:
        if p.b < q.a or q.b < p.a:
            yield p, q


def digits(*values: Interval) -> tuple[str, ...]:
    """The middles of intervals far narrower than what is shown: six digits, or as many as tell them apart."""
    for count in (DIGITS, 2 * DIGITS, 4 * DIGITS):
        texts = tuple(_iv.nstr(v.mid, count).strip("[]").partition(",")[0].removesuffix(".0") for v in values)
        if len(set(texts)) == len(texts):
            break
    return texts


@dataclass(frozen=True)
class _Evaluation:
    point: Point
    known: dict[Expr, Value]  # every node that has been worked out

    def value(self, e: Expr) -> Value:
        if e not in self.known:
            self.known[e] = self._worked_out(e)
        return self.known[e]

    def _worked_out(self, e: Expr) -> Value:
        if isinstance(e, Symbol):
            return _lifted(self.point[e.name])
        if isinstance(e, Rational):
            return _iv.mpf(e.p) / e.q
        if e is S.Exp1:
            return _iv.exp(1)
        if isinstance(e, Derivative):
            return self.value(derivative(e))
        if isinstance(e, Across):
            return _ACROSS[str(e.args[0])](self.value(cast(Expr, e.args[1])))
        if e.is_Pow and isinstance(e.args[1], Integer):
            exponent = int(e.args[1])
            return _elementwise(lambda base: base**exponent)(self.value(cast(Expr, e.args[0])))
        values = [None if arg is S.Infinity else self.value(cast(Expr, arg)) for arg in e.args]
        if isinstance(e, Dot):
            return _product(*values)
        known = _FUNCTIONS.get("Add" if e.is_Add else "Mul" if e.is_Mul else type(e).__name__)
        if known is None:
            raise Unsupported(f"no interval is known for {type(e).__name__}: {str(e)[:60]}")
        return _elementwise(known)(*values)


def _lifted(number: Number) -> Value:
    if isinstance(number, tuple):
        return tuple(map(_lifted, number))
    q = Fraction(number)
    return _iv.mpf(q.numerator) / q.denominator


def _elementwise(f: Callable[..., Any]) -> Callable[..., Value]:
    def apply(*values: Value) -> Value:
        lengths = {len(v) for v in values if isinstance(v, tuple)}
        if not lengths:
            return f(*values)
        (length,) = lengths
        return tuple(f(*(v[k] if isinstance(v, tuple) else v for v in values)) for k in range(length))

    return apply


def _product(matrix: Value, vector: Value) -> Value:
    """W @ v; a matrix that is one number has it everywhere, and with a vector of one component is 1 x 1."""
    if isinstance(matrix, tuple):
        return tuple(sum((w * v for w, v in zip(row, components(vector), strict=True)), _iv.mpf(0)) for row in matrix)
    return matrix * sum(components(vector), _iv.mpf(0))


def _softmax(a: Value) -> Value:
    powers = [_iv.exp(v) for v in components(a)]
    shares = tuple(p / sum(powers, _iv.mpf(0)) for p in powers)
    return shares if isinstance(a, tuple) else shares[0]


def _log_softmax(a: Value) -> Value:
    total = _iv.log(sum((_iv.exp(v) for v in components(a)), _iv.mpf(0)))
    return _elementwise(lambda v: v - total)(a)


def _sparsemax(a: Value) -> Value:
    """As Keras computes it (`domains.sparsemax`), where the intervals tell the order and the support."""
    falling = sorted(components(a), key=lambda v: v.mid, reverse=True)
    last = total = _iv.mpf(0)
    count = 0
    for k, value in enumerate(falling, 1):
        last = last + value
        margin = k * value - (last - 1)
        if margin.a <= 0 < margin.b or k < len(falling) and falling[k].b > value.a:
            raise Unsupported("no interval is known for sparsemax of arguments that are only known roughly")
        total, count = (total + last, count + 1) if margin.a > 0 else (total, count)
    return _elementwise(lambda v: _clip(v - (total - 1) / count, _iv.mpf(0), None))(a)


_ACROSS = {"softmax": _softmax, "log_softmax": _log_softmax, "sparsemax": _sparsemax}


def _added(*summands: Interval) -> Interval:
    return sum(summands, _iv.mpf(0))


def _multiplied(*factors: Interval) -> Interval:
    product = _iv.mpf(1)
    for f in factors:
        product *= f
    return product


def _clip(a: Interval, low: Interval, high: Interval | None) -> Interval:
    ends = [max(end, low.a) for end in (a.a, a.b)]
    return _hull(*(ends if high is None else [min(end, high.b) for end in ends]))


def _where_positive(a: Interval, p: Interval, q: Interval) -> Interval:
    return p if a.a > 0 else q if a.b <= 0 else _hull(p, q)


def _hull(*intervals: Interval) -> Interval:
    return _iv.mpf([min(x.a for x in intervals), max(x.b for x in intervals)])


def _erf(a: Interval) -> Interval:
    """The sign of erf is its argument's, and |erf| < 1: all that is needed of it."""
    return _iv.mpf([0 if a.a >= 0 else -1, 0 if a.b <= 0 else 1])


_FUNCTIONS: dict[str, Callable[..., Interval]] = {
    "Add": _added,
    "Mul": _multiplied,
    "sigma": lambda a: 1 / (1 + _iv.exp(-a)),
    "tanh": lambda a: 1 - 2 / (1 + _iv.exp(2 * a)),
    "exp": _iv.exp,
    "expm1": lambda a: _iv.exp(a) - 1,
    "log1p": lambda a: _iv.log(1 + a),
    "erf": _erf,
    "sqrt": _iv.sqrt,
    "Abs": abs,
    "clip": _clip,
    "where_positive": _where_positive,
}
