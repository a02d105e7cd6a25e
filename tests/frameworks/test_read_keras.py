"""Real Keras models, saved and live: the weights that are read are the weights that Keras has."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from symgru.cli import cli
from symgru.errors import SymgruError
from symgru.face import load
from symgru.network import Network
from symgru.readers import read
from tests.frameworks.matrix import difference

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


def sequential(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((4, 2)), L.GRU(2, return_sequences=True), *layers])


def lambda_layer() -> Any:
    return keras.Sequential([keras.Input((4, 2)), L.Lambda(lambda x: x + 1), L.GRU(2)])


def number_in_a_graph() -> Any:
    entrance = keras.Input((4, 2))
    return keras.Model(entrance, L.GRU(2)(entrance * 2.0))


def masked_softmax() -> Any:
    return keras.Sequential([keras.Input((4, 4)), L.Masking(), L.Softmax(), L.GRU(2)])


def indices_into_a_gru() -> Any:
    entrance = keras.Input((4, 2), dtype="int32")
    return keras.Model(entrance, L.GRU(2)(entrance))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: sequential(L.LSTM(2)), "LSTM is not supported here"),
        (lambda: sequential(L.Bidirectional(L.LSTM(2))), "its layer is a LSTM"),
        (lambda: sequential(L.RNN([L.GRUCell(2), L.LSTMCell(2)])), "its cell is a LSTMCell"),
        (lambda: sequential(Special(2)), "custom class"),
        (lambda: sequential(L.GRU(2, activation=L.ReLU())), "custom object"),
        (lambda: sequential(L.GRU(2, dtype="float16")), "float16"),
        (lambda: sequential(L.Conv1D(2, 2, groups=2)), "groups is above 1"),
        (lambda_layer, "Lambda is not supported"),
        (number_in_a_graph, "is read between two tensors only"),
        (masked_softmax, "is given a mask of time steps, which Keras' Softmax cannot take"),
        (indices_into_a_gru, "its inputs are whole numbers, which go to layer 'gru"),
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


RNNOISE = Path(__file__).parents[3] / "shared" / "models" / "rnnoise_v0"


@pytest.mark.skipif(not RNNOISE.is_dir(), reason="the trained model is not beside the project")
def test_rnnoise() -> None:
    """A trained model with two outputs, whose expected outputs are Keras' own."""
    found = load(RNNOISE / "model.keras")(np.load(RNNOISE / "input.npy"))
    expected = [np.load(RNNOISE / name) for name in ("expected.npy", "expected_vad.npy")]
    for y, theirs in zip(found, expected, strict=True):
        assert difference(y, theirs) <= 1e-5


def test_weights_are_listed_as_get_weights_lists_them(tmp_path: Path) -> None:
    """The emitted module's WEIGHTS are model.get_weights(), shape for shape, and may be exchanged for others."""
    entrance, other = keras.Input((4, 2)), keras.Input((4, 2))
    late = L.Dense(3, name="late")
    y = L.Bidirectional(L.GRU(2, return_sequences=True))(late(entrance))
    z = L.BatchNormalization()(L.Conv1D(4, 2, padding="causal")(late(other)))
    y = L.PReLU()(L.Add()([L.LayerNormalization(axis=[1, 2])(y), z]))
    model = randomised(keras.Model([entrance, other], L.RNN([L.GRUCell(2), L.GRUCell(1)])(y)))
    model.set_weights([np.abs(w) for w in model.get_weights()])
    for source in (model, tmp_path / "m.keras"):
        if source is not model:
            model.save(source)
        files = load(source).files("numpy")
        code = next(content for name, content in files.items() if b"WEIGHTS =" in content)
        scope: dict[str, Any] = {"__name__": "emitted"}
        exec(compile(code, "emitted", "exec"), scope)
        assert [w.shape for w in scope["WEIGHTS"]] == [w.shape for w in model.get_weights()]
        assert all(
            np.array_equal(ours, theirs) for ours, theirs in zip(scope["WEIGHTS"], model.get_weights(), strict=True)
        )


