"""The blocks of the gates in an array, taken in another order than they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from symgru.network import Weights


@dataclass(frozen=True)
class Columns:
    """Gate blocks of an array under other symbols: block i, stored for rows[.][i], is taken for rows[.][order[i]]."""

    rows: tuple[tuple[str, ...], ...]
    order: tuple[int, ...]

    def __call__(self, weights: Weights) -> Weights:
        taken = {row[to]: weights[row[i]] for row in self.rows for i, to in enumerate(self.order)}
        return {**weights, **taken}


def orders(rows: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, Columns]]:
    """Every order that the gates' blocks can be taken in, the stored one first: as text (z | r | n), and the change."""
    gates = [name.partition("_")[2] for name in rows[0]]
    for order in permutations(range(len(gates))):
        yield " | ".join(gates[i] for i in order), Columns(rows, order)
