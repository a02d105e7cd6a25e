"""Rewritings of a cell under a name, each with the proof that it changes nothing (under what it assumes)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from sympy import Expr, Function, S, Symbol, expand

from symgru.algebra import Dot, Mat, Vec, add, mul, rebuild, terms, walk
from symgru.cells import Cell

Rewriting = tuple[Cell, Mapping[Symbol, Expr]]  # the new cell; its new parameters in terms of the old ones


@dataclass(frozen=True)
class Transform:
    """A cell in, a cell out. `preserves`: the function computed stays the same where `assumes(cell)` symbols are 0."""

    name: str
    says: str
    apply: Callable[[Cell], Rewriting]
    preserves: bool = True
    assumes: Callable[[Cell], set[Symbol]] = field(default=lambda cell: set())

    def __call__(self, cell: Cell) -> Cell:
        return self.apply(cell)[0]

    def proof(self, cell: Cell) -> bool:
        """Whether the outputs of both cells have the same normal form."""
        new, params = self.apply(cell)
        zero = dict.fromkeys(self.assumes(cell), S.Zero)
        old_form, new_form = closed(cell), closed(new).xreplace(dict(params))
        return cast(bool, normal(old_form.xreplace(zero)) == normal(new_form.xreplace(zero)))


def closed(cell: Cell) -> Expr:
    """The output as one expression in inputs, states and parameters."""
    values: dict[Symbol, Expr] = {}
    for lhs, rhs in cell.equations:
        values[lhs] = cast(Expr, rhs.xreplace(values))
    return values[cell.output]


def normal(e: Expr) -> Expr:
    """SymPy's sorted form with products multiplied out; equal forms mean equal functions."""

    def linear(d: Expr) -> Expr:
        return S.Zero if S.Zero in d.args else d

    return cast(Expr, expand(e.replace(lambda q: isinstance(q, Dot), linear).doit()))


def _is_bias(s: object, cell: Cell) -> bool:
    return isinstance(s, Vec) and s in cell.params


def _biases(cell: Cell) -> set[Symbol]:
    return {p for p in cell.params if not isinstance(p, Mat)}


def _merge(cell: Cell) -> Rewriting:
    """b + c becomes d in every sum that holds both, where neither occurs anywhere else."""
    uses = [s for _, e in cell.equations for s in walk(e)]
    params: dict[Symbol, Expr] = {}

    def merge(e: Expr) -> Expr:
        own = [t for t in terms(e) if _is_bias(t, cell) and uses.count(t) == 1] if e.is_Add else []
        if len(own) < 2:
            return e
        merged = Vec("d_" + own[0].name.partition("_")[2], real=True)
        params[merged] = add(*own)
        rest = [merged if t == own[0] else t for t in terms(e) if t not in own[1:]]
        return add(*rest)

    return cell.with_equations(tuple((lhs, rebuild(e, merge)) for lhs, e in cell.equations)), params


def _drop_unused(cell: Cell) -> Rewriting:
    """Lines that nothing after them reads are gone."""
    kept: list[tuple[Vec, Expr]] = []
    needed: set[Symbol] = {cell.output, *(after for _, after in cell.states)}
    for lhs, rhs in reversed(cell.equations):
        if lhs in needed:
            kept.append((lhs, rhs))
            needed |= {s for s in walk(rhs) if isinstance(s, Vec)}
    return cell.with_equations(tuple(reversed(kept))), {}


def _calculator_lines(cell: Cell) -> Rewriting:
    """The argument a of every activation, the state's part u under the reset gate, and the operand v of a product
    with a matrix get lines of their own: each line is then one entry on a calculator."""
    lines: list[tuple[Vec, Expr]] = []

    def own_line(letter: str, lhs: Vec, e: Expr) -> Vec:
        taken = {s.name for s, _ in lines} | {s.name for s in cell.defined}
        name = f"{letter}_{lhs.name}"
        while name in taken:
            name += "'"
        lines.append((Vec(name, real=True), e))
        return lines[-1][0]

    for lhs, rhs in cell.equations:

        def split(e: Expr, lhs: Vec = lhs) -> Expr:
            if isinstance(e, Dot) and not e.args[1].is_Symbol:
                return cast(Expr, Dot(e.args[0], own_line("v", lhs, cast(Expr, e.args[1])), evaluate=False))
            if e.is_Mul and any(map(_holds_dot, e.args)):
                return mul(*(own_line("u", lhs, a) if _holds_dot(a) else a for a in cast("tuple[Expr, ...]", e.args)))
            if isinstance(e, Function) and not isinstance(e, Dot) and not e.args[-1].is_Symbol:
                *front, last = cast("tuple[Expr, ...]", e.args)
                return cast(Expr, e.func(*front, own_line("a", lhs, last), evaluate=False))
            return e

        lines.append((lhs, rebuild(rhs, split)))
    return cell.with_equations(tuple(lines)), {}


def _holds_dot(e: object) -> bool:
    return any(isinstance(node, Dot) for node in walk(cast(Expr, e)))


def _states(cell: Cell) -> set[Symbol]:
    return {before for before, _ in cell.states}


def _without(which: Callable[[Cell], set[Symbol]]) -> Callable[[Cell], Rewriting]:
    return lambda cell: (cell.without(which(cell)), {})


ZERO_STATE = Transform(
    "zero initial state",
    "the state before the first step is 0, so its terms are gone",
    _without(_states),
    assumes=_states,
)
MERGED_BIASES = Transform("merged biases", "two biases that are only ever added become one", _merge)
ZERO_BIASES = Transform(
    "zero biases", "biases that are 0, as in a freshly built layer, are left out", _without(_biases), assumes=_biases
)
UNUSED = Transform("unused lines", "lines that nothing reads are left out", _drop_unused)
CALCULATOR = Transform("calculator lines", "every line is one entry on a calculator", _calculator_lines)

RULES = {t.name: t for t in (ZERO_STATE, MERGED_BIASES, ZERO_BIASES, UNUSED, CALCULATOR)}


def zero_params(params: set[Symbol]) -> Transform:
    """Leave out just these parameters, which are known to be 0."""
    return Transform("zero biases", ZERO_BIASES.says, _without(lambda cell: params), assumes=lambda cell: params)


def chain(transforms: list[Transform], cell: Cell) -> Iterator[tuple[Transform, Cell]]:
    """Apply one after the other, yielding the cell after each."""
    for t in transforms:
        cell = t(cell)
        yield t, cell
