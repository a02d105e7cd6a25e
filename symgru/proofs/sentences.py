"""How statements and arguments are put into words: pieces that every document spells in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sympy import Expr, Symbol, sympify

from symgru.proofs.enclosures import Point


@dataclass(frozen=True)
class Formula:
    """left = right, left > right, and so on; a chain where there are more: 0 < left < 1."""

    sides: tuple[Expr, ...]
    relations: tuple[str, ...] = ("=",)


@dataclass(frozen=True)
class Code:
    """The name of a cell, an activation or a proof, as it is typed."""

    name: str


@dataclass(frozen=True)
class Digits:
    """A number that has been worked out, beside another where there are two. Where `left` is empty, only what a number
    should have been: < 0."""

    left: str
    relation: str = ""
    right: str = ""


Piece: TypeAlias = str | Expr | Formula | Code | Digits
Sentence: TypeAlias = tuple[Piece, ...]  # words and what stands between them; the words are plain ASCII


def say(words: str, *pieces: Piece | Sentence) -> Sentence:
    """The words with a piece, or the pieces of a sentence, in place of each {}."""
    first, *rest = words.split("{}")
    sentence: list[Piece] = [first] if first else []
    for piece, more in zip(pieces, rest, strict=True):
        sentence += piece if isinstance(piece, tuple) else (piece,)
        sentence += [more] if more else []
    return tuple(sentence)


def listed(items: Iterable[Piece | Sentence]) -> Sentence:
    """One after the other, commas between them."""
    own = list(items)
    return say(", ".join(["{}"] * len(own)), *own)


def equals(left: Expr, right: Expr) -> Formula:
    return Formula((left, right))


def compared(left: Expr, relation: str, right: Expr | int = 0) -> Formula:
    """left > 0, left <= M."""
    return Formula((left, sympify(right)), (relation,))


def replaced(under: Mapping[Symbol, Expr]) -> list[Sentence]:
    """Which parameter becomes what."""
    negated = [old for old, new in under.items() if new == -old]
    zero = [old for old, new in under.items() if new == 0]
    others = [Formula((old, new), ("->",)) for old, new in under.items() if old not in (*negated, *zero)]
    said = [
        (negated, say("{} negated", listed(negated))),
        (zero, say("{} zero", listed(zero))),
        (others, listed(others)),
    ]
    return [sentence for there, sentence in said if there]


def where(point: Point, symbols: Iterable[Symbol]) -> Sentence:
    """The numbers that these symbols have at a point."""
    by_name = {s.name: s for s in symbols}
    own = listed(equals(by_name[name], sympify(q)) for name, q in point.values.items() if name in by_name)
    if point.others is None:
        return own
    rest = say("every number {}", sympify(point.others))
    return say("{} but {}", rest, own) if own else rest
