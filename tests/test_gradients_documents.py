"""derive --gradients: the printed formulas, worked out as they stand, give the reference's numbers."""

import re
from decimal import Decimal

import numpy as np
import pytest

from symgru.activations import ACROSS as WHOLE
from symgru.activations import substitute, table
from symgru.algebra import Vec
from symgru.backends import latex, markdown, text
from symgru.backends.backward import backward
from symgru.backends.latex.document import LATEX, ROOM
from symgru.backends.latex.printer import width
from symgru.backends.text.document import TEXT
from symgru.building import build
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.cli import main
from symgru.derivation import derive, derive_network
from symgru.derivatives import JUMPS, prime
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.face import derive as derive_face
from symgru.face import load
from symgru.gradients import gradients
from symgru.network import Tensor
from symgru.trace import run
from tests.conftest import ROOT, random_input, random_network
from tests.differences import DOMAIN
from tests.documents.test_latex import compile_latex, overfull

RECURRENT = [name for name, cell in CELLS.items() if cell.states]
STEPS = 4
X = Vec("x", real=True)
ACROSS = {name.name for name in WHOLE}


# What is printed, worked out -----------------------------------------------------------------------------------------


def python(formula):
    """A printed formula as Python. Vectors are rows; h_(t-1) is h_0, h_t is h_1, and ∇h_t is D_h_1."""
    formula = re.sub(r"Σ\(t=1\.\.T\) ", "", formula)
    formula = formula.replace("_(t-1)", "_0").replace("_T", "_1").replace("^T", ".T").replace("_t", "_1")
    formula = formula.replace("∇", "D_").replace("δ", "d").replace("·", "*").replace("⊙", "*").replace("^2", "**2")
    return re.sub(r"(\w+)'\(", r"\1_prime(", formula)


FUNCTIONS = {
    "ones": np.ones((1, 3)),
    "sum": lambda v: v.sum(axis=-1, keepdims=True),
    "diag": lambda v: np.diag(v[0]),
    "relu_prime": lambda a: (a > 0) * 1.0,
    "hard_sigmoid_prime": lambda a: ((a > -3) & (a < 3)) / 6,
}


def worked_out(d, network, x, dy, unit):
    """dL/d everything from the printed lines: the way there by the reference, the way back by the text."""
    back = backward(d, TEXT)
    (layer,) = network.layers.values()
    shape = (lambda v: v.T) if not unit else (lambda v: v.T if v.ndim > 1 else v)
    weights = {name: shape(t.value) for name, t in layer.weights.items()}
    forward = run(network, x, Float64(), rewrite={layer.id: back.reverse.forward}).traces[0]
    names = {f"∂L/∂{name}": name for name in weights}
    sums = dict.fromkeys(weights, 0.0)
    dx, grad = [], dy[:, STEPS - 1]
    for t in reversed(range(STEPS)):
        known = {f"{name}_1": column[:, t] for name, column in forward.columns.items() if name != "h1"}
        known |= {
            "h_1": forward.columns["h1"][:, t],
            "x_1": x.value[:, t],
            "D_h_1": grad,
            **weights,
            **FUNCTIONS,
            "I": 1.0,
        }
        known["h_0"] = forward.columns["h1"][:, t - 1] if t else np.zeros_like(grad)
        known["g_0"] = dy[:, t - 1] if t else np.zeros_like(grad)
        for lhs, rhs in [*back.kept(unit), *back.steps(unit), *back.state(unit)]:
            name, value = python(lhs), eval(python(rhs), {}, known)
            if name in known and name != "D_h_0":
                assert value == pytest.approx(known[name], rel=1e-12), f"{lhs} as kept"
            known[name] = value
        for lhs, rhs in back.weights(unit):
            sums[names[lhs]] += eval(python(rhs), {}, known)
        ((_, rhs),) = back.inputs(unit)
        dx.append(eval(python(rhs), {}, known))
        if not unit or d.sizes["H"] == 1:
            ((_, jacobian),) = back.jacobian(unit)
            J = eval(python(jacobian), {}, known)
            handed = grad @ J if not unit else grad * J
            assert handed == pytest.approx(known["D_h_0"] - known["g_0"], rel=1e-10, abs=1e-13)
            ((lhs, rhs),) = back.sweep()
            tied = eval(python(rhs).replace("∂h_1/∂h_0", "J"), {}, {**known, "J": J})
            assert tied == pytest.approx(known[python(lhs)], rel=1e-10, abs=1e-13)
        grad = known["D_h_0"]
    return sums, np.stack(dx[::-1], axis=1), grad


