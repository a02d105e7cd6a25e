"""The arithmetics in which a cell's one printed source is run, and the first of them, float64.

The source is printed from the equations, so no domain holds an equation. Float32, whose bits depend on the order of
the sums, is run from a schedule instead (module `float32`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import CodeType
from typing import Any, Protocol, cast

import numpy as np
from sympy import Dummy, Expr, Symbol

from symgru.activations import expanded
from symgru.algebra import Across, Dot, walk
from symgru.cell import Cell
from symgru.derivatives import meant
from symgru.network import Array, Tensor
from symgru.printing import OrderedPrinter

Step = Callable[[Array, Array | None, Mapping[str, Array]], dict[str, Array]]


class Domain(Protocol):
    """Numbers of one kind, held in arrays of shape (..., units)."""

    name: str

    def lift(self, tensor: Tensor) -> Array:
        """The tensor's numbers in this arithmetic."""

    def params(self, cell: Cell, weights: Mapping[str, Tensor]) -> Mapping[str, Array]:
        """What `step` needs of a layer's weights."""

    def step(self, cell: Cell) -> Step:
        """(x, h, params) -> every defined vector by name; the rows of x and h are a batch."""

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Zeros of this arithmetic."""

    def context(self) -> Any:
        """A context manager in which the arithmetic is done."""


class Source(OrderedPrinter):
    """Python that any domain can run: integers stay integers, other constants and functions are the domain's."""

    language = "the reference source"

    def _print_Symbol(self, e: Symbol) -> str:
        return str(e.name).replace("'", "_")

    def _print_Integer(self, e: Expr) -> str:
        return str(e)

    def _print_Rational(self, e: Any) -> str:
        return f"ratio({e.p}, {e.q})"

    def _print_Infinity(self, e: Expr) -> str:
        return "None"

    _print_NegativeInfinity = _print_Infinity

    def _print_Dot(self, e: Dot) -> str:
        return self.call("dot", cast("tuple[Expr, ...]", e.args))

    def _print_Across(self, e: Across) -> str:
        name, operand = e.args
        return f"{name}({self._print(operand)})"

    def _print_Function(self, e: Expr) -> str:
        first, *others = cast("tuple[Expr, ...]", e.args)
        first = cast(Expr, first.doit()) if first.is_number else first
        if first.is_Rational:  # sigma(0): a number of the domain, not Python's 0
            return f"{type(e).__name__}({', '.join([self._print_Rational(first), *map(self._print, others)])})"
        return self.call(type(e).__name__, (first, *others))


FUNCTIONS = (
    "sigma",
    "tanh",
    "exp",
    "expm1",
    "log1p",
    "erf",
    "Abs",
    "clip",
    "where_positive",
    "softmax",
    "log_softmax",
    "sparsemax",
    "dot",
    "ratio",
    "store",
    "between",
    "within",
    "gauss",
    "Total",
    "Transposed",
    "Mean",
    "Select",
    "sqrt",
)


@cache
def source(cell: Cell) -> str:
    """One time step of a cell as Python, one line an equation; inputs after the first come with the parameters."""
    p = Source()
    before = next((b for b, _ in cell.states), Dummy("unused"))
    names = {p.doprint(s): s.name for s in (*cell.inputs[1:], *cell.params)}
    lines = [f"    {python} = p[{name!r}]" for python, name in names.items()]
    lines += [_line(lhs, rhs) for lhs, rhs in cell.equations]
    result = ", ".join(f"{lhs.name!r}: {p.doprint(lhs)}" for lhs in cell.defined)
    state = before.name if cell.states else "unused"
    return "\n".join([f"def step({cell.inputs[0]}, {state}, p):", *lines, f"    return {{{result}}}", ""])


@cache
def _line(lhs: Symbol, rhs: Expr) -> str:
    p = Source()
    return f"    {p.doprint(lhs)} = store({p.doprint(expanded(meant(rhs)))})"


@cache
def _code(text: str, name: str) -> CodeType:
    return compile(text, f"<{name}>", "exec")


def compiled(cell: Cell, functions: Mapping[str, object]) -> Step:
    """The source with a domain's functions under it. The text is symgru's own; no name in it comes from a file."""
    namespace = dict(functions)
    exec(_code(source(cell), cell.name), namespace)
    return cast(Step, namespace["step"])


