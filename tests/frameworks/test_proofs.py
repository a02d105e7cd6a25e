"""What `symgru prove` says of Keras' GRU, tried on Keras in float64.

Equal outputs are equal to 1e-12: their states are at most 1 and each of 12 steps rounds sums of ten terms by 1.1e-16.
"""

from itertools import combinations

import numpy as np
import pytest

from symgru.activations import table
from symgru.cells import CELLS
from symgru.proofs import PROOFS
from symgru.proofs.claims import SameCells

FEATURES, STEPS = 2, 12
NEAR, FAR = 1e-12, 1e-4
GATES = "zrn"


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


def weights(units, seed, scale=1.0):
    """Random weights of a GRU by symgru's names, with shapes as symgru has them."""
    rng = np.random.default_rng(seed)
    shapes = {"W": (units, FEATURES), "U": (units, units), "b": (units,), "c": (units,)}
    return {f"{letter}_{g}": scale * rng.normal(size=shape) for letter, shape in shapes.items() for g in GATES}


def states(keras, w, x, reset_after=True, **options):
    """All states of Keras' layer from the zero state; without reset_after it has the biases b alone."""
    arrays = [np.hstack([w[f"{letter}_{g}"].T for g in GATES]) for letter in "WU"]
    rows = [np.concatenate([w[f"{letter}_{g}"] for g in GATES]) for letter in "bc"]
    layer = keras.layers.GRU(len(w["b_z"]), return_sequences=True, reset_after=reset_after, dtype="float64", **options)
    layer.build(x.shape)
    layer.set_weights([*arrays, np.stack(rows) if reset_after else rows[0]])
    return np.asarray(layer(x))


def inputs(seed):
    return np.random.default_rng(seed + 100).normal(size=(2, STEPS, FEATURES))


def moved(w, by, *names):
    """What is added to the first bias is taken from the second."""
    return w | {names[0]: w[names[0]] + by, names[1]: w[names[1]] - by}


def test_merged_biases(keras):
    w, x = weights(3, 1), inputs(1)
    pairs = combinations([f"{letter}_{g}" for letter in "bc" for g in GATES], 2)
    plain = states(keras, w, x)
    found = {pair for pair in pairs if np.abs(states(keras, moved(w, 0.5, *pair), x) - plain).max() < NEAR}
    argument = PROOFS["merged-biases"].build()
    claims = [claim for step in argument.steps for claim in step.claims if isinstance(claim, SameCells)]
    assert found == {tuple(map(str, claim.under)) for claim in claims if claim.left.name == "gru"}


@pytest.mark.parametrize(("units", "bias", "same"), [(1, 0.0, True), (2, 0.0, False), (1, 0.5, False)])
def test_reset_one_unit(units, bias, same, keras):
    w, x = weights(units, 2), inputs(2)
    w["c_n"] = np.full(units, bias)
    merged = w | {f"b_{g}": w[f"b_{g}"] + w[f"c_{g}"] for g in GATES}
    difference = np.abs(states(keras, w, x) - states(keras, merged, x, reset_after=False)).max()
    assert difference < NEAR if same else difference > FAR


def test_mirror(keras):
    w, x = weights(3, 3), inputs(3)
    changed = {name: -v if name in ("U_z", "U_r", "W_n", "b_n", "c_n") else v for name, v in w.items()}
    assert np.abs(states(keras, changed, x) + states(keras, w, x)).max() < NEAR


