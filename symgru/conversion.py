"""A layer in another framework's convention: which rewriting its weights need, and the proof that nothing changes.

A conversion is a chain of Transforms that leads to the framework's own cell, and then the framework's arrangement of
the weights, both as equations. What the framework cannot express is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
from sympy import Expr, S, Symbol

from symgru.arrangement import RULES, Convention, join, split
from symgru.building import build
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.errors import Unsupported
from symgru.network import Array, Layer, Tensor
from symgru.rules import closed, normal
from symgru.update_rules import NEGATED_UPDATE, rewritten_weights


@dataclass(frozen=True)
class Step:
    """One rewriting on the way: what it says, the new weights in terms of the old, and whether its proof holds."""

    says: str
    equations: tuple[str, ...]
    proved: bool


@dataclass(frozen=True)
class Converted:
    """A layer's arrays in a framework's convention, and how they came about."""

    layer: Layer
    convention: Convention
    steps: tuple[Step, ...]
    weights: Mapping[str, Tensor]
    arrays: Mapping[str, Array]

    @property
    def equations(self) -> Iterator[str]:
        """What lies in each array: weight_ih = [W_r; W_z; W_n]."""
        return (self.convention.equation(name) for name in self.arrays)


def convert(layer: Layer, convention: Convention) -> Converted:
    """The layer's arrays as the framework has them.

    Raises Unsupported, naming the layer, where the framework has no such cell, activation or bias.
    """
    with of_layer(layer):
        _check_activations(layer, convention)
        weights, steps = _rewritten(layer, convention)
        weights |= _absent(CELLS[convention.cell], weights)
        steps += _sums(convention, weights)
        arrays = join(convention, weights)
        steps.append(_read_back(convention, weights, arrays))
        return Converted(layer, convention, tuple(steps), weights, arrays)


@contextmanager
def of_layer(layer: Layer) -> Iterator[None]:
    """Begin a refusal with the layer's name, once."""
    try:
        yield
    except Unsupported as error:
        said = str(error)
        raise Unsupported(said if said.startswith("layer ") else f"layer {layer.id}: {said}") from None


def _rewritten(layer: Layer, convention: Convention) -> tuple[dict[str, Tensor], list[Step]]:
    """The weights for the framework's cell, and the rewritings that lead there."""
    cell, weights, steps = build(layer.kind, layer.options), dict(layer.weights), []
    if cell.name == convention.cell:
        return weights, []
    (reset, update), (wanted, kept) = (RULES.get(name, (name, name)) for name in (cell.name, convention.cell))
    if {reset, wanted} == {"before", "after"}:
        step, weights = _reset_moved(cell, convention, weights)
        steps.append(step)
    elif reset != wanted:
        raise Unsupported(f"{convention.title} cannot express the cell {cell.name}")
    if {update, kept} == {"keep", "new"}:
        step, weights = _turned(cell, weights)
        steps.append(step)
    elif update != kept or cell.name not in RULES:
        raise Unsupported(f"{convention.title} cannot express the cell {cell.name}")
    return weights, steps


def _turned(cell: Cell, weights: dict[str, Tensor]) -> tuple[Step, dict[str, Tensor]]:
    """The update gate negated, and the update rule exchanged."""
    _, params = NEGATED_UPDATE.apply(cell)
    if not NEGATED_UPDATE.proof(cell):
        raise Unsupported(
            "the framework's update rule is the other one, 1 - z for z; only sigmoid's and hard_sigmoid's can be"
        )
    held = {s: e for s, e in params.items() if s.name in weights}
    step = Step(NEGATED_UPDATE.says, tuple(f"{s} = {e}" for s, e in held.items()), True)
    return step, dict(rewritten_weights(held, weights))


def _reset_moved(cell: Cell, convention: Convention, weights: dict[str, Tensor]) -> tuple[Step, dict[str, Tensor]]:
    """The reset gate before the product and after it are one function for one unit without a bias inside r*(…)."""
    own, other = RULES[cell.name][0], RULES[convention.cell][0]
    units = next(t.value.shape[0] for name, t in weights.items() if name.startswith("U"))
    if units > 1 or ("c_n" in weights and not weights["c_n"].is_zero):
        raise Unsupported(
            f"the reset gate acts {own} the product with U_n, in {convention.title} {other} it; "
            "they are the same function only for one unit without a bias c_n"
        )
    new = {name: t for name, t in weights.items() if not name.startswith("c_")}
    if other == "before":
        for gate in "zr":
            b, c = weights.get(f"b_{gate}"), weights.get(f"c_{gate}")
            if b and c and not c.is_zero:
                new[f"b_{gate}"] = Tensor(b.value + c.value)
    says = "with one unit r*(U_n h) = U_n (r*h): the reset gate may stand before or after the product"
    return Step(says, ("b_z = b_z + c_z", "b_r = b_r + c_r") if "c_z" in weights else (), True), new


def _absent(target: Cell, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Biases that the framework's cell has and the layer has not: they are 0."""
    some = next(t for name, t in weights.items() if name.startswith("W"))
    biased = any(name[0] in "bc" for name in weights)
    zero = Tensor(np.zeros(some.value.shape[0], some.value.dtype))
    return {p.name: zero for p in target.params if p.name not in weights} if biased else {}


def _sums(convention: Convention, weights: Mapping[str, Tensor]) -> Iterator[Step]:
    """The biases that the framework keeps as one number: proved equal by normal forms, as the cell is written."""
    target = CELLS[convention.cell]
    by_name = {p.name: p for p in target.params}
    merged: dict[Symbol, Expr] = {}
    for grid in convention.arrays.values():
        for block in grid.blocks:
            first, *others = block.names
            if others and all(name in weights for name in block.names):
                merged[by_name[first]] = cast(Expr, sum((by_name[name] for name in others), by_name[first]))
                merged |= {by_name[name]: S.Zero for name in others}
    if not merged:
        return
    same = normal(closed(target)) == normal(closed(target).xreplace(merged))
    if not same:
        raise Unsupported(f"{convention.title} adds biases that this cell keeps apart")
    held = [s for s, e in merged.items() if e != S.Zero]
    exact = all(weights[str(o)].is_zero for s in held for o in merged[s].free_symbols - {s})
    rounding = "" if exact else "; each sum is rounded once"
    yield Step(
        f"biases that are only ever added are one number{rounding}", tuple(f"{s} = {merged[s]}" for s in held), same
    )


def _read_back(convention: Convention, weights: Mapping[str, Tensor], arrays: Mapping[str, Array]) -> Step:
    """The arrays split again: bit for bit the weights that went in, sums as they are."""
    found = split(convention, {name: Tensor(a) for name, a in arrays.items()})
    again = join(convention, found)
    same = all(np.array_equal(a, again[name]) for name, a in arrays.items())
    summed = {name for grid in convention.arrays.values() for b in grid.blocks if len(b.names) > 1 for name in b.names}
    kept = [name for name in found if name not in summed and name in weights]
    same = same and all(np.array_equal(found[name].value, weights[name].value) for name in kept)
    return Step("the arrays read back give the same weights, bit for bit", (), same)


def _check_activations(layer: Layer, convention: Convention) -> None:
    if layer.kind == "dense" or not convention.fixed:
        return
    for key in ("activation", "recurrent_activation"):
        own, fixed = layer.options.get(key), getattr(convention, key)
        if own is not None and own != fixed:
            raise Unsupported(f"{key} is {own}; in {convention.title} it is {fixed} and cannot be chosen")
