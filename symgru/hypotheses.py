"""What people do otherwise than the network does, as a table: each entry changes a cell, its arrays or its input.

A mistake is a `Transform` of the same cell (with preserves=False), a permutation of the same weights or another input:
never a second implementation. One entry of each kind makes a `Combination`; module `matching` runs them.
Another mistake is another line in `READINGS` or `UPDATES`, or another kind in `kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import permutations, product
from typing import cast

import numpy as np
from sympy import Expr, S, Symbol, expand

from symgru.activations import definition_of
from symgru.algebra import Dot, Vec, add, mul, rebuild, sigma, walk
from symgru.building import build
from symgru.cell import Cell
from symgru.errors import Unsupported
from symgru.layout import layout
from symgru.network import Array, Layer, Network, Tensor
from symgru.rules import Rewriting, Transform, closed

Weights = Mapping[str, Tensor]


def complement(e: Expr) -> Expr:
    """1 - e as a person writes it."""
    return add(S.One, mul(S.NegativeOne, e))


def update_gate(cell: Cell) -> Vec:
    """The gate g whose 1 - g stands in the state's equation."""
    nodes = list(walk(cell.equations[-1][1]))
    for g in cell.defined:
        if complement(g) in nodes:
            return g
    raise Unsupported(f"cell {cell.name} has no update gate")


def _swap(cell: Cell) -> Rewriting:
    """In the state's equation every z becomes 1 - z, and 1 - (1 - z) is z."""
    gate, (lhs, rhs) = update_gate(cell), cell.equations[-1]
    twice = complement(complement(gate))

    def swap(e: Expr) -> Expr:
        return complement(gate) if e == gate else gate if e == twice else e

    return cell.with_equations((*cell.equations[:-1], (lhs, rebuild(rhs, swap)))), {}


def _swap_and_negate(cell: Cell) -> Rewriting:
    gate_equation = dict(cell.equations)[update_gate(cell)]
    own = dict.fromkeys(s for s in walk(gate_equation) if s in cell.params)
    return _swap(cell)[0], {cast(Symbol, s): cast(Expr, -s) for s in own}


COMPLEMENTARY = ("hard_sigmoid", "sparse_sigmoid")  # beside sigmoid; `symgru prove update-rules` decides every one


@dataclass(frozen=True)
class Mirrored(Transform):
    """A transform that preserves the function where the gates' s has s(-a) = 1 - s(a): sigmoid and COMPLEMENTARY."""

    def proof(self, cell: Cell) -> bool:
        """Equal normal forms once s of a negative argument is written as 1 - s."""
        new, params = self.apply(cell)
        gate = dict(cell.equations)[update_gate(cell)]
        if not (isinstance(gate, sigma) or (known := definition_of(gate)) and known.name in COMPLEMENTARY):
            return False

        def normal(e: Expr) -> Expr:
            e = e.replace(
                lambda q: isinstance(q, Dot) and q.args[0].could_extract_minus_sign(),
                lambda d: -Dot(-d.args[0], d.args[1]),
            ).doit()
            return cast(Expr, expand(e.replace(lambda q: q.func == gate.func, _mirror)))

        return cast(bool, normal(closed(cell)) == normal(closed(new).xreplace(dict(params))))


def _mirror(e: Expr) -> Expr:
    a = expand(e.args[0])
    return cast(Expr, 1 - e.func(-a) if a.could_extract_minus_sign() else e.func(a))


SWAPPED_UPDATE = Transform(
    "update rule swapped", "the update gate z weighs the candidate, and 1 - z the old state", _swap, preserves=False
)
NEGATED_UPDATE = Mirrored(
    "update rule swapped, update gate negated",
    "with the update gate's weights and biases negated the swapped rule gives the same numbers",
    _swap_and_negate,
)


