"""How a framework lays a cell's weights into arrays, as text that is parsed once.

    weight_ih: W_r ; W_z ; W_n                    one below the other
    kernel:    W_z' | W_r' | W_n'                 side by side, each transposed
    bias:      b_z | b_r | b_n ; c_z | c_r | c_n  vectors side by side in one row; two rows
    bias:      b_r + c_r | b_z + c_z | b_n        two biases that the framework keeps as their sum

W_g is (H, D), units by features, U_g is (H, H), and all else is a vector (H,). Marks of a block: `'` transposed, `~`
the transposed shape, filled with the numbers of W row after row (cuDNN's flat buffer), a leading `-` negated, a leading
`+` added to the block of the same name before it: read, the weight is their sum; written, this block is 0. Of two
biases that an array holds as a sum, the first is read as its value and the second as 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symgru.network import Array, Tensor

Length = tuple[int, int, int]  # h, d, k for the length h*H + d*D + k
_BLOCK = re.compile(r"([-+]?)\s*([A-Za-z]\w*)([~']?)((?:\s*\+\s*[a-z]\w*)*)")


@dataclass(frozen=True)
class Block:
    """One weight in an array; of several names the array holds the sum."""

    names: tuple[str, ...]
    turned: str = ""
    negated: bool = False
    more: bool = False

    @staticmethod
    def parse(text: str) -> Block:
        match = _BLOCK.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} is no block")
        sign, name, turned, others = match.groups()
        return Block((name, *others.replace("+", " ").split()), turned, sign == "-", sign == "+")

    @property
    def lengths(self) -> tuple[Length, ...]:
        """The lengths of its axes."""
        h, d = (1, 0, 0), (0, 1, 0)
        shape = {"W": (h, d), "U": (h, h)}.get(self.names[0][0], (h,))
        return shape[::-1] if self.turned else shape

    def __str__(self) -> str:
        sign = "-" if self.negated else "+ " if self.more else ""
        return sign + " + ".join(self.names) + ("^T" if self.turned == "'" else self.turned)

    def read(self, piece: Tensor) -> Tensor:
        """The weight in its canonical form."""
        value, text = piece.value, None
        if self.turned == "'":
            piece = piece.T
            value = piece.value
        if self.turned == "~":
            value = value.reshape(value.shape[::-1])
        elif not self.negated:
            return piece
        return Tensor(-value if self.negated else value, text)

    def write(self, weight: Array) -> Array:
        """The weight as it lies in the array."""
        value = -weight if self.negated else weight
        return value.T if self.turned == "'" else value.reshape(value.shape[::-1]) if self.turned else value


@dataclass(frozen=True)
class Grid:
    """One array: rows of blocks."""

    rows: tuple[tuple[Block, ...], ...]

    @staticmethod
    def parse(text: str) -> Grid:
        return Grid(tuple(tuple(map(Block.parse, row.split("|"))) for row in text.split(";")))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(block for row in self.rows for block in row)

    @property
    def is_bias(self) -> bool:
        return len(self.blocks[0].lengths) == 1

    @cached_property
    def lengths(self) -> tuple[Length, ...]:
        """The lengths of the array's axes."""
        across = _sum(block.lengths[-1] for block in self.rows[0])
        if self.is_bias:
            return (across,) if len(self.rows) == 1 else ((0, 0, len(self.rows)), across)
        return _sum(row[0].lengths[0] for row in self.rows), across

    def shape(self, H: int, D: int) -> tuple[int, ...]:
        """The array's shape for so many units and features."""
        return tuple(_length(each, H, D) for each in self.lengths)

    def __str__(self) -> str:
        rows = [" | ".join(map(str, row)) for row in self.rows]
        return rows[0] if len(self.blocks) == 1 else f"[{'; '.join(rows)}]"

    def _places(self, H: int, D: int) -> Iterator[tuple[Block, tuple[slice | int, ...]]]:
        """Each block and where it lies."""
        top = 0
        for k, row in enumerate(self.rows):
            left = 0
            height = 1 if self.is_bias else _length(row[0].lengths[0], H, D)
            for block in row:
                width = _length(block.lengths[-1], H, D)
                across = slice(left, left + width)
                down = () if len(self.lengths) == 1 else (k,) if self.is_bias else (slice(top, top + height),)
                yield block, (*down, across)
                left += width
            top += height

    def cut(self, array: Tensor, H: int, D: int) -> Iterator[tuple[Block, Tensor]]:
        """The blocks of an array of the right shape, each in its canonical form."""
        for block, place in self._places(H, D):
            yield block, block.read(array[place])

    def lay(self, weights: Mapping[str, Array], H: int, D: int) -> Array:
        """The array in which these weights lie; a sum is rounded to their dtype."""
        made = np.zeros(self.shape(H, D), next(iter(weights.values())).dtype)
        for block, place in self._places(H, D):
            held = [block.write(weights[name]) for name in block.names if name in weights]
            if held and not block.more:
                made[place] = sum(held[1:], held[0])
        return made


def _length(each: Length, H: int, D: int) -> int:
    return each[0] * H + each[1] * D + each[2]


def _sum(lengths: Iterator[Length]) -> Length:
    h, d, k = zip(*lengths, strict=True)
    return sum(h), sum(d), sum(k)
