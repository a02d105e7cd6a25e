"""The update rule swapped, and the update gate negated: what is written, and what is proven of it."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import cancel, evaluate, exp

from symgru.algebra import sigma
from symgru.building import build, only_layer
from symgru.cell import h
from symgru.cells import Uz, Wz, bz, cz, n, z
from symgru.errors import Unsupported
from symgru.network import Layer, chain
from symgru.update_rules import NEGATED_UPDATE, SWAPPED_UPDATE, complement, rewritten_weights, update_gate
from tests.one_unit import SEED, typed


def test_swapping_writes_the_rule_from_the_cell() -> None:
    cell = build("gru", {})
    swapped = SWAPPED_UPDATE(cell)
    assert update_gate(cell) == z
    assert swapped.equations[:-1] == cell.equations[:-1]
    with evaluate(False):
        assert swapped.equations[-1][1] == complement(z) * h + z * n
    assert SWAPPED_UPDATE(swapped).equations == cell.equations
    assert not SWAPPED_UPDATE.preserves
    assert not SWAPPED_UPDATE.proof(cell)


def test_no_update_gate() -> None:
    with pytest.raises(Unsupported, match="no update gate"):
        update_gate(build("dense", {}))


@pytest.mark.parametrize("kind", ["gru", "gru_before"])
@pytest.mark.parametrize(
    ("gate", "holds"),
    [("sigmoid", True), ("hard_sigmoid", True), ("softsign", False), ("tanh", False), ("relu", False)],
)
def test_negating_the_update_gate(kind: str, gate: str, holds: bool) -> None:
    cell = build(kind, {"recurrent_activation": gate})
    assert NEGATED_UPDATE.preserves
    assert NEGATED_UPDATE.proof(cell) is holds


def test_sigma_of_the_opposite() -> None:
    """What `Mirrored` takes for granted, for both functions that it names."""
    e = exp(Wz)
    assert cancel(1 / (1 + 1 / e) + 1 / (1 + e)) == 1
    cell = build("gru", {"recurrent_activation": "hard_sigmoid"})
    assert not isinstance(cell.equations[0][1], sigma)
    a = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(np.clip(-a / 6 + 0.5, 0, 1), 1 - np.clip(a / 6 + 0.5, 0, 1), atol=1e-15)


def test_negated_parameters_and_no_others() -> None:
    _, params = NEGATED_UPDATE.apply(build("gru", {}))
    assert params == {s: -s for s in (Wz, bz, Uz, cz)}
    weights = only_layer(SEED).weights
    other = rewritten_weights(params, weights)
    assert other["W_z"].text.item() == "0.90954137"
    assert other["W_z"].value.item() == -weights["W_z"].value.item()
    assert other["W_r"] is weights["W_r"]


def test_a_network_of_other_layers_is_refused() -> None:
    dense = Layer("dense", "dense", "dense", {}, {"W": typed([["1"]]), "b": typed(["0"])})
    for layers in ([*SEED.layers.values(), dense], [dense]):
        with pytest.raises(Unsupported, match="one recurrent layer"):
            only_layer(chain(layers, dtype="float32", features=1))
