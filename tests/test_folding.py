"""Rules on numbers, by hand: the formula that is left of small networks with zeros, ones and equal units."""

from fractions import Fraction

import numpy as np
import pytest
from sympy import Abs, Integer, Rational, S, Symbol, erf, exp, oo, tanh

from symgru.activations import ACROSS, activation, clip, expm1, log1p, table, where_positive
from symgru.algebra import Across, Ref, Vec, add, mul, sigma
from symgru.backends.text.document import TEXT
from symgru.backends.unrolled import ProgramWriter
from symgru.building import build
from symgru.cells import CELLS
from symgru.folding import Numbers, constant, constant_lines, folded, pruned, shared, without_dead_lines
from symgru.network import Tensor
from symgru.simplification import simplify
from symgru.unroll import Assign, Block, Program
from tests.precise import HALF_ROOT, ONLY_RATIONAL, SLOPE

a, b = Symbol("a", real=True), Symbol("b", real=True)
MINUS, HALF = S.NegativeOne, S.Half
THIRD = Rational(1, 3)


def numbers_of(**weights):
    """Weights as decimals that a person typed, in symgru's orientation (units, inputs)."""
    texts = {name: np.array(v, dtype=str).astype(object) for name, v in weights.items()}
    return Numbers({name: Tensor(t.astype(np.float32), t) for name, t in texts.items()})


def written(program):
    """Every line as the text document writes it; what is computed once comes first."""
    writer = ProgramWriter(program, TEXT)
    lines = [*writer.once(), *(pair for _, pairs in writer.blocks() for pair in pairs)]
    return [f"{lhs} = {rhs}".replace("\x01", "t").replace("\x02", "(t-1)") for lhs, rhs in lines]


def unrolled(cell, units, features, steps=2, rules=("zero-initial-state",)):
    return simplify(cell, {"H": units, "D": features}, steps, rules).last.program


# Numbers among themselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (add(Integer(2), a, Integer(3)), add(Integer(5), a)),
        (add(a, Integer(2), b, THIRD), add(a, Rational(7, 3), b)),  # where the first number stood
        (add(a, Integer(2), Integer(-2)), a),
        (add(Integer(2), Integer(-2), THIRD), THIRD),
        (add(a, Integer(1)), add(a, Integer(1))),
        (mul(Integer(2), a, THIRD), mul(Rational(2, 3), a)),
        (mul(a, Integer(2), b), mul(Integer(2), a, b)),  # a number stands in front
        (mul(Integer(2), mul(HALF, a)), a),
        (mul(a, S.Zero, b), S.Zero),
        (mul(MINUS, mul(MINUS, a)), a),
        (mul(MINUS, add(a, mul(Integer(-2), b), Integer(3))), add(mul(MINUS, a), mul(Integer(2), b), Integer(-3))),
        (mul(HALF, add(a, b)), mul(HALF, add(a, b))),
        (mul(Integer(3), Integer(4) ** -1), Rational(3, 4)),
        (add(mul(S.Zero, a), mul(Integer(2), HALF)), S.One),
        (tanh(add(Integer(1), Integer(-1)), evaluate=False), S.Zero),
        (mul(b, add(Integer(1), sigma(mul(a, S.Zero), evaluate=False))), mul(Rational(3, 2), b)),
    ],
    ids=str,
)
def test_numbers_are_worked_out_in_the_order_written(given, expected):
    assert constant(given) == expected
    assert constant(given).args == expected.args


RATIONALS = [Fraction(n, d) for n in range(-30, 31) for d in (1, 4, 7)]


@pytest.mark.parametrize("name", sorted(ONLY_RATIONAL))
def test_what_a_rational_activation_gives(name):
    """Against the same functions written with Fractions."""
    for q in RATIONALS:
        value = constant(activation(name)(Rational(q.numerator, q.denominator)))
        right = ONLY_RATIONAL[name](q)
        assert value == Rational(right.numerator, right.denominator), q


AT_ZERO = {
    "sigmoid": HALF,
    "exponential": S.One,
    "squareplus": S.One,
    **dict.fromkeys(("tanh", "elu", "celu", "selu", "silu", "tanh_shrink", "gelu", "mish"), S.Zero),
}


