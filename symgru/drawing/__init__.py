"""Pictures of a network: what is drawn, apart from how a format writes it.

Each takes one layer at work (or a network) and gives a `shapes.Drawing`; `backends.svg.render_svg` and
`backends.latex.tikz.render_tikz` write it. `style` is the notation of its symbols and numbers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symgru.drawing.cell_blocks import blocks
    from symgru.drawing.layers import graph
    from symgru.drawing.shapes import Drawing
    from symgru.drawing.steps import unrolled
    from symgru.drawing.timeline import over_time
    from symgru.drawing.weights import heat_map
    from symgru.drawing.wires import wiring

__all__ = ["Drawing", "blocks", "graph", "heat_map", "over_time", "unrolled", "wiring"]
_MODULES = {
    "Drawing": "shapes",
    "blocks": "cell_blocks",
    "graph": "layers",
    "heat_map": "weights",
    "over_time": "timeline",
    "unrolled": "steps",
    "wiring": "wires",
}


def __getattr__(name: str) -> Any:
    """A picture is imported when it is drawn: the colours alone are wanted by every document."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
