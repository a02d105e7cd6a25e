"""Derivatives of element-wise expressions in the order a person would write them.

SymPy's own `diff` sorts what it returns; here the product rule leaves every factor in its place, so that what is
printed, and the order in which it is computed, is that of the equation. The derivative of a named activation is taken
from its meaning. Where a function has a kink TensorFlow's choice is taken (`KINKS`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

from sympy import Abs, Expr, Function, Pow, S, Symbol, erf, exp, oo, tanh
from sympy.core.function import AppliedUndef

from symgru.activations import (
    LOG_SOFTMAX,
    SOFTMAX,
    Activation,
    a,
    clip,
    expm1,
    known,
    log1p,
    substitute,
    table,
    where_positive,
)
from symgru.algebra import Across, Prime, Total, add, is_square, mul, rebuild, sigma, sqrt, square, terms, walk
from symgru.errors import Unsupported


class between(Function):  # noqa: N801
    """between(a, low, high): 1 where low < a < high, else 0 (also where a is NaN)."""

    nargs = 3
    is_real = True


class within(Function):  # noqa: N801
    """within(a, low, high): 1 where low <= a <= high, else 0 (also where a is NaN)."""

    nargs = 3
    is_real = True


class gauss(Function):  # noqa: N801
    """2/√π e^(-a²), the derivative of erf."""

    nargs = 1
    is_real = True


# What TensorFlow 2 takes where a function has a kink, measured (tests/frameworks/test_gradients.py). Of the pieces that
# meet there it takes the one below 0 and beyond the ends: relu'(0) = 0, relu6'(6) = 0, hard_sigmoid'(±3) = 0. These
# take the other one: selu'(0) is the slope above 0, hard_tanh'(±1) = 1. log_sigmoid has no kink, but its parts have.
KINKS = ("hard_tanh", "log_sigmoid", "selu")
JUMPS = (  # where a choice is needed
    *("hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "relu", "relu6", "selu", "soft_shrink"),
    "sparse_sigmoid",
)
# the same of the families with numbers
JUMPING = ("clip", "elu", "hard_shrink", "hard_sigmoid", "leaky_relu", "soft_shrink", "thresholded_relu")


def derivative(e: Expr, s: Symbol, closed: bool = False) -> Expr:
    """The partial derivative of an element-wise expression by one of its symbols; `closed` takes the piece above 0, and
    the one between the ends, where pieces meet.

    Raises Unsupported for what is not element-wise (a matrix product, softmax) and for functions without a rule.
    """
    if e == s:
        return S.One
    if s not in walk(e):
        return S.Zero
    args = cast("tuple[Expr, ...]", e.args)
    if e.is_Add:
        return total(*(derivative(t, s, closed) for t in args))
    if e.is_Mul:
        return total(*(times(*args[:k], derivative(f, s, closed), *args[k + 1 :]) for k, f in enumerate(args)))
    if isinstance(e, Pow):
        base, exponent = args
        if exponent == -1:
            return times(S.NegativeOne, derivative(base, s, closed), inverse(square(base)))
        if exponent == 2:
            return times(exponent, base, derivative(base, s, closed))
        raise Unsupported(f"no derivative is known of {str(e)[:60]}")
    if isinstance(e, where_positive):
        return _where(e, s, closed)
    return times(slope(e, closed), derivative(args[0], s, closed))


def _where(e: Expr, s: Symbol, closed: bool) -> Expr:
    condition, above, below = cast("tuple[Expr, Expr, Expr]", e.args)
    p, q = derivative(above, s, closed), derivative(below, s, closed)
    if closed:  # where condition >= 0
        return cast(Expr, where_positive(times(S.NegativeOne, condition), q, p, evaluate=False))
    return cast(Expr, where_positive(condition, p, q, evaluate=False))


def slope(f: Expr, closed: bool = False) -> Expr:
    """The derivative of a function of one argument, in terms of its own value `f` where that is shorter."""
    if isinstance(f, AppliedUndef):
        return cast(Expr, Prime(Symbol(type(f).__name__), f.args[0], evaluate=False))
    rule = SLOPES.get(type(f))
    if rule is None:
        raise Unsupported(f"no derivative is known of {type(f).__name__}: {str(f)[:60]}")
    return rule(f, closed)


def _clip_slope(f: Expr, closed: bool) -> Expr:
    inner, low, high = cast("tuple[Expr, Expr, Expr]", f.args)
    if high == oo:
        return cast(Expr, where_positive(add(*terms(inner), -low) if low else inner, S.One, S.Zero, evaluate=False))
    return cast(Expr, (within if closed else between)(inner, low, high, evaluate=False))


def _sign(e: Expr, closed: bool) -> Expr:
    if closed:  # 1 at 0
        return cast(Expr, where_positive(times(S.NegativeOne, e), S.NegativeOne, S.One, evaluate=False))
    return cast(Expr, where_positive(e, S.One, S.NegativeOne, evaluate=False))


def _one_minus(e: Expr) -> Expr:
    return add(S.One, mul(S.NegativeOne, e))


SLOPES: dict[type, Callable[[Expr, bool], Expr]] = {
    sigma: lambda f, closed: mul(f, _one_minus(f)),
    tanh: lambda f, closed: _one_minus(square(f)),
    exp: lambda f, closed: f,
    expm1: lambda f, closed: cast(Expr, exp(f.args[0], evaluate=False)),
    log1p: lambda f, closed: inverse(add(S.One, cast(Expr, f.args[0]))),
    sqrt: lambda f, closed: mul(S.Half, inverse(f)),
    erf: lambda f, closed: cast(Expr, gauss(f.args[0], evaluate=False)),
    Abs: lambda f, closed: _sign(cast(Expr, f.args[0]), closed),
    clip: _clip_slope,
}


def jumps(name: str) -> bool:
    """Whether the derivative of a named activation jumps, so that its value there is a choice."""
    return name in JUMPS or any(name.startswith(f"{family}_") and name not in table() for family in JUMPING)


@cache
def prime(name: str) -> Expr:
    """What Prime(Symbol(name), a) means: the derivative of a named activation's meaning by `a`."""
    return derivative(cast(Activation, known(name)).meaning, a, name in KINKS)


