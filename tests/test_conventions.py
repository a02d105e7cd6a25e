"""The table of conventions: its notation, its round trips, and what it says of each framework."""

from __future__ import annotations

import numpy as np
import pytest

from symgru.arrangement import Convention
from symgru.cells import CELLS
from symgru.conventions import CONVENTIONS, DENSE, RULES, TABLE, join, named, options, rewritten, spelled, split
from symgru.domains import Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Layer, Tensor, chain
from symgru.trace import run

H, D = 3, 2
ALL = (*TABLE, *DENSE)


def arrays_of(convention: Convention, seed: int = 0, dtype: str = "float32") -> dict[str, Tensor]:
    rng = np.random.default_rng(seed)
    made = {name: rng.standard_normal(grid.shape(H, D)).astype(dtype) for name, grid in convention.arrays.items()}
    return {name: Tensor(value) for name, value in made.items()}


def ids(convention: Convention) -> str:
    return convention.name


@pytest.mark.parametrize("convention", ALL, ids=ids)
def test_the_arrays_hold_exactly_the_parameters_of_the_cell(convention: Convention) -> None:
    cell = CELLS[convention.cell]
    assert set(convention.params) == {p.name for p in cell.params}
    weights = split(convention, arrays_of(convention))
    sizes = {"H": H, "D": D}
    for p in cell.params:
        assert weights[p.name].value.shape == tuple(sizes[d] for d in cell.dims[p]), p


@pytest.mark.parametrize("convention", ALL, ids=ids)
def test_arrays_come_back_bit_for_bit(convention: Convention) -> None:
    arrays = arrays_of(convention)
    weights = split(convention, arrays)
    back = join(convention, weights)
    assert list(back) == list(convention.arrays)
    again = split(convention, {name: Tensor(a) for name, a in back.items()})
    assert all(np.array_equal(again[name].value, weights[name].value) for name in weights)
    summed = any(block.more for grid in convention.arrays.values() for block in grid.blocks)
    for name in back:
        assert back[name].dtype == np.float32
        if not (summed and name in convention.biases):  # read as a sum, written with zeros
            assert np.array_equal(back[name], arrays[name].value)


def test_a_bias_in_two_places_is_read_as_the_sum_and_written_with_zeros() -> None:
    arrays = arrays_of(CONVENTIONS["onnx"])
    first, second = arrays["B"].value[: 3 * H], arrays["B"].value[3 * H :]
    written = join(CONVENTIONS["onnx"], split(CONVENTIONS["onnx"], arrays))["B"]
    assert np.array_equal(written, np.concatenate([first + second, 0 * second]))


@pytest.mark.parametrize("convention", [c for c in ALL if c.optional], ids=ids)
def test_a_layer_without_biases_lacks_their_arrays(convention: Convention) -> None:
    arrays = {name: a for name, a in arrays_of(convention).items() if name not in convention.biases}
    weights = split(convention, arrays)
    assert not any(name[0] in "bc" for name in weights)
    assert options(convention, weights)["use_bias"] is False
    assert list(join(convention, weights)) == list(arrays)


def test_biases_that_a_framework_always_has_are_zeros() -> None:
    torch = arrays_of(CONVENTIONS["torch"])
    weights = split(CONVENTIONS["torch"], {name: torch[name] for name in ("weight_ih", "weight_hh")})
    made = join(CONVENTIONS["flax_nnx"], weights)
    assert made["dense_i/bias"].shape == (3 * H,) and not made["dense_i/bias"].any()


def test_what_a_framework_cannot_hold_is_refused() -> None:
    weights = split(CONVENTIONS["torch"], arrays_of(CONVENTIONS["torch"]))
    with pytest.raises(Unsupported, match=r"Flax nnx.GRUCell has no place for c_n"):
        join(CONVENTIONS["flax_nnx"], weights)


def test_two_biases_become_their_sum() -> None:
    weights = split(CONVENTIONS["torch"], arrays_of(CONVENTIONS["torch"]))
    made = join(CONVENTIONS["equinox"], weights)
    assert np.array_equal(made["bias"][:H], weights["b_r"].value + weights["c_r"].value)
    assert np.array_equal(made["bias"][2 * H :], weights["b_n"].value)
    assert np.array_equal(made["bias_n"], weights["c_n"].value)