def rewritten_weights(params: Mapping[Symbol, Expr], weights: Weights) -> Weights:
    """Weights in which each parameter named is the multiple of an old one that a transform gives."""
    new = dict(weights)
    for s, e in params.items():
        factor, old = e.as_coeff_Mul()
        tensor = weights[old.name]
        texts = [_times(int(factor), t) for t in tensor.text.ravel()]
        value = tensor.value * int(factor) + 0.0  # no -0
        new[s.name] = Tensor(value, np.array(texts, dtype=object).reshape(tensor.text.shape))
    return new


def _times(factor: int, text: str) -> str:
    """A multiple of a decimal; where only the sign turns the digits stay as typed."""
    if factor != -1:
        return str(Decimal(text) * factor)
    digits = text.lstrip("+-")
    return digits if text.startswith("-") or not Decimal(text) else f"-{digits}"


@dataclass(frozen=True)
class Columns:
    """Gate blocks of an array under other symbols: block i, stored for rows[.][i], is taken for rows[.][order[i]]."""

    rows: tuple[tuple[str, ...], ...]
    order: tuple[int, ...]

    def __call__(self, weights: Weights) -> Weights:
        taken = {row[to]: weights[row[i]] for row in self.rows for i, to in enumerate(self.order)}
        return {**weights, **taken}

    def keeps(self, i: int) -> bool:
        return self.order[i] == i


def orders(rows: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, Columns]]:
    """Every order that the gates' blocks can be taken in, the stored one first: as text (z | r | n), and the change."""
    gates = [name.partition("_")[2] for name in rows[0]]
    for order in permutations(range(len(gates))):
        yield " | ".join(gates[i] for i in order), Columns(rows, order)


HOOKS = ("cell", "weights", "inputs", "start", "decimals", "reads", "outputs", "network")


@dataclass(frozen=True)
class Hypothesis:
    """One way to go about one thing (`kind`). `says` is what the person did, `instead` what is right.

    The HOOKS, of which most have one, say what is otherwise: the cell; the weights; the input; the number that every
    unit's state starts at; the decimals that each line is rounded to; the line of the cell that is taken for its
    output; what is taken of the outputs of all steps, (batch, time, units); what the layers of the network are.
    Without a hook it is the usual way. `{kinds}` in a text stands for all kinds for which the same was done.
    """

    kind: str
    name: str
    says: str = ""
    instead: str = ""
    cell: Transform | None = None
    weights: Callable[[Weights], Weights] | None = None
    inputs: Callable[[Tensor], Tensor] | None = None
    start: int | None = None
    decimals: int | None = None
    reads: Callable[[Cell], Vec] | None = None
    outputs: Callable[[Array], Array] | None = None
    network: Callable[[Network], Network] | None = None

    @property
    def usual(self) -> bool:
        return all(getattr(self, hook) is None for hook in HOOKS)


def _one_step(of: Callable[[list[Fraction]], Fraction]) -> Callable[[Tensor], Tensor]:
    """All steps made into one: `of` is applied to each feature's typed numbers."""

    def collapse(x: Tensor) -> Tensor:
        series = np.moveaxis(x.text, 1, -1).reshape(-1, x.text.shape[1])
        numbers = [of([Fraction(str(t)) for t in row]) for row in series]
        texts = [str(Decimal(q.numerator) / q.denominator) for q in numbers]
        shape, values = (x.text.shape[0], 1, x.text.shape[2]), [float(q) for q in numbers]
        return Tensor(np.array(values).reshape(shape), np.array(texts, dtype=object).reshape(shape))

    return collapse


