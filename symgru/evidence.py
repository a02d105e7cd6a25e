"""What can be said of a network's weights besides running them: its output's sign, its freshness, its update rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from typing import Literal

import numpy as np
from sympy import Symbol

from symgru.building import build
from symgru.cells import Un, Wn, bn, cn
from symgru.hypotheses import NEGATED_UPDATE, SWAPPED_UPDATE, Columns, Combination, only_layer, rewritten_weights
from symgru.layout import layout
from symgru.matching import Claim, Outcome, exact_run, final
from symgru.network import Layer, Network, Tensor

SIGN_KEEPING = ("tanh", "softsign", "linear", None)  # activations a with the sign of their argument
ORTHONORMAL = 1e-5  # float32 orthogonalisation and 8 printed decimals leave 1e-6 at most; training moves far more


@dataclass(frozen=True)
class Lemma:
    """Every h_t has the sign `sign`, for each of the `covered` combinations (those that leave the candidate's blocks).

    `every_input`: it holds for every sequence of positive inputs, not only for this one.
    """

    sign: Literal[-1, 1]
    covered: tuple[Combination, ...]
    every_input: bool

    def excludes(self, claim: Claim) -> bool:
        return claim.value * self.sign < 0


def sign_lemma(network: Network, x: Tensor, found: Sequence[Outcome]) -> Lemma | None:
    """The lemma where its conditions hold on the data, else None.

    Conditions, for 1 unit: the gates are sigmoid, so between 0 and 1; the candidate's activation keeps the sign; the
    candidate has no bias; its recurrent weight is positive; its weighted input W_n x_t has one sign at every step; the
    initial state is 0. Then, by induction, no h_t has the other sign: the candidate's argument is a sum of W_n x_t and
    of a multiple, not below 0, of the state before, and the new state is a mix of the two with positive weights.
    """
    layer = only_layer(network)
    w = layer.weights
    cell = build(layer.kind, layer.options)
    if w[Wn.name].value.shape[0] != 1 or cell.name not in ("gru", "gru_before"):
        return None
    if layer.options.get("recurrent_activation", "sigmoid") != "sigmoid":
        return None
    if layer.options.get("activation", "tanh") not in SIGN_KEEPING:
        return None
    if any(p in cell.params and not w[p.name].is_zero for p in (bn, cn)) or w[Un.name].value.item() <= 0:
        return None
    sign = _sign(w[Wn.name], x)
    if not sign:
        return None
    place = [s.name for s in layout(cell).kernel].index(Wn.name)
    covered = tuple(
        o.combination
        for o in found
        if all(isinstance(c, Columns) and c.keeps(place) for c in o.combination.arrays)
        and _sign(w[Wn.name], o.combination.x(x)) == sign
    )
    every = bool((w[Wn.name].value * sign > 0).all() and (x.value > 0).all())
    return Lemma(sign, covered, every)


def _sign(kernel: Tensor, x: Tensor) -> Literal[-1, 0, 1]:
    """The sign that W_n x_t has at every step, 0 where it has none or several."""
    weights = [Fraction(str(t)) for t in kernel.text[0]]
    sums = [sum(a * Fraction(str(t)) for a, t in zip(weights, row, strict=True)) for row in x.text[0]]
    return -1 if all(s < 0 for s in sums) else 1 if all(s > 0 for s in sums) else 0


@dataclass(frozen=True)
class Freshness:
    """Whether weights look as Keras initialises a GRU: orthogonal recurrent kernel, Glorot-uniform kernel, biases 0.

    `deviation` is the largest entry of |R Rᵀ - 1| for the recurrent kernel R of shape (units, gates · units); `norm` is
    the length of its first row. `limit` is Glorot's, sqrt(6 / (fan_in + fan_out)) with fan_in the features and fan_out
    all columns of the kernel (keras/src/initializers/random_initializers.py). `biases` counts them; 0 for none at all.
    """

    deviation: float
    norm: float
    largest: float
    limit: float
    biases: int
    biases_zero: bool

    @property
    def orthonormal(self) -> bool:
        return self.deviation <= ORTHONORMAL

    @property
    def within_limit(self) -> bool:
        return self.largest <= self.limit

    @property
    def looks_fresh(self) -> bool:
        return self.orthonormal and self.within_limit and self.biases_zero


def freshness(layer: Layer) -> Freshness:
    """The evidence, from the numbers as typed."""
    own = layout(build(layer.kind, layer.options))
    kernel, recurrent = ([_typed(layer, s).T for s in block] for block in (own.kernel, own.recurrent))
    k, r = np.hstack(kernel), np.hstack(recurrent)
    gram = r @ r.T
    biases = [layer.weights[b.name] for row in own.biases for b in row]
    return Freshness(
        float(np.abs(gram - np.eye(len(gram))).max()),
        sqrt(gram[0, 0]),
        float(np.abs(k).max()),
        sqrt(6 / sum(k.shape)),
        sum(b.value.size for b in biases),
        all(b.is_zero for b in biases),
    )


def _typed(layer: Layer, s: Symbol) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return layer.weights[s.name].text.astype(np.float64)


@dataclass(frozen=True)
class UpdateRules:
    """The last state of unit 1 under the network's own update rule and the swapped one, with the weights as given and,
    for the swapped one, with the update gate's weights and biases (`negated`) of the other sign.

    `proven`: that the last gives the same function for all weights and inputs (`Transform.proof`).
    """

    own: Decimal
    swapped: Decimal
    swapped_and_negated: Decimal
    negated: tuple[str, ...]
    proven: bool

    @property
    def same_with_these_weights(self) -> bool:
        """Whether swapping alone changes nothing here: not to 30 decimals."""
        return abs(self.own - self.swapped) < Decimal("1e-30")


def update_rules(network: Network, x: Tensor) -> UpdateRules:
    """Both rules on this network's weights, and the proof of what makes them equivalent."""
    layer = only_layer(network)
    cell = build(layer.kind, layer.options)
    cell_and_negated, params = NEGATED_UPDATE.apply(cell)
    negated = rewritten_weights(params, layer.weights)
    return UpdateRules(
        own=final(exact_run(network, x)),
        swapped=final(exact_run(network, x, SWAPPED_UPDATE(cell))),
        swapped_and_negated=final(exact_run(network, x, cell_and_negated, negated)),
        negated=tuple(s.name for s in params),
        proven=NEGATED_UPDATE.proof(cell),
    )
