"""Live models, by a stand-in with Keras' methods; real ones are in tests/frameworks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_by_hand import SEED, dense, entrance, gru, sequential

from symgru.errors import SymgruError
from symgru.readers import read


def keras_function(name: str, module: str = "keras.src.activations.activations") -> Any:
    def function(x: Any) -> Any:
        return x

    function.__name__, function.__module__ = name, module
    return function


class GRU:
    """A layer as Keras has it: a configuration, weights, an activation that is a function."""

    def __init__(self, config: dict[str, Any], weights: list[np.ndarray]) -> None:
        self.config, self.weights, self.name = config["config"], weights, config["config"]["name"]
        self.activation = keras_function("tanh")
        self.recurrent_activation = keras_function("sigmoid")

    @property
    def cell(self) -> Any:
        return self

    def get_config(self) -> dict[str, Any]:
        return self.config

    def get_weights(self) -> list[np.ndarray]:
        return self.weights


class Dense(GRU):
    pass


class Sequential:
    def __init__(self, *layers: Any, config: Any = None) -> None:
        self.layers = list(layers)
        self.config = (
            config
            or sequential(
                entrance(4, 1),
                *(
                    {"module": "keras.layers", "class_name": type(entry).__name__, "config": entry.config}
                    for entry in layers
                ),
            )["config"]
        )

    def get_config(self) -> Any:
        return self.config

    def get_weights(self) -> list[np.ndarray]:
        return [array for entry in self.layers for array in entry.get_weights()]


for kind in (GRU, Dense, Sequential):
    kind.__module__ = "keras.src.layers"


def test_a_model_a_layer_and_a_list_of_layers() -> None:
    head = Dense(dense(), [np.ones((1, 2), np.float32), np.zeros(2, np.float32)])
    head.config["units"] = 2
    model = Sequential(GRU(gru(), SEED), head)
    network = read(model)
    assert (network.name, network.features, network.steps) == ("sequential", 1, 4)
    assert network.fingerprint == read(model.layers).fingerprint
    assert read(GRU(gru(), SEED)).layers["gru"].weights["W_r"].text.tolist() == [["1.0425225"]]


class Mine(Sequential):
    def get_config(self) -> Any:
        raise NotImplementedError


def with_activation(function: Any) -> GRU:
    layer = GRU(gru(), SEED)
    layer.activation = function
    return layer


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (Mine(GRU(gru(), SEED)), "Mine has no configuration"),
        (Sequential(GRU(gru(), [])), "has no weights yet"),
        (GRU(gru(), SEED[:2]), "has 2 arrays"),
        (GRU(gru(), [SEED[0] * np.nan, *SEED[1:]]), "kernel holds nan"),
        (GRU(gru(), [SEED[0].astype(object), *SEED[1:]]), "dtype object"),
        (with_activation(keras_function("relu", "__main__")), "activation is relu, which is none of keras.activations"),
        (with_activation(keras_function("gelu", "keras.src.ops.nn")), "none of keras.activations"),
        ([GRU(gru(), SEED), GRU(gru(), SEED)], "same name"),
        (3.5, "a float is no path"),
        (object(), "no path"),
        (None, "no path"),
    ],
)
def test_refused(source: Any, reason: str) -> None:
    with pytest.raises(SymgruError, match=reason):
        read(source)


def test_other_classes_of_the_same_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GRU, "__module__", "__main__")
    with pytest.raises(SymgruError, match="custom class"):
        read(GRU(gru(), SEED))


def test_an_architecture_is_for_bare_arrays() -> None:
    with pytest.raises(SymgruError, match="bare arrays"):
        read(GRU(gru(), SEED), {"activation": "relu"})
