"""What each activation means, against the formula of its definition in plain Python floats."""

import math
import re
from decimal import Decimal

import mpmath
import numpy as np
import pytest
from sympy import Function, Rational, Symbol, tanh

from symgru.activations import (
    ACROSS,
    ELEMENTARY,
    FAMILIES,
    LOGISTIC,
    SYNONYMS,
    activation,
    clip,
    definition_of,
    expanded,
    known,
    substitute,
    table,
    used_in,
)
from symgru.algebra import Mat, Vec, add, mul, sigma, walk
from symgru.balls import Balls
from symgru.cell import Cell, x
from symgru.cells import y
from symgru.decimal_domain import Decimals
from symgru.domains import Float64
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
    "celu": lambda a: a if a > 0 else math.expm1(a),
    "log_sigmoid": lambda a: -softplus(-a),
    "hard_shrink": lambda a: a if abs(a) > 0.5 else 0.0,
    "soft_shrink": lambda a: math.copysign(max(abs(a) - 0.5, 0.0), a),
    "sparse_plus": lambda a: 0.0 if a <= -1 else (a + 1) ** 2 / 4 if a < 1 else a,
    "sparse_sigmoid": lambda a: min(max((a + 1) / 2, 0.0), 1.0),
    "squareplus": lambda a: (a + math.sqrt(a * a + 4)) / 2 if a >= 0 else 2 / (math.sqrt(a * a + 4) - a),
}
WITH_NUMBERS = {
    ("affine", 1.5, -0.25): lambda a: 1.5 * a - 0.25,
    ("celu", 2.5): lambda a: a if a > 0 else 2.5 * math.expm1(a / 2.5),
    ("clip", -0.5, 2): lambda a: min(max(a, -0.5), 2.0),
    ("elu", 0.7): lambda a: a if a > 0 else 0.7 * math.expm1(a),
    ("hard_shrink", 0.25): lambda a: a if abs(a) > 0.25 else 0.0,
    ("hard_sigmoid", 0.2, 0.5): lambda a: min(max(0.2 * a + 0.5, 0.0), 1.0),
    ("leaky_relu", 0.01): lambda a: a if a > 0 else 0.01 * a,
    ("scaled_tanh", 1.7159, 0.6667): lambda a: 1.7159 * math.tanh(0.6667 * a),
    ("soft_shrink", 1): lambda a: math.copysign(max(abs(a) - 1, 0.0), a),
    ("softplus", 4): lambda a: softplus(4 * a) / 4,
    ("thresholded_relu", 1.5): lambda a: a if a > 1.5 else 0.0,
    ("gelu_erf",): lambda a: a * (1 + math.erf(math.sqrt(0.5) * a)) / 2,
    ("gelu_tanh",): lambda a: a * (1 + math.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3))) / 2,
}
# a (1 + erf) and a - tanh a lose digits by cancellation when they are worked out in double precision
HALF_ROOT = float(np.float32(math.sqrt(0.5)))
LOOSE = {"gelu", "gelu_erf", "tanh_shrink", "squareplus", "gelu_tanh"}
LOSES_NAN = {"hard_shrink", "soft_shrink"}  # as in Keras, whose comparisons with NaN do not hold
W = Mat("W", real=True)


def cell_of(name):
    """y = name(x), and nothing else."""
    return Cell(f"only {name}", ((y, activation(name)(x)),), states=())


def formula(name):
    return FORMULAS[name] if isinstance(name, str) else WITH_NUMBERS[name]


EVERY = [*FORMULAS, *WITH_NUMBERS]
every = pytest.mark.parametrize(
    "name", EVERY, ids=lambda name: name if isinstance(name, str) else " ".join(map(str, name))
)


def apply(name, domain, values):
    cell = cell_of(name)
    with domain.context():
        return domain.step(cell)(domain.lift(Tensor.of(np.array([values]))), None, {})["y"][0]


def test_every_activation_of_one_unit_has_a_formula_here():
    assert set(table()) == {*FORMULAS, *(name.name for name in ACROSS)}
    assert {name for name, *_ in WITH_NUMBERS} == set(FAMILIES)


@every
def test_float64(name):
    for a, ours in zip(ARGUMENTS, apply(name, Float64(), ARGUMENTS), strict=True):
        right = formula(name)(a)
        room = 4e-16 * max(1.0, abs(a)) if name in LOOSE or not isinstance(name, str) else 0.0
        assert ours == pytest.approx(right, rel=4e-15, abs=room), f"{name}({a})"


@every
def test_decimals(name):
    for a, ours in zip(ARGUMENTS, apply(name, Decimals(50), ARGUMENTS), strict=True):
        right = formula(name)(a)
        assert isinstance(ours, Decimal | int)
        loose = name in LOOSE - {"gelu"} or not isinstance(name, str)
        room = 4e-16 * max(1.0, abs(a)) if loose else 1e-40
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


