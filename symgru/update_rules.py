"""The two ways to write the new state, z h + (1 - z) n and (1 - z) h + z n: how one becomes the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np
from sympy import Expr, S, Symbol, expand

from symgru.activations import definition_of
from symgru.algebra import Dot, Vec, add, mul, rebuild, sigma, walk
from symgru.cell import Cell
from symgru.errors import Unsupported
from symgru.network import Tensor, Weights
from symgru.rules import Rewriting, Transform, closed


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
