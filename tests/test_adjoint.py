"""The derived reverse step: the textbook's equations, and its numbers against difference quotients of 60 digits."""

from dataclasses import replace

import numpy as np
import pytest
from sympy import Symbol

from symgru.activations import table
from symgru.adjoint import adjoint
from symgru.algebra import Across, add, matrices, mul, rebuild, terms
from symgru.backends.c.printer import Formula
from symgru.building import build
from symgru.cell import Cell, h, h1, x
from symgru.cells import CELLS
from symgru.decimal_domain import Decimals
from symgru.domains import Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.gradients import gradients
from symgru.network import Tensor
from symgru.rules import BLEND, COMPLEMENT, HALF_ANGLE, MERGED_BIASES
from symgru.trace import run
from tests.conftest import random_input, random_network
from tests.differences import DOMAIN, worst_slope

SEQUENCES = {"return_sequences": True}
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
SHARP = 1e-30  # the quotients are right to 1e-38: a step of 1e-20 squared


def printed(reverse):
    show = Formula().doprint
    lines = [f"{show(lhs)} = {show(e)}" for lhs, e in reverse.step.equations]
    return lines + [f"{p}: {show(e)}" for p, e in reverse.gradients.items()]


# The form ------------------------------------------------------------------------------------------------------------

TEXTBOOK = {
    "gru": [
        "delta_n = dh'*(1 - z)*(1 - n*n)",
        "du_n = delta_n*r",
        "delta_r = delta_n*u_n*r*(1 - r)",
        "delta_z = dh'*(h - n)*z*(1 - z)",
        "dx = W_n^T delta_n + W_r^T delta_r + W_z^T delta_z",
        "dh = dh'*z + U_n^T du_n + U_r^T delta_r + U_z^T delta_z",
        "W_z: delta_z x^T",
        "b_z: delta_z",
        "U_z: delta_z h^T",
        "c_z: delta_z",
        "W_r: delta_r x^T",
        "b_r: delta_r",
        "U_r: delta_r h^T",
        "c_r: delta_r",
        "W_n: delta_n x^T",
        "b_n: delta_n",
        "U_n: du_n h^T",
        "c_n: du_n",
    ],
    "mgu": [
        "v_n = f*h",
        "delta_n = dh'*f*(1 - n*n)",
        "dv_n = U_n^T delta_n",
        "delta_f = (dh'*(n - h) + dv_n*h)*f*(1 - f)",
        "dx = W_n^T delta_n + W_f^T delta_f",
        "dh = dh'*(1 - f) + dv_n*f + U_f^T delta_f",
        "W_f: delta_f x^T",
        "U_f: delta_f h^T",
        "b_f: delta_f",
        "W_n: delta_n x^T",
        "U_n: delta_n v_n^T",
        "b_n: delta_n",
    ],
    "simple": [
        "delta_h = dh'*(1 - h'*h')",
        "dx = W^T delta_h",
        "dh = U^T delta_h",
        "W: delta_h x^T",
        "b: delta_h",
        "U: delta_h h^T",
    ],
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_textbooks_equations(name):
    assert printed(adjoint(CELLS[name])) == TEXTBOOK[name]


KEPT = {
    "gru": "z r u_n n",
    "gru_before": "z r n",
    "cho": "z r n",
    "type3": "z r n",
    "mgu": "f n",
    "mgu_after": "f u_n n",
    "ligru": "z a_n n",
    "simple": "h1",
}


@pytest.mark.parametrize("name", KEPT)
def test_no_more_is_kept_than_is_read(name):
    assert " ".join(map(str, adjoint(CELLS[name]).kept)) == KEPT[name]


def test_a_linear_layer_keeps_nothing():
    reverse = adjoint(build("dense", {}))
    assert reverse.kept == ()
    assert printed(reverse) == ["dx = W^T dy", "W: dy x^T", "b: dy"]


def test_a_linear_gate_has_a_delta_too():
    lines = printed(adjoint(build("gru", {"recurrent_activation": "linear"})))
    assert "delta_z = dh'*(h - n)" in lines


def test_softmax_has_a_rule_of_its_own():
    assert printed(adjoint(build("dense", {"activation": "softmax"})))[0] == "delta_y = y*(dy - sum(y*dy))"
    lines = printed(adjoint(build("gru", {"recurrent_activation": "softmax"})))
    assert lines[2:5] == ["dr = delta_n*u_n", "delta_r = r*(dr - sum(r*dr))", "dz = dh'*(h - n)"]


@pytest.mark.parametrize("name", CELLS)
def test_the_forward_equations_are_the_authors(name):
    """With the lines put back that values are kept under, not a sign is another."""
    cell = CELLS[name]
    written = {}
    for lhs, e in adjoint(cell).forward.equations:
        whole = rebuild(e, lambda s: written.get(s, s))
        if lhs in cell.defined:
            assert whole == dict(cell.equations)[lhs]
        else:
            written[lhs] = whole


@pytest.mark.parametrize("name", CELLS)
def test_every_parameter_has_a_gradient_of_its_shape(name):
    reverse = adjoint(CELLS[name])
    assert tuple(reverse.gradients) == CELLS[name].params
    dims = reverse.step.dims
    for p, e in reverse.gradients.items():
        for t in terms(e):
            assert tuple(letter for s in (t.args or (t,)) for letter in dims[s]) == CELLS[name].dims[p]


def test_deriving_is_quick_to_repeat_and_the_same():
    assert printed(adjoint(CELLS["gru"])) == printed(adjoint(CELLS["gru"]))


# The numbers ---------------------------------------------------------------------------------------------------------


def dy_for(network, x, seed=3):
    shape = run(network, x, Float64()).y.shape
    return Tensor.of(np.random.default_rng(seed).normal(size=shape))


def check(network, steps=3):
    x = random_input(network, steps, batch=2)
    dy = dy_for(network, x)
    exact = gradients(network, x, dy, DOMAIN)
    assert worst_slope(network, x, dy.value, exact) <= SHARP
    plain = gradients(network, x, dy)
    with DOMAIN.context():
        for ours, right in zip(plain.arrays(network), exact.arrays(network), strict=True):
            assert np.abs(ours - right.astype(float)).max() <= 1e-14 * float(abs(right).max())


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("name", RECURRENT)
def test_every_cell_against_difference_quotients(name, use_bias):
    for seed, options in ((1, SEQUENCES), (2, {})):
        check(random_network([(name, 3, {**options, "use_bias": use_bias})], 2, "float64", seed))


@pytest.mark.parametrize("activation", sorted(set(table()) - {"sparsemax"}))
def test_every_activation_against_difference_quotients(activation):
    """As gates, as candidate and in a head, reset before the product and after."""
    scale = 0.4 if activation in {"exponential", "linear"} else 1.5
    both = {"activation": activation, "recurrent_activation": activation}
    first = ("gru", 3, {**both, **SEQUENCES, "reset_after": False})
    check(random_network([first, ("gru", 2, both), ("dense", 3, both)], 2, "float64", scale=scale))


@pytest.mark.parametrize("units", [1, 4])
def test_a_stack(units):
    specs = [
        ("dense", 3, {"activation": "tanh"}),
        ("mgu", units, SEQUENCES),
        ("ligru", units, SEQUENCES),
        ("gru", units, {}),
        ("dense", 3, {"activation": "softmax"}),
        ("dense", 2, {"use_bias": False}),
    ]
    check(random_network(specs, 2, "float64", seed=5), steps=4)


def test_one_step_and_one_unit():
    check(random_network([("gru", 1, {})], 1, "float64", seed=6), steps=1)


def test_states_that_are_given():
    """A sweep over the second half, from the state that the first half left, hands back dL/d that state."""
    network = random_network([("gru", 3, {}), ("dense", 2, {})], 2, "float64", seed=7)
    x = random_input(network, 6, batch=2)
    dy = dy_for(network, x)
    whole = gradients(network, x, dy)
    first = replace(network, calls=network.calls[:1], outputs=())
    left = run(first, Tensor.of(x.value[:, :4]), Float64()).states
    second = gradients(network, Tensor.of(x.value[:, 4:]), dy, states=left)
    assert second.x == pytest.approx(whole.x[:, 4:], rel=1e-13)
    handed = Tensor.of(second.states["gru_1"])
    rest = gradients(first, Tensor.of(x.value[:, :4]), handed)
    assert rest.x == pytest.approx(whole.x[:, :4], rel=1e-12)
    for name, parts in rest.weights["gru_1"].items():
        assert parts + second.weights["gru_1"][name] == pytest.approx(whole.weights["gru_1"][name], rel=1e-12)


@pytest.mark.parametrize("rule", [MERGED_BIASES, BLEND, COMPLEMENT, HALF_ANGLE], ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", ["gru", "gru_new", "fully_gated", "mgu_after"])
def test_a_rewritten_cell_has_the_same_reverse(rule, name):
    """The reverse step is derived from whatever equations there are: dx and dh stay what they were."""
    cell = CELLS[name]
    new, params = rule.apply(cell)
    rng = np.random.default_rng(8)
    sizes = {"H": 3, "D": 2}
    weights = {p.name: rng.normal(size=[sizes[d] for d in cell.dims[p]]) for p in cell.params}
    given = {"x": rng.normal(size=(2, 2)), "h": rng.normal(size=(2, 3))}
    seed = rng.normal(size=(2, 3))

    def back(c, w):
        reverse, domain = adjoint(c), Float64()
        forward = domain.step(reverse.forward)(given["x"], given["h"], w)
        found = domain.step(reverse.step)(seed, None, {**w, **given, **forward})
        return found["dx"], found["dh"]

    def number(e):
        parts = [
            [weights[f.name] if f.is_Symbol else float(f) for f in (t.args if t.is_Mul else (t,))] for t in terms(e)
        ]
        return sum(np.prod(np.broadcast_arrays(*p), axis=0) if len(p) > 1 else p[0] for p in parts)

    changed = {p.name: number(params[p]) if p in params else weights[p.name] for p in new.params}
    for ours, right in zip(back(new, changed), back(cell, weights), strict=True):
        assert ours == pytest.approx(right, rel=1e-12, abs=1e-14)


# What cannot be had --------------------------------------------------------------------------------------------------


def test_what_has_no_derivative_is_refused():
    W, U = matrices("W U")
    unknown = Cell("odd", ((h1, Across(Symbol("sparsemax"), add(W @ x, U @ h))),), states=((h, h1),))
    with pytest.raises(Unsupported, match="sparsemax"):
        adjoint(unknown)
    divided = Cell("odd", ((h1, mul(h, (1 + U @ h) ** -1)),), states=((h, h1),))
    with pytest.raises(Unsupported, match="matrix product"):
        adjoint(divided)


def test_an_undefined_function_keeps_its_name():
    assert printed(adjoint(CELLS["dense"]))[0] == "delta_y = dy*phi'(a_y)"


@pytest.mark.parametrize("shape", [(2, 3), (1, 2), (2, 4, 2), (2,)])
def test_dy_of_another_shape_is_refused(shape):
    network = random_network([("gru", 2, {})], 1, "float64")
    with pytest.raises(UnusableInput, match=r"dy has shape .*; the output has \(2, 2\)"):
        gradients(network, random_input(network, 4, batch=2), Tensor.of(np.zeros(shape)))


def test_in_any_decimal_precision():
    network = random_network([("gru", 2, {})], 1, "float64")
    x = random_input(network, 2)
    low, high = (gradients(network, x, dy_for(network, x), Decimals(p)).x.astype(float) for p in (25, 80))
    assert low == pytest.approx(high, rel=1e-15)
