"""People's mistakes on the seed's network: the values of facts/mistakes.md, measured there with NumPy and Keras."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from sympy import cancel, evaluate, exp

from symgru.algebra import sigma
from symgru.building import build
from symgru.cell import h
from symgru.cells import Uz, Wz, bz, cz, n, z
from symgru.errors import Unsupported, UnusableInput
from symgru.hypotheses import (
    NEGATED_UPDATE,
    SWAPPED_UPDATE,
    Combination,
    combinations,
    complement,
    kinds,
    only_layer,
    rewritten_weights,
    update_gate,
)
from symgru.matching import Claim, Outcome, exact_combination, final, matches, outcomes
from symgru.network import Layer, Network, Tensor, chain

KERNEL = ("-0.90954137", "1.0425225", "-0.04404902")
RECURRENT = ("0.24168766", "0.8981342", "0.36734456")


def typed(texts: object, dtype: str = "float32") -> Tensor:
    text = np.array(texts, dtype=object)
    return Tensor(text.astype(np.float64).astype(dtype), text)


def one_unit(
    kernel: Sequence[str] = KERNEL,
    recurrent: Sequence[str] = RECURRENT,
    bias: Sequence[str] = ("0",) * 6,
    dtype: str = "float32",
    **options: object,
) -> Network:
    """A GRU of 1 unit and 1 feature, arrays in Keras' order z, r, n; bias: the input's row, then the state's."""
    w = {f"W_{g}": typed([[v]], dtype) for g, v in zip("zrn", kernel, strict=True)}
    w |= {f"U_{g}": typed([[v]], dtype) for g, v in zip("zrn", recurrent, strict=True)}
    w |= {
        f"{row}_{g}": typed([v], dtype) for (row, g), v in zip([(r, g) for r in "bc" for g in "zrn"], bias, strict=True)
    }
    return chain([Layer("gru", "gru", "gru", options, w)], dtype=dtype, features=1, name="seed")


def sequence(*texts: str) -> Tensor:
    return typed([[[t] for t in texts]], "float64")


SEED, X = one_unit(), sequence("1", "2", "9", "8")


@pytest.fixture(scope="module")
def found() -> list[Outcome]:
    return outcomes(SEED, X)


def pick(done: Sequence[str]) -> Combination:
    """The combination with exactly these names, a gate order counting for kernel and recurrent kernel."""
    hits = [c for c in combinations(only_layer(SEED)) if [p.name for p in c.parts if not p.usual] == list(done)]
    assert len(hits) == 1
    return hits[0]


def order(letters: str) -> list[str]:
    return [f"columns {' | '.join(letters.replace('h', 'n'))}"] * 2


MISTAKES = [
    ([], "-0.46279538"),
    (["swapped"], "-0.02399954"),
    (["summed into one step"], "-0.70691012"),
    (["summed into one step", "swapped"], "-0.00000001"),
    (["mean in one step"], "-0.21448000"),
    (["reversed"], "-0.15202096"),
    (["first step only"], "-0.03138253"),
    (order("rzh"), "-0.02017149"),
    (["swapped", *order("rzh")], "-0.33858551"),
    (order("rhz"), "0.92669756"),
    (order("zhr"), "0.99999993"),
    (order("hzr"), "-0.28607426"),
    (order("hrz"), "-0.96486597"),
]


@pytest.mark.parametrize(("done", "value"), MISTAKES)
def test_values_of_mistakes(done: list[str], value: str, found: list[Outcome]) -> None:
    c = pick(done)
    outcome = next(o for o in found if [p.name for p in o.combination.parts] == [p.name for p in c.parts])
    assert f"{outcome.value:.8f}" == value
    assert f"{final(exact_combination(SEED, X, c)):.8f}" == value


