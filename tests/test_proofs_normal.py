"""The normal form equates only what is equal, and the enclosures hold the exact values."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, Function, Integer, Rational, Symbol, cos, evaluate, exp, tanh

from symgru.activations import SOFTMAX, activation, clip, expm1, where_positive
from symgru.algebra import Across, Dot, Mat, Vec, sigma
from symgru.building import build
from symgru.cell import h, x
from symgru.cells import CELLS, U, W
from symgru.domains import Float64
from symgru.errors import Unsupported
from symgru.proofs.claims import one_step, violation
from symgru.proofs.enclosures import Point, apart, components, constant, digits, enclosure
from symgru.proofs.normal import equal, has_sign
from tests.precise import ACTIVATIONS

a, b, c = (Symbol(name, real=True) for name in "abc")
p = Symbol("p", nonnegative=True)
q = Symbol("q", positive=True)
s, g = Function("s", real=True), Function("g", real=True)
V = Mat("V", real=True)
u, v, w = (Vec(name, real=True) for name in "uvw")
low, high = Vec("low", nonnegative=True), Vec("high", positive=True)

# Equality ------------------------------------------------------------------------------------------------------------

EQUAL = {
    "order": (a + b * c, c * b + a),
    "distribution": (a * (b + c), a * b + a * c),
    "fractions": (a / (b + c) + c / (b + c), (a + c) / (b + c)),
    "common factors": ((a**2 - b**2) / (a - b), a + b),
    "powers of one exponential": (exp(2 * a), exp(a) ** 2),
    "half angles": (exp(a), exp(a / 2) ** 2),
    "negative powers": (exp(a) * exp(-a), Integer(1)),
    "content of an exponent": (exp(2 * a + 2 * b), exp(a + b) ** 2),
    "an exponent in other words": (exp(a * (b + c)), exp(a * b + c * a)),
    "a fraction in an exponent": (exp((a**2 - b**2) / (a - b)), exp(a + b)),
    "nested": (sigma(tanh(-a)), 1 - sigma(tanh(a))),
    "expm1": (expm1(a), exp(a) - 1),
    "e": (exp(1), exp(Rational(1, 2)) ** 2),
    "an unknown function": (s(a * (b + 1)), s(a + a * b)),
    "linear": (Dot(V, u + 2 * v), Dot(V, u) + 2 * Dot(V, v)),
    "a matrix with a sign": (Dot(-V, u), -Dot(V, u)),
    "zero": (Dot(V, u - u), Integer(0)),
    "a scaled vector": (Dot(V, v / sigma(u)), Dot(V, v) + Dot(V, exp(-u) * v)),
    "clip below": (clip(-p, 0, 6), Integer(0)),
    "clip above": (clip(7 + p, 0, 6), Integer(6)),
    "clip inside": (clip(sigma(a), 0, 1), sigma(a)),
    "absolute values": (Abs(-p), p),
    "a positive branch": (where_positive(q, a, b), a),
    "the other branch": (where_positive(-p, a, b), b),
}
DIFFERENT = {
    "sum": (a + b, a - b),
    "product": (a * b, a + b),
    "exponentials": (exp(a + b), exp(a) + exp(b)),
    "thirds": (exp(a / 3), exp(a / 2)),
    "sigma": (sigma(a + b), sigma(a) + sigma(b)),
    "an unknown function": (s(-a), 1 - s(a)),
    "two unknown functions": (s(a), g(a)),
    "two matrices": (Dot(V, u), Dot(U, u)),
    "element-wise": (Dot(V, u * v), u * Dot(V, v)),
    "clip": (clip(a, 0, 6), a),
    "clip at a branch that is open": (clip(p, 0, 6), p),
    "absolute value": (Abs(a), a),
    "a branch that is open": (where_positive(p, a, b), a),
    "where 0 is no positive number": (where_positive(p, a, 0), a),
}


@pytest.mark.parametrize("case", EQUAL)
def test_equal(case):
    assert equal(*EQUAL[case])


@pytest.mark.parametrize("case", DIFFERENT)
def test_not_equal(case):
    assert not equal(*DIFFERENT[case])


def test_complementary_functions():
    known = frozenset({s})
    assert equal(s(-a), 1 - s(a), known)
    assert equal(s(-Dot(V, u) - b), 1 - s(Dot(V, u) + b), known)
    assert equal(s(2 * a) + s(-2 * a), Integer(1), known)
    assert not equal(s(-a), 1 - s(2 * a), known)
    assert not equal(g(-a), 1 - g(a), known)


def test_more_functions_than_there_was_room_for():
    many = [Symbol(f"a{k}", real=True) for k in range(40)]
    known = frozenset({s})
    assert equal(sum(map(s, many)), 40 - sum(s(-t) for t in many), known)
    assert not equal(sum(map(s, many)), 40 - sum(s(-t) for t in many[1:]), known)


def test_what_it_cannot_read():
    with pytest.raises(Unsupported, match="Pow"):
        equal(a**b, a)
    with pytest.raises(Unsupported, match="divide by 0"):
        with evaluate(False):
            equal(1 / (a - a), a)


atoms = st.sampled_from([a, b, Integer(0), Integer(1), Integer(-2), Rational(1, 2)])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda e, f: e + f, inner, inner),
        st.builds(lambda e, f: e * f, inner, inner),
        st.builds(lambda e: -e, inner),
        st.builds(sigma, inner),
        st.builds(tanh, inner),
    ),
    max_leaves=4,
)


def value(e, point):
    """By mpmath, from SymPy's own tree."""
    if e.is_Symbol:
        return point[e]
    if e.is_Rational:
        return mpmath.mpf(e.p) / e.q
    parts = [value(arg, point) for arg in e.args]
    known = {
        "Add": lambda *t: mpmath.fsum(t),
        "Mul": lambda *t: mpmath.fprod(t),
        "Pow": mpmath.power,
        "sigma": lambda t: 1 / (1 + mpmath.exp(-t)),
        "tanh": mpmath.tanh,
    }
    return known[type(e).__name__](*parts)


