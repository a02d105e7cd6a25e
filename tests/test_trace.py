"""Running networks: batches, states, sequences, stacks; exact arithmetic against tests/oracle.py."""

from decimal import Decimal

import numpy as np
import pytest

from symgru.backends.model import layers, split_time
from symgru.building import build
from symgru.cells import CELLS
from symgru.decimal_domain import Decimals
from symgru.domains import Float64
from symgru.float32 import Float32
from symgru.network import Tensor
from symgru.readers import read
from symgru.rules import CALCULATOR
from symgru.shapes import units
from symgru.trace import exact, keeps_time, run
from tests import oracle
from tests.conftest import random_input, random_network

SEQUENCES = {"return_sequences": True}
STACKS = {
    "gru": [("gru", 3, {})],
    "gru sequences": [("gru", 3, SEQUENCES)],
    "gru before": [("gru", 3, {"reset_after": False})],
    "two": [("gru", 4, SEQUENCES), ("gru", 2, {"use_bias": False})],
    "head": [("gru", 3, {}), ("dense", 2, {"activation": "softmax"})],
    "dense first": [("dense", 3, {"activation": "tanh"}), ("gru", 2, {})],
    "all along": [("gru", 3, SEQUENCES), ("dense", 2, {"activation": "softplus"})],
}
domains = pytest.mark.parametrize("domain", [Float64(), Float32(), Decimals(30)], ids=lambda d: d.name)
stacks = pytest.mark.parametrize("name", STACKS)


def network_of(name, dtype="float64"):
    return random_network(STACKS[name], 2, dtype, seed=sorted(STACKS).index(name) + 1)


def oracle_says(network, x):
    return oracle.run(
        [
            (u.layer.kind, dict(u.layer.options), [a.astype(np.float64) for a in u.arrays.values()])
            for u in layers(network)
        ],
        x,
    )


@stacks
def test_exact_agrees_with_the_oracle(name):
    network = network_of(name)
    x = random_input(network, 5, batch=2)
    y = exact(network, x)
    right = oracle_says(network, x.value)
    assert y.shape == right.shape
    assert all(isinstance(v, Decimal) for v in y.ravel())
    wide = np.array([np.longdouble(str(v)) for v in y.ravel()]).reshape(y.shape)
    assert np.abs(wide - right).max() <= 1e-17  # long double has 1e-19


@stacks
def test_float64_agrees_with_the_oracle(name):
    network = network_of(name)
    x = random_input(network, 5, batch=2)
    assert np.abs(run(network, x, Float64()).y - oracle_says(network, x.value)).max() <= 1e-15


@domains
@stacks
def test_a_batch_is_its_sequences_one_by_one(name, domain):
    network = network_of(name)
    x = random_input(network, 4, batch=3)
    whole = run(network, x, domain).y
    for k in range(3):
        single = run(network, x[k : k + 1], domain).y
        if isinstance(domain, Float64):  # BLAS may sum a larger product in another order
            assert np.abs(single[0] - whole[k]).max() <= 1e-15
        else:
            assert (single[0] == whole[k]).all()
    assert not np.array_equal(whole[0], whole[1])


@domains
@stacks
def test_two_halves_with_the_state_handed_over_are_the_whole(name, domain):
    network = network_of(name)
    x = random_input(network, 6, batch=2)
    whole = run(network, x, domain)
    first = run(network, x[:, :2], domain)
    second = run(network, x[:, 2:], domain, first.states)
    assert set(first.states) == {call.id for call, layer in network if build(layer.kind, layer.options).states}
    for call in first.states:
        assert (second.states[call] == whole.states[call]).all()
    assert (second.y == (whole.y[:, 2:] if keeps_time(network) else whole.y)).all()
    fresh = run(network, x[:, 2:], domain)
    assert (fresh.y != second.y).any(), "without the state it is another computation"


def test_initial_states_are_used_as_given():
    """With z = 1 (a huge b_z) the state never changes."""
    network = random_network([("gru", 2, {})], 1, "float64")
    weights = dict(network.layers["gru_1"].weights) | {"b_z": Tensor.of(np.full(2, 1e4))}
    from dataclasses import replace

    held = replace(network, layers={"gru_1": replace(network.layers["gru_1"], weights=weights)})
    h = np.array([[0.25, -3.0], [7.0, 0.0]])
    x = random_input(network, 3, batch=2)
    assert np.array_equal(run(held, x, Float64(), {"gru_1": h}).y, h)
    assert np.array_equal(run(held, x, Float64()).y, np.zeros((2, 2)))


def test_return_sequences_ends_with_the_last_output():
    every, last = (
        network_of("gru sequences"),
        random_network(STACKS["gru"], 2, "float64", seed=sorted(STACKS).index("gru sequences") + 1),
    )
    x = random_input(every, 5, batch=2)
    sequence = run(every, x, Float64()).y
    assert sequence.shape == (2, 5, 3)
    assert np.array_equal(sequence[:, -1], run(last, x, Float64()).y)
    shorter = run(every, x[:, :3], Float64()).y
    assert np.array_equal(shorter, sequence[:, :3]), "an output does not depend on later inputs"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("gru", False),
        ("gru sequences", True),
        ("two", False),
        ("head", False),
        ("dense first", False),
        ("all along", True),
    ],
)
def test_keeps_time(name, kept):
    network = network_of(name)
    assert keeps_time(network) is kept
    assert run(network, random_input(network, 4, batch=2), Float64()).y.ndim == (3 if kept else 2)
    timed, head = split_time(network)
    assert [u.id for u in [*timed, *head]] == [layer.id for layer in network.layers.values()]
    assert [u.layer.kind for u in head] == (["dense"] if name == "head" else [])


