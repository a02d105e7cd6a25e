"""A normal form in which equal functions look equal: fractions of polynomials in exponentials.

sigma and tanh are written out by their definitions, so that what holds between them comes out as plain algebra. The
form is sound: where two forms are equal, so are the functions. Nothing is searched for; polynomials with rational
coefficients are multiplied out and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from sympy import Abs, Derivative, Expr, Rational, S, Symbol, diff, exp, symbols, tanh
from sympy.polys.domains import QQ
from sympy.polys.rings import PolyElement, PolyRing

from symgru.activations import LOGISTIC, clip, expanded, expm1, where_positive
from symgru.activations import a as argument
from symgru.algebra import Dot, sigma, walk
from symgru.errors import Unsupported

DEFINITIONS = {sigma: LOGISTIC, tanh: tanh(argument).rewrite(exp)}
ROOM = 16  # functions for which there are symbols at first
IMPLIED = {">": {">", ">="}, "<": {"<", "<="}, ">=": {">="}, "<=": {"<="}, "=": {"=", ">=", "<="}, "": set()}
OPPOSITE = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "=": "=", "": ""}

Ratio = tuple[PolyElement, PolyElement]  # numerator and denominator
Functions = frozenset[Callable[..., Expr]]
T = TypeVar("T")


def equal(left: Expr, right: Expr, complementary: Functions = frozenset()) -> bool:
    """Whether both are one function. False says only that they have different forms.

    `complementary` functions satisfy s(-a) = 1 - s(a), which is assumed of them.
    """

    def compare(form: _Form) -> bool:
        (p, q), (r, s) = form.of(left), form.of(right)
        return bool(p * s == r * q)

    left, right = expanded(left), expanded(right)
    return _with_room(compare, (left, right), complementary)


def has_sign(e: Expr, relation: str, nonnegative: frozenset[Symbol] = frozenset()) -> bool:
    """Whether `e` is in that relation to 0 by the signs of the symbols in it alone.

    `nonnegative` matrices have no negative element: their product with what is not negative is not negative either.
    """
    e = expanded(e)
    return relation in _with_room(lambda form: IMPLIED[form.sign(form.of(e))], (e,), nonnegative=nonnegative)


def derivative(e: Expr) -> Expr:
    """What SymPy's Derivative node stands for, from the definitions."""
    inner, *variables = e.args
    return cast(Expr, diff(_written_out(cast(Expr, inner)), *variables))


def _written_out(e: Expr) -> Expr:
    inner = [_written_out(cast(Expr, arg)) for arg in e.args]
    if e.func in DEFINITIONS:
        return cast(Expr, DEFINITIONS[e.func].xreplace({argument: inner[0]}))
    return cast(Expr, e.func(*inner)) if inner else e


class _Full(Exception):
    """There are more functions than symbols for them."""


def _with_room(
    found: Callable[[_Form], T],
    expressions: tuple[Expr, ...],
    complementary: Functions = frozenset(),
    nonnegative: frozenset[Symbol] = frozenset(),
) -> T:
    """What is found in a ring with symbols for all functions; how many there are shows only on the way."""
    own = sorted({s for e in expressions for s in walk(e) if s.is_Symbol}, key=lambda s: (s.name, type(s).__name__))
    room = ROOM
    while True:
        try:
            return found(_Form(own, room, complementary, nonnegative))
        except _Full:
            room *= 2


