"""Where HDF5 keeps what is many or of any length: the symbol table of a group, the fractal heap, the global heap.

Format specification of HDF5, III. A group's links stand in a symbol table (as HDF5 writes it unless told otherwise), or
in messages of its header, or, where these are many, in a fractal heap that a B-tree of version 2 indexes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symgru.readers.hdf5.source import MAX_BLOCK, Cursor, Damaged, Source

MAX_DEPTH = 16


@dataclass(frozen=True)
class Symbol:
    name: bytes
    address: int
    soft: bool


def symbols(source: Source, tree: int, heap: int) -> Iterator[Symbol]:
    """The entries of a symbol table: a B-tree of version 1 whose names lie in a local heap."""
    head = source.signed(heap, b"HEAP", 32)
    head.skip(4)
    size, _, place = head.number(8), head.number(8), head.address()
    names = source.read(place, size)
    for node in _leaves(source, tree, MAX_DEPTH):
        block = source.signed(node, b"SNOD", 8)
        block.skip(2)
        entries = source.cursor(node + 8, 40 * block.number(2))
        while entries:
            entry = entries.part(40)
            offset, address, cached = entry.number(8), entry.address(), entry.number(4)
            end = names.find(b"\0", offset)
            if end < 0:
                raise Damaged("is damaged: the name of a link has no end")
            yield Symbol(names[offset:end], address, cached == 2)


def _leaves(source: Source, node: int, depth: int) -> Iterator[int]:
    block = source.signed(node, b"TREE", 24)
    kind, level, used = block.number(1), block.number(1), block.number(2)
    if kind or not depth:
        raise Damaged("is damaged: the index of a group is no tree")
    children = source.cursor(node + 24, 16 * used)
    for _ in range(used):
        children.skip(8)
        child = children.address()
        if level:
            yield from _leaves(source, child, depth - 1)
        else:
            yield child


def indexed(source: Source, heap: int, tree: int, kind: int) -> Iterator[Cursor]:
    """What a fractal heap holds, in the order of its index; `kind` 5 are links, 8 attributes."""
    store = FractalHeap(source, heap)
    for record in _records(source, tree, kind):
        if kind == 5:
            record.skip(4)  # the hash of the name
        yield store.item(record.take(store.id_size))


def _records(source: Source, tree: int, kind: int) -> Iterator[Cursor]:
    """The records of a B-tree of version 2."""
    head = source.signed(tree, b"BTHD", 38)
    head.skip(1)
    found = head.number(1)
    node_size, record_size, depth = head.number(4), head.number(2), head.number(2)
    head.skip(2)
    root, count = head.address(), head.number(2)
    if found != kind or depth > MAX_DEPTH or not 0 < record_size <= 64 or not 64 <= node_size <= MAX_BLOCK:
        raise Damaged("is damaged: the index of a group is no tree")
    if not count:
        return
    most = [(node_size - 10) // record_size]
    widths, totals = [0], list(most)
    count_width = _width(most[0])
    for _ in range(depth):
        pointer = 8 + count_width + widths[-1]
        most.append((node_size - 10 - pointer) // (record_size + pointer))
        totals.append((most[-1] + 1) * totals[-1] + most[-1])
        widths.append(_width(totals[-1]))

    def walk(address: int, records: int, level: int) -> Iterator[Cursor]:
        block = source.signed(address, b"BTIN" if level else b"BTLF", node_size)
        block.skip(2)
        for _ in range(records):
            yield block.part(record_size)
        for _ in range(records + 1 if level else 0):
            child, below = block.address(), block.number(count_width)
            block.skip(widths[level - 1])
            yield from walk(child, below, level - 1)

    yield from walk(root, count, depth)


def _width(most: int) -> int:
    """Bytes that hold a count of at most so many."""
    return (max(most, 1).bit_length() - 1) // 8 + 1


class FractalHeap:
    """Objects by their identifiers: managed ones, without filters, which is what links and small attributes are."""

    def __init__(self, source: Source, address: int) -> None:
        self.source = source
        head = source.signed(address, b"FRHP", 146)
        head.skip(1)
        self.id_size, filters, _, largest = (head.number(n) for n in (2, 2, 1, 4))
        head.skip(12 * 8)
        self.columns, self.first, self.largest, bits = (head.number(n) for n in (2, 8, 8, 2))
        head.skip(2)
        self.root, self.rows = head.address(), head.number(2)
        powers = all(n > 0 and n & (n - 1) == 0 for n in (self.columns, self.first, self.largest))
        if filters or not powers or self.first > self.largest or not 8 <= bits <= 64:
            raise Damaged("is damaged, or has a compressed index, which Keras writes none of")
        self.offset_size = (bits + 7) // 8
        self.length_size = min(_width(self.largest), _width(largest))
        self.direct_rows = self.largest.bit_length() - self.first.bit_length() + 2

    def item(self, key: bytes) -> Cursor:
        found = Cursor(key)
        if found.number(1) & 0xF0:
            raise Damaged("is damaged, or has a name longer than Keras writes")
        offset, length = found.number(self.offset_size), found.number(self.length_size)
        if not self.rows:
            return self.source.cursor(self.root + offset, length)
        return self._within(self.root, self.rows, offset, length, MAX_DEPTH)

    def _within(self, block: int, rows: int, offset: int, length: int, depth: int) -> Cursor:
        """Rows of blocks, one in each column; from the third row on, each row's are twice as large."""
        place = 5 + 8 + self.offset_size
        for row in range(min(rows, 64)):
            size = self.first << max(0, row - 1)
            if offset < size * self.columns:
                column, offset = divmod(offset, size)
                child = self.source.cursor(block + place + 8 * (row * self.columns + column), 8).address()
                if row < self.direct_rows:
                    return self.source.cursor(child + offset, length)
                inner = size.bit_length() - (self.first * self.columns).bit_length() + 1
                if depth:
                    return self._within(child, inner, offset, length, depth - 1)
            offset -= size * self.columns
        raise Damaged("is damaged: an index points beyond its heap")


def global_item(source: Source, address: int, index: int, limit: int) -> bytes:
    """An object of the global heap, of at most `limit` bytes."""
    head = source.signed(address, b"GCOL", 16)
    head.skip(4)
    left, place = head.number(8) - 16, address + 16
    while left >= 16:
        item = source.cursor(place, 16)
        found, _, size = item.number(2), item.number(6), item.number(8)
        if found == index and found:
            if size > limit:
                raise Damaged(f"holds a text of {size} bytes; at most {limit} are read")
            return source.read(place + 16, size)
        step = 16 + -(-size // 8) * 8
        if not found or step > left:
            break
        left, place = left - step, place + step
    raise Damaged("is damaged: a text is not where the file says")
