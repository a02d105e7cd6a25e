"""The answer's text follows from the data: other weights, another input, another claim, another text."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from symgru.answer import answer, render_answer
from symgru.cells import n as candidate
from symgru.errors import Unsupported, UnusableInput
from symgru.evidence import freshness, sign_lemma, update_rules
from symgru.hypotheses import only_layer
from symgru.matching import exact_combination, outcomes
from symgru.network import Layer, Network, Tensor, chain
from tests.test_hypotheses import SEED, X, one_unit, order, sequence, typed

HAND, CLAIMED = "-0.70691013", "0.9680257"
TRAINED = one_unit(("-0.91", "1.04", "-0.04"), ("0.44", "1.31", "0.37"), ("0.1", "0.2", "0", "0", "0.3", "0"))


def rendered(hand: str = HAND, claimed: str = CLAIMED, network: Network = SEED, x: Tensor = X) -> str:
    return render_answer(answer(network, x, hand, claimed))


def flat(text: str) -> str:
    """Without line breaks, so that a sentence is found wherever it was broken."""
    return re.sub(r"\s+", " ", text)


def section(text: str, title: str) -> str:
    """The section whose title begins so."""
    parts = re.split(r"^(?=[0-9]\. )", text, flags=re.MULTILINE)
    found = [p for p in parts if re.match(rf"[0-9]\. {title}", p)]
    return flat(found[0]) if found else ""


@pytest.fixture(scope="module")
def seed() -> str:
    return rendered()


# the seed


def test_steps_of_the_seed(seed: str) -> None:
    """The table of facts/mistakes.md, all ten decimals."""
    for row in (
        "1 1 0.2870936963 0.7393364308 -0.0440205524 -0.0313825293",
        "2 2 0.1386357464 0.8866388778 -0.0980038037 -0.0887677136",
        "3 9 0.0002725744 0.9999088559 -0.4045241843 -0.4044381171",
        "4 8 0.0006269111 0.9996568296 -0.4628319878 -0.4627953800",
    ):
        assert row in flat(seed)
    assert "this network h_4 = -0.462795" in flat(seed)
    assert "-0.46279537999927 from the numbers as printed, -0.46279538681734 as float32 stores them" in flat(seed)


def test_symbols_of_the_seed(seed: str) -> None:
    symbols = section(seed, "Which printed number")
    for text in ("W_z = -0.90954137", "W_r = 1.0425225", "W_n = -0.04404902", "U_z = 0.24168766", "U_n = 0.36734456"):
        assert text in symbols


def test_verdicts_of_the_seed(seed: str) -> None:
    hand = section(seed, "The hand calculation: -0.70691013")
    assert "It summed the sequence into one step. That gives -0.7069101241" in hand
    assert "Here z is 1.258e-8. Taken as 0, it leaves h = n" in hand
    assert "What to do instead: feed the inputs one after the other" in hand
    claimed = section(seed, "The claimed output: 0.9680257")
    assert "Lemma: every h_t is negative, and 0.9680257 is not" in claimed
    assert "under either update rule and with z and r exchanged, however the sequence is fed (40 of the 360" in claimed
    assert "Enumeration (this covers the remaining gate orders)" in claimed
    assert "= 360 combinations were run, 320 of them beyond the lemma, and none gives 0.9680257" in claimed
    story = section(seed, "Where these weights come from")
    assert "look freshly initialised, not trained" in story
    assert "length 0.999999996" in story
    assert "1.0425 in size, below the limit 1.2247" in story
    assert "the likely story" in story
    rules = section(seed, "The two update rules")
    assert "z_t·h_(t-1) + (1 - z_t)·n_t as given -0.46279538" in rules
    assert "(1 - z_t)·h_(t-1) + z_t·n_t as given -0.02399954" in rules
    assert "W_z and U_z negated -0.46279538" in rules
    assert "with given weights the two differ by 0.44" in rules


def test_it_fits_a_terminal(seed: str) -> None:
    assert max(map(len, seed.splitlines())) <= 100
    assert "\n\n\n" not in seed
    plain = render_answer(answer(SEED, X, HAND, CLAIMED), ascii=True)
    assert plain.isascii()
    assert "?" not in plain.replace("equivalent?", "")


def test_the_script_is_six_lines_of_python(seed: str) -> None:
    lines = [line.strip() for line in seed[seed.index("import keras") :].split("\n\n", maxsplit=1)[0].splitlines()]
    assert len(lines) == 6
    ast.parse("\n".join(lines))
    assert "keras.layers.GRU(1)" in lines[2]
    assert "[[1], [2], [9], [8]]" in lines[3]


def test_the_script_follows_the_network() -> None:
    text = rendered(network=one_unit(reset_after=False, activation="softsign"), x=sequence("0.5", "-1"))
    assert "keras.layers.GRU(1, activation='softsign', reset_after=False)" in text
    assert "keras.Input((2, 1))" in text
    assert "symgru run" not in text  # the arrays alone would not tell the activation


# other claims


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("-0.02399954", "let the update gate z weigh the candidate, and 1 - z the old state"),
        ("-0.15202096", "fed the sequence from its end to its beginning"),
        ("-0.21448000", "took the mean of the sequence as one step"),
        ("0.92669756", "read the columns of the kernel and recurrent kernel in the order r | n | z"),
        ("0.99999993", "read the columns of the kernel and recurrent kernel in the order z | n | r"),
        ("-0.03138253", "stopped after the first step"),
    ],
)
def test_another_claim_is_explained_otherwise(claim: str, says: str) -> None:
    text = rendered(claimed=claim)
    assert says in section(text, f"The claimed output: {claim}")
    assert "Lemma" not in text
    assert "likely story" not in text
    assert says in section(rendered(hand=claim), f"The hand calculation: {claim}")


def test_several_explanations_are_a_class() -> None:
    text = section(rendered(claimed="0.99999993"), "The claimed output")
    assert "one of 2 mistakes that fit 0.99999993; these weights, this input and these digits cannot tell them" in text


def test_a_right_claim_is_called_right() -> None:
    text = rendered(claimed="-0.46279544")  # Keras 3.15
    assert "It is right: these weights and this input give -0.4627953800" in section(text, "The claimed output")
    assert "claimed -0.46279544: right" in flat(text)
    assert "likely story" not in text


def test_few_digits_bring_a_warning() -> None:
    assert "Beware: 360 combinations were tried" in flat(rendered(hand="-0.7"))
    assert "Beware" not in rendered()


def test_a_claim_of_the_lemmas_sign_is_left_to_enumeration() -> None:
    text = section(rendered(claimed="-0.1234567"), "The claimed output")
    assert "Lemma" not in text
    assert "Enumeration: 5 ways" in text


# other weights and inputs


def test_trained_weights_are_not_called_fresh() -> None:
    text = rendered(network=TRAINED)
    assert "freshly" not in text
    assert "The numbers alone do not tell" in section(text, "Where these weights come from")


@pytest.mark.parametrize(
    "changed",
    [
        {"recurrent": ("0.24", "0.9", "0.37")},
        {"kernel": ("-1.3", "1.04", "-0.04")},
        {"bias": ("0.001", "0", "0", "0", "0", "0")},
    ],
)
def test_freshness_needs_all_its_evidence(changed: dict[str, Sequence[str]]) -> None:
    assert freshness(only_layer(SEED)).looks_fresh
    assert not freshness(only_layer(one_unit(**changed))).looks_fresh


def test_freshness_of_several_units() -> None:
    """An orthogonal recurrent kernel made with NumPy's QR, as Keras makes it: rows orthonormal."""
    rng = np.random.default_rng(3)
    units, features = 4, 2
    recurrent = np.linalg.qr(rng.normal(size=(3 * units, units)))[0].T.astype(np.float32)
    limit = sqrt(6 / (features + 3 * units))
    kernel = rng.uniform(-limit, limit, (features, 3 * units)).astype(np.float32)
    blocks = {
        f"{w}_{g}": Tensor.of(m[:, k * units : (k + 1) * units].T.copy())
        for w, m in (("W", kernel), ("U", recurrent))
        for k, g in enumerate("zrn")
    }
    layer = Layer("gru", "gru", "gru", {"use_bias": False}, blocks)
    found = freshness(layer)
    assert found.looks_fresh
    assert found.limit == pytest.approx(limit)
    assert found.biases == 0
    turned = replace(layer, weights={**blocks, "U_z": Tensor.of(blocks["U_z"].value * np.float32(1.01))})
    assert not freshness(turned).looks_fresh
    network = chain([layer], dtype="float32", features=features)
    text = flat(render_answer(answer(network, typed([[["1", "2"], ["0.5", "-1"]]], "float64"), HAND, CLAIMED)))
    assert "This network has 4 units, so its output is 4 numbers" in text
    assert "rows are orthonormal to within" in text
    assert "there are no biases" in text
    assert "h_2[4] = " in text
    assert "Lemma" not in text


