"""Reading HDF5 that nobody vouches for: the part of the format that Keras writes, in plain Python.

Not h5py: it follows links out of the file, and one damaged byte in the heap of text attributes makes the library
below it (HDF5 1.14.6) loop or crash, which no Python code can catch. A child process with limits would contain that,
at 0.15 s a file, but not on platforms that have no such limits. Here every read is bounded (`source`), so that a
damaged file ends in an error within milliseconds.

Read are the groups of both generations (symbol tables; links in messages or in a fractal heap), datasets stored in one
piece, and attributes. Soft and external links, external storage, virtual datasets, chunks and filters are refused by
name: Keras writes none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array
from symgru.readers.assemble import within
from symgru.readers.checks import MAX_NUMBERS, printable
from symgru.readers.hdf5 import headers, heaps
from symgru.readers.hdf5.headers import Message
from symgru.readers.hdf5.source import NOWHERE, Cursor, Damaged, Source, opened
from symgru.readers.hdf5.types import Type, read_shape, read_type

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_NAMES = 20_000
MAX_TEXT = 16 * 2**20
Attribute = str | list[str] | None  # None: of a type that is not text


@contextmanager
def reading(source: bytes | Path) -> Iterator[Group]:
    """The root group of an HDF5 file, given as its path or its bytes. Raises UnusableInput."""
    with opened(source) as content:
        yield Group(content, _root(content), "")


class Node:
    """A group or a dataset: its messages and attributes. `path` is for messages."""

    def __init__(self, source: Source, address: int, path: str, found: list[Message] | None = None) -> None:
        self.source, self.address, self.path = source, address, path
        self.messages = headers.messages(source, address) if found is None else found

    def message(self, kind: int) -> Message | None:
        return next((m for m in self.messages if m.kind == kind), None)

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """Attributes of text, a list where they have an axis."""
        found = [m.cursor for m in self.messages if m.kind == headers.ATTRIBUTE and not m.flags & headers.SHARED]
        info = self.message(headers.ATTRIBUTE_INFO)
        if info:
            heap, tree = _index(info.cursor, 2)
            found += [] if heap == NOWHERE else list(heaps.indexed(self.source, heap, tree, 8))
        return dict(_attribute(self.source, cursor) for cursor in found)


class Group(Node):
    """A group, by the hard links in it."""

    @cached_property
    def links(self) -> Mapping[str, int | None]:
        """The address of what each name stands for; None is a soft, external or other link."""
        found: dict[str, int | None] = {}
        for name, address in self._links():
            if name in found:
                raise Damaged(f"is damaged: it holds {printable(name)} twice")
            found[name] = address
            if len(found) > MAX_NAMES:
                raise Damaged(f"has more than {MAX_NAMES} names in one group")
        return found

    def _links(self) -> Iterator[tuple[str, int | None]]:
        table, info = self.message(headers.SYMBOLS), self.message(headers.LINK_INFO)
        if table:
            cursor = table.cursor
            for entry in heaps.symbols(self.source, cursor.address(), cursor.address()):
                yield _text(entry.name), None if entry.soft else entry.address
            return
        for message in self.messages:
            if message.kind == headers.LINK:
                yield _link(message.cursor)
        if info:
            heap, tree = _index(info.cursor, 8)
            if heap != NOWHERE:
                yield from (_link(cursor) for cursor in heaps.indexed(self.source, heap, tree, 5))

    @property
    def names(self) -> list[str]:
        """What is in the group, in the order of the file's index."""
        return list(self.links)

    def __contains__(self, path: str) -> bool:
        """Whether a path leads somewhere, through hard links alone."""
        node: Group | Dataset = self
        for part in path.split("/"):
            if not isinstance(node, Group) or node.links.get(part) is None:
                return False
            node = node.child(part)
        return True

    def child(self, name: str) -> Group | Dataset:
        path = f"{self.path}/{name}" if self.path else name
        if name not in self.links:
            raise UnusableInput(f"the weights file has no {printable(path)}")
        address = self.links[name]
        if address is None:
            raise UnusableInput(f"{printable(path)} in the weights file is a link, which may lead out of the file")
        found = headers.messages(self.source, address)
        is_data = any(m.kind == headers.LAYOUT for m in found)
        return (Dataset if is_data else Group)(self.source, address, path, found)

    def group(self, path: str) -> Group:
        """The group at a path such as "layers/gru/cell/vars"."""
        node: Group = self
        for part in path.split("/"):
            found = node.child(part)
            if not isinstance(found, Group):
                raise UnusableInput(f"{printable(found.path)} in the weights file is no group, but a dataset")
            node = found
        return node

    def dataset(self, path: str) -> Dataset:
        """The dataset at a path."""
        above, _, name = path.rpartition("/")
        found = (self.group(above) if above else self).child(name)
        if not isinstance(found, Dataset):
            raise UnusableInput(f"{printable(found.path)} in the weights file is no dataset, but a group")
        return found


