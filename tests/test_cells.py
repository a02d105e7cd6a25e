"""Every cell of symgru.cells.CELLS in every rendering. A new cell is covered without an edit here."""

from dataclasses import replace

import numpy as np
import pytest
from sympy import tanh

from symgru.activations import activation
from symgru.algebra import Mat, sigma, walk
from symgru.backends.model import layers
from symgru.building import build
from symgru.cell import Cell, h, h1, x
from symgru.cells import CELLS, EQUATIONS, bz, cz, r, z
from symgru.domains import Float64
from symgru.errors import Unsupported
from symgru.float32 import Float32
from symgru.layout import layout
from symgru.network import Tensor
from symgru.trace import exact, run
from symgru.verify.emitted import compiled, run_numpy
from symgru.yardstick import largest, largest_difference, tolerance
from tests.conftest import random_input, random_network

UNITS, FEATURES, STEPS = 3, 2, 6
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
every_cell = pytest.mark.parametrize("name", CELLS)
every_recurrent_cell = pytest.mark.parametrize("name", RECURRENT)


def network_of(name, dtype="float32", units=UNITS, features=FEATURES, **options):
    """The cell alone, with something recurrent before it where it is not recurrent itself."""
    before = [] if CELLS[name].states else [("gru", features, {"return_sequences": True})]
    return random_network([*before, (name, units, options)], features, dtype, seed=sorted(CELLS).index(name) + 20)


@pytest.fixture(scope="module", params=CELLS)
def case(request):
    """(network, input, emitted C), compiled once a cell."""
    network = network_of(request.param)
    return network, random_input(network, STEPS, batch=2, seed=5), compiled(network)


def test_there_are_cells():
    assert {"gru", "gru_before", "dense"} <= set(CELLS) == set(EQUATIONS)


@every_cell
def test_dims_unify(name):
    cell = CELLS[name]
    symbols = {*cell.inputs, *cell.defined, *cell.params, *(s for state in cell.states for s in state)}
    assert set(cell.dims) == symbols
    assert cell.dims[cell.inputs[0]] == ("D",)
    assert cell.dims[cell.output] == ("H",)
    for s, letters in cell.dims.items():
        assert len(letters) == (2 if isinstance(s, Mat) else 1)
    for before, after in cell.states:
        assert cell.dims[before] == cell.dims[after]
    for p in cell.params:
        if isinstance(p, Mat) and p.name.startswith("W"):
            assert cell.dims[p] == ("H", "D")
        if isinstance(p, Mat) and p.name.startswith("U"):
            assert cell.dims[p] == ("H", "H")


@every_cell
def test_layout_has_every_parameter_once(name):
    own = layout(CELLS[name])
    stacked = [*own.kernel, *own.recurrent, *(b for row in own.biases for b in row)]
    assert sorted(map(str, stacked)) == sorted(map(str, CELLS[name].params))
    assert all(CELLS[name].dims[m][1] == "D" for m in own.kernel)
    assert bool(own.recurrent) == bool(CELLS[name].states)


@every_cell
def test_every_symbol_is_defined_before_it_is_read(name):
    cell = CELLS[name]
    known = {*cell.inputs, *cell.params, *(before for before, _ in cell.states)}
    for lhs, rhs in cell.equations:
        assert lhs not in known
        assert {s for s in walk(rhs) if s.is_Symbol} <= known
        known.add(lhs)
    assert cell.source


@every_cell
def test_without_use_bias_there_are_no_biases(name):
    cell = build(name, {"use_bias": False})
    assert all(isinstance(p, Mat) for p in cell.params)
    assert {p for p in CELLS[name].params if isinstance(p, Mat)} == set(cell.params)
    biased = any(not isinstance(p, Mat) for p in CELLS[name].params)
    assert biased is (name != "cho"), "or the test says nothing"