def lemma_sign(network: Network, x: Tensor = X) -> int:
    lemma = sign_lemma(network, x, outcomes(network, x))
    return lemma.sign if lemma else 0


@pytest.mark.parametrize(
    ("network", "x", "sign"),
    [
        (SEED, X, -1),
        (one_unit(("-0.9", "1", "0.04")), X, 1),
        (SEED, sequence("-1", "-2"), 1),
        (SEED, sequence("1", "-2"), 0),
        (SEED, sequence("1", "0"), 0),
        (one_unit(recurrent=("0.2", "0.9", "-0.4")), X, 0),
        (one_unit(bias=("0", "0", "0.1", "0", "0", "0")), X, 0),
        (one_unit(bias=("0", "0", "0", "0", "0", "0.1")), X, 0),
        (one_unit(bias=("0.5", "-0.5", "0", "0.5", "0.5", "0")), X, -1),  # the gates' biases do not matter
        (one_unit(recurrent_activation="hard_sigmoid"), X, 0),
        (one_unit(activation="relu"), X, 0),
        (one_unit(activation="softsign", reset_after=False), X, -1),
    ],
)
def test_the_lemma_needs_its_conditions(network: Network, x: Tensor, sign: int) -> None:
    """And where it is stated, every combination that it covers does have that sign."""
    assert lemma_sign(network, x) == sign
    lemma = sign_lemma(network, x, outcomes(network, x))
    for c in lemma.covered if lemma else ():
        states = exact_combination(network, x, c).traces[0].y
        assert all(h * sign > 0 for h in states.ravel())


