"""When two cells compute the same function, and what may be changed in one cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from sympy import Expr, S, Symbol, evaluate, exp

from symgru.activations import a, activation, table
from symgru.algebra import Vec, add, sigma
from symgru.building import build
from symgru.cell import Cell, h, h1
from symgru.cells import CELLS, Wz, bn, bz, cn, f, n, z
from symgru.proofs import functions
from symgru.proofs.claims import Argument, Differ, Same, SameCells, Signed, Step, one_step, put, twin
from symgru.proofs.enclosures import Point
from symgru.proofs.normal import equal
from symgru.proofs.sentences import Code, compared, equals, listed, say
from symgru.proofs.variants import (
    biases,
    gate,
    means,
    named,
    negated,
    params_of,
    recurrent,
    recurrent_kernels,
    whatever,
    with_lines,
)

HALVES = Point({"h": -1}, Fraction(1, 2))
NO_CN = equals(cn, S.Zero)
p = Symbol("p", nonnegative=True)
k = Symbol("k", positive=True)
N = Symbol("N", positive=True)
b = Symbol("b", real=True)
t = Vec("t", real=True)


# Update rules --------------------------------------------------------------------------------------------------------


def exchanged_pairs() -> Iterator[tuple[Cell, Cell]]:
    """Cells that differ in their update rule and in nothing else (but the order of what is added)."""
    gated = (cell for cell in recurrent() if z in cell.defined)
    for left, right in combinations(gated, 2):
        if set(left.params) == set(right.params) and left.defined == right.defined:
            lines = zip(exchanged(left).equations, right.equations, strict=True)
            if all(equal(e, other) for (_, e), (_, other) in lines):
                yield left, right


def exchanged(cell: Cell) -> Cell:
    """z and 1 - z in each other's place in the last line."""
    with evaluate(False):
        return with_lines(cell, {h1: put(dict(cell.equations)[h1], {z: 1 - z})})


def complement_of(name: str, pieces: tuple[Mapping[Symbol, Expr], ...] = ({},)) -> Same:
    """s(-a) = 1 - s(a) for an activation."""
    s = activation(name).node
    with evaluate(False):
        return Same(s(-a), 1 - s(a), pieces=pieces)


def with_linear_gates(keeps: Cell, renews: Cell) -> SameCells:
    """What the negation does not do for linear gates, 1 - b_z in place of b_z does."""
    left, right = (cell.activated({sigma: activation("linear")}) for cell in (keeps, renews))
    with evaluate(False):
        under = negated(params_of(keeps, z)) | {bz: 1 - bz}
    return SameCells(left, right, under, notes=(say("{} gates", Code("linear")),))


