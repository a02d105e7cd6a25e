"""What goes otherwise in one line of a calculation: changes of a cell, of its arrays and of the sequence.

Each is a `Transform` of the cell's own equations, found by what an equation looks like and not by a cell's name, or a
rearrangement of the same numbers. A change that does not concern a cell or an array gives it back as it is. Which of
them people make, and how often, is module `mistake_table`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

from sympy import Expr, Function, S, tanh

from symgru.activations import definition_of
from symgru.algebra import Across, Dot, Mat, Select, Total, Vec, add, mul, rebuild, sigma, terms, walk
from symgru.cell import Cell
from symgru.comparison import Profile
from symgru.layout import Layout, layout
from symgru.rules import Rewriting, Transform


@dataclass(frozen=True)
class Roles:
    """Which symbol of a cell plays which part; None where no symbol does. In a minimal gated unit one gate is both."""

    update: Vec | None
    reset: Vec | None
    candidate: Vec

    @property
    def gates(self) -> tuple[Vec, ...]:
        return tuple(dict.fromkeys(g for g in (self.update, self.reset) if g is not None))


def roles(cell: Cell) -> Roles:
    """As the cell's profile has them; where nothing is mixed the candidate is the new state itself."""
    own = Profile(cell)
    update, reset = own.update, own.reset
    return Roles(
        update.gate if update else None, reset.gate if reset else None, update.candidate if update else cell.output
    )


def _changed(cell: Cell, which: Iterable[Vec], change: Callable[[Expr], Expr]) -> Cell:
    """The cell with the right-hand sides of some equations changed."""
    chosen = set(which)
    return cell.with_equations(tuple((lhs, change(e) if lhs in chosen else e) for lhs, e in cell.equations))


def _rewrites(name: str, says: str, change: Callable[[Cell], Cell]) -> Transform:
    def apply(cell: Cell) -> Rewriting:
        return change(cell), {}

    return Transform(name, says, apply, preserves=False)


# ------------------------------------------------------------------------------ the reset gate


def _in_candidate(change: Callable[[Cell, Vec, Expr], Expr]) -> Callable[[Cell], Cell]:
    """A change of the candidate's equation in a cell that has a reset gate."""

    def whole(cell: Cell) -> Cell:
        own = roles(cell)
        reset = own.reset
        return cell if reset is None else _changed(cell, [own.candidate], lambda e: change(cell, reset, e))

    return whole


def _gated_sum(e: Expr, gate: Vec) -> Expr | None:
    """What `gate` multiplies, where `e` is gate * (... + U @ h + ...)."""
    if not (e.is_Mul and len(e.args) == 2 and gate in e.args):
        return None
    other = cast(Expr, e.args[0] if e.args[1] == gate else e.args[1])
    return other if any(isinstance(t, Dot) for t in terms(other)) else None


def _gated_operand(e: Expr, gate: Vec) -> Expr | None:
    """v, where `e` is U @ (gate * v)."""
    if not (isinstance(e, Dot) and e.args[1].is_Mul and gate in e.args[1].args):
        return None
    return mul(*(cast(Expr, f) for f in e.args[1].args if f != gate))


def _before(cell: Cell, gate: Vec, e: Expr) -> Expr:
    def move(e: Expr) -> Expr:
        inner = _gated_sum(e, gate)
        if inner is None:
            return e
        return add(*(_product(t, mul(gate, cast(Expr, t.args[1]))) if isinstance(t, Dot) else t for t in terms(inner)))

    return rebuild(e, move)


def _after(cell: Cell, gate: Vec, e: Expr) -> Expr:
    def move(e: Expr) -> Expr:
        operand = _gated_operand(e, gate)
        return e if operand is None else mul(gate, _product(e, operand))

    return rebuild(e, move)


def _product(e: Expr, v: Expr) -> Expr:
    """The product of another vector with the same matrix."""
    return cast(Mat, e.args[0]) @ v


def _bias_outside(cell: Cell, gate: Vec, e: Expr) -> Expr:
    def move(e: Expr) -> Expr:
        inner = _gated_sum(e, gate)
        if inner is None:
            return e
        outside = [t for t in terms(inner) if t in cell.params]
        return add(mul(gate, add(*(t for t in terms(inner) if t not in outside))), *outside)

    return rebuild(e, move)


