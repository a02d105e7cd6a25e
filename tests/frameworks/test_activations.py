"""Every activation against keras.activations: float32 and float64, NaN, infinities, signed zeros, ties, numbers."""

import inspect

import numpy as np
import pytest

from symgru.activations import ACROSS, REFUSED, SYNONYMS, activation, table
from symgru.cell import Cell, x
from symgru.cells import y
from symgru.domains import Float64
from symgru.errors import Unsupported
from symgru.float32 import Float32
from symgru.network import Tensor

ARGUMENTS = np.array(
    [[-100, -20, -7.5, -6, -4.5, -3, -1, -0.5, -0.25, -1e-4, 0, 1e-4, 0.5, 1, 2.999, 3, 6, 6.5, 20, 80]], np.float32
)
SPECIAL = np.array([[np.nan], [np.inf], [-np.inf], [-0.0], [0.0]], np.float32)  # one unit each
NAMES = sorted(table())
WHOLE = [name.name for name in ACROSS]
# Each with what Keras computes for the same numbers. TensorFlow holds a leaky_relu's slope as a float32.
SLOPE = float(np.float32(0.03))
WITH_NUMBERS = {
    ("celu", 2.5): lambda k, v: k.activations.celu(v, 2.5),
    ("clip", -0.5, 2): lambda k, v: k.ops.clip(v, -0.5, 2.0),
    ("elu", 0.7): lambda k, v: k.activations.elu(v, 0.7),
    ("gelu_tanh",): lambda k, v: k.activations.gelu(v, approximate=True),
    ("hard_shrink", 0.25): lambda k, v: k.activations.hard_shrink(v, 0.25),
    ("leaky_relu", SLOPE): lambda k, v: k.activations.leaky_relu(v, SLOPE),
    ("soft_shrink", 1): lambda k, v: k.activations.soft_shrink(v, 1.0),
    ("thresholded_relu", 1.5): lambda k, v: k.activations.relu(v, threshold=1.5),
}
domains = pytest.mark.parametrize("domain", [Float64(), Float32()], ids=lambda d: d.name)


@pytest.fixture(scope="module")
def keras():
    from symgru.verify.keras import _keras

    return _keras()


def ours(name, values, domain):
    cell = Cell(f"only {name}", ((y, activation(name)(x)),), states=())
    with domain.context():
        return np.asarray(domain.step(cell)(domain.lift(Tensor.of(values)), None, {})["y"], np.float64)


def theirs(keras, name, values):
    tensor = keras.ops.convert_to_tensor(values)
    found = WITH_NUMBERS[name](keras, tensor) if isinstance(name, tuple) else keras.activations.get(name)(tensor)
    return keras.ops.convert_to_numpy(found)


@domains
@pytest.mark.parametrize("name", [*NAMES, *WITH_NUMBERS], ids=str)
def test_values(name, domain, keras):
    expected = theirs(keras, name, ARGUMENTS).astype(np.float64)
    error = np.abs(ours(name, ARGUMENTS, domain) - expected)
    # 1e-6 of the value: float32 has 6e-8, and Keras' own steps (a * (1 + erf), a - tanh a, a + sqrt(a² + 4)) lose a few
    # bits of `a`
    allowed = 1e-6 * np.maximum(np.abs(expected), np.where(np.abs(ARGUMENTS) < 10, np.maximum(1, np.abs(ARGUMENTS)), 1))
    if name == "squareplus":
        allowed = 1e-6 * np.maximum(1, np.abs(ARGUMENTS))
    assert (error <= allowed).all(), f"{name}({ARGUMENTS[error > allowed]}): off by {error[error > allowed]}"


# TensorFlow holds the 0.044715 of the approximate gelu as a float32 even here
@pytest.mark.parametrize("name", [*NAMES, *(name for name in WITH_NUMBERS if name != ("gelu_tanh",))], ids=str)
def test_values_in_float64(name, keras):
    values = ARGUMENTS.astype(np.float64)
    expected = theirs(keras, name, values)
    assert expected.dtype == np.float64
    error = np.abs(ours(name, values, Float64()) - expected)
    allowed = 1e-14 * np.maximum(np.abs(expected), np.maximum(1, np.abs(values)))
    assert (error <= allowed).all(), f"{name}({values[error > allowed]}): off by {error[error > allowed]}"


