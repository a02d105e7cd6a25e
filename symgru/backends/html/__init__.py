"""The worked example and the diagnosis, each as one web page that needs nothing but itself."""

from typing import Any

from symgru.backends.html.page import empty_page, render_explanation

__all__ = ["empty_page", "render_diagnosis", "render_disagreement", "render_explanation"]


def render_diagnosis(found: Any, **options: Any) -> Any:
    """What became of a claim. The mistakes are imported when they are used."""
    from symgru.backends.html.diagnosis import render_diagnosis as render

    return render(found, **options)


def render_disagreement(found: Any, **options: Any) -> Any:
    """Two models beside each other."""
    from symgru.backends.html.diagnosis import render_disagreement as render

    return render(found, **options)