@pytest.mark.parametrize("name", sorted(set(table()) - set(ONLY_RATIONAL) - {name.name for name in ACROSS}))
def test_what_any_other_activation_gives(name):
    """At 0 a number where it is rational; at 1 it is not, but for what is linear above 0."""
    assert {"elu", "selu"} <= set(AT_ZERO)
    at_zero = constant(activation(name)(S.Zero))
    assert at_zero == AT_ZERO.get(name, activation(name)(S.Zero))
    assert at_zero.is_Rational == (name not in ("softplus", "log_sigmoid")), "softplus(0) is ln 2"
    for q in (S.One, Rational(-7, 4)):
        value = constant(activation(name)(q))
        assert value.is_Rational == (name in ("elu", "celu", "selu") and q > 0)
        assert value.is_Rational or value == activation(name)(q)
    assert constant(activation("elu")(Rational(5, 3))) == Rational(5, 3)


def test_elementary_functions_of_numbers():
    assert [constant(f(S.Zero, evaluate=False)) for f in (sigma, tanh, exp, expm1, log1p, erf)] == [HALF, 0, 1, 0, 0, 0]
    assert constant(sigma(HALF, evaluate=False)) == sigma(HALF, evaluate=False)
    assert constant(Abs(-THIRD, evaluate=False)) == THIRD
    assert [constant(clip(q, Integer(-1), THIRD)) for q in (Integer(-2), S.Zero, HALF)] == [-1, 0, THIRD]
    assert constant(clip(Integer(9), S.Zero, oo)) == 9
    assert [constant(where_positive(q, a, b)) for q in (HALF, S.Zero, MINUS)] == [a, b, b]
    assert Rational(HALF_ROOT) != Rational(SLOPE), "constants of a framework stay what they are"


def test_softmax_is_left_alone():
    """Its value depends on every unit, and a number alone does not say of how many."""
    e = Across(Symbol("softmax"), S.Zero, S.Zero, S.Zero)
    assert constant(e) == e
    vector = Across(Symbol("softmax"), S.Zero)
    assert constant(vector) == vector


# The numbers of a layer -----------------------------------------------------------------------------------------------

DENSE = build("dense", {})


def test_the_formula_of_a_layer():
    program = unrolled(DENSE, 3, 3)
    numbers = numbers_of(W=[["0", "1", "-1"], ["0.1", "0", "2.50"], ["0", "0", "0"]], b=["0.5", "0", "-3"])
    assert written(pruned(program, numbers)) == [
        "y_t[1] = W[2,1]·x_t[2] + W[3,1]·x_t[3] + b[1]",
        "y_t[2] = W[1,2]·x_t[1] + W[3,2]·x_t[3]",
        "y_t[3] = b[3]",
    ]
    exact = [
        "y_t[1] = x_t[2] - x_t[3] + 0.5",
        "y_t[2] = 0.1·x_t[1] + 2.5·x_t[3]",
        "y_t[3] = -3",
    ]
    assert written(folded(program, numbers)) == exact
    assert written(folded(pruned(program, numbers), numbers)) == exact


def test_numbers_are_exact():
    """A tenth is a tenth and not the nearest float; thirty digits stay thirty digits."""
    digits = "0.123456789012345678901234567891"
    (line,) = folded(unrolled(DENSE, 1, 1), numbers_of(W=[[digits]], b=["1e-30"])).blocks[0].lines
    coefficient, offset = line.rhs.args[0].args[0], line.rhs.args[1]
    assert coefficient == Rational(digits)
    assert offset == Rational(1, 10**30)


def test_what_a_rule_made_is_worked_out():
    """d = b + c exactly, and half of it."""
    program = simplify(CELLS["gru"], {"H": 1, "D": 1}, 1, ("zero-initial-state", "merged-biases", "half-angle"))
    weights = {p.name: [["1"]] if p.name[0] in "WU" else ["0.1"] for p in CELLS["gru"].params}
    lines = written(folded(program.last.program, numbers_of(**weights | {"c_z": ["0.2"]})))
    assert lines == [
        "z_t = 0.5·(1 + tanh(0.5·x_t + 0.15))",
        "r_t = 0.5·(1 + tanh(0.5·x_t + 0.1))",
        "n_t = tanh(x_t + 0.1 + 0.1·r_t)",
        "h_t = (1 - z_t)·n_t",
    ]