def update_rules() -> Argument:
    pairs = list(exchanged_pairs())
    (gru, gru_new), *_ = pairs
    state, candidate = functions.h, functions.n
    with evaluate(False):
        pieces = ({a: -3 - p}, {a: 3 * (1 - k) / (1 + k)}, {a: 3 + p})
        steeper = ({a: -1 - p}, {a: (1 - k) / (1 + k)}, {a: 1 + p})
        keep = gate(a) * state + (1 - gate(a)) * candidate
        new = (1 - gate(-a)) * state + gate(-a) * candidate
        difference = Same(keep - new, (gate(a) + gate(-a) - 1) * (state - candidate))
        condition = equals(gate(-a), 1 - gate(a))
        of_two = Same(exp(-a) / (exp(-a) + exp(-b)), 1 - exp(a) / (exp(a) + exp(b)))
        left_over = 1 - 2 / N
    proven = {
        "sigmoid": functions.COMPLEMENT,
        "hard_sigmoid": complement_of("hard_sigmoid", pieces),
        "sparse_sigmoid": complement_of("sparse_sigmoid", steeper),
    }
    refuted = {name: complement_of(name) for name in table() if name not in proven}
    softmax, sparsemax = refuted.pop("softmax"), refuted.pop("sparsemax")
    same = [SameCells(keeps, renews, negated(params_of(keeps, z))) for keeps, renews in pairs]
    steps = (
        Step(
            say(
                "For any activation s of the gates, the rule that keeps with the gate {} less the other rule with the "
                "gate {} is",
                gate(a),
                gate(-a),
            ),
            (difference,),
        ),
        Step(
            say(
                "Where {} this is 0 for all {} and {}; elsewhere it is 0 only if {}. The argument of the update gate "
                "is linear in the gate's parameters and changes its sign with them. With any activation that satisfies "
                "the condition everywhere:",
                condition,
                state,
                candidate,
                equals(state, candidate),
            ),
            tuple(replace(whatever(claim), complementary=frozenset({gate})) for claim in same),
        ),
        Step(
            say(
                "{} is one, by {}, and so are, piece by piece, {}: {}, and {}: {}, with {} and {}.",
                Code("sigmoid"),
                Code("sigma-complement"),
                Code("hard_sigmoid"),
                listed(equals(*item) for q in pieces for item in q.items()),
                Code("sparse_sigmoid"),
                listed(equals(*item) for q in steeper for item in q.items()),
                compared(p, ">="),
                compared(k, ">"),
            ),
            tuple(proven.values()),
        ),
        Step(
            say(
                "At {}, where the parameters of the update gate are zero, the condition asks for one half. These have "
                "another value there, so that the two rules differ unless {}: {}.",
                equals(a, S.Zero),
                equals(state, candidate),
                named(refuted),
            ),
            tuple(Differ(claim.left, claim.right, Point({"a": 0})) for claim in refuted.values()),
            shown=0,
        ),
        Step(
            say(
                "{} is a function of all units. At equal arguments each of {} units has {}, and the condition asks for "
                "{}. With one unit this is {}, and for {} with {} it is positive:",
                Code("softmax"),
                N,
                1 / N,
                equals(left_over, S.Zero),
                S.NegativeOne,
                equals(N, 3 + p),
                compared(p, ">="),
            ),
            (
                Signed(left_over, ">", {N: 3 + p}),
                *(Differ(softmax.left, softmax.right, Point({"a": units})) for units in (0, (0, 0, 0))),
            ),
            shown=1,
        ),
        Step(
            say(
                "{}, as Keras computes it, is none with one unit (where it is {}), with three equal arguments, and "
                "with the two arguments {} and {}.",
                Code("sparsemax"),
                S.One,
                S.Half,
                S.Zero,
            ),
            tuple(
                Differ(sparsemax.left, sparsemax.right, Point({"a": units}))
                for units in (0, (Fraction(1, 2), 0), (0, 0, 0))
            ),
            shown=0,
        ),
        Step(say("With two units, whose arguments are {} and {}, the condition is satisfied:", a, b), (of_two,)),
        Step(
            say(
                "Nothing is said of other changes than this negation, nor of activations that symgru does not know. "
                "Another change does it for {} gates:",
                Code("linear"),
            ),
            (with_linear_gates(gru, gru_new),),
        ),
    )
    softsign, softsign_new = (cell.activated({sigma: activation("softsign")}) for cell in pairs[0])
    mgu_after = CELLS["mgu_after"].without({cn})
    exchanged_mgu = SameCells(
        mgu_after, CELLS["mgu"], negated(params_of(mgu_after, f)), one_unit=True, notes=((NO_CN,),)
    )
    twins = (
        twin(SameCells(gru, gru_new), HALVES),
        twin(SameCells(gru, gru_new, negated([Wz])), HALVES),
        twin(SameCells(softsign, softsign_new, same[0].under, notes=(say("{} gates", Code("softsign")),)), HALVES),
        twin(exchanged_mgu, HALVES),
    )
    statement = say(
        "{} and {} give one family of functions with {}, {} or {} gates: {}; of the activations that symgru knows, "
        "this negation alone takes one rule to the other for all {} and {} with these, with {} in layers of two units, "
        "and with none of the others",
        *(equals(h1, dict(cell.equations)[h1]) for cell in (gru, gru_new)),
        *map(Code, proven),
        listed(claim.says for claim in same),
        h,
        n,
        Code("softmax"),
    )
    return Argument(statement, steps, twins)


# Where the reset gate acts -------------------------------------------------------------------------------------------


def reset_one_unit() -> Argument:
    gru, before = CELLS["gru"], CELLS["gru_before"]
    without_cn = gru.without({cn})
    kernel, reset, state = (Symbol(name, real=True) for name in ("U_n", "r", "h"))
    with evaluate(False):
        order = Same(kernel * (reset * state), reset * (kernel * state))
        merged: dict[Symbol, Expr] = {b: b + c for b, c in merges(without_cn)}
        all_merged = {**merged, bn: bn + cn}
    claim = SameCells(before, without_cn, merged, one_unit=True)
    plain, plain_after = (build("gru", {"use_bias": False, "reset_after": after}) for after in (False, True))
    bare = SameCells(plain, plain_after, one_unit=True, notes=(say("no biases"),))
    steps = (
        Step(say("At one unit the recurrent kernel is a number, and numbers are multiplied in any order:"), (order,)),
        Step(
            say(
                "So the two places of the reset gate are one where {}. The other biases of the two sides merge. With "
                "whatever activations:",
                NO_CN,
            ),
            (whatever(claim),),
        ),
        Step(say("Without any biases:"), (whatever(bare),)),
    )
    two = replace(claim, one_unit=False, notes=(say("two units"),))
    units = HALVES.at(h=(-1, -1))
    twins = (
        twin(SameCells(before, gru, all_merged, one_unit=True), HALVES),
        twin(two, units.at(b_r=(1, -1)), say("{} where {}", two.says, NO_CN)),
        twin(replace(bare, one_unit=False, notes=(say("two units"), say("no biases"))), units.at(W_r=((1,), (-1,)))),
    )
    return Argument(say("{} where {}", claim.says, NO_CN), steps, twins)


