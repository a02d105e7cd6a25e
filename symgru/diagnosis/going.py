"""How one way goes, or several that go together: its cells, and what is taken of them. Run in the rows of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from symgru.algebra import Vec
from symgru.cell import Cell
from symgru.diagnosis.rows import Versions, rows
from symgru.mistakes import steps_of
from symgru.network import Array, Network, Tensor
from symgru.rules import CALCULATOR
from symgru.trace import as_called, run

if TYPE_CHECKING:
    from symgru.diagnosis.space import Space


@dataclass(frozen=True)
class Going:
    """The fields are those of `mistakes.Changed`; `start` is the number that every state starts at, 0 where None."""

    cells: Mapping[str, Cell]  # by call
    start: int | None
    decimals: int | None
    reads: Callable[[Cell], Vec] | None
    outputs: tuple[Callable[[Array], Array], ...]
    network: Network

    def run(self, space: Space, weights: Mapping[str, Versions], x: Sequence[Array], ways: int) -> Array:
        """What it gives at every step, (ways, batch, time, units), where each way has a row for each sequence."""
        network = replace(
            self.network,
            layers={
                name: replace(layer, weights=weights[name]) if name in weights else layer
                for name, layer in self.network.layers.items()
            },
        )
        rewrite, states = {}, {}
        calls = {call.id: call for call in network.calls}
        for call, layer in ((calls[c.id], layer) for c, layer in space.trial.recurrent if c.id in calls):
            cell = self.cells[call.id] if self.decimals is None else CALCULATOR(self.cells[call.id])
            rewrite[call.id] = as_called(call, cell)
            if self.start is not None or not call.initial:
                states[call.id] = np.full((len(x[0]), space.units[layer.id]), float(self.start or 0))
        found = run(network, [Tensor(each) for each in x], rows(self.decimals), states, rewrite)
        y = steps_of(network, found, self.reads)
        y = y.reshape(ways, -1, *y.shape[1:])
        for change in self.outputs:
            y = np.stack([change(each) for each in y])
        return y
