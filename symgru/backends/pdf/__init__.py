"""The documents as PDF: the LaTeX backend's, typeset by the engine that is found."""

from __future__ import annotations

from functools import partial
from typing import Any

from symgru.backends import renderer
from symgru.backends.pdf.engine import require_engine, typeset

__all__ = [
    "render_comparison",
    "render_derivation",
    "render_derivations",
    "render_diagnosis",
    "render_disagreement",
    "render_explanation",
    "render_proofs",
]


def _typeset(kind: str, content: Any, *args: Any, **options: Any) -> bytes:
    """The LaTeX backend's document of that kind, typeset. Raises MissingTool where there is no engine."""
    engine = require_engine()  # before a long document is written for nothing
    made = renderer("latex", kind)(content, *args, **options)
    return typeset([made] if isinstance(made, str) else made, engine)


render_comparison = partial(_typeset, "comparison")
render_derivation = partial(_typeset, "derivation")
render_derivations = partial(_typeset, "derivations")
render_diagnosis = partial(_typeset, "diagnosis")
render_disagreement = partial(_typeset, "disagreement")
render_explanation = partial(_typeset, "explanation")
render_proofs = partial(_typeset, "proofs")
