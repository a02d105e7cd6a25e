"""Arrays by their framework's names: which layers they are, what is asked where names do not tell, what is refused.

Frameworks that are not run here (MATLAB, CNTK, DyNet, SpeechBrain) and conventions in words are compared with the
recurrence written out below, in float64.
"""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from symgru.conventions import CONVENTIONS
from symgru.errors import SymgruError, UnusableInput
from symgru.face import load
from symgru.readers.named_arrays import from_named

H, D = 3, 2
SEQUENCE = {"return_sequences": True, "dtype": "float64"}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def recurrence(w, x, reset: str, update: str, relu: bool = False):
    """h over time from W, U (3 gates z, r, n), b, c by gate: the equations of facts/conventions.md, nothing shared."""
    h, rows = np.zeros((len(x), H)), []
    for t in range(x.shape[1]):
        z, r = (sigmoid(x[:, t] @ w["W", g].T + w["b", g] + h @ w["U", g].T + w["c", g]) for g in "zr")
        inside = r * (h @ w["U", "n"].T + w["c", "n"]) if reset == "after" else (r * h) @ w["U", "n"].T + w["c", "n"]
        if reset == "none":
            inside = h @ w["U", "n"].T
        n = x[:, t] @ w["W", "n"].T + w["b", "n"] + inside
        n = np.maximum(n, 0) if relu else np.tanh(n)
        h = z * h + (1 - z) * n if update == "keep" else (1 - z) * h + z * n
        rows.append(h)
    return np.stack(rows, 1)


def weights(seed: int = 0, zero: str = ""):
    rng = np.random.default_rng(seed)
    shapes = {"W": (H, D), "U": (H, H), "b": (H,), "c": (H,)}
    return {
        (letter, g): rng.uniform(-1, 1, shape) * (0 if letter in zero else 1)
        for letter, shape in shapes.items()
        for g in "zrn"
    }


def sample():
    return np.random.default_rng(9).uniform(-1.5, 1.5, (2, 4, D))


def compare(source: object, architecture: object, expected) -> None:
    ours = load(source, architecture)(sample())
    assert np.abs(ours - expected).max() <= 1e-12


@pytest.mark.parametrize("bias", ["two", "stacked", "flat", "one", "n", "none"])
@pytest.mark.parametrize(("reset", "update"), [*itertools.product(["after", "before"], ["keep", "new"])])
@pytest.mark.parametrize(("order", "kernel"), [("rzn", "rows"), ("zrn", "columns"), ("nzr", "columns")])
def test_a_convention_in_words(tmp_path, order: str, kernel: str, bias: str, reset: str, update: str) -> None:
    w = weights(zero={"none": "bc", "one": "c"}.get(bias, ""))
    if bias == "n":
        w["c", "z"], w["c", "r"] = np.zeros(H), np.zeros(H)
    axis = 0 if kernel == "rows" else 1
    turn = (lambda a: a) if kernel == "rows" else np.transpose
    arrays = {
        "kernel": np.concatenate([turn(w["W", g]) for g in order], axis),
        "recurrent_kernel": np.concatenate([turn(w["U", g]) for g in order], axis),
    }
    b, c = (np.concatenate([w[letter, g] for g in order]) for letter in "bc")
    arrays |= {
        "two": {"bias": b, "recurrent_bias": c},
        "stacked": {"bias": np.stack([b, c])},
        "flat": {"bias": np.concatenate([b, c])},
        "one": {"bias": b},
        "n": {"bias": b, "recurrent_bias": w["c", "n"]},
        "none": {},
    }[bias]
    words = {"gates": order, "kernel": kernel, "bias": bias, "reset": reset, "update": update}
    expected = recurrence(w, sample(), reset, update)
    np.savez(tmp_path / "m.npz", convention=json.dumps(words), **arrays)
    compare(tmp_path / "m.npz", SEQUENCE, expected)
    listed = {name: array.tolist() for name, array in arrays.items()}
    layer = {"convention": words, "weights": listed, "options": {"return_sequences": True}}
    compare({"dtype": "float64", "layers": [layer]}, None, expected)


def matlab(w, order="rzn"):
    stacked = {"InputWeights": "W", "RecurrentWeights": "U"}
    arrays = {name: np.concatenate([w[letter, g] for g in order]) for name, letter in stacked.items()}
    both = [np.concatenate([w[letter, g] for g in order]) for letter in "bc"]
    return arrays, both


def test_matlab() -> None:
    w = weights()
    arrays, both = matlab(w)
    arrays["Bias"] = np.concatenate(both)[:, None]  # MATLAB's vectors are columns
    compare({"convention": "matlab_after", "weights": arrays}, SEQUENCE, recurrence(w, sample(), "after", "keep"))
    w = weights(zero="c")
    arrays, both = matlab(w)
    compare({"weights": {**arrays, "Bias": both[0]}}, SEQUENCE, recurrence(w, sample(), "before", "keep"))


