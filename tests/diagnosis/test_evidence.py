"""What is proven of a claim, against exact arithmetic and brute force; the stories, against the real frameworks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import mpmath
import numpy as np
import pytest

import symgru
from symgru.building import build
from symgru.cells import CELLS
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.freshness import fresh
from symgru.diagnosis.intervals import _INTERVALS, Interval, Intervals, dot
from symgru.diagnosis.intervals import typed as enclosed
from symgru.diagnosis.lemmas import Lemma, lemmas
from symgru.diagnosis.ranges import Range, outward, ranges, run_within
from symgru.diagnosis.rarer import catalogue
from symgru.diagnosis.script import script
from symgru.diagnosis.space import Space
from symgru.diagnosis.stories import Story, stories
from symgru.diagnosis.ways import combined, pairs, singles
from symgru.domains import Float64
from symgru.mistakes import Trial
from symgru.network import Layer, Network, Tensor, chain
from symgru.trace import run
from tests.conftest import need_installed, need_package
from tests.one_unit import KERNEL, SEED, X, one_unit, sequence, typed

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "sunspots.keras"
CLAIMED = "0.9680257"  # what the asker's network printed
GATES = "zrn"


def claimed(x: Tensor, *texts: str, unit: int | None = 0, step: int = -1) -> tuple[Case, ...]:
    return (Case((x,), tuple(Number(t, unit=unit, step=step) for t in texts)),)


def decimals(values: np.ndarray, places: int = 6) -> Tensor:
    return typed(np.vectorize(lambda v: f"{v:.{places}f}", otypes=[object])(values), "float64")


def drawn(rng: np.random.Generator, units: int, features: int, scale: float = 1.0, **options: object) -> Network:
    """A GRU of Keras with normal weights and biases in six decimals."""
    cell, sizes = build("gru", options), {"H": units, "D": features}
    shapes = {p.name: tuple(sizes[d] for d in cell.dims[p]) for p in cell.params}
    weights = {name: decimals(rng.normal(size=shape) * scale) for name, shape in shapes.items()}
    return chain([Layer("gru", "gru", "gru", options, weights)], dtype="float32", features=features, name="drawn")


def with_weights(network: Network, **weights: Tensor) -> Network:
    (layer,) = network.layers.values()
    return replace(network, layers={layer.id: replace(layer, weights={**layer.weights, **weights})})


def by_hand(
    network: Network,
    x: np.ndarray,
    order: str = "zrn",
    new: bool = False,
    before: bool = False,
    start: float = 0.0,
) -> np.ndarray:
    """Every state, (time, units), of x (time, features): z, r and n take the blocks in `order`; `new` lets z weigh the
    candidate, `before` lets r act before the product."""
    (layer,) = network.layers.values()
    w = {name: t.value.astype(np.float64) for name, t in layer.weights.items()}
    W, U, b, c = ({g: w[f"{row}_{taken}"] for g, taken in zip(GATES, order, strict=True)} for row in "WUbc")
    h, states = np.full(len(b["z"]), start), []
    for v in x:
        z, r = (1 / (1 + np.exp(-(W[g] @ v + b[g] + U[g] @ h + c[g]))) for g in "zr")
        product_ = U["n"] @ (r * h) + c["n"] if before else r * (U["n"] @ h + c["n"])
        n = np.tanh(W["n"] @ v + b["n"] + product_)
        h = (1 - z) * h + z * n if new else z * h + (1 - z) * n
        states.append(h)
    return np.array(states)


# The arithmetic


def test_sums_and_products_hold_the_exact_ones() -> None:
    rng = np.random.default_rng(0)
    special = [0.0, 1.0, -1.0, 0.5, 1e-300, -1e-300, 1e17, 3.0]
    numbers = [*special, *(rng.normal(size=40) * 10.0 ** rng.integers(-9, 9, 40)).tolist()]
    exact = {"+": lambda p, q: p + q, "-": lambda p, q: p - q, "*": lambda p, q: p * q, "/": lambda p, q: p / q}
    for p, q in product(numbers, repeat=2):
        for sign, f in exact.items():
            if sign == "/" and q == 0:
                continue
            with np.errstate(all="ignore"):
                found = f(Interval.exactly(p), Interval.exactly(q))
            truth = f(Fraction(p), Fraction(q))
            if abs(truth) > Fraction(10) ** 300:
                continue
            assert Fraction(float(found.low)) <= truth <= Fraction(float(found.high)), (p, sign, q)
            if abs(truth) > Fraction(1, 10**290):
                assert float(found.high) - float(found.low) <= 1e-15 * abs(float(truth))


def test_what_is_exact_stays_exact() -> None:
    one, half = Interval.exactly(1.0), Interval.exactly(0.5)
    for found, value in ((1 - half, 0.5), (one * half, 0.5), (0 * half, 0), (6 * one / 6, 1), (half + half, 1)):
        assert float(found.low) == float(found.high) == value


def test_wide_intervals_hold_every_result() -> None:
    rng = np.random.default_rng(1)
    ends = np.sort(rng.normal(size=(200, 2, 2)), axis=-1)
    a, b = Interval(ends[:, 0]), Interval(ends[:, 1])
    for share in np.linspace(0, 1, 7):
        p, q = (i.low + share * (i.high - i.low) for i in (a, b))
        for found, value in ((a + b, p + q), (a - b, p - q), (a * b, p * q)):
            assert (found.low <= value + 1e-12).all() and (value - 1e-12 <= found.high).all()


def test_an_unbounded_number_may_be_anything() -> None:
    all_ = Interval.between(-np.inf, np.inf)
    with np.errstate(all="ignore"):  # as in every run
        results = (all_ + all_, all_ * all_, all_ - 1, 1 / all_, all_ / Interval.between(-1.0, 1.0))
    for found in results:
        assert float(found.low) == -np.inf and float(found.high) == np.inf
    with np.errstate(all="ignore"):
        assert float((0 * all_).high) == 0


@pytest.mark.parametrize("name", ["sigma", "tanh", "exp", "expm1", "log1p", "erf", "sqrt", "softsign_alone"])
def test_functions_hold_the_exact_values(name: str) -> None:
    """Against 40 digits, at single points."""
    exact = {
        "sigma": lambda a: 1 / (1 + mpmath.exp(-a)),
        "softsign_alone": lambda a: a / (1 + abs(a)),
        **{n: getattr(mpmath, n) for n in ("tanh", "exp", "expm1", "log1p", "erf", "sqrt")},
    }[name]
    points = [0.0, 1e-9, 0.3, 1.0, 2.5, 17.0, 40.0, 300.0]
    if name not in ("sqrt", "log1p"):
        points += [-p for p in points]
    with mpmath.workdps(40):
        for p in points:
            found, truth = _INTERVALS[name](Interval.exactly(p)), exact(mpmath.mpf(p))
            low, high = float(found.low), float(found.high)
            assert low <= truth <= high, p
            assert high - low <= 1e-13 * abs(truth) + 1e-300


def test_a_product_with_a_matrix() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        W, v = rng.normal(size=(3, 9)) * 10.0 ** rng.integers(-6, 6, (3, 9)), rng.normal(size=9)
        found = dot(Interval.exactly(W), Interval.exactly(v))
        for k in range(3):
            truth = sum(Fraction(p) * Fraction(q) for p, q in zip(W[k].tolist(), v.tolist(), strict=True))
            assert Fraction(float(found.low[k])) <= truth <= Fraction(float(found.high[k]))
    same = dot(Interval.exactly(np.abs(W) * 1e-310), Interval.exactly(np.abs(v)))
    assert (same.low >= 0).all()  # a sum of numbers of one sign keeps it


def test_typed_decimals_are_enclosed() -> None:
    found = enclosed(typed(["0.1", "0.5", "3", "-0.90954137"]))
    for k, text in enumerate(["0.1", "0.5", "3", "-0.90954137"]):
        assert Fraction(float(found.low[k])) <= Fraction(text) <= Fraction(float(found.high[k]))
    assert (found.low == found.high).tolist() == [False, True, True, False]


@pytest.mark.parametrize("kind", [k for k, c in CELLS.items() if c.states])
def test_every_cell_runs_in_intervals(kind: str) -> None:
    """From point inputs: the interval holds what float64 gives, and is hardly wider."""
    rng = np.random.default_rng(3)
    cell, sizes = build(kind, {}), {"H": 3, "D": 2}
    weights = {p.name: decimals(rng.normal(size=[sizes[d] for d in cell.dims[p]])) for p in cell.params}
    network = chain([Layer("cell", "cell", kind, {}, weights)], dtype="float32", features=2)
    x = decimals(rng.normal(size=(2, 4, 2)))
    found, value = run(network, x, Intervals()).y, run(network, x, Float64()).y
    assert (found.low <= value + 1e-13).all() and (value - 1e-13 <= found.high).all()  # type: ignore[attr-defined]
    assert (found.high - found.low < 1e-11).all()  # type: ignore[attr-defined]


# Lemmas


def test_the_seed() -> None:
    """The lemma of facts/mistakes.md: no state is positive, however the sequence is fed."""
    (lemma,) = lemmas(SEED, claimed(X, CLAIMED))
    assert lemma.says == "no `h_t` is above 0" and [n.text for n in lemma.numbers] == [CLAIMED]
    assert lemma.excludes(Number(CLAIMED)) and not lemma.excludes(Number("-0.46279544"))
    assert lemma.every == "for every input without negative numbers"
    known = {m.name: m for m in Trial(SEED, X).mistakes}
    for name in ("swapped", "summed into one step", "reversed", "r | z | n", "left out", "hard sigmoid of Keras 3"):
        assert lemma.covers((known[name],)), name
    for name in ("z | n | r", "r | n | z", "begins at 1", "sigmoid and tanh exchanged"):
        assert not lemma.covers((known[name],)), name
    assert lemma.covers((known["swapped"], known["reversed"], known["summed into one step"]))
    assert not lemma.covers((known["swapped"], known["z | n | r"]))


def test_a_negative_number_is_not_excluded() -> None:
    assert lemmas(SEED, claimed(X, "-0.70691013", "0.000", "-1.0")) == ()


def test_the_bound() -> None:
    (bound,) = lemmas(one_unit(KERNEL, ("0.24", "0.9", "-0.4")), claimed(X, "1.0001"))
    assert bound.name == "bound" and bound.says == "no `h_t` is above 1 or below -1"
    known = {m.name: m for m in Trial(SEED, X).mistakes}
    uncovered = {name for name, m in known.items() if not bound.covers((m,))}
    assert uncovered == {"sigmoid and tanh exchanged", "linear candidate", "relu candidate"}
    assert not bound.excludes(Number("1.0000")) and bound.excludes(Number("-1.1", unit=None))


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        ({"activation": "softsign"}, True),
        ({"activation": "hard_tanh"}, True),
        ({"activation": "sigmoid"}, True),
        ({"recurrent_activation": "hard_sigmoid"}, True),
        ({"recurrent_activation": ["hard_sigmoid", 0.2, 0.5]}, True),
        ({"recurrent_activation": "softmax"}, True),
        ({"reset_after": False}, True),
        ({"activation": "relu"}, False),
        ({"activation": "linear"}, False),
        ({"recurrent_activation": "tanh"}, False),
        ({"recurrent_activation": "relu"}, False),
    ],
)
def test_the_bound_needs_gates_and_candidate_that_have_one(options: dict[str, object], holds: bool) -> None:
    network = drawn(np.random.default_rng(4), 2, 2, **options)
    found = lemmas(network, claimed(typed([[["0.5", "-1"]]]), "7.5"))
    assert any(lemma.name == "bound" for lemma in found) is holds


@pytest.mark.parametrize(
    "network",
    [
        one_unit(KERNEL, ("0.24", "0.9", "-0.36")),  # the state's weight turns its sign
        one_unit(bias=("0", "0", "0.001", "0", "0", "0")),  # a bias pulls the other way
        one_unit(bias=("0", "0", "0", "0", "0", "0.001")),
        one_unit(activation="sigmoid"),
        one_unit(activation="exponential"),
        one_unit(recurrent_activation="tanh"),
    ],
)
def test_the_sign_needs_each_condition(network: Network) -> None:
    assert not [lemma for lemma in lemmas(network, claimed(X, "0.5")) if lemma.name == "sign"]


@pytest.mark.parametrize("activation", ["tanh", "softsign", "linear", "elu", "leaky_relu", "silu", "gelu", "hard_tanh"])
def test_activations_that_keep_the_sign(activation: str) -> None:
    (lemma,) = lemmas(one_unit(activation=activation), claimed(X, "0.5"))
    assert lemma.name == "sign"


def test_the_sign_needs_a_weighted_input_of_one_sign() -> None:
    assert lemmas(SEED, claimed(sequence("1", "-2", "9", "8"), "0.5")) == ()
    (lemma,) = lemmas(SEED, claimed(sequence("-1", "-2", "0", "-8"), "-0.5"))
    assert lemma.says == "no `h_t` is below 0" and not lemma.every


def test_signs_of_several_units() -> None:
    """Units 1 and 3 positive, 2 negative; the recurrent weights between them do not turn that."""
    rng = np.random.default_rng(5)
    signs = np.array([1, -1, 1])
    network = with_weights(
        drawn(rng, 3, 2),
        W_n=decimals(signs[:, None] * np.abs(rng.normal(size=(3, 2)))),
        U_n=decimals(np.outer(signs, signs) * np.abs(rng.normal(size=(3, 3)))),
        b_n=decimals(signs * 0.25),
        c_n=decimals(np.zeros(3)),
    )
    x = decimals(np.abs(rng.normal(size=(1, 5, 2))))
    (lemma,) = lemmas(network, claimed(x, "0.3", unit=1))
    assert lemma.says == "no `h_t` of units 1 and 3 is below 0, and none of unit 2 above"
    assert lemma.excludes(Number("-0.3", unit=2)) and not lemma.excludes(Number("-0.3", unit=1))
    assert not lemma.excludes(Number("-0.3", unit=None)) and not lemma.excludes(Number("0.3", unit=None))
    states = by_hand(network, x.value[0])
    assert (states * signs >= 0).all()


def signed(rng: np.random.Generator, units: int) -> tuple[Network, Tensor]:
    """A network and an input to which the sign lemma may apply: some conditions hold by the draw, some may not."""
    signs = rng.choice([-1, 1], size=units)
    network = with_weights(
        drawn(rng, units, 2),
        W_n=decimals(signs[:, None] * np.abs(rng.normal(size=(units, 2)))),
        U_n=decimals(np.outer(signs, signs) * np.abs(rng.normal(size=(units, units)))),
        b_n=decimals(signs * np.abs(rng.normal(size=units)) * rng.integers(0, 2)),
        c_n=decimals(signs * np.abs(rng.normal(size=units)) * rng.integers(0, 2)),
    )
    return network, decimals(np.abs(rng.normal(size=(1, 4, 2))) * rng.integers(0, 2, size=(1, 4, 1)))


def asked(units: int) -> tuple[Number, ...]:
    return tuple(Number(text, unit=k) for text in ("1.5", "0.25", "-0.25", "-1.5") for k in range(units))


def worst(lemma: Lemma, y: np.ndarray) -> float:
    """How far outputs (steps, units) are outside of what a lemma allows; below 0 inside."""
    return float(np.max([np.array(lemma.low) - y, y - np.array(lemma.high)]))


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_a_lemma_holds_in_every_way_that_it_covers(units: int, seed: int) -> None:
    """Every single mistake and pairs drawn at random, run in float64."""
    rng = np.random.default_rng([units, seed])
    network, x = signed(rng, units)
    trial = Trial(network, x)
    two = list(combinations(trial.mistakes, 2))
    ways = [(), *((m,) for m in trial.mistakes), *(two[k] for k in rng.choice(len(two), 150, replace=False))]
    found = lemmas(network, [Case((x,), asked(units))])
    assert {lemma.name for lemma in found} == {"bound", "sign"}
    covered = 0
    for made in ways:
        holding = [lemma for lemma in found if lemma.covers(made)]
        if not holding:
            continue
        covered += 1
        changed = trial.changed(made)
        y = changed.results(changed.run(Float64()))[0]
        for lemma in holding:
            assert worst(lemma, y) <= 1e-12, (lemma.name, [m.name for m in made])
    assert covered > 100


@pytest.mark.parametrize("units", [1, 2])
def test_a_lemma_holds_in_every_way_that_is_searched(units: int) -> None:
    """The rarer mistakes too, every pair of all, and a sample of the product of gate orders and the rest."""
    rng = np.random.default_rng([23, units])
    network, x = signed(rng, units)
    space = Space(network, Case((x,), tuple(Number("0.5", unit=k) for k in range(units))), catalogue)
    found = lemmas(network, [Case((x,), asked(units))], catalogue)
    assert {lemma.name for lemma in found} == {"bound", "sign"}
    for level in (singles(space.catalogue), pairs(space.catalogue), combined(space.catalogue)):
        ways = rng.permutation(level.ways)[:1500]
        y = space.values(ways)[:, 0]
        for lemma in found:
            covered = [lemma.covers([space.catalogue[k] for k in way if k >= 0]) for way in ways]
            assert sum(covered) > len(ways) / 40  # enough to be told by
            outside = np.maximum(np.array(lemma.low) - y, y - np.array(lemma.high)).max(-1)
            wrong = ways[np.array(covered) & (outside > 1e-12)]
            assert not [[space.catalogue[k].name for k in way if k >= 0] for way in wrong], lemma.name


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_holds_for_other_weights_and_inputs(seed: int) -> None:
    """It says so of the cell alone: large random arrays and inputs in its place."""
    rng = np.random.default_rng([9, seed])
    network, x = drawn(rng, 2, 2), decimals(rng.normal(size=(1, 3, 2)))
    (bound,) = [lemma for lemma in lemmas(network, claimed(x, "1.5")) if lemma.name == "bound"]
    other, far = drawn(rng, 2, 2, scale=30), decimals(rng.normal(size=(1, 6, 2)) * 50)
    trial = Trial(other, far)
    for m in Trial(network, x).mistakes:
        if bound.covers((m,)):
            changed = trial.changed(m)
            assert worst(bound, changed.results(changed.run(Float64()))[0]) <= 1e-12, m.name


def test_layers_behind_the_recurrent_one() -> None:
    """A Dense head of 8 states between -1 and 1 gives nothing farther from its bias than its weights add up to."""
    network = symgru.load(EXAMPLE).network
    head = network.layers["dense"].weights
    reach, bias = sum(abs(Fraction(t)) for t in head["W"].text.ravel()), Fraction(head["b"].text.item())
    x = typed([[[str(k)] for k in range(12)]])
    (lemma,) = lemmas(network, claimed(x, "5.5", "0.5"))
    assert [n.text for n in lemma.numbers] == ["5.5"] and lemma.case is None
    assert Fraction(lemma.low[0]) <= bias - reach and bias + reach <= Fraction(lemma.high[0])
    assert lemma.high[0] - lemma.low[0] == pytest.approx(float(2 * reach), abs=1e-6)
    trial = Trial(network, x)
    covered = [m for m in trial.mistakes if lemma.covers((m,))]
    assert len(covered) > 30
    for scale in (1, -50, 1000):
        other = Trial(network, decimals(np.random.default_rng(20).normal(size=(1, 12, 1)) * scale))
        for m in covered:
            assert worst(lemma, other.result(m, Float64())[None]) <= 1e-6, m.name
    assert not any(lemma.covers((m,)) for m in trial.mistakes if m.name in ("linear candidate", "relu candidate"))


def test_no_lemma_where_the_head_has_no_bound() -> None:
    rng = np.random.default_rng(21)
    dense = Layer("head", "head", "dense", {}, {"W": decimals(rng.normal(size=(1, 2))), "b": decimals(np.ones(1))})
    gru = next(iter(drawn(rng, 2, 1, activation="relu").layers.values()))
    network = chain([gru, dense], dtype="float32", features=1)
    assert lemmas(network, claimed(X, "1000000.5")) == ()


def test_a_softmax_gives_numbers_between_0_and_1() -> None:
    rng = np.random.default_rng(22)
    weights = {"W": decimals(rng.normal(size=(3, 2))), "b": decimals(np.ones(3))}
    dense = Layer("head", "head", "dense", {"activation": "softmax"}, weights)
    network = chain([*drawn(rng, 2, 1, activation="relu").layers.values(), dense], dtype="float32", features=1)
    (lemma,) = lemmas(network, claimed(X, "-0.25", unit=2))
    assert (lemma.low, lemma.high) == ((0.0,) * 3, (1.0,) * 3)
    assert lemma.says == "no output is above 1 or below 0"


def test_cases_of_unlike_sign_have_lemmas_of_their_own() -> None:
    cases = (*claimed(X, "-0.4"), *claimed(sequence("-1", "-2"), "-0.4"), *claimed(X, CLAIMED))
    assert [(lemma.case, lemma.says) for lemma in lemmas(SEED, cases)] == [
        (1, "no `h_t` is below 0"),
        (2, "no `h_t` is above 0"),
    ]


# Ranges


def test_ranges_of_the_seed() -> None:
    """Its own convention gives no positive number for inputs from 1 to 9; two other gate orders do."""
    (reach,) = ranges(SEED, claimed(X, CLAIMED))
    assert reach.own.high < 0 and reach.own.excludes(Number(CLAIMED))
    assert reach.own.low <= -0.46279538 <= reach.own.high
    assert reach.every.low <= -0.96486597 and reach.every.high >= 0.99999993
    assert reach.conventions == 48 and 24 < reach.excluding < 48
    assert "between 1 and 9" in reach.own.says and "tells nothing" in reach.every.says and reach.every.useless


@pytest.mark.parametrize("units", [1, 2, 8])
def test_every_run_is_in_its_range(units: int) -> None:
    """Inputs drawn from the box, its corners among them, in every convention, worked by hand."""
    rng = np.random.default_rng([11, units])
    for scale in (0.3, 1.0):
        network = drawn(rng, units, 2, scale)
        x = decimals(rng.normal(size=(1, 4, 2)), 3)
        low, high = x.value[0].min(0), x.value[0].max(0)
        reaches = ranges(network, [Case((x,), tuple(Number("0.5", unit=k) for k in range(units)))])
        assert len(reaches) == units
        fed = [x.value[0], *(low + rng.random((4, 2)) * (high - low) for _ in range(20))]
        fed += [np.where(rng.random((4, 2)) < 0.5, low, high) for _ in range(20)]
        for v in fed:
            own = by_hand(network, v)[-1]
            assert all(r.own.low <= own[k] <= r.own.high for k, r in enumerate(reaches))
            for order, new, before in product(("zrn", "rzn", "nrz", "rnz"), (False, True), (False, True)):
                for sequence_ in (v, v.sum(0, keepdims=True)):
                    y = by_hand(network, sequence_, order, new, before)[-1]
                    assert all(r.every.low <= y[k] <= r.every.high for k, r in enumerate(reaches))


def test_a_range_is_tight_where_the_box_is_a_point() -> None:
    """One input repeated: the range is the number itself."""
    x = sequence("0.3", "0.3", "0.3")
    (reach,) = ranges(SEED, claimed(x, CLAIMED))
    value = by_hand(SEED, x.value[0])[-1, 0]
    assert reach.own.high - reach.own.low < 1e-12
    assert abs(reach.own.low - value) < 1e-7  # by_hand has the weights as float32 stores them


def test_a_mix_is_no_wider_than_its_parts() -> None:
    """z h + (1 - z) n with z in [0.2, 0.7], h and n in [-1, 1]: plain intervals would reach 1.5."""
    network = one_unit(("0", "0", "0"), ("0", "0", "0"))
    wide = {"gru": Interval.between(-np.ones((1, 1)), np.ones((1, 1)))}
    y = run_within(Trial(network, X).changed(None), None, wide)
    assert y.high[0, 0, 0] == pytest.approx(0.5, abs=1e-12)  # z = 1/2 and n = 0


def test_steps_and_units_that_nobody_named() -> None:
    rng = np.random.default_rng(12)
    network, x = drawn(rng, 2, 1), decimals(rng.random((1, 5, 1)))
    early, anywhere = ranges(network, [Case((x,), (Number("0.5", step=0), Number("0.5", unit=None)))])
    first, last = by_hand(network, x.value[0])[0], by_hand(network, x.value[0])[-1]
    assert early.own.low <= first[0] <= early.own.high
    assert anywhere.own.low <= last.min() and last.max() <= anywhere.own.high


def test_a_range_is_printed_outward() -> None:
    assert outward(-0.12345678, 0.12345612) == "-0.123457 and 0.123457"
    assert Range(-1, 0.5, "").excludes(Number("0.5001")) is not True or Range(-1, 0.5, "").excludes(Number("0.5001"))
    assert not Range(-1, 0.5, "").excludes(Number("0.50"))


def test_a_network_with_a_head_has_a_range() -> None:
    network = symgru.load(EXAMPLE).network
    rng = np.random.default_rng(13)
    x = decimals(rng.random((1, 12, 1)))
    (reach,) = ranges(network, claimed(x, "5.5"))
    value = float(symgru.load(EXAMPLE)(x.value)[0, 0])
    assert reach.own.low <= value <= reach.own.high and reach.own.excludes(Number("5.5")) and not reach.own.useless
    assert reach.excluding == reach.conventions == 48


def test_of_a_large_network_only_its_own_convention_is_tried() -> None:
    network, x = drawn(np.random.default_rng(18), 32, 8, 0.1), decimals(np.random.default_rng(19).random((1, 60, 8)))
    (reach,) = ranges(network, claimed(x, "0.999"))
    assert reach.conventions == 1 and reach.every == reach.own
    value = by_hand(network, x.value[0])[-1, 0]
    assert reach.own.low <= value <= reach.own.high


def test_a_network_that_reads_indices_has_none() -> None:
    network = symgru.load(ROOT / "examples" / "brackets.keras").network
    x = Tensor(np.array([[1, 2, 1]]))
    assert ranges(network, claimed(x, "0.5")) == ()


# Stories


def told(network: Network, x: Tensor, *texts: str) -> dict[str, Story]:
    return {story.says: story for story in stories(network, claimed(x, *texts))}


def test_stories_of_the_seed() -> None:
    first, *others = stories(SEED, claimed(X, CLAIMED))
    assert first.strength == "likely" and "freshly drawn, not trained" in first.says
    assert "length 0.999999996" in first.evidence[0]
    assert "1.0425" in first.evidence[1] and "1.2247" in first.evidence[1]
    assert first.evidence[2] == "all 6 biases are 0, as Keras sets them"
    (carried,) = [s for s in others if "earlier run" in s.says]
    assert carried.strength == "excluded" and "-0.475965 and -0.440119" in carried.evidence[0]


@pytest.mark.filterwarnings("ignore:the arrays are read", "ignore:the shapes fit other layers")
@pytest.mark.parametrize(("units", "features"), [(1, 1), (2, 3), (8, 4), (16, 1)])
def test_keras_own_weights_look_fresh(units: int, features: int) -> None:
    keras = need_package("keras")
    keras.utils.set_random_seed(units)
    for options in ({}, {"reset_after": False}, {"use_bias": False}):
        model = keras.Sequential([keras.Input((4, features)), keras.layers.GRU(units, **options)])
        (found,) = fresh(symgru.load(model).network)
        assert found.framework == "Keras" and found.strong
        if not options:  # and so they do in the four decimals that somebody prints
            shortened = [np.round(a, 4) for a in model.get_weights()]
            assert [f.framework for f in fresh(symgru.load(shortened).network)] == ["Keras"]


@pytest.mark.parametrize(("units", "features"), [(2, 3), (8, 4), (16, 1)])
def test_torchs_own_weights_look_fresh(units: int, features: int) -> None:
    torch = need_package("torch")
    for seed in range(5):
        torch.manual_seed(seed)
        (found,) = fresh(symgru.load(torch.nn.GRU(features, units, batch_first=True)).network)
        assert found.framework == "PyTorch" and found.strong == (6 * units + 3 * units * (units + features) >= 24)
        assert f"{1 / np.sqrt(units):.4f}" in found.evidence[0]


def test_other_weights_do_not_look_fresh() -> None:
    """Normal weights of any scale, and fresh ones after a small step of training."""
    rng = np.random.default_rng(14)
    for units, scale in product((1, 2, 8), (0.1, 0.5, 2.0)):
        assert fresh(drawn(rng, units, 2, scale)) == ()
    moved = one_unit(recurrent=("0.24168766", "0.8991342", "0.36734456"))
    assert fresh(moved) == () and fresh(one_unit(bias=("0.001", *"00000"))) == ()
    (story,) = [s for s in stories(moved, claimed(X, CLAIMED)) if "other weights" in s.says]
    assert story.strength == "possible" and "do not tell" in story.evidence[0]


def test_a_state_that_gives_the_claim_is_found() -> None:
    value = by_hand(SEED, X.value[0], start=0.5)[-1, 0]
    (story,) = [s for s in stories(SEED, claimed(X, f"{value:.9f}")) if "earlier run" in s.says]
    start = float(re.findall(r"h_0 = (-?[0-9.]+)", story.evidence[0])[0])
    assert by_hand(SEED, X.value[0], start=start)[-1, 0] == pytest.approx(value, abs=1e-8)
    assert story.strength == "remark"


def test_no_state_between_gives_what_is_excluded() -> None:
    """Brute force: 1001 states by hand stay within the certified bounds."""
    (story,) = [s for s in stories(SEED, claimed(X, CLAIMED)) if s.strength == "excluded"]
    low, high = map(float, re.findall(r"-0\.[0-9]{6}", story.evidence[0]))
    values = [by_hand(SEED, X.value[0], start=s)[-1, 0] for s in np.linspace(-1, 1, 1001)]
    assert low <= min(values) and max(values) <= high


def test_an_input_that_was_divided() -> None:
    value = by_hand(SEED, X.value[0] / 100)[-1, 0]
    (story,) = [s for s in stories(SEED, claimed(X, f"{value:.10f}")) if "scaled" in s.says]
    assert story.strength == "possible" and "0.01 (1/100)" in story.evidence[0]


def test_two_results_for_one_input() -> None:
    (first,) = [s for s in stories(SEED, (*claimed(X, "-0.41"), *claimed(X, "-0.38"))) if "dropout" in s.says]
    assert first.strength == "likely" and "-0.41 and -0.38" in first.evidence[0]
    assert not [s for s in stories(SEED, (*claimed(X, "-0.4"), *claimed(X, "-0.38"))) if "dropout" in s.says]


def test_dropout_that_a_model_has() -> None:
    noted = replace(SEED, notes=("dropout does nothing in inference and is left out",))
    (story,) = [s for s in stories(noted, claimed(X, CLAIMED)) if "Dropout" in s.says]
    assert story.strength == "possible"


def test_stories_of_larger_networks() -> None:
    """No story fails on a network of several layers, several inputs or indices."""
    rng = np.random.default_rng(15)
    assert stories(symgru.load(EXAMPLE).network, claimed(decimals(rng.random((1, 12, 1))), "5.5"))
    brackets = symgru.load(ROOT / "examples" / "brackets.keras").network
    assert stories(brackets, claimed(Tensor(np.array([[1, 2, 1]])), "0.5"))


# The script


def executed(scripts: Sequence[str], folder: Path) -> list[str]:
    """What each prints; all in one process, for a framework takes long to start."""
    text = "\n".join(f"exec({s!r}, {{}})\nprint('=====', flush=True)" for s in scripts)
    found = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-2000:]
    return found.stdout.split("=====")[: len(scripts)]


def numbers_after(text: str) -> np.ndarray:
    return np.array([float(t) for t in re.findall(r"-?[0-9]+\.[0-9]*(?:e[-+]?[0-9]+)?", text)])


def one_layer(rng: np.random.Generator, kind: str, dtype: str, **options: object) -> Network:
    cell, sizes = build(kind, options), {"H": 3, "D": 2}
    weights = {p.name: decimals(rng.normal(size=[sizes[d] for d in cell.dims[p]])) for p in cell.params}
    return chain([Layer("layer", "layer", kind, options, weights)], dtype=dtype, features=2)


def test_keras_scripts_run(tmp_path: Path) -> None:
    """The seed's script prints weights and a prediction; from these weights symgru gives that prediction."""
    need_installed("keras")
    rng = np.random.default_rng(16)
    x, long = decimals(rng.random((1, 4, 2))), decimals(rng.random((2, 40, 2)))
    made = [
        script(SEED, [X]),
        script(one_layer(rng, "gru", "float64", reset_after=False, activation="relu"), [x]),
        script(one_layer(rng, "gru", "float32", return_sequences=True, use_bias=False), [long]),
        script(one_layer(rng, "simple", "float32"), [x]),
        script(symgru.load(EXAMPLE).network, [typed([[[str(k)] for k in range(12)]])], EXAMPLE),
    ]
    assert all(s.complete and s.framework == "keras" for s in made)
    assert "SimpleRNN(3)" in made[3].text and "reset_after=False" in made[1].text and "'float64'" in made[1].text
    first, *_, file = executed([s.text for s in made], tmp_path)
    printed, prediction = first.rsplit("]\n", 1)[0].rsplit("]\n", 1)
    assert made[0].command == "symgru run weights.txt --input 1,2,9,8"
    (tmp_path / "weights.txt").write_text(printed + "]\n")
    found = symgru.load(tmp_path / "weights.txt")([1, 2, 9, 8])
    assert found.item() == pytest.approx(numbers_after(prediction).item(), abs=1e-6)
    value = symgru.load(EXAMPLE)(list(range(12))).item()
    assert numbers_after(file)[-1] == pytest.approx(value, abs=1e-5)


