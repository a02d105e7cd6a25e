"""Cells that are special cases of others, and what does not matter in some."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from sympy import Expr, S, Symbol

from symgru.algebra import Vec
from symgru.building import build
from symgru.cell import Cell, h, x
from symgru.cells import CELLS, Uz, cn, cr, cz, f, n, r, z
from symgru.proofs.claims import Argument, Same, SameCells, Step, Twin, one_step, put, twin
from symgru.proofs.enclosures import Point
from symgru.proofs.equivalences import HALVES, NO_CN
from symgru.proofs.sentences import Code, Sentence, equals, listed, say
from symgru.proofs.variants import (
    any_functions,
    biases,
    named,
    params_of,
    recurrent,
    recurrent_kernels,
    whatever,
    with_lines,
    zero,
)


def others(symbols: Iterable[Symbol]) -> dict[Symbol, Expr]:
    """Other numbers for these symbols, marked with a prime."""
    return {s: type(s)(s.name + "'", real=True) for s in symbols}


def special_cases(claims: Iterable[SameCells]) -> Sentence:
    """mgu from fully_gated, and so on."""
    return listed(say("{} from {}", Code(claim.right.name), Code(claim.left.name)) for claim in claims)


# What does not matter ------------------------------------------------------------------------------------------------


def independent(cell: Cell, params: Iterable[Symbol]) -> Same:
    """The step from the zero state is the same with other numbers for these parameters."""
    step = put(one_step(cell), dict.fromkeys((before for before, _ in cell.states), S.Zero))
    return Same(step, put(step, others(params)))


def first_step() -> Argument:
    gated = [cell.without({cn}) for cell in recurrent() if r in cell.defined]
    steps = (
        Step(
            say(
                "The product of a recurrent kernel with the zero state is zero. With other numbers in all recurrent "
                "kernels, marked with a prime ({} in place of {}, and so on), and with whatever activations, the first "
                "step is the same in {}.",
                *others([Uz]).values(),
                Uz,
                named(recurrent()),
            ),
            tuple(independent(any_functions(cell), recurrent_kernels(cell)) for cell in recurrent()),
            shown=0,
        ),
        Step(
            say(
                "What the reset gate multiplies is zero too where {}. With other numbers in all its parameters the "
                "first step is the same in {}.",
                NO_CN,
                named(gated),
            ),
            tuple(independent(any_functions(cell), params_of(cell, r)) for cell in gated),
            shown=0,
        ),
    )
    gru = CELLS["gru"]
    point = Point({q.name + "'": -1 for q in gru.params}, Fraction(1, 2))

    def matters(gate: Symbol) -> Twin:
        own = params_of(gru, gate)
        return twin(
            independent(gru, own),
            point,
            say(
                "the first step of {} from the zero state is the same with other numbers {} in place of {}",
                Code("gru"),
                listed(others(own).values()),
                listed(own),
            ),
        )

    twins = (matters(r), matters(z))
    statement = say(
        "from the zero state, the first step does not depend on the recurrent kernels, nor on the reset gate where {}",
        NO_CN,
    )
    return Argument(statement, steps, twins)


def constant_gates() -> Argument:
    def unchanged(cell: Cell, lhs: Vec) -> Same:
        """A gate's line with another input and another state."""
        line = dict(cell.equations)[lhs]
        return Same(line, put(line, others((x, h))), label=say("{} in {}", equals(lhs, line), Code(cell.name)))

    cells = [CELLS[name] for name in ("type3", "mgu3")]
    claims = tuple(unchanged(cell, lhs) for cell in cells for lhs in cell.defined if lhs in (z, r, f))
    other = others((x, h)).values()
    steps = (Step(say("With any other input {} and any other state {} these are what they were:", *other), claims),)
    point = Point({"h'": -1, "x'": -1}, Fraction(1, 2))

    def reads_the_state(name: str) -> Twin:
        claim = unchanged(CELLS[name], z)
        return twin(claim, point, say("{} is the same with another input {} and state {}", claim.says, *other))

    twins = (reads_the_state("type2"), reads_the_state("type1"))
    return Argument(say("the gates of {} are the same at every time step", named(cells)), steps, twins)


