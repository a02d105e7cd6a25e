"""Certified digits against mpmath at far higher precision and against fractions, and what happens where none are."""

import re
import sys
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from symgru import certified, load
from symgru.activations import table
from symgru.cells import CELLS
from symgru.certified import DIGITS, MOST_BITS, NOT_INSTALLED, Exact, exact
from symgru.decimal_domain import Decimals
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Layer, Tensor, chain
from symgru.readers import read
from symgru.rounding import Rounding
from symgru.trace import run
from tests import precise
from tests.conftest import SEED, random_input, random_network

WIDE = 400  # mpmath's digits
TYPED, STORED = (lambda v: mpmath.mpf(str(v))), (lambda v: mpmath.mpf(float(np.float32(v))))


def rounded(value, digits):
    """A number of mpmath's, of Decimal's or a fraction, rounded once to so many digits, ties to even."""
    context = Context(prec=digits, rounding=ROUND_HALF_EVEN)
    if isinstance(value, Fraction):
        return context.divide(Decimal(value.numerator), Decimal(value.denominator))
    if isinstance(value, Decimal):
        return context.plus(value)
    with mpmath.workdps(WIDE):
        return context.create_decimal(mpmath.nstr(+value, WIDE - 10))


def plan(layers, dtype="float32"):
    """The network of (kind, options, arrays), its numbers typed with the digits that they have."""
    entries = [
        {"kind": kind, "options": options, "weights": [a.tolist() for a in arrays]} for kind, options, arrays in layers
    ]
    return read({"dtype": dtype, "layers": entries})


def drawn(rng, shape, scale=1.0):
    return np.round(scale * rng.uniform(-1, 1, shape), 4)


def gru(rng, features, units, scale=1.0, **options):
    after = options.get("reset_after", True)
    bias = (2, 3 * units) if after else (3 * units,)
    shapes = [(features, 3 * units), (units, 3 * units), *([bias] if options.get("use_bias", True) else [])]
    return "gru", {"reset_after": after, **options}, [drawn(rng, s, scale) for s in shapes]


def dense(rng, features, units, **options):
    return "dense", options, [drawn(rng, (features, units)), drawn(rng, (units,))]


HELD = "gru", {}, [np.zeros((1, 3)), np.zeros((1, 3)), np.zeros((2, 3))]  # its state stays 0
SMOOTH = sorted(set(precise.ACTIVATIONS) - {"exponential"})


# Against mpmath and against fractions --------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    features=st.integers(1, 3),
    units=st.integers(1, 3),
    steps=st.integers(1, 3),
    digits=st.integers(1, 120),
    after=st.booleans(),
    bias=st.booleans(),
    scale=st.sampled_from([0.1, 0.5, 1.0]),
    activations=st.tuples(st.sampled_from(SMOOTH), st.sampled_from(SMOOTH), st.sampled_from([*SMOOTH, "softmax"])),
    typed=st.booleans(),
)
def test_digits_are_those_of_mpmath(
    seed, features, units, steps, digits, after, bias, scale, activations, typed
):  # fmt: skip
    rng = np.random.default_rng(seed)
    first, gate, last = activations
    options = {"reset_after": after, "use_bias": bias, "activation": first, "recurrent_activation": gate}
    layers = [gru(rng, features, units, scale, **options), dense(rng, units, 2, activation=last)]
    values = drawn(rng, (steps, features), 2.0)
    x = Tensor(values.astype(np.float32).astype(np.float64)[None], Tensor.of(values).text[None])
    with mpmath.workdps(WIDE):
        right = precise.run(layers, values, TYPED if typed else STORED)
        found = exact(plan(layers), x, typed=typed, digits=digits, only_proven=True)
        assert found.proven and found.digits == digits
        assert found.y[0].tolist() == [rounded(v, digits) for v in right]


@pytest.mark.parametrize("name", precise.ONLY_RATIONAL)
@pytest.mark.parametrize("digits", [1, 17, 300])
def test_rational_networks_are_those_of_fractions(name, digits):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        layers = [gru(rng, 2, 2, 2.0, activation=name, recurrent_activation="hard_sigmoid"), dense(rng, 2, 2)]
        values = drawn(rng, (3, 2), 2.0)
        found = exact(plan(layers), Tensor.of(values[None]), typed=True, digits=digits, only_proven=True)
        right = precise.run(layers, values, lambda v: Fraction(str(v)), precise.ONLY_RATIONAL)
        assert found.y[0].tolist() == [rounded(v, digits) for v in right]


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_against_decimals_of_far_more_digits(name):
    network = random_network([(name, 3, {}), ("gru", 2, {})] if name == "dense" else [(name, 3, {})], 2)
    x = random_input(network, 6, batch=2)
    found = exact(network, x, digits=60, only_proven=True)
    right = run(network, x, Decimals(300)).y
    assert found.y.shape == right.shape
    assert found.y.tolist() == [[rounded(v, 60) for v in row] for row in right]


