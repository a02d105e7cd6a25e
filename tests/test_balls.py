"""A ball holds the true number, whatever the function, the precision and the ball that went in."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symgru.activations import ACROSS, activation, table
from symgru.algebra import Mat
from symgru.balls import Balls
from symgru.cell import Cell, x
from symgru.cells import y
from symgru.network import Tensor
from tests import precise

FUNCTIONS = {name: f for name, f in precise.ACTIVATIONS.items() if name in table()}
seeded = settings(derandomize=True, deadline=None)
DIGITS = 120  # of mpmath, where e^-200 next to 1 loses 87


def through(name, balls, bits):
    """The activation of an array of balls."""
    cell = Cell(f"only {name}", ((y, activation(name)(x)),), states=())
    domain = Balls(bits)
    with domain.context():
        return domain.step(cell)(np.array(balls, dtype=object), None, {})["y"]


def ball_around(centre, radius):
    """A ball with exactly these points; its radius may be a little more."""
    return arb(fmpq(centre.numerator, centre.denominator), float(radius))


def is_inside(ball, number):
    """Whether a ball may hold a number of which 60 digits are known."""
    text = mpmath.nstr(number, 60, strip_zeros=False)
    with ctx.workprec(400):
        return not ball.is_finite() or ball.overlaps(arb(text) * arb(1, 1e-55))


def test_every_activation_is_here():
    assert set(FUNCTIONS) == set(table()) - {name.name for name in ACROSS}


centres = st.one_of(
    st.fractions(-8, 8, max_denominator=64), st.fractions(-200, 200, max_denominator=7), st.just(Fraction(0))
)
radii = st.sampled_from([0.0, 2.0**-80, 2.0**-20, 0.125, 1.0, 4.0, 60.0])


@pytest.mark.parametrize("name", FUNCTIONS)
@seeded
@given(centre=centres, radius=radii, at=st.fractions(-1, 1, max_denominator=9), bits=st.sampled_from([24, 53, 200]))
@example(centre=Fraction(0), radius=0.125, at=Fraction(0), bits=53)  # across the branch point
@example(centre=Fraction(-3), radius=0.125, at=Fraction(1), bits=53)
@example(centre=Fraction(6), radius=1.0, at=Fraction(-1), bits=53)
def test_the_function_of_every_point_is_in_the_ball(name, centre, radius, at, bits):
    (result,) = through(name, [[ball_around(centre, radius)]], bits)[0]
    with mpmath.workdps(DIGITS):
        point = precise.rational(centre) + precise.rational(at) * mpmath.mpf(radius)
        assert is_inside(result, FUNCTIONS[name](point))


@seeded
@given(
    centres=st.lists(st.fractions(-90, 90, max_denominator=16), min_size=1, max_size=5),
    radius=radii,
    ats=st.lists(st.fractions(-1, 1, max_denominator=4), min_size=5, max_size=5),
    bits=st.sampled_from([24, 53, 200]),
)
def test_softmax_of_every_point_is_in_the_balls(centres, radius, ats, bits):
    (result,) = through("softmax", [[ball_around(c, radius) for c in centres]], bits)
    with mpmath.workdps(DIGITS):
        points = [
            precise.rational(c) + precise.rational(at) * mpmath.mpf(radius) for c, at in zip(centres, ats, strict=False)
        ]
        assert all(is_inside(b, v) for b, v in zip(result, precise.softmax(points), strict=True))


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"exponential"}))
@pytest.mark.parametrize("at", ["0", "-0.75", "2.5", "-3", "7"])
def test_balls_are_narrow(name, at):
    """Of 200 bits at most 10 are lost on a number that is known exactly."""
    (result,) = through(name, [[arb(at)]], 200)[0]
    assert result.rel_accuracy_bits() >= 190


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("sigmoid", 0, 1), ("tanh", -1, 1), ("hard_sigmoid", 0, 1), ("hard_tanh", -1, 1), ("relu6", 0, 6)],
)
@pytest.mark.parametrize("lost", [arb(0, 1e300), arb("0 +/- inf"), arb(-(10**30), 1e40)])
def test_where_all_is_lost_a_gate_still_has_its_range(name, low, high, lost):
    (result,) = through(name, [[lost]], 53)[0]
    assert result.contains(low) and result.contains(high)
    assert result.lower() > low - 1e-6 and result.upper() < high + 1e-6


def test_where_all_is_lost_softmax_still_has_its_range():
    for ball in through("softmax", [[arb(0, 1e300), arb(1), arb("0 +/- inf")]], 53)[0]:
        assert ball.contains(0) and ball.contains(1) and ball.rad() < 0.6


@seeded
@given(
    W=st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=4),
    v=st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=3),
)
def test_products_are_those_of_fractions(W, v):
    """Floats are exact in balls, and 8,000 bits hold every sum of their products."""
    m = Mat("W", real=True)
    cell, domain = Cell("only a product", ((y, m @ x),), states=()), Balls(8000)
    with domain.context():
        p = domain.params(cell, {"W": Tensor.of(np.array(W))})
        found = domain.step(cell)(domain.lift(Tensor.of(np.array(v))), None, p)["y"]
        assert found.shape == (len(v), len(W))
        for row, mine in zip(v, found, strict=True):
            for weights, ball in zip(W, mine, strict=True):
                right = sum(Fraction(a) * Fraction(b) for a, b in zip(weights, row, strict=True))
                assert ball.is_exact() and ball == arb(fmpq(right.numerator, right.denominator))


def test_typed_and_stored_numbers():
    tensor = Tensor(np.array([np.float32(0.1), np.float32(5e-40)]), np.array(["0.1", "5e-40"], dtype=object))
    with ctx.workprec(100):
        stored, typed = Balls(100).lift(tensor), Balls(100, typed=True).lift(tensor)
        assert all(b.is_exact() for b in stored)
        assert stored[0] == arb(fmpq(13421773, 134217728))
        assert typed[0].contains(fmpq(1, 10)) and not typed[0].contains(stored[0])
        assert typed[1].contains(fmpq(1, 2 * 10**39))
        assert Balls(100, typed=True).lift(Tensor.of(np.array([0.375])))[0].is_exact()


def test_the_context_is_left_as_it_was():
    before = ctx.prec
    with Balls(777).context():
        assert ctx.prec == 777
    assert ctx.prec == before
