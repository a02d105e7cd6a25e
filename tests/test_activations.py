"""What each activation means, against the formula of its definition in plain Python floats."""

import math
from decimal import Decimal

import mpmath
import numpy as np
import pytest
from sympy import Function, Symbol, tanh

from symgru.activations import (
    ELEMENTARY,
    LOGISTIC,
    SYNONYMS,
    activation,
    clip,
    definition_of,
    expanded,
    substitute,
    table,
    used_in,
)
from symgru.algebra import Mat, Vec, add, mul, sigma, walk
from symgru.cells import Cell, x, y
from symgru.domains import Decimals, Float64
from symgru.errors import Unsupported
from symgru.network import Tensor

ARGUMENTS = [-100.0, -20.0, -4.5, -3.0, -1.0, -0.25, -1e-9, 0.0, 1e-9, 0.5, 1.0, 2.999, 3.0, 6.0, 6.5, 20.0, 100.0]


def logistic(a):
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


def softplus(a):
    return max(a, 0.0) + math.log1p(math.exp(-abs(a)))


SELU = (1.0507009873554804934193349852946, 1.6732632423543772848170429916717)
SLOPE = 0.20000000298023223876953125  # 0.2 as a float32, which is what Keras holds
FORMULAS = {
    "linear": lambda a: a,
    "sigmoid": logistic,
    "tanh": math.tanh,
    "exponential": math.exp,
    "relu": lambda a: max(a, 0.0),
    "relu6": lambda a: min(max(a, 0.0), 6.0),
    "leaky_relu": lambda a: a if a > 0 else SLOPE * a,
    "elu": lambda a: a if a > 0 else math.expm1(a),
    "selu": lambda a: SELU[0] * (a if a > 0 else SELU[1] * math.expm1(a)),
    "softplus": softplus,
    "softsign": lambda a: a / (1 + abs(a)),
    "silu": lambda a: a * logistic(a),
    "hard_sigmoid": lambda a: min(max(a / 6 + 0.5, 0.0), 1.0),
    "hard_silu": lambda a: a * min(max(a / 6 + 0.5, 0.0), 1.0),
    "hard_tanh": lambda a: min(max(a, -1.0), 1.0),
    "tanh_shrink": lambda a: a - math.tanh(a),
    "gelu": lambda a: a * math.erfc(-a * float(np.float32(math.sqrt(0.5)))) / 2,  # TensorFlow's float32 1/√2
    "mish": lambda a: a * math.tanh(softplus(a)),
}
# a (1 + erf) and a - tanh a lose digits by cancellation when they are worked out in double precision
HALF_ROOT = float(np.float32(math.sqrt(0.5)))
LOOSE = {"gelu", "tanh_shrink"}
W = Mat("W", real=True)


def cell_of(name):
    """y = name(x), and nothing else."""
    return Cell(f"only {name}", ((y, activation(name)(x)),), states=())


def apply(name, domain, values):
    cell = cell_of(name)
    with domain.context():
        return domain.step(cell)(domain.lift(Tensor.of(np.array([values]))), None, {})["y"][0]


def test_every_activation_but_softmax_has_a_formula_here():
    assert set(table()) == {*FORMULAS, "softmax"}


@pytest.mark.parametrize("name", FORMULAS)
def test_float64(name):
    for a, ours in zip(ARGUMENTS, apply(name, Float64(), ARGUMENTS), strict=True):
        right = FORMULAS[name](a)
        room = 4e-16 * max(1.0, abs(a)) if name in LOOSE else 0.0
        assert ours == pytest.approx(right, rel=4e-15, abs=room), f"{name}({a})"


@pytest.mark.parametrize("name", FORMULAS)
def test_decimals(name):
    for a, ours in zip(ARGUMENTS, apply(name, Decimals(50), ARGUMENTS), strict=True):
        right = FORMULAS[name](a)
        assert isinstance(ours, Decimal)
        room = 4e-16 * max(1.0, abs(a)) if name == "tanh_shrink" else 1e-40
        assert float(ours) == pytest.approx(right, rel=4e-15, abs=room), f"{name}({a})"