def test_a_thousand_steps():
    network = random_network([("gru", 8, {})], 1)
    x = random_input(network, 1000)
    found = exact(network, x, digits=50, only_proven=True)
    right = run(network, x, Decimals(120)).y
    assert found.y[0].tolist() == [rounded(v, 50) for v in right[0]]


def test_exponents_beyond_floats():
    """sigma(-10^6) has 434,294 zeros; e^700 twice over is beyond float64."""
    x = Tensor.of(np.array([[[1.0]]]))
    for activation, bias, right in (
        ("sigmoid", -1e6, lambda: precise.sigmoid(mpmath.mpf(-(10**6)))),
        ("exponential", 1e6, lambda: mpmath.exp(10**6)),
        ("gelu", -20.0, lambda: precise.ACTIVATIONS["gelu"](mpmath.mpf(-20))),
    ):
        head = ("dense", {"activation": activation}, [np.zeros((1, 1)), np.array([bias])])
        found = exact(plan([HELD, head]), x, digits=40, only_proven=True)
        with mpmath.workdps(WIDE):
            assert found.y[0, 0] == rounded(right(), 40)


# How it is rounded ---------------------------------------------------------------------------------------------------


def constant(value, digits, dtype="float64"):
    """The output of a network that gives this number whatever happens."""
    network = plan([HELD, ("dense", {}, [np.zeros((1, 1)), np.array([value])])], dtype)
    found = exact(network, Tensor.of(np.array([[[1.0]]])), digits=digits, only_proven=True)
    return str(found.y[0, 0])


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.25, 1, "0.2"),
        (0.75, 1, "0.8"),
        (-0.25, 1, "-0.2"),
        (25.0, 1, "2E+1"),
        (35.0, 1, "4E+1"),
        (0.25, 2, "0.25"),
        (0.25, 30, "0.25"),
        (25.0, 30, "25"),
        (100.0, 30, "100"),
        (0.0, 30, "0"),
        (0.1, 5, "0.10000"),
        (0.1, 30, "0.100000000000000005551115123126"),
        (0.1, 60, "0.1000000000000000055511151231257827021181583404541015625"),
        (2.0**60, 30, "1152921504606846976"),
        (2.0**60, 10, "1.152921505E+18"),
        (5e-324, 4, "4.941E-324"),
    ],
)
def test_a_number_that_binary_holds_is_rounded_ties_to_even(value, digits, text):
    """Python's own decimals say so, too."""
    assert constant(value, digits) == text
    assert Decimal(text) == Context(prec=digits, rounding=ROUND_HALF_EVEN).create_decimal(Decimal(value))


def test_dead_units_are_exactly_zero():
    rng = np.random.default_rng(1)
    layer = gru(rng, 1, 2, activation="relu")
    layer[2][2][0] = -9.0
    found = exact(plan([layer]), Tensor.of(np.array([[[0.5], [0.25]]])), only_proven=True)
    assert [str(v) for v in found.y[0]] == ["0", "0"]


def test_the_last_digit_of_a_number_near_its_neighbour():
    """1 - e^-200 to 50 digits is 1, with all its zeros: it is not 1 itself."""
    head = ("dense", {"activation": "sigmoid"}, [np.zeros((1, 1)), np.array([200.0])])
    x = Tensor.of(np.array([[[1.0]]]))
    assert str(exact(plan([HELD, head]), x, digits=50).y[0, 0]) == "1." + "0" * 49
    assert str(exact(plan([HELD, head]), x, digits=90).y[0, 0]).startswith("0." + "9" * 86)


def test_an_end_of_a_ball_that_is_short_is_not_the_output():
    """Rounded outwards to 53 bits, the lower end of -(1/2 - 2^-60) is -1/2 itself."""
    with ctx.workprec(100):
        ball = arb(fmpq(1 - 2**59, 2**60), 2.0**-70)
    with ctx.workprec(53):
        assert ball.lower() == -0.5
        assert str(certified._rounded(ball, 4)) == "-0.5000"


