"""The printed text evaluates in exactly the order of the tree, and nothing unknown is printed."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Function, I, Integer, Mul, Pow, Rational, S, Symbol, cos, evaluate, pi, symbols

from symgru.algebra import Vec, add, is_square, mul, sigma, square, vectors
from symgru.backends.c.printer import LanePrinter
from symgru.backends.numpy.printer import NumPyPrinter
from symgru.domains import Source
from symgru.errors import Unsupported
from symgru.float32 import Lane
from symgru.printing import OrderedPrinter, fraction, negated

a, b, c, d, n, z, h = vectors("a b c d n z h")


class Plain(OrderedPrinter):
    """The smallest language."""

    def _print_Symbol(self, e):
        return e.name

    def _print_Integer(self, e):
        return str(e)

    def _print_Rational(self, e):
        return f"{e.p}/{e.q}"

    def _print_sigma(self, e):
        return self.call("sigma", e.args)


def sums(*args):
    return Add(*args, evaluate=False)


def times(*args):
    return Mul(*args, evaluate=False)


def over(e):
    return Pow(e, -1, evaluate=False)


MINUS = S.NegativeOne
CASES = [
    (sums(b, a), "b + a"),
    (sums(c, a, b), "c + a + b"),
    (sums(a, sums(b, c)), "a + (b + c)"),
    (sums(sums(a, b), c), "a + b + c"),
    (sums(a, times(MINUS, b)), "a - b"),
    (sums(a, times(MINUS, sums(b, c))), "a - (b + c)"),
    (sums(a, times(MINUS, sums(b, times(MINUS, c)))), "a - (b - c)"),
    (sums(times(MINUS, a), b), "-a + b"),
    (sums(times(MINUS, sums(a, b)), c), "-(a + b) + c"),
    (sums(S.One, times(MINUS, z)), "1 - z"),
    (sums(a, Integer(-2)), "a - 2"),
    (times(MINUS, a), "-a"),
    (times(MINUS, a, b), "-a*b"),
    (times(MINUS, sums(a, b)), "-(a + b)"),
    (times(a, times(MINUS, b)), "a*(-b)"),
    (times(z, h), "z*h"),
    (times(h, z), "h*z"),
    (times(a, sums(b, c)), "a*(b + c)"),
    (times(sums(a, b), c), "(a + b)*c"),
    (times(a, times(b, c)), "a*(b*c)"),
    (times(times(a, b), c), "a*b*c"),
    (times(a, b, over(c)), "a*b/c"),
    (times(a, over(times(b, c))), "a/(b*c)"),
    (times(a, over(sums(b, c))), "a/(b + c)"),
    (times(a, over(b), over(c)), "a/b/c"),
    (times(sums(a, b), over(c)), "(a + b)/c"),
    (over(sums(S.One, a)), "1/(1 + a)"),
    (times(a, over(over(b))), "a/(1/b)"),
    (times(sigma(a, evaluate=False), b), "sigma(a)*b"),
    (sigma(sums(b, a), evaluate=False), "sigma(b + a)"),
    (sums(times(z, h), times(sums(S.One, times(MINUS, z)), n)), "z*h + (1 - z)*n"),
    (Integer(-3), "-3"),
    (times(Integer(-3), a), "-3*a"),
    (times(Integer(2), Integer(3)), "2*3"),
    (sums(a, a), "a + a"),
    (times(a, a), "a*a"),
    (square(a), "a*a"),
    (sums(S.One, times(MINUS, square(n))), "1 - n*n"),
    (times(b, square(a)), "b*(a*a)"),
    (square(sums(a, b)), "(a + b)*(a + b)"),
    (times(a, over(square(b))), "a/(b*b)"),
]


@pytest.mark.parametrize(("e", "text"), CASES, ids=[text for _, text in CASES])
def test_the_order_is_kept(e, text):
    assert Plain().doprint(e) == text


C, NUMPY = LanePrinter("p", lambda s: s.name), NumPyPrinter()
kind = {"ids": lambda p: type(p).__name__}


@pytest.mark.parametrize("printer", [Plain(), Source(), Lane(), NUMPY, C], **kind)
@pytest.mark.parametrize("e", [Pow(a, 3), Pow(a, Rational(1, 3)), pi, I, Symbol("a") < 1], ids=str)
def test_what_a_language_does_not_know_is_refused(printer, e):
    with pytest.raises(Unsupported):
        printer.doprint(e)


@pytest.mark.parametrize("printer", [Plain(), NUMPY], **kind)
@pytest.mark.parametrize("e", [cos(a), Function("unknown_to_all")(a).diff(a)], ids=str)
def test_functions_that_a_language_does_not_know_are_refused(printer, e):
    with pytest.raises(Unsupported):
        printer.doprint(e)
    with pytest.raises(Unsupported):
        printer.doprint(sums(a, times(b, e)))


def test_a_refusal_names_the_node_and_the_language():
    class Fortran(Plain):
        language = "Fortran"

    with pytest.raises(Unsupported, match=r"Fortran.*cos"):
        Fortran().doprint(cos(a))


@pytest.mark.parametrize("printer", [NUMPY, C], **kind)
def test_unevaluated_trees_stay(printer):
    with evaluate(False):
        e = a + (b + c) - (d + 2 * n)
    text = printer.doprint(e).replace("2.0f", "2")
    values = {"a": 1e16, "b": 1.0, "c": 1.0, "d": 3.0, "n": 2.0}
    assert text.count("(") >= 2
    assert eval(text, {}, values) == 1e16 + (1.0 + 1.0) - (3.0 + 2 * 2.0)


def test_negated_and_fraction():
    assert negated(times(MINUS, a)) is a
    assert negated(times(MINUS, a, b)).args == (a, b)
    assert negated(Integer(-2)) == 2
    assert negated(a) is None
    assert negated(times(a, MINUS)) is None, "the sign is written where it stands"
    assert negated(Rational(-1, 3)) == Rational(1, 3)
    assert fraction(times(a, over(b), c)) == ([a, c], [b])
    assert fraction(a) == ([a], [])


# Random trees: the text, evaluated by Python, gives the bits of the tree, evaluated node by node ----------------------

names = symbols("a b c d", cls=Vec, real=True)
leaves = st.sampled_from([*names, Integer(1), Integer(2), Integer(3), Integer(-1), Integer(-5)])
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda args: sums(*args)),
        st.lists(inner, min_size=2, max_size=3).map(lambda args: times(*args)),
        st.tuples(inner, inner).map(lambda p: times(p[0], over(p[1]))),
        inner.map(lambda e: times(MINUS, e)),
        inner.map(lambda e: sigma(e, evaluate=False)),
        inner.map(square),
    ),
    max_leaves=12,
)


def fold(e, values):
    """Left to right; -1 as a first factor is a sign, x^-1 among factors is a division after the product."""
    if isinstance(e, Symbol):
        return values[e.name]
    if isinstance(e, Integer):
        return float(e)
    if e.is_Add:
        result = fold(e.args[0], values)
        for t in e.args[1:]:
            result = result + fold(t, values)
        return result
    if isinstance(e, sigma):
        return math.tanh(fold(e.args[0], values))
    if is_square(e):
        return fold(e.args[0], values) * fold(e.args[0], values)
    above, below = fraction(e)
    result = 1.0
    for k, t in enumerate(above):
        result = fold(t, values) if k == 0 else result * fold(t, values)
    for t in below:
        result = result / fold(t, values)
    return result


@settings(max_examples=400, deadline=None, derandomize=True)
@given(trees, st.integers(0, 2**32))
def test_random_trees_evaluate_to_the_same_bits(e, seed):
    random.seed(seed)
    values = {s.name: random.uniform(-3, 3) for s in names}
    text = Plain().doprint(e)
    try:
        right = fold(e, values)
    except ZeroDivisionError:
        return
    ours = eval(text, {"sigma": math.tanh}, values)
    assert ours == right or math.isnan(right), text


def test_add_and_mul_print_as_they_were_given():
    assert Plain().doprint(add(b, a, mul(d, c))) == "b + a + d*c"


def test_a_subclass_must_spell_symbols_itself():
    with pytest.raises(Unsupported):
        OrderedPrinter().doprint(a)
    with pytest.raises(Unsupported):
        Plain().doprint(Function("unknown")(a))
