"""Bare arrays that are not in Keras' own form: PyTorch's rows, Keras' columns with two biases, CuDNNGRU's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import symgru
from symgru.readers import read
from tests import oracle

RNG = np.random.default_rng(5)
X = RNG.standard_normal((2, 6, 2)).astype("float32")
TRIES = "symgru diagnose tries the other orders"


def given(arrays: Any, architecture: Any = None) -> tuple[np.ndarray, str]:
    """What the network of bare arrays gives for X, and its notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notes, which come back as they are
        model = symgru.load(arrays, architecture)
    return np.asarray(model(X)), "\n".join(model.network.notes)


def random(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    return [RNG.standard_normal(shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("head", [True, False])
def test_the_arrays_of_pytorch(units: int, bias: bool, layers: int, head: bool) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(10 * units + layers)
    gru = torch.nn.GRU(2, units, layers, bias=bias, batch_first=True)
    linear = torch.nn.Linear(units, 2) if head else None
    modules = [gru, linear] if linear else [gru]
    with torch.no_grad():
        right = gru(torch.tensor(X))[0]
        right = (linear(right) if linear else right).numpy()
    parameters = [p for module in modules for p in module.parameters()]
    for arrays in (parameters, [p.detach().numpy() for p in parameters], [p.tolist() for p in parameters]):
        found, notes = given(arrays)
        assert np.abs(found - right).max() < 1e-6
        assert "PyTorch's is assumed, r, z, n as rows" in notes
        assert TRIES in notes
        assert "every time step" in notes
    last, notes = given(parameters, {"return_sequences": False})
    assert np.abs(last - right[:, -1]).max() < 1e-6
    assert "every time step" not in notes


def test_an_activation_behind_pytorchs_gru() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    gru, linear = torch.nn.GRU(2, 3, batch_first=True), torch.nn.Linear(3, 2)
    parameters = [*gru.parameters(), *linear.parameters()]
    with torch.no_grad():
        right = torch.sigmoid(linear(gru(torch.tensor(X))[0])).numpy()
    found, notes = given(parameters, {"layers": [{"kind": "gru"}, {"kind": "dense", "activation": "sigmoid"}]})
    assert np.abs(found - right).max() < 1e-6
    assert "linear is assumed" not in notes


def test_keras_kernels_with_two_biases() -> None:
    kernel, recurrent, one, other, *head = random((2, 9), (3, 9), (9,), (9,), (3, 1), (1,))
    found, notes = given([kernel, recurrent, one, other, *head])
    right = oracle.dense(oracle.gru(X, [kernel, recurrent, np.stack([one, other])]), head)
    assert np.abs(found - right).max() < 1e-6
    assert "Keras' is assumed, z, r, n as columns, and the input's bias before the state's" in notes
    assert TRIES in notes
    relu, _ = given([kernel, recurrent, one, other], {"activation": "relu"})
    right = oracle.gru(X, [kernel, recurrent, np.stack([one, other])], activation="relu")
    assert np.abs(relu - right).max() < 1e-5


def test_cudnn_arrays() -> None:
    """CuDNNGRU's kernels as tf_keras turns them into a GRU's (saving/legacy/hdf5_format.py), here by hand."""
    kernel, recurrent, bias = random((2, 9), (3, 9), (18,))
    found, notes = given([kernel, recurrent, bias])
    turned = np.hstack([k.T.reshape(k.shape, order="F") for k in np.hsplit(kernel, 3)])
    back = np.hstack([k.T for k in np.hsplit(recurrent, 3)])
    assert np.abs(found - oracle.gru(X, [turned, back, bias.reshape(2, 9)])).max() < 1e-6
    assert "CuDNNGRU" in notes
    assert TRIES in notes


def test_keras_own_arrays_are_read_as_before() -> None:
    arrays = random((2, 9), (3, 9), (2, 9))
    found, notes = given(arrays)
    assert np.abs(found - oracle.gru(X, arrays)).max() < 1e-6
    assert TRIES not in notes


def test_the_layer_says_what_it_was_read_as() -> None:
    (layer,) = read(random((9, 2), (9, 3), (9,), (9,))).layers.values()
    assert layer.notes == ("read as PyTorch GRU, GRUCell: weight_ih = [W_r; W_z; W_n], weight_hh = [U_r; U_z; U_n]",)
