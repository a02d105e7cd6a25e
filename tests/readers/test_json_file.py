"""symgru's own format, and the seed's network in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgru.errors import UnusableInput
from symgru.readers import json_file, read

SEED = Path(__file__).parents[2] / "examples" / "seed.json"
GRU = {"kind": "gru", "weights": [[[1, 2, 3]], [[4, 5, 6]], [[0, 0, 0], [0, 0, 0]]]}


def test_the_seeds_network() -> None:
    network = read(SEED)
    assert (network.name, network.origin, network.dtype, network.features) == ("seed", "seed.json", "float32", 1)
    layer = network.layers["gru"]
    assert layer.options == {
        "units": 1,
        "reset_after": True,
        "use_bias": True,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "return_sequences": False,
    }
    text = {name: t.text.ravel().tolist() for name, t in layer.weights.items()}
    assert text == {
        "W_z": ["-0.90954137"],
        "W_r": ["1.0425225"],
        "W_n": ["-0.04404902"],
        "U_z": ["0.24168766"],
        "U_r": ["0.8981342"],
        "U_n": ["0.36734456"],
        **{f"{letter}_{gate}": ["0"] for letter in "bc" for gate in "zrn"},
    }
    assert layer.weights["W_z"].value.item() == np.float32(-0.90954137)


def test_the_digits_are_kept_as_typed() -> None:
    text = '{"layers": [{"kind": "dense", "weights": [[[0.10, 1.5E+2]], [-0.0, 12345678901234567890.5]]}]}'
    layer = json_file.from_object(json_file.parse(text), "n", "", None).layers["dense"]
    assert layer.weights["W"].text.tolist() == [["0.10"], ["1.5e2"]]
    assert layer.weights["b"].text.tolist() == ["-0.0", "12345678901234567890.5"]


def test_a_dict_and_its_json_are_one_network(tmp_path: Path) -> None:
    data = {"name": "two", "layers": [GRU, GRU | {"options": {"return_sequences": True}}]}
    path = tmp_path / "two.json"
    path.write_text("\ufeff" + json.dumps(data), encoding="utf-8")
    assert read(path).fingerprint == read(data).fingerprint
    assert read(data).name == "two"
    assert [layer.id for layer in read(data).layers.values()] == ["gru", "gru_2"]
    assert [layer.options["return_sequences"] for layer in read(data).layers.values()] == [True, True]


def test_the_form_without_layers(tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    path.write_text(json.dumps({"weights": GRU["weights"], "options": {"activation": "relu"}, "dtype": "float64"}))
    network = read(path)
    assert (network.dtype, network.layers["gru"].options["activation"]) == ("float64", "relu")
    path.write_text(json.dumps(GRU["weights"]))
    assert read(path, {"activation": "relu"}).layers["gru"].options["activation"] == "relu"


def test_weights_by_name_are_canonical_and_serve_every_cell() -> None:
    mgu = {
        "kind": "mgu",
        "options": {"activation": "tanh", "variant": 1},
        "weights": {"W_f": [[1, 2], [3, 4], [5, 6]], "U_f": [[1, 0, 0]] * 3, "b_f": [1, 2, 3]},
    }
    head = {"kind": "dense", "weights": {"W": [[1, 2, 3]], "b": [0.5]}}
    network = read({"layers": [mgu, head]})
    assert network.features == 2
    first, last = network.layers.values()
    assert first.options == {"units": 3, "activation": "tanh", "variant": 1, "return_sequences": False}
    assert first.weights["W_f"].value.shape == (3, 2)
    assert last.options == {"units": 1, "use_bias": True, "activation": "linear"}


@pytest.mark.parametrize(
    ("letters", "options"),
    [
        ("WUbc", {"use_bias": True, "reset_after": True}),
        ("WUb", {"use_bias": True, "reset_after": False}),
        ("WU", {"use_bias": False, "reset_after": True}),
    ],
)
def test_a_gru_by_name_has_the_form_its_biases_show(letters: str, options: dict[str, Any]) -> None:
    weights = {f"{letter}_{gate}": [[1]] if letter in "WU" else [1] for gate in "nrz" for letter in letters}
    layer = read({"layers": [{"kind": "gru", "weights": weights}]}).layers["gru"]
    assert {key: layer.options[key] for key in options} == options
    assert list(layer.weights) == [f"{letter}_{gate}" for letter in letters for gate in "zrn"]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({}, "needs 'layers'"),
        ({"layers": []}, "no layer"),
        ({"layers": {}}, "a list"),
        ({"layers": [1]}, "layer 1 must be an object"),
        ({"layers": [GRU], "lyers": 1}, "lyers"),
        ({"layers": [GRU | {"weigths": 1}]}, "weigths"),
        ({"layers": [GRU], "dtype": "float16"}, "float16"),
        ({"layers": [GRU | {"kind": "x; rm"}]}, "kind"),
        ({"layers": [GRU | {"kind": "mgu"}]}, "by the cell's names"),
        ({"layers": [GRU | {"weights": 3}]}, "get_weights"),
        ({"layers": [GRU | {"name": 3}]}, "must be text"),
        ({"layers": [GRU | {"options": {"reset_after": "False"}}]}, "true or false"),
        ({"layers": [GRU | {"options": {"units": 2}}]}, r"kernel has shape \(1, 3\)"),
        ({"layers": [GRU | {"options": {"go_backwards": True}}]}, "go_backwards"),
        ({"layers": [GRU | {"options": {"activation": 3}}]}, "activation is 3"),
        ({"layers": [GRU | {"weights": [[[1, 2, 3]], [[4, 5]]]}]}, "recurrent_kernel"),
        ({"layers": [GRU | {"weights": [[[1, 2, 3]], [[4, 5, "6"]]]}]}, "'6' is not a number"),
        ({"layers": [GRU | {"weights": [[[1, 2, 3]]] * 9}]}, "arrays"),
        ({"layers": [GRU, {"kind": "dense", "weights": [[[1], [2]]]}]}, "takes 2 features, but layer 'gru' has 1"),
        ({"layers": [GRU | {"options": {"return_sequences": False}}, GRU]}, "return_sequences must be true"),
        ({"layers": [{"kind": "gru", "weights": {"W_z": [[1]]}}]}, "it needs W_z W_r"),
        ({"layers": [{"kind": "mgu", "weights": {"b_f": [1]}}]}, "no kernel"),
        ({"layers": [{"kind": "mgu", "weights": {"W_f": [[1, 2]], "U_f": [[1, 2]]}}]}, r"U_f has shape \(1, 2\)"),
        ({"layers": [{"kind": "mgu", "weights": {"W_f": [[1]], "\x1b[0m": [1]}}]}, "no name of a weight"),
        ({"layers": [{"kind": "mgu", "weights": {"W_f": [[1]]}, "options": {"units": 7}}]}, "units is 7"),
        ({"layers": [{"kind": "mgu", "weights": {"W_f": [[1]]}, "options": {"a": [1]}}]}, "option 'a'"),
        ({"layers": [{"kind": "mgu", "weights": {"W_f": [[1]]}, "options": {"a": "x y"}}]}, "must be a name"),
        ({"weights": 1}, "list of arrays"),
        ({"weights": GRU["weights"], "options": {"layers": 1}}, "must be a list"),
        ({"layers": [GRU | {"name": "a\nb" * 999}] * 300}, "300 layers"),
    ],
)
def test_a_wrong_model_is_refused_in_one_line(model: Any, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(model))
    for source in (path, model):
        with pytest.raises(UnusableInput, match=reason) as error:
            read(source)
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON.*line 1"),
        ('{"layers": [], "layers": []}', "twice"),
        ('{"layers": NaN}', "NaN"),
        ('{"a": ' + "[" * 200_000, "nested too deep"),
        ('{"a": 1e99999}', "exponent"),
        ('{"a": ' + "9" * 5000, "longer"),
        ('{"layers": [{"kind": "gru", "weights": ' + "[" * 400 + "]" * 400 + "}]}", "deep|empty"),
        ('{"layers": [{"kind": "gru", "options": ' + '{"a":' * 400 + "1" + "}" * 400 + "}]}", "deep|must be"),
    ],
)
def test_hostile_json_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=reason):
        read(path)


def test_plain_numbers_where_the_digits_do_not_matter() -> None:
    assert json_file.parse('{"units": 2}', typed=False) == {"units": 2}
    with pytest.raises(UnusableInput, match="too long"):
        json_file.parse("9" * 5000, typed=False)
