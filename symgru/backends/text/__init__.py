"""Both documents as plain text."""

from symgru.backends.text.document import render_derivation, render_explanation

__all__ = ["render_derivation", "render_explanation"]
