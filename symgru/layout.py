"""How a cell's parameters lie in the arrays of Keras' family of layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sympy import Symbol

from symgru.algebra import Mat, Vec
from symgru.cell import Cell

BIASES = ("bias", "recurrent_bias")  # on the input's side and on the state's


@dataclass(frozen=True)
class Layout:
    """How a framework of Keras' family stacks a cell's parameters: gate blocks side by side as columns."""

    kernel: tuple[Mat, ...]
    recurrent: tuple[Mat, ...]
    biases: tuple[tuple[Vec, ...], ...]  # one row for each side: b on the input's, c on the state's

    @property
    def arrays(self) -> dict[str, tuple[tuple[Symbol, ...], ...]]:
        """Each array by its framework's name, as rows of blocks. Bias rows of unlike length are arrays of their own."""
        alike = len({len(row) for row in self.biases}) == 1
        biases = {"bias": self.biases} if alike else dict(zip(BIASES, ((row,) for row in self.biases), strict=False))
        named = {"kernel": (self.kernel,), "recurrent_kernel": (self.recurrent,), **biases}
        return {name: rows for name, rows in named.items() if rows[0]}


def layout(cell: Cell) -> Layout:
    """Blocks in the order of the equations, which is Keras' order: z, r, n."""
    matrices_ = [p for p in cell.params if isinstance(p, Mat)]
    letters = dict.fromkeys(p.name[0] for p in cell.params if not isinstance(p, Mat))
    rows = (tuple(cast(Vec, p) for p in cell.params if p.name[0] == c and not isinstance(p, Mat)) for c in letters)
    return Layout(
        tuple(m for m in matrices_ if cell.dims[m][1] == "D"),
        tuple(m for m in matrices_ if cell.dims[m][1] != "D"),
        tuple(rows),
    )
