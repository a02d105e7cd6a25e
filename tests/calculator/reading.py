"""The readers by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.calculator import latex, plain, sheet, web
from tests.calculator.line import Line

Document = str | bytes
_READERS: dict[str, Callable[[Document, bool], list[Line]]] = {
    "txt": lambda document, comma: plain.text(_characters(document), comma),
    "md": lambda document, comma: plain.markdown(_characters(document), comma),
    "tex": lambda document, comma: latex.read(_characters(document), comma),
    "html": lambda document, comma: web.read(_characters(document), comma),
    "xlsx": lambda document, comma: sheet.read(_bytes(document)),
}
KINDS = tuple(_READERS)


def read(document: Document, kind: str, comma: bool = False) -> list[Line]:
    """Every worked line of a document, whose kind is the ending of its file's name; its numbers may have a decimal
    `comma`."""
    return _READERS[kind](document, comma)


def read_file(path: Path) -> list[Line]:
    return read(path.read_bytes(), path.suffix.removeprefix("."))


def _characters(document: Document) -> str:
    return document.decode() if isinstance(document, bytes) else document


def _bytes(document: Document) -> bytes:
    return document if isinstance(document, bytes) else document.encode()
