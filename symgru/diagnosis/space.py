"""Many ways of going about it at once: every combination of mistakes asked for, run as rows of a few batches.

A way is a row of indices into the catalogue of mistakes, -1 where there is none. Ways that share a cell, an input's
shape and a rounding are rows of one run; weights and inputs that several ways have in common are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from symgru.algebra import Mat
from symgru.building import build
from symgru.cell import Cell
from symgru.diagnosis.claims import LAST, Case
from symgru.diagnosis.rows import Stack, Versions, rows
from symgru.errors import SymgruError
from symgru.mistakes import Known, Mistake, Trial, steps_of
from symgru.network import Array, Layer, Network, Tensor, Weights
from symgru.rules import CALCULATOR, Transform
from symgru.shapes import units
from symgru.trace import as_called, run

ROWS = 2**14  # numbers of a state in one batch: they stay in the processor's cache
IMPOSSIBLE = object()  # a making that fails: a cell without the gate that is exchanged
Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Group:
    """Ways that are run together: which they are, and what they have in common."""

    ways: Array
    cells: int
    decimals: int
    reads: int
    outputs: int
    starts: int
    networks: int


class Space:
    """A network and one case, to be gone about in many ways."""

    def __init__(self, network: Network, case: Case, known: Known, others: Sequence[Mistake] = ()) -> None:
        self._asked = network, known, others
        self.trial = Trial(network, case.inputs, known, others)
        self.case = case
        self.catalogue: tuple[Mistake, ...] = self.trial.mistakes
        self._run: dict[tuple[str, str, str], Mistake] = {}
        self.cells: dict[tuple[Mistake, ...], dict[str, Cell]] = {}  # made so far

    def of_layer(self, m: Mistake, layer: Layer) -> Mistake:
        """A mistake as it is run in a layer: biases that are left out are 0, which needs no cell of its own."""
        key = (m.kind, m.name, layer.id)
        if key not in self._run:
            own = self.trial.of_layer(m, layer)
            left_out = _left_out(own, build(layer.kind, layer.options)) if own.cell else frozenset()
            self._run[key] = replace(own, cell=None, weights=Zeros(left_out)) if left_out else own
        return self._run[key]

    def about(self, case: Case) -> Space:
        """The same network and mistakes, and another case."""
        network, known, others = self._asked
        return Space(network, case, known, others)

    def values(self, ways: Array, progress: Progress = lambda done: None) -> Array:
        """What each way gives for the claimed numbers, (ways, alternatives, numbers); NaN where it cannot be gone.

        There are as many alternatives as units where a number does not say its unit, else one.
        """
        found = np.full((len(ways), self.alternatives, len(self.case.claim)), np.nan)
        if not len(ways):
            return found
        made = _Made(self, ways)
        for group in made.groups():
            for part in np.array_split(group.ways, -(-len(group.ways) * self._width // ROWS)):
                with suppress(SymgruError):  # a layer behind needs as many time steps as there were
                    found[part] = made.run(group, part)
                progress(len(part))
        return found

    @cached_property
    def units(self) -> dict[str, int]:
        """Of each recurrent layer."""
        return {layer.id: units(build(layer.kind, layer.options), layer) for _, layer in self.trial.recurrent}

    @property
    def _width(self) -> int:
        """Numbers of a state for one way."""
        return max(self.units.values(), default=1) * len(self.case.inputs[0].value)

    @cached_property
    def right(self) -> Array:
        """What the network gives at every step, (batch, time, units)."""
        from symgru.domains import Float64

        changed = self.trial.changed(None)
        return changed.results(changed.run(Float64()))

    @cached_property
    def alternatives(self) -> int:
        asked = any(n.unit is None for n in self.case.claim)
        return int(self.right.shape[-1]) if asked else 1

    def told(self, y: Array) -> Array:
        """The claimed numbers of outputs (ways, batch, time, units), as (ways, alternatives, numbers)."""
        found = np.full((len(y), self.alternatives, len(self.case.claim)), np.nan)
        alike = y.shape[1:3] == self.right.shape[:2]
        for k, n in enumerate(self.case.claim):
            if n.sequence < y.shape[1] and y.shape[2] and (n.step == LAST or alike):
                chosen = y[:, n.sequence, n.step]
                if n.unit is None and chosen.shape[-1] == self.alternatives:
                    found[:, :, k] = chosen
                elif n.unit is not None and n.unit < chosen.shape[-1]:
                    found[:, :, k] = chosen[:, n.unit, None]
        return found


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


def _left_out(m: Mistake, cell: Cell) -> frozenset[str]:
    """The biases that a mistake leaves out, where it does nothing else."""
    assert m.cell is not None
    try:
        changed = m.cell(cell)
    except SymgruError:
        return frozenset()
    gone = {p for p in cell.params if p not in changed.params}
    alone = not any(isinstance(p, Mat) for p in gone) and changed.equations == cell.without(gone).equations
    return frozenset(p.name for p in gone) if alone and m.weights is None else frozenset()


class _Made:
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

    def groups(self) -> Iterator[_Group]:
        """Ways of one cell, one shape of input and one reading of the result."""
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
                *(self.of[hook] for hook in ("start", "decimals", "reads", "outputs", "network")),
            ],
            axis=1,
        )
        possible = np.asarray((keys[:, :2] >= 0).all(axis=1))
        for hook in ("weights", "network"):
            can = np.array([made is not IMPOSSIBLE for made in self.kinds[hook]])
            possible &= can[self.of[hook]]
        codes = np.zeros(len(keys), dtype=np.int64)  # one number for each row, which sorts far quicker
        for column in keys.T:
            codes = codes * (column.max() + 2) + column + 1
        _, first, of = np.unique(codes, return_index=True, return_inverse=True)
        distinct = keys[first]
        order = np.argsort(of.reshape(-1), kind="stable")
        ends = np.cumsum(np.bincount(of.reshape(-1), minlength=len(distinct)))
        for key, members in zip(distinct, np.split(order, ends[:-1]), strict=True):
            chosen = members[possible[members]]
            if len(chosen):
                cell, _, start, decimals, reads, outputs, network = map(int, key)
                yield _Group(chosen, cell, decimals, reads, outputs, start, network)

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

    def run(self, group: _Group, ways: Array) -> Array:
        """The claimed numbers of some ways of a group."""
        made = self.kinds["inputs"]
        which, x_of = np.unique(self.of["inputs"][ways], return_inverse=True)
        inputs = [np.concatenate([made[k][i] for k in which]) for i in range(len(self.trial.inputs))]
        batch = len(made[which[0]][0])
        starts = (x_of.reshape(-1) * batch)[:, None] + np.arange(batch)
        x = [each[starts.ravel()] for each in inputs]
        rows_of = np.repeat(self.of["weights"][ways], batch)
        weights = {layer.id: Versions(self._stack(layer.id, rows_of[0]), rows_of) for _, layer in self.trial.recurrent}
        y = evaluate(
            self.space,
            self.kinds["cell"][group.cells],
            weights,
            x,
            self.kinds["start"][group.starts],
            self.kinds["decimals"][group.decimals],
            self.kinds["reads"][group.reads],
            self.kinds["network"][group.networks],
        )
        y = y.reshape(len(ways), -1, *y.shape[1:])
        for change in self.kinds["outputs"][group.outputs]:
            y = np.stack([change(each) for each in y])
        return self.space.told(y)

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


def evaluate(
    space: Space,
    cells: dict[str, Cell],
    weights: dict[str, Versions],
    x: Sequence[Array],
    start: int | None,
    decimals: int | None,
    reads: Any,
    network: Network,
) -> Array:
    """What the rows give at every step, (rows, time, units)."""
    trial = space.trial
    layers = {
        name: replace(layer, weights=weights[name]) if name in weights else layer
        for name, layer in network.layers.items()
    }
    domain = rows(decimals)
    rewrite, states = {}, {}
    calls = {call.id: call for call in network.calls}
    for call, layer in ((calls[c.id], layer) for c, layer in trial.recurrent if c.id in calls):
        cell = cells[call.id] if decimals is None else CALCULATOR(cells[call.id])
        rewrite[call.id] = as_called(call, cell)
        if start is not None or not call.initial:
            states[call.id] = np.full((len(x[0]), space.units[layer.id]), float(start or 0))
    network = replace(network, layers=layers)
    found = run(network, [Tensor(each) for each in x], domain, states, rewrite)
    return steps_of(network, found, reads)
