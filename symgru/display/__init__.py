"""What a notebook shows of networks, derivations, worked examples, traces and steps.

Each of `html`, `latex` and `markdown` gives text for any of them, or None for what has no such form. In LaTeX
everything is equations, in environments that MathJax knows; as Markdown and HTML it is a table or what `symgru show`
says, with the equations typeset.
"""

from symgru.display.html import html
from symgru.display.latex import latex
from symgru.display.markdown import markdown

__all__ = ["html", "latex", "markdown"]