def test_decimals_keep_digits_where_double_precision_cancels():
    """gelu and tanh_shrink at 30 digits, from mpmath."""
    with mpmath.workdps(60):
        points = ["-6", "-0.25", "0.001", "2"]
        values = [float(p) for p in points]
        formulas = {"gelu": lambda a: a * mpmath.erfc(-a * HALF_ROOT) / 2, "tanh_shrink": lambda a: a - mpmath.tanh(a)}
        for name, formula in formulas.items():
            for a, ours in zip(values, apply(name, Decimals(50), values), strict=True):
                assert mpmath.almosteq(mpmath.mpf(str(ours)), formula(mpmath.mpf(a)), rel_eps=mpmath.mpf("1e-30"))


@pytest.mark.parametrize("domain", [Float64(), Decimals(50)], ids=lambda d: d.name)
def test_softmax(domain):
    values = [0.5, -2.0, 3.0, 3.0]
    total = sum(math.exp(v) for v in values)
    ours = [float(v) for v in apply("softmax", domain, values)]
    assert ours == pytest.approx([math.exp(v) / total for v in values], rel=1e-15)
    assert ours[2] == ours[3]
    assert float(sum(apply("softmax", domain, [1e4, -1e4, 9999.0]))) == pytest.approx(1, rel=1e-15)


def test_synonyms_and_none():
    assert activation("swish") is activation("silu") is table()["silu"]
    assert activation("hard_swish") is activation("hard_silu")
    assert activation(None) is activation("linear")
    assert activation(None)(x) is x
    assert set(SYNONYMS.values()) <= set(table())


@pytest.mark.parametrize("name", ["tanhh", "", "TANH", "sigmoid ", 7, True, ["tanh"], {"class_name": "ReLU"}, object])
def test_what_is_not_known_is_refused_by_name(name):
    with pytest.raises(Unsupported) as refused:
        activation(name)
    message = str(refused.value)
    assert str(name)[:60] in message
    assert "hard_sigmoid" in message, "the known ones are listed"
    assert "\n" not in message
    assert len(message) < 500


def test_a_long_name_is_cut():
    with pytest.raises(Unsupported) as refused:
        activation("q" * 5000)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_expanded_leaves_only_elementary_functions(name):
    e = add(mul(x, activation(name)(add(W @ x, y))), y)
    functions = [node for node in walk(expanded(e)) if isinstance(node, Function) and node.args[0] != W]
    assert all(isinstance(f, ELEMENTARY) for f in functions)
    assert all(not definition_of(f) for f in functions)
    assert {W, x, y} <= expanded(e).free_symbols
    assert Symbol("a", real=True) not in expanded(e).free_symbols


def test_expanded_looks_inside_arguments():
    e = activation("relu")(activation("softsign")(x))
    assert not used_in(expanded(e))
    assert [f.name for f in used_in(e)] == ["softsign", "relu"], "in the order of evaluation, each once"
    assert used_in(add(e, e)) == used_in(e)
    assert used_in(sigma(x, evaluate=False)) == []


def test_definition_of():
    assert definition_of(activation("relu")(x)) is table()["relu"]
    assert definition_of(sigma(x)) is None
    assert definition_of(x) is None
    assert definition_of(tanh(x)) is None
    assert definition_of(Function("phi")(x)) is None


def test_substitute_keeps_the_order_of_the_meaning():
    v = Vec("v", real=True)
    assert substitute(table()["linear"].meaning, v) is v
    shown = substitute(table()["silu"].meaning, v)
    assert shown.args == (v, sigma(v, evaluate=False))
    assert substitute(table()["relu"].meaning, v).func is clip


def test_the_logistic_function_is_what_sigma_is():
    for a in (-3.0, 0.0, 0.25, 8.0):
        assert float(LOGISTIC.xreplace({Symbol("a", real=True): a})) == pytest.approx(logistic(a), rel=1e-15)


@pytest.mark.parametrize("name", sorted(table()))
def test_nan_stays_nan_in_float64(name):
    assert np.isnan(apply(name, Float64(), [math.nan])).all()
