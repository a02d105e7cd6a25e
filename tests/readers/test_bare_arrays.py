"""Which layers arrays are, from their shapes alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgru.errors import UnusableInput
from symgru.network import Network
from symgru.readers import read


def shaped(*shapes: tuple[int, ...], dtype: str = "float32") -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def gru(features: int, units: int, bias: str = "after") -> list[tuple[int, ...]]:
    biases = {"after": [(2, 3 * units)], "before": [(3 * units,)], "none": []}[bias]
    return [(features, 3 * units), (units, 3 * units), *biases]


def kinds(network: Network) -> list[tuple[Any, ...]]:
    keys = ("units", "reset_after", "use_bias", "return_sequences")
    return [(layer.kind, *(layer.options[k] for k in keys if k in layer.options)) for layer in network.layers.values()]


@pytest.mark.parametrize(
    ("shapes", "found"),
    [
        (gru(1, 1), [("gru", 1, True, True, False)]),
        (gru(3, 4, "before"), [("gru", 4, False, True, False)]),
        (gru(2, 2, "none"), [("gru", 2, True, False, False)]),
        (
            [*gru(2, 3), *gru(3, 2, "before"), (2, 5), (5,)],
            [("gru", 3, True, True, True), ("gru", 2, False, True, False), ("dense", 5, True)],
        ),
        ([(4, 3), (3,), *gru(3, 3), (3, 1)], [("dense", 3, True), ("gru", 3, True, True, False), ("dense", 1, False)]),
        ([(1, 1), (1,), *gru(1, 1, "none")], [("dense", 1, True), ("gru", 1, True, False, False)]),
        ([*gru(2, 2), (2, 6), (6, 1), (1,)], [("gru", 2, True, True, False), ("dense", 6, False), ("dense", 1, True)]),
    ],
)
def test_layers_follow_from_shapes(shapes: list[tuple[int, ...]], found: list[tuple[Any, ...]]) -> None:
    network = read(shaped(*shapes))
    assert kinds(network) == found
    assert any("by their shapes" in note for note in network.notes)


def test_the_ambiguity_of_two_units_is_said() -> None:
    shapes = [*gru(1, 2, "none"), (2, 6)]  # the last is a bias of two rows, or the kernel of a Dense layer
    network = read(shaped(*shapes))
    assert kinds(network) == [("gru", 2, True, True, False)]
    assert any("fit other layers" in note for note in network.notes)
    told = read(shaped(*shapes), {"layers": [{"kind": "gru"}, {"kind": "dense"}]})
    assert kinds(told) == [("gru", 2, True, False, False), ("dense", 6, False)]
    assert not any("fit other layers" in note for note in told.notes)


def test_a_gru_without_bias_takes_keras_default_and_says_so() -> None:
    (layer,) = read(shaped(*gru(1, 2, "none"))).layers.values()
    assert layer.options["reset_after"] is True
    assert "reset_after" in layer.notes[0]
    (layer,) = read(shaped(*gru(1, 2, "none")), {"reset_after": False}).layers.values()
    assert layer.options["reset_after"] is False
    assert layer.notes == ()


def test_the_architecture_gives_what_shapes_cannot_tell() -> None:
    network = read(
        shaped(*gru(2, 3), *gru(3, 2), (2, 1), (1,)),
        {
            "activation": "relu",
            "return_sequences": True,
            "layers": [
                {"kind": "gru", "name": "first", "recurrent_activation": "hard_sigmoid"},
                {"kind": "gru", "activation": "softsign"},
                {"kind": "dense", "activation": "sigmoid", "units": 1},
            ],
        },
    )
    first, second, head = network.layers.values()
    assert (first.label, first.options["activation"], first.options["recurrent_activation"]) == (
        "first",
        "relu",
        "hard_sigmoid",
    )
    assert (second.options["activation"], head.options["activation"]) == ("softsign", "sigmoid")
    assert [layer.id for layer in network.layers.values()] == ["first", "gru", "dense"]


def test_return_sequences_is_asked_for_the_last_gru() -> None:
    network = read(shaped(*gru(2, 3), *gru(3, 2)), {"return_sequences": True})
    assert [layer.options["return_sequences"] for layer in network.layers.values()] == [True, True]
    gru_layer, _ = read(shaped(*gru(2, 3), (3, 1), (1,)), {"return_sequences": True}).layers.values()
    assert gru_layer.options["return_sequences"] is True  # a Dense layer behind it, applied to every step


def test_dtype_is_that_of_the_arrays_or_as_asked() -> None:
    assert read(shaped(*gru(1, 1))).dtype == "float32"
    doubles = read(shaped(*gru(1, 1), dtype="float64"))
    assert doubles.dtype == "float64"
    assert any("float64" in note for note in doubles.notes)
    single = read(shaped(*gru(1, 1), dtype="float64"), {"dtype": "float32"})
    assert single.dtype == "float32"
    assert all(t.value.dtype == np.float32 for layer in single.layers.values() for t in layer.weights.values())
    assert read([[[1, 2, 3]], [[4, 5, 6]]]).dtype == "float32"


class Variable:
    def numpy(self) -> np.ndarray:
        return np.ones((1, 3), np.float32)


def test_a_frameworks_variables_are_taken() -> None:
    assert read([Variable(), Variable()]).layers["gru"].weights["U_n"].value.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("shapes", "architecture", "reason"),
    [
        ([(1, 4), (1, 4), (4,)], None, "LSTM"),
        ([(3, 1), (3, 1), (3,)], None, r"PyTorch.* no bias or two: name them in a \.npz"),
        ([(9, 2), (9, 3), (9,), (3,)], None, "PyTorch.*npz"),  # as Equinox and MLX have their biases
        ([(2, 9), (2, 9), (9,), (9,)], None, "not GRU and Dense"),
        ([(2, 9), (3, 9), (9,), (3,)], None, "not GRU and Dense"),
        ([(2, 9), (3, 9), (17,)], None, "not GRU and Dense"),
        ([(9, 3), (9, 2), (9,), (9,)], None, "not GRU and Dense"),  # the state's kernel first
        ([(9, 2), (9, 3), (1, 4)], None, "PyTorch"),
        ([(9, 9), (9, 3), (3, 3), (1, 3)], None, "fit Keras' layers and PyTorch's.*npz"),
        ([(9, 2), (9, 3)], {"reset_after": False}, "reset gate after the product"),
        ([(9, 2), (9, 3)], {"activation": "relu"}, "always has tanh"),
        ([(9, 2), (9, 3)], {"layers": [{"kind": "gru", "use_bias": True}]}, "architecture"),
        ([(9, 2), (9, 3)], {"layers": [{"kind": "gru", "units": 4}]}, "architecture"),
        ([(2, 9), (3, 9), (18,)], {"activation": "relu"}, "always has tanh"),
        ([(1, 1), (1, 1), (1,)], None, "not GRU and Dense"),  # a SimpleRNN, which two Dense layers would fit too
        ([(3,)], None, "not GRU and Dense"),
        ([*gru(1, 2), (3, 1)], None, "not GRU and Dense"),
        (gru(1, 2), {"layers": [{"kind": "dense"}]}, "1 layers of the architecture"),
        (gru(1, 2), {"layers": [{"kind": "gru", "units": 3}]}, "architecture"),
        (gru(1, 2), {"layers": [{"kind": "lstm"}]}, "lstm"),
        (gru(1, 2), {"layers": [{"kind": "gru", "go_backwards": True}]}, "go_backwards"),
        (gru(1, 2), {"layers": "gru"}, "must be a list"),
        (gru(1, 2), {"reset_after": False}, r"bias has shape \(2, 6\)"),
        (gru(1, 2), {"reset_after": "False"}, "true or false"),
        (gru(1, 2), {"activation": "__import__('os')"}, "must be a name"),
        (gru(1, 2), {"rest_after": True}, "rest_after"),
        (gru(1, 2), {"dtype": "float16"}, "float16"),
        (
            [*gru(2, 3), *gru(3, 2)],
            {"layers": [{"kind": "gru", "return_sequences": False}, {"kind": "gru"}]},
            "sequence",
        ),
        ([], None, "0 arrays"),
        ([(2, 6)] * 300, None, "300 arrays"),
        ([*[(2, 6)] * 250, (7,)], None, "not GRU and Dense"),
    ],
)
def test_what_does_not_fit_is_refused(shapes: Any, architecture: Any, reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason) as error:
        read(shaped(*shapes), architecture)
    assert "\n" not in str(error.value)


def test_numbers_and_types_are_refused_by_place() -> None:
    arrays = shaped(*gru(1, 1))
    arrays[1][0, 2] = np.nan
    with pytest.raises(UnusableInput, match=r"layer 'gru': recurrent_kernel holds nan at \[0, 2\]"):
        read(arrays)
    with pytest.raises(UnusableInput, match="float16"):
        read([a.astype(np.float16) for a in shaped(*gru(1, 1))])
    with pytest.raises(UnusableInput, match="is one array"):
        read(np.zeros((1, 3)))
