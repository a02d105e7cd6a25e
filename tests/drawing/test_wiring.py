"""The wiring: every weight stands on its line, no line is missing and none is there that the equations lack."""

import numpy as np
import pytest

from symgru.backends.svg import render_svg
from symgru.cells import CELLS
from symgru.drawing import blocks, wiring
from symgru.drawing.circuit import circuits
from symgru.explanation import explain
from symgru.face import load
from symgru.network import Tensor
from tests.drawing.pictures import at_work, groups, number, parsed, seed_at_work, words

KERNEL = np.array([[0.11, -0.12, 0.13, -0.14, 0.15, -0.16], [0.21, -0.22, 0.23, -0.24, 0.25, -0.26]], np.float32)
RECURRENT = np.array([[0.31, -0.32, 0.33, -0.34, 0.35, -0.36], [0.41, -0.42, 0.43, -0.44, 0.45, -0.46]], np.float32)
BIAS = np.array([[0.51, -0.52, 0.53, -0.54, 0.55, -0.56], [0.61, -0.62, 0.63, -0.64, 0.65, -0.66]], np.float32)


def edges(layer):
    """{key: the number on the line, None where there is none}; each line once."""
    found = [(key, texts) for key, texts in groups(parsed(render_svg(wiring(layer)))) if " to " in key]
    assert len({key for key, _ in found}) == len(found)
    return {key: next((n for n in map(number, texts) if n is not None), None) for key, texts in found}


def test_two_units_with_keras_arrays():
    with pytest.warns(UserWarning, match="by their shapes"):
        model = load([KERNEL, RECURRENT, BIAS], {"layers": [{"kind": "gru"}]})
    x = Tensor.of(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    layer = explain(model.network, x).layers[0]
    expected = {}
    for g, gate in enumerate("zrn"):  # Keras: columns z, r, n, two units each
        for i in (0, 1):
            column, to = 2 * g + i, f"to {gate}_{i + 1}"
            for j in (0, 1):
                expected[f"x_{j + 1} {to}"] = KERNEL[j, column]
                expected[f"h_{j + 1} {to}"] = RECURRENT[j, column]
            expected[f"b_{gate}_{i + 1} {to}"] = BIAS[0, column]
            expected[f"c_{gate}_{i + 1} {to}"] = BIAS[1, column]
    for i in "12":  # element by element, without a weight
        into_state = [f"{source}_{i} to h_{i}" for source in ("z", "1-z", "h", "n")]
        expected |= dict.fromkeys([f"r_{i} to n_{i}", *into_state])
    shown = edges(layer)
    assert shown.keys() == expected.keys()
    assert {k for k, v in shown.items() if v is None} == {k for k, v in expected.items() if v is None}
    assert all(v is None or np.float32(v) == expected[k] for k, v in shown.items())


def test_minimal_gated_unit():
    layer = at_work("mgu", 2, 1)
    weights = {name: tensor.value for name, tensor in layer.layer.weights.items()}
    expected = {}
    for i in (0, 1):
        for gate in "fn":
            to = f"to {gate}_{i + 1}"
            expected[f"x_1 {to}"] = weights[f"W_{gate}"][i, 0]
            expected[f"b_{gate}_{i + 1} {to}"] = weights[f"b_{gate}"][i]
        for j in (0, 1):
            expected[f"h_{j + 1} to f_{i + 1}"] = weights["U_f"][i, j]
            expected[f"f_{j + 1} h_{j + 1} to n_{i + 1}"] = weights["U_n"][i, j]
    assert {k: v for k, v in edges(layer).items() if v is not None} == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(("units", "features"), [(2, 2), (3, 1), (4, 3)])
def test_every_weight_of_every_cell_is_on_one_line(kind, units, features):
    layer = at_work(kind, units, features)
    drawn = sorted(v for v in edges(layer).values() if v is not None)
    given = np.concatenate([tensor.value.ravel() for tensor in layer.layer.weights.values()])
    assert drawn == pytest.approx(sorted(given.astype(float)), rel=1e-6)


def test_the_seed_in_one_picture():
    says = {w.text for w in words(parsed(render_svg(wiring(seed_at_work()))))}
    assert says >= {"Wz = −0.90954137", "Wr = 1.0425225", "Wn = −0.04404902"}
    assert says >= {"Uz = 0.24168766", "Ur = 0.8981342", "Un = 0.36734456"}


def test_blocks_of_many_units_show_shapes():
    says = {w.text for w in words(parsed(render_svg(wiring(at_work("gru", 8, 3)))))}
    assert {f"W{g}: 3 × 8" for g in "zrn"} | {f"U{g}: 8 × 8" for g in "zrn"} <= says


@pytest.mark.parametrize("kind", CELLS)
def test_blocks_have_the_lines_of_the_equations(kind):
    """A line for each product with a matrix, and for each quantity that is read element by element."""
    layer = at_work(kind, 5, 2)
    keys = [key for key, _ in groups(parsed(render_svg(blocks(layer))))]
    assert len(keys) == len(set(keys))
    matrices = {name for name in layer.layer.weights if name[0] in "WU"}
    assert {key.partition(": ")[2] for key in keys} - {""} == matrices
    feeds = {
        (s.of.name, value.of.name) for value, tree in circuits(layer).items() for w in tree.wires() for s in _read(w)
    }
    assert {tuple(key.partition(":")[0].split(" to ")) for key in keys} >= {(a, b) for a, b in feeds if a != b}


def _read(wire):
    return [] if wire.source is None else [s for s in wire.source.free_symbols if s.of.name not in ("x", "h")]


def test_a_bias_of_zero_is_left_out_as_in_the_document():
    layer = seed_at_work()
    assert not any("b" in key.split(" to ")[0] for key in (k for k, _ in groups(parsed(render_svg(wiring(layer))))))


def test_what_a_screen_reader_says():
    described = wiring(at_work("gru", 2, 1)).description
    assert "h 2 is z 2 times the previous h 2 plus (1 minus z 2) times n 2" in described
    assert "z through" not in described
    one = wiring(seed_at_work()).description
    assert "n reads x through W_n = -0.04404902, h through U_n = 0.36734456, r;" in one