domains = pytest.mark.parametrize("domain", [Float64(), Decimals(50), Balls(120)], ids=lambda d: d.name)


def mpf(number):
    """A float, a Decimal or a ball's middle."""
    return mpmath.mpf(number.str(40, radius=False) if hasattr(number, "str") else str(number))


@domains
def test_log_softmax(domain):
    values = [0.5, -200.0, 3.0, 3.0]
    with mpmath.workdps(40):
        right = [v - mpmath.log(sum(map(mpmath.exp, values))) for v in values]
        room = 1e-15 if domain.name == "float64" else 1e-33
        assert all(
            abs(mpf(v) - r) <= room * abs(r) for v, r in zip(apply("log_softmax", domain, values), right, strict=True)
        )


@domains
@pytest.mark.parametrize(
    ("values", "right"),
    {  # Keras 3.15's, worked out by hand
        (1, 0.9, 0.8): (0, 0, 0),
        (3, 0, 0): (1, 0, 0),
        (0.5, 0): (0.5, 0),
        (-0.5, 0): (0.25, 0.75),
        (7,): (1,),
    }.items(),
)
def test_sparsemax_is_that_of_keras(values, right, domain):
    ours = [float(mpf(v)) for v in apply("sparsemax", domain, list(map(float, values)))]
    assert ours == pytest.approx(right, abs=1e-15)


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


@pytest.mark.parametrize("name", ["tanhh", "", "TANH", "sigmoid ", 7, True, {"class_name": "ReLU"}, object])
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


@every
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
    assert np.isnan(apply(name, Float64(), [math.nan])).all() == (name not in LOSES_NAN)


# With numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["leaky_relu", 0.01], "leaky_relu_0p01"),
        (("leaky_relu", "0.010"), "leaky_relu_0p01"),
        (["leaky_relu", 1e-07], "leaky_relu_0p0000001"),
        (["leaky_relu", 1e-30], "leaky_relu_1em30"),
        (["clip", -0.5, 2], "clip_m0p5_2"),
        (["clip", 0, 1e30], "clip_0_1e30"),
        (["affine", -0.0, 10], "affine_0_10"),
        (["hard_sigmoid", 0.2, 0.5], "hard_sigmoid_0p2_0p5"),
        (["leaky_relu", float(np.float32(0.3))], "leaky_relu_0p30000001192092896"),
        (["relu"], "relu"),
        ("gelu_tanh", "gelu_tanh"),
    ],
)
def test_the_name_says_the_numbers(given, name):
    found = activation(given)
    assert found.name == name
    assert re.fullmatch("[a-z][a-z0-9_]*", name)
    assert known(name) == found
    assert type(found(x)).__name__ == name
    assert definition_of(found(x)) == found


def test_numbers_are_exact():
    assert activation(["leaky_relu", 0.1]).meaning.args[2].args[0] == Rational(1, 10)
    assert activation(["leaky_relu", float(np.float32(0.1))]).meaning.args[2].args[0] == Rational("0.10000000149011612")
    assert activation(["leaky_relu", 0.1]).node != activation(["leaky_relu", 0.10000000149011612]).node


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "is not supported"),
        (["leaky_relu", 1, 2], "takes 1 number; it is given 2"),
        (["hard_sigmoid", 1], "takes 2 numbers; it is given 1"),
        (["leaky_relu", True], "is given 'True'; it takes a number"),
        (["leaky_relu", None], "is given 'None'; it takes a number"),
        (["leaky_relu", "0.1; import os"], "it takes a number"),
        (["leaky_relu", math.nan], "it takes a number"),
        (["leaky_relu", math.inf], "it takes a number"),
        (["leaky_relu", "1e999999999"], "it takes a number"),
        (["leaky_relu", "1" * 5000], "it takes a number"),
        (["leaky_relu", [1]], "it takes a number"),
        (["tanh", 1], "takes no numbers; those that do are affine"),
        ([["tanh"], 1], "takes no numbers"),
        (["celu", 0], "must be above 0"),
        (["softplus", -1], "must be above 0"),
        ("glu", "halves the number of units"),
        (["glu"], "halves the number of units"),
        ("threshold", "two numbers"),
        ("leaky_relu_0p01", "is not supported"),
    ],
    ids=str,
)
def test_numbers_that_are_refused(given, says):
    with pytest.raises(Unsupported, match=re.escape(says)) as refused:
        activation(given)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("name", ["leaky_relu_", "leaky_relu_0p01_2", "leaky_relu_p", "glu_1", "clip_1", "phi"])
def test_what_is_no_functions_name(name):
    assert known(name) is None