def test_a_sign_goes_into_the_sum():
    cell = CELLS["mgu2"]
    found = simplify(
        cell, {"H": 1, "D": 1}, 2, ("numbers",), numbers_of(W_n=[["-1"]], U_n=[["-2"]], U_f=[["-1"]], b_n=["0"])
    )
    assert written(found.last.program) == [
        "f_t = σ(-h_(t-1))",
        "n_t = tanh(-x_t - 2·f_t·h_(t-1))",
        "h_t = (1 - f_t)·h_(t-1) + f_t·n_t",
    ]


# Constant lines -------------------------------------------------------------------------------------------------------


def two_units(**changed):
    """A GRU of two units with one number in all its weights, and what is changed."""
    shapes = {p.name: 1 + (p.name[0] in "WU") * (1 + (p.name[0] == "U")) for p in CELLS["gru"].params}
    forms = {1: ["0.5", "0.25"], 2: [["0.5"], ["0.25"]], 3: [["0.5", "1"], ["0.25", "2"]]}
    return numbers_of(**{name: forms[k] for name, k in shapes.items()} | changed)


ZERO_MATRIX, ZERO_COLUMN, ZERO = [["0", "0"], ["0", "0"]], [["0"], ["0"]], ["0", "0"]


def test_a_unit_whose_gate_is_constant():
    """The first unit's update gate reads nothing: it is computed once, and where it is 1/2 not at all."""
    keys = ("zero-initial-state", "merged-biases", "pruned-weights", "numbers", "constant-lines")
    W, U = [["0"], ["0.25"]], [["0", "0"], ["0.25", "2"]]
    found = simplify(CELLS["gru"], {"H": 2, "D": 1}, 2, keys, two_units(W_z=W, U_z=U))
    lines = written(found.last.program)
    assert lines[0] == "z[1] = σ(1)"
    assert [line for line in lines if line.startswith("z_t")] == [
        "z_t[2] = σ(0.25·x_t + 0.5)",
        "z_t[2] = σ(0.25·x_t + 0.5 + 0.25·h_(t-1)[1] + 2·h_(t-1)[2])",
    ]
    assert [line for line in lines if line.startswith("h_t[1]")] == [
        "h_t[1] = (1 - z[1])·n_t[1]",
        "h_t[1] = z[1]·h_(t-1)[1] + (1 - z[1])·n_t[1]",
    ]
    half = simplify(CELLS["gru"], {"H": 2, "D": 1}, 2, keys, two_units(W_z=W, U_z=U, b_z=ZERO, c_z=ZERO))
    lines = written(half.last.program)
    assert not [line for line in lines if line.startswith("z[1]")]
    assert "h_t[1] = 0.5·n_t[1]" in lines
    assert "h_t[1] = 0.5·h_(t-1)[1] + 0.5·n_t[1]" in lines


def test_constants_of_constants():
    """r is 0 by its activation, so n no longer reads the state; without a kernel n is a number too."""
    cell = build("gru", {"recurrent_activation": "relu", "activation": "hard_tanh"})
    keys = ("merged-biases", "pruned-weights", "numbers", "constant-lines", "dead-lines")
    numbers = two_units(W_r=ZERO_COLUMN, U_r=ZERO_MATRIX, b_r=["-1", "-2"], W_n=ZERO_COLUMN)
    found = simplify(cell, {"H": 2, "D": 1}, 2, keys, numbers)
    assert written(found.last.program) == [
        "z_t[1] = relu(0.5·x_t + 1 + 0.5·h_(t-1)[1] + h_(t-1)[2])",
        "z_t[2] = relu(0.25·x_t + 0.5 + 0.25·h_(t-1)[1] + 2·h_(t-1)[2])",
        "h_t[1] = z_t[1]·h_(t-1)[1] + 0.5·(1 - z_t[1])",
        "h_t[2] = z_t[2]·h_(t-1)[2] + 0.25·(1 - z_t[2])",
    ]
    assert found.proved