class Dataset(Node):
    """Numbers; their type and shape are known before any is read."""

    @cached_property
    def type(self) -> Type:
        return read_type(self._needed(headers.TYPE))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        shape = read_shape(self._needed(headers.SPACE))
        if shape is None:
            raise UnusableInput("holds no data")
        return shape

    def _needed(self, kind: int) -> Cursor:
        found = self.message(kind)
        if found is None or found.flags & headers.SHARED:
            raise Damaged("is damaged, or has a named type, which Keras writes none of")
        return found.cursor

    def read(self, what: str = "") -> Array:
        """The numbers, in the machine's byte order; messages call them `what`.

        Raises UnusableInput where they are not floats, all in this file and in one piece.
        """
        with within(what or printable(self.path)):
            return self._read()

    def _read(self) -> Array:
        if self.message(headers.EXTERNAL):
            raise UnusableInput("is external: its data lies in another file")
        if self.message(headers.FILTERS):
            raise UnusableInput("is compressed, as Keras writes none; save the model again")
        if not self.type.is_float:
            raise UnusableInput(f"has dtype {self.type.says}; floats are needed")
        if max(prod(self.shape), *self.shape, 0) > MAX_NUMBERS:
            raise UnusableInput(f"has shape {self.shape}: more than {MAX_NUMBERS} numbers")
        content = self._content(prod(self.shape) * self.type.size)
        values: Array = np.frombuffer(content, self.type.numpy).reshape(self.shape)
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def _content(self, size: int) -> bytes:
        layout = self._needed(headers.LAYOUT)
        version, kind = layout.number(1), layout.number(1)
        if version not in (3, 4):
            raise UnusableInput(f"is stored in a layout of version {version}; save the model again")
        if kind == 0:
            content = layout.take(layout.number(2))
            if len(content) != size:
                raise UnusableInput(f"has shape {self.shape}, but {len(content)} bytes of data")
            return content
        if kind == 3:
            raise UnusableInput("is virtual: its data lies in other datasets")
        if kind != 1:
            raise UnusableInput("is stored in chunks, as Keras writes none; save the model again")
        address, stored = layout.address(), layout.number(8)
        if address == NOWHERE and size:
            raise UnusableInput(f"has shape {self.shape}, but its data is missing")
        if stored != size:
            raise UnusableInput(f"has shape {self.shape}, but {stored} bytes of data")
        return self.source.data(address, size) if size else b""


def _root(source: Source) -> int:
    """The address of the root group's header, from the superblock."""
    start = 0
    while start + 8 <= source.size and source.read(start, 8) != SIGNATURE:
        start = 2 * start or 512  # a block of the user's own may stand before it
    if start + 8 > source.size:
        raise UnusableInput("is not an HDF5 file, or a damaged one")
    head = source.cursor(start + 8, min(92, source.size - start - 8))
    version = head.number(1)
    if version in (0, 1):
        head.skip(4)
        sizes = head.number(1), head.number(1)
        head.skip(9 if version == 0 else 13)
        base = head.address()
        head.skip(3 * 8 + 8)
    elif version in (2, 3):
        sizes = head.number(1), head.number(1)
        head.skip(1)
        base = head.address()
        head.skip(2 * 8)
    else:
        raise Damaged(f"is damaged, or HDF5 of a later version ({version})")
    if sizes != (8, 8) or base != start:
        raise Damaged("is damaged: its superblock is not one that Keras writes")
    source.base = base
    return head.address()


def _index(cursor: Cursor, count: int) -> tuple[int, int]:
    """A fractal heap and the B-tree over its names, from a message that tells of links or attributes."""
    cursor.skip(1)
    if cursor.number(1) & 1:
        cursor.skip(count)  # the largest creation order
    return cursor.address(), cursor.address()


def _link(cursor: Cursor) -> tuple[str, int | None]:
    version, flags = cursor.number(1), cursor.number(1)
    if version != 1:
        raise Damaged(f"is damaged: a link of version {version}")
    kind = cursor.number(1) if flags & 8 else 0
    cursor.skip((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = cursor.take(cursor.number(1 << (flags & 3)))
    return _text(name), None if kind else cursor.address()


def _attribute(source: Source, cursor: Cursor) -> tuple[str, Attribute]:
    version, flags = cursor.number(1), cursor.number(1)
    sizes = [cursor.number(2) for _ in range(3)]
    if version == 3:
        cursor.skip(1)
    if version not in (1, 2, 3):
        raise Damaged(f"is damaged: an attribute of version {version}")
    name, kind, space = (cursor.part(-(-n // 8) * 8 if version == 1 else n) for n in sizes)
    label = _text(name.take(sizes[0]))
    if version > 1 and flags:  # a named type or shape
        return label, None
    return label, _texts(source, read_type(kind), read_shape(space), cursor)


def _texts(source: Source, kind: Type, shape: tuple[int, ...] | None, data: Cursor) -> Attribute:
    if shape is None or not (kind.text or kind.loose):
        return None
    if prod(shape) * max(kind.size, 1) > len(data):
        raise Damaged("is damaged: an attribute is shorter than it says")
    found, left = [], MAX_TEXT
    for _ in range(prod(shape)):
        if kind.text:
            raw = data.take(kind.size)
        else:
            length, address, index = data.number(4), data.address(), data.number(4)
            raw = heaps.global_item(source, address, index, left)[:length] if length else b""
        left -= len(raw)
        found.append(_text(raw))
    return found if shape else found[0]


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", "surrogateescape")
