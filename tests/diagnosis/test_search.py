"""What diagnose says of a claim: the facts' values, networks of several units and layers, several cases at once.

Claims come from `Trial` in float64 or in decimals, which runs one way at a time, from NumPy written out, or from a
framework; the search runs ways as rows of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import symgru
from symgru.building import build
from symgru.cells import CELLS
from symgru.decimal_domain import Decimals
from symgru.diagnosis.chance import CERTAIN, different, expected
from symgru.diagnosis.claims import LAST, Case, Number, could_be_of
from symgru.diagnosis.enumeration import enumeration
from symgru.diagnosis.findings import Diagnosis
from symgru.diagnosis.rarer import catalogue
from symgru.diagnosis.search import diagnose
from symgru.diagnosis.space import Space
from symgru.diagnosis.ways import combined, pairs, singles
from symgru.diagnosis.wiring_slips import of_network
from symgru.domains import Float64
from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.mistakes import WORKING, Mistake, Trial
from symgru.network import Array, Layer, Network, Tensor, chain
from tests.conftest import ROOT
from tests.test_mistakes import FACTS

Key = tuple[str, str]
SEED = symgru.load(ROOT / "examples" / "seed.json")
SUMMED, SWAPPED = ("sequence", "summed into one step"), ("update rule", "swapped")


def keys(made: Sequence[Mistake]) -> set[Key]:
    return {(m.kind, m.name) for m in made}


def of_seed(claimed: object, **options: Any) -> Diagnosis:
    content = SEED.diagnose([1, 2, 9, 8], claimed, **options).content
    assert isinstance(content, Diagnosis)
    return content


def network(kind: str, units: int, features: int, seed: int, biases: bool = True, dtype: str = "float32") -> Network:
    """A layer of random numbers printed with 8 decimals."""
    numbers, cell = np.random.default_rng(seed), build(kind, {})
    sizes = {"H": units, "D": features}
    weights = {
        p.name: typed(
            numbers.normal(0, 0.6 if biases or len(cell.dims[p]) > 1 else 0, [sizes[d] for d in cell.dims[p]])
        )
        for p in cell.params
    }
    return chain([Layer(kind, kind, kind, {}, weights)], dtype=dtype, features=features)


def typed(values: Array, decimals: int = 8) -> Tensor:
    text = np.array([f"{v:.{decimals}f}" for v in values.ravel()], dtype=object).reshape(values.shape)
    return Tensor(text.astype(np.float64), text)


def series(steps: int, features: int, seed: int, batch: int = 1) -> Tensor:
    return typed(np.random.default_rng(seed).uniform(-2, 2, (batch, steps, features)), 2)


def claim(values: Sequence[float], decimals: int = 7) -> tuple[Number, ...]:
    return tuple(Number(f"{v:.{decimals}f}", unit=k) for k, v in enumerate(values))


# ---------------------------------------------------------------- the seed


@pytest.mark.parametrize(("mistake", "value"), FACTS.items())
def test_each_value_of_the_facts_is_explained_by_its_own_mistake(mistake: Key, value: str) -> None:
    found = of_seed(value)
    assert found.verdict == "explained" and found.chance < CERTAIN
    assert any(keys(f.made) == {mistake} for f in found.classes[0].members)
    assert sum(a.first.faults == 1 for a in found.classes) == 1


@pytest.mark.parametrize(
    ("value", "made"),
    [("-0.33858551", {SWAPPED, ("gate order", "r | z | n")}), ("-0.70691", {SUMMED}), ("-0.70691013", {SUMMED})],
)
def test_pairs_and_the_numbers_of_the_thread(value: str, made: set[Key]) -> None:
    found = of_seed(value)
    assert found.verdict == "explained"
    assert [keys(f.made) for f in found.classes[0].members] == [made]


def test_a_pair_of_few_digits_is_among_those_that_fit() -> None:
    """-0.00000001 has one digit: many ways come as near."""
    found = of_seed("-0.00000001")
    assert found.verdict == "ambiguous"
    assert {SWAPPED, SUMMED} in [keys(f.made) for a in found.classes for f in a.members]


def test_the_network_of_the_thread_is_not_this_one() -> None:
    found = of_seed("0.9680257")
    assert found.verdict == "none" and not found.classes and found.complete
    assert sum(t.ways for t in found.tried) > 10_000


def test_the_nearest_ways_are_excluded_for_certain() -> None:
    """In decimals too they are as far away as the search says, and the claim's digits are out of reach."""
    found = of_seed("0.9680257")
    checked = enumeration(found)
    assert checked.certain and checked.checked == len(found.nearest) - 1 == 20
    trial = Trial(found.network, found.cases[0].inputs, catalogue)
    for near in found.nearest:
        away = abs(trial.result(near.made, Decimals(WORKING, typed=True))[0] - Decimal("0.9680257"))
        assert float(away) == pytest.approx(near.away, abs=1e-12) and away > Decimal("5e-8")
    assert checked.apart == found.nearest[-1].away