def test_a_number_of_the_first_step_alone_is_put_in_there():
    """Without state and bias the gate of the first step is 1/2; later it is not."""
    keys = ("zero-initial-state", "numbers", "constant-lines")
    numbers = numbers_of(U_f=[["3"]], W_n=[["1"]], U_n=[["2"]], b_n=["0"])
    assert written(simplify(CELLS["mgu2"], {"H": 1, "D": 1}, 2, keys, numbers).last.program) == [
        "n_t = tanh(x_t)",
        "h_t = 0.5·n_t",
        "f_t = σ(3·h_(t-1))",
        "n_t = tanh(x_t + 2·f_t·h_(t-1))",
        "h_t = (1 - f_t)·h_(t-1) + f_t·n_t",
    ]


def test_a_state_stays_though_it_is_constant():
    """A state belongs to its step: what it is at the next one, a line must say."""
    numbers = numbers_of(W=[["0"]], U=[["0"]], b=["0"])
    program = simplify(CELLS["simple"], {"H": 1, "D": 1}, 2, ("numbers", "constant-lines", "dead-lines"), numbers).last
    assert written(program.program) == ["h_t = 0"]


# Equal functions ------------------------------------------------------------------------------------------------------


def test_equal_units_share_their_gates():
    """Then what the second candidate reads is what the first one reads."""
    keys = ("zero-initial-state", "merged-biases", "numbers", "shared-functions")
    same = {name: np.stack([t.text[0]] * 2) for name, t in two_units(W_r=[["2"], ["2"]]).weights.items()}
    found = simplify(CELLS["gru"], {"H": 2, "D": 1}, 2, keys, numbers_of(**same))
    assert written(found.last.program) == [
        "z_t[1] = σ(0.5·x_t + 1)",
        "r_t[1] = σ(2·x_t + 1)",
        "n_t[1] = tanh(0.5·x_t + 0.5 + 0.5·r_t[1])",
        "h_t[1] = (1 - z_t[1])·n_t[1]",
        "h_t[2] = (1 - z_t[1])·n_t[1]",
        "z_t[1] = σ(0.5·x_t + 1 + 0.5·h_(t-1)[1] + h_(t-1)[2])",
        "r_t[1] = σ(2·x_t + 1 + 0.5·h_(t-1)[1] + h_(t-1)[2])",
        "n_t[1] = tanh(0.5·x_t + 0.5 + r_t[1]·(0.5·h_(t-1)[1] + h_(t-1)[2] + 0.5))",
        "h_t[1] = z_t[1]·h_(t-1)[1] + (1 - z_t[1])·n_t[1]",
        "h_t[2] = z_t[1]·h_(t-1)[2] + (1 - z_t[1])·n_t[1]",
    ]


def line(name, k, rhs, dt=0):
    return Assign(Ref(Vec(name, real=True), (k,), dt), rhs)


def refs(name, dt=0):
    return [Ref(Vec(name, real=True), (k,), dt) for k in range(3)]


def program_of(lines, once=()):
    cell = DENSE
    shapes = {Vec(n, real=True): ("H",) for n in "uvwpq"} | dict(cell.dims)
    return Program(cell, {"H": 3, "D": 3}, (Block(tuple(lines), 1, 1),), shapes, tuple(once))


def test_a_function_within_other_lines_gets_a_line():
    x, y = refs("x"), refs("y")
    f = sigma(add(x[0], x[1]), evaluate=False)
    outer = tanh(mul(f, x[2]), evaluate=False)
    found = shared(program_of([line("y", 0, mul(f, x[2])), line("y", 1, add(outer, f)), line("y", 2, outer)]))
    assert written(found) == [
        "s_t[1] = σ(x_t[1] + x_t[2])",
        "y_t[1] = s_t[1]·x_t[3]",
        "s_t[2] = tanh(s_t[1]·x_t[3])",
        "y_t[2] = s_t[2] + s_t[1]",
        "y_t[3] = s_t[2]",
    ]
    assert found.sizes["S"] == 2
    assert shared(found) == found
    assert y[0] == found.blocks[0].lines[1].lhs


