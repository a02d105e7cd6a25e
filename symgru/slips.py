"""What goes otherwise in one line of a calculation: changes of a cell, of its arrays and of the sequence.

Each is a `Transform` of the cell's own equations, found by what an equation looks like and not by a cell's name, or a
rearrangement of the same numbers. A change that does not concern a cell or an array gives it back as it is. Which of
them people make, and how often, is module `mistake_table`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from typing import cast
from weakref import WeakKeyDictionary

import numpy as np
from sympy import Expr, Function, S, Symbol, tanh

from symgru.activations import definition_of
from symgru.algebra import Across, Dot, Mat, Select, Total, Vec, add, mul, rebuild, sigma, terms, walk
from symgru.cell import Cell
from symgru.comparison import Profile
from symgru.layout import Layout, layout
from symgru.network import Array, Tensor, Weights
from symgru.rules import Rewriting, Transform

Names = tuple[str, ...]


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


# ------------------------------------------------------------------------------ arrays


@dataclass(frozen=True)
class Exchanged:
    """Each pair of arrays exchanged, where both have one shape."""

    pairs: tuple[tuple[str, str], ...]

    def __call__(self, weights: Weights) -> Weights:
        new = dict(weights)
        for a, b in self.pairs:
            if weights[a].value.shape == weights[b].value.shape:
                new[a], new[b] = weights[b], weights[a]
        return new


@dataclass(frozen=True)
class Transposed:
    """Rows taken for columns, where there are as many."""

    names: Names

    def __call__(self, weights: Weights) -> Weights:
        square = (n for n in self.names if len(set(weights[n].value.shape)) == 1)
        return {**weights, **{n: weights[n].T for n in square}}


@dataclass(frozen=True)
class Interleaved:
    """The columns of the gates taken in turn, z, r, n, z, r, n, in place of one block after the other."""

    rows: tuple[Names, ...]

    def __call__(self, weights: Weights) -> Weights:
        new: dict[str, Tensor] = dict(weights)
        for row in self.rows:
            value = np.concatenate([weights[n].value for n in row])
            text = np.concatenate([weights[n].text for n in row])
            new |= {n: Tensor(value[k :: len(row)], text[k :: len(row)]) for k, n in enumerate(row)}
        return new


@dataclass(frozen=True)
class Shortened:
    """Every number typed with so many decimals."""

    decimals: int

    def __call__(self, weights: Weights) -> Weights:
        return {name: _shortened(t, self.decimals) for name, t in weights.items()}


_SHORT: WeakKeyDictionary[Tensor, dict[int, Tensor]] = WeakKeyDictionary()  # an array is taken for many others


def _shortened(t: Tensor, decimals: int) -> Tensor:
    made = _SHORT.setdefault(t, {})
    if decimals not in made:
        texts = np.array([_short(str(text), decimals) for text in t.text.ravel()], dtype=object)
        made[decimals] = Tensor(texts.astype(np.float64).reshape(t.text.shape), texts.reshape(t.text.shape))
    return made[decimals]


def _short(text: str, decimals: int) -> str:
    long = int(Decimal(text).as_tuple().exponent) < -decimals
    return str(Decimal(text).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)) if long else text


def exchanged_rows(own: Layout) -> Exchanged | None:
    """The two bias rows exchanged, gate by gate."""
    if len(own.biases) < 2:
        return None
    return Exchanged(pairs(own.biases[0], own.biases[1]))


def exchanged_kernels(own: Layout) -> Exchanged | None:
    """Kernel and recurrent kernel exchanged."""
    return Exchanged(pairs(own.kernel, own.recurrent))


def pairs(first: Iterable[Symbol], second: Iterable[Symbol]) -> tuple[tuple[str, str], ...]:
    """Names of one gate in two arrays."""
    by_gate = {_gate(s): s.name for s in second}
    return tuple((s.name, by_gate[_gate(s)]) for s in first if _gate(s) in by_gate)


def _gate(s: Symbol) -> str:
    return str(s.name).partition("_")[2]


def stacked_rows(own: Layout) -> tuple[Names, ...]:
    """Every array that holds a block for each gate."""
    rows: tuple[tuple[Symbol, ...], ...] = (own.kernel, own.recurrent, *own.biases)
    return tuple(tuple(s.name for s in row) for row in rows if len(row) == len(own.recurrent) > 1)


def interleaved(own: Layout) -> Interleaved | None:
    rows = stacked_rows(own)
    return Interleaved(rows) if rows else None


def transposed(pick: Callable[[Layout], tuple[Mat, ...]]) -> Callable[[Layout], Transposed]:
    return lambda own: Transposed(tuple(m.name for m in pick(own)))


# ------------------------------------------------------------------------------ sequences


def rearranged(change: Callable[[Array], Array]) -> Callable[[Tensor], Tensor]:
    """The same numbers in another order or number; `change` is given (batch, time, features)."""
    return lambda x: Tensor(change(x.value), change(x.text))


def in_one_step(of: Callable[[Sequence[Fraction]], Fraction | int]) -> Callable[[Tensor], Tensor]:
    """All steps made into one: `of` is applied to each feature's typed numbers."""

    def collapse(x: Tensor) -> Tensor:
        series = np.moveaxis(x.text, 1, -1).reshape(-1, x.text.shape[1])
        numbers = [Fraction(of([Fraction(str(t)) for t in row])) for row in series]
        texts = [str(Decimal(q.numerator) / q.denominator) for q in numbers]
        shape, values = (x.text.shape[0], 1, x.text.shape[2]), [float(q) for q in numbers]
        return Tensor(np.array(values).reshape(shape), np.array(texts, dtype=object).reshape(shape))

    return collapse


def mean(numbers: Sequence[Fraction]) -> Fraction:
    return Fraction(sum(numbers)) / len(numbers)


def backwards(x: Array) -> Array:
    return x[:, ::-1]


def first_only(x: Array) -> Array:
    return x[:, :1]


def column_by_column(x: Array) -> Array:
    """(time, features) read down its columns; the steps of one feature as a table of the fewest rows above 1."""
    batch, steps, features = x.shape
    rows = steps if features > 1 else next((k for k in range(2, steps) if steps % k == 0), 1)
    return x.reshape(batch, rows, -1).transpose(0, 2, 1).reshape(x.shape)


def twice(x: Array) -> Array:
    return np.concatenate([x, x], axis=1)


def without_last(x: Array) -> Array:
    return x[:, :-1] if x.shape[1] > 1 else x


def without_zeros(x: Array) -> Array:
    """Without the steps at which everything is 0, where others are left; for one sequence."""
    told = [t for t in range(x.shape[1]) if any(float(v) for v in x[0, t])]
    return x[:, told] if told else x
