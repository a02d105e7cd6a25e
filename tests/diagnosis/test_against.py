"""A Keras model ported to PyTorch wrongly, in each way that people do: the cause is named, and the code mends it.

Both models are the frameworks' own; what is right is what Keras predicts and what the repaired PyTorch module gives.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import symgru
from symgru.backends import renderer
from symgru.diagnosis.against import Disagreement, against
from symgru.diagnosis.related import sources
from symgru.document import Document
from symgru.network import Tensor
from tests.conftest import need_installed

pytestmark = pytest.mark.filterwarnings("ignore")
STEPS, FEATURES, UNITS = 5, 3, 4
RNG = np.random.default_rng(5)
X = RNG.normal(size=(2, STEPS, FEATURES)).astype("float32")


def keras_model(*layers):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((STEPS, FEATURES)), *layers])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    return model


def gru(**options):
    import keras

    return keras.layers.GRU(UNITS, **{"name": "enc", **options})


def arrays(weights, order="rzn", prefix="enc.", end="_l0"):
    """Keras' kernel, recurrent kernel and bias rows as PyTorch's arrays, by hand, the blocks in an order."""
    kernel, recurrent, bias = weights
    bias = bias.reshape(-1, 3 * UNITS)
    b, c = bias if len(bias) == 2 else (bias[0], np.zeros_like(bias[0]))

    def laid(a):
        blocks = dict(zip("zrn", np.split(a, 3, axis=-1), strict=True))
        return np.concatenate([blocks[g].T for g in order])

    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {f"{prefix}{n}{end}": laid(a) for n, a in zip(names, (kernel, recurrent, b, c), strict=True)}


def saved(path: Path, state) -> Path:
    torch = pytest.importorskip("torch")
    torch.save({name: torch.tensor(np.ascontiguousarray(a)) for name, a in state.items()}, path)
    return path


def compared(tmp_path, model, state, architecture=None) -> Disagreement:
    """The two files, compared on X."""
    model.save(tmp_path / "a.keras")
    saved(tmp_path / "b.pt", state)
    a = symgru.load(tmp_path / "a.keras")
    b = symgru.load(tmp_path / "b.pt", architecture)
    return against(a.network, b.network, a.read_all([X])[0])


def causes(found: Disagreement, pair=0):
    return [(c.kind, c.says) for c in found.pairs[pair].causes]


def torch_gru(path: Path, prefix="enc.", features=FEATURES, **options):
    """What PyTorch's own GRU gives with a saved state at every step."""
    import torch

    state = {n.removeprefix(prefix): t for n, t in torch.load(path, weights_only=True).items() if n.startswith(prefix)}
    module = torch.nn.GRU(features, UNITS, batch_first=True, **options)
    module.load_state_dict(state)
    with torch.no_grad():
        return module(torch.tensor(X))[0].numpy()


def run_code(tmp_path, found: Disagreement) -> Path:
    """Run the code that a report gives as a user does, in the models' folder."""
    with contextlib.chdir(tmp_path):
        exec(found.mending.code, {})
    return tmp_path / "b_right.pt"


def run_command(tmp_path, found: Disagreement) -> Path:
    words = found.mending.command.split()
    done = subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tmp_path / words[-1]


@pytest.fixture(autouse=True)
def _frameworks():
    need_installed("torch")
    need_installed("keras")


@pytest.fixture(scope="module")
def model():
    need_installed("keras")
    return keras_model(gru(return_sequences=True))


# ---------------------------------------------------------------- right ports


def test_a_right_port_agrees(tmp_path, model):
    found = compared(tmp_path, model, arrays(model.get_weights()))
    assert found.agrees and found.mending is None and not found.parted
    assert found.difference.largest < 1e-12
    np.testing.assert_allclose(torch_gru(tmp_path / "b.pt"), model.predict(X, verbose=0), atol=1e-6)


