"""The worked example of networks that are more than one layer after the other."""

import numpy as np

from symgru.document import Document
from symgru.explanation import explain
from symgru.face import Model
from symgru.network import Call, Edge, Input, Layer, Network, Tensor
from tests.conftest import random_network

X = np.array([[[0.0, 0.0], [1.25, -0.5], [0.0, 0.0]]])


def masked_and_reversed() -> Network:
    """Two GRUs under a mask, the second backwards from a given state; their outputs side by side, and relu of them."""
    options = {"return_sequences": True}
    one, two = (next(iter(random_network([("gru", 2, options)], 2, seed=s).layers.values())) for s in (1, 2))
    layers = {
        "seen": Layer("seen", "seen", "not_equal", {"value": 0.0}, {}),
        "flip": Layer("flip", "flip", "flip", {}, {}),
        "one": Layer("one", "one", "gru", options, one.weights),
        "two": Layer("two", "two", "gru", options, two.weights),
        "both": Layer("both", "both", "concatenate", {"axis": 2}, {}),
        "positive": Layer("positive", "positive", "activation", {"activation": "relu"}, {}),
        "mean": Layer("mean", "mean", "global_mean", {}, {}),
    }
    x, start = Edge("x", "input"), Edge("start", "input")
    calls = (
        Call("seen", "seen", (x,)),
        Call("one", "one", (x,), Edge("seen")),
        Call("turned", "flip", (x,)),
        Call("turned_mask", "flip", (Edge("seen"),)),
        Call("two", "two", (Edge("turned"),), Edge("turned_mask"), (start,)),
        Call("back", "flip", (Edge("two"),)),
        Call("both", "both", (Edge("one"), Edge("back"))),
        Call("positive", "positive", (Edge("both"),)),
        Call("mean", "mean", (Edge("positive"),)),
    )
    inputs = (Input("x", (None, 2)), Input("start", (2,)))
    return Network("float32", layers, calls, inputs, (Edge("mean"), Edge("two", "state")))


def given() -> list[Tensor]:
    return [Tensor.of(X), Tensor.of(np.array([[0.5, -0.25]]))]


def test_the_results_are_the_reference_rounded():
    network = masked_and_reversed()
    e = explain(network, given(), digits=4)
    y, state = Model(network)(X, [[0.5, -0.25]])
    assert e.reached
    assert not e.doubt
    assert np.abs(np.array([float(v) for v in e.results]) - np.concatenate([y[0], state[0]])).max() < 1e-4
    assert [layer.layer.id for layer in e.layers] == ["one", "two", "positive"]


def test_masked_steps_given_states_and_inputs_are_said():
    text = str(Document(explain(masked_and_reversed(), given(), digits=4)))
    assert text.count("The mask does not hold at this step, and the state stays as it was") == 4
    assert "stays as it was: 0.500000, -0.250000." in text.replace("\n  ", " ")
    assert "h_0 = [0.5" in text
    assert "Its input x is the input x, time reversed" in text
    assert "y is the output of positive, the mean over time." in " ".join(text.split())


def test_the_summary_has_no_gates_where_the_mask_does_not_hold():
    text = str(Document(explain(masked_and_reversed(), given(), digits=4)))
    rows = [line.split() for line in text.splitlines() if line.strip().startswith(("1     1", "2     1", "3     1"))]
    assert [len(row) for row in rows[:3]] == [5, 8, 5]  # t, unit, x and h; and z, r and n where the step counts