POINTS = [{a: mpmath.mpf(3) / 8, b: mpmath.mpf(-5) / 4}, {a: mpmath.mpf(-1) / 16, b: mpmath.mpf(3) / 2}]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(expressions, expressions)
def test_equal_forms_have_equal_values(left, right):
    """Random pairs are seldom equal, so their sum's square is also compared with itself in other words."""
    if equal(left, right):
        with mpmath.workdps(40):
            assert max(abs(value(left, point) - value(right, point)) for point in POINTS) < 1e-30
    with evaluate(False):
        square, multiplied = (left + right) * (left + right), left * left + 2 * left * right + right * right
    assert equal(square, multiplied)
    assert not equal(square, multiplied + 1)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(expressions, st.sampled_from(["<", "<=", ">", ">="]))
def test_a_sign_that_is_shown_is_right(e, relation):
    shown = e.subs({a: p, b: -q})
    if has_sign(shown, relation):
        for first, second in ((0, 1), (0.25, 7), (9, 0.125)):
            found = value(shown, {p: mpmath.mpf(first), q: mpmath.mpf(second)})
            assert {"<": found < 0, "<=": found <= 0, ">": found > 0, ">=": found >= 0}[relation]


# Signs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e", "relation"),
    [
        (q, ">"),
        (p, ">="),
        (-q - p, "<"),
        (-p, "<="),
        (a**2, ">="),
        (a**2 + q, ">"),
        (sigma(a), ">"),
        (1 - sigma(a), ">"),
        (tanh(a) - 1, "<"),
        (q / (1 + p), ">"),
        (-1 / q, "<"),
        (Integer(0), ">="),
        (Integer(0), "<="),
    ],
)
def test_signs(e, relation):
    assert has_sign(e, relation)
    opposite = {">": "<", ">=": "<", "<": ">", "<=": ">"}[relation]
    assert not has_sign(e, opposite)


@pytest.mark.parametrize(
    "e", [a, p - q, a * b, tanh(a), exp(p) - 2, p * a, 1 / a, q / (p - 1), q / p, sigma(a) * p - 1]
)
def test_signs_that_are_not_known(e):
    assert not any(has_sign(e, relation) for relation in ("<", "<=", ">", ">="))


def test_what_is_weak_is_not_strict():
    assert not has_sign(p, ">")
    assert not has_sign(-p, "<")
    assert not has_sign(a**2, ">")
    assert not has_sign(Integer(0), ">")


def test_matrices_without_negative_elements():
    known = frozenset({V})
    assert has_sign(Dot(V, low), ">=", known)
    assert has_sign(Dot(V, -low), "<=", known)
    assert has_sign(Dot(V, low) + high, ">", known)
    assert has_sign(Dot(V, sigma(u) * low), ">=", known)
    assert not has_sign(Dot(V, low), ">=")
    assert not has_sign(Dot(V, u), ">=", known)
    assert not has_sign(Dot(V, high), ">", known), "all its elements may be 0"
    assert not has_sign(Dot(-V, low), ">=", known)


# Enclosures ----------------------------------------------------------------------------------------------------------


def holds(interval, exact):
    """Whether the exact value lies in an interval, which is narrow."""
    with mpmath.workdps(60):
        return mpmath.mpf(interval.a) <= exact <= mpmath.mpf(interval.b)


def width(interval):
    return float(mpmath.mpf(interval.b) - mpmath.mpf(interval.a))


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
@pytest.mark.parametrize("at", [Fraction(-7, 2), Fraction(-1, 3), Fraction(0), Fraction(2, 7), Fraction(5)])
def test_activations_are_enclosed(name, at):
    found = enclosure(activation(name).node(a), Point({"a": at}))
    with mpmath.workdps(60):
        exact = ACTIVATIONS[name](mpmath.mpf(at.numerator) / at.denominator)
    assert holds(found, exact)
    if name != "gelu":
        assert width(found) < 1e-25


