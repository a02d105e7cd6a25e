"""Every worked line, read back from the emitted text, gives its printed value; an altered digit is noticed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symgru.activations import table
from symgru.explanation import explain
from symgru.network import Tensor
from tests.calculator import Wrong, check, evaluate, number
from tests.documents.conftest import KINDS, documents, network, sequence

SEED_INPUT = Tensor.of(np.array([[[1.0], [2], [9], [8]]]))


@pytest.mark.parametrize("seed", range(24))
def test_random_small_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units, features, steps = (int(rng.integers(1, n + 1)) for n in (3, 3, 4))
    made = network(seed, [("gru", units, {"reset_after": bool(seed % 2)})], features)
    e = explain(made, sequence(seed, steps, features), int(rng.integers(1, 7)))
    for kind, document in documents(e).items():
        assert check(document, kind) == steps * units * 8, kind


# Where a shrink gives 0 the line says 0 and no operand; no calculator has a key for sparsemax
@pytest.mark.parametrize("name", sorted(set(table()) - {"hard_shrink", "soft_shrink", "sparsemax"}))
def test_every_activation(name: str) -> None:
    # selu, exponential and the like grow where a gate uses them, so gates take turns with what is bounded
    options = {"activation": name, "recurrent_activation": name if name.startswith(("hard", "soft")) else "sigmoid"}
    e = explain(network(5, [("gru", 2, options), ("dense", 2, {"activation": name})], 2), sequence(5, 2, 2))
    lines = 2 * 2 * (7 if name == "linear" else 8) + 2 * (1 if name == "linear" else 2)
    for kind, document in documents(e).items():
        assert check(document, kind) == lines == e.lines


def test_stack_whose_second_layer_takes_the_rounded_sequence() -> None:
    layers = [("gru", 2, {"return_sequences": True}), ("gru", 3, {}), ("dense", 2, {"activation": "softmax"})]
    e = explain(network(3, layers, 1), sequence(3, 3, 1), 5)
    for kind, document in documents(e).items():
        assert check(document, kind) == 3 * 2 * 8 + 3 * 3 * 8 + 2 * 2, kind
    assert e.layers[1].x_texts[0][0] == e.layers[0].value("h1", 1, 0)


def test_without_biases() -> None:
    e = explain(network(4, [("gru", 2, {"use_bias": False})], 2), sequence(4, 2, 2))
    for kind, document in documents(e).items():
        assert check(document, kind) == e.lines


def test_tiny_and_large_numbers() -> None:
    made = network(7, [("gru", 1, {})], 1)
    for name in ("W_z", "W_n"):
        made.layers["layer_1"].weights[name].value[:] = 1
        made.layers["layer_1"].weights[name].text[:] = "1"
    x = Tensor.of(np.array([[[1e-7], [-25.0], [123456.0]]]))
    for kind, document in documents(explain(made, x)).items():
        assert check(document, kind) == 24, kind


def worked_digits(document: str, pattern: str) -> list[int]:
    """Where the digits of `pattern` stand in the worked lines, headings left out."""
    start, end = document.index("Step 1"), document.index("Summary")
    found, at = [], 0
    for row in document.splitlines(keepends=True):
        if start < at < end and not row.startswith(("Step", "###", "$", "\\subsection")):
            spans = (m.span(1) for m in re.finditer(pattern, row))
            found += [at + k for i, j in spans for k in range(i, j) if row[k].isdigit()]
        at += len(row)
    return found


def altered(document: str, at: int) -> str:
    return document[:at] + str((int(document[at]) + 1) % 10) + document[at + 1 :]


@pytest.mark.parametrize("kind", KINDS)
def test_any_altered_digit_of_a_value_is_noticed(kind: str, seed_network) -> None:
    document = documents(explain(seed_network, SEED_INPUT, 6))[kind]
    assert check(document, kind) == 32
    digits = worked_digits(document, r"= (-?\d+\.\d{8})(?=$| \\\\)")
    assert len(digits) == 32 * 9
    for at in digits:
        with pytest.raises(Wrong):
            check(altered(document, at), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_altered_digits_of_operands_are_noticed(kind: str, seed_network) -> None:
    """Also where rounding hides the change: a number was printed before, or will be printed again."""
    document = documents(explain(seed_network, SEED_INPUT, 6))[kind]
    digits = worked_digits(document, r"(\d\.\d{6,8})")
    for at in np.random.default_rng(0).choice(digits, 200, replace=False):
        with pytest.raises(Wrong):
            check(altered(document, int(at)), kind)


def test_the_calculator_itself() -> None:
    assert str(evaluate("1/(1 + e^-(-0.5))"))[:14] == "0.377540668798"
    assert evaluate("e^-0.5*2 - 3/4") == evaluate("(e^(-0.5))*2 - 0.75")
    assert str(evaluate("tanh(0.5)"))[:14] == "0.462117157260"
    assert str(evaluate("erf(0.5)"))[:14] == "0.520499877813"
    assert evaluate("max(0, min(6, -2 + 3))/6*6") == 1
    assert number("1.5 * 10^(-8)") == number("1.5e-8")
    for wrong in ("1 +", "2 3", "foo(1)", "(1", "1 = 2"):
        with pytest.raises(Wrong):
            evaluate(wrong)


@pytest.mark.parametrize("units", [1, 2])
def test_another_cell_needs_nothing_here(units: int) -> None:
    """The minimal gated unit is four lines in cells.py."""
    e = explain(network(2, [("mgu", units, {})], 2), sequence(2, 3, 2))
    for kind, document in documents(e).items():
        assert check(document, kind) == 3 * units * 6, kind
