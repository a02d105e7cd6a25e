"""What holds of the state at every time step, by induction: its bound and its sign."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from sympy import Abs, Expr, S, Symbol, evaluate, tanh

from symgru.algebra import Dot, Mat, Vec, sigma, walk
from symgru.building import build
from symgru.cell import Cell, h, h1, x
from symgru.cells import CELLS, U, Un, W, Wn, b, bn, cn, n
from symgru.proofs.claims import START, Argument, Escapes, Signed, Step, Twin, put
from symgru.proofs.enclosures import Point
from symgru.proofs.sentences import Code, compared, equals, listed, say
from symgru.proofs.variants import means, named, params_of, recurrent_kernels

ZEROS = Point(others=0)
M = Symbol("M", real=True)
m = Symbol("m", nonnegative=True)
p = Vec("p", nonnegative=True)
q = Vec("q", positive=True)


def open_gates(cell: Cell) -> dict[Expr, Expr]:
    """Every line but the output's as its function of an argument of which nothing is known."""
    return {
        lhs: cast(Expr, e.func(Vec(f"a_{lhs}", real=True), evaluate=False))
        for lhs, e in cell.equations
        if lhs != cell.output
    }


# The bound -----------------------------------------------------------------------------------------------------------


def within(cell: Cell, bound: Expr = 1 + m) -> tuple[Signed, Signed]:
    """From a state no larger than M = `bound` comes one that is smaller, on both sides of 0."""
    line = dict(cell.equations)[cell.output]
    given = {M: bound, **open_gates(cell)}
    with evaluate(False):
        return Signed(M - line, ">", {**given, h: bound - p}), Signed(M + line, ">", {**given, h: p - bound})


def bounded() -> Argument:
    cells, but = means()
    with evaluate(False):
        start, state = compared(Abs(START), "<=", M), compared(Abs(h1), "<=", M)
        bound, below, above = equals(M, 1 + m), equals(h, M - p), equals(h, p - M)
    steps = (
        Step(
            say(
                "The start is within the bound. Let the state before a step be within it: {} with {}, and {} with "
                "another {}, where {} and {}. The gate is a logistic function of something and the candidate tanh of "
                "something. With both written out these are fractions of positive numbers, for {}:",
                below,
                compared(p, ">="),
                above,
                compared(p, ">="),
                bound,
                compared(m, ">="),
                Code(cells[0].name),
            ),
            within(cells[0]),
        ),
        Step(
            say(
                "So the next state is within the bound, and so on. The same computation does it for {}.",
                named(cells[1:]),
            ),
            tuple(claim for cell in cells[1:] for claim in within(cell)),
            shown=0,
        ),
    )
    gru, ligru, tanh_gates = CELLS["gru"], CELLS["ligru"], build("gru", {"recurrent_activation": "tanh"})
    one, half = equals(M, S.One), equals(M, S.Half)
    ones = Point({"W_z": -1, "h": 0}, 1)
    twins = (
        Twin(
            say("{}, whose candidate has no bound, stays within {}", Code("ligru"), one),
            within(ligru, S.One),
            Escapes(ligru, ones, (4,), "<=", 1),
        ),
        Twin(
            say("{} with {} gates stays within {}", Code("gru"), Code("tanh"), one),
            within(tanh_gates, S.One),
            Escapes(tanh_gates, Point({"b_z": -9, "h": -1}, 1), (1,), "<=", 1),
        ),
        Twin(
            say("{} stays within {}", Code("gru"), half),
            within(gru, S.Half),
            Escapes(gru, ones, (4,), "<=", Fraction(1, 2)),
        ),
    )
    statement = say("if {} with {} then {} at every step{}", start, compared(M, ">=", 1), state, but)
    return Argument(statement, steps, twins)


# The sign ------------------------------------------------------------------------------------------------------------


def candidate(cell: Cell) -> tuple[Vec, Expr]:
    """The line that reads the input and is no gate."""
    return next((lhs, e) for lhs, e in cell.equations if not isinstance(e, sigma))


