"""What the documents say in words: names, indices, rounding, the verification box."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from symgru.activations import table
from symgru.backends import latex, markdown, text
from symgru.derivation import derive
from symgru.explanation import Explanation, explain
from symgru.network import Array, Layer, Network, Tensor, chain
from symgru.styles import style
from tests.documents.conftest import FULL, documents, network, sequence


def made(
    layers: list[tuple[str, int, dict]],
    features: int = 1,
    steps: int = 2,
    digits: int = 4,
    framework: Callable[[Network, Tensor], tuple[Array, str]] | None = None,
) -> Explanation:
    return explain(network(2, layers, features), sequence(2, steps, features), digits, framework)


def words(document: str) -> str:
    """Without line breaks, and without the marks around symbols."""
    return " ".join(document.replace("`", "").replace("$", "").split())


NAMES = {
    "gru": (
        "{z} is the update gate, {r} the reset gate, {n} the candidate, {h} the state after the step.",
        "{a_z} is what {σ} is taken of in {z}, {a_r} is what {σ} is taken of in {r}, {u_n} is what {r} multiplies "
        "in {a_n}, {a_n} is what {tanh} is taken of in {n}.",
    ),
    "gru_before": (
        "{z} is the update gate, {r} the reset gate, {n} the candidate, {h} the state after the step.",
        "{a_r} is what {σ} is taken of in {r}, {v_n} is what {U_n} is multiplied by in {a_n}, {a_n} is what "
        "{tanh} is taken of in {n}.",
    ),
    "mgu": (
        "{f} is the forget gate, {n} the candidate, {h} the state after the step.",
        "{v_n} is what {U_n} is multiplied by in {a_n}",
    ),
    "dense": ("{y} is the output.", "{a_y} is what {σ} is taken of in {y}."),
}


@pytest.mark.parametrize("cell", NAMES)
@pytest.mark.parametrize("units", [1, 3])
def test_every_letter_is_explained(cell: str, units: int) -> None:
    options = {"activation": "sigmoid"} if cell == "dense" else {}
    for kind, document in documents(made([(cell, units, options)])).items():
        for sentence in NAMES[cell]:
            plain = re.sub(r"\{(\w+)\}", r"\1", sentence)
            if kind == "tex":
                plain = re.sub(r"\b([avuU])_([a-z])\b", r"\1_{\2}", plain).replace("σ", r"\sigma")
                plain = plain.replace("tanh", r"\tanh")
            assert plain in words(document), kind


@pytest.mark.parametrize("name", sorted(table()))
def test_the_function_of_every_activation_is_named(name: str) -> None:
    document = words("".join(text.render_explanation(made([("gru", 2, {"activation": name})]))))
    head = {"sigmoid": "σ is taken of", "exponential": "e is raised to"}.get(name, f"{name} is taken of")
    if name == "linear":
        assert "a_n" not in document
    else:
        assert f"a_n is what {head} in n." in document


def test_no_sum_no_lengths() -> None:
    for layers, features, said in (
        ([("gru", 1, {})], 1, ""),
        ([("gru", 1, {})], 3, "The sum runs over D = 3 features."),
        ([("gru", 3, {})], 1, "The sum runs over H = 3 units."),
        ([("gru", 2, {})], 3, "The sums run over D = 3 features and H = 2 units."),
        ([("gru", 2, {}), ("dense", 1, {})], 1, "The sum runs over D = 2 inputs."),
        ([("dense", 3, {})], 1, ""),
        ([("dense", 3, {"activation": "softmax"})], 1, "The sum runs over H = 3 units."),
    ):
        for document in map(words, documents(made(layers, features)).values()):
            assert said in document
            assert said or "The sum" not in document


@pytest.mark.parametrize(
    ("units", "features", "said"),
    [
        (
            2,
            3,
            "W_z[j,i] stands in row j and column i of W_z and leads from input j to unit i; "
            "U_z[k,i] stands in row k and column i of U_z and leads from unit k to unit i.",
        ),
        (2, 1, "W_z[i] stands in column i of W_z and leads to unit i; U_z[k,i] stands in row k and column i"),
        (1, 3, "W_z[j] stands in row j of W_z and leads from input j."),
    ],
)
def test_what_indices_mean(units: int, features: int, said: str) -> None:
    def in_latex(sentence: str) -> str:
        named = re.sub(r"\b([WU])_z\[([a-z,]+)\]", r"\1_{z,\2}", sentence)
        return re.sub(r"\b([WU])_z", r"\\mathbf{\1}_{z}", named)

    for kind, document in documents(made([("gru", units, {})], features)).items():
        assert (in_latex(said) if kind == "tex" else said) in words(document), kind
    derived = derive("gru", units, features)
    assert said in words("".join(text.render_derivation(derived)))
    for backend in (latex, markdown):
        assert in_latex(said) in words("".join(backend.render_derivation(derived)))


def test_what_indices_mean_where_vectors_are_columns() -> None:
    """The matrix W of W x has a row for each unit."""
    made_of = {n: explain(network(2, [("gru", 2, {})], n), sequence(2, 2, n), style=style("pytorch")) for n in (1, 3)}
    for n, said in (
        (1, "W_iz[i] stands in row i of W_iz and leads to unit i; W_hz[i,k] stands in row i and column k of W_hz"),
        (3, "W_iz[i,j] stands in row i and column j of W_iz and leads from input j to unit i; W_hz[i,k]"),
    ):
        for kind in ("txt", "md"):
            assert said in words(documents(made_of[n])[kind]), kind


def test_the_rows_of_a_recurrent_kernel_are_units() -> None:
    document = "".join(latex.render_explanation(made([("gru", 2, {})], 2)))
    kernel, recurrent = (document.partition(f"get\\_weights()[{k}]")[2].partition("\\end{tabular}")[0] for k in (0, 1))
    assert "$j = 2$" in kernel and "$W_{z,j,1}$" in kernel
    assert "$k = 2$" in recurrent and "$U_{z,k,1}$" in recurrent


def test_markdown_says_how_its_two_notations_go_together() -> None:
    said = "The text blocks write `h_2[1]` for $h_{2,1}$ and `W_z[j,i]` for $W_{z,j,i}$."
    assert said in "".join(markdown.render_explanation(made([("gru", 2, {}), ("dense", 1, {})], 3)))
    assert "`h_2` for $h_{2}$ and `W_z` for $W_{z}$" in "".join(markdown.render_explanation(made([("gru", 1, {})])))
    dense = "".join(markdown.render_explanation(made([("dense", 2, {})], 3, 1)))
    assert "`y_1[1]` for $y_{1,1}$ and `W[j,i]` for $W_{j,i}$" in dense
    assert "`" not in "".join(markdown.render_derivation(derive(units=2, features=2))).partition("## 3")[0]


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        (
            1,
            {
                "numbers smaller than 10^-2 to three digits",
                "numbers smaller than 10^-3 to four digits",
                "numbers smaller than 10^-4 to four digits",
            },
        ),
        (6, {"numbers smaller than 10^-7 to four digits"}),
    ],
)
def test_from_which_size_on_numbers_are_tiny(digits: int, said: set[str]) -> None:
    e = made([("gru", 1, {})], digits=digits)
    for document in documents(e).values():
        sentence = re.sub(r"\^\{(-\d)\}", r"^\1", words(document))
        assert any(s in sentence for s in said)
        assert f"to {e.decimals} decimals (numbers" in sentence
    if digits == 1:
        assert "e-" not in "".join(text.render_explanation(e)).partition("Step 1")[2].partition("Verification")[0]


def test_the_mark_of_risky_lines_is_explained() -> None:
    e = next(e for e in (explain(network(s, [("gru", 2, {})], 2), sequence(s, 4, 2), 6) for s in range(60)) if e.risky)
    for document in map(words, documents(e).values()):
        assert re.search(
            r"marked (†|\\dagger): a display of ten digits could round (it|them) otherwise in the last "
            "place, so after the mark the number follows with two more digits",
            document,
        )
    assert all("two more digits" not in words(d) for d in documents(made([("gru", 1, {})], 1, 1)).values())


def framework(net: Network, x: list[Tensor]) -> tuple[list[Array], str]:
    return [np.array([[0.5]], dtype=np.float32)], "Keras 3"


def test_only_what_the_framework_gives_has_ulps() -> None:
    alone, asked = made([("gru", 1, {})]), made([("gru", 1, {})], framework=framework)
    for document in map(words, documents(alone).values()):
        assert "ulps" not in document and "framework's" not in document
    for document in map(words, documents(asked).values()):
        assert "ulps are units in the last place of a float32" in document
        assert "the framework's to that from the stored numbers" in document
    assert [check.ulps is None for check in (*asked.checks(), *asked.framework_rows())] == [True, True, True, False]
    rows = [row for row in text_rows(asked) if row.startswith("  this page")]
    assert [len(row.split()) for row in rows] == [len("this page (rounded chain)".split()) + 2]


def text_rows(e: Explanation) -> list[str]:
    return "".join(text.render_explanation(e)).partition("\nVerification")[2].splitlines()


def test_exact_values_where_typed_and_stored_weights_agree() -> None:
    """Weights that binary numbers hold exactly."""
    one = network(2, [("gru", 1, {})], 1).layers["layer_1"]
    weights = {name: Tensor.of(np.full(t.value.shape, 0.5, np.float32)) for name, t in one.weights.items()}
    exact = chain([Layer("gru", "gru", "gru", {}, weights)], dtype="float32", features=1)
    for asked in (None, framework):
        e = explain(exact, Tensor.of(np.array([[[1.0], [2]]])), framework=asked)
        for document in map(words, documents(e).values()):
            assert "decimals shown above" not in document
            assert "The difference is to the exact value" + (" of the same weights; ulps" if asked else ".") in document


def test_a_sequence_of_outputs_is_told_from_its_last() -> None:
    for layers in (
        [("gru", 2, {"return_sequences": True})],
        [("gru", 2, {"return_sequences": True}), ("dense", 1, {})],
    ):
        for document in map(words, documents(made(layers, steps=3)).values()):
            assert "after step 3, the last" in document
            assert "the network gives one after every step: see the last summary" in document
            assert "Verification of the output after step 3, the last" in document
    for document in map(words, documents(made([("gru", 2, {})], steps=3)).values()):
        assert "the last" not in document


def test_functions_without_a_key() -> None:
    for document in map(words, documents(made([("gru", 1, {"activation": "gelu"})])).values()):
        assert "erf is the error function; pocket calculators have no key for it" in document
    assert all("erf" not in document for document in documents(made([("gru", 1, {})])).values())


def test_a_factor_before_cases_holds_for_both() -> None:
    document = words("".join(text.render_explanation(made([("dense", 1, {"activation": "selu"})]))))
    assert "·(a if a > 0, otherwise 1.6732632423543772848170429916717·(e^a - 1))" in document


@pytest.mark.parametrize("name", sorted(table()))
def test_text_fits_its_width(name: str) -> None:
    layers = [("gru", 2, {"activation": name, "return_sequences": True}), ("dense", 13, {"activation": name})]
    written = [
        *text.render_explanation(made(layers, 3), FULL, header=False),  # code has lines of its own width
        *text.render_derivation(derive("gru", 3, 12, 1234, {"activation": name}), header=False),
    ]
    assert [row for row in "".join(written).splitlines() if len(row) > 100] == []
