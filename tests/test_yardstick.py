"""Recorded vectors and the tolerance that every comparison is held to."""

from decimal import Decimal

import numpy as np
import pytest

from symgru.domains import Float64
from symgru.network import Tensor
from symgru.scaling import Affine, Scale
from symgru.trace import exact, run
from symgru.yardstick import (
    example_input,
    largest,
    largest_difference,
    recorded,
    scale_out,
    scaled,
    stored,
    tolerance,
)
from tests.conftest import random_input, random_network


def decimals(*values):
    return np.array([Decimal(v) for v in values], dtype=object)


def test_tolerance_is_four_times_the_error_and_two_ulps():
    assert tolerance(0.0, 1.0) == 2 * 2**-23
    assert tolerance(1e-7, 1.0) == pytest.approx(4e-7 + 2 * 2**-23, rel=1e-12)
    assert tolerance(0.0, 0.75) == 2 * 2**-24
    assert tolerance(0.0, 1.0, "float64") == 2 * 2**-52
    assert tolerance(0.0, 0.0) > 0
    assert tolerance(2e-7, 0.5) > tolerance(1e-7, 0.5)


def test_largest_difference():
    assert largest_difference(np.array([1.0, 2.0]), decimals("1.25", "1.5")) == 0.5
    assert largest_difference(np.array([1.0]), decimals("1")) == 0
    exact_difference = largest_difference(np.array([0.1]), decimals("0.1"))
    assert exact_difference == pytest.approx(5.55e-18, rel=0.01), "worked out in decimals: float64 would say 0"
    assert largest_difference(np.array([-3.0]), decimals("3")) == 6
    assert largest_difference(np.float32([1.0]), np.array([Decimal(1)], dtype=object)) == 0


def test_nan_and_infinity_must_agree():
    assert largest_difference(np.array([np.nan]), decimals("0")) == np.inf
    assert largest_difference(np.array([0.0]), decimals("NaN")) == np.inf
    assert largest_difference(np.array([np.inf]), decimals("-Infinity")) == np.inf
    assert largest_difference(np.array([np.inf, 1.0]), decimals("Infinity", "1")) == 0
    assert largest_difference(np.array([np.nan]), decimals("NaN")) == 0


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        largest_difference(np.zeros(2), decimals("0", "0", "0"))


def test_largest():
    assert largest(decimals("-3", "2", "Infinity", "NaN")) == 3
    assert largest(decimals("NaN")) == 0


def test_stored_is_what_the_framework_holds():
    x = Tensor.of(np.array([[[0.1]]]))
    assert float(stored(x, "float32").value[0, 0, 0]) == float(np.float32(0.1))
    assert stored(x, "float32").value.dtype == np.float64
    assert stored(x, "float64").value[0, 0, 0] == 0.1
    assert stored(x, "float32").text is x.text


def test_example_input_is_the_same_every_time():
    network = random_network([("gru", 2, {})], 3)
    a, b = example_input(network), example_input(network)
    assert np.array_equal(a.value, b.value)
    assert a.value.shape == (2, 5, 3)
    assert np.abs(a.value).max() <= 2
    assert all(len(text.lstrip("-")) <= 4 for text in a.text.ravel()), "short decimals"
    assert np.unique(a.value).size > 10


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recorded(dtype):
    network = random_network([("gru", 3, {}), ("dense", 2, {})], 2, dtype)
    vectors = recorded(network)
    assert vectors.dtype == dtype
    assert all(isinstance(v, Decimal) for v in vectors.y.ravel())
    assert vectors.y.shape == (2, 2)
    assert all(float(t) == float(v) for t, v in zip(vectors.texts.ravel(), vectors.y.ravel(), strict=True))
    eps = {"float32": 2**-23, "float64": 2**-52}[dtype]
    assert eps * largest(vectors.y) / 2 <= vectors.tolerance <= 100 * eps * max(1.0, largest(vectors.y))
    assert dtype in vectors.why
    assert float(vectors.tolerance_text) == pytest.approx(vectors.tolerance, rel=0.05)


def test_the_tolerance_would_catch_a_wrong_weight():
    """One weight a thousandth off moves the output beyond it."""
    network = random_network([("gru", 3, {})], 2)
    vectors = recorded(network)
    layer = network.layers["gru_1"]
    layer.weights["W_n"].value[0, 0] *= 1.001
    assert largest_difference(run(network, vectors.x, Float64()).y, vectors.y) > vectors.tolerance


def test_recorded_uses_the_input_it_is_given():
    network = random_network([("gru", 3, {"return_sequences": True})], 2)
    x = random_input(network, 7, batch=3)
    vectors = recorded(network, x)
    assert vectors.y.shape == (3, 7, 3)
    assert np.array_equal(vectors.x.value, x.value)
    assert largest_difference(vectors.y.astype(float), exact(network, x)) <= 1e-16


def test_a_scale_is_outside_the_network():
    network = random_network([("gru", 1, {})], 1)
    part = Affine(np.array([10.0], np.float32), np.array([4.0], np.float32))
    x = Tensor.of(np.array([[[12.0], [8.0], [11.0]]]))
    inside = exact(network, Tensor.of(np.array([[[0.5], [-0.5], [0.25]]])))
    vectors = recorded(network, x, "float32", Scale(part, part))
    assert np.array_equal(vectors.x.value, x.value), "the recorded input is in the sensor's units"
    assert abs(vectors.y[0, 0] - (inside[0, 0] * 4 + 10)) < Decimal("1e-18")
    plain = recorded(network, Tensor.of(np.array([[[0.5], [-0.5], [0.25]]])), "float32")
    assert vectors.tolerance > plain.tolerance, "a large output has larger ulps"
    assert scaled(x, Scale(None, part)) is x
    assert scale_out(inside, Scale(part, None)) is inside
