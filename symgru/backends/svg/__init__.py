"""SVG: a drawing as one element that stands in a page or in a file of its own."""

from __future__ import annotations

from symgru.backends.svg.render import colour_variables, render_svg

__all__ = ["colour_variables", "render_svg"]