def test_what_keras_gives_is_right() -> None:
    found = of_seed("-0.46279544")
    assert found.verdict == "right" and found.classes[0].first.made == ()
    assert f"{found.exact[0]:.14f}" == "-0.46279537999927"


def test_the_chance_of_five_digits_is_that_of_the_facts() -> None:
    """About 100 single mistakes, half a unit of the fifth digit on both sides, a density of a half: 5e-4."""
    assert 2e-4 < of_seed("-0.70691").chance < 1e-3


def test_fewer_digits_are_ambiguous_and_more_are_not() -> None:
    verdicts = {len(v): of_seed(v) for v in ("-0.70", "-0.707", "-0.7069", "-0.70691")}
    assert [d.verdict for d in verdicts.values()] == ["ambiguous"] * 3 + ["explained"]
    for d in verdicts.values():
        assert {SUMMED} in [keys(f.made) for a in d.classes for f in a.members] or d.verdict == "ambiguous"
    assert {SUMMED} in [keys(f.made) for a in verdicts[7].classes for f in a.members]


def test_exhaustive_tries_everything_and_says_the_same() -> None:
    short, long = of_seed("-0.70691013"), of_seed("-0.70691013", exhaustive=True)
    assert not short.complete and long.complete and len(long.tried) == 3
    assert keys(short.classes[0].first.made) == keys(long.classes[0].first.made) == {SUMMED}


def test_near_misses_fit_nothing_and_are_told() -> None:
    found = of_seed("-0.7069113")  # the sixth decimal is another
    assert found.verdict == "none" and keys(found.near[0].made) == {SUMMED}
    assert not any(f.fits for f in found.near) and all(f.away > 1 for f in found.near)


# ---------------------------------------------------------------- rows are the ways


@pytest.mark.parametrize("kind", [name for name in CELLS if build(name, {}).states])
def test_ways_in_rows_are_the_ways_one_by_one(kind: str) -> None:
    """Singles all, and some of the pairs and of the product, of every recurrent cell."""
    net, x = network(kind, 3, 2, 5), series(4, 2, 6)
    case = Case((x,), claim([0.0] * 3))
    space = Space(net, case, catalogue)
    numbers = np.random.default_rng(7)
    for level, most in ((singles, 200), (pairs, 40), (combined, 30)):
        ways = level(space.catalogue).ways
        for way in numbers.permutation(ways)[:most]:
            made = [space.catalogue[k] for k in way if k >= 0]
            assert_alike(space.values(way[None])[0, 0], lambda made=made: space.trial.result(made, Float64()))


def test_rows_of_a_stack_with_a_head_and_a_batch() -> None:
    model = symgru.load(ROOT / "examples" / "brackets.keras").network
    numbers = np.random.default_rng(1)
    indices = numbers.integers(0, 3, (2, 5)).astype(np.float64)
    case = Case((Tensor(indices),), (Number("0", 0, LAST, 0), Number("0", 1, 2, 1)))
    space = Space(model, case, catalogue, of_network(model))
    assert {m.kind for m in space.catalogue} >= {"mask", "directions", "head"}
    for k, m in enumerate(space.catalogue):

        def alone(m: Mistake = m) -> Array:
            changed = space.trial.changed(m)
            y = changed.results(changed.run(Float64()))
            y = y[:, -5:]  # of a state that was carried over, the last run
            return np.array([y[0, -1, 0], y[1, 2, 1] if y.shape[1] == 5 else np.nan])

        assert_alike(space.values(np.array([[k]]))[0, 0], alone)


