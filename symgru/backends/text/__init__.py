"""The documents as plain text that can be typed into a calculator."""

from symgru.backends.text.derivation import render_derivation, render_derivations
from symgru.backends.text.document import render_explanation

__all__ = ["render_derivation", "render_derivations", "render_explanation"]
