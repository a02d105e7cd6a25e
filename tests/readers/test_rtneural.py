"""RTNeural's JSON: the layers that are read, and those that are refused by their type."""

from __future__ import annotations

import numpy as np
import pytest

from symgru.errors import SymgruError
from symgru.face import load

GRU = {
    "type": "gru",
    "activation": "tanh",
    "shape": [None, None, 2],
    "weights": [np.ones((1, 6)).tolist(), np.ones((2, 6)).tolist(), np.zeros((2, 6)).tolist()],
}
DENSE = {"type": "dense", "activation": "", "shape": [None, None, 1], "weights": [[[1.0], [2.0]], [0.5]]}


def model(*layers: object) -> dict[str, object]:
    return {"in_shape": [None, None, 1], "layers": list(layers)}


def test_layers_one_after_the_other() -> None:
    prelu = {"type": "prelu", "activation": "", "shape": [None, None, 2], "weights": [[[0.1, 0.2]]]}
    activation = {"type": "activation", "activation": "relu", "shape": [None, None, 2]}
    found = load(model(GRU, activation, prelu, DENSE))
    assert [layer.kind for layer in found.network.layers.values()] == ["gru", "activation", "parametric", "dense"]
    assert found.network.layers["gru_1"].options["reset_after"] is True
    plain = load(model(GRU))([[[1.0], [2.0]]])
    assert np.allclose(found([[[1.0], [2.0]]]), plain @ [[1.0], [2.0]] + 0.5, atol=1e-15)


def test_the_last_step_alone() -> None:
    assert load(model({**GRU, "shape": [None, 2]}))([[[1.0], [2.0]]]).shape == (1, 2)
    assert load(model(GRU))([[[1.0], [2.0]]]).shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([{**GRU, "activation": "relu"}], "layer 'gru_1': has the activation relu; RTNeural's GRU computes tanh"),
        ([GRU, {"type": "conv1d", "weights": []}], "layer 'conv1d_2': is of the type conv1d; symgru reads gru, dense"),
        ([{"type": "lstm", "weights": []}], "is of the type lstm"),
        ([{**GRU, "weights": "none"}], "its weights must be a list"),
        ([GRU, {**DENSE, "weights": [[[1.0]], [0.5]]}], "takes 1 features, but layer 'gru_1' has 2"),
        ([GRU, {"type": "prelu", "weights": [[0.1, 0.2, 0.3]]}], r"alpha has shape \(3,\); there are 2 features"),
        ([GRU, {**DENSE, "activation": "os.system('x')"}], "activation is .*; it must be a name"),
        ([GRU, "dense"], "layer 2 must be an object"),
        ([DENSE], "takes 2 features, but the input has 1"),
    ],
)
def test_what_is_refused(layers: list[object], message: str) -> None:
    with pytest.raises(SymgruError, match=message):
        load(model(*layers))
