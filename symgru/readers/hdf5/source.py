"""The bytes of an HDF5 file: every read is bounded, so that no file, however damaged, costs much time or memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from symgru.errors import UnusableInput
from symgru.readers.checks import MAX_NUMBERS, a_file, reason

MAX_FILE = 2**30
MAX_BLOCK = 2**24  # of one structure
MAX_STRUCTURE = 2**27  # of all that is not weights
MAX_BLOCKS = 200_000
MAX_DATA = 8 * MAX_NUMBERS + 2**20  # of all weights: many datasets may share the same bytes
NOWHERE = 2**64 - 1  # an address that is not set


class Damaged(UnusableInput):
    """What is in the file contradicts itself or the format."""


class Source:
    """A file's bytes from a base address on; addresses in the file count from there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, 2)
        self.base = 0
        self._blocks, self._structure, self._data = MAX_BLOCKS, MAX_STRUCTURE, MAX_DATA

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of structure."""
        self._blocks -= 1
        self._structure -= size
        if size > MAX_BLOCK or self._structure < 0 or self._blocks < 0:
            raise Damaged("is damaged: its structure has no end")
        return self._bytes(address, size)

    def data(self, address: int, size: int) -> bytes:
        """`size` bytes of weights."""
        self._data -= size
        if self._data < 0:
            raise UnusableInput(f"holds more than {MAX_DATA} bytes of weights")
        return self._bytes(address, size)

    def cursor(self, address: int, size: int) -> Cursor:
        return Cursor(self.read(address, size))

    def signed(self, address: int, signature: bytes, size: int) -> Cursor:
        """A structure that begins with its signature; the cursor stands behind it."""
        block = self.cursor(address, size)
        if block.take(len(signature)) != signature:
            raise Damaged(f"is damaged: no {signature.decode()} where one must be")
        return block

    def _bytes(self, address: int, size: int) -> bytes:
        start = self.base + address
        if size < 0 or start + size > self.size:
            raise Damaged("is damaged or truncated: it points beyond its end")
        self._stream.seek(start)
        return self._stream.read(size)


class Cursor:
    """Bytes that are taken from the front; HDF5 is little-endian but for the weights themselves."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def __len__(self) -> int:
        return len(self.content) - self.place

    def take(self, size: int) -> bytes:
        if size < 0 or size > len(self):
            raise Damaged("is damaged: a structure in it is too short")
        self.place += size
        return self.content[self.place - size : self.place]

    def skip(self, size: int) -> None:
        self.take(size)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def address(self) -> int:
        return self.number(8)

    def part(self, size: int) -> Cursor:
        return Cursor(self.take(size))


@contextmanager
def opened(source: bytes | Path) -> Iterator[Source]:
    """The bytes of a file, or of one that was unpacked."""
    import io

    if isinstance(source, bytes):
        yield Source(io.BytesIO(source))
        return
    try:
        with a_file(source, MAX_FILE).open("rb") as file:
            yield Source(cast(BinaryIO, file))
    except OSError as error:
        raise UnusableInput(f"cannot be read: {reason(error)}") from None
