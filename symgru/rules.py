"""Rewritings of a cell under a name, each with the proof that it changes nothing (under what it assumes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import permutations, product
from typing import cast

from sympy import Expr, Function, S, Symbol, expand, tanh

from symgru.activations import where_positive
from symgru.algebra import Across, Dot, Mat, Select, Vec, add, mul, rebuild, sigma, terms, walk
from symgru.cell import Cell
from symgru.pointwise import offset, scale

Rewriting = tuple[Cell, Mapping[Symbol, Expr]]  # the new cell; its new parameters in terms of the old ones


@dataclass(frozen=True)
class Transform:
    """A cell in, a cell out. `preserves`: the function computed stays the same where `assumes(cell)` symbols are 0.

    In `says` formulas stand in backquotes. `rests_on` names the theorem of `symgru prove` that it applies, if any.
    """

    name: str
    says: str
    apply: Callable[[Cell], Rewriting]
    preserves: bool = True
    assumes: Callable[[Cell], set[Symbol]] = field(default=lambda cell: set())
    rests_on: str = ""

    def __call__(self, cell: Cell) -> Cell:
        return self.apply(cell)[0]

    def proof(self, cell: Cell) -> bool:
        """Whether the outputs of both cells have the same normal form."""
        new, params = self.apply(cell)
        zero = dict.fromkeys(self.assumes(cell), S.Zero)
        old_form, new_form = closed(cell), closed(new).xreplace(dict(params))
        return cast(bool, normal(old_form.xreplace(zero)) == normal(new_form.xreplace(zero)))


def closed(cell: Cell) -> Expr:
    """The output as one expression in inputs, states and parameters."""
    values: dict[Symbol, Expr] = {}
    for lhs, rhs in cell.equations:
        values[lhs] = cast(Expr, rhs.xreplace(values))
    return values[cell.output]


def normal(e: Expr) -> Expr:
    """SymPy's sorted form with products multiplied out and sigma(a) as (1 + tanh(a/2))/2, which is odd about 1/2; equal
    forms mean equal functions."""

    def odd(s: Expr) -> Expr:
        return cast(Expr, (1 + tanh(expand(s.args[0] / 2))) / 2)

    def linear(d: Expr) -> Expr:
        """A product with a matrix, summand by summand, numbers in front."""
        p, matrix = cast(Expr, d.args[0]).as_coeff_Mul()
        parts = (t.as_coeff_Mul() for t in terms(expand(d.args[1])) if t != 0)
        return cast(Expr, sum((p * q * Dot(matrix, v) for q, v in parts), S.Zero))

    plain = e.doit().replace(lambda q: isinstance(q, sigma), odd)
    return cast(Expr, expand(plain.replace(lambda q: isinstance(q, Dot), linear)))


def _is_bias(s: object, cell: Cell) -> bool:
    return isinstance(s, Vec) and s in cell.params


def _biases(cell: Cell) -> set[Symbol]:
    return {p for p in cell.params if not isinstance(p, Mat)}


def _merge(cell: Cell) -> Rewriting:
    """b + c becomes d in every sum that holds both, where neither occurs anywhere else."""
    uses = [s for _, e in cell.equations for s in walk(e)]
    params: dict[Symbol, Expr] = {}

    def merge(e: Expr) -> Expr:
        own = [t for t in terms(e) if _is_bias(t, cell) and uses.count(t) == 1] if e.is_Add else []
        if len(own) < 2:
            return e
        merged = Vec("d_" + own[0].name.partition("_")[2], real=True)
        params[merged] = add(*own)
        rest = [merged if t == own[0] else t for t in terms(e) if t not in own[1:]]
        return add(*rest)

    return cell.with_equations(tuple((lhs, rebuild(e, merge)) for lhs, e in cell.equations)), params


def _fold(cell: Cell) -> Rewriting:
    """What is worked out from parameters alone, in a layer that neither has a state nor multiplies with a matrix,
    becomes a parameter: (x - mu) scale, and x scale + offset where more than one vector is added."""
    if cell.states or len(cell.equations) > 1 or len(cell.inputs) > 1 or any(isinstance(p, Mat) for p in cell.params):
        return cell, {}
    ((lhs, e),) = cell.equations
    params: dict[Symbol, Expr] = {}

    def constant(t: Expr) -> bool:
        symbols = {s for s in walk(t) if s.is_Symbol}
        return bool(symbols) and symbols <= set(cell.params)

    def flat(e: Expr) -> list[Expr]:
        return [f for t in e.args for f in flat(cast(Expr, t))] if e.is_Mul else [e]

    def fold(e: Expr) -> Expr:
        factors = flat(e) if e.is_Mul else []
        own = [f for f in factors if constant(f)]
        if not own or own[0].is_Symbol and len(own) == 1:
            return e
        params[scale] = mul(*own)
        return mul(*(scale if f == own[0] else f for f in factors if f not in own[1:]))

    folded = cell.with_equations(((lhs, rebuild(e, fold)),))
    if scale not in params or len(folded.params) < 3:
        return folded, params
    at_zero = rebuild(e, lambda s: S.Zero if s == cell.inputs[0] else s)
    affine = add(mul(cell.inputs[0], scale), offset)
    return cell.with_equations(((lhs, affine),)), params | {offset: at_zero}


def _drop_unused(cell: Cell) -> Rewriting:
    """Lines that nothing after them reads are gone."""
    kept: list[tuple[Vec, Expr]] = []
    needed: set[Symbol] = {cell.output, *(after for _, after in cell.states)}
    for lhs, rhs in reversed(cell.equations):
        if lhs in needed:
            kept.append((lhs, rhs))
            needed |= {s for s in walk(rhs) if isinstance(s, Vec)}
    return cell.with_equations(tuple(reversed(kept))), {}


def _calculator_lines(cell: Cell) -> Rewriting:
    """The argument a of every activation, the state's part u under the reset gate, and the operand v of a product
    with a matrix get lines of their own: each line is then one entry on a calculator."""
    return _own_lines(cell, lambda e: True)


def _operand_lines(cell: Cell) -> Rewriting:
    """The same for what every unit reads of all the others: operands of products with a matrix and of softmax."""
    return _own_lines(cell, lambda e: isinstance(e, Dot | Across))


def _own_lines(cell: Cell, wanted: Callable[[Expr], bool]) -> Rewriting:
    lines: list[tuple[Vec, Expr]] = []

    def own_line(letter: str, lhs: Vec, e: Expr) -> Vec:
        taken = {s.name for s, _ in lines} | {s.name for s in cell.defined}
        name = f"{letter}_{lhs.name}"
        while name in taken:
            name += "'"
        lines.append((Vec(name, real=True), e))
        return lines[-1][0]

    for lhs, rhs in cell.equations:

        def split(e: Expr, lhs: Vec = lhs) -> Expr:
            if not wanted(e):
                return e
            if isinstance(e, Dot) and not e.args[1].is_Symbol:
                return cast(Expr, Dot(e.args[0], own_line("v", lhs, cast(Expr, e.args[1])), evaluate=False))
            if e.is_Mul and any(map(_holds_dot, e.args)):
                return mul(*(own_line("u", lhs, a) if _holds_dot(a) else a for a in cast("tuple[Expr, ...]", e.args)))
            if isinstance(e, Function) and not isinstance(e, Dot | Select | where_positive):
                args = list(cast("tuple[Expr, ...]", e.args))
                place = int(isinstance(e, Across))  # of what it is a function of
                if not args[place].is_Symbol:
                    args[place] = own_line("a", lhs, args[place])
                    return cast(Expr, e.func(*args, evaluate=False))
            return e

        lines.append((lhs, rebuild(rhs, split)))
    return cell.with_equations(tuple(lines)), {}


def _holds_dot(e: object) -> bool:
    return any(isinstance(node, Dot) for node in walk(cast(Expr, e)))


def negated(e: Expr) -> Expr:
    """-e without a bracket: each summand with the other sign."""
    if e.is_Add:
        return add(*(negated(t) for t in terms(e)))
    if e.is_Mul and e.args[0] is S.NegativeOne:
        return mul(*cast("tuple[Expr, ...]", e.args[1:]))
    return -e if e.is_Rational else mul(S.NegativeOne, e)


def _complemented(e: Expr) -> Expr | None:
    """p where `e` is 1 - p, else None."""
    if e.is_Add and len(e.args) == 2 and e.args[0] is S.One:
        p = negated(cast(Expr, e.args[1]))
        return p if p.is_Symbol else None
    return None


def _blend(cell: Cell) -> Rewriting:
    """p*a + (1 - p)*b becomes b + p*(a - b), whichever way round it is written."""

    def blend(e: Expr) -> Expr:
        if not (e.is_Add and len(e.args) == 2 and all(t.is_Mul and len(t.args) == 2 for t in e.args)):
            return e
        for (p, a), (q, b) in product(*(permutations(t.args) for t in e.args)):
            for gate, rest, kept, other in ((p, q, a, b), (q, p, b, a)):
                if _complemented(cast(Expr, rest)) == gate:
                    return add(other, mul(gate, add(kept, mul(S.NegativeOne, other))))
        return e

    return cell.with_equations(tuple((lhs, rebuild(e, blend)) for lhs, e in cell.equations)), {}


def _complement(cell: Cell) -> Rewriting:
    """A gate sigma(a) that is only ever read as 1 - sigma(a) becomes sigma(-a)."""
    nodes = [node for _, e in cell.equations for node in walk(e)]
    gates = [lhs for lhs, e in cell.equations if isinstance(e, sigma) and _only_complemented(lhs, nodes)]
    fresh = {gate: Vec(f"k_{gate}", real=True) for gate in gates}

    def read(e: Expr) -> Expr:
        return fresh.get(cast(Vec, _complemented(e)), e)

    lines = []
    for lhs, e in cell.equations:
        if lhs in fresh:
            lines.append((fresh[lhs], cast(Expr, sigma(negated(cast(Expr, e.args[0])), evaluate=False))))
        else:
            lines.append((lhs, rebuild(e, read)))
    return cell.with_equations(tuple(lines)), {}


def _only_complemented(gate: Vec, nodes: list[Expr]) -> bool:
    """Whether a cell's expressions read `gate`, and only within 1 - gate."""
    read, complemented = nodes.count(gate), sum(_complemented(node) == gate for node in nodes)
    return bool(0 < read == complemented)


