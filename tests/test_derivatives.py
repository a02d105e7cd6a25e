"""Derivatives of activations against mpmath's numerical ones at 40 digits, and the order that a product rule keeps."""

from decimal import Decimal

import mpmath
import numpy as np
import pytest
from sympy import Function, Integer, Symbol, cos, evaluate, tanh

from symgru.activations import ACROSS, a, activation, table
from symgru.algebra import Across, Prime, matrices, rebuild, sigma, square, vectors, walk
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.decimal_domain import Decimals
from symgru.derivatives import KINKS, across, derivative, jumps, meant, named_parts, prime, times, total
from symgru.domains import Float64
from symgru.errors import Unsupported
from tests.test_printing import Plain

x, y, z, r, n, h, h1, u = vectors("x y z r n h h1 u")
LEAKY, HALF_ROOT = float(np.float32(0.2)), float(np.float32(0.5**0.5))
SCALE, ALPHA = "1.0507009873554804934193349852946", "1.6732632423543772848170429916717"


def logistic(v):
    return 1 / (1 + mpmath.exp(-v))


def softplus(v):
    return mpmath.log1p(mpmath.exp(v))


def clipped(v):
    return min(max(v + 3, 0), 6) / 6


MEANT = {
    "sigmoid": logistic,
    "tanh": mpmath.tanh,
    "exponential": mpmath.exp,
    "linear": lambda v: v,
    "relu": lambda v: max(v, 0),
    "relu6": lambda v: min(max(v, 0), 6),
    "leaky_relu": lambda v: v if v > 0 else LEAKY * v,
    "elu": lambda v: v if v > 0 else mpmath.expm1(v),
    "selu": lambda v: mpmath.mpf(SCALE) * (v if v > 0 else mpmath.mpf(ALPHA) * mpmath.expm1(v)),
    "softplus": softplus,
    "softsign": lambda v: v / (1 + abs(v)),
    "silu": lambda v: v * logistic(v),
    "hard_sigmoid": clipped,
    "hard_silu": lambda v: v * clipped(v),
    "hard_tanh": lambda v: min(max(v, -1), 1),
    "tanh_shrink": lambda v: v - mpmath.tanh(v),
    "gelu": lambda v: v * mpmath.erfc(-v * HALF_ROOT) / 2,
    "mish": lambda v: v * mpmath.tanh(softplus(v)),
    "celu": lambda v: v if v > 0 else mpmath.expm1(v),
    "log_sigmoid": lambda v: -softplus(-v),
    "hard_shrink": lambda v: v if abs(v) > 0.5 else mpmath.mpf(0),
    "soft_shrink": lambda v: max(abs(v) - 0.5, 0) * (-1 if v < 0 else 1),
    "sparse_plus": lambda v: mpmath.mpf(0) if v <= -1 else (v + 1) ** 2 / 4 if v < 1 else v,
    "sparse_sigmoid": lambda v: min(max(v + 1, 0), 2) / 2,
    "squareplus": lambda v: (v + mpmath.sqrt(v * v + 4)) / 2,
}
ELEMENT_WISE = sorted(set(table()) - {name.name for name in ACROSS})
POINTS = [
    "-20.5",
    "-6.25",
    "-3.5",
    "-2.75",
    "-1.1",
    "-0.3333",
    "-1e-9",
    "1e-9",
    "0.125",
    "0.9",
    "2.5",
    "4",
    "6.7",
    "31",
]


def values(e, domain, points):
    """An expression in `a` at several points."""
    cell = Cell("only this", ((y, rebuild(e, lambda s: x if s == a else s)),), states=())
    with domain.context():
        return domain.step(cell)(points, None, {})["y"]


def test_every_activation_is_meant():
    assert set(MEANT) == set(ELEMENT_WISE)


@pytest.mark.parametrize("name", ELEMENT_WISE)
def test_derivatives_to_40_digits(name):
    """mpmath extrapolates difference quotients of a definition written here; 1e-35 of max(1, |a|, the value)."""
    points = np.array([[Decimal(p)] for p in POINTS], dtype=object)
    ours = np.broadcast_to(values(prime(name), Decimals(50), points), points.shape)
    with mpmath.workdps(60):
        for point, found in zip(POINTS, ours.ravel(), strict=True):
            right = mpmath.diff(MEANT[name], mpmath.mpf(point), h=mpmath.mpf("1e-25"))
            scale = max(1, abs(mpmath.mpf(point)), abs(right))
            assert abs(mpmath.mpf(str(found)) - right) <= mpmath.mpf("1e-35") * scale, f"{name}'({point})"


@pytest.mark.parametrize("name", ELEMENT_WISE)
def test_float64_agrees_with_decimals(name):
    points = np.linspace(-9, 9, 181)[:, None] + 1e-3
    exact = values(prime(name), Decimals(40), np.vectorize(Decimal, otypes=[object])(points))
    plain = np.broadcast_to(values(prime(name), Float64(), points), points.shape)
    right = np.broadcast_to(exact, points.shape).astype(float)
    assert np.abs(plain - right).max() <= 1e-14 * max(1, np.abs(right).max())


