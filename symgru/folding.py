"""Rules on a program whose weights are known: zeros fall away, numbers are worked out, equal lines become one.

Numbers are exact rationals: a typed decimal or a stored binary float, never a rounded one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import isqrt
from typing import Any, cast

import numpy as np
from sympy import Abs, Expr, Function, Rational, S, Symbol, erf, exp, tanh

from symgru.activations import clip, definition_of, expanded, expm1, log1p, where_positive
from symgru.algebra import Across, Ref, add, is_inverse, is_square, mul, rebuild, sigma, sqrt, terms, walk
from symgru.errors import Unsupported
from symgru.network import Array, Tensor
from symgru.unroll import Assign, Program

Lines = tuple[Assign, ...]
Values = dict[Expr, Expr]

AT_ZERO = {sigma: S.Half, tanh: S.Zero, exp: S.One, expm1: S.Zero, log1p: S.Zero, erf: S.Zero}


@dataclass(frozen=True)
class Numbers:
    """A layer's weights as exact rationals. `typed` takes them as they are printed, else as the model stores them."""

    weights: Mapping[str, Tensor]
    dtype: str = "float32"
    typed: bool = True
    _made: dict[Symbol, Array] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def own(self) -> dict[str, Array]:
        if self.typed:
            return {name: _each(lambda v: Rational(Fraction(Decimal(v))))(t.text) for name, t in self.weights.items()}
        return {name: _each(lambda v: Rational(Fraction(float(v))))(t.value) for name, t in self.weights.items()}

    def array(self, p: Symbol, params: Mapping[Symbol, Expr]) -> Array:
        """A parameter's numbers; one that a rule made is worked out from those it is made of."""
        if p not in self._made:
            self._made[p] = self._value(params[p], params) if p in params else self.own[p.name]
        return self._made[p]

    def _value(self, e: Expr, params: Mapping[Symbol, Expr]) -> Array:
        if e.is_Add:
            return cast(Array, sum(self._value(t, params) for t in terms(e)))
        if e.is_Mul:
            q, *others = cast("tuple[Expr, ...]", e.args)
            return cast(Array, q * self._value(mul(*others), params))
        return self.array(cast(Symbol, e), params)

    def known(self, p: Symbol, params: Mapping[Symbol, Expr]) -> bool:
        return p.name in self.weights or p in params

    def all_zero(self, p: Symbol, params: Mapping[Symbol, Expr]) -> bool:
        return not self.array(p, params).any()

    def refuse_inexact_halves(self, params: Mapping[Symbol, Expr]) -> None:
        """Halving a float is exact except at the very bottom of its range."""
        kind = np.dtype(self.dtype).type
        for p, e in params.items():
            if e.is_Mul and e.args[0] is S.Half:
                whole = kind(self._value(mul(*cast("tuple[Expr, ...]", e.args[1:])), params).astype(np.float64))
                lost = np.argwhere(whole * kind(0.5) * kind(2) != whole)
                if lost.size:
                    place = tuple(int(k) for k in lost[0])
                    raise Unsupported(
                        f"half angle: {p.name[:-1]}{[k + 1 for k in reversed(place)]} is {whole[place]}, which has no "
                        f"exact half in {self.dtype}; leave the rule out"
                    )


def _each(f: Callable[[Any], object]) -> Callable[[Array], Array]:
    ufunc = np.frompyfunc(f, 1, 1)
    return lambda a: np.asarray(ufunc(a), dtype=object)


def map_lines(program: Program, f: Callable[[Expr], Expr]) -> Program:
    """The program with `f` applied to every right-hand side."""

    def lines(given: Iterable[Assign]) -> tuple[Assign, ...]:
        return tuple(Assign(line.lhs, f(line.rhs)) for line in given)

    blocks = tuple(replace(block, lines=lines(block.lines)) for block in program.blocks)
    return replace(program, blocks=blocks, once=lines(program.once))


def weight(program: Program, numbers: Numbers) -> Callable[[Expr], Expr | None]:
    """A Ref's number where it is a weight's, else None."""

    def number(e: Expr) -> Expr | None:
        if isinstance(e, Ref) and e.dt is None and numbers.known(e.of, program.params):
            return cast(Expr, numbers.array(e.of, program.params)[e.idx])
        return None

    return number


def pruned(program: Program, numbers: Numbers) -> Program:
    number = weight(program, numbers)
    return map_lines(program, lambda e: rebuild(e, lambda s: S.Zero if number(s) == 0 else s))


