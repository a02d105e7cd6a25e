"""The documents as standalone LaTeX."""

from symgru.backends.latex.derivation import render_derivation, render_derivations
from symgru.backends.latex.document import render_explanation

__all__ = ["render_derivation", "render_derivations", "render_explanation"]