def test_cntk() -> None:
    w = weights(zero="c")
    arrays = {
        "W": np.concatenate([w["W", g].T for g in "zrn"], 1),
        "H": np.concatenate([w["U", g].T for g in "zr"], 1),
        "H1": w["U", "n"].T,
        "b": np.concatenate([w["b", g] for g in "zrn"]),
    }
    compare({"weights": arrays}, SEQUENCE, recurrence(w, sample(), "before", "keep"))


def test_dynet() -> None:
    w = weights(zero="c")
    names = {"z": "z", "r": "r", "n": "h"}
    arrays = {f"x2{names[g]}": w["W", g] for g in "zrn"} | {f"h2{names[g]}": w["U", g] for g in "zrn"}
    arrays |= {f"b{names[g]}": w["b", g] for g in "zrn"}
    compare({"weights": arrays}, SEQUENCE, recurrence(w, sample(), "before", "new"))


def test_speechbrain() -> None:
    w = weights(zero="c")
    arrays = {
        "w.weight": np.concatenate([w["W", g] for g in "nz"]),
        "u.weight": np.concatenate([w["U", g] for g in "nz"]),
    }
    arrays["w.bias"] = np.concatenate([w["b", g] for g in "nz"])
    compare({"weights": arrays}, SEQUENCE, recurrence(w, sample(), "none", "keep", relu=True))


