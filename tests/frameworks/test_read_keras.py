"""Real Keras models, saved and live: the weights that are read are the weights that Keras has."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from symgru.errors import SymgruError
from symgru.network import Network
from symgru.readers import read

L = keras.layers


def randomised(model: Any) -> Any:
    rng = np.random.default_rng(5)
    model.set_weights([rng.standard_normal(w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def check(network: Network, model: Any) -> None:
    """Put the canonical weights back together and compare them with get_weights(), bit for bit."""
    rebuilt = []
    for layer in network.layers.values():
        w = {name: t.value for name, t in layer.weights.items()}
        if layer.kind == "dense":
            rebuilt += [w["W"].T, *([w["b"]] if "b" in w else [])]
            continue
        rebuilt += [np.concatenate([w[f"{letter}_{g}"].T for g in "zrn"], axis=1) for letter in "WU"]
        rows = [np.concatenate([w[f"{letter}_{g}"] for g in "zrn"]) for letter in "bc" if f"{letter}_z" in w]
        rebuilt += [np.stack(rows) if len(rows) == 2 else rows[0]] if rows else []
    expected = model.get_weights()
    assert len(rebuilt) == len(expected)
    for mine, theirs in zip(rebuilt, expected, strict=True):
        assert mine.dtype == theirs.dtype
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("after", "biased", "sequences", "dtype", "activations"),
    [
        *itertools.product([True, False], [True, False], [True, False], ["float32"], [("tanh", "sigmoid")]),
        (True, True, False, "float64", ("relu", "hard_sigmoid")),
        (False, True, False, "float32", (None, "swish")),
    ],
)
def test_options_and_weights(
    after: bool, biased: bool, sequences: bool, dtype: str, activations: tuple[str, str], tmp_path: Path
) -> None:
    model = randomised(
        keras.Sequential(
            [
                keras.Input((5, 2), dtype=dtype),
                L.GRU(
                    3,
                    reset_after=after,
                    use_bias=biased,
                    return_sequences=sequences,
                    dtype=dtype,
                    activation=activations[0],
                    recurrent_activation=activations[1],
                    dropout=0.1,
                    recurrent_dropout=0.1,
                ),
                L.Dropout(0.5, dtype=dtype),
                L.Dense(2, use_bias=biased, activation="softmax", dtype=dtype),
            ]
        )
    )
    model.save(tmp_path / "m.keras")
    for network in (read(tmp_path / "m.keras"), read(model)):
        check(network, model)
        first, last = network.layers.values()
        names = {None: "linear", "swish": "silu"}
        assert first.options == {
            "units": 3,
            "reset_after": after,
            "use_bias": biased,
            "return_sequences": sequences,
            "activation": names.get(activations[0], activations[0]),
            "recurrent_activation": names.get(activations[1], activations[1]),
        }
        assert last.options == {"units": 2, "use_bias": biased, "activation": "softmax"}
        assert (network.dtype, network.features, network.steps) == (dtype, 2, 5)


def test_names_that_mislead(tmp_path: Path) -> None:
    model = randomised(
        keras.Sequential(
            [
                keras.Input((None, 1)),
                *(L.GRU(2, return_sequences=True, name=f"gru_{k}") for k in range(12, 0, -1)),
                L.Dense(2, name="gru"),
                L.GaussianNoise(0.1),
                L.GRU(3, name="{{7*7}}\x01 é"),
            ]
        )
    )
    model.save(tmp_path / "m.keras")
    for network in (read(tmp_path / "m.keras"), read(model)):
        check(network, model)
        assert [layer.label for layer in network.layers.values()][-1] == "{{7*7}}\x01 é"


def test_a_functional_chain_and_a_model_built_by_its_first_call(tmp_path: Path) -> None:
    entrance = keras.Input((None, 2))
    chain = keras.Model(entrance, L.Dense(1)(L.GRU(2)(L.Dropout(0.2)(entrance))))
    deferred = keras.Sequential([L.GRU(2), L.Dense(1)])
    deferred(np.zeros((1, 3, 2), np.float32))
    for model in (randomised(chain), randomised(deferred)):
        model.save(tmp_path / "m.keras")
        check(read(tmp_path / "m.keras"), model)
        check(read(model), model)


def test_what_printing_gives(tmp_path: Path) -> None:
    model = randomised(keras.Sequential([keras.Input((4, 3)), L.GRU(4, return_sequences=True), L.GRU(2), L.Dense(1)]))
    with np.printoptions(floatmode="unique"):
        texts = [
            str(model.get_weights()),
            "\n".join(str(w) for w in model.get_weights()),
            repr(model.weights),
            "\n".join(repr(w) for w in model.weights),
            str(model.trainable_variables),
        ]
    for text in texts:
        (tmp_path / "w.txt").write_text(text)
        check(read(tmp_path / "w.txt"), model)
    check(read(model.get_weights()), model)
    check(read(model.weights), model)
    check(read({"weights": [w.tolist() for w in model.get_weights()]}), model)


def test_a_single_layer() -> None:
    layer = L.GRU(2)
    with pytest.raises(SymgruError, match="no weights yet"):
        read(layer)
    layer.build((None, 4, 3))
    check(read(layer), layer)


def relu(x: Any) -> Any:
    return x * x


class Special(L.GRU):
    pass


def branching() -> Any:
    entrance = keras.Input((4, 2))
    return keras.Model(entrance, L.Add()([L.GRU(2)(entrance), L.GRU(2)(entrance)]))


def shared() -> Any:
    entrance, layer = keras.Input((4, 2)), L.GRU(2, return_sequences=True)
    return keras.Model(entrance, layer(layer(entrance)))


def started() -> Any:
    entrance, state = keras.Input((4, 2)), keras.Input((2,))
    return keras.Model([entrance, state], L.GRU(2)(entrance, initial_state=state))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: keras.Sequential([keras.Input((4, 2)), L.Bidirectional(L.GRU(2))]), "Bidirectional"),
        (lambda: keras.Sequential([keras.Input((4, 2)), L.Masking(), L.GRU(2)]), "Masking"),
        (lambda: keras.Sequential([keras.Input((4, 2)), L.GRU(2, go_backwards=True)]), "go_backwards"),
        (lambda: keras.Sequential([keras.Input((4, 2)), L.GRU(2, dtype="mixed_float16")]), "mixed_float16"),
        (lambda: keras.Sequential([keras.Input((4, 2)), Special(2)]), "custom class"),
        (lambda: keras.Sequential([keras.Input((4, 2)), L.GRU(2, activation=L.ReLU())]), "custom object"),
        (lambda: keras.Sequential([keras.Input((4, 2)), keras.Sequential([L.GRU(2)])]), "Sequential"),
        (branching, "not|plain"),
        (shared, "called more than once|plain"),
        (started, "plain chain"),
    ],
)
def test_what_is_not_read_is_refused_by_name(make: Any, reason: str, tmp_path: Path) -> None:
    model = make()
    model.save(tmp_path / "m.keras")
    for source in (tmp_path / "m.keras", model):
        with pytest.raises(SymgruError, match=reason) as error:
            read(source)
        assert str(error.value).isprintable()


def test_a_persons_function_called_relu_is_not_keras_relu() -> None:
    layer = L.GRU(2, activation=relu)
    layer.build((None, 4, 3))
    with pytest.raises(SymgruError, match="activation is relu"):
        read(layer)
