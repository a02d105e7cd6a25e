"""Every activation against keras.activations, in float32."""

import inspect

import numpy as np
import pytest

from symgru.activations import SYNONYMS, activation, table
from symgru.cells import Cell, x, y
from symgru.domains import Float64
from symgru.float32 import Float32
from symgru.network import Tensor

ARGUMENTS = np.array(
    [[-100, -20, -7.5, -6, -4.5, -3, -1, -0.25, -1e-4, 0, 1e-4, 0.5, 1, 2.999, 3, 6, 6.5, 20, 80]], np.float32
)
NAMES = sorted(table())


@pytest.fixture(scope="module")
def keras_activations():
    from symgru.verify.keras import _keras

    return _keras().activations


def ours(name, values, domain):
    cell = Cell(f"only {name}", ((y, activation(name)(x)),), states=())
    with domain.context():
        return np.asarray(domain.step(cell)(domain.lift(Tensor.of(values)), None, {})["y"], np.float64)


def theirs(activations, name, values):
    import keras

    return keras.ops.convert_to_numpy(activations.get(name)(keras.ops.convert_to_tensor(values)))


@pytest.mark.parametrize("domain", [Float64(), Float32()], ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_values(name, domain, keras_activations):
    expected = theirs(keras_activations, name, ARGUMENTS).astype(np.float64)
    error = np.abs(ours(name, ARGUMENTS, domain) - expected)
    # 1e-6 of the value: float32 has 6e-8, and Keras' own steps (a * (1 + erf), a - tanh a) lose a few bits of `a`
    allowed = 1e-6 * np.maximum(np.abs(expected), np.where(np.abs(ARGUMENTS) < 10, np.maximum(1, np.abs(ARGUMENTS)), 1))
    assert (error <= allowed).all(), f"{name}({ARGUMENTS[error > allowed]}): off by {error[error > allowed]}"


@pytest.mark.parametrize("domain", [Float64(), Float32()], ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_nan(name, domain, keras_activations):
    value = np.array([[np.nan, 0.5]], np.float32)
    expected = theirs(keras_activations, name, value)
    assert np.isnan(expected[0, 0])
    # softmax divides by a sum that is NaN, so every unit is; TensorFlow's vectorised softmax leaves some at 0
    everywhere = np.full(2, True) if name == "softmax" else np.isnan(expected[0])
    assert np.array_equal(np.isnan(ours(name, value, domain)[0]), everywhere)


@pytest.mark.parametrize("domain", [Float64(), Float32()], ids=lambda d: d.name)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"softmax"}))
def test_infinities(name, sign, domain, keras_activations):
    """Where Keras has a number or an infinity. Where it has NaN (silu(-inf) = -inf * 0) nothing is defined."""
    value = np.array([[sign * np.inf]], np.float32)
    expected = theirs(keras_activations, name, value)
    if not np.isnan(expected).any():
        assert ours(name, value, domain) == pytest.approx(expected, rel=1e-6)


def test_every_name_of_keras_is_known_or_knowingly_left_out(keras_activations):
    """Left out: functions of a whole vector or with parameters that a name cannot carry, and those no GRU uses."""
    left_out = {
        "glu",
        "celu",
        "hard_shrink",
        "soft_shrink",
        "log_sigmoid",
        "log_softmax",
        "sparse_plus",
        "sparsemax",
        "sparse_sigmoid",
        "squareplus",
        "threshold",
    }
    known = {
        name
        for name, f in inspect.getmembers(keras_activations, inspect.isfunction)
        if name not in {"get", "serialize", "deserialize"}
    }
    assert set(NAMES) <= known
    assert known - left_out <= {*NAMES, *SYNONYMS}
