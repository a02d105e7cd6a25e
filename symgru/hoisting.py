"""Constants of a recurrence: what depends on neither input nor state is computed once, before the first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from sympy import Expr, Symbol

from symgru import folding
from symgru.algebra import Dot, Vec, add, rebuild, terms, walk
from symgru.rules import negated
from symgru.unroll import Equation, Recurrence


def hoisted(r: Recurrence, constant_input: bool) -> Recurrence:
    """Constant lines go before the first step; with `constant_input` the input is a constant too, and of a sum the part
    that is constant goes with them."""
    known: set[Symbol] = {*r.rest.params, *(r.cell.inputs if constant_input else ())}
    once: dict[Vec, Expr] = dict(r.once)
    parts: dict[tuple[Expr, ...], Vec] = {}

    def constant(e: Expr) -> bool:
        return all(s in known for s in walk(e) if s.is_Symbol)

    def named(e: Expr, lhs: Vec) -> Expr:
        """A sum with its constant part as one symbol, where that part holds a product with a matrix."""
        own = tuple(t for t in terms(e) if constant(t))
        if not any(map(_is_product, own)):
            return e
        others = (t for t in terms(e) if t not in own)
        opposite = tuple(map(negated, own))
        if opposite in parts:  # the argument of a gate that is only read as 1 - z
            return add(negated(parts[opposite]), *others)
        if own not in parts:
            made = Vec(f"e_{lhs}", real=True)
            while made in once:  # the constant part of the first step may be another one
                made = Vec(f"{made}2", real=True)
            parts[own], once[made] = made, add(*own)
        return add(parts[own], *others)

    kept: list[Equation] = []
    for lhs, e in r.rest.equations:
        if constant(e) and lhs != r.cell.output:
            once[lhs] = e
            known.add(lhs)
        else:
            kept.append((lhs, _sums(e, partial(named, lhs=lhs)) if constant_input else e))
    rest = r.rest.with_equations(tuple(kept))
    left = ((lhs, e) for lhs, e in r.first.equations if once.get(lhs) != e)
    first = r.first.with_equations(
        tuple((lhs, _sums(e, partial(named, lhs=lhs)) if constant_input else e) for lhs, e in left)
    )
    return _without_numbers(replace(r, first=first, rest=rest, once=tuple(once.items())))


def _without_numbers(r: Recurrence) -> Recurrence:
    """Constants that are a number need no line: sigma(0) is 1/2."""
    values: dict[Expr, Expr] = {}
    lines: list[Equation] = []

    def put(e: Expr) -> Expr:
        return folding.constant(rebuild(e, lambda s: values.get(s, s))) if values else e

    for lhs, e in r.once:
        value = folding.constant(put(e))
        if value.is_Rational:
            values[lhs] = value
        else:
            lines.append((lhs, value))
    first, rest = (cell.with_equations(tuple((lhs, put(e)) for lhs, e in cell.equations)) for cell in (r.first, r.rest))
    return replace(r, first=first, rest=rest, once=tuple(lines))


def _sums(e: Expr, split: Callable[[Expr], Expr]) -> Expr:
    """`e` with `split` applied to every outermost sum of products with matrices (and to a lone product)."""
    if any(map(_is_product, terms(e))):
        return split(e)
    if not e.args:
        return e
    return cast(Expr, e.func(*(_sums(cast(Expr, a), split) for a in e.args), evaluate=False))


def _is_product(e: Expr) -> bool:
    """W @ x or its negative."""
    return isinstance(e, Dot) or e.is_Mul and len(e.args) == 2 and e.args[0] == -1 and isinstance(e.args[1], Dot)
