"""Decimal functions against mpmath at 40 digits, float64's extremes, and the rounded chain."""

from decimal import Decimal

import mpmath
import numpy as np
import pytest

from symgru.activations import activation
from symgru.algebra import Mat, add
from symgru.building import build
from symgru.cell import Cell, h, h1, x
from symgru.cells import CELLS, y
from symgru.decimal_domain import Decimals
from symgru.domains import Float64, source
from symgru.network import Tensor
from symgru.rounding import Rounding
from symgru.trace import run
from tests.conftest import random_input, random_network

DIGITS = 40
WITHIN = mpmath.mpf(10) ** (1 - DIGITS)  # of the value: a few units in the last of 40 digits
FUNCTIONS = {
    "sigmoid": lambda a: 1 / (1 + mpmath.exp(-a)),
    "tanh": mpmath.tanh,
    "exponential": mpmath.exp,
    "elu": lambda a: a if a > 0 else mpmath.expm1(a),
    "softplus": lambda a: mpmath.log1p(mpmath.exp(a)),
    "gelu": lambda a: a * mpmath.erfc(-a * float(np.float32(0.5**0.5))) / 2,  # TensorFlow's float32 1/√2
    "softsign": lambda a: a / (1 + abs(a)),
    "mish": lambda a: a * mpmath.tanh(mpmath.log1p(mpmath.exp(a))),
}
ARGUMENTS = [
    "0",
    "1",
    "-1",
    "0.3333333333333333333333333",
    "-7.25",
    "19.875",
    "-36.7",
    "88.7",
    "1e-3",
    "-1e-3",
    "1e-20",
    "-1e-20",
    "1e-45",
    "-3e-45",
    "1e-300",
    "-1e-300",
    "119.9",
    "-119.9",
    "120.1",
]


def scalar(name, domain, text, typed=True):
    """The activation of one number that was typed as `text`."""
    cell = Cell(f"only {name}", ((y, activation(name)(x)),), states=())
    given = Tensor(np.array([[float(text)]]), np.array([[text]], dtype=object))
    with domain.context():
        return domain.step(cell)(domain.lift(given), None, {})["y"][0, 0]


def exactly_right(name, text, digits=DIGITS):
    with mpmath.workdps(400):
        return FUNCTIONS[name](mpmath.mpf(text))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_decimal_functions_against_mpmath(name):
    for text in ARGUMENTS:
        ours = scalar(name, Decimals(DIGITS, typed=True), text)
        right = exactly_right(name, text)
        with mpmath.workdps(400):
            # gelu and mish lose digits of their small side in 1 + erf: an absolute error, of what 1 has in digits
            room = WITHIN * abs(mpmath.mpf(text)) if name in {"gelu", "mish"} else 0
            assert abs(mpmath.mpf(str(ours)) - right) <= 3 * WITHIN * abs(right) + room, f"{name}({text}) = {ours}"


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("sigmoid", "1e30", "1"),
        ("sigmoid", "1e6", "1"),
        ("tanh", "1e30", "1"),
        ("tanh", "-1e30", "-1"),
        ("tanh", "-1e6", "-1"),
        ("elu", "-1e30", "-1"),
        ("relu", "-1e30", "0"),
        ("gelu", "1e30", "1e30"),
        ("softsign", "1e300", "1"),
    ],
)
def test_saturation(name, text, limit):
    ours = scalar(name, Decimals(DIGITS, typed=True), text)
    assert abs(ours - Decimal(limit)) <= Decimal(limit).copy_abs() * Decimal(10) ** (2 - DIGITS)


def test_far_below_zero_is_tiny_but_no_zero():
    ours = scalar("sigmoid", Decimals(DIGITS, typed=True), "-1000000")
    with mpmath.workdps(50):
        assert mpmath.almosteq(mpmath.mpf(str(ours)), mpmath.exp(-1000000), rel_eps=mpmath.mpf("1e-38"))
    assert scalar("sigmoid", Decimals(DIGITS, typed=True), "-1e30") <= Decimal("1e-1000000")


@pytest.mark.parametrize(("text", "limit"), [("1e30", 1e30), ("-1e30", 0)])
def test_softplus_far_out(text, limit):
    assert float(scalar("softplus", Decimals(DIGITS, typed=True), text)) == limit


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("sigmoid", "Infinity", "1.0"),
        ("sigmoid", "-Infinity", "0.0"),
        ("tanh", "Infinity", "1.0"),
        ("tanh", "-Infinity", "-1.0"),
        ("gelu", "Infinity", "inf"),
        ("exponential", "-Infinity", "0.0"),
    ],
)
def test_infinite_decimals(name, text, right):
    assert str(float(scalar(name, Decimals(DIGITS, typed=True), text))) == right


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu", "leaky_relu"])
def test_nan_stays_nan_in_decimals(name):
    assert scalar(name, Decimals(DIGITS, typed=True), "NaN").is_nan()


def test_an_exponential_tower_is_infinite_as_in_float64():
    ours = scalar("exponential", Decimals(DIGITS, typed=True), "1e30")
    assert str(float(ours)) == "inf"


def test_relu_keeps_nan_in_decimals():
    assert scalar("relu", Decimals(DIGITS, typed=True), "NaN").is_nan()


