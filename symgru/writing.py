"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from symgru.errors import UnusableInput

Content = bytes | Iterable[str]  # a file's content, whole or in pieces as they become known
Piece = str | bytes


def whole(content: Content) -> bytes:
    return content if isinstance(content, bytes) else "".join(content).encode()


def write_files(folder: Path, files: Mapping[str, Content]) -> list[Path]:
    """All files or none: each is written beside its place and renamed when every one is complete."""
    _make(folder)
    written: list[tuple[str, Path]] = []
    taken = next((name for name in files if (folder / name).is_dir()), None)
    if taken is not None:
        raise UnusableInput(f"{folder / taken}: a folder has the name of a file that is to be written")
    try:
        for name, content in files.items():
            parts = [content] if isinstance(content, bytes) else (part.encode() for part in content)
            written.append((_beside(folder / name, parts), folder / name))
        for temporary, place in written:
            os.replace(temporary, place)
    except OSError as e:
        raise UnusableInput(f"{folder}: cannot be written ({e.strerror})") from None
    finally:
        for temporary, _ in written:
            Path(temporary).unlink(missing_ok=True)
    return [place for _, place in written]


def write_pieces(place: Path, pieces: Iterable[Piece]) -> None:
    """One file, whole or not at all, streamed: the pieces may be many."""
    _write(place, (piece if isinstance(piece, bytes) else piece.encode() for piece in pieces))


def write_bytes(place: Path, content: bytes) -> None:
    """One file of any kind, whole or not at all."""
    _write(place, [content])


def _write(place: Path, parts: Iterable[bytes]) -> None:
    temporary = ""
    try:
        temporary = _beside(place, parts)
        os.replace(temporary, place)
    except OSError as e:
        raise UnusableInput(f"{place}: cannot be written ({e.strerror})") from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _beside(place: Path, parts: Iterable[bytes]) -> str:
    handle, temporary = tempfile.mkstemp(prefix=".symgru-", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as f:
            f.writelines(parts)
        os.chmod(temporary, 0o666 & ~_umask())
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UnusableInput(f"{folder}: no folder can be made there ({e.strerror})") from None