# Biases --------------------------------------------------------------------------------------------------------------


def shifted(cell: Cell, b: Symbol, c: Symbol) -> SameCells:
    """Nothing changes where what is added to one bias is taken from another: only their sum counts."""
    with evaluate(False):
        return SameCells(cell, cell, {b: b + t, c: c - t})


def parted(claim: SameCells) -> Differ:
    return Differ(claim.steps.left, claim.steps.right, HALVES)


def tried(cell: Cell) -> dict[tuple[Symbol, Symbol], Differ]:
    """Every two biases, and whether one point parts them; that the others merge is to be proved."""
    return {pair: parted(shifted(cell, *pair)) for pair in combinations(biases(cell), 2)}


def merges(cell: Cell) -> list[tuple[Symbol, Symbol]]:
    return [pair for pair, found in tried(cell).items() if not found.holds()]


def merged_biases() -> Argument:
    merged: list[SameCells] = []
    others: list[Differ] = []
    cells: dict[tuple[Expr, ...], list[Cell]] = {}
    for cell in CELLS.values():
        found = tried(cell)
        pairs = [pair for pair, differ in found.items() if not differ.holds()]
        merged += [whatever(shifted(cell, *pair)) for pair in pairs]
        others += [differ for pair, differ in found.items() if pair not in pairs]
        if pairs:
            cells.setdefault(tuple(add(*pair) for pair in pairs), []).append(cell)
    steps = (
        Step(
            say(
                "Where {} is added to one bias and taken from the other, the step remains what it is, with whatever "
                "activations:",
                t,
            ),
            tuple(merged),
        ),
        Step(
            say(
                f"For each of the {len(others)} other pairs of biases, cell by cell, the two steps are enclosed at a "
                "point, with the cell's own activations, and the enclosures have no number in common."
            ),
            tuple(others),
            shown=0,
        ),
    )
    sums = listed(say("{} in {}", listed(pairs), named(group)) for pairs, group in cells.items())
    twins = tuple(twin(shifted(CELLS[name], bn, cn), HALVES) for name in ("gru", "mgu_after"))
    return Argument(
        say("two biases count by their sum alone: {}; no other two of one cell do, with its own activations", sums),
        steps,
        twins,
    )


# The other sign ------------------------------------------------------------------------------------------------------


def candidate_params(cell: Cell) -> list[Symbol]:
    """The parameters of the line that is no gate."""
    return params_of(cell, next(lhs for lhs, e in cell.equations if not isinstance(e, sigma)))


def mirrored(cell: Cell) -> list[Symbol]:
    """The recurrent kernels of the gates, and of the candidate everything but its recurrent kernel."""
    own, kernels = candidate_params(cell), recurrent_kernels(cell)
    return [q for q in cell.params if (q in own) != (q in kernels)]


def flipped(cell: Cell, params: list[Symbol]) -> Same:
    """The step from the negated state is the negated step."""
    with evaluate(False):
        left, right = put(one_step(cell), {**negated(params), h: -h}), -one_step(cell)
        label = say("{} with {} negated takes {} to {}", Code(cell.name), listed(params), -h, -h1)
    return Same(left, right, label=label)


def kept_gates(cell: Cell, params: list[Symbol]) -> Iterator[Same]:
    """Each gate has the same value from the negated state."""
    for _, line in cell.equations:
        if isinstance(line, sigma):
            with evaluate(False):
                yield Same(put(line, {**negated(params), h: -h}), line)


def mirror() -> Argument:
    cells, but = means()
    claims = tuple(flipped(cell, mirrored(cell)) for cell in cells)
    gates = tuple(claim for cell in cells for claim in kept_gates(cell, mirrored(cell)))
    steps = (
        Step(
            say(
                "With the state and these parameters negated, the gates of {} are what they were.",
                named(cell for cell in cells if any(isinstance(e, sigma) for _, e in cell.equations)),
            ),
            gates,
            shown=0,
        ),
        Step(
            say(
                "tanh is odd ({}). From the negated state each of these gives the negated new state, so from the zero "
                "state every state has the other sign:",
                Code("tanh-odd"),
            ),
            claims,
        ),
    )
    gru, ligru = CELLS["gru"], CELLS["ligru"]
    twins = (
        twin(flipped(gru, [q for q in mirrored(gru) if q in candidate_params(gru)]), HALVES),
        twin(flipped(ligru, mirrored(ligru)), HALVES),
    )
    return Argument(say("{}; likewise{}", claims[0].says, but), steps, twins)
