"""Pictures of a network: what is drawn, apart from how a format writes it.

Each takes one layer at work (or a network) and gives a `shapes.Drawing`; `backends.svg.render_svg` and
`backends.latex.tikz.render_tikz` write it. `spell` is how a notation writes symbols and numbers.
"""

from __future__ import annotations

from symgru.drawing.blocks import blocks
from symgru.drawing.layers import graph
from symgru.drawing.shapes import Drawing
from symgru.drawing.spelling import SPELLING, Spelling
from symgru.drawing.steps import unrolled
from symgru.drawing.timeline import over_time
from symgru.drawing.weights import heat_map
from symgru.drawing.wires import wiring

__all__ = ["SPELLING", "Drawing", "Spelling", "blocks", "graph", "heat_map", "over_time", "unrolled", "wiring"]