def test_the_lemma_says_what_its_data_say() -> None:
    text = section(rendered(claimed="-0.9680257", network=one_unit(("-0.9", "1", "0.04"))), "The claimed output")
    assert "every h_t is positive, and -0.9680257 is not" in text
    assert "for every other input of positive numbers" in text
    other = section(rendered(claimed="-0.9680257", x=sequence("-1", "-2")), "The claimed output")
    assert "every h_t is positive" in other
    assert "every other input" not in other
    assert "Lemma" not in rendered(hand="0.7069101", network=one_unit(("-0.9", "1", "0.04")))
    assert "Lemma" not in rendered(network=one_unit(recurrent=("0.2", "0.9", "-0.4")))


def test_other_weights_other_numbers() -> None:
    text = rendered(network=one_unit(("0.5", "-1", "0.25")), x=sequence("1", "2"))
    assert "-0.462795" not in text
    assert "summed" not in section(text, "The hand calculation")
    assert "h_2 = " in text


def test_update_rules() -> None:
    """facts/mistakes.md: -0.46279538 under the network's rule, -0.02399954 swapped."""
    rules = update_rules(SEED, X)
    assert [f"{v:.8f}" for v in (rules.own, rules.swapped)] == ["-0.46279538", "-0.02399954"]
    assert abs(rules.swapped_and_negated - rules.own) < 1e-30
    assert rules.proven
    soft = one_unit(recurrent_activation="softsign")
    assert not update_rules(soft, X).proven
    text = section(rendered(network=soft), "The two update rules")
    assert "No. With this gate activation" in text
    assert "for all weights" not in text


def test_biases_are_named_where_they_are_not_zero() -> None:
    assert "W_z, b_z and U_z negated" in flat(rendered(network=TRAINED))


def test_long_sequences_show_their_end() -> None:
    text = rendered(x=sequence(*["0.5"] * 70))
    assert "the last rows of many" in text
    assert "x = ...  # shape (1, 70, 1)" in text


# refusals


def test_refusals() -> None:
    with pytest.raises(UnusableInput, match="the claimed number: 'x' is not"):
        answer(SEED, X, HAND, "x")
    dense = Layer("dense", "dense", "dense", {}, {"W": typed([["1"]]), "b": typed(["0"])})
    with pytest.raises(Unsupported, match="one GRU layer"):
        answer(chain([*SEED.layers.values(), dense], dtype="float32", features=1), X, HAND, CLAIMED)
    with pytest.raises(UnusableInput, match="shape"):
        answer(SEED, typed([["1", "2"]], "float64"), HAND, CLAIMED)


def test_gate_orders_reach_what_the_lemma_does_not() -> None:
    """The lemma must not be stretched to orders that move the candidate's block: order rhz gives +0.92669756."""
    found = outcomes(SEED, X)
    lemma = sign_lemma(SEED, X, found)
    assert lemma is not None
    assert len(lemma.covered) == 40
    positive = [o for o in found if o.value > 0]
    assert positive
    assert not {id(o.combination) for o in positive} & {id(c) for c in lemma.covered}
    assert order("rhz")[0] in {p.name for o in positive for p in o.combination.parts}
    assert candidate.name == "n"
