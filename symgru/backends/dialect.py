"""One language in all the forms that an equation is shown in, with the style of its symbols and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from symgru.backends.formula import MatrixForm, NumberForm, ScalarForm, Syntax, UnitForm
from symgru.backends.notation import Notation
from symgru.cell import Cell
from symgru.styles import DEFAULT, Style


@dataclass(frozen=True)
class Dialect:
    """One syntax in all its forms, and how it writes a number inside a formula."""

    matrix: Callable[..., MatrixForm]
    unit: Callable[..., UnitForm]
    scalar: Callable[..., ScalarForm]
    numbers: Callable[..., NumberForm]
    syntax: Callable[..., Syntax]
    before: str  # how "t - 1" is written as a time
    quoted: str  # what stands around a symbol within a sentence
    style: Style = DEFAULT

    def styled(self, style: Style) -> Dialect:
        """The same in another style: every form that it makes, and every number."""
        return replace(
            self,
            style=style,
            matrix=partial(self.matrix, style=style),
            unit=partial(self.unit, style=style),
            scalar=partial(self.scalar, style=style),
            numbers=partial(self.numbers, style=style),
            syntax=partial(self.syntax, style=style),
        )

    def notation(self, cell: Cell, sizes: dict[str, int], timed: bool = True) -> Notation:
        """For equations at a general time t."""
        return Notation(cell, sizes, timed, "t", self.before, columns=self.style.columns)

    @cached_property
    def number(self) -> Callable[[str], str]:
        """How a number's text is written: 1.2e-08 as a power of ten in LaTeX, with the style's decimal sign."""
        return self.numbers().plain

    def quote(self, formula: str) -> str:
        """A symbol within a sentence."""
        return f"{self.quoted}{formula}{self.quoted}"

    def listed(self, texts: Iterable[str]) -> str:
        """Numbers one after the other, as they are typed: 1, 2, 9, 8."""
        return self.syntax().separator.join(map(self.number, texts))

    def row(self, texts: Sequence[str]) -> str:
        """The numbers of a vector; a single one stands alone."""
        return self.number(texts[0]) if len(texts) == 1 else self.syntax().row(list(map(self.number, texts)))
