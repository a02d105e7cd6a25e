"""Conversions without a framework: each rewriting proved, each array read back, and what a target cannot express."""

import itertools

import numpy as np
import pytest

from symgru.arrangement import split
from symgru.conventions import CONVENTIONS, TABLE
from symgru.conversion import convert
from symgru.domains import Float64
from symgru.errors import Unsupported
from symgru.network import Layer, Tensor, chain
from symgru.trace import run
from symgru.writers.targets import converted
from tests.conftest import random_network

CELLS = ("gru", "gru_before", "gru_new", "fully_gated")
UPDATE = {"gru": "keep", "gru_before": "keep", "gru_new": "new", "fully_gated": "new"}
RESET = {"gru": "after", "gru_before": "before", "gru_new": "after", "fully_gated": "before"}
GRUS = [c for c in TABLE if c.cell in CELLS]
PAIRS = list(itertools.product(CELLS, GRUS))
X = np.random.default_rng(5).normal(size=(2, 4, 2))


def layer_of(cell, units=3, features=2, zero=(), seed=1, **options):
    kind, reset = ("gru", False) if cell == "gru_before" else (cell, True)
    options = {"return_sequences": True, **options} | ({"reset_after": reset} if kind == "gru" else {})
    network = random_network([(kind, units, options)], features, "float64", seed)
    (layer,) = network.layers.values()
    weights = {k: Tensor(np.zeros_like(t.value)) if k in zero else t for k, t in layer.weights.items()}
    return Layer(layer.id, layer.label, kind, options, weights)


def outputs(layer, features=2):
    return run(chain([layer], dtype="float64", features=features), Tensor.of(X[..., :features]), Float64()).y


def as_layer(convention, weights):
    options = {"return_sequences": True} | (
        {"reset_after": convention.cell == "gru"} if convention.kind == "gru" else {}
    )
    return Layer("there", "there", convention.kind, options, weights)


@pytest.mark.parametrize(("cell", "convention"), PAIRS, ids=[f"{cell}-{c.name}" for cell, c in PAIRS])
def test_the_arrays_compute_what_the_layer_does(cell, convention):
    """In the target's own cell, from the arrays alone; or refused where the reset gate is elsewhere."""
    zero = convention.zero
    layer = layer_of(cell, zero=zero)
    if RESET[cell] != RESET[convention.cell]:
        with pytest.raises(Unsupported, match=r"the reset gate acts (before|after) the product"):
            convert(layer, convention)
        return
    made = convert(layer, convention)
    assert all(step.proved for step in made.steps)
    back = split(convention, {name: Tensor(a) for name, a in made.arrays.items()})
    assert np.abs(outputs(as_layer(convention, back)) - outputs(layer)).max() <= 1e-14
    turned = UPDATE[cell] != UPDATE[convention.cell]
    assert any("negated" in step.says for step in made.steps) == turned


@pytest.mark.parametrize(("own", "other"), [("gru", "keras_before"), ("gru_before", "torch"), ("fully_gated", "torch")])
def test_one_unit_may_move_its_reset_gate(own, other):
    layer = layer_of(own, units=1, zero=("c_n",))
    made = convert(layer, CONVENTIONS[other])
    back = split(CONVENTIONS[other], {name: Tensor(a) for name, a in made.arrays.items()})
    assert np.abs(outputs(as_layer(CONVENTIONS[other], back)) - outputs(layer)).max() <= 1e-14
    with pytest.raises(Unsupported, match="only for one unit without a bias c_n"):
        convert(layer_of("gru", units=1), CONVENTIONS["keras_before"])


def test_what_a_framework_cannot_express_is_said():
    with pytest.raises(Unsupported, match=r"layer gru_1: Flax nnx.GRUCell has no place for c_n, which is not 0 here"):
        convert(layer_of("gru"), CONVENTIONS["flax_nnx"])
    with pytest.raises(Unsupported, match=r"activation is relu; in PyTorch GRU, GRUCell it is tanh"):
        convert(layer_of("gru", activation="relu"), CONVENTIONS["torch"])
    with pytest.raises(Unsupported, match="only sigmoid's and hard_sigmoid's can be"):
        convert(layer_of("gru_new", recurrent_activation="softsign"), CONVENTIONS["keras"])
    with pytest.raises(Unsupported, match="cannot express the cell mgu"):
        convert(next(iter(random_network([("mgu", 2, {})], 2).layers.values())), CONVENTIONS["torch"])


def test_a_hard_sigmoid_update_gate_may_be_turned():
    layer = layer_of("gru_new", recurrent_activation="hard_sigmoid")
    made = convert(layer, CONVENTIONS["keras"])
    assert np.array_equal(made.weights["W_z"].value, -layer.weights["W_z"].value)
    assert [step.proved for step in made.steps] == [True, True]


def test_an_exact_sum_is_not_called_rounded():
    (first, *_) = convert(layer_of("gru", zero=("c_z", "c_r")), CONVENTIONS["flax"]).steps
    assert "rounded" not in first.says
    (first, *_) = convert(layer_of("gru"), CONVENTIONS["flax"]).steps
    assert "each sum is rounded once" in first.says


@pytest.mark.parametrize("name", ["m.keras", "m.onnx", "m.pt", "m.safetensors", "m.npz"])
def test_the_same_network_gives_the_same_bytes(name):
    network = random_network([("gru", 3, {"return_sequences": True}), ("gru", 2, {}), ("dense", 1, {})], 2)
    to = "flax" if name.endswith("npz") else None
    assert converted(network, name, to).files == converted(network, name, to).files
