"""The input of a worked example, as it was typed."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.worked import input_name
from symgru.explanation import Explanation
from symgru.lesson.parts import Equation
from symgru.lesson.prose import Formula
from symgru.network import Array

MOST_LISTED = 24  # numbers of a row that are printed


def input_equations(e: Explanation) -> Iterator[Equation]:
    """The inputs as typed: one equation for a single feature, else one a step."""
    one = len(e.inputs) == 1
    for put, each in zip(e.network.inputs, e.inputs, strict=True):
        yield from _input("x" if one else put.id, each.text[0])


def _input(name: str, texts: Array) -> Iterator[Equation]:
    rows = texts.reshape(len(texts), -1)

    def values(row: Array) -> Formula:
        kept = tuple(map(str, row))
        if len(kept) <= MOST_LISTED:
            return lambda d: d.listed(kept)
        return lambda d: d.listed((*kept[:-3][: MOST_LISTED - 4], d.syntax().ellipsis, *kept[-3:]))

    def called(time: str) -> Formula:
        return lambda d: input_name(d, name, time)

    if rows.shape[1] == 1:
        yield Equation(called(""), (values(rows[:, 0]),))
        return
    for t, row in enumerate(rows, 1):
        yield Equation(called(str(t)), (values(row),))
