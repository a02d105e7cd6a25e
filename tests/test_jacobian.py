"""The Jacobian of a step: against difference quotients of 60 digits, and against the reverse step."""

from decimal import Decimal

import numpy as np
import pytest

from symgru.activations import table
from symgru.adjoint import adjoint, tape
from symgru.algebra import Vec
from symgru.backends.c.printer import Formula
from symgru.building import build
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.domains import Float64
from symgru.jacobian import tangent
from tests.differences import DOMAIN, STEP, decimals

e = Vec("e", real=True)
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
SIZES = {"H": 3, "D": 2}


def values_of(cell, seed):
    rng = np.random.default_rng(seed)
    weights = {p.name: 0.7 * rng.normal(size=[SIZES[d] for d in cell.dims[p]]) for p in cell.params}
    return weights, rng.normal(size=(1, 2)), rng.normal(size=(1, 3)), rng.normal(size=(1, 3))


def carried(cell, domain, weights, x, h, direction):
    """The Jacobian at (x, h) times a direction: the printed expression in a domain's arithmetic."""
    lines = tape(cell)
    found = domain.step(lines)(x, h, weights)
    moves = Cell("moves", ((Vec("moved", real=True), tangent(cell, e)),), inputs=(e, *lines.inputs), states=())
    return domain.step(moves)(direction, None, {**weights, **found, "x": x, "h": h})["moved"]


TEXTBOOK = {
    "gru": "z*e + (h - n)*z*(1 - z)*(U_z e) + (1 - z)*(1 - n*n)*(u_n*r*(1 - r)*(U_r e) + r*(U_n e))",
    "mgu3": "(1 - f)*e + f*(1 - n*n)*(U_n (f*e))",
    "simple": "(1 - h'*h')*(U e)",
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_textbooks(name):
    assert Formula().doprint(tangent(CELLS[name], e)) == TEXTBOOK[name]


CASES = [(name, {}) for name in RECURRENT]
CASES += [
    ("gru", {"activation": a, "recurrent_activation": a, "reset_after": False})
    for a in sorted(set(table()) - {"sparsemax"})
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n} {' '.join(map(str, o.values()))}" for n, o in CASES])
def test_against_difference_quotients(name, options):
    cell = build(name, options)
    weights, x, h, direction = values_of(cell, seed=len(name))
    with DOMAIN.context():
        exact = {key: decimals(w) for key, w in weights.items()}
        x10, h10, d10 = decimals(x), decimals(h), decimals(direction)
        step = DOMAIN.step(cell)
        there, back = (step(x10, h10 + sign * STEP * d10, exact)["h1"] for sign in (Decimal(1), Decimal(-1)))
        found = carried(cell, DOMAIN, exact, x10, h10, d10)
        assert float(abs(found - (there - back) / (2 * STEP)).max()) <= 1e-30 * max(1, float(abs(found).max()))


@pytest.mark.parametrize("name", RECURRENT)
def test_forwards_and_backwards_are_transposes(name):
    """g (J e) = (g J) e: what the reverse step hands back, and what the Jacobian carries on."""
    cell, domain = CELLS[name], Float64()
    weights, x, h, direction = values_of(cell, seed=9)
    seed = np.random.default_rng(10).normal(size=(1, 3))
    reverse = adjoint(cell)
    found = domain.step(reverse.forward)(x, h, weights)
    back = domain.step(reverse.step)(seed, None, {**weights, **found, "x": x, "h": h})["dh"]
    forwards = carried(cell, domain, weights, x, h, direction)
    assert (seed * forwards).sum() == pytest.approx((back * direction).sum(), rel=1e-12)
