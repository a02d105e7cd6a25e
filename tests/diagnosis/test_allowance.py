"""How near a claim has to be, and that every order of every array is tried once: on networks of one unit."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import permutations, product

import pytest

from symgru.decimal_domain import Decimals
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.findings import Diagnosis
from symgru.diagnosis.rarer import catalogue
from symgru.diagnosis.search import diagnose
from symgru.diagnosis.ways import NONE, ORDER, combined, pairs, singles
from symgru.mistakes import WORKING, Trial
from symgru.network import Network
from tests.one_unit import KERNEL, RECURRENT, SEED, X, one_unit


def found(network: Network, claimed: str) -> Diagnosis:
    return diagnose(network, [Case((X,), (Number(claimed),))])


def test_the_unprinted_digits_move_what_the_facts_say() -> None:
    """facts/mistakes.md: weights printed to 8 decimals alone spread h_4 by 9e-8, so by half of that to each side."""
    (printing,) = found(SEED, "-0.46279544").own.printing
    assert 3e-8 < printing < 9e-8
    whole = one_unit(("-1", "1", "-0.5"), ("0.25", "0.5", "1"))
    assert found(whole, "-0.1234567").own.printing == (0.0,)  # short numbers are themselves


def test_one_unit_beyond_what_is_allowed_does_not_fit() -> None:
    network = one_unit(dtype="float64")
    own = found(network, "-0.46279538").own
    allowed = own.printing[0] + own.arithmetic[0]
    for distance, verdict in ((0.99 * allowed, "right"), (1.01 * allowed + 1e-12, "none")):
        assert found(network, f"{own.values[0] - distance:.14f}").verdict == verdict


@pytest.mark.parametrize(("off", "right"), [("0", True), ("1e-6", False), ("1e-16", True)])
def test_numbers_of_a_float64_network(off: str, right: bool) -> None:
    network = one_unit(("-0.9", "1.04", "-0.04"), ("0.24", "0.9", "0.37"), dtype="float64")
    exact = Trial(network, X).result(None, Decimals(WORKING, typed=True))[0]
    assert (found(network, f"{exact + Decimal(off):.20f}").verdict == "right") is right


@pytest.mark.parametrize("biases", [False, True])
def test_every_order_of_every_array_is_tried_once(biases: bool) -> None:
    """6 x 6 orders of the two kernels; with the biases, whose rows go together, 6 x 6 x 6."""
    rows = (("0.1", "-0.2", "0.3"), ("0.4", "0.5", "-0.6")) if biases else (("0",) * 3,) * 2
    layer = one_unit(bias=(*rows[0], *rows[1])).layers["gru"]
    known = catalogue(layer)
    tried: Counter[tuple[str, ...]] = Counter()
    for level in (singles(known), pairs(known), combined(known)):
        for way in level.ways:
            made = [known[k] for k in way if k != NONE]
            if all(m.kind == ORDER and m.weights for m in made):
                weights = layer.weights
                for m in made:
                    assert m.weights
                    weights = m.weights(weights)
                tried[tuple(str(weights[f"{a}_{g}"].text.item()) for a in "WUbc" for g in "zrn")] += 1
    orders = list(permutations(range(3)))
    own = list(range(3))
    every = {
        tuple(row[k] for row, order in zip((KERNEL, RECURRENT, *rows), (w, u, b, b), strict=True) for k in order)
        for w, u, b in product(orders, orders, orders if biases else [own])
    }
    every -= {(*KERNEL, *RECURRENT, *rows[0], *rows[1])}
    assert set(tried) == every and set(tried.values()) == {1}
    assert len(every) == 6**3 - 1 if biases else 6**2 - 1
