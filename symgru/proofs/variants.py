"""Cells and their parameters, taken apart and changed as statements about them need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sympy import Expr, Function, S, Symbol, evaluate, tanh

from symgru.algebra import Mat, sigma, walk
from symgru.building import OUTPUT_FUNCTIONS
from symgru.cell import Cell, h, h1
from symgru.cells import CELLS
from symgru.proofs.claims import SameCells, put
from symgru.proofs.normal import equal
from symgru.proofs.sentences import Code, Sentence, listed, say

gate, other = Function("s", real=True), Function("g", real=True)  # activations of which nothing is known


def recurrent() -> list[Cell]:
    return [cell for cell in CELLS.values() if cell.states]


def named(cells: Iterable[Cell | str]) -> Sentence:
    """Their names, one after the other."""
    return listed(Code(cell if isinstance(cell, str) else cell.name) for cell in cells)


def is_mean(cell: Cell) -> bool:
    """Whether the new state is a mean of the old one and a tanh, weighted by logistic gates, or a tanh itself."""
    lines = dict(cell.equations)
    inner = {type(e) for lhs, e in cell.equations if lhs != cell.output}
    if cell.states != ((h, h1),) or not inner <= {sigma, tanh}:
        return False
    ones = {h: S.One} | {lhs: S.One for lhs, e in lines.items() if isinstance(e, tanh)}
    return isinstance(lines[cell.output], tanh) or equal(put(lines[cell.output], ones), S.One)


def means() -> tuple[list[Cell], Sentence]:
    """The cells that hold a mean, and the words that name the others."""
    cells = [cell for cell in recurrent() if is_mean(cell)]
    others = [cell for cell in recurrent() if cell not in cells]
    return cells, say(" in every recurrent cell but {}", named(others)) if others else ()


def params_of(cell: Cell, *defined: Symbol) -> list[Symbol]:
    """The parameters that the lines of these gates read."""
    lines = dict(cell.equations)
    read = {s for lhs in defined if lhs in lines for s in walk(lines[lhs])}
    return [s for s in cell.params if s in read]


def biases(cell: Cell) -> list[Symbol]:
    return [q for q in cell.params if not isinstance(q, Mat)]


def recurrent_kernels(cell: Cell) -> list[Symbol]:
    """The matrices that lead from units to units."""
    return [q for q in cell.params if cell.dims[q] == ("H", "H")]


def negated(params: Iterable[Symbol]) -> dict[Symbol, Expr]:
    """Each with the other sign."""
    with evaluate(False):
        return {q: -q for q in params}


def zero(params: Iterable[Symbol]) -> dict[Symbol, Expr]:
    return dict.fromkeys(params, S.Zero)


def with_lines(cell: Cell, lines: Mapping[Symbol, Expr]) -> Cell:
    """The cell with other lines for some of its gates."""
    return cell.with_equations(tuple((lhs, lines.get(lhs, e)) for lhs, e in cell.equations))


def any_functions(cell: Cell) -> Cell:
    """The cell with whatever activations."""
    return cell.activated({sigma: gate} | dict.fromkeys(OUTPUT_FUNCTIONS, other))


def whatever(claim: SameCells) -> SameCells:
    """The same of both cells with whatever activations."""
    return replace(claim, left=any_functions(claim.left), right=any_functions(claim.right))
