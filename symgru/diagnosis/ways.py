"""The ways that are tried, as rows of indices into the catalogue of mistakes: single ones, pairs, and a product.

The product combines the gate orders of the kernels, the recurrent kernels and the biases, each of them on its own,
with what else is often taken otherwise: how the sequence is fed, the update rule, the reset gate's place, the biases,
the activations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from symgru.mistakes import Mistake
from symgru.network import Array

NONE = -1  # in the place of an index: no mistake
SEVERAL = ("arrays", "signs")  # kinds of which two can be made at once; of others one excludes the next
COMBINED = {  # what the product takes of each kind; in some layers some of it cannot be done
    "sequence": (
        "summed into one step", "mean in one step", "reversed", "column by column", "first step only",
        "last step dropped",
    ),
    "update rule": ("swapped",),
    "reset gate": ("before the product", "after the product"),
    "biases": ("left out", "only the input's", "only the state's", "rows exchanged"),
    "activations": ("hard sigmoid of Keras 2", "hard sigmoid of Keras 3", "sigmoid for a hard sigmoid"),
}  # fmt: skip
ORDER = "gate order"


@dataclass(frozen=True)
class Level:
    """Ways of a kind, (ways, most mistakes), and how many mistakes each of them makes."""

    says: str
    ways: Array
    faults: Array


def singles(catalogue: Sequence[Mistake]) -> Level:
    """Every mistake by itself."""
    ways = np.arange(len(catalogue))[:, None]
    return Level("single mistakes", ways, np.ones(len(ways), dtype=int))


def pairs(catalogue: Sequence[Mistake]) -> Level:
    """Every two that can be made together."""
    first, second = np.triu_indices(len(catalogue), 1)
    kinds = np.array([m.kind for m in catalogue], dtype=object)
    together = (kinds[first] != kinds[second]) | np.isin(kinds[first], SEVERAL)
    for k in np.flatnonzero((kinds[first] == ORDER) & ~together):
        together[k] = _apart(catalogue[first[k]], catalogue[second[k]])
    ways = np.stack([first[together], second[together]], axis=1)
    return Level("pairs of mistakes", ways, np.full(len(ways), 2))


def _apart(one: Mistake, other: Mistake) -> bool:
    """Whether two orders are those of different arrays; one order in several arrays is a mistake by itself."""
    (order, _, where), (another, _, elsewhere) = one.name.partition(" in "), other.name.partition(" in ")
    return bool(where and elsewhere) and order != another and not {*where.split(" and ")} & {*elsewhere.split(" and ")}


def combined(catalogue: Sequence[Mistake]) -> Level:
    """The product, of three mistakes and more: fewer are tried already."""
    place = {(m.kind, m.name): k for k, m in enumerate(catalogue)}
    chosen = [
        [NONE, *(place[kind, name] for name in names if (kind, name) in place)] for kind, names in COMBINED.items()
    ]
    orders = list(_orders(catalogue, place))
    most = max(map(len, orders))
    columns = np.array([(*each, *[NONE] * (most - len(each))) for each in orders], dtype=int)
    others = np.array(list(product(*chosen)), dtype=int)
    ways = np.concatenate([np.repeat(others, len(columns), axis=0), np.tile(columns, (len(others), 1))], axis=1)
    faults = (ways != NONE).sum(axis=1)
    more = faults > 2
    return Level("combinations of gate orders of each array with the commonest of the rest", ways[more], faults[more])


def _orders(catalogue: Sequence[Mistake], place: dict[tuple[str, str], int]) -> Iterator[tuple[int, ...]]:
    """Every order for every array on its own, as the fewest mistakes of the catalogue that amount to it."""
    named = [m.name.partition(" in ") for m in catalogue if m.kind == ORDER]
    taken = list(dict.fromkeys(order for order, _, _ in named))
    arrays = list(dict.fromkeys(where for _, _, where in named if where and " and " not in where)) or [""]
    for each in product([NONE, *range(len(taken))], repeat=len(arrays)):
        found = []
        for k in dict.fromkeys(k for k in each if k != NONE):
            where = [a for a, own in zip(arrays, each, strict=True) if own == k]
            name = taken[k] if len(where) == len(arrays) else f"{taken[k]} in {' and '.join(where)}"
            found.append(place[ORDER, name])
        yield tuple(found)
