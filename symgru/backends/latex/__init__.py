"""The documents as standalone LaTeX."""

from symgru.backends.latex.comparison import render_comparison
from symgru.backends.latex.derivation import render_derivation, render_derivations
from symgru.backends.latex.worked import render_explanation

__all__ = [
    "render_comparison",
    "render_derivation",
    "render_derivations",
    "render_explanation",
]
