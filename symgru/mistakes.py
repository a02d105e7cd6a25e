"""What the common single mistakes lead to on a network's own numbers: each is run, none is guessed.

`single_mistakes` gives every one with its result, `classes` puts together those that these numbers cannot tell apart,
and `caught` is the document's "if you got this number, you did that".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

import numpy as np

from symgru.building import build
from symgru.cell import Cell
from symgru.domains import Decimals, Domain, Float64
from symgru.errors import SymgruError, Unsupported
from symgru.explanation import promise
from symgru.maps import MAPS
from symgru.mistake_table import MISTAKES, Mistake, mistakes
from symgru.network import Array, Call, Layer, Network, Tensor
from symgru.rounding import exactly
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


class Trial:
    """A network and its inputs, to be run with one mistake after the other.

    A mistake is made in every recurrent layer in which it can be made, as a person does who believes so; one about the
    sequence, in the network's only sequence. Numbers are taken as typed.
    """

    def __init__(self, network: Network, x: Tensor | Sequence[Tensor]) -> None:
        self.network = replace(network, layers={name: _typed(layer) for name, layer in network.layers.items()})
        self.inputs = tuple(map(_as_typed, (x,) if isinstance(x, Tensor) else x))

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
        return {name: {(m.kind, m.name): m for m in mistakes(layer)} for name, layer in layers.items()}

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Those of any layer, each once, the commonest first; () where nothing is recurrent."""
        every = {key: m for made in self._made.values() for key, m in made.items()}
        return tuple(sorted(every.values(), key=lambda m: m.rank))

    def run(self, mistake: Mistake | None, domain: Domain, view: Callable[[Cell], Cell] = lambda cell: cell) -> Run:
        """The run with one mistake, or with none. Raises SymgruError where the network cannot be run so.

        `view` writes each recurrent cell in other lines: those of a calculator, each of which a domain may round.
        """
        key = (mistake.kind, mistake.name) if mistake else ("", "")
        layers, rewrite, states = dict(self.network.layers), {}, {}
        inputs = self._fed(mistake) if mistake else self.inputs
        for call, layer in self.recurrent:
            made = self._made[layer.id].get(key, NONE)
            if made.weights:
                layers[layer.id] = replace(layer, weights=made.weights(layer.weights))
            cell = build(layer.kind, layer.options)
            worked = view(made.cell(cell) if made.cell else cell)
            rewrite[call.id] = as_called(call, worked)
            if made.start is not None or made.cell and not call.initial:  # what is left may not tell how many units
                size = units(cell, layer)
                states[call.id] = domain.zeros((len(inputs[0].value), size)) + (made.start or 0)
        return run(replace(self.network, layers=layers), inputs, domain, states, rewrite)

    def _fed(self, mistake: Mistake) -> tuple[Tensor, ...]:
        if mistake.inputs is None:
            return self.inputs
        if len(self.inputs) > 1 or self.inputs[0].value.ndim not in (2, 3):
            raise Unsupported("which of the inputs is the sequence is not known")
        (x,) = self.inputs
        if x.value.ndim == 3:
            return (mistake.inputs(x),)
        fed = mistake.inputs(x[..., None])[..., 0]  # indices of an Embedding, (batch, time)
        if not np.isin(fed.value, x.value).all():
            raise Unsupported("there is no sum of indices")
        return (Tensor(fed.value.astype(x.value.dtype), fed.text),)

    def result(
        self, mistake: Mistake | None, domain: Domain, view: Callable[[Cell], Cell] = lambda cell: cell
    ) -> Array:
        """The outputs after the last step, one number for each unit; see `run`."""
        return last_step(self.run(mistake, domain, view).outputs)

    def results(self) -> Iterator[tuple[Mistake | None, tuple[float, ...]]]:
        """In float64: the right result first, then every mistake that can be run."""
        yield None, tuple(map(float, self.result(None, Float64())))
        for m in self.mistakes:
            try:
                yield m, tuple(map(float, self.result(m, Float64())))
            except (SymgruError, ValueError):  # a layer behind needs as many time steps as there were
                continue


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
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=0, atol=ALIKE, equal_nan=True))


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