def arrays_of(name: str, prefix: str = "", h: int = H, d: int = D, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    grids = CONVENTIONS[name].arrays
    return {prefix + key: rng.uniform(-1, 1, grid.shape(h, d)).astype("float32") for key, grid in grids.items()}


def read(arrays, architecture=None):
    return from_named(arrays, architecture, name="m", origin="m")


@pytest.mark.parametrize(
    "names",
    [
        "params/GRUCell_0/{}/{}",
        "GRUCell_0.{}.{}",
        "['params']['GRUCell_0']['{}']['{}']",
        ".cell.{}.{}",
        "a/~/b/{}/{}/value",
        "{}/{}:0",
    ],
)
def test_ways_to_write_a_path(names: str) -> None:
    arrays = {names.format(*key.split("/")): array for key, array in arrays_of("flax").items()}
    network = read(arrays)
    (layer,) = network.layers.values()
    assert layer.kind == "gru" and "Flax linen GRUCell" in layer.notes[0] and "ir/kernel = W_r^T" in layer.notes[0]
    assert "Flax linen GRUCell" in network.notes[0]


def test_numbered_layers_follow_one_another_by_number() -> None:
    arrays = {}
    for k in (10, 9, 2, 1):
        arrays |= arrays_of("mlx", f"layers.{k}.", H, H, seed=k)
    network = read(arrays)
    assert [layer.label for layer in network.layers.values()] == [f"layers/{k}" for k in (1, 2, 9, 10)]
    assert all(layer.options["return_sequences"] for layer in network.layers.values())
    assert "the layers give every time step" in network.notes[1]
    network = read(arrays, {"return_sequences": False})
    assert [layer.options["return_sequences"] for layer in network.layers.values()] == [True, True, True, False]


def test_an_order_that_widths_do_not_tell_is_asked_for() -> None:
    arrays = {**arrays_of("haiku", "gru/", 3, 2), **arrays_of("haiku_linear", "linear/", 2, 3)}
    with pytest.raises(UnusableInput, match=r"gru \(2 to 3\), linear \(3 to 2\) fit in more than one order"):
        read(arrays)
    network = read(arrays, {"layers": ["gru", {"name": "linear", "activation": "relu"}]})
    assert [layer.kind for layer in network.layers.values()] == ["fully_gated", "dense"]
    assert network.layers["linear"].options["activation"] == "relu"


def test_an_embedding_comes_first() -> None:
    arrays = {**arrays_of("flax", "GRUCell_0/", 3, 4), "Embed_0/embedding": np.ones((7, 4), "float32")}
    network = read(arrays)
    assert [layer.kind for layer in network.layers.values()] == ["embed", "gru"]
    assert network.inputs[0].whole and network.inputs[0].shape == (None,)
    with pytest.raises(UnusableInput, match=r"table has shape \(7, 5\); the next layer takes 4 features"):
        read({**arrays, "Embed_0/embedding": np.ones((7, 5), "float32")})


def test_a_square_linear_layer_of_torch_or_paddle_is_asked_for() -> None:
    both = {**arrays_of("torch", "gru."), **arrays_of("torch_linear", "head.", 3, 3)}
    with pytest.raises(UnusableInput, match="may be PyTorch, Equinox, MLX Linear or Paddle Linear; say which"):
        read(both)
    torch, paddle = (read(both, {"convention": name, "layers": ["gru", "head"]}) for name in ("torch", "paddle"))
    assert np.array_equal(torch.layers["head"].weights["W"].value, both["head.weight"])
    assert np.array_equal(paddle.layers["head"].weights["W"].value, both["head.weight"].T)


def test_random_states_and_aliases_are_left_out() -> None:
    arrays = {**arrays_of("flax_nnx", "rnn/cell/"), "rnn/rngs/count": np.zeros((), "uint32")}
    assert len(read(arrays).layers) == 1
    torch = arrays_of("paddle")
    arrays = {f"{name}_l0": a for name, a in torch.items()} | {f"0.cell.{name}": a for name, a in torch.items()}
    assert [layer.label for layer in read(arrays).layers.values()] == ["l0"]


def test_half_precision_is_said() -> None:
    arrays = {name: a.astype("float16") for name, a in arrays_of("mlx").items()}
    network = read(arrays)
    assert network.dtype == "float32" and any("half precision" in note for note in network.notes)


def test_activations_where_the_framework_has_them() -> None:
    layer = read(arrays_of("flax"), {"activation": "relu", "recurrent_activation": ["leaky_relu", 0.1]}).layers["flax"]
    assert layer.options["activation"] == "relu" and layer.options["recurrent_activation"] == ["leaky_relu", 0.1]
    with pytest.raises(UnusableInput, match="activation is 'relu'; MLX GRU always has tanh"):
        read(arrays_of("mlx"), {"activation": "relu"})
    with pytest.raises(UnusableInput, match="Flax linen SimpleCell has no recurrent_activation"):
        read(arrays_of("flax_simple"), {"recurrent_activation": "relu"})


def without(name: str, *keys: str) -> dict[str, np.ndarray]:
    return {key: array for key, array in arrays_of(name, "cell/").items() if key.removeprefix("cell/") not in keys}


BOTH_WAYS = {f"{k}_l0{end}": a for end in ("", "_reverse") for k, a in arrays_of("torch").items()}
LSTM = {f"lstm/{part}/kernel": np.ones((3, 3)) for part in ("ii", "if", "ig", "io", "hi", "hf", "hg", "ho")}


@pytest.mark.parametrize(
    ("arrays", "architecture", "message"),
    [
        ({}, None, "there are 0 arrays"),
        ({"a": np.ones(3)}, None, "the file holds a, which are not the arrays of one layer that symgru knows"),
        (without("flax", "hn/bias"), None, "'cell' holds .*hn/kernel.*, which are not the arrays of one layer"),
        (without("mlx", "bhn"), None, "'cell' holds Wx, Wh, b, which"),
        (LSTM, None, "'lstm' holds .*: an LSTM's arrays; symgru reads GRUs"),
        ({**arrays_of("haiku"), "w_h": np.ones((4, 9))}, None, r"w_h has shape \(4, 9\)|w_i has shape"),
        (arrays_of("haiku"), {"convention": "hiaku"}, "convention 'hiaku' is not known; known are keras, "),
        (arrays_of("haiku"), {"convention": "torch"}, "the file holds w_i, w_h, b, which are not"),
        (arrays_of("haiku"), {"convention": {"gates": "zrn"}}, "does not say kernel, bias, reset, update"),
        (arrays_of("haiku"), {"convention": {"gates": "zrn", "rest": 1}}, "unknown entry 'rest'"),
        (arrays_of("haiku"), {"layers": ["lstm"]}, "layer 1 of the architecture, 'lstm', is not one of haiku"),
        (arrays_of("haiku"), {"layers": []}, "the architecture does not list the layer 'haiku'"),
        (arrays_of("haiku"), {"layers": "haiku"}, "layers must be a list"),
        (arrays_of("haiku"), {"return_sequences": "yes"}, "must be true or false"),
        (arrays_of("haiku"), {"units": 3}, "unknown entry 'units'"),
        (without("keras", "bias"), None, "may be Keras GRU, reset_after=True or Keras"),
        ({**arrays_of("haiku"), "w_i": np.full((2, 9), np.nan)}, None, "w_i holds nan"),
        ({**arrays_of("haiku"), "b": np.zeros(9, complex)}, None, "b has dtype complex128"),
        ({"x/w_i": np.ones(1), "x.w_i": np.ones(1)}, None, "'x.w_i' and 'x/w_i' are names of one array"),
        ({**arrays_of("mlx", "a."), **arrays_of("mlx", "b.", 3, 7)}, None, "cannot follow one another by their widths"),
        ({f"{k:03}/w": np.ones((2, 2)) for k in range(300)}, None, "has 300 layers; at most 256 are read"),
        ({"x" * (k + 1) + "/w": np.ones((2, 2 + (k == 60))) for k in range(99)}, None, "fit in more|cannot be"),
        ({"x" * (k + 1) + "/w": np.ones((2, 2 + (k < 2))) for k in range(99)}, None, "cannot be told"),
        (BOTH_WAYS, None, "'l0_reverse': is the backward direction"),
        (arrays_of("torch_linear"), None, "no recurrent layer"),
    ],
)  # fmt: skip
def test_refused(arrays, architecture, message: str) -> None:
    with pytest.raises(SymgruError, match=message) as caught:
        load({"weights": arrays}, architecture)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
