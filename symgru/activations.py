"""What every activation means, by Keras 3's names. How C computes it is `approximations`' business.

An activation is a named function in the equations, so that documents print relu(a) and the definition once. Its
definition uses only the elementary functions below, which each domain and each language provides. Functions of several
units at once (softmax, log_softmax, sparsemax) are nodes of their own: `algebra.Across`.

An activation with numbers is a list: ["leaky_relu", 0.01]. Its function's name says them, leaky_relu_0p01, so that two
slopes are two functions in every language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from functools import cache
from typing import cast

import numpy as np
from sympy import Abs, Expr, Function, Integer, Pow, Rational, Symbol, erf, evaluate, exp, oo, tanh
from sympy.core.function import UndefinedFunction

from symgru.algebra import Across, mul, rebuild, sigma, sqrt, square
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


ELEMENTARY = (sigma, tanh, exp, expm1, log1p, erf, sqrt, Abs, clip, where_positive)
ACROSS = SOFTMAX, LOG_SOFTMAX, SPARSEMAX = tuple(Symbol(name) for name in ("softmax", "log_softmax", "sparsemax"))

a = Symbol("a", real=True)
SELU_SCALE = Rational("1.0507009873554804934193349852946")
SELU_ALPHA = Rational("1.6732632423543772848170429916717")
HALF = Rational(1, 2)
ROOT, CUBIC = Rational("0.7978845608028654"), Rational("0.044715")  # sqrt(2/pi); Hendrycks and Gimpel 2016
HALF_ROOT = Rational(*float(np.float32(0.5**0.5)).as_integer_ratio())  # TensorFlow holds 1/√2 as a float32
EXACT_HALF_ROOT = Rational("0.7071067811865475244008443621048490392848")  # PyTorch and ONNX hold it as a float64
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


with evaluate(False):
    NOTHING, POSITIVE, LOWER, UPPER = Integer(0), clip(a, Integer(0), oo), Integer(-1), Integer(1)
    SOFTPLUS = log1p(exp(-Abs(a))) + POSITIVE
    HARD_SIGMOID = clip(a + 3, NOTHING, Integer(6)) / 6

    # functions with numbers of their own: how many, and what they mean
    FAMILIES: dict[str, tuple[int, Callable[..., Expr]]] = {
        "affine": (2, lambda p, q: p * a + q),
        "celu": (1, lambda p: where_positive(a, a, p * expm1(a / p))),
        "clip": (2, lambda low, high: clip(a, low, high)),
        "elu": (1, lambda p: where_positive(a, a, p * expm1(a))),
        "gelu_erf": (0, lambda: a * (1 + erf(EXACT_HALF_ROOT * a)) / 2),  # "gelu" is TensorFlow's
        "gelu_tanh": (0, lambda: a * (1 + tanh(ROOT * (a + CUBIC * mul(a, square(a))))) / 2),
        "hard_shrink": (1, lambda p: where_positive(Abs(a) - p, a, NOTHING)),
        "hard_sigmoid": (2, lambda p, q: clip(p * a + q, NOTHING, UPPER)),
        "leaky_relu": (1, lambda p: where_positive(a, a, p * a)),
        "scaled_tanh": (2, lambda p, q: p * tanh(q * a)),
        "soft_shrink": (1, lambda p: where_positive(a - p, a - p, where_positive(-a - p, a + p, NOTHING))),
        "softplus": (1, lambda p: log1p(exp(-Abs(p * a))) / p + POSITIVE),
        "thresholded_relu": (1, lambda p: where_positive(a - p, a, NOTHING)),
    }
    KERAS: dict[str, Expr] = {
        "relu": POSITIVE,
        "relu6": clip(a, NOTHING, Integer(6)),
        "leaky_relu": where_positive(a, a, LEAKY_SLOPE * a),
        "elu": where_positive(a, a, expm1(a)),
        "celu": where_positive(a, a, expm1(a)),  # elu with another place for its number, which is 1 here
        "selu": SELU_SCALE * where_positive(a, a, SELU_ALPHA * expm1(a)),
        "softplus": SOFTPLUS,
        "softsign": a / (1 + Abs(a)),
        "silu": a * sigma(a),
        "hard_sigmoid": HARD_SIGMOID,
        "hard_silu": a * HARD_SIGMOID,
        "hard_tanh": clip(a, LOWER, UPPER),
        "hard_shrink": where_positive(Abs(a) - HALF, a, NOTHING),
        "soft_shrink": where_positive(a - HALF, a - HALF, where_positive(-a - HALF, a + HALF, NOTHING)),
        "tanh_shrink": a - tanh(a),
        "gelu": a * (1 + erf(HALF_ROOT * a)) / 2,
        "mish": a * tanh(SOFTPLUS),
        "log_sigmoid": -log1p(exp(-Abs(a))) - clip(-a, NOTHING, oo),
        "sparse_plus": where_positive(1 - a, square(clip(a + 1, NOTHING, oo)) / 4, a),
        "sparse_sigmoid": clip(a + 1, NOTHING, Integer(2)) / 2,
        "squareplus": (a + sqrt(square(a) + 4)) / 2,
    }


@cache
def table() -> dict[str, Activation]:
    """Every activation by name."""
    same = {
        "sigmoid": lambda e: sigma(e, evaluate=False),
        "tanh": lambda e: tanh(e, evaluate=False),
        "exponential": lambda e: exp(e, evaluate=False),
        "linear": lambda e: e,
    } | {across.name: _across(across) for across in ACROSS}
    entries = {name: Activation(name, node, node(a)) for name, node in same.items()}
    for name, meaning in KERAS.items():
        entries[name] = Activation(name, _named(name), meaning)
    return entries


def _across(name: Symbol) -> Callable[[Expr], Expr]:
    return lambda e: cast(Expr, Across(name, e, evaluate=False))


with evaluate(False):
    LOGISTIC = 1 / (1 + exp(-a))  # what sigma is, for readers and languages that have no such key

SYNONYMS = {"swish": "silu", "hard_swish": "hard_silu", None: "linear"}
REFUSED = {  # names of Keras that its own GRU rejects
    "glu": "it halves the number of units, which a gate cannot",
    "threshold": "it needs two numbers that a name does not give",
}
DIVIDED = ("celu", "softplus")  # their number is divided by
MAX_DIGITS = 40  # of a number in a function's name


def activation(name: object) -> Activation:
    """The activation of a Keras name (None is linear), or of a list [name, number, ...] such as ["leaky_relu", 0.01].

    Numbers are taken exactly as their shortest decimals say. `FAMILIES` holds the names that take numbers, and how
    many; ["relu"] is the same as "relu". Raises Unsupported for any other name and lists the known ones.
    """
    if isinstance(name, list | tuple) and name:
        return _with_numbers(name)
    key = SYNONYMS.get(cast(str, name), name) if isinstance(name, str | None) else name
    if isinstance(key, str) and key in REFUSED:
        raise Unsupported(f"activation '{key}' does not work in a layer: {REFUSED[key]}")
    if isinstance(key, str) and key in table():
        return table()[key]
    if isinstance(key, str) and FAMILIES.get(key, (1,))[0] == 0:
        return _member(key, ())
    raise Unsupported(f"activation {str(name)[:60]!r} is not supported; known are {', '.join(sorted(table()))}")


def _with_numbers(given: Sequence[object]) -> Activation:
    name, *numbers = given
    if not numbers or not isinstance(name, str) or name not in FAMILIES:
        if numbers:
            known = ", ".join(family for family, (count, _) in FAMILIES.items() if count)
            raise Unsupported(f"activation {str(name)[:60]!r} takes no numbers; those that do are {known}")
        return activation(name)
    count, _ = FAMILIES[name]
    if len(numbers) != count:
        raise Unsupported(f"activation '{name}' takes {count} number{'s' * (count > 1)}; it is given {len(numbers)}")
    return _member(name, tuple(_decimal(name, number) for number in numbers))


def _decimal(name: str, number: object) -> str:
    """A number's shortest decimals: what two equal numbers have in common."""
    written = str(number)
    try:
        value = Decimal(written if len(written) <= MAX_DIGITS and not isinstance(number, bool) else "nan")
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or abs(value.adjusted()) > 300:
        raise Unsupported(f"activation '{name}' is given {written[:60]!r}; it takes a number")
    plain = value.normalize(Context(prec=MAX_DIGITS)) if value else Decimal(0)
    text = next((t for t in (f"{plain:f}", f"{plain:e}") if len(t) <= MAX_DIGITS // 2), f"{plain:e}").replace("+", "")
    if name in DIVIDED and value <= 0:
        raise Unsupported(f"activation '{name}' divides by its number, which is {text}; it must be above 0")
    return text


SPELLED = str.maketrans({".": "p", "-": "m"})  # in a function's name
READ = str.maketrans({"p": ".", "m": "-"})


@cache
def _member(family: str, numbers: tuple[str, ...]) -> Activation:
    name = "_".join([family, *(number.translate(SPELLED) for number in numbers)])
    with evaluate(False):
        meaning = rebuild(FAMILIES[family][1](*map(Rational, numbers)))
    return Activation(name, _named(name), meaning)


@cache
def known(name: str) -> Activation | None:
    """The activation whose function is called `name`: leaky_relu, or leaky_relu_0p01, whose number is in its name."""
    if name in table():
        return table()[name]
    for family, (count, _) in FAMILIES.items():
        found = re.fullmatch(family + r"_(m?[0-9][0-9pem]*)" * count, name)
        if found:
            return _member(family, tuple(number.translate(READ) for number in found.groups()))
    return None


def definition_of(e: Expr) -> Activation | None:
    """The activation whose named function is the head of `e`, or None for anything else."""
    return known(e.func.__name__) if isinstance(type(e), UndefinedFunction) else None


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
        named = definition_of(node)
        return substitute(named.meaning, cast(Expr, node.args[0])) if named else node

    return rebuild(e, expand)


def used_in(e: Expr) -> list[Activation]:
    """The named activations in `e`, in reading order, each once."""
    found: dict[str, Activation] = {}

    def look(node: Expr) -> Expr:
        named = definition_of(node)
        if named:
            found.setdefault(named.name, named)
        return node

    rebuild(e, look)
    return list(found.values())
