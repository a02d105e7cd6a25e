"""Descriptions of what a model does with a state_dict: what follows from names, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symgru import load
from symgru.errors import SymgruError
from symgru.maps import apply
from symgru.readers import read
from tests.readers import torch_by_hand as hand

GRU = {f"gru.{name}": array for name, array in hand.arrays().items()}


def made(folder: Path, **more: tuple[int, ...]) -> Path:
    """A file with a GRU of three features and two units, and modules whose names have __ for the dot."""
    shapes = {name.replace("__", "."): shape for name, shape in more.items()}
    return hand.write(folder, hand.safetensors({**GRU, **hand.arrays(1, shapes=shapes)}), "net.safetensors")


def refused(path: Path, match: str, architecture: object = None) -> str:
    with pytest.raises(SymgruError, match=match) as error:
        load(path, architecture)  # type: ignore[arg-type]
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1200
    return str(error.value)


def layers(*entries: dict[str, object], **more: object) -> dict[str, object]:
    return {"layers": list(entries), **more}


gru = {"kind": "gru", "name": "gru"}
HEAD = {"head__weight": (4, 2), "head__bias": (4,)}


def kinds(path: Path, architecture: object = None) -> list[str]:
    return [layer.kind for _, layer in read(path, architecture)]  # type: ignore[arg-type]


def test_what_names_and_shapes_tell(tmp_path: Path) -> None:
    assert kinds(made(tmp_path)) == ["gru"]
    assert kinds(made(tmp_path, **HEAD)) == ["gru", "dense"]
    assert kinds(made(tmp_path, head__weight=(4, 2))) == ["gru", "dense"]
    assert "applied at every time step" in " ".join(read(made(tmp_path, **HEAD)).notes)
    second = {f"top__{name}": (shape[0], 2) if name == "weight_ih_l0" else shape for name, shape in hand.GRU.items()}
    assert kinds(made(tmp_path, **second)) == ["gru", "gru"]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"a__weight": (4, 2), "a__bias": (4,), "b__weight": (1, 4), "b__bias": (1,)}, r"many ways; .*\"name\": \"b\""),
        ({"bn__weight": (2,), "bn__bias": (2,), "bn__running_mean": (2,), "bn__running_var": (2,)}, "bn .batch_norm"),
        ({"head__weight": (4, 5), "head__bias": (4,)}, "head takes 5 features where 2 come before it"),
        ({f"top__{name}": shape for name, shape in hand.GRU.items()}, "top takes 3 features where 2"),
    ],
)
def test_what_they_do_not_tell(tmp_path: Path, more: dict[str, tuple[int, ...]], match: str) -> None:
    said = refused(made(tmp_path, **more), match)
    assert '{"layers": [' in said


def test_a_bidirectional_module_before_a_linear_layer(tmp_path: Path) -> None:
    both = {f"gru__{name}_reverse": shape for name, shape in hand.GRU.items()}
    path = made(tmp_path, **both, head__weight=(4, 4), head__bias=(4,))
    refused(path, "a linear layer may take the last step or h_n")
    assert load(path, layers({**gru, "output": "h_n"}, {"kind": "linear", "name": "head"}))(
        np.ones((1, 2, 3))
    ).shape == (1, 4)


def test_a_module_that_no_description_can_name(tmp_path: Path) -> None:
    """No description is suggested: it would leave the module's weights out."""
    said = refused(made(tmp_path, conv__weight=(4, 2, 3)), "conv: no layer that symgru reads from a state_dict; export")
    assert "layers" not in said.partition("conv")[0] and '{"layers"' not in said


def test_an_lstm_and_no_recurrent_module(tmp_path: Path) -> None:
    given = hand.arrays(shapes={"rnn.weight_ih_l0": (8, 3), "rnn.weight_hh_l0": (8, 2)})
    refused(hand.write(tmp_path, hand.safetensors(given), "a.safetensors"), "rnn is an LSTM; symgru reads GRU and RNN")
    given = hand.arrays(shapes={"fc.weight": (8, 3), "fc.bias": (8,)})
    refused(
        hand.write(tmp_path, hand.file_of(given), "a.pt"), "has no GRU: none of its modules .fc. holds weight_ih_l0"
    )