class _Form:
    """Brings expressions to a common form: functions and products with matrices become symbols that they share."""

    def __init__(self, own: list[Symbol], room: int, complementary: Functions, nonnegative: frozenset[Symbol]) -> None:
        self.complementary, self.nonnegative = complementary, nonnegative
        self.ring = PolyRing([*own, *symbols(f"_:{room}", cls=Symbol)], QQ)
        self.signs = [">" if s.is_positive else ">=" if s.is_nonnegative else "" for s in own]
        self.made: dict[Hashable, Ratio] = {s: (self.ring.gens[k], self.ring.one) for k, s in enumerate(own)}
        self.forms: dict[Expr, Ratio] = {}

    def of(self, e: Expr) -> Ratio:
        """`e` as a fraction of two polynomials, not always in lowest terms."""
        if e not in self.forms:
            self.forms[e] = self._form(e)
        return self.forms[e]

    def sign(self, ratio: Ratio) -> str:
        """How a fraction compares with 0, where the signs of its symbols say it."""
        above, below = map(self._sign, ratio)
        if below == "<":
            above, below = OPPOSITE[above], ">"
        return above if below == ">" else ""

    def _sign(self, p: PolyElement) -> str:
        if not p:
            return "="
        found = {self._sign_of_term(powers, coefficient) for powers, coefficient in p.terms()}
        for sign in (">", "<"):
            if all(sign + "=" in IMPLIED[s] for s in found):
                return sign if sign in found else sign + "="
        return ""

    def _sign_of_term(self, powers: tuple[int, ...], coefficient: Any) -> str:
        sign = ">"
        for k, power in enumerate(powers):
            if power and self.signs[k] != ">":
                if power % 2 and not self.signs[k]:
                    return ""
                sign = ">="
        return sign if coefficient > 0 else OPPOSITE[sign]

    def _form(self, e: Expr) -> Ratio:
        if e in self.made:
            return self.made[e]
        if isinstance(e, Rational):
            return self.ring(e.p), self.ring(e.q)
        if e is S.Exp1:
            return self._exponential(self.of(S.One))
        if e.is_Add:
            return self._sum([self.of(cast(Expr, arg)) for arg in e.args])
        if e.is_Mul:
            return self._times([self.of(cast(Expr, arg)) for arg in e.args])
        if e.is_Pow and e.args[1].is_Integer:
            return self._power(self.of(cast(Expr, e.args[0])), int(e.args[1]))
        if isinstance(e, Derivative):
            return self.of(derivative(e))
        if isinstance(e, Dot):
            return self._product(cast(Expr, e.args[0]), self._argument(e, 1))
        if e.is_Function:
            return self._applied(e)
        raise Unsupported(f"the normal form does not know {type(e).__name__}: {str(e)[:60]}")

    def _sum(self, summands: list[Ratio]) -> Ratio:
        above, below = summands[0]
        for p, q in summands[1:]:
            above, below = (above + p, below) if q == below else (above * q + p * below, below * q)
        return above, below

    def _times(self, factors: list[Ratio]) -> Ratio:
        above, below = factors[0]
        for p, q in factors[1:]:
            above, below = above * p, below * q
        return above, below

    def _power(self, base: Ratio, power: int) -> Ratio:
        if power < 0 and not base[0]:
            raise Unsupported("the normal form does not divide by 0")
        above, below = base if power >= 0 else reversed(base)
        return above ** abs(power), below ** abs(power)

    def _argument(self, e: Expr, k: int = 0) -> Ratio:
        """An argument of a function in lowest terms, so that equal arguments are the same."""
        return self._reduced(*self.of(cast(Expr, e.args[k])))

    def _reduced(self, above: PolyElement, below: PolyElement) -> Ratio:
        """A fraction in lowest terms whose denominator begins with 1."""
        above, below = above.cancel(below)
        number = below.LC
        return above.quo_ground(number), below.quo_ground(number)

    def _applied(self, e: Expr) -> Ratio:
        function = e.func
        if function in DEFINITIONS:
            return self._defined(DEFINITIONS[function], self._argument(e))
        if function is exp:
            return self._exponential(self._argument(e))
        if function is expm1:
            return self._sum([self._exponential(self._argument(e)), self.of(S.NegativeOne)])
        arguments = [self._argument(e, k) if arg is not S.Infinity else None for k, arg in enumerate(e.args)]
        if function in (clip, Abs, where_positive):
            value = self._branch(function, arguments)
            if value is not None:
                return value
        if function in self.complementary:
            number, rest = self._content(cast(Ratio, arguments[0]))
            if number < 0:
                positive = self._made((function, (rest[0] * -number, rest[1])))
                return self._sum([self.of(S.One), self._times([self.of(S.NegativeOne), positive])])
        return self._made((function, *arguments))

    def _defined(self, definition: Expr, value: Ratio) -> Ratio:
        """A definition in exponentials of multiples of its argument, at this value."""
        if isinstance(definition, exp):
            factor = definition.args[0] / argument
            return self._exponential(self._times([self.of(factor), value]))
        if definition.is_Add:
            return self._sum([self._defined(cast(Expr, arg), value) for arg in definition.args])
        if definition.is_Mul:
            return self._times([self._defined(cast(Expr, arg), value) for arg in definition.args])
        if definition.is_Pow:
            return self._power(self._defined(cast(Expr, definition.args[0]), value), int(definition.args[1]))
        return self.of(definition)

    def _exponential(self, exponent: Ratio) -> Ratio:
        """e^u as a power of the symbol for e^(u/2): half angles are the finest that formulas use."""
        if not exponent[0]:
            return self.ring.one, self.ring.one
        number, rest = self._content(exponent)
        if (2 * number).denominator == 1:
            return self._power(self._made((exp, rest), ">"), int(2 * number))
        return self._made((exp, exponent), ">")

    def _content(self, ratio: Ratio) -> tuple[Any, Ratio]:
        """A number and what it multiplies, so that rational multiples agree in the latter."""
        above, below = ratio
        number = above.LC
        return number, (above.quo_ground(number), below)

    def _product(self, matrix: Expr, vector: Ratio) -> Ratio:
        """W @ v, which is linear: summand by summand, numbers in front."""
        number, matrix = matrix.as_coeff_Mul()
        above, below = vector
        summands = [self.of(S.Zero)]
        for powers, coefficient in above.terms():
            v = self._reduced(self.ring.term_new(powers, QQ(1)), below)
            known = ">=" if matrix in self.nonnegative and ">=" in IMPLIED[self.sign(v)] else ""
            summands.append((self._made((Dot, matrix, v), known)[0] * coefficient, self.ring.one))
        return self._times([self.of(number), self._sum(summands)])

    def _branch(self, function: type, arguments: list[Ratio | None]) -> Ratio | None:
        """The value of a function that is defined by cases, where signs decide the case."""

        def at_most(p: Ratio | None, q: Ratio | None) -> bool:
            """Whether p <= q; None is infinity."""
            if q is None:
                return True
            less = self._sum([q, self._times([self.of(S.NegativeOne), cast(Ratio, p)])])
            return ">=" in IMPLIED[self.sign(less)]

        zero = self.of(S.Zero)
        first = cast(Ratio, arguments[0])
        if function is clip:
            _, low, high = arguments
            if at_most(first, low):
                return low
            if high is not None and at_most(high, first):
                return high
            return first if at_most(low, first) and at_most(first, high) else None
        if function is where_positive:
            return arguments[2] if at_most(first, zero) else arguments[1] if self.sign(first) == ">" else None
        if at_most(first, zero):
            return self._times([self.of(S.NegativeOne), first])
        return first if at_most(zero, first) else None

    def _made(self, key: Hashable, sign: str = "") -> Ratio:
        """The symbol for something of which no more is known than its sign."""
        if key not in self.made:
            if len(self.signs) == len(self.ring.gens):
                raise _Full
            self.made[key] = self.ring.gens[len(self.signs)], self.ring.one
            self.signs.append(sign)
        return self.made[key]
