"""The readers by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.calculator import latex, plain, sheet, web
from tests.calculator.line import Line

Document = str | bytes
_READERS: dict[str, Callable[[Document], list[Line]]] = {
    "txt": lambda document: plain.text(_characters(document)),
    "md": lambda document: plain.markdown(_characters(document)),
    "tex": lambda document: latex.read(_characters(document)),
    "html": lambda document: web.read(_characters(document)),
    "xlsx": lambda document: sheet.read(_bytes(document)),
}
KINDS = tuple(_READERS)


def read(document: Document, kind: str) -> list[Line]:
    """Every worked line of a document, whose kind is the ending of its file's name."""
    return _READERS[kind](document)


def read_file(path: Path) -> list[Line]:
    return read(path.read_bytes(), path.suffix.removeprefix("."))


def _characters(document: Document) -> str:
    return document.decode() if isinstance(document, bytes) else document


def _bytes(document: Document) -> bytes:
    return document if isinstance(document, bytes) else document.encode()