def _parted(cell: Cell, gate: Vec, e: Expr) -> tuple[list[Expr], list[Expr]]:
    """The summands of the activation's argument: those that do not know the gate, and the others without it."""
    free: list[Expr] = []
    gated: list[Expr] = []
    for t in terms(cast(Expr, e.args[0])):
        if gate not in set(walk(t)):
            free.append(t)
        else:
            gated += terms(rebuild(t, lambda s: S.One if s == gate else s))
    return free, gated


def _around(pick: Callable[[Vec, list[Expr], list[Expr]], Expr]) -> Callable[[Cell, Vec, Expr], Expr]:
    """The activation's argument put together anew from its free and its gated summands."""

    def change(cell: Cell, gate: Vec, e: Expr) -> Expr:
        if not _is_activation(e) or e.args[0].is_Symbol:
            return e
        return cast(Expr, e.func(rebuild(pick(gate, *_parted(cell, gate, e))), evaluate=False))

    return change


RESET_BEFORE = _rewrites(
    "reset before the product", "the reset gate multiplies the state, not its product", _in_candidate(_before)
)
RESET_AFTER = _rewrites(
    "reset after the product", "the reset gate multiplies the product, not the state", _in_candidate(_after)
)
BIAS_OUTSIDE = _rewrites(
    "bias outside the reset gate", "the reset gate leaves the state's bias alone", _in_candidate(_bias_outside)
)
RESET_ON_INPUT = _rewrites(
    "reset gate on the input's part",
    "the reset gate multiplies what comes from the input",
    _in_candidate(_around(lambda g, free, gated: add(mul(g, add(*free)), *gated) if free else add(*gated))),
)
RESET_ON_SUM = _rewrites(
    "reset gate on the whole sum",
    "the reset gate multiplies everything that the activation is taken of",
    _in_candidate(_around(lambda g, free, gated: mul(g, add(*free, *gated)))),
)


def gate_as(pick: Callable[[Roles], Vec | None], value: int) -> Transform:
    """A gate taken as 0 or 1 wherever it is read."""

    def change(cell: Cell) -> Cell:
        gate = pick(roles(cell))
        return cell if gate is None else cell.filled({gate: S.One if value else S.Zero})

    return _rewrites(f"a gate is {value}", f"a gate is {value} wherever it is read", change)


def _forgotten(cell: Cell) -> Cell:
    return cell.without({before for before, _ in cell.states})


FRESH_STATE = _rewrites("fresh state", "every step begins at a state of 0", _forgotten)


# ------------------------------------------------------------------------------ activations


def _is_activation(e: Expr) -> bool:
    return isinstance(e, Function) and len(e.args) == 1 and not isinstance(e, Dot | Across)


def gate_heads(cell: Cell) -> set[str]:
    """The activations of the gates, by name."""
    equations = dict(cell.equations)
    return {_called(equations[g]) for g in roles(cell).gates}


def candidate_head(cell: Cell) -> str:
    """The candidate's activation; "" where it has none."""
    return _called(dict(cell.equations)[roles(cell).candidate])


def _called(e: Expr) -> str:
    known = definition_of(e)
    if known:
        return known.name
    return {sigma: "sigmoid", tanh: "tanh"}.get(e.func, "") if _is_activation(e) else ""


def activated(
    name: str,
    gates: Callable[[Expr], Expr] | None = None,
    candidate: Callable[[Expr], Expr] | None = None,
    where: Callable[[Cell], bool] = lambda cell: True,
) -> Transform:
    """Other functions of the same arguments in the place of the gates' and the candidate's activations."""

    def change(cell: Cell) -> Cell:
        own = roles(cell)
        if not where(cell):
            return cell
        for which, function in ((own.gates, gates), ((own.candidate,), candidate)):
            if function is not None:
                cell = _changed(cell, which, lambda e, f=function: f(e.args[0]) if _is_activation(e) else e)  # type: ignore[misc]
        return cell

    return _rewrites(name, "another activation", change)


def opposite(e: Expr) -> Expr:
    """σ(-a)"""
    return cast(Expr, sigma(mul(S.NegativeOne, e), evaluate=False))


def undoubled(e: Expr) -> Expr:
    """2 σ(a) - 1, which is tanh(a/2)"""
    return add(mul(S(2), cast(Expr, sigma(e, evaluate=False))), S.NegativeOne)


