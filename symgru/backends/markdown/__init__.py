"""Both documents as Markdown."""

from symgru.backends.markdown.document import markdown_text, render_derivation, render_explanation

__all__ = ["markdown_text", "render_derivation", "render_explanation"]
