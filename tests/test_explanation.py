"""The worked example: the seed's numbers, the policy for digits, and what is refused."""

from __future__ import annotations

import sys
from decimal import Decimal

import numpy as np
import pytest

from symgru.backends import latex, markdown, text
from symgru.decimal_domain import Decimals
from symgru.errors import UnusableInput
from symgru.explanation import explain
from symgru.network import Layer, Tensor, chain
from symgru.rounding import Rounding
from symgru.trace import exact, run
from tests.documents.conftest import network, sequence, texts

X = Tensor.of(np.array([[[1.0], [2], [9], [8]]]))


def test_the_seed(seed_network) -> None:
    e = explain(seed_network, X, 6)
    table = [[e.layers[0].value(name, t, 0) for name in ("z", "r", "n", "h1")] for t in (1, 2, 3, 4)]
    assert table == [  # facts/mistakes.md to 8 decimals
        ["0.28709370", "0.73933643", "-0.04402055", "-0.03138253"],
        ["0.13863575", "0.88663888", "-0.09800380", "-0.08876771"],
        ["0.00027257", "0.99990886", "-0.40452419", "-0.40443812"],
        ["0.00062691", "0.99965683", "-0.46283199", "-0.46279538"],
    ]
    assert (e.decimals, e.reached, e.lines) == (8, True, 32)
    assert [c.text for c in e.checks()] == ["-0.46279538", "-0.46279537999927", "-0.46279538681734"]
    for document in texts(e).values():
        assert "-0.462795" in document
    assert "h_4 = -0.462795, to 6 decimals\n" in "".join(text.render_explanation(e))
    assert "all numbers are 0 and left out" in "".join(text.render_explanation(e))


def test_an_exact_tie_is_rounded_up(seed_network) -> None:
    """1.0425225 * 1 at six decimals."""
    e = explain(seed_network, X, 4)
    assert e.decimals == 6
    line = next(line for line in e.layers[0].lines(1) if line.lhs.of.name == "a_r")
    assert (line.text, line.risky) == ("1.042523", False)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("digits", [1, 4, 6])
def test_decimals_follow_the_policy(seed: int, digits: int) -> None:
    from symgru.working import shown, work_out

    made, x = network(seed, [("gru", 1, {})], 1), sequence(seed, 4, 1)
    e = explain(made, x, digits)
    wanted = Rounding(digits, 2)(exact(made, x, typed=True).item())
    cells = {call.id: shown(layer) for call, layer in made}
    scores = {}
    for d in range(digits + 2, min(digits + 4, 8) + 1):
        result, layers = work_out(made, x, cells, d)
        if Rounding(digits, 2)(result.y.item()) == wanted:
            scores[d] = layers[0].risky_lines
    assert e.reached == bool(scores)
    assert e.decimals == (min(scores, key=lambda d: (scores[d], d)) if scores else min(digits + 4, 8))
    assert digits + 2 <= e.decimals <= 8


def test_risky_lines_are_marked_with_two_more_digits() -> None:
    found = 0
    for seed in range(60):
        e = explain(network(seed, [("gru", 2, {})], 2), sequence(seed, 4, 2), 6)
        marked = [line for t in range(1, 5) for line in e.layers[0].lines(t) if line.risky]
        assert len(marked) == e.risky
        for line in marked:
            printed, more = Decimal(line.text), Decimal(line.more)
            assert more.as_tuple().exponent == printed.as_tuple().exponent - 2
            assert abs(more - printed) <= Decimal("0.51").scaleb(printed.as_tuple().exponent)
        if marked:
            found += 1
        if marked and found <= 4:
            for kind, document in texts(e).items():
                assert marked[0].more in document and ("dagger" if kind == "tex" else "†") in document
            assert "! " in "".join(text.render_explanation(e, ascii=True))
    assert found > 3


def test_where_the_digits_are_not_reached_the_document_says_so() -> None:
    """Weights so large that rounding errors grow."""
    for seed in range(200):
        made = network(seed, [("gru", 1, {"activation": "linear", "recurrent_activation": "linear"})], 1)
        x = Tensor.of(np.array([[[40.0], [70], [30], [20]]]))
        e = explain(made, x, 6)
        if not e.reached:
            assert e.decimals == 8
            assert all("The exact value rounds otherwise" in document for document in texts(e).values())
            return
    pytest.fail("no such network found")


def test_biases_that_are_zero_are_left_out_even_where_others_are_not() -> None:
    made = network(1, [("gru", 1, {})], 1)
    zero = Tensor.of(np.zeros(1, dtype=np.float32))
    layer = made.layers["layer_1"]
    weights = {k: zero if k.startswith("c_") else v for k, v in layer.weights.items()}
    e = explain(chain([Layer("gru", "gru", "gru", {}, weights)], dtype="float32", features=1), X)
    assert "c_" not in str(e.layers[0].cell.equations)
    assert "0 and left out below: c_z, c_r, c_n" in "".join(text.render_explanation(e))
    assert "u_n" in str(e.layers[0].calculator.equations)