class Float64:
    """The reference: the equations in IEEE double precision."""

    name = "float64"

    def lift(self, tensor: Tensor) -> Array:
        return tensor.value.astype(np.float64)

    def params(self, cell: Cell, weights: Mapping[str, Tensor]) -> Mapping[str, Array]:
        return {p.name: self.lift(weights[p.name]) for p in cell.params}

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)

    @property
    def functions(self) -> Mapping[str, object]:
        """What stands in the source, by name."""
        return FLOAT64

    def step(self, cell: Cell) -> Step:
        return compiled(cell, self.functions)

    def context(self) -> Any:
        return np.errstate(all="ignore")  # Inf and NaN pass through as in every framework


def _identity(v: Array) -> Array:
    return v


def _sigma64(a: Array) -> Array:
    e = np.exp(-np.abs(a))  # never overflows, and keeps the small side's relative accuracy
    return np.where(a >= 0, 1 / (1 + e), e / (1 + e))


def _softmax64(a: Array) -> Array:
    e = np.exp(a - a.max(-1, keepdims=True))
    return cast(Array, e / e.sum(-1, keepdims=True))


def _log_softmax64(a: Array) -> Array:
    a = a - a.max(-1, keepdims=True)
    return cast(Array, a - np.log(np.exp(a).sum(-1, keepdims=True)))


def sparsemax(a: Array, zero: Any = 0.0) -> Array:
    """What Keras 3 computes under this name (keras/src/backend/tensorflow/nn.py): max(0, a - t), where t is the sum of
    all partial sums in the support, less 1, over their number. Martins and Astudillo 2016 take the last of those sums.
    """
    falling = np.sort(a, axis=-1)[..., ::-1]  # NaN first, as in TensorFlow
    sums = np.cumsum(falling, axis=-1)
    support = falling - (sums - 1) / np.arange(1, a.shape[-1] + 1) > 0
    total = np.where(support, sums, zero).sum(-1, keepdims=True)
    above = a - (total - 1) / support.sum(-1, keepdims=True)
    return cast(Array, np.where(above < 0, zero, above))


def _erf64(a: Array) -> Array:
    from math import erf

    return cast(Array, np.vectorize(erf, otypes=[np.float64])(a))


# What any array can do
ARRAYS: dict[str, Callable[..., Array]] = {
    "Total": lambda v: v.sum(-1, keepdims=True),
    "Transposed": lambda W: W.T,
    "Mean": lambda v: v.sum(-1, keepdims=True) / v.shape[-1],
    "Select": np.where,
}

FLOAT64: Mapping[str, Any] = {
    **ARRAYS,
    "sigma": _sigma64,
    "tanh": np.tanh,
    "exp": np.exp,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "erf": _erf64,
    "gauss": lambda a: 2 / np.sqrt(np.pi) * np.exp(-a * a),
    "between": lambda a, low, high: np.where((low < a) & (a < high), 1, 0),
    "within": lambda a, low, high: np.where((low <= a) & (a <= high), 1, 0),
    "sqrt": np.sqrt,
    "Abs": np.abs,
    "clip": np.clip,
    "where_positive": lambda a, p, q: np.where(a > 0, p, q),
    "softmax": _softmax64,
    "log_softmax": _log_softmax64,
    "sparsemax": sparsemax,
    "dot": lambda W, v: v @ W.T,
    "ratio": lambda p, q: p / q,
    "store": _identity,
}


def evaluated(e: Expr, numbers: Mapping[str, Array]) -> Array:
    """An expression of parameters in float64, from their values by name."""
    scope = {Source().doprint(s): numbers[s.name] for s in walk(e) if isinstance(s, Symbol)}
    with np.errstate(all="ignore"):
        return cast(Array, eval(Source().doprint(expanded(e)), {**FLOAT64, **scope}))


TIE = 1e-9  # in units of the last digit: a tie that float64 puts just below itself is one


class Rounded64(Float64):
    """Float64 in which every line is rounded to so many decimals, halves away from 0, as a person writes it down."""

    def __init__(self, decimals: int) -> None:
        self.decimals = decimals

    @property
    def functions(self) -> Mapping[str, object]:
        return {**super().functions, "store": self.store}

    def store(self, v: Array) -> Array:
        unit = 10.0**self.decimals
        return np.copysign(np.floor(np.abs(v) * unit + 0.5 + TIE) / unit, v)