def test_what_the_digits_settle():
    half_up = Rounding(2, 1)
    assert not Exact(np.array([Decimal("0.1250")]), 4, 100).settles(half_up), "the fifth digit decides"
    assert Exact(np.array([Decimal("0.125")]), 4, 100).settles(half_up), "the number itself"
    assert Exact(np.array([Decimal("0.1251")]), 4, 100).settles(half_up)
    assert Exact(np.array([Decimal("0.1249")]), 4, 100).settles(half_up)
    assert not Exact(np.array([Decimal("0.1251"), Decimal("0.1250")]), 4, 100).settles(half_up)
    assert not Exact(np.array([Decimal("0.1251")]), 4, doubt="no proof").settles(half_up)


# How much precision it takes -----------------------------------------------------------------------------------------


def logistic_map(steps):
    """A GRU that computes h' = 4 h (1 - h) from h_1 = 0.3, and its input: z = 4 - 4 x - 4 h and n = 0.3 x.

    Neighbouring states part by a factor of 2 a step on average, so a bit is lost at every step.
    """
    kernel, recurrent, bias = np.array([[-4.0, 0.0, 0.3]]), np.array([[-4.0, 0.0, 0.0]]), np.array([4.0, 1.0, 0.0])
    options = {"reset_after": False, "activation": "linear", "recurrent_activation": "linear"}
    x = np.zeros((1, steps, 1))
    x[0, 0, 0] = 1
    return plan([("gru", options, [kernel, recurrent, bias])], "float64"), Tensor.of(x)


def logistic_number(steps, digits):
    """The same by hand."""
    with mpmath.workdps(steps + digits):
        h = mpmath.mpf(0.3)
        for _ in range(steps - 1):
            h = 4 * h * (1 - h)
        return rounded(h, digits)


@pytest.mark.parametrize(("steps", "bits"), [(2, 231), (300, 924), (1000, 3696)])
def test_the_precision_is_doubled_until_the_digits_are_proven(steps, bits):
    found = exact(*logistic_map(steps), digits=50, only_proven=True)
    assert found.y[0, 0] == logistic_number(steps, 50)
    assert found.bits == bits, "Arb loses two bits a step: 4 h and 1 - h in the product move together"


def test_a_proof_where_decimals_give_up(monkeypatch):
    """With 300 digits in place of 1500, so that it takes no 5000 steps."""
    network, x = logistic_map(1100)
    assert exact(network, x, only_proven=True).y[0, 0] == logistic_number(1100, 30)
    monkeypatch.setitem(sys.modules, "flint", None)
    monkeypatch.setattr(certified, "MOST_WORKING", 300)
    with pytest.raises(Unsupported, match="300 digits are lost"):
        exact(network, x)


def test_large_weights():
    """Half of the gates are shut or wide open at every step."""
    network = random_network([("gru", 8, {})], 1, scale=50.0)
    x = random_input(network, 100)
    found = exact(network, x, digits=50, only_proven=True)
    assert found.y[0].tolist() == [rounded(v, 50) for v in run(network, x, Decimals(400)).y[0]]


def shut(b):
    """A GRU with z = 1 - e^-b or so: the state takes 1 - z of the candidate."""
    return "gru", {}, [np.array([[0, 0, 1.0]]), np.zeros((1, 3)), np.array([[b, 0, 0], [0, 0, 0]])]


@pytest.mark.parametrize("b", [50.0, 1000.0, 1e4])
def test_saturated_gates(b):
    """Down to 10^-4343."""
    found = exact(plan([shut(b)]), Tensor.of(np.array([[[0.5]]])), digits=40, only_proven=True)
    with mpmath.workdps(5000):
        assert found.y[0, 0] == rounded((1 - precise.sigmoid(mpmath.mpf(b))) * mpmath.tanh(0.5), 40)


def softmax_sum(factor, bias):
    """factor * 1 + bias, where the 1 is a sum that no precision shows to be 1."""
    rng = np.random.default_rng(3)
    head = ("dense", {}, [np.full((3, 1), factor), np.array([bias])])
    return plan([gru(rng, 1, 2), dense(rng, 2, 3, activation="softmax"), head])


X = Tensor.of(np.array([[[0.75], [0.25]]]))