def negative(cell: Cell, strict: bool = True, without: Symbol | None = None) -> tuple[Signed, ...]:
    """From a state that is nowhere positive comes a negative one: the candidate's argument first, then the new state.

    The conditions are that no element of the candidate's recurrent kernel is negative, that each of its biases and the
    state are nowhere positive, and that its product with the input is negative. `without` leaves out the one on this
    symbol (x: on the product). Where not `strict`, that product is nowhere positive, and so is the new state.
    """
    lhs, line = candidate(cell)
    own = params_of(cell, lhs)
    relation = "<" if strict else "<="
    given = {**open_gates(cell), h: _minus("p", without != h)}
    for node in walk(line):
        if isinstance(node, Dot) and node.args[1] == x:
            given[node] = _minus("w", without != x, strict)
    given |= {s: _minus(s.name[0], without != s) for s in own if not isinstance(s, Mat)}
    kernels = frozenset(s for s in recurrent_kernels(cell) if s in own and s != without)
    argument = Signed(cast(Expr, line.args[0]), relation, given, kernels)
    if lhs == cell.output:
        return (argument,)
    size = _minus("q", known=True, strict=strict)
    # tanh has the sign of its argument; another function is applied to it
    value = size if isinstance(line, tanh) else cast(Expr, line.func(size, evaluate=False))
    return argument, Signed(dict(cell.equations)[cell.output], relation, {**given, lhs: value})


def _minus(name: str, known: bool, strict: bool = False) -> Expr:
    """What is nowhere positive, and nowhere 0 where `strict`; any number where its sign is not `known`."""
    signs = {"positive" if strict else "nonnegative": True} if known else {}
    return cast(Expr, -Vec(name, real=True, **signs))


def exchanged_gates(cell: Cell) -> Cell:
    """The update gate with the parameters of the reset gate and the other way round."""
    other = {"z": "r", "r": "z"}
    gates = [s for s in cell.params if s.name[2:] in other]
    swap = {s: type(s)(s.name[:2] + other[s.name[2:]], real=True) for s in gates}
    return cell.with_equations(tuple((lhs, put(e, swap)) for lhs, e in cell.equations))


def sign() -> Argument:
    cells, but = means()
    gru, ligru = CELLS["gru"], CELLS["ligru"]
    both = [gru, CELLS["gru_new"]]
    others = [cell for cell in cells if cell != gru]
    product = cast(Expr, Dot(Wn, x, evaluate=False))
    argument, state = negative(gru)
    signs = {symbol: put(symbol, argument.given) for symbol in (h, product, bn, cn)}
    steps = (
        Step(
            say(
                "The start is not positive. Suppose that the state before a step is not. Put {} with {} and the "
                "others nowhere negative; all relations are meant element by element. A gate is a logistic function of "
                "something. For {} the argument of tanh is negative:",
                listed(equals(*item) for item in signs.items()),
                compared(-signs[product], ">"),
                Code("gru"),
            ),
            (argument,),
        ),
        Step(
            say(
                "So the candidate is negative, by {}. With {}, {}, the new state is",
                Code("ranges"),
                equals(n, -q),
                compared(q, ">"),
            ),
            (state,),
        ),
        Step(
            say(
                "The same computation does it for {} (which has {} in place of {}), and for {} with the parameters of "
                "the two gates exchanged. On a bias that a cell has not there is no condition.",
                named(others),
                listed((W, b, U)),
                listed((Wn, bn, Un)),
                named(both),
            ),
            tuple(claim for cell in (*others, *map(exchanged_gates, both)) for claim in negative(cell)),
            shown=0,
        ),
        Step(
            say("Where only {}, the same gives {} in all these cells.", compared(product, "<="), compared(h1, "<=")),
            tuple(claim for cell in cells for claim in negative(cell, strict=False)),
            shown=0,
        ),
    )
    conditions = {
        Un: compared(Un, ">="),
        bn: compared(bn, "<="),
        cn: compared(cn, "<="),
        h: compared(START, "<="),
        x: compared(product, "<"),
    }
    point = ZEROS.at(W_n=-1, U_n=1)

    def without(symbol: Symbol, escape: Escapes) -> Twin:
        return Twin(say("the same without {}", conditions[symbol]), negative(gru, without=symbol), escape)

    weak = tuple(Signed(claim.e, "<", claim.given, claim.nonnegative) for claim in negative(gru, strict=False))
    twins = (
        without(Un, Escapes(gru, point.at(U_n=-10), (2, Fraction(1, 100)), "<")),
        without(bn, Escapes(gru, point.at(b_n=2), (1,), "<")),
        without(cn, Escapes(gru, point.at(c_n=4), (1,), "<")),
        without(h, Escapes(gru, point.at(h=1), (1,), "<")),
        without(x, Escapes(gru, point, (-1,), "<")),
        Twin(say("the same with {} only", compared(product, "<=")), weak, Escapes(gru, point, (0,), "<")),
        Twin(say("the same in {}", Code("ligru")), negative(ligru), Escapes(ligru, point, (1,), "<")),
    )
    statement = say(
        "if {} at every step, then {} at every step{}",
        listed(conditions.values()),
        compared(h1, "<"),
        but,
    )
    return Argument(statement, steps, twins)
