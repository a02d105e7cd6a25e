"""The documents as Markdown."""

from typing import Any

from symgru.backends.markdown.comparison import render_comparison
from symgru.backends.markdown.derivation import render_derivation, render_derivations
from symgru.backends.markdown.worked import render_explanation

__all__ = [
    "render_comparison",
    "render_derivation",
    "render_derivations",
    "render_diagnosis",
    "render_disagreement",
    "render_explanation",
    "render_proofs",
]


def render_proofs(results: Any, **options: Any) -> Any:
    """Each statement with its argument. The proofs are imported when they are used: that takes as long as all else."""
    from symgru.backends.markdown.proofs import render_proofs as render

    return render(results, **options)


def render_diagnosis(found: Any, **options: Any) -> Any:
    """What became of a claim. The mistakes are imported when they are used."""
    from symgru.backends.markdown.diagnosis import render_diagnosis as render

    return render(found, **options)


def render_disagreement(found: Any, **options: Any) -> Any:
    """Two models beside each other."""
    from symgru.backends.markdown.diagnosis import render_disagreement as render

    return render(found, **options)
