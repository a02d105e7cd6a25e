"""NumPy: one module that reads as a person would write it, and a test with recorded vectors beside it."""

from __future__ import annotations

from symgru.backends.numpy.files import files, module_name

__all__ = ["files", "module_name"]
