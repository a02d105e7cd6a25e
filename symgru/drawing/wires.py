"""Which picture shows a layer's wiring best."""

from __future__ import annotations

from symgru.drawing.cell_blocks import MOST, blocks
from symgru.drawing.fans import fans
from symgru.drawing.shapes import Drawing
from symgru.styles import DEFAULT, Style
from symgru.working import Working

UNITS, FEATURES = 4, 8  # up to which every weight has a line of its own


def wiring(working: Working, style: Style = DEFAULT) -> Drawing:
    """How the values of a layer hang together: with every number for a few units, as blocks with shapes for more.

    One unit is one picture of the whole cell. Several units have a small diagram for each gate of each.
    """
    units, features = working.sizes["H"], working.sizes["D"]
    one = units == 1 and features <= MOST
    if one or units > UNITS or features > FEATURES:
        return blocks(working, style)
    return fans(working, style)