STEPWISE = "feed the inputs one after the other, one to each time step, with the state h carried from step to step"
READINGS = (
    Hypothesis("sequence", "as given"),
    Hypothesis(
        "sequence",
        "summed into one step",
        "summed the sequence into one step",
        STEPWISE,
        inputs=_one_step(lambda v: Fraction(sum(v))),
    ),
    Hypothesis(
        "sequence",
        "mean in one step",
        "took the mean of the sequence as one step",
        STEPWISE,
        inputs=_one_step(lambda v: Fraction(sum(v)) / len(v)),
    ),
    Hypothesis(
        "sequence",
        "reversed",
        "fed the sequence from its end to its beginning",
        "feed the first input first",
        inputs=lambda x: x[:, ::-1],
    ),
    Hypothesis(
        "sequence",
        "first step only",
        "stopped after the first step",
        "go on to the last input, with the state h carried from step to step",
        inputs=lambda x: x[:, :1],
    ),
)
UPDATES = (
    Hypothesis("update rule", "z keeps the old state"),
    Hypothesis(
        "update rule",
        "swapped",
        "let the update gate z weigh the candidate, and 1 - z the old state",
        "let z weigh the old state and 1 - z the candidate",
        cell=SWAPPED_UPDATE,
    ),
)


def kinds(layer: Layer) -> tuple[tuple[Hypothesis, ...], ...]:
    """The table for a layer: the alternatives of each kind, the usual one first."""
    own = layout(build(layer.kind, layer.options))
    arrays: list[tuple[str, tuple[tuple[Symbol, ...], ...]]] = [
        ("kernel", (own.kernel,)),
        ("recurrent kernel", (own.recurrent,)),
    ]
    if not all(layer.weights[b.name].is_zero for row in own.biases for b in row):
        arrays.append(("bias", own.biases))
    return READINGS, UPDATES, *(tuple(_orders(kind, rows)) for kind, rows in arrays)


def _orders(kind: str, rows: tuple[tuple[Symbol, ...], ...]) -> Iterator[Hypothesis]:
    (stored, _), *others = orders(tuple(tuple(s.name for s in row) for row in rows))
    yield Hypothesis(kind, f"columns {stored}")
    for taken, columns in others:
        yield Hypothesis(
            kind,
            f"columns {taken}",
            f"read the columns of the {{kinds}} in the order {taken}",
            f"read the columns of the {{kinds}} in the order {stored}",
            weights=columns,
        )


@dataclass(frozen=True)
class Combination:
    """One hypothesis of each kind."""

    parts: tuple[Hypothesis, ...]

    @cached_property
    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """(what was done, what is right); the same done to several arrays is one mistake."""
        done: dict[tuple[str, str], list[str]] = {}
        for p in self.parts:
            if not p.usual:
                done.setdefault((p.says, p.instead), []).append(p.kind)
        return tuple(
            (says.format(kinds=listed(k)), instead.format(kinds=listed(k))) for (says, instead), k in done.items()
        )

    @property
    def cells(self) -> tuple[Transform, ...]:
        return tuple(p.cell for p in self.parts if p.cell)

    @property
    def inputs(self) -> tuple[Callable[[Tensor], Tensor], ...]:
        return tuple(p.inputs for p in self.parts if p.inputs)

    @property
    def arrays(self) -> tuple[Callable[[Weights], Weights], ...]:
        return tuple(p.weights for p in self.parts if p.weights)

    def cell(self, cell: Cell) -> Cell:
        for transform in self.cells:
            cell = transform(cell)
        return cell

    def x(self, x: Tensor) -> Tensor:
        for change in self.inputs:
            x = change(x)
        return x

    def weights(self, weights: Weights) -> Weights:
        for change in self.arrays:
            weights = change(weights)
        return weights


def listed(words: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def combinations(layer: Layer) -> list[Combination]:
    """Everything that can be made of the table, the one without a mistake first."""
    return [Combination(parts) for parts in product(*kinds(layer))]


def only_layer(network: Network) -> Layer:
    """The layer of a network that is one recurrent layer; Unsupported for any other."""
    (_, layer), *others = network
    if others or not build(layer.kind, layer.options).states:
        raise Unsupported("hypotheses are tried on a network that is one GRU layer; this one has other layers too")
    return layer