def test_torch_script_runs(tmp_path: Path) -> None:
    torch = need_package("torch")
    own = script(
        symgru.load(torch.nn.GRU(2, 3, batch_first=True)).network, [decimals(np.ones((1, 4, 2)))], framework="torch"
    )
    wide = script(
        one_layer(np.random.default_rng(17), "gru", "float64", use_bias=False), [X[..., [0, 0]]], None, "torch"
    )
    assert "torch.nn.GRU(2, 3, batch_first=True)" in own.text and "bias=False, dtype=torch.float64" in wide.text
    first, _ = executed([own.text, wide.text], tmp_path)[:2]
    assert "weight_ih_l0" in first
    value = symgru.load(tmp_path / "model.pt")
    assert value.network.dtype == "float64"  # the last of the two
    executed([own.text], tmp_path)
    assert own.command.startswith("symgru run model.pt --input")


def test_which_framework() -> None:
    torch_file = replace(SEED, origin="model.safetensors")
    assert script(torch_file, [X]).framework == "torch" and script(SEED, [X]).framework == "keras"
    several = script(symgru.load(EXAMPLE).network, [X])
    assert not several.complete and "load_model" not in several.text and not several.command
    assert not script(symgru.load(EXAMPLE).network, [X], framework="torch").complete


def test_a_files_name_is_spelled_harmlessly(tmp_path: Path) -> None:
    hostile = Path("a'); import os #.keras")
    made = script(SEED, [X], hostile)
    assert repr(str(hostile)) in made.text and "'a'\"'\"'); import os #.keras'" in made.command
    compile(made.text, "script", "exec")