def folded(program: Program, numbers: Numbers) -> Program:
    number = weight(program, numbers)

    def put(e: Expr) -> Expr:
        value = number(e)
        return _fold(e) if value is None else value

    return map_lines(program, lambda e: rebuild(e, put))


def constant(e: Expr) -> Expr:
    """`e` with numbers among themselves worked out, in the order written."""
    return rebuild(e, _fold)


def _fold(e: Expr) -> Expr:
    """One node whose operands are folded already."""
    if e.is_Add:
        return _fold_sum(e)
    if e.is_Mul:
        return _fold_product(e)
    if is_inverse(e) and e.args[0].is_Rational and e.args[0] != 0:
        return cast(Expr, S.One / e.args[0])
    if is_square(e) and e.args[0].is_Rational:
        return cast(Expr, e.args[0] * e.args[0])
    if isinstance(e, Function):
        return of_numbers(e)
    return e


def _fold_sum(e: Expr) -> Expr:
    """All numbers of a sum as one, where the first stood."""
    numbers = [t for t in terms(e) if t.is_Rational]
    if len(numbers) < 2:
        return e
    total = cast(Expr, sum(numbers, S.Zero))
    kept: list[Expr] = []
    for t in terms(e):
        if not t.is_Rational:
            kept.append(t)
        elif t is numbers[0] and total != 0:
            kept.append(total)
            total = S.Zero
    return add(*kept)


def _fold_product(e: Expr) -> Expr:
    """All numbers of a product as one in front; a sign goes into the summands of a sum."""
    flat = [f for a in cast("tuple[Expr, ...]", e.args) for f in (a.args if a.is_Mul else (a,))]
    number = cast(Expr, S.One)
    for f in flat:
        number = number * f if f.is_Rational else number
    others = [cast(Expr, f) for f in flat if not f.is_Rational]
    if number == 0 or not others:
        return number
    if number is S.NegativeOne and len(others) == 1 and others[0].is_Add:
        return add(*(_fold_product(mul(S.NegativeOne, t)) for t in terms(others[0])))
    return mul(*others) if number == 1 else mul(number, *others)


def of_numbers(e: Expr) -> Expr:
    """What a function gives for numbers, where that is rational."""
    if isinstance(e, Across) or not e.args[0].is_Rational:
        return e
    argument = cast(Expr, e.args[0])
    if type(e) in AT_ZERO:
        return AT_ZERO[type(e)] if argument == 0 else e
    if isinstance(e, Abs):
        return cast(Expr, abs(argument))
    if isinstance(e, sqrt):
        return _root(cast(Rational, argument)) or e
    if isinstance(e, clip):
        low, high = e.args[1:]
        return cast(Expr, low if argument < low else high if argument > high else argument)
    if isinstance(e, where_positive):
        return cast(Expr, e.args[1] if argument > 0 else e.args[2])
    if definition_of(e):
        value = constant(expanded(e))
        return value if value.is_Rational else e
    return e


def _root(q: Rational) -> Expr | None:
    """The square root of a rational number where it is one too."""
    above, below = isqrt(max(int(q.p), 0)), isqrt(int(q.q))
    root = Rational(above, below)
    return root if root * root == q else None


def constant_lines(program: Program, numbers: Numbers) -> Program:
    """Components that turn out constant are computed once; those that are a number are put in where they are read."""
    while True:  # what read a constant may have become one
        kept = _put_in(_hoisted(program))
        if kept == program:
            return program
        program = kept


def _hoisted(program: Program) -> Program:
    """What is constant at every step stands before the first."""
    fixed = _repeated(program, lambda line: not is_output(program, line.lhs) and _is_constant(line.rhs))
    moved: dict[Expr, Expr] = {line.lhs: Ref(line.lhs.of, line.lhs.idx) for line in fixed}
    once = (*program.once, *(Assign(cast(Ref, moved[line.lhs]), line.rhs) for line in fixed))
    left = [replace(block, lines=tuple(line for line in block.lines if line not in fixed)) for block in program.blocks]
    return map_lines(replace(program, blocks=tuple(left), once=once), lambda e: _replaced(e, moved))


def _put_in(program: Program) -> Program:
    """What is a number needs no line."""
    once, known = _without_numbers(program, program.once, {})
    blocks = (replace(block, lines=_without_numbers(program, block.lines, known)[0]) for block in program.blocks)
    return replace(program, blocks=tuple(blocks), once=once)


