"""The documents as PDF: the LaTeX backend's, typeset by the engine that is found."""

from __future__ import annotations

from typing import Any

from symgru.backends.pdf.engine import require_engine, typeset

__all__ = [
    "render_comparison",
    "render_derivation",
    "render_derivations",
    "render_explanation",
    "render_proofs",
]


def render_comparison(content: Any, **options: Any) -> bytes:
    return _typeset("comparison", content, options)


def render_derivation(content: Any, **options: Any) -> bytes:
    return _typeset("derivation", content, options)


def render_derivations(content: Any, **options: Any) -> bytes:
    return _typeset("derivations", content, options)


def render_explanation(e: Any, *args: Any, **options: Any) -> bytes:
    return _typeset("explanation", e, options, *args)


def render_proofs(content: Any, **options: Any) -> bytes:
    return _typeset("proofs", content, options)


def _typeset(kind: str, content: Any, options: dict[str, Any], *args: Any) -> bytes:
    """The LaTeX backend's document of that kind, typeset. Raises MissingTool where there is no engine."""
    from symgru.backends import latex

    engine = require_engine()  # before a long document is written for nothing
    made = getattr(latex, f"render_{kind}")(content, *args, **options)
    return typeset([made] if isinstance(made, str) else made, engine)