def _half_angle(cell: Cell) -> Rewriting:
    """sigma(a) becomes (1 + tanh(a/2))/2; the halves go into the weights and biases of `a`."""
    params: dict[Symbol, Expr] = {}

    def half(t: Expr) -> Expr:
        if t.is_Add:
            return add(*map(half, terms(t)))
        if isinstance(t, Dot):
            matrix, operand = cast("tuple[Mat, Expr]", t.args)
            return cast(Expr, Dot(halved(matrix), operand, evaluate=False))
        if t.is_Mul and t.args[0] is S.NegativeOne:
            return mul(S.NegativeOne, half(mul(*cast("tuple[Expr, ...]", t.args[1:]))))
        return halved(t) if t in cell.params else mul(S.Half, t)

    def halved(p: Symbol) -> Symbol:
        fresh = type(p)(f"{p.name}'", real=True)
        params[fresh] = mul(S.Half, p)
        return fresh

    def rewrite(e: Expr) -> Expr:
        if not isinstance(e, sigma) or e.args[0].is_number:
            return e
        inner = cast(Expr, tanh(half(cast(Expr, e.args[0])), evaluate=False))
        return mul(S.Half, add(S.One, inner))

    if not any(isinstance(node, tanh) for _, e in cell.equations for node in walk(e)):
        return cell, {}  # there is no other tanh that could serve
    return cell.with_equations(tuple((lhs, rebuild(e, rewrite)) for lhs, e in cell.equations)), params


