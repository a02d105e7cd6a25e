"""Two calculations of one network, line by line up to where they part: its own, and one with mistakes in it."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property

from symgru.algebra import Mat, Ref, walk
from symgru.building import build
from symgru.cell import Cell
from symgru.errors import SymgruError
from symgru.maps import MAPS
from symgru.mistakes import Changed, Mistake, Trial
from symgru.network import Layer, Network
from symgru.rounding import Rounding
from symgru.rules import CALCULATOR, zero_params
from symgru.shapes import units
from symgru.wiring import is_shown
from symgru.working import Line, Shown, Working, work_out


@dataclass(frozen=True)
class Row:
    """A line as both calculations have it; None where one of them has no such line."""

    own: Line | None
    other: Line | None

    @property
    def shared(self) -> bool:
        """Whether both work out this quantity."""
        return self.own is not None and self.other is not None and self.own.lhs == self.other.lhs

    def differs(self) -> bool:
        """Whether a quantity that both work out is another number."""
        return self.shared and self.texts[0] != self.texts[1]

    def is_another(self) -> bool:
        """Whether its formula, its numbers or its value are others."""
        return not self.shared or _content(self.own) != _content(self.other)

    @property
    def texts(self) -> tuple[str, str]:
        """Both values as printed, "" for none."""
        own, other = (line.text if line else "" for line in (self.own, self.other))
        return own, other


@dataclass(frozen=True)
class Parting:
    """Where two calculations of a layer part: at a step (from 1), in a unit (from 0).

    `rows` are that unit's lines of the step. They part at the first that both have and whose value differs; lines
    before it may hold other numbers of which nothing comes: a weight that is multiplied by 0. `fed` says that
    the step's input differs already, `started` that the state before it does. There are no rows where one of the two
    ends a step earlier.
    """

    own: Working
    other: Working
    t: int
    unit: int
    rows: tuple[Row, ...] = ()
    fed: bool = False
    started: bool = False

    @cached_property
    def at(self) -> int:
        """Which of the rows it is; how many there are where there is none."""
        for differs in (Row.differs, Row.is_another):
            if found := [k for k, row in enumerate(self.rows) if differs(row)]:
                return found[0]
        return len(self.rows)

    @property
    def first(self) -> Row | None:
        return self.rows[self.at] if self.at < len(self.rows) else None

    @property
    def taken(self) -> Iterator[tuple[Ref, str, str]]:
        """The weights of the first line that differs, where they are other numbers: symbol, own number, the other."""
        if self.first and self.first.own and self.first.other:
            own, other = self.first.own, self.first.other
            for ref in dict.fromkeys(s for s in walk(own.rhs) if isinstance(s, Ref) and s.dt is None):
                if ref in other.texts and own.texts[ref] != other.texts[ref]:
                    yield ref, own.texts[ref], other.texts[ref]


@dataclass(frozen=True)
class Beside:
    """Two calculations, layer by layer; no `parting` where every line is alike."""

    own: tuple[Working, ...]
    other: tuple[Working, ...]
    parting: Parting | None


def beside(trial: Trial, made: Sequence[Mistake], decimals: int, sequence: int = 0, unit: int = 0) -> Beside | None:
    """The network's calculation of one sequence of a batch, and the one with mistakes made. `unit` is looked at where
    several part at the same step. None where the one with mistakes cannot be written in lines."""
    coarse = next((m.decimals for m in made if m.decimals is not None), None)
    rounded = decimals if coarse is None else Rounding.plain(coarse)
    try:
        right, wrong = trial.changed(None), trial.changed(made)
        zero = _zero(right.network) & _zero(wrong.network)
        own, other = (_worked(c, zero, d, sequence) for c, d in ((right, decimals), (wrong, rounded)))
        return Beside(own, other, next(_partings(own, other, unit), None))
    except (SymgruError, decimal.InvalidOperation, KeyError, ValueError):
        return None


def _zero(network: Network) -> set[tuple[str, str]]:
    """Layer and name of each array that is 0 throughout."""
    return {(layer.id, name) for layer in network.layers.values() for name, t in layer.weights.items() if t.is_zero}


def _worked(
    changed: Changed, zero: set[tuple[str, str]], decimals: int | Rounding, sequence: int
) -> tuple[Working, ...]:
    """The lines of a network as it is worked with mistakes."""
    cells: dict[str, Shown] = {}
    starts: dict[str, Sequence[str]] = {}
    for call, layer in changed.network:
        if layer.kind not in MAPS and is_shown(own := build(layer.kind, layer.options)):
            cells[call.id] = _shown(changed.cells.get(call.id, own), layer, zero)
            if call.id in changed.starts:
                starts[call.id] = (str(changed.starts[call.id]),) * units(own, layer)
    first = sequence if sequence < len(changed.inputs[0].value) else 0
    inputs = [x[first : first + 1] for x in changed.inputs]
    return tuple(map(_sized, work_out(changed.network, inputs, cells, decimals, starts)[1]))


def _shown(cell: Cell, layer: Layer, zero: set[tuple[str, str]]) -> Shown:
    """A cell and its lines on a calculator, without the biases that are 0 in both calculations."""
    left_out = tuple(p for p in cell.params if not isinstance(p, Mat) and (layer.id, p.name) in zero)
    without = zero_params(set(left_out))
    return Shown(without(cell), without(CALCULATOR(cell)), left_out)


def _sized(layer: Working) -> Working:
    """With a length for what a mistake has cut off from the output: a gate that nothing reads has as many units."""
    letters = {letter for dims in layer.calculator.dims.values() for letter in dims}
    return replace(layer, sizes={**dict.fromkeys(letters, layer.sizes["H"]), **layer.sizes})


def _partings(own: Sequence[Working], other: Sequence[Working], unit: int) -> Iterator[Parting]:
    """In each layer, in the order in which the layers are computed: the first step at which a value differs, or where
    none does, a line."""
    for a, b in zip(own, other, strict=True):
        for differs in (Row.differs, Row.is_another):
            steps = (_parting(a, b, t, unit, differs) for t in range(1, max(a.steps, b.steps) + 1))
            if found := next(filter(None, steps), None):
                yield found
                break


def _parting(own: Working, other: Working, t: int, unit: int, differs: Callable[[Row], bool]) -> Parting | None:
    """At one step, in the unit that is looked at or, where that is alike, in the first that is not."""
    if t > min(own.steps, other.steps):
        return Parting(own, other, t, unit if unit < own.sizes["H"] else 0)  # a head's unit may be none of this layer
    lines = list(own.lines(t)), list(other.lines(t))
    every = {k: _rows(*([line for line in each if line.lhs.idx[0] == k] for each in lines)) for k in _units(lines[0])}
    parted = [k for k, rows in every.items() if any(map(differs, rows))]
    if not parted:
        return None
    chosen = unit if unit in parted else parted[0]
    fed = list(own.x_texts[t - 1]) != list(other.x_texts[t - 1])
    started = t == 1 and own.before(chosen) != other.before(chosen)
    return Parting(own, other, t, chosen, every[chosen], fed, started)


def _units(lines: Sequence[Line]) -> list[int]:
    return sorted({line.lhs.idx[0] for line in lines})


def _rows(own: Sequence[Line], other: Sequence[Line]) -> tuple[Row, ...]:
    """Lines beside each other by what they define, in the order in which both compute it; between two such, what only
    one of them has."""
    rows: list[Row] = []
    a, b = ([line.lhs for line in each] for each in (own, other))
    for kind, i, i_end, j, j_end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            rows += map(Row, own[i:i_end], other[j:j_end])
        else:
            rows += [*(Row(line, None) for line in own[i:i_end]), *(Row(None, line) for line in other[j:j_end])]
    return tuple(rows)


def _content(line: Line | None) -> tuple[object, ...]:
    """What a reader sees of a line: its formula, its numbers, its value."""
    if line is None:
        return ()
    numbers = tuple(line.texts[s] for s in walk(line.rhs) if isinstance(s, Ref))
    return line.lhs, line.rhs, numbers, line.text