@domains
@pytest.mark.parametrize("name", [*sorted(set(NAMES) - set(WHOLE)), *WITH_NUMBERS], ids=str)
def test_nan_infinities_and_zeros(name, domain, keras):
    """The same numbers, NaNs and infinities. Where Keras has NaN for an infinity (silu(-inf) = -inf * 0) nothing is
    defined. Zeros have Keras' sign in float32, which the C has too."""
    expected, found = theirs(keras, name, SPECIAL).ravel(), ours(name, SPECIAL, domain).ravel()
    for argument, right, mine in zip(SPECIAL.ravel(), expected, found, strict=True):
        if np.isfinite(right) or np.isinf(right):
            assert mine == pytest.approx(float(right), rel=1e-6), f"{name}({argument})"
        else:
            assert np.isnan(mine) or np.isinf(argument), f"{name}({argument})"
    if isinstance(domain, Float32) and name not in WITH_NUMBERS:
        zeros = (expected == 0) & (found == 0) & (SPECIAL.ravel() == 0)
        assert np.array_equal(np.signbit(expected[zeros]), np.signbit(found[zeros]))


def several(name):
    """Rows of several units: any, close together, all equal, with ties, and one that is far above the others."""
    rng = np.random.default_rng(len(name))
    return {
        "any": rng.normal(size=(200, 5)),
        "close": rng.normal(size=(200, 5)) * 0.2,
        "equal": np.repeat(rng.normal(size=(20, 1)), 4, axis=1),
        "ties": rng.integers(-2, 3, size=(200, 6)) * 0.25,
        "far": np.array([[1e4, -1e4, 0.0], [80, -80, 79]]),
        "the example of the notes": np.array([[1, 0.9, 0.8]]),
    }


@pytest.mark.parametrize("name", WHOLE)
def test_functions_of_all_units(name, keras):
    for says, rows in several(name).items():
        exact = theirs(keras, name, rows)
        room = 1e-14 * max(1.0, np.abs(exact).max())
        assert np.abs(ours(name, rows, Float64()) - exact).max() <= room, says
        single = rows.astype(np.float32)
        found, right = ours(name, single, Float32()), theirs(keras, name, single).astype(np.float64)
        assert np.abs(found - right).max() <= 1e-6 * max(1.0, np.abs(right).max()), says


def test_sparsemax_is_not_that_of_the_paper(keras):
    """Keras 3.15 sums all partial sums where Martins and Astudillo 2016 take the last; another version may differ."""
    rows = np.array([[1, 0.9, 0.8]])
    if keras.version().startswith("3.15."):
        assert theirs(keras, "sparsemax", rows).tolist() == [[0, 0, 0]]
    assert ours("sparsemax", rows, Float64()).tolist() == [[0, 0, 0]]


@domains
@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("row", [[np.nan, 1, 2], [1, np.nan, 2], [1, 2, np.nan], [-np.inf, 0, 1]], ids=str)
def test_functions_of_all_units_and_what_is_no_number(name, row, domain, keras):
    value = np.array([row], np.float32)
    expected = theirs(keras, name, value)
    if name == "sparsemax" and np.isnan(row).any():
        assert np.isnan(ours(name, value, domain)).any(), "where TensorFlow sorts a NaN to depends on its place"
        return
    if name == "softmax" and np.isnan(row).any():
        # softmax divides by a sum that is NaN, so every unit is; TensorFlow's vectorised softmax leaves some at 0
        expected = np.full_like(expected, np.nan)
    assert ours(name, value, domain) == pytest.approx(expected, rel=1e-6, abs=1e-7, nan_ok=True)


def test_every_name_of_keras_is_known_or_refused_by_name(keras):
    """Those that are refused are those that Keras' own GRU rejects."""
    names = {
        name
        for name, f in inspect.getmembers(keras.activations, inspect.isfunction)
        if name not in {"get", "serialize", "deserialize"}
    }
    assert names == {*NAMES, *filter(None, SYNONYMS), *REFUSED}
    value = np.zeros((1, 3, 2), np.float32)
    for name in REFUSED:
        with pytest.raises(Unsupported, match=f"activation '{name}' does not work"):
            activation(name)
        with pytest.raises((ValueError, TypeError)):
            keras.layers.GRU(3, activation=name)(value)
