"""The backward pass of a cell, derived from its equations: one reverse step, as equations in the same algebra.

With L the loss, dh1 is dL/dh1 for the state after a step in all (what the loss itself says of it and what the step
after hands back), dh is dL/dh for the state before it, dx is dL/dx, and delta_z is dL/da for the argument a of the
function that gives z. A reverse step is a Cell like any other, so every printer and every domain takes it; run over
the time steps from last to first it is back-propagation through time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from sympy import Expr, Function, Symbol

from symgru.algebra import Across, Dot, Mat, Outer, Vec, add, rebuild, terms, walk
from symgru.cell import Cell
from symgru.derivatives import across, derivative, times, total
from symgru.errors import Unsupported
from symgru.rules import CALCULATOR

Line = tuple[Vec, Expr]


@dataclass(frozen=True)
class ReverseStep(Cell):
    """Equations that read what the forward step left and give dx and dh. What shape a symbol has the forward cell
    says."""

    shapes: Mapping[Symbol, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @cached_property
    def dims(self) -> Mapping[Symbol, tuple[str, ...]]:
        return self.shapes


@dataclass(frozen=True)
class Adjoint:
    """The reverse of one step of `forward`, which is the cell with a line for every value that is `kept`.

    `step` reads `seed` (dL/d output), the input, the state before and the kept values; it gives what `back` names for
    the input and for the state before. `gradients` says what one step adds to dL/d each parameter: for a matrix
    Outer(delta, operand), for a bias delta. `means` names what each symbol of `step` is the derivative by.
    """

    forward: Cell
    step: ReverseStep
    seed: Vec
    kept: tuple[Vec, ...]
    back: Mapping[Vec, Vec]
    gradients: Mapping[Symbol, Expr]
    means: Mapping[Vec, Symbol]

    @property
    def read(self) -> tuple[Vec, ...]:
        """What a step reads of the one it reverses, besides parameters: input, state before, kept values."""
        expressions = [*(e for _, e in self.step.equations), *self.gradients.values()]
        used = {s for e in expressions for s in walk(e)}
        return tuple(s for s in self.step.inputs[1:] if s in used)


def adjoint(cell: Cell) -> Adjoint:
    """The reverse of one time step of a cell (of the whole of a cell without a state).

    Raises Unsupported where a function in it has no derivative rule.
    """
    return _Reverse(tape(cell), cell).result()


def tape(cell: Cell) -> Cell:
    """The cell with a name for everything: what a function or a matrix reads is a symbol, a product with a matrix is a
    summand, and a function is a whole line."""
    cell = CALCULATOR(cell)
    lines: list[Line] = []
    for lhs, rhs in cell.equations:

        def split(e: Expr, lhs: Vec = lhs, rhs: Expr = rhs) -> Expr:
            if not _is_function(e) or e == rhs:
                return e
            lines.append((_fresh(f"y_{lhs}", [*cell.defined, *(s for s, _ in lines)]), e))
            return lines[-1][0]

        lines.append((lhs, rebuild(rhs, split)))
    return cell.with_equations(tuple(lines))


def _is_function(e: Expr) -> bool:
    return isinstance(e, Function) and not isinstance(e, Dot)


def function_values(lines: Cell) -> dict[Expr, Vec]:
    """The name of each function's value."""
    return {rhs: lhs for lhs, rhs in lines.equations if _is_function(rhs)}


def parts(rhs: Expr) -> tuple[list[tuple[Mat, Vec]], Expr]:
    """A line of a tape: its products with matrices, and the rest of the sum, which is element-wise."""
    dots = [cast("tuple[Mat, Vec]", t.args) for t in terms(rhs) if isinstance(t, Dot)]
    rest = add(*(t for t in terms(rhs) if not isinstance(t, Dot)))
    if any(isinstance(node, Dot) for node in walk(rest)):
        raise Unsupported(f"a matrix product within {str(rest)[:60]} has no derivative rule")
    return dots, rest


def _fresh(name: str, taken: list[Vec]) -> Vec:
    while any(s.name == name for s in taken):
        name += "'"
    return Vec(name, real=True)


def in_values(e: Expr, values: Mapping[Expr, Vec]) -> Expr:
    """`e` with every function value that has a name called by it: sigma(a) is z."""
    return rebuild(e, lambda node: values.get(node, node))


