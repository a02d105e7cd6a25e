"""Float32 against Float64 and the order of its sums. Bit equality with the emitted C is tested with the cells."""

import numpy as np
import pytest

from symgru.activations import table
from symgru.algebra import Mat, Vec, add
from symgru.building import build
from symgru.cell import Cell, x
from symgru.cells import CELLS, y
from symgru.domains import Float64
from symgru.float32 import Float32, source
from symgru.network import Tensor
from symgru.schedule import schedule
from symgru.trace import run
from tests.conftest import random_input, random_network

W = Mat("W", real=True)
b = Vec("b", real=True)


def step(cell, x_value, p):
    domain = Float32()
    params = {k: np.asarray(v, np.float32) for k, v in p.items()}
    with domain.context():
        return domain.step(cell)(np.asarray(x_value, np.float32), None, params)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("steps", [1, 10])
def test_within_ulps_of_float64(name, steps):
    network = random_network([(name, 6, {})], 4, seed=steps)
    value = random_input(network, steps, batch=4)
    single, double = run(network, value, Float32()), run(network, value, Float64())
    assert single.y.dtype == np.float32
    # rounding errors of ten sums and functions a step, each at most a unit in the last place of a number below 4
    assert np.abs(single.y - double.y).max() <= steps * 10 * 2**-22
    for column in single.traces[0].columns.values():
        assert column.dtype == np.float32


@pytest.mark.parametrize("name", sorted(table()))
def test_every_activation_in_float32(name):
    """Within 8 ulps of the value or of 1: each elementary function is within 2, and a few operations follow it."""
    network = random_network([("dense", 3, {"activation": name})], 2, seed=2)
    value = Tensor.of(np.linspace(-8, 8, 60).reshape(1, 30, 2))
    single, double = run(network, value, Float32()).y, run(network, value, Float64()).y
    # the sum in front loses 2^-22 of an argument that reaches 12, which the slope (at most its own value) carries on
    slope = np.maximum(1, np.abs(double)) if name == "exponential" else 1.2
    assert (np.abs(single - double) <= 8 * 2**-24 * np.maximum(1, np.abs(double)) + slope * 2**-20).all()


def test_sums_run_from_the_bias_over_the_columns():
    """b, then one product after the other, each rounded: 2^24 + 1 + 1 + 1 stays 2^24 in that order, and only then."""
    cell = Cell("a sum", ((y, add(W @ x, b)),), states=())
    big = 2.0**24
    row = [1.0, 1.0, 1.0]
    assert step(cell, [[1, 1, 1]], {"W": [row], "b": [big]})["y"][0, 0] == big
    assert step(cell, [[1, 1, 1]], {"W": [[1.0, 1.0, big]], "b": [1.0]})["y"][0, 0] == big + 4  # 2^24 + 3, to even
    assert step(cell, [[1, 1, 1]], {"W": [[big, 1.0, 1.0]], "b": [0.0]})["y"][0, 0] == big


def test_products_are_rounded_before_they_are_added():
    """No fused multiply-add: (1 + 2^-12)^2 - 1 loses 2^-24."""
    cell = Cell("a sum", ((y, add(W @ x, b)),), states=())
    v = 1 + 2.0**-12
    assert step(cell, [[v]], {"W": [[v]], "b": [-1.0]})["y"][0, 0] == 2.0**-11


def test_biases_are_merged_in_float64_and_rounded_once():
    cell = build("gru", {})
    weights = {str(p): Tensor.of(np.zeros([1] * len(cell.dims[p]), np.float32)) for p in cell.params}
    weights["b_z"] = Tensor.of(np.array([1 + 2.0**-23], np.float32))
    weights["c_z"] = Tensor.of(np.array([2.0**-24], np.float32))
    merged = Float32().params(cell, weights)["d_z"]
    assert merged.dtype == np.float32
    assert merged[0] == np.float32(1 + 2.0**-22), "1 + 1.5 * 2^-23 is a tie and goes to even"


def test_softmax_of_large_numbers():
    cell = build("dense", {"activation": "softmax", "use_bias": False})
    values = step(cell, [[1.0]], {"W": [[1e4], [-1e4], [9999.0]]})["y"][0]
    assert values.tolist() == pytest.approx([1 / (1 + np.exp(-1)), 0, np.exp(-1) / (1 + np.exp(-1))], abs=2e-7)
    assert step(cell, [[1.0]], {"W": [[5.0]]})["y"].tolist() == [[1.0]]


@pytest.mark.parametrize("name", CELLS)
def test_source_is_python_with_every_line(name):
    plan = schedule(build(name, {}))
    text = source(plan)
    compile(text, "step", "exec")
    for lhs in plan.cell.defined:
        assert f"    {lhs} = " in text


def test_float32_overflows_to_infinity_without_a_warning():
    network = random_network([("gru", 2, {"activation": "exponential"})], 1, scale=40)
    value = Tensor.of(np.array([[[100.0]], [[-100.0]]]))
    assert not np.isfinite(run(network, value, Float32()).y).all()