def assert_alike(found: Array, alone: Callable[[], Array]) -> None:
    try:
        wanted = alone()
    except (SymgruError, ValueError, IndexError):
        wanted = np.full(found.shape, np.nan)
    if wanted.shape == found.shape and np.isfinite(found).any():
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


# ---------------------------------------------------------------- several numbers


def test_a_pair_in_a_network_of_several_units() -> None:
    net, x = network("gru", 3, 2, 1), series(5, 2, 2)
    trial = Trial(net, x, catalogue)
    made = [m for m in trial.mistakes if (m.kind, m.name) in {SWAPPED, ("biases", "only the input's")}]
    values = trial.result(made, Float64())
    found = diagnose(net, [Case((x,), claim(values))])
    assert found.verdict == "explained" and keys(found.classes[0].first.made) == keys(made)


def test_a_number_of_some_unit() -> None:
    net, x = network("gru", 4, 1, 3), series(6, 1, 4)
    trial = Trial(net, x, catalogue)
    (reset,) = [m for m in trial.mistakes if (m.kind, m.name) == ("reset gate", "before the product")]
    value = trial.result(reset, Float64())[2]
    found = diagnose(net, [Case((x,), (Number(f"{value:.8f}", unit=None),))])
    assert found.verdict == "explained" and found.classes[0].first.unit == 2
    assert keys(found.classes[0].first.made) == keys([reset])


def test_several_inputs_say_more_than_one() -> None:
    """Four digits of one number are ambiguous; those of three inputs are not."""
    net = network("gru", 1, 1, 8)
    cases = []
    for seed in (1, 2, 3):
        x = series(4, 1, seed)
        trial = Trial(net, x, catalogue)
        made = [m for m in trial.mistakes if (m.kind, m.name) == ("biases", "left out")]
        cases.append(Case((x,), claim(trial.result(made, Float64()), 4)))
    assert diagnose(net, cases[:1]).verdict == "ambiguous"
    found = diagnose(net, cases)
    assert found.verdict == "explained" and keys(found.classes[0].first.made) == {("biases", "left out")}


def test_all_steps_of_a_float_array_have_no_printing() -> None:
    net, x = network("gru", 2, 1, 9), series(5, 1, 10)
    trial = Trial(net, x, catalogue)
    (swapped,) = [m for m in trial.mistakes if (m.kind, m.name) == SWAPPED]
    changed = trial.changed(swapped)
    y = changed.results(changed.run(Float64())).astype(np.float32)[0]
    found = symgru.face.Model(net).diagnose(x.value, y, all_steps=True).content
    assert isinstance(found, Diagnosis)
    assert found.verdict == "explained" and keys(found.classes[0].first.made) == {SWAPPED}
    assert set(found.classes[0].first.half) == {0.0}


def test_a_head_left_out() -> None:
    numbers = np.random.default_rng(4)
    gru = network("gru", 2, 1, 11).layers["gru"]
    head = Layer(
        "head", "head", "dense", {}, {"W": typed(numbers.normal(size=(2, 2))), "b": typed(numbers.normal(size=2))}
    )
    net, x = chain([gru, head], dtype="float32", features=1), series(4, 1, 12)
    y = Trial(chain([gru], dtype="float32", features=1), x).result(None, Float64())
    found = diagnose(net, [Case((x,), claim(y, 8))])
    assert found.verdict == "explained" and keys(found.classes[0].first.made) == {("head", "left out")}


