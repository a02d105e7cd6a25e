"""The worked example as a Jupyter notebook that recomputes itself."""

from symgru.backends.notebook.worked import render_explanation

__all__ = ["render_explanation"]
