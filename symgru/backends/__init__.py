"""One folder a target: a printer, its names, a small config, templates. A backend is pure: a model in, files out.

A code backend has `Options` and `files(network, options, x)`, which gives {file name: content}. A document backend has
`render_derivation(derivation)`, `render_explanation(explanation)` and so on, one for each kind of content that a
`document.Document` can have, which give the text, whole or in pieces.
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