def test_a_function_that_a_line_computes_whole_is_read_from_there():
    x = refs("x")
    f, g = sigma(x[0], evaluate=False), tanh(x[1], evaluate=False)
    u, v = refs("u"), refs("v")
    lines = [line("u", 0, f), line("v", 0, f), line("y", 0, add(u[0], v[0])), line("y", 1, mul(g, f)), line("y", 2, g)]
    assert written(shared(program_of(lines))) == [
        "u_t[1] = σ(x_t[1])",
        "y_t[1] = u_t[1] + u_t[1]",
        "s_t = tanh(x_t[2])",
        "y_t[2] = s_t·u_t[1]",
        "y_t[3] = s_t",
    ]


def test_another_name_for_what_is_there_is_gone():
    """A copy of an input or of a state; an output keeps its name."""
    x = refs("x")
    u = refs("u")
    copies = [line("u", 0, x[0]), line("u", 1, u[0]), line("y", 0, u[1]), line("y", 1, mul(u[1], x[1]))]
    assert written(shared(program_of(copies))) == ["y_t[1] = x_t[1]", "y_t[2] = x_t[1]·x_t[2]"]


def test_equal_constants_are_computed_once():
    once = [line("u", k, sigma(THIRD, evaluate=False), None) for k in range(2)]
    u = refs("u", None)
    found = shared(program_of([line("y", 0, add(u[0], u[1]))], once))
    assert written(found) == ["u[1] = σ(1/3)", "y_t[1] = u[1] + u[1]"]


def test_components_of_softmax_are_equal_where_their_arguments_are():
    x = refs("x")
    softmax = [Across(Symbol("softmax"), e, *x[:2], x[0]) for e in (x[0], x[1], x[0])]
    found = shared(program_of([line("u", k, e) for k, e in enumerate(softmax)] + [line("y", 0, add(*refs("u")))]))
    assert [k.lhs.idx for k in found.blocks[0].lines if k.lhs.of.name == "u"] == [(0,), (1,)]
    assert written(found)[-1] == "y_t[1] = u_t[1] + u_t[2] + u_t[1]"


# Dead lines -----------------------------------------------------------------------------------------------------------


def test_a_gate_that_nothing_reads_is_gone():
    """The first unit's candidate does not read the state, so nothing reads its reset gate."""
    keys = ("zero-initial-state", "merged-biases", "pruned-weights", "dead-lines")
    numbers = two_units(U_n=[["0", "0"], ["1", "2"]], c_n=["0", "1"])
    found = simplify(CELLS["gru"], {"H": 2, "D": 1}, 2, keys, numbers)
    assert [s.rule for s in found.stages[-2:]] == ["pruned weights", "dead lines"]
    names = [text.split(" = ")[0] for text in written(found.last.program)]
    assert names == [f"{s}_t[{k}]" for _ in range(2) for s, k in zip("zzrnnhh", (1, 2, 2, 1, 2, 1, 2), strict=True)]


def test_what_only_a_dead_line_reads_is_dead():
    x, u, v = refs("x"), refs("u"), refs("v")
    lines = [line("u", 0, x[0]), line("v", 0, mul(u[0], x[1])), line("w", 0, v[0]), line("y", 0, x[2])]
    once = [line("p", 0, sigma(THIRD, evaluate=False), None), line("q", 0, mul(refs("p", None)[0], HALF), None)]
    assert written(without_dead_lines(program_of(lines, once))) == ["y_t[1] = x_t[3]"]
    alive = [*lines[:2], line("y", 0, add(v[0], refs("q", None)[0]))]
    assert len(written(without_dead_lines(program_of(alive, once)))) == 5


def test_a_unit_stays_that_only_the_next_layer_could_read():
    """The rules see one layer: a state is its output."""
    numbers = numbers_of(W=[["1"], ["2"]], U=[["1", "0"], ["0", "0"]], b=["0", "0"])
    found = simplify(CELLS["simple"], {"H": 2, "D": 1}, 2, ("numbers", "dead-lines"), numbers)
    assert written(found.last.program) == ["h_t[1] = tanh(x_t + h_(t-1)[1])", "h_t[2] = tanh(2·x_t)"]


def test_rules_without_anything_to_do_return_what_they_got():
    program = unrolled(CELLS["gru"], 2, 1)
    numbers = two_units()
    assert pruned(program, numbers) == constant_lines(program, numbers) == shared(program) == program
    assert without_dead_lines(folded(program, numbers)) == folded(program, numbers)