@pytest.mark.parametrize(
    ("architecture", "match"),
    [
        (layers(), "0 layers; from 1 to 256"),
        ({"layers": "gru"}, "layers must be a list"),
        ({"layers": ["gru"]}, "layer 1 of the architecture must be an object"),
        (layers({"kind": "lstm"}), "layer 1 of the architecture: kind is 'lstm'; known are gru"),
        (layers({"kind": "gru", "name": "gru", "units": 2}), "unknown entry 'units'; known are kind, name"),
        (layers({"kind": "gru", "name": 7}), "its name is 7; it must be a name"),
        (layers({"kind": "gru", "name": "rnn"}), "no weight_ih_l0 of it; it has the modules gru, head"),
        (layers({"kind": "rnn", "name": "gru"}), "its arrays are those of a gru, not of a rnn"),
        (layers({**gru, "num_layers": 2}), "num_layers is 2; its arrays have 1"),
        (layers({**gru, "hidden_size": "2"}), "hidden_size is '2'; it must be a whole number"),
        (layers({**gru, "bidirectional": True}), "bidirectional is True; its arrays say False"),
        (layers({**gru, "bias": "False"}), "bias is 'False'; it must be true or false"),
        (layers({**gru, "batch_first": 1}), "batch_first is 1; it must be true or false"),
        (layers({**gru, "output": "h"}), "output is 'h'; it is output, last, h_n"),
        (layers({**gru, "lengths": True, "output": "last"}), "h_n is the state at each length"),
        (layers({**gru, "from": "nowhere"}), "names a value nowhere; there are x"),
        (layers({**gru, "from": ["x", "x"]}), "takes one value; from names 2"),
        (layers(gru, outputs=["gru.c_n"]), "names a value gru.c_n"),
        (layers(gru, outputs="gru"), "outputs must be a list"),
        (layers(gru, dtype="float16"), "dtype is 'float16'"),
        (layers(gru, features=4), "gru_1|3 features|expected|given 4|takes"),
        (layers(gru, {"kind": "linear", "name": "gru"}), "no weight of it"),
        (layers(gru, {"kind": "activation"}), "needs an activation"),
        (layers(gru, {"kind": "activation", "activation": "__import__('os')"}), "is not supported"),
        (layers(gru, {"kind": "activation", "activation": "softmax", "dim": 1}), "acts along axis 1; only the last"),
        (layers({**gru, "output": "last"}, {"kind": "last"}), "is given one vector, not a sequence"),
        (layers({**gru, "output": "last"}, gru), r"takes a sequence"),
        (layers(gru, {"kind": "concatenate"}), "name them"),
        (
            layers(gru, {"kind": "concatenate", "from": ["x", "gru.h_n", "gru"], "name": "j"}, outputs=["j"]),
            "axis|axes",
        ),
        (layers(gru, {"kind": "embedding", "name": "head"}), "embedding of what a layer computes is not read"),
        (layers(gru, {"kind": "batch_norm", "name": "head"}), "BatchNorm1d takes .batch, features, time."),
        ({"layers": [gru], "convention": 1}, "convention"),
        ({"layers": [gru], "weights": []}, "unknown entry 'weights'"),
        (layers({"kind": "last"}), "no layer of the architecture has weights"),
    ],
)
def test_descriptions_that_do_not_fit(tmp_path: Path, architecture: object, match: str) -> None:
    refused(made(tmp_path, **HEAD), match, architecture)


def test_the_last_step_alone_needs_no_sequence(tmp_path: Path) -> None:
    """A chain of plain layers, which the C backend and a worked example take; not so where the sequence is used."""
    head = {"kind": "linear", "name": "head"}
    plain = read(made(tmp_path, **HEAD), layers(gru, {"kind": "last"}, head))
    assert [layer.kind for _, layer in plain] == ["gru", "dense"]
    assert plain.is_chain
    used = read(made(tmp_path, **HEAD), layers(gru, {"kind": "last"}, head, outputs=["head", "gru"]))
    assert [layer.kind for _, layer in used] == ["gru", "last", "dense"]


def test_a_module_called_twice_is_one_layer(tmp_path: Path) -> None:
    square = hand.arrays(2, shapes={f"gru.{name}": (6, 2) if "weight" in name else s for name, s in hand.GRU.items()})
    path = hand.write(tmp_path, hand.safetensors(square), "net.safetensors")
    network = read(path, layers(gru, gru))
    assert len(network.layers) == 1
    assert len(network.calls) == 2
    once = load(path)
    x = np.random.default_rng(0).standard_normal((2, 3, 2)).astype(np.float32)
    assert np.allclose(load(path, layers(gru, gru))(x), once(once(x)), atol=1e-7)


def test_branches(tmp_path: Path) -> None:
    path = made(tmp_path, head__weight=(1, 5), head__bias=(1,))
    join = {"kind": "concatenate", "from": ["x", "gru"], "name": "joined"}
    model = load(path, layers(gru, join, {"kind": "linear", "name": "head"}))
    x = np.random.default_rng(0).standard_normal((2, 3, 3)).astype(np.float32)
    together = np.concatenate([x, load(path, layers(gru))(x)], axis=2)
    given = hand.arrays(1, shapes={"head.weight": (1, 5), "head.bias": (1,)})
    assert np.allclose(model(x), together @ given["head.weight"].T + given["head.bias"], atol=1e-6)


def test_tensors_of_no_layer_are_named(tmp_path: Path) -> None:
    assert "2 tensors belong to no layer of the description and are left out: head.weight, head.bias" in " ".join(
        read(made(tmp_path, **HEAD), layers(gru)).notes
    )


def test_lengths_longer_than_the_sequence_and_none(tmp_path: Path) -> None:
    """PyTorch refuses both; here the first means all steps, the second no step."""
    path = made(tmp_path)
    model = load(path, layers({**gru, "lengths": True}, outputs=["gru", "gru.h_n"]))
    x = np.random.default_rng(0).standard_normal((3, 4, 3)).astype(np.float32)
    y, h = model(x, np.array([4, 9, 0]))
    assert np.allclose(y[:2], load(path)(x)[:2])
    assert not y[2].any()
    assert not h[2].any()


def test_reversed_within_a_length() -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    y = apply("flip_until", {}, [x, np.array([2.0, 7.0])])
    assert y[0].tolist() == [[2, 3], [0, 1], [4, 5]]
    assert y[1].tolist() == x[1, ::-1].tolist()


def test_names_of_any_content(tmp_path: Path) -> None:
    name = "a\0{{7*7}}*/ \\input{x}\n" * 40
    given = {f"{name}.{own}": array for own, array in hand.arrays().items()}
    path = hand.write(tmp_path, hand.file_of(given), "net.pt")
    (layer,) = read(path).layers.values()
    assert layer.label == name
    assert layer.id.isidentifier()
    refused(path, "it has the modules", layers({"kind": "gru", "name": "gru"}))