# Special cases -------------------------------------------------------------------------------------------------------


def one_gate(cell: Cell) -> dict[Symbol, Expr]:
    """The parameters of both gates replaced by those of one gate f."""
    return {q: type(q)(f"{q.name[0]}_f", real=True) for q in params_of(cell, z, r)}


def minimal_gated() -> Argument:
    pairs = (("fully_gated", "mgu"), ("type1", "mgu1"), ("type2", "mgu2"), ("type3", "mgu3"))
    claims = tuple(SameCells(CELLS[left], CELLS[right], one_gate(CELLS[left])) for left, right in pairs)
    gru, before = CELLS["gru"].without({cz, cr}), CELLS["gru_before"]
    after = SameCells(gru, CELLS["mgu_after"], one_gate(gru), notes=(say("{}, {} zero", cz, cr),))
    steps = (
        Step(
            say("The parameters of one gate in both, with the reset before the product and whatever activations:"),
            tuple(map(whatever, claims)),
        ),
        Step(say("With the reset after the product:"), (whatever(after),)),
    )
    twins = (
        twin(SameCells(before, CELLS["mgu"], one_gate(before)), HALVES),
        twin(replace(after, right=CELLS["mgu"], one_unit=True), HALVES),
    )
    statement = say(
        "with one gate for both come the minimal gated units: {} with {}, {} zero",
        special_cases((*claims, after)),
        cz,
        cr,
    )
    return Argument(statement, steps, twins)


def reductions() -> Argument:
    def less(left: str, right: str, letters: str) -> SameCells:
        """The gates' parameters with these letters are zero."""
        cell = CELLS[left]
        return SameCells(cell, CELLS[right], zero(q for q in params_of(cell, z, r, f) if q.name[0] in letters))

    before = CELLS["gru_before"]
    claims = (
        SameCells(before, CELLS["cho"], zero(biases(before))),
        less("fully_gated", "type1", "W"),
        less("type1", "type2", "b"),
        less("type1", "type3", "U"),
        less("mgu", "mgu1", "W"),
        less("mgu1", "mgu2", "b"),
        less("mgu1", "mgu3", "U"),
    )
    zeros = say("What is zero takes its terms with it, whatever the activations:")
    twins = (twin(less("fully_gated", "type2", "W"), HALVES), twin(less("type1", "type3", "b"), HALVES))
    statement = say("with some parameters zero come {}", special_cases(claims))
    return Argument(statement, (Step(zeros, tuple(map(whatever, claims))),), twins)


def light_gru() -> Argument:
    def with_reset(value: Expr, function: str) -> SameCells:
        cell = with_lines(build("gru", {"reset_after": False, "activation": function}), {r: value})
        return SameCells(cell, CELLS["ligru"], notes=((equals(r, value),), (Code(function),)))

    claim = with_reset(S.One, "relu")
    steps = (Step(say("Without the reset gate, and with a candidate that has no bound:"), (claim,)),)
    twins = (twin(with_reset(S.Half, "relu"), HALVES), twin(with_reset(S.One, "tanh"), HALVES))
    return Argument(claim.says, steps, twins)


def simple_unit() -> Argument:
    def standing(name: str, value: Expr) -> SameCells:
        """The update gate stands at a number and the reset gate at 1."""
        cell, own = with_lines(CELLS[name], {z: value, r: S.One}), {q.name: q for q in CELLS["simple"].params}
        under = {q: own[q.name[0]] for q in params_of(cell, n)}
        return SameCells(cell, CELLS["simple"], under, notes=((equals(z, value),), (equals(r, S.One),)))

    claims = (standing("gru_before", S.Zero), standing("fully_gated", S.One))
    limit = say("The gates stand at ends of their range, which no argument reaches, and the candidate is left:")
    return Argument(claims[0].says, (Step(limit, claims),), (twin(standing("gru_before", S.One), HALVES),))
