"""JavaScript: a module that reads as a person would write it with a test beside it, and the engine of the live page.

What writes the module is imported when it is asked for, since a page needs the engine alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symgru.backends.js.emitted import Options, files, module, module_name

__all__ = ["Options", "files", "module", "module_name"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("symgru.backends.js.emitted"), name)