@pytest.mark.parametrize("name", ELEMENT_WISE)
def test_large_arguments_are_finite_where_the_derivative_is(name):
    points = np.array([[-800.0], [-100.0], [100.0], [700.0]])
    found = np.broadcast_to(values(prime(name), Float64(), points), points.shape)
    with mpmath.workdps(30):
        right = [float(mpmath.diff(MEANT[name], mpmath.mpf(v), h=mpmath.mpf("1e-8"))) for v in points.ravel()]
    assert found.ravel() == pytest.approx(right, rel=1e-6, abs=1e-30)


def test_kinks_name_activations():
    assert set(KINKS) <= set(table())


KEEP, NEW = CELLS["gru"].equations[-1][1], CELLS["gru_new"].equations[-1][1]
with evaluate(False):
    ORDERS = [
        (KEEP, z, "h - n"),
        (KEEP, h, "z"),
        (KEEP, n, "1 - z"),
        (NEW, z, "n - h"),
        (NEW, h, "1 - z"),
        (n + z * (h - n), n, "1 - z"),
        (z * r * h, r, "z*h"),
        (z * (-h), h, "-z"),
        (-(z * h), z, "-h"),
        (z / r, r, "-z/(r*r)"),
        (z / r, z, "1/r"),
        (2 * z, z, "2"),
        (square(z) * h, z, "2*z*h"),
        (sigma(z), z, "sigma(z)*(1 - sigma(z))"),
        (h * sigma(z), z, "h*sigma(z)*(1 - sigma(z))"),
        (r * h, z, "0"),
        (z, z, "1"),
    ]


@pytest.mark.parametrize(("e", "s", "text"), ORDERS, ids=[f"{e} by {s}" for e, s, _ in ORDERS])
def test_the_order_is_the_authors(e, s, text):
    assert Plain().doprint(derivative(e, s)) == text


def test_sums_begin_with_a_plus_where_they_can():
    assert Plain().doprint(total(-h, n, u)) == "n - h + u"
    assert Plain().doprint(total(-h, -n)) == "-h - n"
    assert Plain().doprint(total(Integer(0), z)) == "z"


def test_products_have_one_sign_in_front():
    assert Plain().doprint(times(z, Integer(-1), h, Integer(-1))) == "z*h"
    assert Plain().doprint(times(z, -h)) == "-z*h"
    assert times(z, Integer(0)) == 0
    assert times() == 1


def test_a_named_activation_stays_named():
    relu = table()["relu"]
    assert derivative(relu(z), z) == Prime(Symbol("relu"), z)
    assert meant(derivative(relu(z), z)) == rebuild(prime("relu"), lambda s: z if s == a else s)


def test_activations_with_numbers():
    """Their derivatives go by their names; at a kink that of the piece below, as in TensorFlow."""
    leaky, elu = (activation([name, 0.25]) for name in ("leaky_relu", "elu"))
    points = np.array([[-2.0], [0.0], [3.0]])
    assert values(prime(leaky.name), Float64(), points).ravel().tolist() == [0.25, 0.25, 1.0]
    assert values(prime(elu.name), Float64(), points).ravel() == pytest.approx([0.25 * np.exp(-2), 0.25, 1], rel=1e-15)
    assert [jumps(activation(name).name) for name in (["leaky_relu", 1], ["celu", 2], "relu", "gelu_tanh")] == [
        *[True, False, True, False],
    ]


def test_log_softmax_is_not_symmetric():
    """Backwards by the transpose of what it is forwards: both against mpmath's difference quotients."""
    point, seed = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, -0.5])
    share = np.exp(point) / np.exp(point).sum()
    jacobian = np.eye(3) - share  # row i: d y_i / d a_j = [i = j] - softmax_j
    s = vectors("s")[0]
    for forwards, right in ((False, seed @ jacobian), (True, jacobian @ seed)):
        e = across(Across(Symbol("log_softmax"), x), y, s, forwards)
        cell = Cell("only this", ((z, e),), inputs=(y, s), states=())
        found = Float64().step(cell)(np.log(share)[None], None, {"s": seed[None]})["z"]
        assert found[0] == pytest.approx(right, rel=1e-14)


def test_what_has_no_rule_is_refused():
    (W,) = matrices("W")
    unknown = Across(Symbol("sparsemax"), z)
    for e in (cos(z), W @ z, unknown, z**3):
        with pytest.raises(Unsupported, match="no derivative"):
            derivative(e, z)
    assert derivative(Function("phi")(z), z) == Prime(Symbol("phi"), z)


@pytest.mark.parametrize("name", ELEMENT_WISE)
def test_named_parts_are_the_same_expression(name):
    lines, rest = named_parts(prime(name))
    known = {}
    for s, e in lines:
        known[s] = rebuild(e, lambda node: known.get(node, node))
    assert rebuild(rest, lambda node: known.get(node, node)) == prime(name)
    names = [s.name for s, _ in lines]
    assert len(set(names)) == len(names)
    assert "a" not in names


def test_named_parts_compute_nothing_twice():
    lines, rest = named_parts(prime("mish"))
    assert [s.name for s, _ in lines] == ["e", "y"]
    assert sum(isinstance(node, tanh) for e in (*(e for _, e in lines), rest) for node in walk(e)) == 1
