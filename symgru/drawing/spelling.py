"""How the symbols and numbers of a picture are spelled. A style replaces these two functions and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from symgru.backends.formula import Name
from symgru.drawing.shapes import Run, Runs


def symbol(n: Name) -> Runs:
    """A letter with its gate, time and index below it: z_{t,1}."""
    inside = ",".join(part for part in (n.gate, n.time, *n.index) if part)
    return (Run(n.letter, italic=True), *lowered(inside))


def lowered(text: str) -> Runs:
    """A subscript: letters in italics, digits and signs upright."""
    return tuple(Run("".join(part), italic, -1) for italic, part in groupby(text, key=str.isalpha))


def number(text: str) -> Runs:
    """A number as it is printed, with a minus sign; 1.2e-08 as a power of ten."""
    mantissa, e, exponent = text.replace("-", "−").partition("e")
    if not e:
        return (Run(mantissa),)
    sign = "−" if exponent[0] == "−" else ""
    return Run(f"{mantissa}·10"), Run(sign + exponent.lstrip("+−0"), script=1)


@dataclass(frozen=True)
class Spelling:
    """All symbols pass `symbol`, all numbers `number`."""

    symbol: Callable[[Name], Runs] = symbol
    number: Callable[[str], Runs] = number


SPELLING = Spelling()