def test_ways_that_agree_come_with_an_input_that_tells_them_apart() -> None:
    """In one step from a state of 0 the swapped rule is the sigmoid of -a."""
    net, x = network("gru", 1, 1, 13, biases=False), series(1, 1, 14)
    trial = Trial(net, x, catalogue)
    (swapped,) = [m for m in trial.mistakes if (m.kind, m.name) == SWAPPED]
    found = diagnose(net, [Case((x,), claim(trial.result(swapped, Float64()), 8))])
    first = found.classes[0]
    assert keys(first.members[0].made) == {SWAPPED}
    assert {("activations", "sigmoid of -a")} in [keys(f.made) for f in first.members]
    assert first.probe is not None and first.probe.tells > 1
    for f, values in zip(first.members, first.probe.values, strict=False):
        again = Trial(net, first.probe.x, catalogue).result(f.made, Decimals(WORKING, typed=True))
        assert [float(v) for v in again] == pytest.approx(values, abs=1e-12)


# ---------------------------------------------------------------- chance


def test_expected_hits_by_counting() -> None:
    """Uniform results and a uniform claim: ways times the width of the tolerance times one half."""
    numbers = np.random.default_rng(2)
    values = numbers.uniform(-1, 1, (400, 1))
    hits = np.mean([(np.abs(values - c) <= 0.01).sum() for c in numbers.uniform(0.1, 0.9, 4000)])
    stated = np.mean([expected(values, np.array([c]), np.array([0.01])) for c in numbers.uniform(0.1, 0.9, 400)])
    assert hits == pytest.approx(400 * 0.02 / 2, rel=0.05)
    assert 0.9 * hits < stated < 1.6 * hits  # crowds are counted as they are, and the uniform density at least


def test_the_ends_and_the_middle_say_little() -> None:
    """Saturated units are at 1 or -1, each as likely; an empty array is all zeros at once."""
    values = np.random.default_rng(4).uniform(-1, 1, (100, 3))
    near = np.full(3, 1e-7)
    assert expected(values, np.array([1.0, -1.0, 1.0]), near) == pytest.approx(101 / 8)
    assert expected(values, np.zeros(3), near) == pytest.approx(101 / 2)
    assert expected(values, np.array([0.5, 1.0, 0.3]), near) < 1e-9


def test_two_numbers_that_are_always_alike_are_one() -> None:
    values = np.random.default_rng(3).uniform(-1, 1, (100, 1))
    one = expected(values, np.array([0.3]), np.array([1e-4]))
    assert expected(np.repeat(values, 3, axis=1), np.full(3, 0.3), np.full(3, 1e-4)) == pytest.approx(one)


def test_different_results() -> None:
    values = np.array([[1.0, 2.0], [1.0, 2.0 + 1e-14], [1.0, 2.1], [np.nan, 0.0], [1.1, 2.0]])
    assert len(different(values)) == 3


def test_a_text_that_no_float32_prints_as() -> None:
    assert could_be_of(Number("-0.46279544"), "float32")  # Keras printed it
    assert not could_be_of(Number("0.99999993"), "float32")  # its neighbours print as 0.9999999 and 0.99999994
    assert could_be_of(Number("0.99999993"), "float64")


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("claimed", "says"),
    [
        ("1", "cannot be told"),
        ("nan", "nan"),
        ("1,2", "2 numbers"),
        ("", "claim"),
        ("abc", "abc"),
        ("1e99", "cannot be told"),
        ([[1.0], [2.0]], "2 numbers"),
    ],
)
def test_claims_that_say_nothing(claimed: object, says: str) -> None:
    with pytest.raises(UnusableInput, match=says) as error:
        of_seed(claimed)
    assert "\n" not in str(error.value)


def test_a_network_without_recurrence_is_refused() -> None:
    head = Layer("head", "head", "dense", {}, {"W": Tensor(np.ones((1, 2))), "b": Tensor(np.zeros(1))})
    net = chain([head], dtype="float32", features=2)
    with pytest.raises(Unsupported, match="recurrent"):
        diagnose(net, [Case((Tensor(np.ones((1, 2))),), (Number("0.5"),))])
