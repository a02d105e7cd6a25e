"""Float32 exactly as the emitted C does it: the schedule's order of sums and the emitted approximations' own steps.

With contraction off (no fused multiply-add) the C of schedule `portable` gives these same bits on every core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import numpy as np
from sympy import Expr, Function, Symbol, oo

from symgru.activations import expanded
from symgru.algebra import walk
from symgru.approximations import APPROXIMATIONS, numpy_function
from symgru.cell import Cell
from symgru.domains import Step
from symgru.errors import Unsupported
from symgru.network import Array, Tensor
from symgru.printing import OrderedPrinter
from symgru.schedule import Phase, Schedule, schedule


class Lane(OrderedPrinter):
    """An element-wise expression as float32 NumPy."""

    language = "float32 NumPy"

    def _print_Symbol(self, e: Symbol) -> str:
        return str(e.name)

    def _print_Integer(self, e: Expr) -> str:
        return f"float32({e})"

    def _print_Rational(self, e: Expr) -> str:
        return f"float32({float(e)!r})"

    def _print_clip(self, e: Expr) -> str:
        a, low, high = cast("tuple[Expr, Expr, Expr]", e.args)
        return f"clip({self._print(a)}, {self._print(low)}, {'None' if high == oo else self._print(high)})"

    def _print_Function(self, e: Expr) -> str:
        return self.call(type(e).__name__, cast("tuple[Expr, ...]", e.args))


def source(plan: Schedule) -> str:
    """One time step: accumulators are summed one operand element at a time, then the lanes."""
    cell = plan.cell
    state = str(cell.states[0][0]) if cell.states else "unused"
    lines = [f"{p} = p[{p.name!r}]" for p in (*cell.inputs[1:], *cell.params)]
    for phase in plan.phases:
        lines += _phase(phase)
    result = ", ".join(f"{lhs.name!r}: {lhs.name}" for lhs in cell.defined)
    body = "".join(f"    {line}\n" for line in lines)
    return f"def step({cell.inputs[0]}, {state}, p):\n{body}    return {{{result}}}\n"


def _phase(phase: Phase) -> list[str]:
    lines = [f"{acc} = zero" if not biases else f"{acc} = {biases[0]}" for acc, biases in phase.start.items()]
    for operand, pairs in phase.groups.items():
        lines.append(f"for k in range({operand}.shape[-1]):")
        lines += [f"    {acc} = {acc} + {matrix}[:, k] * {operand}[..., k : k + 1]" for acc, matrix in pairs]
    lines += [f"{lhs} = {name}({operand})" for lhs, name, operand in phase.across]
    printer = Lane()
    lines += [f"{lhs} = {printer.doprint(expanded(e))}" for lhs, e in phase.totals]
    lines += [f"{lhs} = {printer.doprint(expanded(e))}" for lhs, e in phase.lanes]
    return lines


class Float32:
    """A Domain whose results are the bits of the emitted C."""

    name = "float32"

    def lift(self, tensor: Tensor) -> Array:
        return tensor.value.astype(np.float32)

    def params(self, cell: Cell, weights: Mapping[str, Tensor]) -> Mapping[str, Array]:
        own = {name: t.value for name, t in weights.items()}
        return {name: v.astype(np.float32) for name, v in schedule(cell).weights(own).items()}

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, np.float32)

    def step(self, cell: Cell) -> Step:
        return _compiled(cell)

    def context(self) -> Any:
        return np.errstate(all="ignore")


@cache
def _compiled(cell: Cell) -> Step:
    namespace: dict[str, Any] = {
        "float32": np.float32,
        "zero": np.float32(0),
        "softmax": _softmax,
        "log_softmax": _log_softmax,
        "sparsemax": _sparsemax,
        "clip": _clip,
        "where_positive": _where_positive,
        "Select": np.where,
        "Total": _total,
        "Mean": lambda v: _total(v) / np.float32(v.shape[-1]),
        "Abs": np.abs,
        **_functions(),
    }
    plan = schedule(cell)
    nodes = (node for phase in plan.phases for _, e in [*phase.totals, *phase.lanes] for node in walk(expanded(e)))
    unknown = {type(node).__name__ for node in nodes if isinstance(node, Function)} - set(namespace)
    if unknown:
        raise Unsupported(f"float32 has no approximation of {', '.join(sorted(unknown))}")
    exec(compile(source(plan), f"<{cell.name} float32>", "exec"), namespace)
    return cast(Step, namespace["step"])


@cache
def _functions() -> dict[str, Callable[[Array], Array]]:
    return {name: numpy_function(a) for name, a in APPROXIMATIONS.items()}


def _clip(a: Array, low: Any, high: Any) -> Array:
    above = np.where(a < low, low, a)
    return above if high is None else np.where(above > high, high, above)


def _where_positive(a: Array, p: Array, q: Array) -> Array:
    return np.where(a > 0, p, q)


def _total(v: Array) -> Array:
    """From the first unit to the last."""
    total = np.zeros((*v.shape[:-1], 1), np.float32)
    for k in range(v.shape[-1]):
        total = total + v[..., k : k + 1]
    return total


def _shifted(a: Array) -> Array:
    """With the largest taken off, which is looked for from the first unit to the last."""
    top = a[..., :1]
    for k in range(1, a.shape[-1]):
        top = np.where(a[..., k : k + 1] > top, a[..., k : k + 1], top)
    return a - top


def _softmax(a: Array) -> Array:
    e = _functions()["exp"](_shifted(a))
    return e / _total(e)


def _log_softmax(a: Array) -> Array:
    shifted = _shifted(a)
    return shifted - _functions()["log"](_total(_functions()["exp"](shifted)))


def _sparsemax(a: Array) -> Array:
    """As templates/c/functions.c.j2 has it; NaN comes first in the order."""
    falling = np.sort(a, axis=-1)[..., ::-1]
    sums = np.cumsum(falling, axis=-1, dtype=np.float32)
    support = falling - (sums - np.float32(1)) / np.arange(1, a.shape[-1] + 1, dtype=np.float32) > 0
    total = _total(np.where(support, sums, np.float32(0)))
    above = a - (total - np.float32(1)) / _total(support.astype(np.float32))
    return np.where(above < 0, np.float32(0), above)