def _states(cell: Cell) -> set[Symbol]:
    return {before for before, _ in cell.states}


def _without(which: Callable[[Cell], set[Symbol]]) -> Callable[[Cell], Rewriting]:
    return lambda cell: (cell.without(which(cell)), {})


ZERO_STATE = Transform(
    "zero initial state",
    "the state before the first step is 0, so its terms are gone",
    _without(_states),
    assumes=_states,
)
MERGED_BIASES = Transform(
    "merged biases", "two biases that are only ever added become one", _merge, rests_on="merged-biases"
)
FOLDED = Transform(
    "folded parameters",
    "what a normalisation works out from its parameters alone is one `scale` and one `offset`",
    _fold,
)
ZERO_BIASES = Transform(
    "zero biases", "biases that are 0, as in a freshly built layer, are left out", _without(_biases), assumes=_biases
)
UNUSED = Transform("unused lines", "lines that nothing reads are left out", _drop_unused)
BLEND = Transform("blend", "`z h + (1 - z) n` is `n + z (h - n)`: one product fewer", _blend, rests_on="blend")
COMPLEMENT = Transform(
    "complement",
    "`1 - σ(a)`, where a gate is only read so, is `σ(-a)`, called `k`: it keeps the digits that the subtraction loses",
    _complement,
    rests_on="sigma-complement",
)
HALF_ANGLE = Transform(
    "half angle",
    "`σ(a)` is `(1 + tanh(a/2))/2`, so that one function serves; the halves are folded into the weights",
    _half_angle,
    rests_on="tanh-sigma",
)
CALCULATOR = Transform("calculator lines", "every line is one entry on a calculator", _calculator_lines)

OPERANDS = Transform(
    "operands", "what several units read of one, such as `r ⊙ h` under a matrix, is computed once", _operand_lines
)

RULES = {
    t.name: t
    for t in (ZERO_STATE, MERGED_BIASES, ZERO_BIASES, UNUSED, BLEND, COMPLEMENT, HALF_ANGLE, OPERANDS, CALCULATOR)
}


def zero_params(params: set[Symbol]) -> Transform:
    """Leave out just these parameters, which are known to be 0."""
    return Transform("zero biases", ZERO_BIASES.says, _without(lambda cell: params), assumes=lambda cell: params)
