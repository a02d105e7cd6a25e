"""The induction behind the lemmas: a box of states that holds the first one, and that no step leaves, holds them all.

Whether a step leaves it is found by running the cell's printed source in interval arithmetic, with mistakes made, from
the whole box at once. Of arrays and inputs only the signs are looked at, so that many ways are one case.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from symgru import slips
from symgru.building import build
from symgru.cell import Cell
from symgru.diagnosis.intervals import INF, Interval, dot, step_of, typed
from symgru.layout import layout
from symgru.mistake_table import Mistake
from symgru.mistakes import Trial
from symgru.network import Array, Call, Tensor

Made = tuple[Mistake, ...]
Signs = Mapping[str, Interval]  # of each array, each number as what its sign says
ONE = Interval.exactly(np.ones((1, 1)))


@dataclass(frozen=True)
class Part:
    """The cell of the call as it is worked, the vector that is read, and the number that the state starts at.

    `gates_own` are the parameters that nothing but a gate reads. `usable` is False for a way that the induction does
    not speak of: rounded lines, outputs that are made into others, a first state that another layer gives.
    """

    cell: Cell
    read: str
    start: float
    gates_own: frozenset[str]
    usable: bool


class Induction:
    """One call of a network with mistakes made, factor by factor: cell, arrays and inputs change apart from one
    another, and each is worked out once."""

    def __init__(self, trial: Trial, call: Call) -> None:
        self.trial, self.call = trial, call
        layer = trial.network.layers[call.layer]
        self.kernels = tuple(m.name for m in layout(build(layer.kind, layer.options)).kernel)
        self._made: dict[Hashable, Any] = {}
        self._kept: dict[Hashable, bool] = {}
        self._known: dict[Hashable, tuple[Any, Interval]] = {}  # what was worked out of an object, which is kept

    def part(self, made: Made) -> Part:
        """Of the mistakes those that concern the cell, its start and what is read."""
        return cast(Part, self._once("cell", made, _of_cell, self._part))

    def inputs(self, made: Made) -> Interval | None:
        """Every step of every sequence, (steps, features); None where the call does not read the network's input."""
        return cast("Interval | None", self._once("inputs", made, lambda m: m.inputs, self._inputs))

    def signs(self, made: Made) -> Signs | None:
        """Every number of the arrays as what its sign says: [0, inf), (-inf, 0] or 0, else anything.

        A kernel becomes one column with the signs that its product with the input has at all steps, to be fed a 1. None
        where the input is not the network's.
        """
        return cast("Signs | None", self._once("signs", made, lambda m: m.weights or m.inputs, self._signs))

    def signs_with(self, made: Made, x: Interval) -> Signs:
        """The same with another input, (steps, features)."""
        return {name: self._sign(name, t, x) for name, t in self.arrays(made).items()}

    def unknown(self, made: Made) -> Signs:
        """Nothing is known of any number."""
        return cast(Signs, self._once("unknown", made, lambda m: m.weights, self._unknown))

    def arrays(self, made: Made) -> Mapping[str, Tensor]:
        """The layer's, as they are taken to be."""
        return cast("Mapping[str, Tensor]", self._once("arrays", made, lambda m: m.weights, self._arrays))

    def keeps(self, part: Part, box: Interval, signs: Signs) -> bool:
        """Whether no step leaves the box, nor anything that is read. What only gates read may be anything.

        A step at which a mask holds the state back does not leave it either.
        """
        if not (part.usable and (box.low <= part.start).all() and (part.start <= box.high).all()):
            return False
        names = [p.name for p in part.cell.params]
        counts = [signs[name].ends.tobytes() for name in names if name not in part.gates_own]
        key = (part.cell.equations, part.read, box.ends.tobytes(), *counts)
        if key not in self._kept:
            arrays = {name: anything(signs[name].shape) if name in part.gates_own else signs[name] for name in names}
            with np.errstate(all="ignore"):
                found = step_of(part.cell)(ONE, box.reshape(1, -1), arrays)
            self._kept[key] = all(found[name].within(box) for name in {part.cell.output.name, part.read})
        return self._kept[key]

    def _once(self, kind: str, made: Made, concerns: Callable[[Mistake], Any], work: Callable[[Made], Any]) -> Any:
        chosen = tuple(m for m in made if concerns(m))
        key = (kind, *((m.kind, m.name) for m in chosen))
        if key not in self._made:
            self._made[key] = work(chosen)
        return self._made[key]

    def _of(self, what: Any, about: Hashable, work: Callable[[], Interval]) -> Interval:
        """The same for an object, such as a Tensor, that several ways have in common."""
        key = (id(what), about)
        if key not in self._known:
            self._known[key] = what, work()
        return self._known[key][1]

    def _part(self, made: Made) -> Part:
        changed = self.trial.changed(made)
        cell = changed.cells[self.call.id]
        read = changed.reads(cell) if changed.reads else cell.output
        usable = changed.decimals is None and not self.call.initial and all(map(only_picks, changed.outputs))
        return Part(cell, read.name, float(changed.starts.get(self.call.id, 0)), _gates_own(cell), usable)

    def _arrays(self, made: Made) -> Mapping[str, Tensor]:
        return self.trial.changed(made).network.layers[self.call.layer].weights

    def _signs(self, made: Made) -> Signs | None:
        x = self.inputs(made)
        return None if x is None else self.signs_with(made, x)

    def _unknown(self, made: Made) -> Signs:
        arrays = {name: anything(t.value.shape) for name, t in self.arrays(made).items()}
        return arrays | {name: anything((len(arrays[name]), 1)) for name in self.kernels}

    def _inputs(self, made: Made) -> Interval | None:
        edge = self.call.args[0]
        if edge.port != "input":
            return None
        names = [put.id for put in self.trial.network.inputs]
        x = self.trial.changed(made).inputs[names.index(edge.source)]
        return typed(Tensor(x.value.reshape(-1, x.value.shape[-1]), x.text.reshape(-1, x.text.shape[-1])))

    def _sign(self, name: str, t: Tensor, x: Interval) -> Interval:
        numbers = self._of(t, "numbers", lambda: typed(t))
        if name not in self.kernels:
            return self._of(t, "signs", lambda: sign_of(numbers.low, numbers.high))

        def column() -> Interval:
            with np.errstate(all="ignore"):
                products = dot(numbers, x)
            return sign_of(products.low.min(0), products.high.max(0)).reshape(-1, 1)

        return self._of(t, ("column", id(x)), column)