def test_softmax():
    e = Across(SOFTMAX, u)
    for found, exact in zip(
        enclosure(e, Point({"u": (0, 1)})), (1 / (1 + mpmath.e), mpmath.e / (1 + mpmath.e)), strict=True
    ):
        assert abs(float(mpmath.mpf(found.mid)) - float(exact)) < 1e-15
    assert [float(mpmath.mpf(found.mid)) for found in components(enclosure(e, Point({"u": 3})))] == [1.0]


def test_rationals_are_exact():
    with evaluate(False):
        third = enclosure((a * 3 - 1) / 3 + b**2, Point({"a": Fraction(1, 3), "b": Fraction(1, 2)}))
    assert holds(third, mpmath.mpf(1) / 4)
    assert width(third) < 1e-28
    assert width(constant(Fraction(1, 2))) == 0


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.states])
def test_cells_are_enclosed(name):
    """Two units and two features, every number its own, against the reference."""
    cell, rng = CELLS[name], np.random.default_rng(5)
    letters = {"H": 2, "D": 2}
    own = {t.name: rng.integers(-16, 16, [letters[k] for k in cell.dims[t]]) / 8 for t in cell.params}
    inputs, state = rng.integers(-16, 16, (1, 2)) / 8, rng.integers(-16, 16, (1, 2)) / 8
    numbers = {**own, "x": inputs[0], "h": state[0]}
    point = Point({key: nested(v) for key, v in numbers.items()})
    found = enclosure(one_step(cell), point)
    domain = Float64()
    with domain.context():
        exact = domain.step(cell)(inputs, state, own)[cell.output.name][0]
    assert [float(mpmath.mpf(t.mid)) for t in found] == pytest.approx(list(exact), abs=1e-14)


def nested(array):
    return tuple(map(nested, array)) if array.ndim else Fraction(float(array))


def test_one_number_stands_for_all_elements():
    cell = build("gru", {})
    short = enclosure(one_step(cell), Point({"h": (-1, 2)}, Fraction(1, 2)))
    sizes = {"H": 2, "D": 1}
    full = {t.name: nested(np.full([sizes[k] for k in cell.dims[t]], 0.5)) for t in cell.params}
    long = enclosure(one_step(cell), Point({**full, "x": (Fraction(1, 2),), "h": (-1, 2)}))
    assert not list(apart(short, long))
    assert [str(t) for t in short] == [str(t) for t in long]


def test_wide_intervals_are_still_right():
    """Known intervals instead of numbers: the functions that are defined by cases take both."""
    hull = enclosure(a + b, Point({"a": 0, "b": 0}), {a: _hull(-1, 2), b: constant(1)})
    assert holds(hull, 0) and holds(hull, 3)
    for e, ends in (
        (clip(a, 0, 1), (0, 1)),
        (Abs(a), (0, 2)),
        (where_positive(a, a, 10 * a), (-10, 2)),
        (sigma(a), (mpmath.mpf("0.27"), mpmath.mpf("0.88"))),
    ):
        found = enclosure(e, Point({}), {a: _hull(-1, 2)})
        assert all(holds(found, end) for end in ends)


def _hull(low_end, high_end):
    return constant(0).ctx.mpf([low_end, high_end])


def test_apart_needs_a_gap():
    one, two = constant(1), constant(2)
    assert list(apart(one, two)) == [(one, two)]
    assert not list(apart(one, one))
    assert not list(apart(_hull(0, 1), _hull(1, 2))), "they have 1 in common"
    assert list(apart((one, two), (one, one))) == [(two, one)]
    assert list(apart((one, two), one)) == [(two, one)]


@pytest.mark.parametrize(
    ("number", "relation", "bound", "violates"),
    [
        (1, "<", 1, True),
        (1, "<=", 1, False),
        (2, "<=", 1, True),
        (0, ">", 0, True),
        (0, ">=", 0, False),
        (-1, ">=", 0, True),
        (0, "<", 1, False),
        (2, ">", 1, False),
    ],
)
def test_violations(number, relation, bound, violates):
    found = violation(constant(number), relation, bound)
    assert (found is not None) is violates
    if found:
        assert found == (str(number), relation, str(bound))


def test_an_interval_across_the_bound_violates_nothing():
    for relation in ("<", "<=", ">", ">="):
        assert violation(_hull(-1, 1), relation, 0) is None
    assert violation((_hull(-1, 1), constant(2)), "<=", 1) == ("2", "<=", "1")


def test_digits():
    third = constant(Fraction(1, 3))
    assert digits(third, constant(2)) == ("0.333333", "2")
    near = constant(Fraction(1, 3) + Fraction(1, 10**9))
    assert digits(third, near) == ("0.333333333333", "0.333333334333")
    assert digits(constant(0), constant(0)) == ("0", "0")


def test_what_cannot_be_enclosed():
    with pytest.raises(Unsupported, match="no number for b"):
        enclosure(a + b, Point({"a": 1}))
    with pytest.raises(Unsupported, match="cos"):
        enclosure(cos(a), Point({"a": 1}))
    with pytest.raises(Unsupported, match="no interval"):
        enclosure(s(a), Point({"a": 1}))
    assert Dot(W, x) != Dot(U, h)
