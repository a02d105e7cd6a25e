"""Many ways of going about it at once: every combination of mistakes asked for, run as rows of a few batches.

A way is a row of indices into the catalogue of mistakes, -1 where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property

import numpy as np

from symgru.building import build
from symgru.cell import Cell
from symgru.diagnosis.claims import LAST, Case
from symgru.diagnosis.making import Makings, without_cell
from symgru.domains import Float64
from symgru.errors import SymgruError
from symgru.mistakes import Known, Mistake, Trial
from symgru.network import Array, Layer, Network
from symgru.shapes import units

ROWS = 2**14  # numbers of a state in one batch: they stay in the processor's cache
Progress = Callable[[int], None]


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
            self._run[key] = without_cell(own, build(layer.kind, layer.options))
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
        made = Makings(self, ways)
        for going, together in made.groups():
            for part in np.array_split(together, -(-len(together) * self._width // ROWS)):
                with suppress(SymgruError):  # a layer behind needs as many time steps as there were
                    found[part] = self.told(going.run(self, *made.rows(part), len(part)))
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
        changed = self.trial.changed(None)
        return changed.results(changed.run(Float64()))

    @cached_property
    def alternatives(self) -> int:
        asked = any(n.unit is None for n in self.case.claim)
        return int(self.right.shape[-1]) if asked else 1

    def told(self, y: Array) -> Array:
        """The claimed numbers of outputs (ways, batch, time, units), as (ways, alternatives, numbers)."""
        found = np.full((len(y), self.alternatives, len(self.case.claim)), np.nan)
        batch, steps, _ = self.right.shape
        if y.shape[2] > steps:  # of a state that was carried over, the last run
            y = y[:, :, -steps:]
        alike = y.shape[1:3] == (batch, steps)
        for k, n in enumerate(self.case.claim):
            if n.sequence < y.shape[1] and y.shape[2] and (n.step == LAST or alike):
                chosen = y[:, n.sequence, n.step]
                if n.unit is None and chosen.shape[-1] == self.alternatives:
                    found[:, :, k] = chosen
                elif n.unit is not None and n.unit < chosen.shape[-1]:
                    found[:, :, k] = chosen[:, n.unit, None]
        return found
