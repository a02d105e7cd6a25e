"""A long sum taken apart: its largest products one by one, and what all others come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import cast

from sympy import Expr

from symgru.algebra import Ref, terms
from symgru.backends.dialect import Dialect
from symgru.backends.worked import LayerWriter
from symgru.lesson.parts import Paragraph, Part, Table
from symgru.lesson.prose import Formula, Text, formula, number, say
from symgru.rounding import Rounding
from symgru.working import Line, Working

GUARDS = range(2, 8)  # digits beyond the line's own in which products are shown


@dataclass(frozen=True)
class Product:
    """One summand of a line: what is multiplied (one number or two), and what comes out."""

    factors: tuple[Ref, ...]
    value: Decimal


@dataclass(frozen=True)
class Contributions:
    """The `largest` products, rounded to `rounding`, and `others`, which `count` more sum to; together they round to
    the line's value."""

    line: Line
    largest: tuple[Product, ...]
    count: int
    others: Decimal
    rounding: Rounding


def is_long(rhs: Expr, longest: int | None) -> bool:
    """Whether a line is a sum of more than `longest` products of printed numbers, and so can be taken apart."""
    if longest is None or len(terms(rhs)) <= longest:
        return False
    return all(isinstance(factor, Ref) for term in terms(rhs) for factor in _factors(term))


def _factors(term: Expr) -> tuple[Expr, ...]:
    return cast("tuple[Expr, ...]", term.args) if term.is_Mul else (term,)


def contributions(layer: Working, t: int, unit: int, longest: int, most: int) -> Iterator[Part]:
    """A table for each line of one unit that is long."""
    for line in layer.lines(t):
        if line.lhs.idx[0] == unit and is_long(line.rhs, longest):
            what, n = formula(_name(layer, line.lhs, t)), str(len(terms(line.rhs)))
            yield Paragraph(say("{what} is a sum of {n} products:", what=what, n=n))
            yield _table(layer, _taken_apart(layer, line, most))


def _taken_apart(layer: Working, line: Line, most: int) -> Contributions:
    products = []
    for term in terms(line.rhs):
        factors = cast("tuple[Ref, ...]", _factors(term))
        products.append(Product(factors, prod((Decimal(line.texts[f]) for f in factors), start=Decimal(1))))
    products.sort(key=lambda p: -abs(p.value))
    first, rest = products[:most], sum((p.value for p in products[most:]), Decimal(0))
    own = layer.rounding
    for guard in GUARDS:  # as few digits as let the printed summands round to the printed value
        finer = Rounding(own.decimals + guard, own.significant + guard, own.fewest)
        if own(sum((finer(p.value) for p in first), finer(rest))) == line.value:
            break
    return Contributions(line, tuple(first), len(products) - most, rest, finer)


def _table(layer: Working, c: Contributions) -> Table:
    line = c.line

    def shown(v: Decimal) -> Text:
        return number(c.rounding.text(c.rounding(v)))

    rows = [
        (
            formula(_product(layer, p.factors, line.t)),
            formula(_numbers(tuple(line.texts[f] for f in p.factors))),
            shown(p.value),
        )
        for p in c.largest
    ]
    rows += [
        (say("{n} others sum to", n=str(c.count)), say(""), shown(c.others)),
        (formula(_name(layer, line.lhs, line.t)), say("all together, rounded"), number(line.text)),
    ]
    return Table((say("product"), say("numbers"), say("value")), tuple(rows), left=2)


def _name(layer: Working, ref: Ref, t: int) -> Formula:
    return lambda d: LayerWriter(layer, d).ref(ref, t)


def _product(layer: Working, factors: tuple[Ref, ...], t: int) -> Formula:
    def text(d: Dialect) -> str:
        writer = LayerWriter(layer, d)
        return d.syntax().times.join(writer.ref(f, t) for f in factors)

    return text


def _numbers(texts: tuple[str, ...]) -> Formula:
    def text(d: Dialect) -> str:
        form = d.numbers()
        first, *others = texts
        return form.times.join([form.operand(first), *map(form.operand, others)]) if others else form.plain(first)

    return text