class _Reverse:
    """Walks the lines of `tape`, which has a name for every value, from last to first."""

    def __init__(self, tape: Cell, cell: Cell) -> None:
        self.tape, self.cell = tape, cell
        self.before = {after: before for before, after in tape.states}
        self.values = function_values(tape)
        self.handed: dict[Symbol, list[Expr]] = {}  # what each symbol is handed back, in the order of its making
        self.lines: list[Line] = []
        self.means: dict[Vec, Symbol] = {}

    def result(self) -> Adjoint:
        out = self.tape.output
        seed = self.named(f"d{out}", out)
        self.handed[out] = [seed]
        for lhs, rhs in reversed(self.tape.equations):
            if lhs in self.handed:
                self.reverse(lhs, rhs, total(*self.handed[lhs]))
        gradients = {p: self.gradient(p) for p in self.cell.params}
        back = {s: self.named(f"d{s}", s) for s in (*self.tape.inputs, *self.before.values())}
        self.lines += [(d, total(*self.handed.get(s, ()))) for s, d in back.items()]
        again, kept = self.needed(gradients)
        return Adjoint(
            self.forward(set(kept)),
            self.step(seed, kept, [*again, *self.lines]),
            seed,
            kept,
            back,
            gradients,
            self.means,
        )

    # One line ------------------------------------------------------------------------------------------------------

    def reverse(self, lhs: Vec, rhs: Expr, seed: Expr) -> None:
        """Hand `seed`, dL/d lhs, on to everything that the line reads."""
        dots, rest = parts(rhs)
        symbols = list(dict.fromkeys(s for s in walk(rest) if isinstance(s, Vec)))
        if dots or len(symbols) > 1 or isinstance(rhs, Across):
            seed = self.line(lhs, seed, lhs in self.cell.defined and bool(dots))
        for matrix, operand in dots:
            self.hand(matrix, cast(Expr, Outer(seed, operand, evaluate=False)))
            self.hand(operand, matrix.T @ seed)
        for s in symbols:
            if isinstance(rhs, Across):
                self.hand(s, across(rhs, lhs, seed))
            else:
                self.hand(s, times(seed, in_values(derivative(rest, s), self.values)))

    def hand(self, s: Symbol, e: Expr) -> None:
        self.handed.setdefault(s, []).append(e)

    # Names ---------------------------------------------------------------------------------------------------------

    def line(self, s: Vec, e: Expr, linear: bool) -> Expr:
        """dL/ds under a name of its own, unless it has one; a gate that is `linear` is its own argument."""
        if e.is_Symbol:
            return e
        letter, _, gate = s.name.partition("_")
        name = self.delta(gate) if letter == "a" else self.delta(s.name) if linear else f"d{s}"
        return self.add(name, s, e)

    def delta(self, gate: str) -> str:
        """delta_z for the argument of the function that gives z; a state goes by its name before the step."""
        return "delta_" + next((b.name for a, b in self.before.items() if a.name == gate), gate)

    def add(self, name: str, of: Symbol, e: Expr) -> Vec:
        self.lines.append((self.named(name, of), e))
        return self.lines[-1][0]

    def named(self, name: str, of: Symbol) -> Vec:
        fresh = _fresh(name, list(self.means))
        self.means[fresh] = of
        return fresh

    def gradient(self, p: Symbol) -> Expr:
        """What a step adds to dL/dp; a vector's gradient has a name."""
        summands = [t for e in self.handed.get(p, ()) for t in terms(e)]
        if all(isinstance(t, Outer) or t.is_Symbol for t in summands):
            return add(*summands)
        gate = next(lhs.name for lhs, rhs in self.tape.equations if p in walk(rhs))
        return self.add(self.delta(gate), p, add(*summands))

    # What is kept --------------------------------------------------------------------------------------------------

    def needed(self, gradients: Mapping[Symbol, Expr]) -> tuple[list[Line], tuple[Vec, ...]]:
        """Lines that a reverse step works out again, for they hold but sums and products of what is kept, and what is
        kept."""
        read = {s for _, e in self.lines for s in walk(e)} | {s for e in gradients.values() for s in walk(e)}
        again: list[Line] = []
        kept: list[Vec] = []
        for lhs, rhs in reversed(self.tape.equations):
            if lhs not in read:
                continue
            if lhs in self.cell.defined or any(isinstance(node, Function) for node in walk(rhs)):
                kept.append(lhs)
            else:
                again.append((lhs, rhs))
                read |= set(walk(rhs))
        return again[::-1], tuple(reversed(kept))

    def forward(self, kept: set[Vec]) -> Cell:
        """The cell as its author wrote it, but for the values that are kept and had no line."""
        written: dict[Symbol, Expr] = {}
        lines: list[Line] = []
        for lhs, rhs in self.tape.equations:
            whole = rebuild(rhs, lambda s: written.get(cast(Symbol, s), s))
            if lhs in self.cell.defined or lhs in kept:
                lines.append((lhs, whole))
            else:
                written[lhs] = whole
        return self.cell.with_equations(tuple(lines))

    def step(self, seed: Vec, kept: tuple[Vec, ...], lines: list[Line]) -> ReverseStep:
        dims = dict(self.tape.dims)
        shapes = {**dims, **{d: dims[s] for d, s in self.means.items()}}
        inputs = (seed, *self.tape.inputs, *self.before.values(), *kept)
        return ReverseStep(
            f"{self.cell.name} backwards",
            tuple(lines),
            f"{self.cell.title}, backwards",
            self.cell.source,
            inputs,
            (),
            shapes,
        )
