"""How the symbols and numbers of a picture are spelled, in the notation of a style. All of them pass here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from symgru.backends.notation import Name
from symgru.drawing.shapes import Run, Runs
from symgru.styles import DEFAULT, Style
from symgru.styles.symbols import Sign

ACCENTS = {"tilde": "\u0303", "hat": "\u0302", "bar": "\u0304"}  # combining characters


@dataclass(frozen=True)
class Spelling:
    """The texts of one style."""

    style: Style = DEFAULT

    def symbol(self, n: Name) -> Runs:
        """A letter with its gate, time and index: z_{t,1}, or h^{(t)}_1 where the style's time stands above."""
        plain = n.letter.rstrip("'")
        known = self.style.spelling(plain, n.gate, n.of)
        raised = self.style.time
        above = _signs(known.above) + (f"{raised[0]}{n.time.strip('()')}{raised[1]}" if raised and n.time else "")
        below = ",".join(part for part in (_signs(known.below), "" if raised else n.time, *n.index) if part)
        letter = Run(_sign(known.sign) + "′" * (len(n.letter) - len(plain)), italic=True)
        return (letter, *_script(above, 1), *_script(below, -1))

    def number(self, text: str) -> Runs:
        """A number as it is printed, with a minus sign; 1.2e-08 as a power of ten."""
        mantissa, e, exponent = text.replace("-", "−").replace(".", self.style.decimal).partition("e")
        if not e:
            return (Run(mantissa),)
        sign = "−" if exponent[0] == "−" else ""
        return Run(f"{mantissa}·10"), Run(sign + exponent.lstrip("+−0"), script=1)


def _sign(s: Sign) -> str:
    return s.letter + ACCENTS.get(s.accent, "") + "′" * s.primes


def _signs(group: Iterable[Sign]) -> str:
    return "".join(map(_sign, group))


def _script(text: str, script: Literal[-1, 1]) -> Runs:
    """Letters in italics, digits and signs upright."""
    parts = groupby(text, key=lambda c: c.isalpha() or c in ACCENTS.values())
    return tuple(Run("".join(part), italic, script) for italic, part in parts)