def test_build_names_options_and_refusals():
    assert build("gru", {}).name == "gru"
    assert build("gru", {"reset_after": True}).name == "gru"
    assert build("gru", {"reset_after": False}).name == "gru_before"
    with pytest.raises(Unsupported, match=r"lstm2000.*gru"):
        build("lstm2000", {})
    with pytest.raises(Unsupported, match="swishish"):
        build("gru", {"activation": "swishish"})


def test_softmax_of_nothing_is_refused():
    with pytest.raises(Unsupported, match="mgu3: a gate without input"):
        build("mgu3", {"use_bias": False, "recurrent_activation": "softmax"})
    assert build("mgu3", {"recurrent_activation": "softmax"}).params


def test_build_puts_activations_where_they_belong():
    cell = build("gru", {"activation": "sigmoid", "recurrent_activation": "tanh"})
    heads = {str(lhs): type(rhs) for lhs, rhs in cell.equations}
    assert (heads["z"], heads["r"], heads["n"]) == (tanh, tanh, sigma), "exchanged at once, not one after the other"
    default = {str(lhs): type(rhs) for lhs, rhs in build("gru", {}).equations}
    assert (default["z"], default["r"], default["n"]) == (sigma, sigma, tanh)
    dense = build("dense", {}).equations[0][1]
    assert dense.is_Add, "a Dense layer's default is linear"
    relu = build("dense", {"activation": "relu"}).equations[0][1]
    assert relu.func == activation("relu")(x).func


def test_the_grus_equations_are_the_textbooks():
    cell = CELLS["gru"]
    assert cell.defined[:2] == (z, r)
    assert cell.output == h1
    assert cell.states == ((h, h1),)
    assert {bz, cz} <= set(cell.params)
    assert len(cell.params) == 12
    assert len(CELLS["gru_before"].params) == 9
    assert [str(p) for p in CELLS["dense"].params] == ["W", "b"]
    own = layout(cell)
    assert [str(m) for m in own.kernel] == ["W_z", "W_r", "W_n"], "Keras' order of the gate blocks"
    assert [str(m) for m in own.recurrent] == ["U_z", "U_r", "U_n"]
    assert [[str(b) for b in row] for row in own.biases] == [["b_z", "b_r", "b_n"], ["c_z", "c_r", "c_n"]]


def test_without_leaves_no_trace_of_a_parameter():
    cell = CELLS["gru"].without({cz})
    assert cz not in cell.params
    assert set(cell.params) == set(CELLS["gru"].params) - {cz}


@every_cell
def test_emitted_numpy_is_the_reference(name):
    network = network_of(name, "float64")
    value = random_input(network, STEPS, batch=2, seed=5)
    reference = run(network, value, Float64()).y
    emitted = run_numpy(network, value.value)
    assert emitted.shape == reference.shape
    assert np.abs(emitted - reference).max() <= 1e-14 * max(1.0, np.abs(reference).max())


def test_emitted_c_is_the_float32_domain(case):
    """`compiled` raises where a compiler has anything to say."""
    network, value, program = case
    window = program.window(value.value)
    expected = run(network, value, Float32()).y
    assert window.dtype == expected.dtype == np.float32
    assert np.array_equal(window, expected)
    stream = program.stream(value.value)
    assert np.array_equal(stream if stream.shape == window.shape else stream[:, -1], window)


def test_emitted_c_is_near_the_exact_output(case):
    """Four times the error of NumPy's float32, an arithmetic that shares no code with the C."""
    network, value, program = case
    truth = exact(network, value)
    yardstick = largest_difference(run_numpy(network, value.value), truth)
    limit = tolerance(yardstick, largest(truth))
    assert largest_difference(program.window(value.value), truth) <= limit
    assert limit < 1e-5 * max(1.0, largest(truth)), "or the limit is no limit"


def test_the_yardsticks_agree(case):
    network, value, _ = case
    truth = exact(network, value)
    assert largest_difference(run(network, value, Float64()).y, truth) <= 1e-14 * max(1.0, largest(truth))


