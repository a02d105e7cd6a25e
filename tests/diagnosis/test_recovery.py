"""Mistakes planted in random networks are found, and numbers of no relation are not explained: a few seeded cases.

benchmarks/diagnose.py makes thousands; benchmarks/results/diagnose.md has their figures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgru.diagnosis.claims import Case, Number, could_be_of
from symgru.diagnosis.search import diagnose
from symgru.diagnosis.ways import ORDER, pairs
from symgru.mistakes import Trial
from tests.diagnosis.recovery import (
    Expected,
    Outcome,
    by_chance,
    draw,
    expectation,
    known_of,
    network,
    outcome,
    outputs,
    sequence,
    stacked,
    wrong,
)

SEED = 6
CASES, BY_CHANCE = 24, 6
UNITS, LONGEST = (1, 2, 1, 3), 8


@pytest.mark.parametrize("number", range(CASES))
def test_a_planted_mistake_is_found_where_the_number_tells_it(number: int) -> None:
    drawn = draw(np.random.default_rng([SEED, 0, number]), UNITS[number % len(UNITS)], LONGEST)
    expected = expectation(drawn)
    assert expected.among, "the search tries what is planted"
    assert expected.away <= 1, "what is planted is within what is allowed"
    assert wrong(expected, outcome(drawn)) == "", (drawn.names, expected)


@pytest.mark.parametrize("number", range(BY_CHANCE))
def test_a_number_of_no_relation_is_not_explained(number: int) -> None:
    found = by_chance(np.random.default_rng([SEED, 1, number]), UNITS[number % len(UNITS)], LONGEST)
    assert found["verdict"] in ("none", "ambiguous"), found


def test_what_must_become_of_a_case() -> None:
    sure = Expected(2, True, 1e-5, (), 0.5)
    crowded, rivalled = Expected(2, True, 2e-3, (), 0.5), Expected(2, True, 1e-5, (("arrays: float16",),), 0.5)
    first, second, nowhere = (
        Outcome(verdict, k, 3, ()) for verdict, k in (("explained", 0), ("ambiguous", 1), ("none", -1))
    )
    assert sure.identifiable and not crowded.identifiable and not rivalled.identifiable
    assert wrong(sure, first) == wrong(crowded, second) == wrong(rivalled, second) == ""
    assert all(wrong(*case) for case in ((sure, second), (sure, nowhere), (crowded, nowhere), (crowded, first)))


# ------------------------------------------------------------------------------ what the experiment found


def by_hand(kernel: Any, recurrent: Any, b: Any, c: Any, x: Any) -> Any:
    """A GRU with reset_after=True from Keras' arrays, gates in the order z, r, n: its last state."""
    h = np.zeros(len(recurrent))
    for row in x:
        own = np.split(row @ kernel + b, 3), np.split(h @ recurrent + c, 3)
        (i_z, i_r, i_n), (s_z, s_r, s_n) = own
        z, r = 1 / (1 + np.exp(-i_z - s_z)), 1 / (1 + np.exp(-i_r - s_r))
        h = z * h + (1 - z) * np.tanh(i_n + r * s_n)
    return h


def test_an_order_of_each_array_is_found() -> None:
    rng = np.random.default_rng(20)
    net = network(rng, 3, 2, reset_after=True, scale=0.5)
    x = sequence(rng, 5, 2)
    kernel, recurrent, b, c = (a.astype(float) for a in stacked(net, "zrn"))

    def taken(a: Any, *order: int) -> Any:
        blocks = np.split(a, 3, axis=-1)
        return np.concatenate([blocks[k] for k in order], axis=-1)

    claim = by_hand(taken(kernel, 1, 0, 2), taken(recurrent, 2, 1, 0), b, c, x.value[0])
    case = Case((x,), tuple(Number(f"{v:.6f}", unit=k) for k, v in enumerate(claim)))
    found = diagnose(net, [case])
    assert found.verdict == "explained"
    assert [(m.kind, m.name.partition(" in ")[2]) for m in found.classes[0].first.made] == [
        (ORDER, "kernel"),
        (ORDER, "recurrent kernel"),
    ]


def test_two_orders_are_a_pair_where_they_are_of_different_arrays() -> None:
    rng = np.random.default_rng(21)
    net = network(rng, 2, 1, reset_after=True, scale=0.5)
    catalogue = known_of(sequence(rng, 2, 1))(net.layers["gru"])
    both = [[catalogue[k] for k in way] for way in pairs(catalogue).ways]
    orders = [[m.name.partition(" in ") for m in way] for way in both if {m.kind for m in way} == {ORDER}]
    assert len(orders) == 3 * 5 * 4 + 3 * 5 * 4  # two arrays; one, and the two others
    for (order, _, where), (another, _, elsewhere) in orders:
        assert order != another
        assert where and elsewhere and not {*where.split(" and ")} & {*elsewhere.split(" and ")}


@pytest.mark.parametrize("decimals", [1, 2, 4])
def test_lines_are_rounded_alike_in_exact_decimals_and_in_float64(decimals: int) -> None:
    rng = np.random.default_rng(107)
    net, x = network(rng, 3, 2, scale=0.05), sequence(rng, 6, 2)
    trial = Trial(net, x, known_of(x))
    made = next(m for m in trial.mistakes if m.kind == "rounding" and m.decimals == decimals)
    exact, binary = (outputs(trial, (made,), arithmetic).astype(float) for arithmetic in ("exact", "float64"))
    np.testing.assert_allclose(exact, binary, rtol=0, atol=1e-12)
    assert np.round(exact, decimals) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("v", [0.1, -0.46279544, 1e-6, 0.99999994])
def test_a_float32_is_one_however_it_is_held(v: float) -> None:
    stored = np.float32(v)
    for text in (str(stored), repr(float(stored)), f"{stored:.8f}", f"{stored:.3f}"):
        assert could_be_of(Number(text, printed="." in text and len(text) < 12), "float32")
    assert not could_be_of(Number(repr(v * 1.00000001), printed=False), "float32")
