"""Keras' arrays as canonical weights, against the recurrence computed from the arrays themselves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from symgru.errors import UnusableInput
from symgru.network import Tensor
from symgru.readers import conventions


@pytest.mark.parametrize(("after", "biased"), [*itertools.product([True, False], repeat=2)])
def test_the_gates_computed_from_the_canonical_weights_are_those_of_keras(after: bool, biased: bool) -> None:
    rng = np.random.default_rng(0)
    features, units = 2, 3
    options = {"units": units, "reset_after": after, "use_bias": biased}
    arrays = [rng.standard_normal(shape) for shape in conventions.shapes("gru", options, features).values()]
    w = {name: t.value for name, t in conventions.canonical("gru", [Tensor.of(a) for a in arrays]).items()}
    x, h = rng.standard_normal(features), rng.standard_normal(units)
    bias = arrays[2] if biased else np.zeros((2, 3 * units))
    rows = bias if bias.ndim == 2 else np.stack([bias, np.zeros(3 * units)])
    from_input, from_state = x @ arrays[0] + rows[0], h @ arrays[1] + rows[1]
    for k, gate in enumerate("zrn"):
        block = slice(k * units, (k + 1) * units)
        assert np.allclose(w[f"W_{gate}"] @ x + w.get(f"b_{gate}", 0), from_input[block], atol=1e-15)
        assert np.allclose(w[f"U_{gate}"] @ h + w.get(f"c_{gate}", 0), from_state[block], atol=1e-15)
    letters = "WU" + ("bc" if after and biased else "b" if biased else "")
    assert list(w) == [f"{letter}_{gate}" for letter in letters for gate in "zrn"]


def test_texts_go_with_their_values() -> None:
    kernel = Tensor.of(np.arange(6, dtype=np.float32).reshape(2, 3))
    weights = conventions.canonical("dense", [kernel, Tensor.of(np.zeros(3, np.float32))])
    assert weights["W"].text.tolist() == [["0", "3"], ["1", "4"], ["2", "5"]]
    assert weights["b"].value.shape == (3,)


@pytest.mark.parametrize(
    ("options", "shapes", "reason"),
    [
        ({"units": 2}, [(1, 3), (1, 3), (2, 3)], r"with units=2.* it must be \(1, 6\)"),
        ({"reset_after": False}, [(1, 3), (1, 3), (2, 3)], r"it must be \(3,\)"),
        ({"use_bias": False}, [(1, 3), (1, 3), (2, 3)], "has 3 arrays"),
        ({"use_bias": True}, [(1, 3), (1, 3)], "has 2 arrays"),
        ({}, [(1, 3)], "has 1 arrays"),
        ({}, [(1, 3), (3,)], "recurrent_kernel has shape"),
        ({}, [(1, 4), (1, 4), (4,)], "kernel has shape"),
        ({"units": True}, [(1, 3), (1, 3)], "whole number"),
        ({"activation": "a.b"}, [(1, 3), (1, 3)], "must be a name"),
        ({}, [(70_000, 3), (1, 3)], "70000 features"),
    ],
)
def test_options_and_shapes_must_agree(options: dict[str, object], shapes: list[tuple[int, ...]], reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason):
        conventions.complete("gru", options, shapes)
