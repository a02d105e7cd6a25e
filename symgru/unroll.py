"""A cell unrolled over time, as blocks of scalar assignments: the first step, then one body for all the others.

The body is built once however many steps there are; printers write it once and put in the step's number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from sympy import Expr, Symbol

from symgru.algebra import Across, Dot, Mat, Ref, add, count_operations, mul, rebuild
from symgru.cells import Cell


@dataclass(frozen=True)
class Assign:
    """One line: a component of a gate or state, and the expression in Refs that gives it."""

    lhs: Ref
    rhs: Expr


@dataclass(frozen=True)
class Block:
    """Lines that hold for the time steps start .. start + repeat - 1."""

    lines: tuple[Assign, ...]
    start: int
    repeat: int

    @property
    def times(self) -> range:
        return range(self.start, self.start + self.repeat)


@dataclass(frozen=True)
class Program:
    """The recurrence in single-assignment form. `sizes` maps "H" to the units, "D" to the features."""

    cell: Cell
    sizes: Mapping[str, int]
    blocks: tuple[Block, ...]

    @property
    def steps(self) -> int:
        return sum(block.repeat for block in self.blocks)

    def lines(self) -> Iterator[tuple[int, Assign]]:
        """Every assignment with its time step; lazy, since there may be millions."""
        return ((t, line) for block in self.blocks for t in block.times for line in block.lines)

    def operations(self) -> dict[str, int]:
        """How many operations running the program takes, by kind."""
        total: Counter[str] = Counter()
        for block in self.blocks:
            for line in block.lines:
                for kind, n in count_operations(line.rhs).items():
                    total[kind] += n * block.repeat
        return dict(total)


def lower(cell: Cell, sizes: Mapping[str, int], whole: Cell | None = None) -> tuple[Assign, ...]:
    """One time step, unit by unit: each matrix product becomes a sum of products.

    `whole` is the cell before anything was left out; it knows the shapes that what is left may no longer show.
    """
    dims = (whole or cell).dims
    after = {new: old for old, new in cell.states}
    params = set(cell.params)
    refs: dict[tuple[Symbol, tuple[int, ...]], Ref] = {}

    def ref(s: Symbol, *idx: int) -> Ref:
        if (s, idx) not in refs:
            if s in params:
                refs[s, idx] = Ref(s, idx)
            elif s in after.values():
                refs[s, idx] = Ref(s, idx, -1)
            else:
                refs[s, idx] = Ref(after.get(s, s), idx, 0)  # h1 now and h a step later are one quantity
        return refs[s, idx]

    def at(e: Expr, i: int, units: int) -> Expr:
        """Component i of a vector expression of `units` components."""
        if isinstance(e, Dot):
            matrix, operand = cast("tuple[Mat, Expr]", e.args)
            columns = sizes[dims[matrix][1]]
            return add(*(mul(ref(matrix, i, j), at(operand, j, columns)) for j in range(columns)))
        if isinstance(e, Across):
            name, operand = cast("tuple[Symbol, Expr]", e.args)
            every = (at(operand, j, units) for j in range(units))
            return cast(Expr, Across(name, at(operand, i, units), *every, evaluate=False))
        if isinstance(e, Symbol):
            return ref(e, i)
        return cast(Expr, e.func(*(at(cast(Expr, a), i, units) for a in e.args), evaluate=False)) if e.args else e

    def components(lhs: Symbol, e: Expr) -> Iterator[Assign]:
        units = sizes[dims[lhs][0]]
        return (Assign(ref(lhs, i), rebuild(at(e, i, units))) for i in range(units))

    return tuple(line for lhs, e in cell.equations for line in components(lhs, e))


def unroll(cell: Cell, sizes: Mapping[str, int], steps: int, first: Cell | None = None) -> Program:
    """`steps` time steps of a cell; `first` is what the first step has become where it is simpler than the rest."""
    if first is None or first == cell:
        return Program(cell, sizes, (Block(lower(cell, sizes), 1, steps),))
    head = (Block(lower(first, sizes, cell), 1, 1),)
    return Program(cell, sizes, head + ((Block(lower(cell, sizes), 2, steps - 1),) if steps > 1 else ()))