def check(cell_name, options, units, features, unit):
    network = random_network([(cell_name, units, {**options, "return_sequences": True})], features, "float64", seed=3)
    x = random_input(network, STEPS)
    dy = np.random.default_rng(4).normal(size=(1, STEPS, units))
    right = gradients(network, x, Tensor.of(dy))
    d = derive(build(cell_name, options), units, features, 1, gradients=True)
    sums, dx, grad = worked_out(d, network, x, dy, unit)
    (parts,) = right.weights.values()
    for name, value in sums.items():
        theirs = parts[name].T
        assert np.reshape(value, theirs.shape) == pytest.approx(theirs, rel=1e-11, abs=1e-13), name
    assert dx == pytest.approx(right.x, rel=1e-11, abs=1e-13)
    assert grad == pytest.approx(next(iter(right.states.values())), rel=1e-11, abs=1e-13)


OPTIONS = [
    {},
    {"use_bias": False},
    {"recurrent_activation": "softmax"},
    {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
    {"activation": "linear", "recurrent_activation": "tanh"},
]


@pytest.mark.parametrize("name", RECURRENT)
def test_the_matrix_form(name):
    for options in OPTIONS:
        check(name, options, 3, 2, unit=False)


@pytest.mark.parametrize("name", RECURRENT)
def test_one_unit(name):
    for options in OPTIONS[:2] + OPTIONS[3:]:
        check(name, options, 1, 1, unit=True)


# The text ------------------------------------------------------------------------------------------------------------

EACH_UNIT = """
    u_n_t[i] = Σ(k=1..H) U_n[k,i]·h_(t-1)[k] + c_n[i]
    δ_n_t[i] = ∇h_t[i]·(1 - z_t[i])·(1 - n_t[i]^2)
    δ_z_t[i] = ∇h_t[i]·(h_(t-1)[i] - n_t[i])·z_t[i]·(1 - z_t[i])
    ∂L/∂W_z[j,i] = Σ(t=1..T) x_t[j]·δ_z_t[i]
    ∂L/∂U_n[k,i] = Σ(t=1..T) h_(t-1)[k]·∇u_n_t[i]
    ∂L/∂x_t[j] = Σ(k=1..H) W_n[j,k]·δ_n_t[k] + Σ(k=1..H) W_r[j,k]·δ_r_t[k] + Σ(k=1..H) W_z[j,k]·δ_z_t[k]
"""
JACOBIAN = (
    "z_t[i]·[i = l] + (h_(t-1)[i] - n_t[i])·z_t[i]·(1 - z_t[i])·U_z[l,i] + (1 - z_t[i])·(1 - n_t[i]^2)·"
    "(u_n_t[i]·r_t[i]·(1 - r_t[i])·U_r[l,i] + r_t[i]·U_n[l,i])"
)


def flat(parts):
    """A text without line breaks and alignment."""
    return re.sub(r"\s+", " ", "".join(parts))


def test_each_unit():
    """Written by hand: framework's orientation, row j or k leads to column i."""
    d = derive("gru", 3, 2, 1, gradients=True)
    shown = flat(text.render_derivation(d))
    for line in EACH_UNIT.strip().splitlines():
        assert flat(line.strip()) in shown
    assert backward(d, TEXT).jacobian(True) == [("∂h_t[i]/∂h_(t-1)[l]", JACOBIAN)]
    assert "sum over all" not in shown
    before = backward(derive("gru_before", 2, 2, 1), TEXT).jacobian(True)[0][1]
    assert before.endswith("Σ(k=1..H) U_n[k,i]·(r_t[k]·[k = l] + h_(t-1)[k]·r_t[k]·(1 - r_t[k])·U_r[l,k])")


def test_latex_of_one_unit():
    pairs = dict(backward(derive("gru", 1, 1, 1), LATEX).steps(True))
    assert pairs[r"\delta_{z,t}"] == r"\bar{h}_{t}\,(h_{t-1} - n_{t})\,z_{t}\,(1 - z_{t})"
    whole = backward(derive("gru", 2, 2, 1), LATEX)
    assert dict(whole.weights(False))[r"\frac{\partial L}{\partial \mathbf{W}_{z}}"] == (
        r"\sum_{t=1}^{T} \mathbf{x}_{t}^{\top}\,\boldsymbol{\delta}_{z,t}"
    )


@pytest.mark.parametrize("name", CELLS)
def test_every_document_says_it(name):
    d = derive(name, 2, 2, 1, gradients=True)
    params = [p.name.replace("_", "_{") + "}" if "_" in p.name else p.name for p in d.cell.params]
    plain = "".join(text.render_derivation(d))
    tex, md = "".join(latex.render_derivation(d)), "".join(markdown.render_derivation(d))
    assert all(f"∂L/∂{p} " in plain for p in d.cell.params)
    assert all(re.search(rf"partial (\\mathbf{{)?{re.escape(p[0])}", tex) for p in params)
    assert max(map(len, plain.splitlines()[2:])) <= 100
    for document in (plain, tex, md):
        assert "Gradients" in document
        assert ("vanishes" in document) == bool(d.cell.states)
        assert "None" not in document
        assert "Jacobian" in document or not d.cell.states


def test_without_the_option_nothing_is_there():
    for backend in (text, latex, markdown):
        assert "radient" not in "".join(backend.render_derivation(derive("gru")))


@pytest.mark.parametrize("activation", sorted(set(table()) - ACROSS - {"tanh", "sigmoid", "linear", "exponential"}))
def test_named_derivatives_are_defined(activation):
    d = derive("gru", 1, 1, 1, {"activation": activation}, gradients=True)
    shown = flat(text.render_derivation(d))
    assert f"{activation}'(a_n_t)" in shown
    assert f"{activation}'(a) = " in shown
    assert flat(text.render_derivation(d, ascii=True)).isascii()


def slopes(name, point):
    """The derivative of an activation a little below and a little above a point, by 60 digits."""
    found = []
    for side in (-1, 1):
        where = Decimal(point) + side * Decimal("1e-20")
        cell = Cell("slope", ((Vec("y", real=True), substitute(prime(name), X)),), inputs=(X,))
        with DOMAIN.context():
            found.append(np.asarray(DOMAIN.step(cell)(np.array([[where]]), None, {})["y"]).item())
    return found


@pytest.mark.parametrize("name", sorted(set(table()) - ACROSS))
def test_a_kink_is_named_where_there_is_one(name):
    """Every kink of Keras' activations lies at one of these points."""
    pairs = [slopes(name, point) for point in (-6, -3, -1, "-0.5", 0, "0.5", 1, 3, 6)]
    jumps = any(abs(below - above) > Decimal("1e-6") for below, above in pairs)
    assert (name in JUMPS) == jumps
    d = derive("gru", 1, 1, 1, {"activation": name, "recurrent_activation": "sigmoid"}, gradients=True)
    for backend in (text, markdown, latex):
        assert ("at a kink" in "".join(backend.render_derivation(d))) == jumps


def test_the_derivative_of_gelu_has_no_brackets_that_say_nothing():
    pairs = dict(backward(derive("gru", 1, 1, 1, {"activation": "gelu"}), TEXT).primes())
    c = "11863283/16777216"
    assert pairs["gelu'(a)"] == f"(1 + erf({c}·a) + {c}·a·2/sqrt(pi)·e^(-({c}·a)^2))/2"


def test_a_jacobian_is_broken_between_factors():
    shown = "".join(text.render_derivation(derive("gru", 2, 1, 1, gradients=True)))
    rows = [line.strip() for line in shown.splitlines()]
    assert "@ (diag(u_n_t ⊙ r_t ⊙ (1 - r_t)) @ U_r^T + diag(r_t) @ U_n^T)" in rows
    assert "·(u_n_t[i]·r_t[i]·(1 - r_t[i])·U_r[l,i] + r_t[i]·U_n[l,i])" in rows
    assert "[i = l] is 1" in shown
    assert "small in norm" in flat(shown)


def test_ascii_has_a_spelling_for_everything():
    shown = "".join(text.render_derivation(derive("gru", 2, 2, 1, {"activation": "gelu"}, gradients=True), ascii=True))
    assert shown.isascii()
    assert "?" not in shown
    assert "grad_h_t" in shown
    assert "delta_z_t" in shown
    assert "dL/dW_z" in shown


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gru", {"activation": "mish", "recurrent_activation": "hard_sigmoid"}),
        ("gru", {"recurrent_activation": "softmax"}),
    ],
    ids=["mish", "softmax"],
)
def test_the_latex_compiles_and_fits_the_page(name, options, tmp_path):
    d = derive(name, 3, 2, 1, options, gradients=True)
    assert not overfull(compile_latex("".join(latex.render_derivation(d)), tmp_path))


def test_no_line_of_any_cell_is_too_wide():
    for name in CELLS:
        back = backward(derive(name, 12, 12, 1), LATEX)
        for pairs in (back.steps(True), back.weights(True), back.weights(False), back.kept(False)):
            assert all(width(f"{lhs} = {rhs}") <= ROOM for lhs, rhs in pairs)


def test_a_networks_layers():
    network = load(ROOT / "examples" / "sunspots.keras").network
    plain = "".join(text.render_derivations(derive_network(network, 1, gradients=True)))
    assert plain.count("Gradients") == len(network.layers)
    assert "Layer 1 takes for its g what this layer finds for ∂L/∂x." in plain


def test_the_command_and_the_face(capsys):
    with pytest.raises(SystemExit):
        main(["derive", "--gradients", "--steps", "1"])
    assert "∂L/∂W_z = Σ(t=1..T) x_t·δ_z_t" in capsys.readouterr().out
    assert "∇h_T" in str(derive_face(steps=1, gradients=True))
    with pytest.raises(UnusableInput, match="gradients"):
        derive_face("all", gradients=True)
