"""JavaScript: a module that reads as a person would write it with a test beside it, and the engine of the live page."""

from __future__ import annotations

from symgru.backends.js.files import Options, files, module, module_name

__all__ = ["Options", "files", "module", "module_name"]
