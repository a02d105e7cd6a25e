"""Decimal arithmetic: exact digits as far as they are asked for, and the rounded chain of a calculator."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, cast

import numpy as np

from symgru.cell import Cell
from symgru.domains import ARRAYS, Domain, Rounded64, Step, compiled, sparsemax
from symgru.network import Array, Tensor
from symgru.rounding import Rounding, exactly


class Decimals:
    """Decimal arithmetic with `digits` significant digits; arrays hold Decimal objects.

    `typed` takes numbers as they are printed or were typed, else as the model stores them in binary. With a
    `rounding` every line is rounded when it is stored: the chain that a person with a calculator computes.
    """

    def __init__(self, digits: int = 50, typed: bool = False, rounding: Rounding | None = None) -> None:
        self.digits, self.typed, self.rounding = digits, typed, rounding
        self.name = "rounded chain" if rounding else "decimal"

    def lift(self, tensor: Tensor) -> Array:
        if self.typed:
            return _each(Decimal)(tensor.text)
        return _each(exactly)(tensor.value)

    def params(self, cell: Cell, weights: Mapping[str, Tensor]) -> Mapping[str, Array]:
        return {p.name: self.lift(weights[p.name]) for p in cell.params}

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.full(shape, Decimal(0), dtype=object)

    def step(self, cell: Cell) -> Step:
        return compiled(cell, {**_DECIMAL, **self.functions(cell), "store": self.store})

    def functions(self, cell: Cell) -> Mapping[str, Callable[..., Array]]:
        """Functions to use in place of those here."""
        return {}

    def store(self, v: Array) -> Array:
        """A line's value as it is used from then on."""
        return _each(self.rounding)(_exactly(v)) if self.rounding else v

    @contextmanager
    def context(self) -> Iterator[None]:
        with decimal.localcontext() as c:
            c.prec, c.Emax, c.Emin = self.digits, decimal.MAX_EMAX, decimal.MIN_EMIN
            c.clear_traps()  # Inf and NaN pass through as in every framework
            yield


def _each(f: Callable[..., Any]) -> Callable[..., Array]:
    ufunc = np.frompyfunc(f, 1, 1)

    def apply(a: Array) -> Array:
        return np.asarray(ufunc(a), dtype=object)

    return apply


def quickly(f: Callable[[Decimal], Decimal], decimals: int) -> Callable[..., Array]:
    """`f` in as many digits as it takes to round it to so many decimals, two more than it is printed with: most values
    are far from a tie, and their hundreds of further digits decide nothing."""
    finest = decimals + 2
    unit = Decimal(1).scaleb(-(finest + TAIL))
    middle = 5 * 10 ** (TAIL - 1)

    def value(a: Decimal) -> Decimal:
        with decimal.localcontext() as c:
            c.prec = QUICK
            v = f(a)
            near = not v.is_finite() or not -finest < v.adjusted() < QUICK - finest - 2 * TAIL
            near = near or abs(int(v.quantize(unit).scaleb(finest + TAIL)) % 10**TAIL - middle) <= 1
        return f(a) if near else v

    return _each(value)


def _vanishes(a: Decimal) -> bool:
    """Whether a is so small that f(a) = a to all digits, for an f with f(0) = 0 and f'(0) = 1."""
    return a == 0 or a.adjusted() < -decimal.getcontext().prec - 1


@contextmanager
def _extra(digits: int) -> Iterator[None]:
    with decimal.localcontext() as c:
        c.prec += max(0, digits)
        yield


def _saturated(a: Decimal) -> bool:
    """Whether e^-|a| is too small to be seen next to 1, so that its value need not be worked out."""
    return abs(a) > 3 * decimal.getcontext().prec


def _sigma(a: Decimal) -> Decimal:
    if a > 0:
        return Decimal(1) if _saturated(a) else 1 / (1 + (-a).exp())
    e = a.exp()
    return e / (1 + e)


