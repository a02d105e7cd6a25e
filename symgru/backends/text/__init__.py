"""The documents as plain text that can be typed into a calculator."""

from symgru.backends.text.comparison import render_comparison
from symgru.backends.text.derivation import render_derivation, render_derivations
from symgru.backends.text.worked import render_explanation

__all__ = [
    "render_comparison",
    "render_derivation",
    "render_derivations",
    "render_explanation",
]
