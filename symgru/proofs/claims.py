"""What a proof is made of: claims that a computation checks, and counterexamples to what is false.

A claim prints the very expressions that it checks. None is taken on trust: `holds` works it out when it is asked, and
is False where the normal form does not show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from typing import Protocol, cast

from sympy import Expr, Symbol, sympify

from symgru.algebra import Dot, Vec, mul, rebuild
from symgru.cell import Cell, h, x
from symgru.proofs.enclosures import Number, Point, Value, apart, components, constant, digits, enclosure
from symgru.proofs.normal import Functions, equal, has_sign
from symgru.proofs.sentences import Code, Digits, Sentence, compared, equals, listed, replaced, say, where

START = Vec("h_0", real=True)
Given = Mapping[Expr, Expr] | Mapping[Symbol, Expr]  # what stands for what


class Claim(Protocol):
    """Something that is so or is not, found by computation."""

    @property
    def says(self) -> Sentence:
        """The claim as it is printed."""

    def holds(self) -> bool:
        """Whether the computation shows it."""


@dataclass(frozen=True)
class Same:
    """Both expressions are one function, by their normal forms.

    `complementary` functions are taken to satisfy s(-a) = 1 - s(a). With `pieces`, the variables take the forms of each
    in turn; together they cover every number. A `label` is printed where the expressions would be long.
    """

    left: Expr
    right: Expr
    complementary: Functions = frozenset()
    pieces: tuple[Given, ...] = ({},)
    label: Sentence = ()

    @property
    def says(self) -> Sentence:
        return self.label or (equals(self.left, self.right),)

    def holds(self) -> bool:
        return all(equal(put(self.left, piece), put(self.right, piece), self.complementary) for piece in self.pieces)


@dataclass(frozen=True)
class Signed:
    """`e` is on one side of 0 where the symbols are as `given`: expressions whose symbols have a known sign.

    `nonnegative` matrices have no negative element. Only the signs of what the normal form adds and multiplies count.
    """

    e: Expr
    relation: str
    given: Given = field(default_factory=dict)
    nonnegative: frozenset[Symbol] = frozenset()

    @property
    def says(self) -> Sentence:
        return (compared(put(self.e, self.given), self.relation),)

    def holds(self) -> bool:
        return has_sign(put(self.e, self.given), self.relation, self.nonnegative)


@dataclass(frozen=True)
class SameCells:
    """One step of `left`, with parameters replaced as `under` says, is one step of `right`.

    Equal steps from every state and input make equal sequences. `one_unit` compares cells of one unit and any number
    of features; `notes` say what else is special about `left`.
    """

    left: Cell
    right: Cell
    under: Mapping[Symbol, Expr] = field(default_factory=dict)
    one_unit: bool = False
    complementary: Functions = frozenset()
    notes: tuple[Sentence, ...] = ()

    @property
    def says(self) -> Sentence:
        special = [*([say("one unit")] if self.one_unit else []), *self.notes, *replaced(self.under)]
        left = say("{} with {}", Code(self.left.name), listed(special)) if special else say("{}", Code(self.left.name))
        return say("{} is {}", left, Code(self.right.name))

    def holds(self) -> bool:
        return self.steps.holds()

    @cached_property
    def steps(self) -> Same:
        """The two steps as expressions."""
        left, right = put(one_step(self.left), self.under), one_step(self.right)
        if self.one_unit:
            left, right = one_unit(left), one_unit(right)
        return Same(left, right, self.complementary)


@dataclass(frozen=True)
class Differ:
    """The two sides of an equation, enclosed at a point, have no number in common there."""

    left: Expr
    right: Expr
    point: Point

    @property
    def says(self) -> Sentence:
        return say("{}: {}", where(self.point, self.left.free_symbols | self.right.free_symbols), self._found())

    def _found(self) -> Sentence:
        if self.evidence is None:
            return say("not refuted")
        left, right = self.evidence
        return say("{}", Digits(left, "!=", right))

    def holds(self) -> bool:
        return self.evidence is not None

    @cached_property
    def evidence(self) -> tuple[str, ...] | None:
        """A value of each side in one unit, where the enclosures are apart."""
        left, right = (enclosure(e, self.point) for e in (self.left, self.right))
        return next((digits(p, q) for p, q in apart(left, right)), None)


@dataclass(frozen=True)
class Outside:
    """An expression, enclosed at a point, is not on the side of 0 that was claimed."""

    e: Expr
    relation: str
    point: Point

    @property
    def says(self) -> Sentence:
        return say("{}: {}", where(self.point, self.e.free_symbols), _found(self.evidence))

    def holds(self) -> bool:
        return self.evidence is not None

    @cached_property
    def evidence(self) -> tuple[str, str, str] | None:
        """The value, and what it is not."""
        return violation(enclosure(self.e, self.point), self.relation, 0)


@dataclass(frozen=True)
class Escapes:
    """A cell's state after the inputs `xs`, enclosed, is not on the side of `bound` that was claimed."""

    cell: Cell
    point: Point
    xs: tuple[Number, ...]
    relation: str
    bound: Fraction | int = 0

    @property
    def says(self) -> Sentence:
        symbols = {START if s == h else s for s in one_step(self.cell).free_symbols if s != x}
        inputs = equals(x, sympify(self.xs if len(self.xs) > 1 else self.xs[0]))
        start = where(self.point.renamed("h", START.name), symbols)
        return say("{}, {}: the last state is {}", inputs, start, _found(self.evidence))

    def holds(self) -> bool:
        return self.evidence is not None

    @cached_property
    def evidence(self) -> tuple[str, str, str] | None:
        """The state in one unit, and what it is not."""
        step, state = one_step(self.cell), enclosure(h, self.point)
        for value in self.xs:
            state = enclosure(step, self.point.at(x=value), {h: state})
        return violation(state, self.relation, self.bound)