def test_the_allowance_is_that_of_the_frameworks(tmp_path, model):
    """What Keras and PyTorch give in float32 is within it; ten times as much is no rounding any more."""
    found = compared(tmp_path, model, arrays(model.get_weights()))
    far = np.abs(torch_gru(tmp_path / "b.pt") - model.predict(X, verbose=0)).max()
    assert far <= found.difference.allowed < 1e-4


# ---------------------------------------------------------------- one layer, ported wrongly


def wrong_biases(a, b, c):
    return {**a, "enc.bias_ih_l0": b, "enc.bias_hh_l0": c}


def blocks_transposed(a):
    turned = np.concatenate([block.T for block in np.split(a["enc.weight_hh_l0"], 3)])
    return {**a, "enc.weight_hh_l0": turned}


WRONG = {
    "the gates in Keras' order": (
        lambda w: arrays(w, "zrn"),
        ["enc.weight_ih_l0", "enc.weight_hh_l0", "enc.bias_ih_l0", "enc.bias_hh_l0", "z, r, n"],
    ),
    "the gates in another order": (lambda w: arrays(w, "nzr"), ["n, z, r"]),
    "the biases' gates alone": (
        lambda w: {**arrays(w), **{n: a for n, a in arrays(w, "zrn").items() if "bias" in n}},
        ["blocks of enc.bias_ih_l0 and enc.bias_hh_l0 lie in the order z, r, n"],
    ),
    "the recurrent kernel's blocks transposed": (
        lambda w: blocks_transposed(arrays(w)),
        ["enc.weight_hh_l0", "transposed"],
    ),
    "the biases summed": (
        lambda w: wrong_biases(
            a := arrays(w), a["enc.bias_ih_l0"] + a["enc.bias_hh_l0"], np.zeros(3 * UNITS, "float32")
        ),
        ["enc.bias_ih_l0 holds the sum", "enc.bias_hh_l0 is 0"],
    ),
    "the biases' sum in both": (
        lambda w: wrong_biases(
            a := arrays(w), a["enc.bias_ih_l0"] + a["enc.bias_hh_l0"], a["enc.bias_ih_l0"] + a["enc.bias_hh_l0"]
        ),
        ["both hold the sum", "counted twice"],
    ),
    "the biases exchanged": (
        lambda w: wrong_biases(a := arrays(w), a["enc.bias_hh_l0"], a["enc.bias_ih_l0"]),
        ["enc.bias_ih_l0 and enc.bias_hh_l0 are exchanged"],
    ),
    "the second bias forgotten": (
        lambda w: wrong_biases(a := arrays(w), a["enc.bias_ih_l0"], np.zeros(3 * UNITS, "float32")),
        ["enc.bias_hh_l0 is 0", "second row is left out"],
    ),
    "the first bias in both": (
        lambda w: wrong_biases(a := arrays(w), a["enc.bias_ih_l0"], a["enc.bias_ih_l0"]),
        ["both hold the first row"],
    ),
    "reshaped in place of transposed": (
        lambda w: {**arrays(w), "enc.weight_hh_l0": w[1].reshape(3 * UNITS, UNITS)},
        ["enc.weight_hh_l0", "reshape"],
    ),
    "the gates' units in turn": (
        lambda w: {n: np.concatenate([a[k::UNITS] for k in range(UNITS)]) for n, a in arrays(w).items()},
        ["enc.weight_hh_l0", "the units stand in another order"],
    ),
    "half precision": (
        lambda w: {n: a.astype("float16").astype("float32") for n, a in arrays(w).items()},
        ["float16"],
    ),
    "three decimals": (lambda w: {n: a.round(3) for n, a in arrays(w).items()}, ["3 decimals"]),
    "the update gate negated": (
        lambda w: {n: np.concatenate([a[:UNITS], -a[UNITS : 2 * UNITS], a[2 * UNITS :]]) for n, a in arrays(w).items()},
        ["the update gate's weights are negated"],
    ),
    "half as large": (lambda w: {n: 0.5 * a for n, a in arrays(w).items()}, ["times 0.5"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_port_is_explained_and_mended(name, tmp_path, model):
    port, told = WRONG[name]
    state = port(model.get_weights())
    found = compared(tmp_path, model, state)
    (pair,) = found.pairs
    assert not found.agrees and not pair.agrees
    said = " ".join(says for _, says in causes(found))
    for words in told:
        assert words in said, said
    assert len(pair.causes) == 1, said

    right, wrong = model.predict(X, verbose=0), torch_gru(tmp_path / "b.pt")
    at = pair.difference.first  # the first number, by steps, that the frameworks' own outputs show to be off
    off = np.argwhere(np.abs(right - wrong) > 1e-4)
    first = min(map(tuple, off), key=lambda place: (place[1], place[0], place[2]))
    assert (at.sequence, at.step) == tuple(map(int, first[:2])) or name == "half precision"
    place = (at.sequence, at.step, at.unit)
    np.testing.assert_allclose(pair.difference.values, (right[place], wrong[place]), atol=1e-5)

    np.testing.assert_allclose(torch_gru(run_code(tmp_path, found)), right, atol=1e-5)
    assert found.mending.left < 1e-12


def test_the_command_mends_it(tmp_path, model):
    found = compared(tmp_path, model, arrays(model.get_weights(), "zrn"))
    path = run_command(tmp_path, found)
    np.testing.assert_allclose(torch_gru(path), model.predict(X, verbose=0), atol=1e-5)


def test_freshly_drawn_weights_have_nothing_to_do_with_it(tmp_path, model):
    other = {
        n: np.random.default_rng(9).normal(size=a.shape).astype("float32")
        for n, a in arrays(model.get_weights()).items()
    }
    found = compared(tmp_path, model, other)
    (pair,) = found.pairs
    (cause,) = pair.causes
    assert cause.kind == "unrelated" and "nothing to do" in cause.says
    largest = max(np.abs(other[n] - a).max() for n, a in arrays(model.get_weights()).items())
    assert f"{largest:.3g}" in cause.says
    assert pair.searched is not None and pair.searched.verdict == "none"


def test_weights_trained_further_are_akin(tmp_path, model):
    rng = np.random.default_rng(9)
    other = {n: a + 0.01 * rng.normal(size=a.shape).astype("float32") for n, a in arrays(model.get_weights()).items()}
    (cause,) = compared(tmp_path, model, other).pairs[0].causes
    assert cause.kind == "unrelated" and "further training" in cause.says


# ---------------------------------------------------------------- options


def test_a_reset_gate_before_the_product_cannot_be_ported(tmp_path):
    model = keras_model(gru(return_sequences=True, reset_after=False))
    found = compared(tmp_path, model, arrays(model.get_weights()))
    (cause,) = found.pairs[0].causes
    assert cause.kind == "option" and "reset_after=True" in cause.says and "reset_after=False" in cause.instead
    assert "reset gate" in found.mending.refused and not found.mending.code
    path = run_command(tmp_path, found)  # a format that can hold it
    a, b = symgru.load(tmp_path / "a.keras"), symgru.load(path)
    np.testing.assert_allclose(b(X), a(X), atol=1e-12)
    np.testing.assert_allclose(b(X), model.predict(X, verbose=0), atol=1e-5)


def test_a_hard_sigmoid_cannot_be_ported(tmp_path):
    model = keras_model(gru(return_sequences=True, recurrent_activation="hard_sigmoid"))
    found = compared(tmp_path, model, arrays(model.get_weights()))
    (cause,) = found.pairs[0].causes
    assert cause.kind == "option" and "recurrent_activation is sigmoid" in cause.says
    assert "hard_sigmoid" in cause.instead and "recurrent_activation" in found.mending.refused
    assert found.mending.command.endswith(".keras") or found.mending.command.endswith(".onnx")


def test_the_update_rule(tmp_path, model):
    """The same weights in a cell whose update gate weighs the candidate."""
    model.save(tmp_path / "a.keras")
    a = symgru.load(tmp_path / "a.keras").network
    (layer,) = a.layers.values()
    options = {k: v for k, v in layer.options.items() if k != "reset_after"}
    b = replace(a, layers={layer.id: replace(layer, kind="gru_new", options=options)})
    found = against(a, b, Tensor(X.astype("float64")))
    (cause,) = found.pairs[0].causes
    assert cause.kind == "option" and "candidate" in cause.says


def test_the_other_way_round_in_time(tmp_path):
    model = keras_model(gru(return_sequences=True, go_backwards=True))
    found = compared(tmp_path, model, arrays(model.get_weights()))
    (cause,) = found.pairs[0].causes
    assert "from its beginning" in cause.says and "from its end" in cause.instead
    assert not found.pairs[0].agrees and not found.agrees and not found.mending.code


def test_batch_first_forgotten(tmp_path):
    """The files agree; fed as (batch, time, features) to a GRU of batch_first=False, the port gives another number,
    which the report names."""
    import torch

    model = keras_model(gru())
    found = compared(tmp_path, model, arrays(model.get_weights()))
    assert found.agrees
    module = torch.nn.GRU(FEATURES, UNITS)
    state = torch.load(tmp_path / "b.pt", weights_only=True)
    module.load_state_dict({n.removeprefix("enc."): t for n, t in state.items()})
    with torch.no_grad():
        wrong = module(torch.tensor(X))[0][-1, -1].numpy()
    report = str(Document(found))
    row = next(line for line in report.splitlines() if "time steps for the sequences of the batch" in line)
    numbers = [float(n) for n in row.replace(",", " ").split()[-UNITS:]]
    np.testing.assert_allclose(numbers, wrong, atol=1e-6)


def test_a_port_without_biases(tmp_path, model):
    state = {n: a for n, a in arrays(model.get_weights()).items() if "weight" in n}
    found = compared(tmp_path, model, state)
    (cause,) = found.pairs[0].causes
    assert cause.says == "the second model's layer has no biases" and "bias=True" in found.mending.why
    assert not found.mending.code


def test_biases_that_the_first_model_has_not(tmp_path):
    model = keras_model(gru(return_sequences=True, use_bias=False))
    kernel, recurrent = model.get_weights()
    bias = np.random.default_rng(3).normal(size=(2, 3 * UNITS)).astype("float32")
    found = compared(tmp_path, model, arrays([kernel, recurrent, bias]))
    (cause,) = found.pairs[0].causes
    assert cause.says == "the second model's layer has biases"
    np.testing.assert_allclose(torch_gru(run_code(tmp_path, found)), model.predict(X, verbose=0), atol=1e-5)


def test_two_mistakes_at_once_and_the_wiring_behind_them(tmp_path):
    """A wrong gate order hides nothing: what the head is given is looked at with the weights laid right."""
    model = bidirectional()
    forward, backward = model.layers[0].get_weights()[:3], model.layers[0].get_weights()[3:]
    state = both_ways(model)
    state |= arrays(forward, "zrn", prefix="g.")
    state["g.bias_hh_l0_reverse"] = np.zeros(3 * UNITS, "float32")
    assert backward[2][1].any()
    found = compared(tmp_path, model, state, LAST)
    assert causes(found, 0)[0][0] == "order" and causes(found, 1)[0][0] == "bias"
    assert found.wiring.pair.other.layer.label == "head" and found.wiring.first_step_for_last
    path = run_code(tmp_path, found)
    assert symgru.load(path, H_N)(X) == pytest.approx(model.predict(X, verbose=0), abs=1e-5)


def test_one_step_hides_the_recurrent_kernel(tmp_path, model):
    """h_0 is 0: after one step nothing of U has counted yet."""
    model.save(tmp_path / "a.keras")
    saved(tmp_path / "b.pt", blocks_transposed(arrays(model.get_weights())))
    a, b = symgru.load(tmp_path / "a.keras"), symgru.load(tmp_path / "b.pt")
    found = against(a.network, b.network, [Tensor(X[:, :1].astype("float64"))])
    assert found.agrees and found.pairs[0].hidden
    assert "transposed" in found.pairs[0].causes[0].says and "With this input the two agree" in str(Document(found))
    np.testing.assert_allclose(torch_gru(run_code(tmp_path, found)), model.predict(X, verbose=0), atol=1e-5)


def test_every_step_beside_the_last_is_no_mistake_of_wiring(tmp_path):
    """A state_dict does not say which it is."""
    import keras

    model = keras_model(gru(), keras.layers.Dense(2, name="head"))
    kernel, bias = model.layers[1].get_weights()
    state = {**arrays(model.layers[0].get_weights(), "zrn"), "head.weight": kernel.T, "head.bias": bias}
    found = compared(tmp_path, model, state)
    assert found.wiring is None and found.shapes.endswith("compared after the last step")
    assert found.mending.left < 1e-12 and len(found.parted) == 1


def test_a_sum_that_changes_nothing_is_no_difference(tmp_path, model):
    """Of z and r only the sum of the two biases counts."""
    state = arrays(model.get_weights())
    b, c = state["enc.bias_ih_l0"].copy(), state["enc.bias_hh_l0"].copy()
    b[: 2 * UNITS] += c[: 2 * UNITS]
    c[: 2 * UNITS] = 0
    found = compared(tmp_path, model, state | {"enc.bias_ih_l0": b, "enc.bias_hh_l0": c})
    assert found.agrees and not found.pairs[0].hidden and found.mending is None


def test_a_mask(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras_model(keras.layers.Masking(), gru(return_sequences=True))
    model.save(tmp_path / "a.keras")
    saved(tmp_path / "b.pt", arrays(model.get_weights()))
    a, b = symgru.load(tmp_path / "a.keras"), symgru.load(tmp_path / "b.pt")
    x = X.copy()
    x[0, 1] = 0
    found = against(a.network, b.network, a.read_all([x])[0])
    (cause,) = found.pairs[0].causes
    assert "no mask" in cause.says
    at = found.pairs[0].difference.first
    assert (at.sequence, at.step) == (0, 1)
    right = model.predict(x, verbose=0)
    assert found.pairs[0].difference.values[0] == pytest.approx(right[at.sequence, at.step, at.unit], abs=1e-5)


# ---------------------------------------------------------------- several layers


def stack():
    import keras

    return keras_model(
        gru(name="one", return_sequences=True),
        gru(name="two", return_sequences=True),
        keras.layers.Dense(2, name="head"),
    )


STACK = {"layers": [{"kind": "gru", "name": "g"}, {"kind": "linear", "name": "head"}]}


def stacked(model, exchanged=False):
    """A stack of four features, four units, so that its layers can be exchanged."""
    one, two, head = (layer.get_weights() for layer in model.layers)
    if exchanged:
        one, two = two, one
    state = {**arrays(one, prefix="g."), **arrays(two, prefix="g.", end="_l1")}
    return {**state, "head.weight": head[0].T, "head.bias": head[1]}


def test_only_the_second_layer_and_the_head_are_wrong(tmp_path):
    model = stack()
    state = stacked(model)
    state |= arrays(model.layers[1].get_weights(), "zrn", prefix="g.", end="_l1")
    state["head.bias"] = np.zeros(2, "float32")
    found = compared(tmp_path, model, state, STACK)
    assert [p.agrees for p in found.pairs] == [True, False, False]
    assert found.parted[0].own.layer.label == "two" and found.parted[0].other.layer.label == "g_l1"
    assert "g.weight_ih_l1" in causes(found, 1)[0][1]
    code = run_code(tmp_path, found)
    assert symgru.load(code, STACK)(X) == pytest.approx(model.predict(X, verbose=0), abs=1e-5)


def test_layers_exchanged(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras_model(
        gru(name="in", return_sequences=True),
        gru(name="one", return_sequences=True),
        gru(name="two", return_sequences=True),
        keras.layers.Dense(2, name="head"),
    )
    first, one, two, head = (layer.get_weights() for layer in model.layers)
    state = {
        **arrays(first, prefix="g."),
        **arrays(two, prefix="g.", end="_l1"),
        **arrays(one, prefix="g.", end="_l2"),
        "head.weight": head[0].T,
        "head.bias": head[1],
    }
    found = compared(tmp_path, model, state, STACK)
    assert [p.agrees for p in found.pairs] == [True, False, False, True]
    assert [kind for k in (1, 2) for kind, _ in causes(found, k)] == ["another", "another"]
    assert "layer two" in causes(found, 1)[0][1] and "layer one" in causes(found, 2)[0][1]
    code = run_code(tmp_path, found)
    assert symgru.load(code, STACK)(X) == pytest.approx(model.predict(X, verbose=0), abs=1e-5)


def bidirectional(**options):
    import keras

    return keras_model(keras.layers.Bidirectional(gru(**options), name="both"), keras.layers.Dense(2, name="head"))


def both_ways(model, exchanged=False):
    kernels = model.layers[0].get_weights()
    forward, backward = kernels[:3], kernels[3:]
    if exchanged:
        forward, backward = backward, forward
    head = model.layers[1].get_weights()
    state = {**arrays(forward, prefix="g."), **arrays(backward, prefix="g.", end="_l0_reverse")}
    return {**state, "head.weight": head[0].T, "head.bias": head[1]}


H_N = {"layers": [{"kind": "gru", "name": "g", "output": "h_n"}, {"kind": "linear", "name": "head"}]}
LAST = {"layers": [{"kind": "gru", "name": "g"}, {"kind": "last"}, {"kind": "linear", "name": "head"}]}


def test_halves_exchanged(tmp_path):
    model = bidirectional()
    found = compared(tmp_path, model, both_ways(model, exchanged=True), H_N)
    assert [p.agrees for p in found.pairs] == [False, False, True]
    assert "backward_enc" in causes(found, 0)[0][1] and "forward_enc" in causes(found, 1)[0][1]
    code = run_code(tmp_path, found)
    assert symgru.load(code, H_N)(X) == pytest.approx(model.predict(X, verbose=0), abs=1e-5)


def test_the_last_step_of_both_directions_is_not_their_last_state(tmp_path):
    """out[:, -1] of a bidirectional GRU holds the backward direction's first step."""
    model = bidirectional()
    found = compared(tmp_path, model, both_ways(model), LAST)
    assert not found.agrees and all(p.agrees for p in found.pairs)
    assert found.wiring.pair.other.layer.label == "head"
    assert found.wiring.own == (
        f"forward_enc after its step {STEPS} of {STEPS}",
        f"backward_enc after its step {STEPS} of {STEPS}",
    )
    assert found.wiring.other == (f"g after its step {STEPS} of {STEPS}", f"g_l0_reverse after its step 1 of {STEPS}")


# ---------------------------------------------------------------- sizes, other directions


def test_other_sizes_are_said_in_a_line(tmp_path, model):
    rng = np.random.default_rng(2)
    shapes = {"weight_ih_l0": (18, 3), "weight_hh_l0": (18, 6), "bias_ih_l0": (18,), "bias_hh_l0": (18,)}
    found = compared(tmp_path, model, {f"enc.{n}": rng.normal(size=s).astype("float32") for n, s in shapes.items()})
    assert found.pairs[0].shapes == "4 units in the first model, 6 in the second"
    assert found.difference is None and "6 numbers" in found.shapes


def test_other_numbers_of_layers(tmp_path, model):
    state = {
        **arrays(model.get_weights()),
        "head.weight": np.ones((2, UNITS), "float32"),
        "head.bias": np.zeros(2, "float32"),
    }
    found = compared(tmp_path, model, state)
    assert [s.layer.label for s in found.alone[1]] == ["head"] and not found.alone[0]
    assert "without a counterpart: head" in str(Document(found))


def test_a_keras_port_of_a_torch_model(tmp_path):
    """The other way round: the code writes a .keras file that Keras loads."""
    keras = pytest.importorskip("keras")
    model = keras_model(gru(return_sequences=True))
    right = arrays(model.get_weights())
    saved(tmp_path / "a.pt", right)
    expected = model.predict(X, verbose=0)
    kernel, recurrent, bias = model.get_weights()
    rolled = [
        np.concatenate([a[..., UNITS : 2 * UNITS], a[..., :UNITS], a[..., 2 * UNITS :]], -1)
        for a in (kernel, recurrent, bias)
    ]
    model.set_weights(rolled)  # the blocks as PyTorch has them
    model.save(tmp_path / "b.keras")
    a, b = symgru.load(tmp_path / "a.pt"), symgru.load(tmp_path / "b.keras")
    found = against(a.network, b.network, a.read_all([X])[0])
    (cause,) = found.pairs[0].causes
    assert cause.kind == "order" and "order r, z, n" in cause.says and cause.instead.endswith("order z, r, n")
    run_code(tmp_path, found)
    mended = keras.saving.load_model(tmp_path / "b_right.keras")
    np.testing.assert_allclose(mended.predict(X, verbose=0), expected, atol=1e-5)


# ---------------------------------------------------------------- the report


def test_every_format_shows_it(tmp_path, model):
    found = compared(tmp_path, model, arrays(model.get_weights(), "zrn"))
    for backend in ("text", "markdown", "html", "latex"):
        made = "".join(renderer(backend, "disagreement")(found))
        assert "Layer by layer" in made and "symgru convert" in made


def test_the_command_line_says_the_same(tmp_path, model):
    found = compared(tmp_path, model, arrays(model.get_weights(), "zrn"))
    np.save(tmp_path / "x.npy", X)
    words = ["diagnose", "a.keras", "--against", "b.pt", "--input", "x.npy"]
    done = subprocess.run(
        [sys.executable, "-m", "symgru", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "lie in the order z, r, n" in " ".join(done.stdout.split())
    assert found.mending.command in " ".join(done.stdout.split())


def test_live_models(model):
    """Two models in memory: the code works on them as they are."""
    import torch

    module = torch.nn.GRU(FEATURES, UNITS, batch_first=True)
    module.load_state_dict({n: torch.tensor(a) for n, a in arrays(model.get_weights(), "zrn", prefix="").items()})
    a, b = symgru.load(model), symgru.load(module)
    found = against(a.network, b.network, a.read_all([X])[0])
    assert found.pairs[0].causes[0].kind == "order" and not found.mending.command
    exec(found.mending.code, {"first_model": model, "second_model": module})
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.tensor(X))[0], model.predict(X, verbose=0), atol=1e-5)


def test_names_from_a_file_are_made_harmless(tmp_path, model):
    state = {n.replace("enc.", "<b>$x`."): a for n, a in arrays(model.get_weights(), "zrn").items()}
    found = compared(tmp_path, model, state)
    assert "<b>" not in "".join(renderer("html", "disagreement")(found))
    compile(found.mending.code, "mend.py", "exec")


def test_json_of_bare_arrays_is_a_side_too(tmp_path, model):
    """The first model need not be a framework's: the code then reads it with symgru."""
    model.save(tmp_path / "a.keras")
    layer = {"kind": "gru", "options": {"return_sequences": True}, "weights": [w.tolist() for w in model.get_weights()]}
    (tmp_path / "a.json").write_text(json.dumps({"layers": [layer]}))
    saved(tmp_path / "b.pt", arrays(model.get_weights(), "zrn"))
    a, b = symgru.load(tmp_path / "a.json"), symgru.load(tmp_path / "b.pt")
    found = against(a.network, b.network, a.read_all([X])[0])
    np.testing.assert_allclose(torch_gru(run_code(tmp_path, found)), model.predict(X, verbose=0), atol=1e-5)


# ---------------------------------------------------------------- sources


def test_sources_prefer_the_array_of_the_same_name():
    zero, one = Tensor(np.zeros(2)), Tensor(np.ones(2))
    found = sources({"b_z": zero, "b_r": zero, "b_n": one}, {"b_z": zero, "b_r": zero, "b_n": one})
    assert all(s.own for s in found.values())


def test_a_float16_file_of_a_float32_model_is_named():
    w = RNG.normal(size=(3, 3))
    (found,) = sources({"W": Tensor(w)}, {"W": Tensor(w.astype("float16").astype("float64"))}).values()
    assert found.how == "in float16"
