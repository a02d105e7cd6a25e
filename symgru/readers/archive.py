"""A zip that nobody vouches for: its directory and members are bounded before anything is unpacked."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType

from symgru.errors import UnusableInput
from symgru.readers.checks import a_file, printable, reason

MAX_FILE = 2**30 + 2**26
MAX_MEMBERS = 1000
MAX_DIRECTORY = 2**20
MAX_RATIO = 200
_END, _END_SIZE = b"PK\x05\x06", 22
_END64 = b"PK\x06\x07"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Archive:
    """Members are read by exact name into memory; nothing is written to disk. `what` says whose zip it should be."""

    def __init__(self, path: Path, what: str = "a model that Keras saved") -> None:
        self._what = what
        _check_directory(a_file(path, MAX_FILE))
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnusableInput(f"is damaged: {reason(error)}") from None
        try:
            _check_members(self._zip.infolist(), path.stat().st_size)
        except BaseException:
            self._zip.close()
            raise
        self.names = [info.filename for info in self._zip.infolist()]

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def read(self, name: str, limit: int) -> bytes:
        """A member of at most `limit` bytes, its real size and checksum those that the zip declares."""
        if name not in self:
            raise UnusableInput(f"the zip has no {printable(name)}: not {self._what}")
        info = self._zip.getinfo(name)
        if info.file_size > limit:
            raise UnusableInput(f"{printable(name)} has {info.file_size} bytes; at most {limit} are read")
        if info.compress_type not in METHODS:
            raise UnusableInput(f"{printable(name)} is compressed in a way (method {info.compress_type}) no model is")
        if info.file_size > MAX_RATIO * max(info.compress_size, 1024):
            raise UnusableInput(f"{printable(name)} is compressed more than {MAX_RATIO} times, as no model is")
        try:
            with self._zip.open(info) as member:
                content = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
            raise UnusableInput(f"{printable(name)} in the zip is damaged: {reason(error)}") from None
        if len(content) != info.file_size:
            raise UnusableInput(f"{printable(name)} declares {info.file_size} bytes and has {len(content)}")
        return content


def _check_members(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Names that could not be meant for a model: nothing is unpacked to disk, but another program might do it."""
    names = [info.filename for info in members]
    if len(names) > MAX_MEMBERS or len(set(names)) < len(names):
        raise UnusableInput(f"the zip has more than {MAX_MEMBERS} members, or one name twice")
    for info in members:
        place = PurePosixPath(info.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or any(part.endswith(":") for part in place.parts[:1]):
            raise UnusableInput(f"the zip has a member that leads out of it, {printable(info.filename)}")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UnusableInput(f"{printable(info.filename)} in the zip is a symbolic link, as in no model")
    packed = sum(info.compress_size for info in members)
    if packed > size:
        raise UnusableInput(f"the zip's members declare {packed} bytes, more than the file's {size}: they overlap")


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
        raise UnusableInput(
            "is an HDF5 file, not a zip; give it the ending .h5, or .weights.h5 if it holds weights alone"
        )
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_SIZE:
        raise UnusableInput("is not a zip, or a truncated one")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    if tail[max(0, end - 20) : end].startswith(_END64):
        directory = max(directory % 0xFFFFFFFF, _directory64(tail[:end], size - len(tail)))
    if directory > MAX_DIRECTORY:
        raise UnusableInput(f"the zip's directory is larger than {MAX_DIRECTORY} bytes, as no model's is")


def _directory64(tail: bytes, start: int) -> int:
    """The size of the directory in the zip64 form, which PyTorch writes for files of any size; `tail` begins `start`
    bytes into the file and ends with the locator. The record must stand right before it, where zipfile looks too."""
    record = len(tail) - 20 - 56
    said = int.from_bytes(tail[-12:-4], "little")
    if record < 0 or not tail.startswith(b"PK\x06\x06", record) or said != start + record:
        raise UnusableInput("the zip's end is damaged")
    return int.from_bytes(tail[record + 40 : record + 48], "little")
