"""The nodes, and the one function that substitutes: order is kept, only 0 and 1 are folded."""

import pickle

import mpmath
import pytest
from sympy import Add, Integer, Mul, S, evaluate, srepr, tanh

from symgru.algebra import (
    Across,
    Dot,
    Mat,
    Ref,
    Vec,
    add,
    count_operations,
    matrices,
    mul,
    rebuild,
    sigma,
    terms,
    vectors,
    walk,
)
from symgru.cells import CELLS

a, b, c, d, n, z, h = vectors("a b c d n z h")
(W,) = matrices("W")


def test_vectors_and_matrices_are_real_and_of_their_kind():
    assert type(a) is Vec
    assert type(W) is Mat
    assert a.is_real
    assert W.is_real
    assert vectors("a")[0] == a
    assert [s.name for s in vectors("p q r")] == ["p", "q", "r"]


def test_rebuild_keeps_the_order_that_sympy_would_change():
    with evaluate(False):
        e = z * h + (1 - z) * n
    assert e.doit().args != e.args, "SymPy sorts this, or the test proves nothing"
    again = rebuild(e)
    assert srepr(again) == srepr(e)
    first, second = again.args
    assert first.args == (z, h)
    assert second.args[1] == n
    assert second.args[0].args[0] is S.One


@pytest.mark.parametrize("name", CELLS)
def test_rebuild_of_a_cells_equations_changes_nothing(name):
    for _, e in CELLS[name].equations:
        assert srepr(rebuild(e)) == srepr(e)


def zero_for(*symbols):
    return lambda e: S.Zero if e in symbols else e


def one_for(*symbols):
    return lambda e: S.One if e in symbols else e


def test_rebuild_folds_zero_and_one():
    assert rebuild(add(mul(z, h), mul(a, n)), zero_for(z)) == mul(a, n)
    assert rebuild(add(a, b), zero_for(a, b)) is S.Zero
    assert rebuild(mul(z, h, n), one_for(h)).args == (z, n)
    assert rebuild(mul(z, h), one_for(h)) is z
    assert rebuild(mul(z, h), one_for(h, z)) is S.One
    assert rebuild(add(b, a, c), zero_for(a)).args == (b, c)
    assert rebuild(W @ h, zero_for(h)) is S.Zero
    assert rebuild(W @ h, zero_for(W)) is S.Zero


def test_rebuild_folds_nothing_else():
    two_and_three = Add(Integer(2), Integer(3), evaluate=False)
    assert rebuild(two_and_three).args == (2, 3)
    assert rebuild(Add(a, a, evaluate=False)).args == (a, a)
    assert rebuild(Add(a, Mul(-1, a, evaluate=False), evaluate=False)).args[0] is a
    assert rebuild(Mul(a, a, evaluate=False)).args == (a, a)
    assert isinstance(rebuild(sigma(a, evaluate=False), zero_for(a)), sigma), "sigma(0) stays"
    assert isinstance(rebuild(tanh(a, evaluate=False), zero_for(a)), tanh), "tanh(0) stays"
    assert rebuild(add(S.One, z), zero_for()).args == (1, z), "1 in a sum is no neutral element"


def test_rebuild_opens_sums_in_sums_but_not_products_in_products():
    with evaluate(False):
        nested_sum, nested_product = (a + b) + c, (a * b) * c
    assert rebuild(nested_sum).args == (a, b, c)
    assert rebuild(nested_product).args == (mul(a, b), c)


def test_rebuild_works_bottom_up_and_sees_every_node():
    seen = []

    def look(e):
        seen.append(e)
        return e

    e = add(mul(a, b), sigma(c, evaluate=False))
    rebuild(e, look)
    assert seen == [a, b, mul(a, b), c, sigma(c, evaluate=False), e]
    assert list(walk(e)) == seen


def test_a_ref_is_its_three_fields():
    of = Ref(z, (0,), 0)
    assert of == Ref(z, (0,), 0)
    assert hash(of) == hash(Ref(z, (0,), 0))
    others = [Ref(z, (1,), 0), Ref(n, (0,), 0), Ref(z, (0,), -1), Ref(z, (0,)), Ref(z, (0, 0), 0)]
    assert len({of, *others}) == 6
    assert (of.of, of.idx, of.dt) == (z, (0,), 0)
    assert of != z


@pytest.mark.parametrize("dt", [None, 0, -1])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_ref_survives_pickling(dt, protocol):
    ref = Ref(W, (2, 1), dt)
    copy = pickle.loads(pickle.dumps(ref, protocol))
    assert copy == ref
    assert (copy.of, copy.idx, copy.dt) == (W, (2, 1), dt)
    assert type(copy.of) is Mat
    assert copy.is_real


def test_terms_add_and_mul():
    assert add() is S.Zero
    assert mul() is S.One
    assert add(a) is a
    assert mul(a) is a
    assert add(n, a, h).args == (n, a, h)
    assert mul(n, a, h).args == (n, a, h)
    assert terms(add(n, a, h)) == (n, a, h)
    assert terms(mul(n, a)) == (mul(n, a),)
    assert terms(a) == (a,)


def test_dot_is_one_node():
    e = W @ add(a, b)
    assert isinstance(e, Dot)
    assert e.args == (W, add(a, b))
    assert e.is_real


def counted(**expected):
    names = {"plus": "+", "times": "*", "over": "/", "dot": "@", "function": "function"}
    return {sign: expected.get(name, 0) for name, sign in names.items()}


def test_count_operations():
    with evaluate(False):
        gru_state = z * h + (1 - z) * n
        quotient = a / (1 + b)
        halves = a * b / c / d
        minus = -a
    assert count_operations(a) == counted()
    assert count_operations(gru_state) == counted(plus=2, times=2)
    assert count_operations(add(a, b, c, d)) == counted(plus=3)
    assert count_operations(mul(a, b, c)) == counted(times=2)
    assert count_operations(quotient) == counted(plus=1, over=1)
    assert count_operations(halves) == counted(times=1, over=2)
    assert count_operations(minus) == counted()
    assert count_operations(add(a, mul(S.NegativeOne, b))) == counted(plus=1)
    assert count_operations(sigma(add(W @ a, b), evaluate=False)) == counted(plus=1, dot=1, function=1)


def test_count_operations_of_a_reciprocal():
    with evaluate(False):
        reciprocal = 1 / (1 + a)
    assert count_operations(reciprocal) == counted(plus=1, over=1)


@pytest.mark.parametrize("at", ["-30", "-2", "-0.5", "0", "0.3", "1", "4", "40"])
def test_the_derivative_of_sigma(at):
    """Against mpmath's numerical derivative of 1 / (1 + e^-a)."""
    with mpmath.workdps(60):
        point = mpmath.mpf(at)
        right = mpmath.diff(lambda v: 1 / (1 + mpmath.exp(-v)), point)
        value = 1 / (1 + mpmath.exp(-point))
        formula = sigma(a).diff(a)
        ours = formula.replace(sigma, lambda _: n).subs(n, value.real)
        assert mpmath.almosteq(mpmath.mpf(str(ours.evalf(50))), right, rel_eps=mpmath.mpf("1e-20"))


def test_sigma_is_a_positive_real_number_and_chains():
    assert sigma(a).is_positive
    assert sigma(a).is_real
    assert sigma(2 * a).diff(a) == 2 * sigma(2 * a) * (1 - sigma(2 * a))
    assert sigma(b).diff(a) == 0


def test_across_names_its_function():
    (softmax,) = vectors("softmax")
    assert Across(softmax, a).args == (softmax, a)
    assert Across(softmax, a) != Across(softmax, b)