def test_first_step(keras):
    w, x = weights(3, 4), inputs(4)
    other = weights(3, 5)
    kernels = w | {name: other[name] for name in w if name[0] == "U"}
    after = states(keras, kernels, x)
    assert np.abs(after[:, 0] - states(keras, w, x)[:, 0]).max() < NEAR
    assert np.abs(after[:, 1] - states(keras, w, x)[:, 1]).max() > FAR
    no_bias = w | {"c_n": np.zeros(3)}
    reset = no_bias | {name: other[name] for name in w if name[2] == "r"}
    assert np.abs(states(keras, reset, x)[:, 0] - states(keras, no_bias, x)[:, 0]).max() < NEAR


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_sign_and_bound(seed, reset_after, keras):
    w, x = weights(3, seed, scale=3.0), np.abs(inputs(seed))
    w |= {"U_n": np.abs(w["U_n"]), **{name: -np.abs(w[name]) for name in ("W_n", "b_n", "c_n")}}
    found = states(keras, w, x, reset_after)
    assert (found < 0).all()
    assert np.abs(found).max() <= 1


ESCAPES = [
    t.counterexample
    for name in ("bounded", "sign")
    for t in PROOFS[name].build().twins
    if t.counterexample.cell == CELLS["gru"] and t.counterexample.point["h"] == 0
]


@pytest.mark.parametrize("found", ESCAPES, ids=range(len(ESCAPES)))
def test_states_that_refute_are_keras_own(found, keras):
    """The conditions of sign and of bounded are needed: one unit and one feature, from the zero state."""
    w = {s.name: np.full((1, 1) if s.name[0] in "WU" else 1, float(found.point[s.name])) for s in found.cell.params}
    state = states(keras, w, np.array(found.xs, dtype=float).reshape(1, -1, 1))[0, -1, 0]
    assert state == pytest.approx(float(found.evidence[0]), rel=5e-6), "six digits are shown"
    assert not {"<": state < found.bound, "<=": state <= found.bound}[found.relation]


@pytest.mark.parametrize(("units", "more"), [(2, {"softmax"}), (3, set()), (5, set())])
def test_which_gates_have_a_complement(units, more, keras):
    """s(-a) = 1 - s(a), for every activation that Keras and symgru have."""
    at = np.linspace(-7, 7, 30).reshape(-1, units)
    tensor = keras.ops.convert_to_tensor
    functions = {name: keras.activations.get(name) for name in table()}
    found = {
        name
        for name, f in functions.items()
        if np.abs(np.asarray(f(tensor(-at))) + np.asarray(f(tensor(at))) - 1).max() < 1e-12
    }
    assert found == {"sigmoid", "hard_sigmoid", "sparse_sigmoid"} | more


def test_update_rules_with_linear_gates(keras):
    """Without a complement: 1 - b_z in place of b_z, the update gate's other parameters negated, the rule by hand."""
    w, x = weights(3, 7, scale=0.2), inputs(7)
    other = w | {name: -w[name] for name in ("W_z", "U_z", "c_z")} | {"b_z": 1 - w["b_z"]}
    h = np.zeros((len(x), 3))
    for t in range(STEPS):
        gate = {g: x[:, t] @ other[f"W_{g}"].T + other[f"b_{g}"] for g in GATES}
        kept = {g: h @ other[f"U_{g}"].T + other[f"c_{g}"] for g in GATES}
        z, r = gate["z"] + kept["z"], gate["r"] + kept["r"]
        h = (1 - z) * h + z * np.tanh(gate["n"] + r * kept["n"])
    assert np.abs(h - states(keras, w, x, recurrent_activation="linear")[:, -1]).max() < NEAR


def test_update_rules(keras):
    """The other rule by hand, since Keras has only one, with the update gate negated."""
    w, x = weights(3, 6), inputs(6)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    h = np.zeros((len(x), 3))
    for t in range(STEPS):
        gate = {g: x[:, t] @ w[f"W_{g}"].T + w[f"b_{g}"] for g in GATES}
        kept = {g: h @ w[f"U_{g}"].T + w[f"c_{g}"] for g in GATES}
        z, r = sigmoid(-gate["z"] - kept["z"]), sigmoid(gate["r"] + kept["r"])
        h = (1 - z) * h + z * np.tanh(gate["n"] + r * kept["n"])
    assert np.abs(h - states(keras, w, x)[:, -1]).max() < NEAR
