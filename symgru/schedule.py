"""In what order a kernel computes a cell: sums first, grouped by the vector they read, then element by element.

A schedule is found from the equations alone. Reset-before and minimal gated units get their two phases because their
candidate reads a vector that has to be complete first; nothing is written for them. A kernel is a printer of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np
from sympy import Expr, Symbol

from symgru.algebra import Across, Dot, Mat, Mean, Total, Vec, add, mul, rebuild, terms, walk
from symgru.cell import Cell
from symgru.domains import evaluated
from symgru.network import Array
from symgru.rules import FOLDED, MERGED_BIASES


@dataclass
class Phase:
    """Accumulators that can run side by side, then what is computed from them for each unit alone.

    `start` gives each accumulator's biases; `groups` maps an operand to the (accumulator, matrix) pairs it feeds, so
    that a kernel loads each element once; `across` are functions of a whole vector and `totals` numbers made of one (a
    sum or mean over its elements), done before the `lanes`.
    """

    start: dict[Vec, tuple[Vec, ...]] = field(default_factory=dict)
    groups: dict[Vec, list[tuple[Vec, Mat]]] = field(default_factory=dict)
    across: list[tuple[Vec, Symbol, Vec]] = field(default_factory=list)
    totals: list[tuple[Vec, Expr]] = field(default_factory=list)
    lanes: list[tuple[Vec, Expr]] = field(default_factory=list)


@dataclass(frozen=True)
class Schedule:
    """Phases in order. `params` gives each parameter of the scheduled cell in terms of the layer's own."""

    cell: Cell
    phases: tuple[Phase, ...]
    params: Mapping[Symbol, Expr]

    @cached_property
    def kept(self) -> tuple[Vec, ...]:
        """Vectors that must be complete before a later phase reads them, in order of their making."""
        made = [(k, lhs) for k, phase in enumerate(self.phases) for lhs in _made(phase)]
        return tuple(lhs for k, lhs in made if any(lhs in _read(later) for later in self.phases[k + 1 :]))

    def weights(self, own: Mapping[str, Array]) -> dict[str, Array]:
        """The scheduled cell's parameters from the layer's, worked out in float64 and returned in float64."""
        wide = {name: value.astype(np.float64) for name, value in own.items()}
        return {p.name: evaluated(self.params.get(p, p), wide) for p in self.cell.params}

    def multiply_adds(self, sizes: Mapping[str, int]) -> int:
        """Multiply-accumulates of one time step, in its matrix products."""
        pairs = (m for phase in self.phases for group in phase.groups.values() for _, m in group)
        return sum(sizes[self.cell.dims[m][0]] * sizes[self.cell.dims[m][1]] for m in pairs)


def _made(phase: Phase) -> list[Vec]:
    return [*(lhs for lhs, _, _ in phase.across), *(lhs for lhs, _ in phase.lanes)]


def _read(phase: Phase) -> set[Expr]:
    lanes = {s for _, e in [*phase.totals, *phase.lanes] for s in walk(e)}
    return lanes | set(phase.groups) | {v for _, _, v in phase.across}


def schedule(cell: Cell) -> Schedule:
    """The phases of one time step, with biases merged that are only ever added, and what is made of parameters alone
    worked out beforehand."""
    folded, made = FOLDED.apply(cell)
    merged, params = MERGED_BIASES.apply(folded)
    params = {**made, **params}
    builder = _Builder(merged)
    for lhs, rhs in merged.equations:
        builder.equation(lhs, rhs)
    return Schedule(merged, tuple(builder.phases), params)


