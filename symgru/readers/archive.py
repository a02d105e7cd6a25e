"""A zip that nobody vouches for: its directory and members are bounded before anything is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from types import TracebackType

from symgru.errors import UnusableInput
from symgru.readers.checks import a_file, printable, reason

MAX_FILE = 2**30 + 2**26
MAX_MEMBERS = 1000
MAX_DIRECTORY = 2**20
MAX_RATIO = 200
_END, _END_SIZE = b"PK\x05\x06", 22
_END64 = b"PK\x06\x07"


class Archive:
    """Members are read by exact name into memory; nothing is written to disk."""

    def __init__(self, path: Path) -> None:
        _check_directory(a_file(path, MAX_FILE))
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnusableInput(f"is damaged: {reason(error)}") from None
        names = self._zip.namelist()
        if len(names) > MAX_MEMBERS or len(set(names)) < len(names):
            self._zip.close()
            raise UnusableInput(f"the zip has more than {MAX_MEMBERS} members, or one name twice")

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._zip.namelist()

    def read(self, name: str, limit: int) -> bytes:
        """A member of at most `limit` bytes."""
        if name not in self:
            raise UnusableInput(f"the zip has no {printable(name)}: not a model that Keras 3 saved")
        info = self._zip.getinfo(name)
        if info.file_size > limit:
            raise UnusableInput(f"{name} has {info.file_size} bytes; at most {limit} are read")
        if info.file_size > MAX_RATIO * max(info.compress_size, 1024):
            raise UnusableInput(f"{name} is compressed more than {MAX_RATIO} times, as no model is")
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
            raise UnusableInput(f"{name} in the zip is damaged: {reason(error)}") from None


def _check_directory(path: Path) -> None:
    """Bound the directory before zipfile makes an object of each of its entries."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
            size = file.seek(0, 2)
            file.seek(max(0, size - _END_SIZE - 2**16 - 20))
            tail = file.read()
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None
    if head.startswith(b"\x89HDF"):
        raise UnusableInput("is an HDF5 file, not a .keras zip; save the model again with Keras 3 as .keras")
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_SIZE:
        raise UnusableInput("is not a zip, or a truncated one; a .keras file is a zip")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    if directory > MAX_DIRECTORY or tail[max(0, end - 20) : end].startswith(_END64):
        raise UnusableInput(f"the zip's directory is larger than {MAX_DIRECTORY} bytes, as no model's is")
