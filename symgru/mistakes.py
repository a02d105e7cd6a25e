"""What the common single mistakes lead to on a network's own numbers: each is run, none is guessed.

`single_mistakes` gives every one with its result, `classes` puts together those that these numbers cannot tell apart,
and `caught` is the document's "if you got this number, you did that".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from math import isnan
from typing import TypeVar

import numpy as np

from symgru.algebra import Vec
from symgru.building import build
from symgru.cell import Cell
from symgru.decimal_domain import Decimals, rounded
from symgru.domains import Domain, Float64
from symgru.errors import SymgruError, Unsupported
from symgru.explanation import promise
from symgru.maps import MAPS
from symgru.mistake_table import MISTAKES, Mistake, mistakes
from symgru.network import Array, Call, Edge, Layer, Network, Tensor
from symgru.rounding import exactly
from symgru.rules import CALCULATOR
from symgru.shapes import units
from symgru.trace import Run, as_called, last_step, run

__all__ = [
    "MISTAKES",
    "Caught",
    "Mistake",
    "Outcome",
    "Trial",
    "caught",
    "classes",
    "grouped",
    "mistakes",
    "single_mistakes",
]
ALIKE = 1e-12  # results that differ by less are taken for one: float64's own error is a thousandth of it
NEAR = 1e-9  # of a rounding boundary, in units of the last digit: exact decimals decide
WORKING = 40  # their significant digits, and those of a line before it is rounded
NONE = Mistake("", "")
MOST = 12  # rows that a reader looks through
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """The result after the last step of one mistake, a number for each unit, and whether it is not the right one."""

    hypothesis: Mistake
    values: tuple[float, ...]
    distinct: bool


@dataclass(frozen=True)
class Caught:
    """A result as printed, a text for each unit, and every mistake that leads to it, the commonest first."""

    values: tuple[str, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def says(self) -> tuple[str, ...]:
        """What was done, each once; formulas stand in backquotes."""
        return tuple(dict.fromkeys(m.says for m in self.mistakes))

    @property
    def instead(self) -> tuple[str, ...]:
        """What is right, each once."""
        return tuple(dict.fromkeys(m.instead for m in self.mistakes))


Made = Mistake | Sequence[Mistake] | None
Known = Callable[[Layer], Sequence[Mistake]]


@dataclass(frozen=True)
class Changed:
    """A network and its inputs as they are worked with mistakes: other weights, other numbers, other lines.

    `cells` and `starts` are by call: what it runs in place of its own cell, and the number that its state starts at.
    `decimals` is what each line is rounded to, None where none is; `reads` and `outputs` say what is taken for the
    result.
    """

    network: Network
    inputs: tuple[Tensor, ...]
    cells: Mapping[str, Cell]
    starts: Mapping[str, int]
    decimals: int | None = None
    reads: Callable[[Cell], Vec] | None = None
    outputs: tuple[Callable[[Array], Array], ...] = ()

    def run(self, domain: Domain, view: Callable[[Cell], Cell] = lambda cell: cell) -> Run:
        """Every number. `view` writes each recurrent cell in other lines: those of a calculator, each of which a domain
        may round."""
        if self.decimals is not None:
            domain, view = rounded(domain, self.decimals), CALCULATOR
        calls = {call.id: (call, layer) for call, layer in self.network}
        rewrite = {name: as_called(calls[name][0], view(cell)) for name, cell in self.cells.items() if name in calls}
        states = {
            name: domain.zeros((len(self.inputs[0].value), units(self._own(calls[name][1]), calls[name][1]))) + start
            for name, start in self.starts.items()
            if name in calls
        }
        return run(self.network, self.inputs, domain, states, rewrite)

    def results(self, found: Run) -> Array:
        """What a run gives at every step, (batch, time, units), where the first output is that of a layer with steps;
        one step where it is not."""
        y = steps_of(self.network, found, self.reads)
        for change in self.outputs:
            y = change(y)
        return y

    @staticmethod
    def _own(layer: Layer) -> Cell:
        return build(layer.kind, layer.options)


def steps_of(network: Network, found: Run, reads: Callable[[Cell], Vec] | None) -> Array:
    """What a run gives at every step, (batch, time, units); `reads` is the line taken for the state."""
    edge = (network.outputs or (Edge(network.calls[-1].id),))[0]
    trace = next((t for t in found.traces if t.call.id == edge.source and t.cell.states), None)
    if trace is not None:
        read = (reads(trace.cell) if reads else trace.cell.output).name
        if read not in trace.columns:  # another mistake left it out
            raise Unsupported(f"there is no line {read} to be read")
        return trace.columns[read]
    if reads:
        raise Unsupported("another layer follows the one whose lines are read")
    y = found.outputs[0]
    return y if y.ndim == 3 else y.reshape(len(y), 1, -1)


class Trial:
    """A network and its inputs, to be run with one mistake after the other, or with several together.

    A mistake is made in every recurrent layer in which it can be made, as a person does who believes so; one about the
    sequence, in the network's only sequence. Numbers are taken as typed. `known` gives the mistakes of a layer,
    `others` are those of the network as a whole.
    """

    def __init__(
        self,
        network: Network,
        x: Tensor | Sequence[Tensor],
        known: Known = mistakes,
        others: Sequence[Mistake] = (),
    ) -> None:
        self.network = replace(network, layers={name: _typed(layer) for name, layer in network.layers.items()})
        self.inputs = tuple(map(_as_typed, (x,) if isinstance(x, Tensor) else x))
        self._known, self._others = known, others

    @cached_property
    def recurrent(self) -> tuple[tuple[Call, Layer], ...]:
        return tuple(
            (call, layer)
            for call, layer in self.network
            if layer.kind not in MAPS and build(layer.kind, layer.options).states
        )

    @cached_property
    def _made(self) -> Mapping[str, Mapping[tuple[str, str], Mistake]]:
        """What can be made of each layer, by kind and name."""
        layers = {layer.id: layer for _, layer in self.recurrent}
        return {name: {(m.kind, m.name): m for m in self._known(layer)} for name, layer in layers.items()}

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Those of any layer, each once, and of the whole, the commonest first; () where nothing is recurrent."""
        every = {key: m for made in self._made.values() for key, m in made.items()}
        return tuple(sorted((*every.values(), *self._others), key=lambda m: m.rank)) if every else ()

    def of_layer(self, m: Mistake, layer: Layer) -> Mistake:
        """A mistake as it is made in one of the layers; NONE where it cannot be made there."""
        own = self._made[layer.id].get((m.kind, m.name))
        return own or (NONE if any((m.kind, m.name) in made for made in self._made.values()) else m)

    def changed(self, made: Made) -> Changed:
        """The network with mistakes made, in the order given. Raises SymgruError where they cannot be made."""
        several = _several(made)
        network, inputs = self.wired(several), self.inputs
        layers, cells, starts = dict(network.layers), {}, {}
        for m in several:
            inputs = self.fed(m, inputs)
        for call, layer in self.recurrent:
            own = [self.of_layer(m, layer) for m in several]
            weights, cell, start = layer.weights, build(layer.kind, layer.options), None
            for m in own:
                weights = m.weights(weights) if m.weights else weights
                cell = m.cell(cell) if m.cell else cell
                start = m.start if m.start is not None else start
            layers[layer.id] = replace(layer, weights=weights)
            cells[call.id] = cell
            if start is not None or not call.initial and any(m.cell for m in own):
                starts[call.id] = start or 0  # what is left of a cell may not tell how many units it has
        return Changed(
            replace(network, layers=layers),
            inputs,
            cells,
            starts,
            next((m.decimals for m in several if m.decimals is not None), None),
            next((m.reads for m in several if m.reads), None),
            tuple(m.outputs for m in several if m.outputs),
        )

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Of what the network gives at every step: sequences, time steps, units."""
        changed = self.changed(None)
        batch, steps, width = changed.results(changed.run(Float64())).shape
        return batch, steps, width

    def run(self, made: Made, domain: Domain, view: Callable[[Cell], Cell] = lambda cell: cell) -> Run:
        """The run with mistakes, or with none. Raises SymgruError where the network cannot be run so."""
        return self.changed(made).run(domain, view)

    def wired(self, made: Sequence[Mistake]) -> Network:
        """The network with its layers as they are taken to be."""
        network = self.network
        for m in made:
            network = m.network(network) if m.network else network
        return network

    def fed(self, mistake: Mistake, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The inputs as one who makes the mistake feeds them."""
        if mistake.inputs is None:
            return inputs
        if len(inputs) > 1 or inputs[0].value.ndim not in (2, 3):
            raise Unsupported("which of the inputs is the sequence is not known")
        (x,) = inputs
        if x.value.ndim == 3:
            return (mistake.inputs(x),)
        fed = mistake.inputs(x[..., None])[..., 0]  # indices of an Embedding, (batch, time)
        if not np.isin(fed.value, x.value).all():
            raise Unsupported("there is no sum of indices")
        return (Tensor(fed.value.astype(x.value.dtype), fed.text),)

    def result(self, made: Made, domain: Domain, view: Callable[[Cell], Cell] = lambda cell: cell) -> Array:
        """The outputs after the last step, one number for each unit; see `run`."""
        changed = self.changed(made)
        found = changed.run(domain, view)
        return changed.results(found)[-1, -1] if changed.reads or changed.outputs else last_step(found.outputs)

    def results(self) -> Iterator[tuple[Mistake | None, tuple[float, ...]]]:
        """In float64: the right result first, then every mistake that can be run."""
        yield None, tuple(map(float, self.result(None, Float64())))
        for m in self.mistakes:
            try:
                yield m, tuple(map(float, self.result(m, Float64())))
            except (SymgruError, ValueError):  # a layer behind needs as many time steps as there were
                continue


