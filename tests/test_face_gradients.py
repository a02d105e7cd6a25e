"""net.gradients(x, dy): difference quotients of net(x) itself, and the shapes."""

import numpy as np
import pytest

from symgru import load
from symgru.errors import UnusableInput
from symgru.face import Model
from tests.conftest import SEED, random_input, random_network


def test_the_input_s_gradient_is_the_difference_quotient():
    net = load(SEED)
    dweights, dx, dstates = net.gradients([1, 2, 9, 8], [1])
    assert [a.shape for a in dweights] == [(1, 3), (1, 3), (2, 3)]
    assert dx.shape == (1, 4, 1)
    assert [a.shape for a in dstates] == [(1, 1)]
    step = 1 / 1024  # these inputs and their neighbours are floats of any kind
    for t in range(4):
        x = np.array([1.0, 2.0, 9.0, 8.0])
        x[t] += step
        above = net(x.tolist())[0, 0]
        x[t] -= 2 * step
        below = net(x.tolist())[0, 0]
        assert abs((above - below) / (2 * step) - dx[0, t, 0]) <= 1e-7


def test_shapes_of_a_stack_and_refusals():
    network = random_network([("gru", 3, {"return_sequences": True}), ("dense", 2, {})], 2, "float64")
    net, x = Model(network), random_input(network, 5, batch=2).value
    dy = np.ones((2, 5, 2))
    dweights, dx, dstates = net.gradients(x, dy)
    assert [a.shape for a in dweights] == [(2, 9), (3, 9), (2, 9), (3, 2), (2,)]
    assert np.array_equal(dweights[-1], [10, 10]), "an output's bias is added once for each sample and step"
    assert dx.shape == x.shape
    assert [a.shape for a in dstates] == [(2, 3)]
    with pytest.raises(UnusableInput, match=r"dy has shape \(3,\); the output has \(2, 5, 2\)"):
        net.gradients(x, [1, 2, 3])
