"""Every rule's proof holds for every cell, every false twin's fails, and the numbers say the same."""

from dataclasses import replace

import numpy as np
import pytest
from sympy import S, tanh

from symgru.algebra import Mat, Vec, add, mul, rebuild, sigma, terms, walk
from symgru.building import build
from symgru.cell import Cell, h, h1, x
from symgru.cells import CELLS, Un, Wn, bn, cn, n, r, z
from symgru.domains import Float64
from symgru.rules import (
    CALCULATOR,
    MERGED_BIASES,
    RULES,
    UNUSED,
    ZERO_BIASES,
    ZERO_STATE,
    Transform,
    closed,
    normal,
    zero_params,
)

H, D = 4, 3
BIASES = [(name, p) for name, cell in CELLS.items() for p in cell.params if not isinstance(p, Mat)]
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
COMPLEMENT = add(S.One, mul(S.NegativeOne, z))
GATED = [name for name in RECURRENT if CELLS[name].equations[-1][1] == add(mul(z, h), mul(COMPLEMENT, n))]
every_cell = pytest.mark.parametrize("name", CELLS)
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def numbers(cell, seed=0):
    """Random parameters, input and state."""
    rng = np.random.default_rng(seed)
    sizes = {"H": H, "D": D}
    p = {s.name: rng.normal(size=[sizes[k] for k in cell.dims[s]]) for s in cell.params}
    return rng.normal(size=(2, D)), rng.normal(size=(2, H)), p


def output(cell, x_value, h_value, p):
    domain = Float64()
    with domain.context():
        row = domain.step(cell)(x_value, h_value, p)[cell.output.name]
    return np.broadcast_to(row, h_value.shape)


def evaluate(e, p):
    """A merged parameter: a sum of old ones."""
    parts = (t.as_coeff_Mul() for t in terms(e))
    return sum(float(q) * p[s.name] for q, s in parts)


@every_rule
@every_cell
def test_proof_holds(rule, name):
    assert rule.preserves
    assert rule.proof(CELLS[name])


@every_rule
@every_cell
def test_numbers_agree_where_the_assumption_holds(rule, name):
    cell = build(name, {"activation": "tanh"})
    new, params = rule.apply(cell)
    x_value, h_value, p = numbers(cell)
    zero = {s.name for s in rule.assumes(cell)}
    p = {k: np.zeros_like(v) if k in zero else v for k, v in p.items()}
    if "h" in zero:
        h_value = np.zeros_like(h_value)
    before = output(cell, x_value, h_value, p)
    after = output(new, x_value, h_value, p | {str(s): evaluate(e, p) for s, e in params.items()})
    assert np.abs(before - after).max() <= 1e-14


@pytest.mark.parametrize("name", RECURRENT)
def test_a_zero_state_leaves_no_state(name):
    new = ZERO_STATE(CELLS[name])
    assert all(h not in walk(e) for _, e in new.equations)
    assert replace(ZERO_STATE, assumes=lambda cell: set()).proof(CELLS[name]) is False


def test_what_the_rules_do_to_the_gru():
    gru = CELLS["gru"]
    merged, params = MERGED_BIASES.apply(gru)
    parts = {str(k): [str(t) for t in terms(e)] for k, e in params.items()}
    assert parts == {"d_z": ["b_z", "c_z"], "d_r": ["b_r", "c_r"]}
    assert {"b_n", "c_n"} <= {str(p) for p in merged.params}, "the reset gate stands between b_n and c_n"
    assert MERGED_BIASES.apply(CELLS["gru_before"]) == (CELLS["gru_before"], {})
    first = ZERO_STATE(gru)
    assert [str(s) for s in first.params] == ["W_z", "b_z", "c_z", "W_r", "b_r", "c_r", "W_n", "b_n", "c_n"]
    assert dict(first.equations)[h1] == mul(add(S.One, mul(S.NegativeOne, z)), n)
    bare = ZERO_BIASES(first)
    assert all(isinstance(p, Mat) for p in bare.params)
    assert [str(s) for s in UNUSED(bare).defined] == ["z", "n", "h1"], "without c_n the reset gate has nothing to do"
    assert UNUSED(gru) == gru


def test_calculator_lines():
    cell = CALCULATOR(CELLS["gru"])
    assert [str(s) for s in cell.defined] == ["a_z", "z", "a_r", "r", "u_n", "a_n", "n", "h1"]
    before = CALCULATOR(CELLS["gru_before"])
    assert [str(s) for s in before.defined] == ["a_z", "z", "a_r", "r", "v_n", "a_n", "n", "h1"]
    assert dict(before.equations)[Vec("v_n", real=True)].args == (r, h)
    for c in (cell, before):
        for lhs, e in c.equations:
            if lhs in (z, r, n):
                assert e.args[0].is_Symbol


def test_a_bias_that_is_used_twice_is_not_merged():
    """b_n + c_n in one sum, and c_n once more elsewhere: merging would lose the second use."""
    used = Cell("twice", ((z, sigma(add(Wn @ x, bn, cn), evaluate=False)), (h1, add(mul(z, h), Un @ h, cn))))
    assert MERGED_BIASES.apply(used) == (used, {})
    once = Cell("once", ((h1, tanh(add(Wn @ x, bn, Un @ h, cn), evaluate=False)),))
    new, params = MERGED_BIASES.apply(once)
    assert len(params) == 1
    assert MERGED_BIASES.proof(once)
    assert not {bn, cn} & set(new.params)


