"""What flows into a value, as a tree: which inputs, with which weights, and where they are added and multiplied.

It is read off the equations of one unit, whatever the cell is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from sympy import Expr, Function, S

from symgru.algebra import Across, Ref, mul, sigma, terms, walk
from symgru.unroll import lower
from symgru.working import Working

PLUS, TIMES = "+", "×"


@dataclass(frozen=True)
class Wire:
    """What comes in, and the weight it is multiplied by; a bias comes in as a weight alone."""

    source: Expr | None
    weight: Ref | None = None


@dataclass(frozen=True)
class Joint:
    """Where wires meet, and what is done there: added, multiplied, added and put into a function."""

    does: str
    parts: tuple[Wire | Joint, ...]

    def wires(self) -> Iterator[Wire]:
        for part in self.parts:
            if isinstance(part, Wire):
                yield part
            else:
                yield from part.wires()


def circuits(working: Working) -> dict[Ref, Joint]:
    """The tree of every value of a step, in the order in which they are computed."""
    return {line.lhs: _root(line.rhs) for line in lower(working.cell, working.sizes)}


def _root(e: Expr) -> Joint:
    tree = _tree(e)
    return tree if isinstance(tree, Joint) else Joint(PLUS, (tree,))


def _tree(e: Expr) -> Wire | Joint:
    if _is_parameter(e):
        return Wire(None, cast(Ref, e))
    if e.is_Mul:
        weights = [a for a in e.args if _is_parameter(a)]
        rest = [cast(Expr, a) for a in e.args if not _is_parameter(a)]
        if len(weights) == 1 and all(map(_is_value_or_product, rest)):
            return Wire(mul(*rest), cast(Ref, weights[0]))
        return Joint(TIMES, tuple(_tree(cast(Expr, a)) for a in e.args))
    if _is_plain(e):
        return Wire(e)
    if e.is_Add:
        return Joint(PLUS, tuple(_tree(term) for term in terms(e)))
    if isinstance(e, Function):
        inner = cast(Expr, e.args[1 if isinstance(e, Across) else 0])
        parts = tuple(_tree(term) for term in terms(inner))
        return Joint(_name(e), parts)
    return Wire(e)


def _is_parameter(e: object) -> bool:
    return isinstance(e, Ref) and e.dt is None


def _is_plain(e: Expr) -> bool:
    """Whether an expression stands on a wire as it is: a value, the product of some, or 1 - z."""
    if any(_is_parameter(s) or isinstance(s, Function) for s in walk(e)):
        return False
    if e.is_Add:
        return all(term.is_number or _is_value(term) for term in e.args)
    return e.is_number or isinstance(e, Ref)


def _is_value_or_product(e: Expr) -> bool:
    return isinstance(e, Ref) or e.is_Mul and not any(_is_parameter(a) for a in e.args) and all(map(_is_plain, e.args))


def _is_value(term: object) -> bool:
    """z or -z."""
    if isinstance(term, Expr) and term.is_Mul and len(term.args) == 2 and term.args[0] is S.NegativeOne:
        return isinstance(term.args[1], Ref)
    return isinstance(term, Ref)


def _name(e: Expr) -> str:
    return "σ" if isinstance(e, sigma) else str(e.args[0]) if isinstance(e, Across) else type(e).__name__
