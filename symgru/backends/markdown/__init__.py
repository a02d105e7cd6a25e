"""The documents as Markdown."""

from symgru.backends.markdown.comparison import render_comparison
from symgru.backends.markdown.derivation import render_derivation, render_derivations
from symgru.backends.markdown.worked import render_explanation

__all__ = [
    "render_comparison",
    "render_derivation",
    "render_derivations",
    "render_explanation",
]
