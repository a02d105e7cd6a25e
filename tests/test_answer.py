"""The answer's text follows from the data: other weights, another input, another claim, another text."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

import numpy as np
import pytest

from symgru.answer import answer, update_rules
from symgru.backends.text.answer import render_answer
from symgru.diagnosis.freshness import fresh
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Layer, Network, Tensor, chain
from tests.one_unit import SEED, X, one_unit, sequence, typed

HAND, CLAIMED = "-0.70691013", "0.9680257"
TRAINED = one_unit(("-0.91", "1.04", "-0.04"), ("0.44", "1.31", "0.37"), ("0.1", "0.2", "0", "0", "0.3", "0"))
NO_SIGN = one_unit(recurrent=("0.2", "0.9", "-0.4"))  # the state's weight turns its sign


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


def test_in_short(seed: str) -> None:
    for line in (
        "this network h_4 = -0.462795",
        "hand calculation -0.70691013: from one mistake: summed the sequence into one step",
        "claimed 0.9680257: not this network's output, nor that of any mistake that was tried",
    ):
        assert line in flat(seed.partition("1. Which")[0])


def test_steps_of_the_seed(seed: str) -> None:
    """The table of facts/mistakes.md, all ten decimals."""
    steps = section(seed, "What the network computes")
    for row in (
        "1 1 0.2870936963 0.7393364308 -0.0440205524 -0.0313825293",
        "2 2 0.1386357464 0.8866388778 -0.0980038037 -0.0887677136",
        "3 9 0.0002725744 0.9999088559 -0.4045241843 -0.4044381171",
        "4 8 0.0006269111 0.9996568296 -0.4628319878 -0.4627953800",
    ):
        assert row in steps
    assert "n_t = tanh(W_n·x_t + r_t·(U_n·h_(t-1)))" in steps
    assert "h_4 = -0.462795, exactly -0.46279537999927 from the numbers as printed" in steps
    assert "-0.46279538681734 as float32 stores them" in steps


def test_symbols_of_the_seed(seed: str) -> None:
    symbols = section(seed, "Which printed number")
    for text in ("W_z = -0.90954137", "W_r = 1.0425225", "W_n = -0.04404902", "U_z = 0.24168766", "U_n = 0.36734456"):
        assert text in symbols
    assert "z is the update gate, r the reset gate, n the candidate" in symbols


def test_the_hand_calculation_of_the_seed(seed: str) -> None:
    """facts/mistakes.md: 20 in one step gives -0.70691012; z left out, n = tanh(-0.88098) gives -0.70691013."""
    hand = section(seed, "The hand calculation: -0.70691013")
    assert "-0.70691013 is what comes out if you summed the sequence into one step" in hand
    assert "the network x_1 = 1 yours x_1 = 20" in hand
    assert "That calculation gives -0.7069101241. It is 5.9e-09 away" in hand
    assert "z is 1.258e-8. Taken as 0, it leaves h = n, which is -0.70691013 to its digits" in hand
    assert "Remember: Feed the inputs one after the other" in hand


def test_the_claimed_output_of_the_seed(seed: str) -> None:
    """The lemma, what was tried, and the weights that were never trained."""
    claimed = section(seed, "The claimed output: 0.9680257")
    assert "Proven: No h_t is above 0 for this input" in claimed
    assert "for every input without negative numbers; 0.9680257 cannot come out" in claimed
    tried = re.search(r"Tried: ([0-9,]+) single mistakes, ([0-9,]+) pairs of mistakes and ([0-9,]+) ", claimed)
    assert tried and sum(int(n.replace(",", "")) for n in tried.groups()) > 10_000
    assert "None of them is 0.9680257 to its digits" in claimed
    assert "look freshly drawn, not trained" in claimed
    for why in ("has the length 0.999999996", "larger than 1.0425", "from -1.2247 to 1.2247", "All 6 biases are 0"):
        assert why in claimed
    assert "symgru run weights.txt --input 1,2,9,8" in claimed


def test_the_update_rules_of_the_seed(seed: str) -> None:
    rules = section(seed, "The two update rules")
    assert "z_t·h_(t-1) + (1 - z_t)·n_t as given -0.46279538" in rules
    assert "(1 - z_t)·h_(t-1) + z_t·n_t as given -0.02399954" in rules
    assert "W_z and U_z negated -0.46279538" in rules
    assert "for all weights and inputs (proven on the equations)" in rules
    assert "with given weights the two differ by 0.44" in rules


def test_it_fits_a_terminal(seed: str) -> None:
    assert max(map(len, seed.splitlines())) <= 100
    assert "\n\n\n" not in seed
    plain = render_answer(answer(SEED, X, HAND, CLAIMED), ascii=True)
    assert plain.isascii()
    assert "?" not in plain.replace("equivalent?", "")


def test_the_script_is_python(seed: str) -> None:
    script = seed[seed.index("    import keras") :].split("\n\n", maxsplit=1)[0]
    ast.parse("\n".join(line.strip() for line in script.splitlines()))
    assert "keras.layers.GRU(1)" in script
    assert "[[1], [2], [9], [8]]" in script


def test_the_script_follows_the_network() -> None:
    text = rendered(network=one_unit(reset_after=False, activation="softsign"), x=sequence("0.5", "-1"))
    assert "keras.layers.GRU(1, activation='softsign', reset_after=False)" in flat(text)
    assert "keras.Input((2, 1))" in text
    assert "symgru run" not in text  # the arrays alone would not tell the activation


# other claims


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("-0.02399954", "let the update gate z weigh the candidate, and 1 - z the old state"),
        ("-0.15202096", "fed the sequence from its end to its beginning"),
        ("-0.21448000", "took the mean of the sequence as one step"),
        ("0.92669756", "took the blocks of columns in the order r, n, z"),
        ("0.99999993", "took the blocks of columns in the order z, n, r"),
        ("-0.03138253", "stopped after the first step"),
    ],
)
def test_another_claim_is_explained_otherwise(claim: str, says: str) -> None:
    text = rendered(hand=claim, claimed=claim)
    assert says in section(text, f"The claimed output: {claim}")
    assert says in section(text, f"The hand calculation: {claim}")
    assert "Proven" not in text
    assert "freshly" not in text


def test_several_explanations_are_a_class() -> None:
    """In one step from a state of 0 the swapped rule is that of the sigmoid of -a."""
    x = sequence("2")
    text = section(rendered(claimed=f"{update_rules(SEED, x).swapped:.9f}", x=x), "The claimed output")
    assert "With these weights and this input the same number comes out for each of these" in text
    assert "you let the update gate z weigh the candidate" in text and "you took σ(-a) for σ(a)" in text


def test_a_right_claim_is_called_right() -> None:
    text = rendered(claimed="-0.46279544")  # Keras 3.15
    assert "-0.46279544 is right: the network gives -0.46279538" in section(text, "The claimed output")
    assert "claimed -0.46279544: right, it is what this network gives" in flat(text)
    assert "freshly" not in text


def test_two_mistakes_at_once() -> None:
    """-0.33858551: the rule swapped and the order r, z, n (facts/mistakes.md)."""
    text = rendered(hand="-0.33858551")
    assert "-0.33858551: from 2 mistakes together: let the update gate z weigh the candidate" in flat(text)
    assert "Taken as 0" not in text


def test_few_digits_bring_a_warning() -> None:
    text = rendered(hand="-0.7")
    assert "hand calculation -0.7: fits" in flat(text)
    assert "agreement alone tells little" in section(text, "The hand calculation")
    assert "agreement alone" not in rendered()


def test_a_claim_of_the_lemmas_sign_is_left_to_enumeration() -> None:
    text = section(rendered(claimed="-0.1234567"), "The claimed output")
    assert "Proven" not in text
    assert "Tried: " in text


# other weights and inputs


def test_trained_weights_are_not_called_fresh() -> None:
    text = rendered(network=TRAINED)
    assert "freshly" not in text
    assert "The numbers alone do not tell" in section(text, "The claimed output")


@pytest.mark.parametrize(
    "changed",
    [
        {"recurrent": ("0.24168766", "0.8991342", "0.36734456")},
        {"kernel": ("-1.3", "1.04", "-0.04")},
        {"bias": ("0.001", "0", "0", "0", "0", "0")},
    ],
)
def test_freshness_needs_all_its_evidence(changed: Mapping[str, tuple[str, ...]]) -> None:
    assert fresh(SEED) and not fresh(one_unit(**changed))


def test_several_units() -> None:
    """An orthogonal recurrent kernel made with NumPy's QR, as Keras makes it; a number may be that of any unit."""
    rng = np.random.default_rng(3)
    units, features = 4, 2
    recurrent = np.linalg.qr(rng.normal(size=(3 * units, units)))[0].T.astype(np.float32)
    limit = np.sqrt(6 / (features + 3 * units))
    kernel = rng.uniform(-limit, limit, (features, 3 * units)).astype(np.float32)
    blocks = {
        f"{w}_{g}": Tensor.of(m[:, k * units : (k + 1) * units].T.copy())
        for w, m in (("W", kernel), ("U", recurrent))
        for k, g in enumerate("zrn")
    }
    network = chain([Layer("gru", "gru", "gru", {"use_bias": False}, blocks)], dtype="float32", features=features)
    text = rendered(network=network, x=typed([[["1", "2"], ["0.5", "-1"]]], "float64"))
    assert "h_2[1] = " in text and "h_2[4] = " in text
    claimed = section(text, "The claimed output: 0.9680257")
    assert "freshly drawn, not trained" in claimed
    assert "The 4 rows of the recurrent kernel have the length 1 and stand at right angles" in claimed
    assert f"from -{limit:.4f} to {limit:.4f}" in claimed
    assert "biases are 0" not in claimed
    assert "W_z and U_z negated" in section(text, "The two update rules")


def test_the_lemma_says_what_its_data_say() -> None:
    opposite = one_unit(("-0.9", "1", "0.04"))
    text = section(rendered(claimed="-0.9680257", network=opposite), "The claimed output")
    assert "No h_t is below 0" in text and "for every input without negative numbers" in text
    other = section(rendered(claimed="-0.9680257", x=sequence("-1", "-2")), "The claimed output")
    assert "No h_t is below 0" in other and "for every input" not in other
    assert "No h_t is" not in rendered(hand="0.7069101", network=opposite)
    assert "No h_t is" not in rendered(network=NO_SIGN)


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
    assert text.count("0.5  0.") == 64


# refusals


def test_refusals() -> None:
    with pytest.raises(UnusableInput, match=r"the claimed number: .*x"):
        answer(SEED, X, HAND, "x")
    dense = Layer("dense", "dense", "dense", {}, {"W": typed([["1"]]), "b": typed(["0"])})
    with pytest.raises(Unsupported, match="one recurrent layer"):
        answer(chain([*SEED.layers.values(), dense], dtype="float32", features=1), X, HAND, CLAIMED)
    with pytest.raises(UnusableInput, match="shape"):
        answer(SEED, typed([["1", "2"]], "float64"), HAND, CLAIMED)