def test_a_mixed_policy_is_read_in_float32_with_a_note() -> None:
    """Keras computes in half precision here; the same weights under float32 give what symgru gives."""
    x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32")
    entrance = keras.Input((4, 2))
    full = randomised(keras.Model(entrance, L.Dense(2)(L.GRU(3)(entrance))))
    for policy, limit in (("mixed_float16", 0.01), ("mixed_bfloat16", 0.1)):
        half = keras.Model(entrance, L.Dense(2, dtype=policy)(L.GRU(3, dtype=policy)(entrance)))
        half.set_weights(full.get_weights())
        model = load(half)
        assert difference(model(x), np.asarray(full(x))) <= 1e-5
        assert 1e-5 < difference(model(x), np.asarray(half(x), np.float32)) < limit
        assert all(any(policy in note for note in layer.notes) for layer in model.network.layers.values())


def test_no_time_step_is_refused_and_no_sequence_is_not() -> None:
    layer = randomised(keras.Sequential([keras.Input((None, 2)), L.GRU(3)]))
    with pytest.raises(SymgruError):
        load(layer)(np.zeros((1, 0, 2)))
    layer.set_weights([w * np.nan for w in layer.get_weights()])
    with pytest.raises(SymgruError, match="nan"):
        read(layer)


def mask_and_state(**options: Any) -> Any:
    entrance, state = keras.Input((4, 2)), keras.Input((3,))
    layer = L.GRU(3, name="gru", return_sequences=True, **options)
    given = L.Masking().compute_mask(entrance)
    return keras.Model([entrance, state], layer(entrance, mask=given, initial_state=state))


def implicit_and_state() -> Any:
    entrance, state = keras.Input((4, 2)), keras.Input((3,))
    return keras.Model([entrance, state], L.GRU(3, name="gru")(L.Masking()(entrance), initial_state=state))


def backwards() -> Any:
    layer = L.GRU(3, name="gru", return_sequences=True, unroll=True, go_backwards=True, zero_output_for_mask=True)
    return keras.Sequential([keras.Input((4, 2)), L.Masking(), layer])


def both_ways() -> Any:
    layer = L.Bidirectional(L.GRU(3, name="gru", return_sequences=True))
    return keras.Sequential([keras.Input((4, 2)), L.Masking(), layer])


@pytest.mark.skipif(not keras.__version__.startswith("3.15"), reason="the quirks of Keras 3.15")
@pytest.mark.parametrize(
    ("make", "note"),
    [
        (implicit_and_state, "does not apply the mask"),
        (mask_and_state, "before the first one that counts Keras gives 0"),
        (lambda: mask_and_state(zero_output_for_mask=True), "the output is 0, though the state stays"),
        (backwards, "the mask that is not reversed"),
        (both_ways, "sets zero_output_for_mask to return_sequences"),
        (lambda: sequential(L.GRU(3, name="gru", activation="sparsemax")), "1, 0.9, 0.8 is 0, 0, 0"),
    ],
)
def test_a_quirk_is_a_note_on_its_layer_that_show_prints(make: Any, note: str, tmp_path: Path) -> None:
    model = make()
    model.save(tmp_path / "m.keras")
    network = read(tmp_path / "m.keras")
    assert any(note in said for layer in network.layers.values() for said in layer.notes if layer.kind == "gru")
    shown = CliRunner().invoke(cli, ["show", str(tmp_path / "m.keras")]).output
    assert " ".join(note.split()) in " ".join(shown.split())


def test_indices_outside_the_table_are_refused() -> None:
    entrance = keras.Input((3,))  # of float32, as Keras' Input is unless told otherwise
    model = load(randomised(keras.Model(entrance, L.GRU(2)(L.Embedding(4, 2)(entrance)))))
    assert model([[0, 3, 1]]).shape == (1, 2)
    for bad, reason in (
        ([[0, 4, 1]], "index 4; .* has 4 rows"),
        ([[0, -1, 1]], "index -1"),
        ([[0, 0.5, 1]], "not whole"),
    ):
        with pytest.raises(SymgruError, match=reason):
            model(bad)