def test_every_combination_once(found: list[Outcome]) -> None:
    assert [len(k) for k in kinds(only_layer(SEED))] == [5, 2, 6, 6]
    assert len(found) == 5 * 2 * 6 * 6
    assert not found[0].combination.mistakes
    assert sum(not o.combination.mistakes for o in found) == 1
    biased = only_layer(one_unit(bias=("0", "0", "0", "0", "0.5", "0")))
    assert len(combinations(biased)) == 5 * 2 * 6 * 6 * 6


def test_stacked_runs_equal_single_ones() -> None:
    network = one_unit(bias=("0.1", "-0.2", "0.3", "0.4", "0.5", "-0.6"))
    for o in outcomes(network, X)[::97]:
        assert o.value == pytest.approx(float(final(exact_combination(network, X, o.combination))), abs=1e-14)


@pytest.mark.parametrize(
    "options",
    [{}, {"use_bias": False}, {"reset_after": False}, {"reset_after": False, "recurrent_activation": "hard_sigmoid"}],
)
def test_other_cells(options: dict[str, object]) -> None:
    network = one_unit(**options)
    o = outcomes(network, X)
    assert o[0].value == pytest.approx(float(final(exact_combination(network, X, o[0].combination))), abs=1e-14)


# the transforms


def test_swapping_writes_the_rule_from_the_cell() -> None:
    cell = build("gru", {})
    swapped = SWAPPED_UPDATE(cell)
    assert update_gate(cell) == z
    assert swapped.equations[:-1] == cell.equations[:-1]
    with evaluate(False):
        assert swapped.equations[-1][1] == complement(z) * h + z * n
    assert SWAPPED_UPDATE(swapped).equations == cell.equations
    assert not SWAPPED_UPDATE.preserves
    assert not SWAPPED_UPDATE.proof(cell)


def test_no_update_gate() -> None:
    with pytest.raises(Unsupported, match="no update gate"):
        update_gate(build("dense", {}))


@pytest.mark.parametrize("kind", ["gru", "gru_before"])
@pytest.mark.parametrize(
    ("gate", "holds"),
    [("sigmoid", True), ("hard_sigmoid", True), ("softsign", False), ("tanh", False), ("relu", False)],
)
def test_negating_the_update_gate(kind: str, gate: str, holds: bool) -> None:
    cell = build(kind, {"recurrent_activation": gate})
    assert NEGATED_UPDATE.preserves
    assert NEGATED_UPDATE.proof(cell) is holds


def test_sigma_of_the_opposite() -> None:
    """What `Mirrored` takes for granted, for both functions that it names."""
    e = exp(Wz)
    assert cancel(1 / (1 + 1 / e) + 1 / (1 + e)) == 1
    cell = build("gru", {"recurrent_activation": "hard_sigmoid"})
    assert not isinstance(cell.equations[0][1], sigma)
    a = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(np.clip(-a / 6 + 0.5, 0, 1), 1 - np.clip(a / 6 + 0.5, 0, 1), atol=1e-15)


def test_negated_parameters_and_no_others() -> None:
    _, params = NEGATED_UPDATE.apply(build("gru", {}))
    assert params == {s: -s for s in (Wz, bz, Uz, cz)}
    weights = only_layer(SEED).weights
    other = rewritten_weights(params, weights)
    assert other["W_z"].text.item() == "0.90954137"
    assert other["W_z"].value.item() == -weights["W_z"].value.item()
    assert other["W_r"] is weights["W_r"]


# matching


@pytest.mark.parametrize(
    ("claim", "done"),
    [
        ("-0.46279544", []),  # Keras 3.15
        ("-0.46279538", []),
        ("-0.70691013", ["summed into one step"]),
        ("-0.02399954", ["swapped"]),
        ("-0.15202096", ["reversed"]),
        ("-0.21448000", ["mean in one step"]),
        ("0.92669756", order("rhz")),
        ("0.99999993", order("zhr")),
        ("-0.33858551", ["swapped", *order("rzh")]),
    ],
)
def test_claims_are_traced_to_their_mistakes(claim: str, done: list[str], found: list[Outcome]) -> None:
    verdict = matches(SEED, X, Claim(claim), found)
    fits = [[p.name for p in m.combination.parts if not p.usual] for m in verdict.fits]
    assert done in fits
    assert len(fits) == 1 or claim == "0.99999993"  # a saturated value: the kernel's order alone gives it too
    assert verdict.right is (not done)
    assert verdict.tried == 360
    assert verdict.fits[0].distance < verdict.fits[0].tolerance < 1e-6
    assert verdict.chance < 1e-3


