"""Every worked line, read back from the emitted text, gives its printed value; an altered digit is noticed."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest

from symgru import styles
from symgru.activations import table
from symgru.explanation import explain
from symgru.network import Tensor
from symgru.readers import read
from tests.calculator import Wrong, check, evaluate, number
from tests.conftest import ROOT
from tests.documents.conftest import WRITERS, documents, network, sequence

SEED_INPUT = Tensor.of(np.array([[[1.0], [2], [9], [8]]]))


def test_the_seed_in_every_format(seed_network) -> None:
    for kind, document in documents(explain(seed_network, SEED_INPUT, 6), kinds=WRITERS).items():
        assert check(document, kind) == 32, kind


def test_two_units_in_every_format() -> None:
    x = Tensor.of(np.array([[[1, -0.5], [0.5, 2], [-1.5, 1]]]))
    e = explain(read(ROOT / "examples" / "two_units.json"), x)
    for kind, document in documents(e, kinds=WRITERS).items():
        assert check(document, kind) == 48, kind


def test_layer_after_layer_in_every_format() -> None:
    """A stack with a head without time, whose lines stand under the heading Output."""
    layers = [("gru", 2, {"return_sequences": True}), ("gru_before", 1, {}), ("dense", 2, {"activation": "relu"})]
    e = explain(network(3, layers, 1), sequence(3, 2, 1))
    for kind, document in documents(e, kinds=WRITERS).items():
        assert check(document, kind) == e.lines == 2 * 2 * 8 + 2 * 8 + 2 * 2, kind


@pytest.mark.parametrize("style", styles.named())
@pytest.mark.parametrize("units", [1, 2])
def test_every_style_in_every_format(units: int, style: str, monkeypatch) -> None:
    """Also where a style has the other update rule, so that z and its weights are others than the network's."""
    monkeypatch.setattr("symgru.lesson.outline.caught", lambda e: ())
    monkeypatch.setattr("symgru.backends.html.typeset.Typesetter.formula", lambda self, latex: "")
    e = explain(network(units, [("gru", units, {})], 2), sequence(units, 2, 2), style=styles.style(style))
    for kind, document in documents(e, kinds=WRITERS).items():
        assert check(document, kind) == units * 2 * 8, kind


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


VALUE, NUMBER = r"\d\.\d{8}", r"\d\.\d{6,8}"  # of the seed's 8 decimals; also its weights


def worked_digits(document: str, kind: str, number: str) -> list[int]:
    """Where the digits of numbers stand in the worked lines, headings left out."""
    if kind == "html":
        rows = re.finditer(r'<p class="line .*?</p>', document, re.DOTALL)
        texts = [(r.start() + t.start(1), t[1]) for r in rows for t in re.finditer(r">([^<]*)<", r[0])]
    else:
        body = document[document.index("Step 1") : document.index("Summary")]
        start, starts = document.index("Step 1"), ("Step", "#", "$", "\\sub", "{\\raggedright $")
        texts = [(start + r.start(), r[0]) for r in re.finditer(r".+", body) if not r[0].startswith(starts)]
    spans = ((at, m.span()) for at, text in texts for m in re.finditer(number, text))
    return [at + k for at, (i, j) in spans for k in range(i, j) if document[at + k].isdigit()]


def altered(document: str, at: int) -> str:
    return document[:at] + str((int(document[at]) + 1) % 10) + document[at + 1 :]


@pytest.mark.parametrize("kind", ["txt", "md", "tex", "html"])
def test_altered_digits_are_noticed(kind: str, seed_network) -> None:
    """Of values and operands, also where rounding hides the change: a number was printed before, or will be again."""
    document = documents(explain(seed_network, SEED_INPUT, 6), kinds=(kind,))[kind]
    assert isinstance(document, str)
    assert check(document, kind) == 32
    digits = sorted({at for number in (VALUE, NUMBER) for at in worked_digits(document, kind, number)})
    assert len(digits) > 2 * 32 * 9
    if kind == "html":  # whose page is fifty times as long
        digits = list(np.random.default_rng(0).choice(digits, 60, replace=False))
    for at in digits:
        with pytest.raises(Wrong):
            check(altered(document, int(at)), kind)


def test_altered_digits_of_a_spreadsheet_are_noticed(seed_network) -> None:
    """Every value of the sheet Steps as it is kept in the file; and weights and inputs, which all steps share."""
    document = documents(explain(seed_network, SEED_INPUT, 6), kinds=("xlsx",))["xlsx"]
    assert isinstance(document, bytes)
    assert check(document, "xlsx") == 32
    rng = np.random.default_rng(0)
    for sheet, pattern, least in ((4, r"<v>-?(\d\.\d{4,})</v>", 250), (2, r"<v>-?(\d\.\d{5})\d*</v>", 36)):
        part = f"xl/worksheets/sheet{sheet}.xml"
        with ZipFile(BytesIO(document)) as archive:
            text = archive.read(part).decode()
        digits = [k for m in re.finditer(pattern, text) for k in range(*m.span(1)) if text[k].isdigit()]
        assert len(digits) >= least
        for at in rng.choice(digits, 36, replace=False):
            with pytest.raises(Wrong):
                check(with_part(document, part, altered(text, int(at))), "xlsx")


def with_part(document: bytes, part: str, text: str) -> bytes:
    """The same archive with one of its files written anew."""
    target = BytesIO()
    with ZipFile(BytesIO(document)) as old, ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, text if name == part else old.read(name))
    return target.getvalue()


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
