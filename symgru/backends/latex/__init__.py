"""Both documents as standalone LaTeX."""

from symgru.backends.latex.document import render_derivation, render_explanation

__all__ = ["render_derivation", "render_explanation"]