def test_traces_hold_every_line_of_every_step():
    network = network_of("two")
    x = random_input(network, 5, batch=2)
    result = run(network, x, Float64())
    first, second = result.traces
    assert (first.layer.id, second.layer.id) == ("gru_1", "gru_2")
    assert set(first.columns) == {"z", "r", "n", "h1"}
    assert first.columns["z"].shape == (2, 5, 4)
    assert first.sizes == {"H": 4, "D": 2}
    assert np.array_equal(first.x, x.value)
    assert np.array_equal(second.x, first.y), "the second layer reads what the first gave"
    z, n, h1 = (first.columns[k] for k in ("z", "n", "h1"))
    assert np.array_equal(h1[:, 0], (1 - z[:, 0]) * n[:, 0])
    assert np.abs(h1[:, 1:] - (z[:, 1:] * h1[:, :-1] + (1 - z[:, 1:]) * n[:, 1:])).max() <= 1e-16
    assert np.array_equal(result.states["gru_2"], second.y[:, -1])


def test_a_head_sees_the_last_step_only():
    network = network_of("head")
    gru, dense = run(network, random_input(network, 5, batch=2), Float64()).traces
    assert gru.y.shape == (2, 5, 3)
    assert dense.x.shape == (2, 1, 3)
    assert np.array_equal(dense.x[:, 0], gru.y[:, -1])


def test_a_rewritten_cell_gives_the_same_output_and_more_lines():
    network = network_of("gru")
    x = random_input(network, 4)
    cell = CALCULATOR(build("gru", {}))
    plain, rewritten = run(network, x, Float64()), run(network, x, Float64(), rewrite={"gru_1": cell})
    assert np.array_equal(plain.y, rewritten.y)
    columns = rewritten.traces[0].columns
    assert {"a_z", "a_r", "u_n", "a_n"} <= set(columns)
    assert np.abs(np.tanh(columns["a_n"]) - columns["n"]).max() <= 1e-16


def test_exact_gives_the_digits_that_were_asked_for():
    """Twice the digits agree with the first ones."""
    network = network_of("head")
    x = random_input(network, 4)
    few, many = exact(network, x, digits=15), exact(network, x, digits=60)
    for a, b in zip(few.ravel(), many.ravel(), strict=True):
        assert abs(a - b) <= abs(b) * Decimal("1e-15")
    more = exact(network, x, digits=90)
    for a, b in zip(many.ravel(), more.ravel(), strict=True):
        assert abs(a - b) <= abs(b) * Decimal("1e-60")


def test_exact_of_what_was_typed_is_not_exact_of_what_is_stored(seed_network, seed_input):
    """The seed's two numbers (shared/design.md): its decimal text, and the float32 values that Keras stores."""
    typed, stored = exact(seed_network, seed_input, typed=True), exact(seed_network, seed_input)
    assert f"{typed[0, 0]:.14f}" == "-0.46279537999927"
    assert f"{stored[0, 0]:.14f}" == "-0.46279538681734"


@pytest.mark.parametrize("name", CELLS)
def test_units(name):
    network = random_network([(name, 5, {})], 3)
    layer = network.layers[f"{name}_1"]
    assert units(build(name, {}), layer) == 5


FAR = {
    # candidate e^a, all weights 1: mpmath at 400 digits. 1 - sigma(200) is 1e-87 and meets e^200
    "a saturated gate": (
        {"activation": "exponential"},
        [[1, 1, 1]],
        "float32",
        [[200.0], [1.0]],
        "1.66261693013192481312599244217",
    ),
    # (1 - sigma(1)) tanh(1): 1e100 + 1 - 1e100
    "a sum that cancels": (
        {},
        [[1e100] * 3, [1] * 3, [-1e100] * 3],
        "float64",
        [[1.0, 1.0, 1.0]],
        "0.204824214809825143847217817915",
    ),
}


@pytest.mark.parametrize("case", FAR)
def test_exact_where_digits_are_lost(case):
    options, kernel, dtype, x, right = FAR[case]
    recurrent = 1 if case == "a saturated gate" else 0
    network = read(
        {
            "dtype": dtype,
            "layers": [{"kind": "gru", "options": options, "weights": [kernel, [[recurrent] * 3], [[0] * 3] * 2]}],
        }
    )
    y = exact(network, Tensor.of(np.array([x])))
    assert abs(y[0, 0] / Decimal(right) - 1) < Decimal("1e-28")


def test_what_cancels_for_ever_is_zero():
    """softmax gives 1 in all; 1 is taken off: no precision shows a digit of the rest."""
    network = read(
        {
            "layers": [
                {"kind": "gru", "weights": [[[0.5] * 6], [[0.25] * 6] * 2, [[0.1] * 6] * 2]},
                {
                    "kind": "dense",
                    "options": {"activation": "softmax"},
                    "weights": [[[1, 2, 3], [0.3, 0.2, 0.1]], [0, 0, 0]],
                },
                {"kind": "dense", "weights": [[[1], [1], [1]], [-1]]},
            ]
        }
    )
    assert exact(network, Tensor.of(np.array([[[0.7], [0.3]]]))).tolist() == [[0]]