def test_a_number_that_nothing_explains(found: list[Outcome]) -> None:
    verdict = matches(SEED, X, Claim("0.9680257"), found)
    assert not verdict.fits
    assert not verdict.right
    assert verdict.nearest.distance > Decimal("0.01")
    assert verdict.nearest.outcome in found


def test_one_unit_beyond_the_tolerance_does_not_fit(found: list[Outcome]) -> None:
    right = found[0]
    allowed = right.arithmetic + right.printing
    for distance, fits in ((0.99 * allowed, True), (1.01 * allowed + 1e-12, False)):
        claim = Claim(f"{right.value - distance:.14f}")
        assert bool(matches(SEED, X, claim, found).fits) is fits


def test_printing_allowance_is_what_the_unprinted_digits_move(found: list[Outcome]) -> None:
    """facts/mistakes.md: weights printed to 8 decimals alone spread h_4 by 9e-8, so by half of that to each side."""
    assert 3e-8 < found[0].printing < 9e-8
    whole = outcomes(one_unit(("-1", "1", "-0.5"), ("0.25", "0.5", "1")), X)[0]
    assert whole.printing == 0  # short numbers are themselves


def test_few_digits_make_chance_hits(found: list[Outcome]) -> None:
    verdict = matches(SEED, X, Claim("-0.5"), found)
    assert verdict.chance > 1
    assert verdict.right  # fewest mistakes first


def test_explanations_that_cannot_be_told_apart() -> None:
    """A single step from h0 = 0: how the sequence is fed, and the recurrent kernel, play no part."""
    x = sequence("2")
    found = outcomes(SEED, x)
    swapped = next(o for o in found if [p.name for p in o.combination.parts if not p.usual] == ["swapped"])
    verdict = matches(SEED, x, Claim(f"{swapped.value:.8f}"), found)
    assert [len(m.combination.mistakes) for m in verdict.fits] == [1] * len(verdict.fits)
    assert verdict.further > 0
    kernel = next(
        o
        for o in found
        if [(p.kind, p.name) for p in o.combination.parts if not p.usual] == [("kernel", "columns n | r | z")]
    )
    both = matches(SEED, x, Claim(f"{kernel.value:.8f}"), found)
    assert {m.combination.mistakes[0][0] for m in both.fits} == {
        "read the columns of the kernel in the order n | r | z",
        "read the columns of the kernel and recurrent kernel in the order n | r | z",
    }


def test_float64_claims_are_decided_exactly() -> None:
    network = one_unit(dtype="float64")
    value = final(exact_combination(network, X, combinations(only_layer(network))[0]))
    found = outcomes(network, X)
    assert matches(network, X, Claim(f"{value:.20f}"), found).right
    assert not matches(network, X, Claim(f"{value + Decimal('1e-6'):.20f}"), found).right


def test_refusals() -> None:
    with pytest.raises(UnusableInput, match="the hand calculation: 'abc' is not a finite decimal number"):
        Claim.read("abc", "the hand calculation")
    assert Claim.read(" +.50", "it").text == "0.50"
    dense = Layer("dense", "dense", "dense", {}, {"W": typed([["1"]]), "b": typed(["0"])})
    layers = [*SEED.layers.values(), dense]
    with pytest.raises(Unsupported, match="one GRU layer"):
        only_layer(chain(layers, dtype="float32", features=1))
