"""How a step carries a change of the state on: the Jacobian of the state after it by the state before it."""

from __future__ import annotations

from typing import cast

from sympy import Expr, Symbol

from symgru.adjoint import function_values, in_values, parts, tape
from symgru.algebra import Across, Dot, Vec, add, walk
from symgru.cell import Cell
from symgru.derivatives import across, derivative, times


def tangent(cell: Cell, direction: Vec) -> Expr:
    """The Jacobian times `direction`, in terms of the values of `tape(cell)`: linear in `direction`.

    With the identity in place of `direction`, and what multiplies it element by element as diagonal matrices, this is
    the Jacobian itself. For a cell with one state.
    """
    lines = tape(cell)
    ((before, after),) = lines.states
    values = function_values(lines)
    moved: dict[Symbol, Expr] = {before: direction}
    for lhs, rhs in lines.equations:
        dots, rest = parts(rhs)
        read = [s for s in dict.fromkeys(walk(rest)) if isinstance(s, Vec) and s in moved]
        if isinstance(rhs, Across):
            changes = [across(rhs, lhs, moved[s], forwards=True) for s in read]
        else:
            changes = [times(in_values(derivative(rest, s), values), moved[s]) for s in read]
        changes += [cast(Expr, Dot(matrix, moved[v], evaluate=False)) for matrix, v in dots if v in moved]
        if changes:
            moved[lhs] = add(*sorted(changes, key=_has_matrix))
    return moved[after]


def _has_matrix(e: Expr) -> bool:
    return any(isinstance(node, Dot) for node in walk(e))