def _tanh(a: Decimal) -> Decimal:
    if _vanishes(a):
        return +a
    if _saturated(a):
        return Decimal(1).copy_sign(a)
    with _extra(2 - a.adjusted()):  # e^2a - 1 loses as many digits as `a` has leading zeros
        e = (2 * a).exp()
        t = (e - 1) / (e + 1)
    return +t


def _expm1(a: Decimal) -> Decimal:
    if _vanishes(a):
        return +a
    with _extra(2 - a.adjusted()):
        t = a.exp() - 1
    return +t


def _log1p(a: Decimal) -> Decimal:
    if _vanishes(a):
        return +a
    with _extra(2 - a.adjusted()):
        t = (1 + a).ln()
    return +t


def _erf(a: Decimal) -> Decimal:
    if a.is_nan():
        return a
    if a * a > 3 * decimal.getcontext().prec:
        return Decimal(1).copy_sign(a)
    with _extra(int(a * a) + 5):  # the alternating series cancels as many digits as its largest term has
        total = term = a
        n = 0
        while term and total.adjusted() - term.adjusted() <= decimal.getcontext().prec:
            n += 1
            term = -term * a * a / n
            total += term / (2 * n + 1)
        t = 2 * total / pi().sqrt()
    return +t


def pi() -> Decimal:
    """Pi by Machin's formula, in the precision of the context."""

    def arctan_inverse(k: int) -> Decimal:
        total = term = Decimal(1) / k
        n = 1
        while term:
            term = -term / (k * k)
            n += 2
            if total + term / n == total:
                break
            total += term / n
        return total

    return 4 * (4 * arctan_inverse(5) - arctan_inverse(239))


def _clip(a: Decimal, low: Any, high: Any) -> Decimal:
    if a.is_nan():
        return a
    low_ok = a if low is None or a >= low else Decimal(low)
    return low_ok if high is None or low_ok <= high else Decimal(high)


def _log_softmax(a: Array) -> Array:
    a = a - a.max(-1, keepdims=True)
    return a - _each(Decimal.ln)(_each(Decimal.exp)(a).sum(-1, keepdims=True))


def _exactly(v: Any) -> Any:
    """A branch that is a number as a Decimal; an array as it is."""
    return v if isinstance(v, np.ndarray) else Decimal(v)


def _softmax(a: Array) -> Array:
    e = _each(Decimal.exp)(a - a.max(-1, keepdims=True))
    return cast(Array, e / e.sum(-1, keepdims=True))


def rounded(domain: Domain, decimals: int) -> Domain:
    """The arithmetic in which every line is rounded to so many decimals."""
    if isinstance(domain, Decimals):
        return Decimals(domain.digits, domain.typed, Rounding.plain(decimals))
    return Rounded64(decimals)


ALONE: Mapping[str, Callable[[Decimal], Decimal]] = {"sigma": _sigma, "tanh": _tanh}
TAIL, QUICK = 12, 48  # digits beyond the last one printed that say whether it is near a tie; digits of a quick value
_DECIMAL = {
    **ARRAYS,
    "sigma": _each(_sigma),
    "tanh": _each(_tanh),
    "exp": _each(Decimal.exp),
    "expm1": _each(_expm1),
    "log1p": _each(_log1p),
    "erf": _each(_erf),
    "gauss": lambda a: 2 / pi().sqrt() * _each(Decimal.exp)(-a * a),
    "between": lambda a, low, high: _each(lambda v: Decimal(int(low < v < high)))(a),
    "within": lambda a, low, high: _each(lambda v: Decimal(int(low <= v <= high)))(a),
    "sqrt": _each(Decimal.sqrt),
    "Abs": np.abs,
    "clip": lambda a, low, high: _each(lambda v: _clip(v, low, high))(a),
    "where_positive": lambda a, p, q: np.where(a > 0, _exactly(p), _exactly(q)),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "sparsemax": lambda a: sparsemax(a, Decimal(0)),
    "dot": lambda W, v: v @ W.T,
    "ratio": lambda p, q: Decimal(p) / q,
}