def test_typed_and_stored_numbers():
    tensor = Tensor(np.array([np.float32(0.1)]), np.array(["0.1"], dtype=object))
    assert Decimals(typed=True).lift(tensor)[0] == Decimal("0.1")
    assert Decimals().lift(tensor)[0] == Decimal("0.100000001490116119384765625")


def test_the_context_is_left_as_it_was():
    import decimal

    before = decimal.getcontext().prec
    with Decimals(77).context():
        assert decimal.getcontext().prec == 77
    assert decimal.getcontext().prec == before


@pytest.mark.parametrize(
    ("a", "right"),
    [
        (0.0, 0.5),
        (-0.0, 0.5),
        (1e308, 1.0),
        (-1e308, 0.0),
        (np.inf, 1.0),
        (-np.inf, 0.0),
        (37.0, 1.0),
        (-745.0, 4.94065645841246544e-324),
        (-36.0, 2.3195228302435691e-16),
        (1.0, 0.7310585786300048793),
        (-700.0, 9.8596765437597708e-305),
    ],
)
def test_float64_sigma(a, right):
    cell = Cell("only sigmoid", ((y, activation("sigmoid")(x)),), states=())
    domain = Float64()
    with domain.context():
        ours = domain.step(cell)(np.array([[a]]), None, {})["y"][0, 0]
    assert ours == pytest.approx(right, rel=4e-16, abs=0)


def test_float64_sigma_never_warns_on_large_numbers():
    """Outside the domain's own context, where NumPy would say that something overflowed."""
    cell = Cell("only sigmoid", ((y, activation("sigmoid")(x)),), states=())
    with np.errstate(over="raise"):
        values = Float64().step(cell)(np.array([[-1e4, 1e4, -800.0]]), None, {})["y"]
    assert values.tolist() == [[0, 1, 0]]


def test_float64_dot_and_batches():
    W = Mat("W", real=True)
    cell = Cell("only a product", ((y, W @ x),), states=())
    p = {"W": np.array([[1.0, 2], [3, 4], [5, 6]])}
    assert Float64().step(cell)(np.array([[1.0, 10], [0, 1]]), None, p)["y"].tolist() == [[21, 43, 65], [2, 4, 6]]


@pytest.mark.parametrize("name", CELLS)
def test_the_source_is_one_line_an_equation(name):
    cell = build(name, {})
    text = source(cell)
    compile(text, "step", "exec")
    lines = [line for line in text.splitlines() if "store(" in line]
    assert [line.split("=")[0].strip() for line in lines] == [str(s) for s in cell.defined]


def test_a_name_with_a_prime_is_a_name_in_python():
    prime = h1.func("h'", real=True)
    cell = Cell("primed", ((prime, add(h, x)), (h1, prime)))
    assert Float64().step(cell)(np.array([[1.0]]), np.array([[2.0]]), {})["h'"].tolist() == [[3.0]]


@pytest.mark.parametrize("decimals", [3, 6])
def test_the_rounded_chain_stores_rounded_values(decimals):
    """Every line has so many decimals, and is computed from rounded lines: h1 follows from the z, h and n that are
    shown, not from those behind them."""
    network = random_network([("gru", 3, {})], 2, seed=8)
    rounding = Rounding(decimals, 1)
    result = run(network, random_input(network, 5), Decimals(50, typed=True, rounding=rounding))
    (trace,) = result.traces
    for name in ("z", "r", "n", "h1"):
        for v in trace.columns[name].ravel():
            assert v == rounding(v)
            assert -v.as_tuple().exponent <= decimals
    c = {k: v[0] for k, v in trace.columns.items()}
    for t in range(1, 5):
        for i in range(3):
            z_, n_, before = c["z"][t, i], c["n"][t, i], c["h1"][t - 1, i]
            assert c["h1"][t, i] == rounding(z_ * before + (1 - z_) * n_)


def test_the_rounded_chain_is_not_the_result_rounded():
    """That is what makes it the calculator's: after 30 steps with 3 decimals the last digit is another one."""
    network = random_network([("gru", 3, {})], 2, seed=8)
    value, rounding = random_input(network, 30), Rounding(3, 1)
    chain = run(network, value, Decimals(50, typed=True, rounding=rounding)).y.ravel()
    full = run(network, value, Decimals(50, typed=True)).y.ravel()
    assert any(a != rounding(b) for a, b in zip(chain, full, strict=True))
    assert all(abs(a - b) < Decimal("0.01") for a, b in zip(chain, full, strict=True))


def test_a_gru_by_hand_in_decimals():
    """One unit, one step, every weight 1: z = r = sigma(1 + 1 + 1), n = tanh(1 + 1 + r), h = (1 - z) n."""
    from symgru.network import Layer, chain

    one = {str(p): Tensor.of(np.ones([1] * len(CELLS["gru"].dims[p]), np.float32)) for p in CELLS["gru"].params}
    network = chain([Layer("gru", "gru", "gru", {}, one)], dtype="float32", features=1)
    ours = run(network, Tensor.of(np.array([[[1.0]]])), Decimals(DIGITS)).y[0, 0]
    with mpmath.workdps(60):
        z = 1 / (1 + mpmath.exp(-3))
        right = (1 - z) * mpmath.tanh(2 + z)
        assert mpmath.almosteq(mpmath.mpf(str(ours)), right, rel_eps=mpmath.mpf("1e-38"))