class _Builder:
    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.params = set(cell.params)
        before = (b for b, _ in cell.states)
        self.level: dict[Symbol, int] = dict.fromkeys((*cell.inputs, *before, *cell.params), 0)
        self.vectors: set[Symbol] = {*cell.inputs, *(b for b, _ in cell.states)}  # what can be read as a whole
        self.made: set[Symbol] = set()  # vectors and accumulators: the others are there from the start, or numbers
        self.phases: list[Phase] = []

    def phase(self, k: int) -> Phase:
        self.phases.extend(Phase() for _ in range(k + 1 - len(self.phases)))
        return self.phases[k]

    def equation(self, lhs: Vec, rhs: Expr) -> None:
        if isinstance(rhs, Across):
            name, operand = cast("tuple[Symbol, Expr]", rhs.args)
            argument = self.lane("a", lhs, self.summed(operand, lhs, "s"))
            self.level[lhs] = self.complete(argument)
            self.phase(self.level[lhs]).across.append((lhs, name, argument))
            self.vectors.add(lhs)
            self.made.add(lhs)
        else:
            self.put(lhs, self.summed(rhs, lhs, "a"))

    def put(self, lhs: Vec, rhs: Expr) -> None:
        """A lane, in the first phase that has all it reads."""
        self.level[lhs] = max((self.level[s] for s in walk(rhs) if isinstance(s, Vec)), default=0)
        rhs = rebuild(rhs, lambda s: self.carried(s, self.level[lhs]))
        self.phase(self.level[lhs]).lanes.append((lhs, rhs))
        self.vectors.add(lhs)
        self.made.add(lhs)

    def carried(self, s: Expr, level: int) -> Expr:
        """An accumulator of an earlier phase as a vector that is kept; anything else as it is."""
        earlier = isinstance(s, Vec) and self.level[s] < level
        if not earlier or not any(s in phase.start for phase in self.phases):
            return s
        kept = Vec(f"k_{s}", real=True)
        if kept not in self.vectors:
            self.put(kept, s)
        return kept

    def lane(self, letter: str, lhs: Vec, e: Expr) -> Vec:
        """A symbol for `e`, computed in a lane of its own unless it is one already."""
        if isinstance(e, Vec) and e in self.vectors:
            return e
        fresh = self.fresh(letter, lhs)
        self.put(fresh, e)
        return fresh

    def fresh(self, letter: str, lhs: Vec) -> Vec:
        name = f"{letter}_{lhs.name}"
        while Vec(name, real=True) in self.level or Vec(name, real=True) in self.cell.defined:
            name += "2"
        return Vec(name, real=True)

    def summed(self, e: Expr, lhs: Vec, letter: str) -> Expr:
        """`e` with every sum over matrix products replaced by an accumulator (and what else is added to it)."""
        summands = terms(e)
        if any(isinstance(t, Dot) for t in summands):
            affine = [t for t in summands if isinstance(t, Dot) or t in self.params]
            rest = [self.summed(t, lhs, "u") for t in summands if t not in affine]
            return add(self.accumulator("s" if rest else letter, lhs, affine), *rest)
        if not e.args:
            return e
        if isinstance(e, Mean | Total):
            return self.number(e, lhs)
        args = [self.summed(cast(Expr, a), lhs, "u" if e.is_Mul else letter) for a in e.args]
        return mul(*args) if e.is_Mul else cast(Expr, e.func(*args, evaluate=False))

    def number(self, e: Expr, lhs: Vec) -> Vec:
        """A symbol for a sum or mean over all units, in the first phase where all that it reads is complete."""
        (inner,) = e.args
        operand = self.summed(cast(Expr, inner), lhs, "u")
        own = self.fresh("t", lhs)
        self.level[own] = max((self.complete(s) for s in walk(operand) if isinstance(s, Vec)), default=0)
        operand = rebuild(operand, lambda s: self.carried(s, self.level[own]))
        self.phase(self.level[own]).totals.append((own, cast(Expr, e.func(operand, evaluate=False))))
        return own

    def complete(self, s: Vec) -> int:
        """The first phase before which the whole vector is there."""
        return self.level[s] + (s in self.made)

    def accumulator(self, letter: str, lhs: Vec, affine: list[Expr]) -> Vec:
        dots = [cast("tuple[Mat, Expr]", t.args) for t in affine if isinstance(t, Dot)]
        pairs = [(matrix, self.lane("v", lhs, operand)) for matrix, operand in dots]
        own = self.fresh(letter, lhs)
        self.made.add(own)
        self.level[own] = max(self.complete(v) for _, v in pairs)
        phase = self.phase(self.level[own])
        phase.start[own] = tuple(cast(Vec, t) for t in affine if not isinstance(t, Dot))
        for matrix, operand in pairs:
            phase.groups.setdefault(operand, []).append((own, matrix))
        return own
