"""The distinct cells, weights and inputs of many ways: what several ways have in common is made once.

Ways that share a cell, an input's shape and a rounding go together, as rows of one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from symgru.building import build
from symgru.cell import Cell
from symgru.diagnosis.going import Going
from symgru.diagnosis.rows import Stack, Versions
from symgru.errors import SymgruError
from symgru.mistakes import Mistake
from symgru.network import Array, Layer, Tensor, Weights
from symgru.rules import Transform

if TYPE_CHECKING:
    from symgru.diagnosis.space import Space

COMMON = ("start", "decimals", "reads", "outputs", "network")  # what ways that go together have alike, beside cells
MOST_NUMBERS = 2**24  # of the weights of a layer in all versions, that are held at once
IMPOSSIBLE = object()  # a making that fails: a cell without the gate that is exchanged


@lru_cache(maxsize=4096)
def changed(change: Transform, cell: Cell) -> Cell:
    """The cell with a change made: the same for every network that is looked at."""
    return change(cell)


@dataclass(frozen=True)
class Zeros:
    """Some arrays are 0."""

    names: frozenset[str]

    def __call__(self, weights: Weights) -> Weights:
        return {**weights, **{name: Tensor(np.zeros_like(weights[name].value)) for name in self.names}}


def without_cell(m: Mistake, cell: Cell) -> Mistake:
    """A mistake that leaves some arrays out and does nothing else, as zeros in their place; any other as it is."""
    if m.cell is None or m.weights is not None:
        return m
    try:
        left = m.cell(cell)
    except SymgruError:
        return m
    gone = {p for p in cell.params if p not in left.params}
    alone = gone and left.equations == cell.without(gone).equations
    return replace(m, cell=None, weights=Zeros(frozenset(p.name for p in gone))) if alone else m


class Makings:
    """The distinct cells, weights and inputs of some ways."""

    def __init__(self, space: Space, ways: Array) -> None:
        self.space, self.trial = space, space.trial
        self.ways = ways
        self.of: dict[str, Array] = {}
        self.kinds: dict[str, list[Any]] = {}
        self.stacks: dict[tuple[str, int], Stack] = {}
        for hook, make in (
            ("cell", self._cells),
            ("weights", self._weights),
            ("inputs", self._inputs),
            ("start", lambda m: next((d.start for d in m if d.start is not None), None)),
            ("decimals", lambda m: next((d.decimals for d in m if d.decimals is not None), None)),
            ("reads", lambda m: next((d.reads for d in m if d.reads), None)),
            ("outputs", lambda m: tuple(d.outputs for d in m if d.outputs)),
            ("network", self.trial.wired),
        ):
            self.of[hook], self.kinds[hook] = self._distinct(hook, make)

    def _distinct(self, hook: str, make: Callable[..., Any]) -> tuple[Array, list[Any]]:
        """Which of the distinct makings each way has, and the makings."""
        has = np.array([self._has(m, hook) for m in self.space.catalogue] + [False])  # the last is -1's
        local = np.cumsum(has) * has
        codes = np.zeros(len(self.ways), dtype=np.int64)
        for column in self.ways.T:
            digit = local[column]
            codes = np.where(digit > 0, codes * (has.sum() + 1) + digit, codes)
        if not codes.any():  # nobody has it
            return codes, [make(())]
        _, first, of = np.unique(codes, return_index=True, return_inverse=True)
        makings = []
        for way in self.ways[first]:
            mistakes = tuple(self.space.catalogue[k] for k in way if k >= 0 and has[k])
            try:
                makings.append(make(mistakes))
            except (SymgruError, ValueError):
                makings.append(IMPOSSIBLE)
        return of.reshape(-1), makings

    def _has(self, m: Mistake, hook: str) -> bool:
        return any(getattr(self.space.of_layer(m, layer), hook) is not None for _, layer in self.trial.recurrent)

    def _cells(self, made: tuple[Mistake, ...]) -> dict[str, Cell]:
        """By call; what all mistakes but the last make of the cells is made once."""
        known = self.space.cells
        if made not in known:
            if not made:
                known[made] = {call.id: build(layer.kind, layer.options) for call, layer in self.trial.recurrent}
            else:
                *before, last = made
                cells = self._cells(tuple(before))
                own = {call.id: self.space.of_layer(last, layer).cell for call, layer in self.trial.recurrent}
                known[made] = {
                    name: changed(change, cells[name]) if change else cells[name] for name, change in own.items()
                }
        return known[made]

    def _weights(self, made: tuple[Mistake, ...]) -> dict[str, dict[str, Array]]:
        layers = {}
        for _, layer in self.trial.recurrent:
            weights, changes = layer.weights, [self.space.of_layer(m, layer).weights for m in made]
            for change in sorted(filter(None, changes), key=lambda c: isinstance(c, Zeros)):
                weights = change(weights)  # what is left out is left out of arrays however they are taken
            layers[layer.id] = {name: t.value for name, t in weights.items()}
        return layers

    def _inputs(self, made: tuple[Mistake, ...]) -> tuple[Array, ...]:
        inputs = self.trial.inputs
        for m in made:
            inputs = self.trial.fed(m, inputs)
        return tuple(x.value for x in inputs)

    def groups(self) -> Iterator[tuple[Going, Array]]:
        """Ways of one cell, one shape of input and one reading of the result: what they share, and which they are."""
        shapes = {tuple(x.shape for x in xs): xs for xs in self.kinds["inputs"] if xs is not IMPOSSIBLE}
        places = {shape: k for k, shape in enumerate(shapes)}
        shape_of = np.array(
            [-1 if xs is IMPOSSIBLE else places[tuple(x.shape for x in xs)] for xs in self.kinds["inputs"]]
        )
        cells = self._equal_cells()
        keys = np.stack(
            [
                cells[self.of["cell"]],
                shape_of[self.of["inputs"]],
                *(self.of[hook] for hook in COMMON),
            ],
            axis=1,
        )
        possible = np.asarray((keys[:, :2] >= 0).all(axis=1))
        for hook in ("weights", "network"):
            can = np.array([made is not IMPOSSIBLE for made in self.kinds[hook]])
            possible &= can[self.of[hook]]
        codes = np.zeros(len(keys), dtype=np.int64)  # one number for each row, which sorts far quicker
        for column in keys.T:
            codes = codes * (int(column.max()) + 2) + column + 1
        _codes, first, of = np.unique(codes, return_index=True, return_inverse=True)
        distinct = keys[first]
        order = np.argsort(of.reshape(-1), kind="stable")
        ends = np.cumsum(np.bincount(of.reshape(-1), minlength=len(distinct)))
        for key, members in zip(distinct, np.split(order, ends[:-1]), strict=True):
            chosen = members[possible[members]]
            if len(chosen):
                own, _, *others = map(int, key)
                common = (self.kinds[hook][k] for hook, k in zip(COMMON, others, strict=True))
                yield Going(self.kinds["cell"][own], *common), chosen

    def _equal_cells(self) -> Array:
        """For each making of the cells the first with the same equations; -1 where it cannot be made."""
        first: dict[object, int] = {}
        found = []
        for k, cells in enumerate(self.kinds["cell"]):
            if cells is IMPOSSIBLE:
                found.append(-1)
            else:
                found.append(first.setdefault(tuple(c.equations for c in cells.values()), k))
        return np.array(found)

    def rows(self, ways: Array) -> tuple[dict[str, Versions], list[Array]]:
        """The weights by layer and the inputs of some ways, each way as many rows as the batch has sequences."""
        made = self.kinds["inputs"]
        which, x_of = np.unique(self.of["inputs"][ways], return_inverse=True)
        inputs = [np.concatenate([made[k][i] for k in which]) for i in range(len(self.trial.inputs))]
        batch = len(made[which[0]][0])
        places = (x_of.reshape(-1) * batch)[:, None] + np.arange(batch)
        version = np.repeat(self.of["weights"][ways], batch)
        weights = {layer.id: self._versions(layer, version) for _, layer in self.trial.recurrent}
        return weights, [each[places.ravel()] for each in inputs]

    def _versions(self, layer: Layer, version: Array) -> Versions:
        """The weights of some rows; of a large layer only the versions that these rows need are put together."""
        size = sum(t.value.size for t in layer.weights.values())
        if size * len(self.kinds["weights"]) <= MOST_NUMBERS:
            return Versions(self._stack(layer.id, version[0]), version)
        needed, rows = np.unique(version, return_inverse=True)
        made = [self.kinds["weights"][k][layer.id] for k in needed]
        return Versions(Stack({name: np.stack([w[name] for w in made]) for name in made[0]}), rows.reshape(-1))

    def _stack(self, layer: str, version: int) -> Stack:
        """A layer's weights in all versions that hold the same arrays as this one: a mistake may bring its own."""
        if (layer, version) not in self.stacks:
            made: list[Any] = [w if w is IMPOSSIBLE else w[layer] for w in self.kinds["weights"]]
            names = tuple(made[version])
            alike = [w is not IMPOSSIBLE and tuple(w) == names for w in made]
            own = [w if same else made[version] for w, same in zip(made, alike, strict=True)]
            stack = Stack({name: np.stack([w[name] for w in own]) for name in names})
            self.stacks |= {(layer, k): stack for k, same in enumerate(alike) if same}
        return self.stacks[layer, version]
