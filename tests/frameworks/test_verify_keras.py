"""symgru verify against real Keras: a file that Keras wrote, arrays, float64, and a misread convention."""

import dataclasses

import pytest

from symgru.face import load
from symgru.network import Tensor
from symgru.verify import keras as framework
from symgru.verify.compare import compare
from symgru.yardstick import example_input
from tests.conftest import ROOT, SEED, random_network

SUNSPOTS = ROOT / "examples" / "sunspots.keras"


def rows_of(model, x=None):
    return {row.engine.split()[0]: row for row in compare(model.network, x or example_input(model.network), model.path)}


def test_the_example_model_agrees():
    model = load(SUNSPOTS)
    assert all(row.passed for row in rows_of(model).values())


def test_the_seed_is_as_measured():
    """facts: Keras 3.15 gives -0.46279544 for the seed, two float32 ulps from the exact value."""
    model = load(SEED)
    rows = rows_of(model, model.read("1,2,9,8")[0])
    assert all(row.passed for row in rows.values())
    assert float(rows["Keras"].output[0, 0]) == pytest.approx(-0.46279544, abs=6e-8)
    assert rows["emitted"].ulps <= 2


def test_a_wrong_convention_is_found():
    """Gates exchanged in our reading: Keras, which loads the file itself, disagrees."""
    model = load(SUNSPOTS)
    layer = model.network.layers["gru"]
    weights = dict(layer.weights)
    for letter in "WU":
        weights[f"{letter}_z"], weights[f"{letter}_r"] = weights[f"{letter}_r"], weights[f"{letter}_z"]
    layers = {**model.network.layers, "gru": dataclasses.replace(layer, weights=weights)}
    wrong = dataclasses.replace(model.network, layers=layers)
    rows = {row.engine.split()[0]: row for row in compare(wrong, example_input(wrong), model.path)}
    assert not rows["Keras"].passed


def test_another_number_of_steps_than_the_file_says():
    model = load(SUNSPOTS)
    x = Tensor.of(example_input(model.network).value[:, :3])
    assert framework.predict(model.network, x.value, model.path).shape == (2, 1)


def test_a_damaged_file_is_one_line(tmp_path):
    broken = tmp_path / "broken.keras"
    broken.write_bytes(SUNSPOTS.read_bytes()[:5000])
    model = load(SUNSPOTS)
    with pytest.raises(Exception, match=r"broken\.keras: Keras cannot load it") as raised:
        framework.model(model.network, broken)
    assert "\n" not in str(raised.value)


def test_a_float64_model_is_held_to_float64():
    """Keras' predict() casts its input to float32; asked directly, it computes in float64 throughout."""
    network = random_network([("gru", 3, {})], 2, "float64", seed=4)
    rows = {row.engine.split()[0]: row for row in compare(network, example_input(network))}
    assert rows["Keras"].difference < 1e-14
    assert all(row.passed for row in rows.values())