def _activation_again(cell: Cell) -> Callable[[Expr], Expr] | None:
    """The candidate's activation, to be taken of something else; None where it has none of one number."""
    e = dict(cell.equations)[roles(cell).candidate]
    return (lambda a: cast(Expr, e.func(a, evaluate=False))) if _is_activation(e) else None


def _activated_state(cell: Cell) -> Cell:
    again = _activation_again(cell)
    return _changed(cell, [cell.output], again) if again and cell.states else cell


ACTIVATED = Vec("y", real=True)  # the activation of a state that goes on without it


def _activated_output(cell: Cell) -> Cell:
    again = _activation_again(cell)
    if again is None or not cell.states or ACTIVATED in cell.defined:
        return cell
    *others, (state, e) = cell.equations
    value = Vec(f"{state}'", real=True)
    return cell.with_equations((*others, (value, e), (ACTIVATED, again(value)), (state, value)))


STATE_ACTIVATED = _rewrites(
    "state activated", "the candidate's activation is taken of the new state too, at every step", _activated_state
)
OUTPUT_ACTIVATED = _rewrites(
    "output activated", "the candidate's activation is taken of the state where it is given out", _activated_output
)


# ------------------------------------------------------------------------------ products


def summed_in_state(old: bool = True, new: bool = True) -> Transform:
    """The sum over all units of a product in the state's equation: of the old state's, of the candidate's."""

    def change(cell: Cell) -> Cell:
        before = {before for before, _ in cell.states}

        def total(t: Expr) -> Expr:
            wanted = old if before & set(walk(t)) else new
            return cast(Expr, Total(t, evaluate=False)) if t.is_Mul and wanted else t

        mixed = roles(cell).update is not None
        return _changed(cell, [cell.output], lambda e: add(*map(total, terms(e)))) if mixed else cell

    return _rewrites("summed products", "a product of two vectors is one number, the sum over the units", change)


def _reset_summed(cell: Cell, gate: Vec, e: Expr) -> Expr:
    def total(e: Expr) -> Expr:
        return e if _gated_sum(e, gate) is None else cast(Expr, Total(e, evaluate=False))

    return rebuild(e, total)


RESET_SUMMED = _rewrites(
    "summed reset",
    "what the reset gate lets through is one number, the sum over the units",
    _in_candidate(_reset_summed),
)


# ------------------------------------------------------------------------------ one unit after the other


def chosen(unit: int) -> Vec:
    """The vector that is 1 for one unit, counted from 1, and 0 for the others."""
    return Vec(f"e_{unit}", real=True)


@cache
def unit_by_unit(units: int) -> Transform:
    """Each unit's new state replaces its old one before the next unit is worked: the equations once for each unit.

    The cell's parameters are then `chosen(1)` to `chosen(units)` beside its own.
    """

    def change(cell: Cell) -> Cell:
        if not cell.states or cell.mask:
            return cell
        ((before, after),) = cell.states
        lines: list[tuple[Vec, Expr]] = []
        state = before
        for unit in range(1, units + 1):
            own = {s: s if unit == units else Vec(f"{s}_{unit}", real=True) for s in cell.defined}
            value = Vec(f"{after}_{unit}'", real=True)
            read = {**own, before: state}
            for lhs, e in cell.equations:
                lines.append((value if lhs == after else own[lhs], rebuild(e, lambda s, r=read: r.get(s, s))))  # type: ignore[misc]
            lines.append((own[after], cast(Expr, Select(chosen(unit), value, state, evaluate=False))))
            state = own[after]
        return cell.with_equations(tuple(lines))

    return _rewrites("unit by unit", "a unit reads the new states of the units before it", change)


# ------------------------------------------------------------------------------ biases


def without_biases(pick: Callable[[tuple[tuple[Vec, ...], ...]], Iterable[Vec]]) -> Transform:
    """Some biases left out; `pick` is given the rows of the bias array, and () means that it does not apply."""

    def change(cell: Cell) -> Cell:
        return cell.without(set(pick(layout(cell).biases)))

    return _rewrites("biases left out", "some biases are left out", change)


def without_products(pick: Callable[[Layout], Iterable[Mat]]) -> Transform:
    """Some products left out; `pick` says which matrices are theirs."""

    def change(cell: Cell) -> Cell:
        return cell.without(set(pick(layout(cell))))

    return _rewrites("products left out", "some products with a matrix are left out", change)
