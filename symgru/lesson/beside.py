"""The equations that Wikipedia prints, beside the layer's own, and how to read one for the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sympy import Expr

from symgru.backends.dialect import Dialect
from symgru.cells import CELLS
from symgru.comparison import Profile
from symgru.lesson.parts import Equation, Equations, Paragraph, Part
from symgru.lesson.prose import Formula, Text, formula, joined, say
from symgru.styles import Style, style
from symgru.working import Working

WIKIPEDIA = "fully_gated"  # the cell of the article's first section
TITLE = "Wikipedia"


def beside_wikipedia(layer: Working, own: Style) -> Iterator[Part]:
    """For a cell with an update gate and a reset gate, unless the document is in that notation already."""
    profile = Profile(layer.whole)
    update, reset = profile.update, profile.reset
    if own.title == TITLE or not update or not reset or update.gate == reset.gate:
        return
    several = max(layer.sizes.values()) > 1
    cell = CELLS[WIKIPEDIA]

    def form(d: Dialect, e: Expr) -> str:
        d = d.styled(_wikipedia())
        notation = d.notation(cell, dict(layer.sizes))
        return (d.matrix(notation) if several else d.unit(notation)).scalar(e)

    def side(e: Expr) -> Formula:
        return lambda d: form(d, e)

    yield Paragraph(say("Wikipedia's article prints the fully gated unit like this:"))
    yield Equations(tuple(Equation(side(lhs), (side(rhs),)) for lhs, rhs in cell.equations))
    yield Paragraph(joined(_differences(profile), " "))


@cache
def _wikipedia() -> Style:
    return style(TITLE)


def _differences(own: Profile) -> Iterator[Text]:
    """What a reader has to translate, found in the two cells' equations."""
    there = Profile(CELLS[WIKIPEDIA])
    assert own.update and own.reset and there.update and there.reset

    def letter(d: Dialect) -> str:
        assert own.update
        return d.unit(d.notation(own.cell, {"H": 1, "D": 1}, timed=False)).scalar(own.update.gate)

    gate = formula(letter)
    if own.update.rule != there.update.rule:
        yield say(
            "There {z} says how much is new, here how much of the state is kept: that {z} is 1 minus this one, and the "
            "two agree once the update gate's weights and biases are negated.",
            z=gate,
        )
    if own.reset.acts != there.reset.acts:
        yield say(
            "There the reset gate multiplies the state before its product with the recurrent weights, here it "
            "multiplies the product: for several units these are different functions, and the numbers differ."
        )
    if len(own.cell.params) > len(there.cell.params):
        yield say("Here there are two biases for each gate, one beside the input and one beside the state.")