def _several(made: Made) -> tuple[Mistake, ...]:
    return () if made is None else (made,) if isinstance(made, Mistake) else tuple(made)


def single_mistakes(network: Network, x: Tensor | Sequence[Tensor]) -> tuple[Outcome, ...]:
    """What each common mistake leads to, the commonest first; () for a network without a recurrent layer.

    x is one sequence of shape (1, time, features), or one array for each input of the network.
    """
    trial = Trial(network, x)
    if not trial.mistakes:
        return ()
    (_, right), *others = trial.results()
    return tuple(Outcome(m, values, not alike(values, right)) for m, values in others if m is not None)


def classes(outcomes: Sequence[Outcome]) -> list[tuple[Outcome, ...]]:
    """The outcomes in classes of one result: what these numbers cannot tell apart."""
    return grouped((o, o.values) for o in outcomes)


def grouped(results: Iterable[tuple[T, Sequence[float]]]) -> list[tuple[T, ...]]:
    """What leads to each result, in the order in which it is met first."""
    found: list[tuple[Sequence[float], list[T]]] = []
    for what, values in results:
        same = next((c for known, c in found if alike(known, values)), None)
        if same is None:
            found.append((values, [what]))
        else:
            same.append(what)
    return [tuple(c) for _, c in found]


def alike(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two results are one number but for the error of float64."""
    pairs = zip(a, b, strict=True)
    return len(a) == len(b) and all(abs(p - q) <= ALIKE or p == q or isnan(p) and isnan(q) for p, q in pairs)


def caught(network: Network, x: Tensor | Sequence[Tensor], digits: int, most: int | None = MOST) -> tuple[Caught, ...]:
    """The commonest mistakes that print another number than the right one, at `digits` decimals, rounded half up.

    Mistakes that print the same are one entry. At most `most` entries (all where None), in the order of how common
    they are; () for a network without a recurrent layer.
    """
    trial = Trial(network, x)
    if not trial.mistakes:
        return ()
    printed: dict[tuple[str, ...], list[Mistake]] = {}
    (_, values), *others = trial.results()
    right = _printed(trial, None, values, digits)
    for m, values in others:
        texts = _printed(trial, m, values, digits)
        if m is not None and texts != right and all(np.isfinite(values)):
            printed.setdefault(texts, []).append(m)
    found = [Caught(texts, tuple(made)) for texts, made in printed.items()]
    return tuple(found[:most])


def _printed(trial: Trial, mistake: Mistake | None, values: Sequence[float], digits: int) -> tuple[str, ...]:
    rounding = promise(digits)
    if any(_near_a_tie(v, digits) for v in values):
        domain = Decimals(WORKING, typed=True)
        with domain.context():
            exact: Sequence[Decimal] = list(trial.result(mistake, domain))
    else:
        exact = [exactly(v) for v in values]
    return tuple(rounding.text(rounding(v)) for v in exact)


def _near_a_tie(v: float, digits: int) -> bool:
    scaled = abs(v) * 10**digits
    return bool(np.isfinite(v)) and abs(scaled % 1 - 0.5) < NEAR * max(1.0, scaled)


def _typed(layer: Layer) -> Layer:
    return replace(layer, weights={name: _as_typed(t) for name, t in layer.weights.items()})


def _as_typed(t: Tensor) -> Tensor:
    """The numbers as they are printed, in float64; whole numbers as they are."""
    if not np.issubdtype(t.value.dtype, np.floating):
        return t
    return Tensor(t.text.astype(np.float64), t.text)
