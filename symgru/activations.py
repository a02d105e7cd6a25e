"""What every activation means, by Keras 3's names. How C computes it is `approximations`' business.

An activation is a named function in the equations, so that documents print relu(a) and the definition once. Its
definition uses only the elementary functions below, which each domain and each language provides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from sympy import Abs, Expr, Function, Integer, Pow, Rational, Symbol, erf, evaluate, exp, oo, tanh
from sympy.core.function import UndefinedFunction

from symgru.algebra import Across, rebuild, sigma
from symgru.errors import Unsupported


class clip(Function):  # noqa: N801
    """clip(a, low, high): `a` kept between two constants; NaN stays NaN. `high` may be infinite."""

    nargs = 3
    is_real = True


class where_positive(Function):  # noqa: N801
    """where_positive(a, p, q): p where a > 0, else q (also where a is NaN)."""

    nargs = 3
    is_real = True


class expm1(Function):  # noqa: N801
    """e^a - 1 without cancellation near 0."""

    nargs = 1
    is_real = True


class log1p(Function):  # noqa: N801
    """log(1 + a) without cancellation near 0."""

    nargs = 1
    is_real = True


ELEMENTARY = (sigma, tanh, exp, expm1, log1p, erf, Abs, clip, where_positive)
SOFTMAX = Symbol("softmax")

a = Symbol("a", real=True)
SELU_SCALE = Rational("1.0507009873554804934193349852946")
SELU_ALPHA = Rational("1.6732632423543772848170429916717")
HALF_ROOT = Rational(*float(np.float32(0.5**0.5)).as_integer_ratio())  # TensorFlow holds 1/√2 as a float32
LEAKY_SLOPE = Rational(*float(np.float32(0.2)).as_integer_ratio())  # Keras holds 0.2 as a float32


def _named(name: str) -> UndefinedFunction:
    return Function(name, real=True, nargs=1)


@dataclass(frozen=True)
class Activation:
    """A Keras name, the node that stands for it in an equation, and its meaning in elementary functions.

    For an elementary activation (sigmoid, tanh, exponential) and for `linear` node and meaning are the same.
    """

    name: str
    node: Callable[[Expr], Expr]
    meaning: Expr

    def __call__(self, argument: Expr) -> Expr:
        return self.node(argument)


def _definitions() -> dict[str, Expr]:
    with evaluate(False):
        softplus = log1p(exp(-Abs(a))) + clip(a, Integer(0), oo)
        hard_sigmoid = clip(a + 3, Integer(0), Integer(6)) / 6
        return {
            "relu": clip(a, Integer(0), oo),
            "relu6": clip(a, Integer(0), Integer(6)),
            "leaky_relu": where_positive(a, a, LEAKY_SLOPE * a),
            "elu": where_positive(a, a, expm1(a)),
            "selu": SELU_SCALE * where_positive(a, a, SELU_ALPHA * expm1(a)),
            "softplus": softplus,
            "softsign": a / (1 + Abs(a)),
            "silu": a * sigma(a),
            "hard_sigmoid": hard_sigmoid,
            "hard_silu": a * hard_sigmoid,
            "hard_tanh": clip(a, Integer(-1), Integer(1)),
            "tanh_shrink": a - tanh(a),
            "gelu": a * (1 + erf(HALF_ROOT * a)) / 2,
            "mish": a * tanh(softplus),
        }


@cache
def table() -> dict[str, Activation]:
    """Every activation by name."""
    same = {
        "sigmoid": lambda e: sigma(e, evaluate=False),
        "tanh": lambda e: tanh(e, evaluate=False),
        "exponential": lambda e: exp(e, evaluate=False),
        "linear": lambda e: e,
        "softmax": lambda e: Across(SOFTMAX, e, evaluate=False),
    }
    entries = {name: Activation(name, node, node(a)) for name, node in same.items()}
    for name, meaning in _definitions().items():
        entries[name] = Activation(name, _named(name), meaning)
    return entries


with evaluate(False):
    LOGISTIC = 1 / (1 + exp(-a))  # what sigma is, for readers and languages that have no such key

SYNONYMS = {"swish": "silu", "hard_swish": "hard_silu", None: "linear"}


def activation(name: object) -> Activation:
    """The activation of a Keras name (None is linear). Unsupported names are refused with the list of the known."""
    key = SYNONYMS.get(cast(str, name), name) if isinstance(name, str | None) else name
    if not isinstance(key, str) or key not in table():
        raise Unsupported(f"activation {str(name)[:60]!r} is not supported; known are {', '.join(sorted(table()))}")
    return table()[key]


def definition_of(e: Expr) -> Activation | None:
    """The activation whose named function is the head of `e`, or None for anything else."""
    return table().get(e.func.__name__) if isinstance(type(e), UndefinedFunction) else None


def substitute(meaning: Expr, argument: Expr) -> Expr:
    """A meaning with its variable `a` replaced, in the order written."""
    if meaning == a:
        return argument
    if not meaning.args or isinstance(meaning, Pow) and not meaning.has(a):
        return meaning
    return cast(Expr, meaning.func(*(substitute(cast(Expr, m), argument) for m in meaning.args), evaluate=False))


def expanded(e: Expr) -> Expr:
    """`e` with every named activation replaced by its meaning, for places that know only elementary functions."""

    def expand(node: Expr) -> Expr:
        known = definition_of(node)
        return substitute(known.meaning, cast(Expr, node.args[0])) if known else node

    return rebuild(e, expand)


def used_in(e: Expr) -> list[Activation]:
    """The named activations in `e`, in reading order, each once."""
    found: dict[str, Activation] = {}

    def look(node: Expr) -> Expr:
        known = definition_of(node)
        if known:
            found.setdefault(known.name, known)
        return node

    rebuild(e, look)
    return list(found.values())
