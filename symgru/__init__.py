"""symgru: what exactly does this GRU compute?

    net = symgru.load("model.keras")        # or a live Keras model, or model.get_weights()
    net([1, 2, 9, 8])                       # the output, in float64
    print(net.explain([1, 2, 9, 8]))        # every number of every step; .save("f.tex") writes it
    net.emit("c", "out/")                   # standalone C99

Importing this package imports neither SymPy nor any framework; that happens when something is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symgru.cells import CELLS
    from symgru.errors import SymgruError
    from symgru.face import Model, derive, load
    from symgru.proving import prove

__version__ = "0.1.0"

_HOMES = {
    "load": "face",
    "derive": "face",
    "Model": "face",
    "prove": "proving",
    "CELLS": "cells",
    "SymgruError": "errors",
}
__all__ = ["CELLS", "Model", "SymgruError", "derive", "load", "prove"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'symgru' has no attribute {name!r}")
    return getattr(import_module(f"symgru.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
