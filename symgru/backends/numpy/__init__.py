"""NumPy: one module that reads as a person would write it, and a test with recorded vectors beside it."""

from __future__ import annotations

from symgru.backends.numpy.files import Options, files, module, module_name

__all__ = ["Options", "files", "module", "module_name"]
