"""Object headers: the messages that say what a group or a dataset is (format specification of HDF5, IV.A)."""

from __future__ import annotations

from dataclasses import dataclass

from symgru.readers.hdf5.source import Cursor, Damaged, Source

SPACE, LINK_INFO, TYPE, LINK, EXTERNAL, LAYOUT, FILTERS = 1, 2, 3, 6, 7, 8, 11
ATTRIBUTE, CONTINUATION, SYMBOLS, ATTRIBUTE_INFO = 12, 16, 17, 21
SHARED = 2  # a message's flag: what it says stands elsewhere
MAX_MESSAGES = 10_000


@dataclass(frozen=True)
class Message:
    kind: int
    flags: int
    content: bytes

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.content)


def messages(source: Source, address: int) -> list[Message]:
    """All messages of the object at an address, those in continuation blocks too."""
    if source.read(address, 4) == b"OHDR":
        return _second(source, address)
    return _first(source, address)


def _first(source: Source, address: int) -> list[Message]:
    """Version 1, as HDF5 writes it unless it is told otherwise."""
    head = source.cursor(address, 16)
    version, _, _, _, size = (head.number(n) for n in (1, 1, 2, 4, 4))
    if version != 1:
        raise Damaged(f"is damaged: an object header of version {version}")
    found: list[Message] = []
    blocks = [(address + 16, size)]
    while blocks:
        block = source.cursor(*blocks.pop(0))
        while len(block) >= 8:
            kind, length, flags, _ = (block.number(n) for n in (2, 2, 1, 3))
            _add(found, blocks, Message(kind, flags, block.take(length)))
    return found


def _second(source: Source, address: int) -> list[Message]:
    """Version 2: signatures, and a checksum behind each block."""
    head = source.cursor(address, min(64, source.size - source.base - address))
    head.skip(4)
    version, flags = head.number(1), head.number(1)
    if version != 2:
        raise Damaged(f"is damaged: an object header of version {version}")
    head.skip((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
    size = head.number(1 << (flags & 3))
    ordered = 2 if flags & 4 else 0
    found: list[Message] = []
    blocks: list[tuple[int, int]] = []
    _scan(source.cursor(address + head.place, size), ordered, found, blocks)
    while blocks:
        place, length = blocks.pop(0)
        block = source.signed(place, b"OCHK", length)
        _scan(block.part(len(block) - 4), ordered, found, blocks)
    return found


def _scan(block: Cursor, ordered: int, found: list[Message], blocks: list[tuple[int, int]]) -> None:
    while len(block) >= 4 + ordered:
        kind, length, flags = (block.number(n) for n in (1, 2, 1))
        block.skip(ordered)
        _add(found, blocks, Message(kind, flags, block.take(length)))


def _add(found: list[Message], blocks: list[tuple[int, int]], message: Message) -> None:
    if message.kind == CONTINUATION:
        cursor = message.cursor
        blocks.append((cursor.address(), cursor.number(8)))
    found.append(message)
    if len(found) > MAX_MESSAGES:
        raise Damaged(f"is damaged: an object has more than {MAX_MESSAGES} messages")