def test_zero_params_drops_just_those():
    rule = zero_params({bn})
    assert set(rule(CELLS["gru"]).params) == set(CELLS["gru"].params) - {bn}
    assert rule.proof(CELLS["gru"])
    assert replace(rule, assumes=lambda cell: {cn}).proof(CELLS["gru"]) is False


# False twins: each looks like a rule, and its proof must fail -------------------------------------------------------


def false(apply, assumes=None):
    return Transform("false", "looks right", apply, assumes=assumes or (lambda cell: set()))


def rewritten(cell, f):
    return cell.with_equations(tuple((lhs, rebuild(e, f)) for lhs, e in cell.equations))


@pytest.mark.parametrize(("name", "bias"), BIASES)
def test_dropping_a_bias_that_may_not_be_zero_is_caught(name, bias):
    assert false(lambda cell: (cell.without({bias}), {})).proof(CELLS[name]) is False
    assert false(lambda cell: (cell.without({bias}), {}), lambda cell: {bias}).proof(CELLS[name]) is True


@pytest.mark.parametrize(("name", "bias"), BIASES)
def test_assuming_one_bias_to_be_zero_and_dropping_another_is_caught(name, bias):
    drop = false(lambda cell: (cell.without({bias}), {}))
    for other in (p for p in CELLS[name].params if not isinstance(p, Mat) and p != bias):
        assert replace(drop, assumes=lambda cell, other=other: {other}).proof(CELLS[name]) is False


def test_merging_the_candidates_biases_across_the_reset_gate_is_caught():
    d = Vec("d_n", real=True)

    def merge(cell):
        equations = dict(cell.equations) | {n: tanh(add(Wn @ x, d, mul(r, Un @ h)), evaluate=False)}
        return cell.with_equations(tuple(equations.items())), {d: add(bn, cn)}

    assert false(merge).proof(CELLS["gru"]) is False
    assert false(merge, lambda cell: {cn}).proof(CELLS["gru"]) is True, "without c_n it is no mistake"


WRONG = {
    "nothing": lambda b, c: None,
    "zero": lambda b, c: S.Zero,
    "difference": lambda b, c: add(b, mul(S.NegativeOne, c)),
    "first": lambda b, c: b,
    "product": mul,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_merged_bias_with_the_wrong_value_is_caught(wrong):
    def merge(cell):
        new, params = MERGED_BIASES.apply(cell)
        values = {k: WRONG[wrong](*e.args) for k, e in params.items()}
        return new, {k: v for k, v in values.items() if v is not None}

    assert MERGED_BIASES.apply(CELLS["gru"])[1]
    assert false(merge).proof(CELLS["gru"]) is False


@pytest.mark.parametrize("name", GATED)
def test_swapping_the_update_gates_sides_is_caught(name):
    """z h + (1 - z) n is Keras' convention, (1 - z) h + z n the paper's."""

    def last_line(e):
        return lambda cell: (cell.with_equations((*cell.equations[:-1], (h1, e))), {})

    assert false(last_line(add(mul(COMPLEMENT, h), mul(z, n)))).proof(CELLS[name]) is False
    assert false(last_line(add(mul(n, COMPLEMENT), mul(h, z)))).proof(CELLS[name]) is True, "the order does not matter"


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("assumed", [h, n, x], ids=str)
def test_dropping_the_gate_instead_of_the_state_is_caught(name, assumed):
    def drop(cell):
        return rewritten(cell, lambda e: S.Zero if e == z else e), {}

    assert false(drop, lambda cell: {assumed}).proof(CELLS[name]) is False


@pytest.mark.parametrize("name", RECURRENT)
def test_reset_before_and_after_are_not_the_same(name):
    def other(cell):
        return CELLS["gru_before" if cell.name == "gru" else "gru"], {}

    assert false(other).proof(CELLS[name]) is False


@every_cell
def test_another_activation_is_caught(name):
    """The calculator's lines with a function or a line that is not the cell's."""
    cell = build(name, {"activation": "softsign"})
    assert CALCULATOR.proof(cell)
    assert false(lambda cell: (CALCULATOR(build(name, {"activation": "relu"})), {})).proof(cell) is False


@every_cell
def test_a_lost_factor_is_caught(name):
    def lose(cell):
        where = next(k for k, (_, e) in enumerate(cell.equations) if e.has(x))
        rows = list(cell.equations)
        rows[where] = rows[where][0], rebuild(rows[where][1], lambda q: S.Zero if q == x else q)
        return cell.with_equations(tuple(rows)), {}

    assert false(lose).proof(CELLS[name]) is False


def test_closed_and_normal():
    assert closed(CELLS["dense"]) == CELLS["dense"].equations[0][1]
    assert not {z, r, n, h1} & closed(CELLS["gru"]).free_symbols
    assert normal(add(mul(z, h), mul(S.NegativeOne, h, z))) == 0
    assert normal(mul(z, add(h, n))) == normal(add(mul(n, z), mul(h, z)))
    assert normal(add(Wn @ S.Zero, x)) == x
    assert normal(Wn @ x) != normal(Un @ x)


def test_what_a_rule_rests_on_is_proved():
    from symgru.proofs import PROOFS

    named = {rule.rests_on for rule in RULES.values() if rule.rests_on}
    assert named == {"merged-biases", "blend", "sigma-complement", "tanh-sigma"}
    assert named <= set(PROOFS)