def violation(value: Value, relation: str, bound: Fraction | int) -> tuple[str, str, str] | None:
    """The first component that is certainly not in that relation to the bound, the relation, and the bound."""
    limit = constant(bound)
    for v in components(value):
        below, equals_it, above = v.b < limit, v.a == v.b == limit, v.a > limit
        if {"<": above or equals_it, "<=": above, ">": below or equals_it, ">=": below}[relation]:
            found, shown = digits(v, limit)
            return found, relation, shown
    return None


def _found(evidence: tuple[str, str, str] | None) -> Sentence:
    if evidence is None:
        return say("not refuted")
    value, relation, bound = evidence
    return say("{}, not {}", Digits(value), Digits("", relation, bound))


Counterexample = Differ | Outside | Escapes


@dataclass(frozen=True)
class Step:
    """One step of an argument: what it says, and the claims it makes. `shown` is how many of them are printed."""

    says: Sentence
    claims: tuple[Claim, ...]
    shown: int = 99


@dataclass(frozen=True)
class Twin:
    """A plausible statement that is false: the computation that proves the true one rejects it, and a certified
    evaluation refutes it."""

    says: Sentence
    claims: tuple[Claim, ...]
    counterexample: Counterexample

    def rejected(self) -> bool:
        return not all(claim.holds() for claim in self.claims)

    def refuted(self) -> bool:
        return self.counterexample.holds()


@dataclass(frozen=True)
class Argument:
    """A statement, the steps that prove it, and its false twins."""

    statement: Sentence
    steps: tuple[Step, ...]
    twins: tuple[Twin, ...]

    def holds(self) -> bool:
        """Whether all claims of all steps hold."""
        return all(claim.holds() for step in self.steps for claim in step.claims)


@dataclass(frozen=True)
class Proof:
    """A named statement whose proof is a computation; nothing is built before it is asked for."""

    name: str
    build: Callable[[], Argument]

    def holds(self) -> bool:
        """Carry out the proof."""
        return self.build().holds()


def twin(claim: Same | SameCells, point: Point, says: Sentence = ()) -> Twin:
    """A false equation, refuted by the values of its own two sides."""
    steps = claim.steps if isinstance(claim, SameCells) else claim
    return Twin(says or claim.says, (claim,), Differ(steps.left, steps.right, point))


def put(e: Expr, given: Given) -> Expr:
    """`e` with every node that is given replaced, in the order written."""
    return rebuild(e, lambda node: given.get(node, node)) if given else e


@cache
def one_step(cell: Cell) -> Expr:
    """The new state (or the output) as one expression in input, state and parameters."""
    values: dict[Expr, Expr] = {}
    for lhs, rhs in cell.equations:
        values[lhs] = put(rhs, values)
    return values[cell.output]


def one_unit(e: Expr) -> Expr:
    """A step at one unit and any number of features: a recurrent kernel is a number there, a kernel is not."""

    def product(node: Expr) -> Expr:
        return mul(*cast("tuple[Expr, ...]", node.args)) if isinstance(node, Dot) and node.args[1] != x else node

    return rebuild(e, product)
