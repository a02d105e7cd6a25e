"""What stands where in the sheets, counted from 0. Steps and Unrounded are laid out alike: time runs to the right,
lines run down.

A block is one call of the network: a layer with equations, or a map that looks at values. Its first rows are its input,
each cell a link to where the value comes from; then come its lines, in the order of the equations, unit below unit. The
state before the first step stands in the column left of step 1, so that the state before a step is always to the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from symgru.backends.notation import BEFORE, NOW
from symgru.cell import Cell
from symgru.explanation import Explanation
from symgru.network import Array

NAME, WORDS, START, FIRST = 0, 1, 2, 3  # columns: the line's name, its formula in words, step 0, step 1
TOP = 3  # rows above the first block


def column_name(k: int) -> str:
    """A, B, … Z, AA, …"""
    text = ""
    while k >= 0:
        text, k = chr(ord("A") + k % 26) + text, k // 26 - 1
    return text


def address(row: int, column: int) -> str:
    return f"{column_name(column)}{row + 1}"


@dataclass(frozen=True)
class Row:
    """One line of a block for all its columns.

    `formula` is one text for all columns, with placeholders for this column and the one before; without it each column
    has its own, `links`. `start` is what stands in the column of step 0, with its two values. `rounds` says whether
    the rounded sheet rounds it. Values: `chain` of the sheet Steps, `full` of the sheet Unrounded.
    """

    name: str
    words: str
    colour: str
    chain: Array
    full: Array
    formula: str = ""
    links: tuple[str, ...] = ()
    start: tuple[str, float, float] | None = None
    rounds: bool = False
    main: bool = False

    def at(self, column: int) -> str:
        """The formula of one column, counted from step 1."""
        if not self.formula:
            return self.links[column]
        before, now = column_name(FIRST + column - 1), column_name(FIRST + column)
        return self.formula.replace(NOW, now).replace(BEFORE, before)


@dataclass(frozen=True)
class Block:
    """Rows from `top` + 1 on, under a heading at `top`. `mask` is the row of the mask, if any."""

    title: str
    cell: Cell | None
    top: int
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    mask: int | None = None


@dataclass(frozen=True)
class Result:
    """One number of the result: its name, where it stands, and its values in both sheets."""

    name: str
    address: str
    chain: Decimal
    full: float


@dataclass
class Value:
    """A value of the network: the formula of each number, and its values in both sheets. The batch is first."""

    where: Array
    chain: Array
    full: Array

    def map(self, f: Any) -> Value:
        return Value(f(self.where), f(self.chain), f(self.full))


@dataclass(frozen=True)
class Given:
    """A table of the sheet Inputs: rows of numbers as typed, with its name."""

    name: str
    title: str
    top: int
    columns: tuple[str, ...]
    texts: Array
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Everything that the sheets hold, with its place."""

    explanation: Explanation
    blocks: tuple[Block, ...]
    given: tuple[Given, ...]
    weights: Mapping[tuple[str, str], str]  # (layer, parameter): the name of its range
    results: tuple[Result, ...]
    rows: int
    columns: int
    usual: int  # decimals that the other documents carry
