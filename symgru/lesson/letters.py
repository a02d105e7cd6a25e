"""Which of a style's letters is which of Keras' style, for a reader who comes from another document or from code."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Symbol

from symgru.algebra import Mat
from symgru.backends.dialect import Dialect
from symgru.backends.notation import Name, Notation
from symgru.lesson.parts import Paragraph, Part
from symgru.lesson.prose import Text, formula, joined, say
from symgru.styles import DEFAULT, Style
from symgru.working import Working


def letters(layer: Working, style: Style) -> Iterator[Part]:
    """A paragraph that names every quantity that the style spells otherwise, gate by gate in the style's order."""
    cell = layer.cell
    other = [s for s in cell.quantities if _spelled(layer, s, style) != _spelled(layer, s, DEFAULT)]
    if other:
        pairs = (_pair(layer, s) for s in style.order(other, lambda s: s.name.rpartition("_")[2]))
        yield Paragraph(say("In the letters of {title}: {pairs}.", title=DEFAULT.title, pairs=joined(pairs)))


def _spelled(layer: Working, s: Symbol, style: Style) -> object:
    name = _name(layer, s)
    return style.spelling(name.letter, name.gate, name.of)


def _name(layer: Working, s: Symbol) -> Name:
    notation = Notation(layer.cell, layer.sizes, timed=False)
    return notation.matrix(s) if isinstance(s, Mat) else notation.vector(s)


def _pair(layer: Working, s: Symbol) -> Text:
    """ĥ is n"""

    def own(d: Dialect) -> str:
        return d.syntax().name(_name(layer, s))

    def usual(d: Dialect) -> str:
        return own(d.styled(DEFAULT))

    return say("{own} is {usual}", own=formula(own), usual=formula(usual))