def _without_numbers(program: Program, lines: Lines, known: Values) -> tuple[Lines, Values]:
    """The lines that are left, and the numbers of those that are gone; `known` are those of lines before these."""
    gone = dict(known)
    kept: list[Assign] = []
    for line in lines:
        rhs = line.rhs
        if any(s in gone for s in walk(rhs)):
            rhs = rebuild(rhs, lambda s: _fold(gone.get(s, s)))
        if rhs.is_Rational and not is_output(program, line.lhs):
            gone[line.lhs] = rhs
        else:
            kept.append(Assign(line.lhs, rhs))
    return tuple(kept), gone


def _repeated(program: Program, wanted: Callable[[Assign], bool]) -> list[Assign]:
    """The lines that are wanted and stand in every block, in order."""
    first, *others = program.blocks
    return [line for line in first.lines if wanted(line) and all(line in block.lines for block in others)]


def _is_constant(e: Expr) -> bool:
    return all(s.dt is None for s in walk(e) if isinstance(s, Ref))


def is_output(program: Program, ref: Ref) -> bool:
    """Whether a component belongs to the state (or the output, where there is no state)."""
    return ref.of in {program.cell.output, *(before for before, _ in program.cell.states)}


def shared(program: Program, numbers: Numbers | None = None) -> Program:
    """Equal applications of a function are computed once in a step; a line that only repeats another is gone."""
    names = iter(range(10**9))
    shapes, sizes = dict(program.shapes), dict(program.sizes)
    part = Symbol("s", real=True)
    once, known = _shared(program, program.once, {}, lambda: Ref(part, (next(names),)))
    blocks = tuple(
        replace(block, lines=_shared(program, block.lines, known, lambda: Ref(part, (next(names),), 0))[0])
        for block in program.blocks
    )
    count = next(names)
    if count:
        shapes[part], sizes["S"] = ("S",), count
    return replace(program, blocks=blocks, once=once, shapes=shapes, sizes=sizes)


def _shared(program: Program, lines: Lines, known: Values, fresh: Callable[[], Ref]) -> tuple[Lines, Values]:
    """The lines that are left, and what stands for each that is gone; `known` are those of lines before these.

    Once two lines are one, what reads them may be equal too, so it goes on until there is nothing to do.
    """
    gone = dict(known)
    while True:
        kept = _shared_once(program, lines, gone, fresh)
        if kept == lines:
            return lines, gone
        lines = kept


def _shared_once(program: Program, lines: Lines, gone: Values, fresh: Callable[[], Ref]) -> Lines:
    nodes = Counter(node for line in lines for node in walk(line.rhs) if isinstance(node, Function))
    often = {node for node, n in nodes.items() if n > 1}
    value = dict(gone)
    kept: list[Assign] = []
    for line in lines:
        for node in walk(line.rhs):  # operands before the node that uses them
            if node in often and node not in value and node != line.rhs:
                ref = fresh()
                kept.append(Assign(ref, _replaced(node, value, keep=node)))
                value[node] = ref
        rhs = _replaced(line.rhs, value)
        if isinstance(rhs, Ref) and not is_output(program, line.lhs):
            value[line.lhs] = gone[line.lhs] = rhs  # only another name for what is there already
            continue
        kept.append(Assign(line.lhs, rhs))
        if line.rhs in often:
            value[line.rhs] = line.lhs
    return tuple(kept)


def _replaced(e: Expr, value: Mapping[Expr, Expr], keep: Expr | None = None) -> Expr:
    """`e` with every subexpression that has a value replaced by it, outermost first."""
    if e in value and e != keep:
        return value[e]
    if not e.args:
        return e
    return cast(Expr, e.func(*(_replaced(cast(Expr, a), value) for a in e.args), evaluate=False))


def without_dead_lines(program: Program, numbers: Numbers | None = None) -> Program:
    """Only the lines that an output depends on."""
    needed: set[Expr] = set()
    blocks = tuple(
        replace(b, lines=_alive(b.lines, needed, lambda ref: is_output(program, ref))) for b in program.blocks
    )
    return replace(program, blocks=blocks, once=_alive(program.once, needed, lambda ref: False))


def _alive(lines: tuple[Assign, ...], needed: set[Expr], output: Callable[[Ref], bool]) -> tuple[Assign, ...]:
    kept: list[Assign] = []
    for line in reversed(lines):
        if output(line.lhs) or line.lhs in needed:
            kept.append(line)
            needed |= {s for s in walk(line.rhs) if isinstance(s, Ref)}
    return tuple(reversed(kept))