def across(f: Across, value: Expr, seed: Expr, forwards: bool = False) -> Expr:
    """What a function of all units hands back to its argument: `seed` times its Jacobian, in terms of its `value`.
    With `forwards` the Jacobian times `seed`, a change of the argument."""
    name = f.args[0]
    if name == SOFTMAX:  # its Jacobian is symmetric
        return times(value, _less(seed, _sum(mul(value, seed))))
    if name == LOG_SOFTMAX:
        share = cast(Expr, exp(value, evaluate=False))
        return _less(seed, _sum(mul(share, seed)) if forwards else mul(share, _sum(seed)))
    raise Unsupported(f"no derivative is known of {name}")


def _sum(e: Expr) -> Expr:
    return cast(Expr, Total(e, evaluate=False))


def _less(e: Expr, other: Expr) -> Expr:
    return add(e, times(S.NegativeOne, other))


def meant(e: Expr) -> Expr:
    """`e` with every Prime replaced by what it means."""

    def expand(node: Expr) -> Expr:
        if not isinstance(node, Prime):
            return node
        name, argument = cast("tuple[Symbol, Expr]", node.args)
        return substitute(prime(name.name), argument)

    return rebuild(e, expand)


def inverse(e: Expr) -> Expr:
    """1/e as a factor."""
    return cast(Expr, Pow(e, S.NegativeOne, evaluate=False))


def times(*factors: Expr) -> Expr:
    """The product in the order given, but sign and numbers in front, without brackets around products in it."""
    flat = [f for factor in factors for f in (factor.args if factor.is_Mul else (factor,))]
    if S.Zero in flat:
        return S.Zero
    negative = flat.count(S.NegativeOne) % 2
    rest = [f for f in flat if f not in (S.One, S.NegativeOne)]
    rest.sort(key=lambda f: not f.is_Rational)
    return mul(*([S.NegativeOne] if negative else []), *rest)


def total(*summands: Expr) -> Expr:
    """The sum in the order given, but one with a plus in front where there is one: n - h, not -h + n."""
    flat = [t for summand in summands for t in terms(summand) if t is not S.Zero]
    first = next((k for k, t in enumerate(flat) if not _is_negative(t)), 0)
    return add(*flat[first : first + 1], *flat[:first], *flat[first + 1 :])


def _is_negative(e: Expr) -> bool:
    return bool(e.is_number and e.is_negative) or e.is_Mul and e.args[0] is S.NegativeOne


def is_step(e: Expr) -> bool:
    """Whether `e` takes one of two numbers, whatever its argument is."""
    return isinstance(e, between | within) or isinstance(e, where_positive) and all(p.is_number for p in e.args[1:])


def named_parts(e: Expr) -> tuple[list[tuple[Symbol, Expr]], Expr]:
    """`e` for code: what occurs in it more than once gets a line and a name of its own, operands first."""
    parents: dict[Expr, int] = {}
    for node in dict.fromkeys(walk(e)):
        for operand in cast("tuple[Expr, ...]", node.args):
            parents[operand] = parents.get(operand, 0) + (2 if is_square(node) else 1)
    names: dict[Expr, Symbol] = {}
    lines: list[tuple[Symbol, Expr]] = []
    for node in dict.fromkeys(walk(e)):
        if parents.get(node, 0) > 1 and (node.is_Add or isinstance(node, Function)):
            letter = PART_NAMES.get(type(node), "s" if node.is_Add else "v")
            same = sum(s.name.rstrip("0123456789") == letter for s in names.values())
            lines.append((Symbol(f"{letter}{same + 1 if same else ''}", real=True), _in_names(node, names)))
            names[node] = lines[-1][0]
    return lines, _in_names(e, names)


PART_NAMES = {sigma: "y", tanh: "y", exp: "e", erf: "y", where_positive: "p"}


def _in_names(e: Expr, names: dict[Expr, Symbol]) -> Expr:
    if e in names:
        return names[e]
    return cast(Expr, e.func(*(_in_names(cast(Expr, t), names) for t in e.args), evaluate=False)) if e.args else e