@every_recurrent_cell
def test_a_zero_state_and_the_steps_matter(name):
    """The state goes on: the last two steps alone give another answer than the whole sequence."""
    network = network_of(name)
    value = random_input(network, STEPS)
    whole = run(network, value, Float64())
    tail = Tensor(value.value[:, 2:], value.text[:, 2:])
    assert np.abs(run(network, tail, Float64()).y - whole.y).max() > 1e-6
    call = network.calls[-1].id
    middle = run(network, Tensor(value.value[:, :2], value.text[:, :2]), Float64()).states
    resumed = run(network, tail, Float64(), states=middle)
    assert np.array_equal(resumed.y, whole.y)
    assert np.array_equal(resumed.states[call], whole.states[call])


@every_recurrent_cell
@pytest.mark.parametrize(
    "option", [{"use_bias": False}, {"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}], ids=str
)
def test_options_reach_the_emitted_numpy(name, option):
    network = network_of(name, "float64", **option)
    value = random_input(network, STEPS)
    reference = run(network, value, Float64()).y
    assert np.abs(run_numpy(network, value.value) - reference).max() <= 1e-14 * max(1.0, np.abs(reference).max())
    unchanged = build(name, option) == CELLS[name]
    if "use_bias" not in option:  # relu is what a light GRU has anyway, and a simple unit has no gate
        assert unchanged is ((name, *option) in {("ligru", "activation"), ("simple", "recurrent_activation")})
    if "use_bias" not in option and not unchanged:
        layer = network.layers[network.calls[-1].layer]
        other = replace(network, layers={**network.layers, layer.id: replace(layer, options={})})
        assert np.abs(run(other, value, Float64()).y - reference).max() > 1e-6, "the option changes the function"


@every_cell
def test_derive_renders(name):
    from symgru.backends import text
    from symgru.derivation import derive

    derivation = derive(name, units=2, features=2, steps=3)
    shown = "".join(text.render_derivation(derivation))
    assert shown.strip()
    for p in CELLS[name].params:
        assert p.name.partition("_")[0] in shown
    assert "".join(text.render_derivation(derivation, ascii=True)).isascii()


@every_cell
def test_explain_renders(name):
    from symgru.backends import text
    from symgru.explanation import explain

    network = network_of(name)
    value = random_input(network, 3)
    shown = "".join(text.render_explanation(explain(network, value)))
    result = float(run(network, value, Float64()).y.ravel()[-1])
    assert f"{abs(result):.3f}" in shown or f"{abs(result):.4f}" in shown, "the result is in the worked example"


def test_dims_of_an_unconnected_symbol_get_a_letter_of_their_own():
    """Unification finds lengths, and does not guess: a bottleneck of another width is neither H nor D."""
    inner, outer = Mat("P", real=True), Mat("Q", real=True)
    cell = Cell("projected", ((h1, outer @ tanh(inner @ x, evaluate=False)),), states=())
    assert cell.dims[inner][1] == "D"
    assert cell.dims[outer][0] == "H"
    assert cell.dims[inner][0] == cell.dims[outer][1]
    assert cell.dims[inner][0] not in {"H", "D"}


def test_layers_of_a_network_know_their_sizes():
    network = random_network([("gru", 5, {"return_sequences": True}), ("dense", 2, {})], 3)
    assert [unit.sizes for unit in layers(network)] == [{"D": 3, "H": 5}, {"D": 5, "H": 2}]
    kernel, recurrent, bias = layers(network)[0].arrays.values()
    assert (kernel.shape, recurrent.shape, bias.shape) == ((3, 15), (5, 15), (2, 15))
    reset = network.layers["gru_1"].weights["W_r"].value
    assert np.float32(kernel[1, 5 + 2]) == reset[2, 1], "kernel[feature, block of the gate + unit]"
