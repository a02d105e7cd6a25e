"""The documents as Markdown."""

from symgru.backends.markdown.derivation import render_derivation, render_derivations
from symgru.backends.markdown.document import render_explanation

__all__ = ["render_derivation", "render_derivations", "render_explanation"]