def test_equations_of_arrays() -> None:
    said = {name: [CONVENTIONS[name].equation(a) for a in CONVENTIONS[name].arrays] for name in CONVENTIONS}
    assert said["torch"][:3] == [
        "weight_ih = [W_r; W_z; W_n]",
        "weight_hh = [U_r; U_z; U_n]",
        "bias_ih = [b_r | b_z | b_n]",
    ]
    assert said["keras"][0] == "kernel = [W_z^T | W_r^T | W_n^T]"
    assert said["tf1"][0] == "gates/kernel = [W_r^T | W_z^T; U_r^T | U_z^T]"
    assert said["flax"][0] == "ir/kernel = W_r^T"
    assert said["equinox"][2] == "bias = [b_r + c_r | b_z + c_z | b_n]"


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        (
            "torch",
            {"weight_hh": (9, 4)},
            r"weight_hh has .*\(9, 4\); with 3 units and 2 features .* \(9, 3\)",
        ),
        ("torch", {"weight_ih": (6, 2)}, r"weight_ih has shape \(6, 2\); with 3 units .* \(9, 2\)"),
        ("torch", {"bias_hh": None}, "has no bias_hh; PyTorch GRU, GRUCell has weight_ih, weight_hh, bias_ih, bias_hh"),
        ("torch", {"weight_hh": None}, "has no weight_hh"),
        ("torch", {"other": (1,)}, "has an array 'other'"),
        ("torch", {"weight_hh": (9,)}, r"weight_hh has shape \(9,\); it must have 2 axes"),
        ("keras", {"bias": (9,)}, r"bias has shape \(9,\); it must have 2 axes"),
        ("tf1", {"gates/kernel": (3, 6)}, r"gates/kernel has shape \(3, 6\); .* \(5, 6\)"),
        ("keras2c", {"kernel": (17,)}, r"kernel has shape \(17,\)"),
        ("torch", {"weight_hh": (0, 0)}, "weight_hh has shape"),
    ],
)
def test_shapes_are_checked(name: str, changed: dict[str, tuple[int, ...] | None], message: str) -> None:
    arrays = arrays_of(CONVENTIONS[name])
    for array, shape in changed.items():
        if shape is None:
            del arrays[array]
        else:
            arrays[array] = Tensor(np.zeros(shape, np.float32))
    with pytest.raises(UnusableInput, match=message):
        split(CONVENTIONS[name], arrays)


def test_arrays_of_c_may_be_one_row_of_numbers() -> None:
    arrays = arrays_of(CONVENTIONS["keras2c"])
    flat = {name: Tensor(a.value.ravel()) for name, a in arrays.items()}
    one, other = split(CONVENTIONS["keras2c"], arrays), split(CONVENTIONS["keras2c"], flat)
    assert all(np.array_equal(one[name].value, other[name].value) for name in one)


def outputs(convention: Convention, weights: dict[str, Tensor]) -> np.ndarray:
    layer = Layer("a", "a", convention.kind, {**options(convention, weights), "return_sequences": True}, weights)
    x = np.random.default_rng(1).standard_normal((2, 4, D))
    return run(chain([layer], dtype="float64", features=D), Tensor(x), Float64()).y


@pytest.mark.parametrize("name", ["keras_before", "haiku", "tf1"])
def test_the_update_gate_turned_round_is_the_same_function(name: str) -> None:
    convention = CONVENTIONS[name]
    arrays = arrays_of(convention, dtype="float64")
    other = rewritten(convention, "gru_before" if convention.cell == "fully_gated" else "fully_gated")
    one, two = outputs(convention, split(convention, arrays)), outputs(other, split(other, arrays))
    assert np.abs(one - two).max() < 1e-15 * 10
    assert all(np.array_equal(a, arrays[n].value) for n, a in join(other, split(other, arrays)).items())


def test_other_differences_of_cells_cannot_be_rewritten() -> None:
    with pytest.raises(Unsupported, match="Haiku GRU cannot express the cell gru"):
        rewritten(CONVENTIONS["haiku"], "gru")


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("update", ["keep", "new"])
@pytest.mark.parametrize("bias", ["one", "two", "stacked", "flat", "n", "none"])
def test_a_convention_spelled_out_has_the_shapes_it_says(reset: str, update: str, bias: str) -> None:
    convention = spelled("rzn", "rows", bias, reset, update)
    assert RULES[convention.cell] == (reset, update)
    shapes = {name: grid.shape(H, D) for name, grid in convention.arrays.items()}
    assert (shapes["kernel"], shapes["recurrent_kernel"]) == ((9, 2), (9, 3))
    expected = {"one": [(9,)], "two": [(9,), (9,)], "stacked": [(2, 9)], "flat": [(18,)], "n": [(9,), (3,)], "none": []}
    assert list(shapes.values())[2:] == expected[bias]
    weights = split(convention, arrays_of(convention))
    params = {p.name for p in CELLS[convention.cell].params}
    assert set(weights) == (params if bias != "none" else {name for name in params if name[0] in "WU"})


def test_spelled_out_as_torch_is_torch() -> None:
    arrays = arrays_of(CONVENTIONS["torch"])
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    one = split(CONVENTIONS["torch"], arrays)
    two = split(spelled("rzn", "rows", "two", "after", "keep", names), arrays)
    assert all(np.array_equal(one[name].value, two[name].value) for name in one)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("rzz", "rows", "one", "after", "keep"), "gates are 'rzz'"),
        (("rzn", "row", "one", "after", "keep"), "kernel is 'row'; it must be columns, rows"),
        (("rzn", "rows", "three", "after", "keep"), "bias is 'three'"),
        (("rzn", "rows", "one", "yes", "keep"), "reset is 'yes'"),
        (("rzn", "rows", "one", "after", "z"), "update is 'z'"),
    ],
)
def test_a_convention_with_another_word_is_refused(given: tuple[str, ...], message: str) -> None:
    with pytest.raises(UnusableInput, match=message):
        spelled(*given)


def test_found_by_array_names() -> None:
    assert [c.name for c in named(["Wx", "Wh", "b", "bhn"])] == ["mlx"]
    assert [c.name for c in named(["w_i", "w_h", "b"])] == ["haiku"]
    assert {c.name for c in named(["weight_ih", "weight_hh", "bias_ih", "bias_hh"])} == {"torch", "torch_rnn", "paddle"}
    assert named(["nothing"]) == []
