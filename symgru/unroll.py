"""A cell unrolled over time, as blocks of scalar assignments: the first step, then one body for all the others.

The body is built once however many steps there are; printers write it once and put in the step's number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import cast

from sympy import Expr, Integer, Pow, S, Symbol

from symgru.algebra import Across, Dot, Mat, Mean, Ref, Total, Vec, add, count_operations, mul, rebuild, walk
from symgru.cell import Cell

Shapes = Mapping[Symbol, tuple[str, ...]]
Equation = tuple[Vec, Expr]


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
    """The recurrence in single-assignment form. `sizes` maps "H" to the units, "D" to the features.

    `once` holds lines that are computed before the first step; what they define is read like a parameter. `shapes`
    are those of every symbol, `params` gives parameters that rules made in terms of the layer's own.
    """

    cell: Cell
    sizes: Mapping[str, int]
    blocks: tuple[Block, ...]
    shapes: Shapes
    once: tuple[Assign, ...] = ()
    params: Mapping[Symbol, Expr] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return sum(block.repeat for block in self.blocks)

    def lines(self) -> Iterator[tuple[int, Assign]]:
        """Every assignment with its time step (0 for what is computed once); lazy, since there may be millions."""
        yield from ((0, line) for line in self.once)
        yield from ((t, line) for block in self.blocks for t in block.times for line in block.lines)

    @property
    def assignments(self) -> int:
        return len(self.once) + sum(len(block.lines) * block.repeat for block in self.blocks)

    def operations(self) -> dict[str, int]:
        """How many operations running the program takes, by kind."""
        total: Counter[str] = Counter()
        for lines, repeat in ((self.once, 1), *((block.lines, block.repeat) for block in self.blocks)):
            for kind, n in _operations(lines).items():
                total[kind] += n * repeat
        return dict(total)


@lru_cache(maxsize=64)
def _operations(lines: tuple[Assign, ...]) -> Counter[str]:
    total: Counter[str] = Counter(count_operations(S.Zero))  # every kind, at 0
    for line in lines:
        total.update(count_operations(line.rhs))
    return total


@dataclass(frozen=True)
class Recurrence:
    """A cell over time before its vectors are taken apart: what rules work on.

    `once` are equations computed before the first step, `first` is the cell at that step and `rest` at every later
    one; `cell` is what a person wrote. `params` gives each parameter that a rule made in terms of earlier ones.
    """

    cell: Cell
    first: Cell
    rest: Cell
    once: tuple[Equation, ...] = ()
    params: Mapping[Symbol, Expr] = field(default_factory=dict)
    zero: frozenset[Symbol] = frozenset()  # parameters that a rule took to be 0
    zero_start: bool = False  # whether the state before the first step was

    @staticmethod
    def of(cell: Cell) -> Recurrence:
        return Recurrence(cell, cell, cell)

    @cached_property
    def shapes(self) -> Shapes:
        """The shape of every symbol: the cell's own, and what rules made has the shape of what it is made from."""
        known = dict(self.cell.dims)
        made = (*self.params.items(), *self.once, *self.first.equations, *self.rest.equations)
        for s, e in made:
            if s not in known:
                known[s] = _shape(e, known, matrix=isinstance(s, Mat))
        return known

    @property
    def constants(self) -> Cell:
        """What is computed once, as a cell: to it the input is a parameter like any other."""
        return Cell(self.cell.name, self.once, inputs=(), states=())

    def unroll(self, sizes: Mapping[str, int], steps: int) -> Program:
        """The scalar program of `steps` time steps, its first step peeled off where it is not like the others."""
        cells = [self.rest] if self.first == self.rest else [self.first, self.rest]
        counts = [steps] if len(cells) == 1 else [1, steps - 1]
        blocks = (
            Block(lower(cell, sizes, self.shapes), 1 + k, n)
            for k, (cell, n) in enumerate(zip(cells, counts, strict=True))
            if n
        )
        once = lower(self.constants, sizes, self.shapes, constant=True) if self.once else ()
        return Program(self.cell, sizes, tuple(blocks), self.shapes, once, self.params)


def _shape(e: Expr, known: Shapes, matrix: bool) -> tuple[str, ...]:
    """The shape of an expression: that of the first symbol in it that has its rank; ("H",) for a number."""
    if isinstance(e, Dot):
        return known[cast(Mat, e.args[0])][:1]
    if isinstance(e, Symbol):
        return known[e]
    parts = (cast(Expr, a) for a in e.args if not cast(Expr, a).is_number)
    found = (shape for a in parts if len(shape := _shape(a, known, matrix)) == 1 + matrix)
    return next(found, ("H",))


def lower(
    cell: Cell, sizes: Mapping[str, int], shapes: Shapes | None = None, constant: bool = False
) -> tuple[Assign, ...]:
    """One time step, unit by unit: each matrix product becomes a sum of products.

    `shapes` are those of all symbols, where what is left of a cell no longer shows them. What a `constant` cell
    defines belongs to no time.
    """
    known = tuple((shapes or cell.dims).items())
    return _lower(cell, tuple(sorted(sizes.items())), known, constant)


@lru_cache(maxsize=64)  # rules leave most steps as they are, and a large step takes seconds
def _lower(
    cell: Cell,
    lengths: tuple[tuple[str, int], ...],
    shapes: tuple[tuple[Symbol, tuple[str, ...]], ...],
    constant: bool,
) -> tuple[Assign, ...]:
    sizes, dims = dict(lengths), dict(shapes)
    after = {new: old for old, new in cell.states}
    params = {*cell.params, *(cell.defined if constant else ())}
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
        if isinstance(e, Mean | Total):
            n = length(cast(Expr, e.args[0]))
            total = add(*(at(cast(Expr, e.args[0]), j, n) for j in range(n)))
            return total if isinstance(e, Total) else mul(total, cast(Expr, Pow(Integer(n), -1, evaluate=False)))
        if isinstance(e, Symbol):
            return ref(e, i)
        return cast(Expr, e.func(*(at(cast(Expr, a), i, units) for a in e.args), evaluate=False)) if e.args else e

    def length(e: Expr) -> int:
        """How many components a vector expression has: as many as the first vector in it."""
        return next(sizes[dims[cast(Symbol, s)][0]] for s in walk(e) if isinstance(s, Vec))

    def components(lhs: Symbol, e: Expr) -> Iterator[Assign]:
        units = sizes[dims[lhs][0]]
        return (Assign(ref(lhs, i), rebuild(at(e, i, units))) for i in range(units))

    return tuple(line for lhs, e in cell.equations for line in components(lhs, e))


def unroll(cell: Cell, sizes: Mapping[str, int], steps: int, first: Cell | None = None) -> Program:
    """`steps` time steps of a cell; `first` is what the first step has become where it is simpler than the rest."""
    return Recurrence(cell, first or cell, cell).unroll(sizes, steps)