def _of_cell(m: Mistake) -> bool:
    return any(hook is not None for hook in (m.cell, m.start, m.decimals, m.reads, m.outputs))


def _gates_own(cell: Cell) -> frozenset[str]:
    """What the gates' equations read and no other does."""
    gates = set(slips.roles(cell).gates)
    mine, others = (_read(cell, (lhs for lhs in cell.defined if (lhs in gates) is own)) for own in (True, False))
    return frozenset(mine - others)


def _read(cell: Cell, lines: Iterable[Any]) -> set[str]:
    equations = dict(cell.equations)
    found = {s for lhs in lines for s in equations[lhs].free_symbols}
    return {p.name for p in cell.params if p in found}


def sign_of(low: Array, high: Array) -> Interval:
    """What the sign of numbers between low and high says."""
    return Interval.between(np.where(low >= 0, 0, -INF), np.where(high <= 0, 0, INF))


def anything(shape: tuple[int, ...]) -> Interval:
    """Numbers of which nothing is known."""
    return Interval.between(np.full(shape, -INF), np.full(shape, INF))


def only_picks(change: Callable[[Array], Array]) -> bool:
    """Whether a change of the outputs, (batch, time, units), takes some of them as they are, each of its own unit."""
    tokens = np.empty((1, 4, 3), dtype=object)
    for at in np.ndindex(tokens.shape):
        tokens[at] = (at,)  # which no arithmetic takes
    try:
        taken = np.asarray(change(tokens), dtype=object)
    except Exception:  # whatever a change does with what is no number
        return False
    return taken.ndim == 3 and all(
        any(tokens[at] is one for at in np.ndindex(tokens.shape) if at[-1] == place[-1])
        for place, one in np.ndenumerate(taken)
    )