def test_the_framework_is_asked_last(seed_network) -> None:
    asked: list[int] = []

    def framework(net, x):
        asked.append(1)
        return np.array([[-0.46279544]], dtype=np.float32), "Keras 3.15.1"

    e = explain(seed_network, X, 6, framework)
    pieces = text.render_explanation(e)
    first = next(pieces)
    while "Verification" not in first:
        first += next(pieces)
    assert not asked
    rest = "".join(pieces)
    assert asked == [1]
    assert "Keras 3.15.1" in rest and "-0.46279544" in rest and "1.7" in rest
    assert "Keras" in "".join(latex.render_explanation(e))
    assert "Keras 3\\.15\\.1" in "".join(markdown.render_explanation(e))


def test_documents_are_the_same_every_time(seed_network) -> None:
    first, second = (texts(explain(seed_network, X)) for _ in range(2))
    assert first == second
    for document in first.values():
        head = document[:500]
        assert "templates/" in head and seed_network.fingerprint in head and "0BSD" in head and "0.1.0" in head


PROVEN = "Proven by ball arithmetic: every digit of the exact values is right."


def test_the_verification_box_says_whether_its_exact_values_are_proven(seed_network, monkeypatch) -> None:
    e = explain(seed_network, X)
    assert [c.says for c in e.checks()][1:] == [
        "exact, proven, decimals shown above",
        "exact, proven, stored float32 numbers",
    ]
    assert all("exact, proven, stored float32" in d and PROVEN in " ".join(d.split()) for d in texts(e).values())
    monkeypatch.setitem(sys.modules, "flint", None)
    alone = explain(seed_network, X)
    assert [c.text for c in alone.checks()] == [c.text for c in e.checks()]
    for document in (" ".join(d.split()) for d in texts(alone).values()):
        assert "exact, not proven, decimals shown above" in document
        assert "Not proven: two decimal precisions agree on the exact values; python-flint is not" in document
        assert PROVEN not in document


def test_what_ball_arithmetic_does_not_settle_is_not_called_proven() -> None:
    """Softmax gives 1 in all, and 1 is taken off."""
    made = network(1, [("gru", 1, {}), ("dense", 2, {"activation": "softmax"}), ("dense", 1, {})], 1)
    ones = {"W": Tensor.of(np.ones((1, 2), np.float32)), "b": Tensor.of(np.array([-1], np.float32))}
    layers = [*list(made.layers.values())[:2], Layer("last", "last", "dense", {}, ones)]
    e = explain(chain(layers, dtype="float32", features=1), X)
    assert e.proof == (
        "Not proven: two decimal precisions agree on the exact values; ball arithmetic does not settle them."
    )
    assert [c.says for c in e.checks()][1].startswith("exact, not proven")


def test_large_numbers_show_proven_decimals() -> None:
    """10^24 / 3 or so, in decimals: 14 places need 38 digits."""
    made = network(1, [("gru", 1, {}), ("dense", 1, {})], 1)
    wide = {"W": Tensor.of(np.array([[0.0]])), "b": Tensor.of(np.array([2.0**80 + 2.0**28]))}
    layers = [next(iter(made.layers.values())), Layer("last", "last", "dense", {}, wide)]
    third = {**wide, "W": Tensor.of(np.array([[1e24]]))}
    for weights in (wide, third):
        layers[1] = Layer("last", "last", "dense", {}, weights)
        e = explain(chain(layers, dtype="float64", features=1), X)
        wanted = Rounding(14, 6, 6)(run(e.network, X, Decimals(90, typed=True)).y.item())
        assert e.doubt == ""
        assert [c.text for c in e.checks()][1] == Rounding(14, 6, 6).text(wanted)


def test_every_number_of_the_weights_has_its_symbol() -> None:
    made = network(6, [("gru", 2, {}), ("dense", 1, {})], 3)
    arrays = [a for layer in explain(made, sequence(6, 1, 3)).layers for a in layer.arrays]
    assert [(a.place, a.name, a.shape) for a in arrays] == [
        (0, "kernel", (3, 6)),
        (1, "recurrent_kernel", (2, 6)),
        (2, "bias", (2, 6)),
        (3, "kernel", (2, 1)),
        (4, "bias", (1,)),
    ]
    assert [[b.symbol.name for b in row] for row in arrays[2].blocks] == [["b_z", "b_r", "b_n"], ["c_z", "c_r", "c_n"]]
    assert arrays[0].blocks[0][1].texts.tolist() == made.layers["layer_1"].weights["W_r"].text.T.tolist()


@pytest.mark.parametrize("digits", [0, 7, -1, 2.0, True])
def test_digits_out_of_range(digits, seed_network) -> None:
    with pytest.raises(UnusableInput, match="1 to 6"):
        explain(seed_network, X, digits)


def test_unusable_inputs(seed_network) -> None:
    with pytest.raises(UnusableInput, match=r"21 sequences.*1 to 20.*x\[0:1\]"):
        explain(seed_network, Tensor.of(np.zeros((21, 3, 1))))
    for shape in ((3, 1), (1, 3, 2), (1, 0, 1)):
        with pytest.raises(UnusableInput, match="shape"):
            explain(seed_network, Tensor.of(np.zeros(shape)))
    with pytest.raises(UnusableInput, match="NaN"):
        explain(seed_network, Tensor.of(np.array([[[np.nan]]])))


def test_numbers_that_explode_are_refused_in_one_line() -> None:
    made = network(0, [("gru", 1, {"activation": "exponential", "recurrent_activation": "linear"})], 1)
    with pytest.raises(UnusableInput, match="grow"):
        explain(made, Tensor.of(np.array([[[900.0], [900.0], [-900.0], [900.0]]])))
