"""One folder a target: a printer, its names, a small config, templates. A backend is pure: a model in, files out.

A code backend has `Options` and `files(network, options, x)`, which gives {file name: content}. A document backend has
`render_derivation(derivation)`, `render_explanation(explanation)` and so on, one for each kind of content that a
`document.Document` can have, which give the text, whole or in pieces; `renderer` finds them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

CODE = ("numpy", "c", "js")
DOCUMENTS = {".tex": "latex", ".md": "markdown", ".txt": "text", ".pdf": "pdf"}  # by a file name's ending
PAGES = {".html": "html"}  # worked examples and diagnoses
WORKED = PAGES | {".xlsx": "xlsx", ".ipynb": "notebook"}  # worked examples alone
ONE_SEQUENCE = (".xlsx", ".ipynb")  # which compute again, one sequence at a time


def backend(name: str) -> Any:
    """The backend of that name, imported now: none is until it is used."""
    return import_module(f"symgru.backends.{name}")


APART = {"proofs": "proofs", "diagnosis": "diagnosis", "disagreement": "diagnosis"}  # kinds in modules of their own


def renderer(name: str, kind: str) -> Any:
    """What a document backend writes a kind of content with. Proofs and diagnoses, which take as long to import as all
    else, are imported when they are written."""
    module, function = backend(name), f"render_{kind}"
    if not hasattr(module, function):
        module = import_module(f"symgru.backends.{name}.{APART[kind]}")
    return getattr(module, function)