@pytest.mark.parametrize(
    ("network", "digits", "why"),
    [
        (softmax_sum(1.0, -1.0), 30, r"smaller than 10\^-49\d\d and may be exactly 0"),
        (softmax_sum(0.25, 0.0), 1, "end in a tie"),
        (plan([shut(2e4)]), 9, r"smaller than 10\^-4931 and may be exactly 0"),
        (plan([shut(5e3)]), 4000, r"only 2,7\d\d are known"),
        (plan([HELD, ("dense", {"activation": "sigmoid"}, [np.zeros((1, 1)), np.array([-1e30])])]), 9, "too small"),
    ],
    ids=["zero", "tie", "shut", "lost", "tiny"],
)
def test_what_cannot_be_proven_is_refused_by_name(network, digits, why):
    with pytest.raises(Unsupported, match=rf"^{digits} digits? of the output at \[0, 0\] .*16,384 bits: .*{why}"):
        exact(network, X, digits=digits, only_proven=True)
    assert MOST_BITS == 16384


def test_where_a_proof_is_no_must_decimals_answer():
    found = exact(softmax_sum(1.0, -1.0), X)
    assert (found.y[0, 0], found.proven, found.bits) == (0, False, 0)
    assert found.label.startswith("not proven: 30 digits of the output at [0, 0] cannot be proven with 16,384 bits")
    assert exact(softmax_sum(0.25, 0.0), X, digits=2, only_proven=True).y.tolist() == [[Decimal("0.25")]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_prove_nothing(bad):
    network = random_network([("gru", 2, {})], 1)
    found = exact(network, Tensor.of(np.array([[[0.5], [bad]]])), only_proven=True)
    assert found.label == "not proven: the input or a weight is NaN or Inf"
    assert found.y.shape == (1, 2)
    assert np.isnan(bad) == all(v.is_nan() for v in found.y.ravel())
    layer = network.layers["gru_1"]
    weights = {**layer.weights, "b_n": Tensor.of(np.array([bad, 0.0]))}
    broken = chain([Layer(layer.id, layer.id, "gru", {}, weights)], dtype="float64", features=1)
    assert not exact(broken, Tensor.of(np.array([[[0.5]]]))).proven


# Without python-flint ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(table()))
def test_without_python_flint_decimals_give_the_same_digits(name, monkeypatch):
    network = random_network([("gru", 3, {"activation": name})], 2)
    x = random_input(network, 4)
    proven = exact(network, x, digits=40, only_proven=True)
    monkeypatch.setitem(sys.modules, "flint", None)
    found = exact(network, x, digits=40, only_proven=True)
    assert (found.label, found.bits) == (f"not proven: {NOT_INSTALLED}", 0)
    assert found.y.tolist() == proven.y.tolist()


# Python's face -------------------------------------------------------------------------------------------------------


def test_the_face():
    net = load(SEED)
    assert net([1, 2, 9, 8], engine="exact")[0, 0] == net.exact([1, 2, 9, 8]).y[0, 0]
    found = net.exact([1, 2, 9, 8], digits=50)
    assert found.label == "proven: 50 digits, by ball arithmetic with 231 bits"
    assert net([1, 2, 9, 8], engine="exact", digits=50).tolist() == found.y.tolist()
    story = [("gru", {}, [np.array(a) for a in SEED_ARRAYS])]
    with mpmath.workdps(WIDE):
        (right,) = precise.run(story, [[1.0], [2.0], [9.0], [8.0]], STORED)
        assert found.y[0, 0] == rounded(right, 50)
        assert net.exact([1, 2, 9, 8]).y[0, 0] == rounded(right, DIGITS)


SEED_ARRAYS = [[[-0.90954137, 1.0425225, -0.04404902]], [[0.24168766, 0.8981342, 0.36734456]], [[0] * 3] * 2]


@pytest.mark.parametrize("digits", [0, -1, 4001, 2.0, True, "7"])
def test_digits_out_of_range(digits):
    with pytest.raises(UnusableInput, match="1 to 4000"):
        load(SEED).exact([1, 2, 9, 8], digits=digits)


@pytest.mark.parametrize("engine", ["reference", "numpy", "c"])
def test_digits_belong_to_one_engine(engine):
    with pytest.raises(UnusableInput, match=re.escape(engine)):
        load(SEED)([1, 2, 9, 8], engine=engine, digits=5)
