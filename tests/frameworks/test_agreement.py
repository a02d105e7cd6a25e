"""Reference, emitted NumPy and emitted C against real Keras, on a grid of sizes and options.

The truth is the recurrence in long double (tests/oracle.py). Emitted code may be at most 4 times as far from it as
Keras itself is on the same input, plus 2 ulps of the largest output.
"""

import itertools

import numpy as np
import pytest

from symgru.backends.model import layers
from symgru.domains import Float64
from symgru.float32 import Float32
from symgru.network import Tensor
from symgru.trace import exact, run
from symgru.verify import keras as framework
from symgru.verify.emitted import compiled, run_numpy
from tests import oracle
from tests.conftest import random_input, random_network

STEPS = (1, 4, 50)
GRID = list(itertools.product((1, 2, 3, 8, 32, 100), (1, 2, 5, 40), (True, False), (True, False)))
SEQUENCES = {"return_sequences": True}
STACKS = {
    "two GRUs": [("gru", 5, SEQUENCES), ("gru", 3, {})],
    "both reset modes": [("gru", 4, {**SEQUENCES, "reset_after": False}), ("gru", 6, {})],
    "GRU and Dense": [("gru", 7, {}), ("dense", 2, {})],
    "two GRUs and two Dense": [
        ("gru", 5, SEQUENCES),
        ("gru", 4, {"use_bias": False}),
        ("dense", 6, {"activation": "relu"}),
        ("dense", 3, {"activation": "softmax"}),
    ],
    "sequences to Dense": [("gru", 5, SEQUENCES), ("dense", 2, {"activation": "sigmoid"})],
    "Dense first": [("dense", 4, {"activation": "tanh"}), ("gru", 5, {})],
    **{
        f"activation {a}": [("gru", 6, {"activation": a}), ("dense", 2, {})]
        for a in ("linear", "relu", "hard_sigmoid", "softsign", "elu", "silu", "softplus", "sigmoid", "softmax")
    },
    **{
        f"gates {a}": [("gru", 6, {"recurrent_activation": a, "reset_after": after})]
        for a in ("hard_sigmoid", "tanh", "relu", "softsign", "softmax")
        for after in (True, False)
    },
}


def arrays(network):
    return [
        (u.layer.kind, dict(u.layer.options), [a.astype(np.float64) for a in u.arrays.values()])
        for u in layers(network)
    ]


def far(y, truth):
    return float(np.abs(np.asarray(y, np.longdouble) - truth).max())


def check(network, steps_list, seed):
    keras_model = framework.model(network)
    program = compiled(network)
    for steps in steps_list:
        x = random_input(network, steps, batch=2, seed=seed + steps)
        truth = oracle.run(arrays(network), x.value)
        keras_says = np.asarray(keras_model(x.value.astype(np.float32), training=False))
        allowed = 4 * far(keras_says, truth) + 2 * np.spacing(np.float32(np.abs(truth).max()))
        in_numpy, in_c = run_numpy(network, x.value), program.window(x.value)
        assert in_numpy.shape == in_c.shape == keras_says.shape
        assert far(in_numpy, truth) <= allowed, f"NumPy, {steps} steps"
        assert far(in_c, truth) <= allowed, f"C, {steps} steps"
        assert np.array_equal(in_c, run(network, x, Float32()).y), "C and the float32 domain must be equal bit by bit"
        stepwise = program.stream(x.value)
        assert np.array_equal(stepwise if stepwise.shape == in_c.shape else stepwise[:, -1], in_c)


def check_float64(specs, features, seed):
    network = random_network(specs, features, "float64", seed)
    x = random_input(network, 20, batch=2, seed=seed)
    keras_says = np.asarray(framework.model(network)(x.value, training=False))
    reference = run(network, x, Float64()).y
    scale = max(1.0, np.abs(keras_says).max())
    assert np.abs(reference - keras_says).max() <= 1e-12 * scale
    assert far(reference, oracle.run(arrays(network), x.value)) <= 1e-12 * scale


@pytest.mark.parametrize(("units", "features", "reset_after", "use_bias"), GRID)
def test_grid(units, features, reset_after, use_bias):
    specs = [("gru", units, {"reset_after": reset_after, "use_bias": use_bias})]
    seed = 1000 * units + 10 * features + 2 * reset_after + use_bias
    check(random_network(specs, features, seed=seed), STEPS, seed)
    check_float64(specs, features, seed)


@pytest.mark.parametrize("name", STACKS)
def test_stacks_and_activations(name):
    seed = sorted(STACKS).index(name)
    check(random_network(STACKS[name], 3, seed=seed), (1, 4, 20), seed)
    check_float64(STACKS[name], 3, seed)


@pytest.mark.parametrize("name", STACKS)
def test_exact_arithmetic_agrees_with_the_oracle(name):
    network = random_network(STACKS[name], 3, "float64", seed=7)
    x = random_input(network, 6)
    y = exact(network, x).astype(np.float64)
    assert far(y, oracle.run(arrays(network), x.value)) <= 1e-14 * max(1.0, np.abs(y).max())


def test_large_inputs_saturate_as_in_keras():
    network = random_network([("gru", 4, {})], 2, seed=3)
    x = Tensor.of(np.array([[[1e4, -1e4], [300.0, 3e38], [-88.0, 104.0]]]))
    keras_says = np.asarray(framework.model(network)(x.value.astype(np.float32), training=False))
    for y in (run_numpy(network, x.value), compiled(network).window(x.value), run(network, x, Float64()).y):
        assert np.abs(y - keras_says).max() <= 1e-6
