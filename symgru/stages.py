"""What a rule led to, and the proof that it is the same function as before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from sympy import Expr, Function, S, Symbol

from symgru import folding
from symgru.algebra import rebuild
from symgru.folding import Numbers
from symgru.rules import closed, normal
from symgru.unroll import Program, Recurrence

AS_WRITTEN = "as written"
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Stage:
    """What a rule led to: the recurrence, the program, and the operations of the whole program before and after."""

    rule: str
    says: str
    recurrence: Recurrence
    program: Program
    before: Counts
    after: Counts
    rests_on: str = ""


def proof(before: Stage, after: Stage, numbers: Numbers | None) -> bool:
    """Whether a rule left the function unchanged, under what it assumes: the outputs have the same normal form, at the
    first step and at every later one (from any state, so by induction at all of them)."""
    if before.recurrence is not after.recurrence:
        return _closed(before.recurrence, after.recurrence) == _closed(after.recurrence, after.recurrence)
    assert numbers is not None
    return _composed(before.program, numbers) == _composed(after.program, numbers)


def _closed(r: Recurrence, under: Recurrence) -> list[Expr]:
    """The output of the first step and of a later one in the layer's own parameters, under another's assumptions."""
    forms = []
    once = _substituted(dict(r.once))
    for cell, start in ((r.first, under.zero_start), (r.rest, False)):
        zero = dict.fromkeys(under.zero, S.Zero) | ({before: S.Zero for before, _ in cell.states} if start else {})
        e = closed(cell).xreplace(once).xreplace(zero)
        while e.free_symbols & set(r.params):  # what a rule made may be made of what another rule made
            e = e.xreplace(dict(r.params)).xreplace(zero)
        forms.append(normal(_worked_out(e)))
    return forms


def _substituted(equations: Mapping[Symbol, Expr]) -> dict[Symbol, Expr]:
    """Each equation with those before it put in."""
    values: dict[Symbol, Expr] = {}
    for lhs, e in equations.items():
        values[lhs] = cast(Expr, e.xreplace(values))
    return values


def _composed(program: Program, numbers: Numbers) -> list[dict[Expr, Expr]]:
    """The outputs of each block in input, state and nothing else. It does not fold as the rules do: what they worked
    out is worked out again, by SymPy."""
    number = folding.weight(program, numbers)
    once = _substituted({line.lhs: line.rhs for line in program.once})
    forms = []
    for block in program.blocks:
        values = _substituted({**once, **{line.lhs: line.rhs for line in block.lines}})
        outputs = (line.lhs for line in block.lines if folding.is_output(program, line.lhs))
        forms.append({lhs: normal(_worked_out(values[lhs], number)) for lhs in outputs})
    return forms


def _worked_out(e: Expr, number: Callable[[Expr], Expr | None] = lambda s: None) -> Expr:
    """`e` with weights as numbers, in SymPy's own arithmetic; what functions give for numbers is what they mean."""

    def put(s: Expr) -> Expr:
        if not s.args:
            value = number(s)
            return s if value is None else value
        evaluated = cast(Expr, s.func(*s.args))
        return folding.of_numbers(evaluated) if isinstance(evaluated, Function) else evaluated

    return rebuild(e, put)
