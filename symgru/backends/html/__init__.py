"""The worked example and the diagnosis, each as one web page that needs nothing but itself."""

from symgru.backends.html.page import empty_page, render_explanation

__all__ = ["empty_page", "render_explanation"]
