"""Texts as people paste them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symgru.errors import UnusableInput
from symgru.readers import read
from symgru.readers.printed import Printed, named, numbers, parse

LIST = """[array([[-0.90954137,  1.0425225 , -0.04404902]], dtype=float32),
 array([[0.24168766, 0.8981342 , 0.36734456]],
      dtype=float32), array([[0., 0., 0.],
       [0., 0., 0.]], dtype=float32)]
"""
ARRAYS = [
    [["-0.90954137", "1.0425225", "-0.04404902"]],
    [["0.24168766", "0.8981342", "0.36734456"]],
    [["0", "0", "0"], ["0", "0", "0"]],
]
KERAS_3 = """[<Variable path=sequential/gru/gru_cell/kernel, shape=(1, 3), dtype=float32, value=[[-0.90954137 1.0425225
  -0.04404902]]>, <Variable path=sequential/gru{{7*7}}/recurrent_kernel, shape=(1, 3), dtype=float32,
  value=[[0.24168766 0.8981342  0.36734456]]>, <Variable path=a/bias, shape=(2, 3), dtype=float32, value=[[0. 0. 0.]
 [0. 0. 0.]]>]"""
TENSORFLOW = """[<tf.Variable 'gru/gru_cell/kernel:0' shape=(1, 3) dtype=float32, numpy=
array([[-0.90954137,  1.0425225 , -0.04404902]], dtype=float32)>, <tf.Variable 'gru/recurrent:0' shape=(1, 3)
dtype=float32, numpy=array([[0.24168766, 0.8981342 , 0.36734456]], dtype=float32)>,
<tf.Tensor: shape=(2, 3), dtype=float32, numpy=
array([[0., 0., 0.],
       [0., 0., 0.]], dtype=float32)>]"""


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        (LIST, "float32"),
        (KERAS_3, "float32"),
        (TENSORFLOW, "float32"),
        (LIST.replace(", dtype=float32", "").replace(",\n      dtype=float32", ""), "float64"),
        (LIST.replace("array(", "np.array(").replace("dtype=float32", "dtype='float32',"), "float32"),
        (LIST.replace("float32", "np.float32"), "float32"),
        ("[[-0.90954137 1.0425225 -0.04404902]]\n[[0.24168766 0.8981342 0.36734456]]\n[[0. 0. 0.]\n [0. 0. 0.]]", None),
        (
            "[[[-0.90954137, 1.0425225, -0.04404902]], [[0.24168766, 0.8981342, 0.36734456]], [[0, 0, 0], [0, 0, 0]]]",
            None,
        ),
        (
            "([[-0.90954137, 1.0425225, -0.04404902]], [[0.24168766, 0.8981342, np.float32(0.36734456)]], "
            "[[0, 0, 0], [0, 0, 0]])",
            None,
        ),
    ],
)
def test_every_way_of_printing_gives_the_same_digits(text: str, dtype: str | None) -> None:
    found = parse(text)
    assert [array.data for array in found] == ARRAYS
    assert {array.dtype for array in found} == {dtype}


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 9)),
        elements=st.floats(-1e9, 1e9, width=32, allow_subnormal=False),
    )
)
def test_numpy_prints_come_back(array: np.ndarray) -> None:
    with np.printoptions(floatmode="unique"):
        for text in (repr([array]), f"[{array}]"):
            (found,) = parse(text)
            assert np.array_equal(np.array(found.data, dtype=object).astype(np.float32), array)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[array([[0.1, ..., 0.3]], dtype=float32)]", "abbreviated.*set_printoptions"),
        ("[[0.1 … 0.3]]", "abbreviated"),
        ("<KerasVariable shape=(1, 3), dtype=float32, path=gru/kernel>", "without its values"),
        ("[array([nan, 1.])]", "nan.*finite"),
        ("[array([-inf])]", "line 1"),
        ("[inf]", "finite"),
        ("[[1, 2]", "the text ends"),
        ("[1, 2]]", "stands where"),
        ("[1 2)", "where"),
        ("", "no array"),
        ("[]", "no array"),
        ("__import__('os').system('x')", "not part of"),
        ("[(lambda: 1)()]", "not part of"),
        ("[1 + 2]", "line 1"),
        ("[1__2]", "line 1"),
        ("[0x10]", "line 1"),
        ("[array(dtype=float32)]", "not part of"),
        ("[" * 100_000, "nested deeper"),
        ("[\x1b[31m1]", r"x1b\[31m1"),
        ("[" + "9" * 200 + "]", "longer than"),
        ("[\n1,\n$]", "line 3"),
        ("array([1.]) >", "stands where"),
        ("<tf.Variable 'x' shape=(1,) dtype=float32, numpy=array([1.], dtype=float32)", "the text ends"),
    ],
)
def test_what_is_no_print_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason) as error:
        parse(text)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 250


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="[]()<>,=. \n-1e5ar'y_numpy…Variable", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except UnusableInput:
        return
    assert all(isinstance(array, Printed) for array in found)


def test_numbers_without_brackets_are_one_list() -> None:
    assert numbers("1, 2 9,8") == ["1", "2", "9", "8"]
    assert numbers("[[1,2],[3,4]]") == [["1", "2"], ["3", "4"]]
    assert numbers("5") == "5"


ROWS = "tensor([[ 0.5000, -0.2500],\n        [1., 2.]])", "tensor([1.0e-03, 2.], requires_grad=True)"
BY_NAME = {"gru.weight_ih_l0": [["0.5000", "-0.2500"], ["1", "2"]], "gru.bias": ["1.0e-3", "2"]}


@pytest.mark.parametrize(
    "text",
    [
        "OrderedDict([('gru.weight_ih_l0', {}), ('gru.bias', {})])",
        "OrderedDict({{'gru.weight_ih_l0': {}, 'gru.bias': {}}})",
        "{{'gru.weight_ih_l0': {}, 'gru.bias': {}}}",
        "gru.weight_ih_l0 Parameter containing:\n{}\ngru.bias Parameter containing:\n{}",
        "gru.weight_ih_l0: {}\ngru.bias = torch.{}",
        ">>> print(model.state_dict())\nOrderedDict([('gru.weight_ih_l0', {}), ('gru.bias', {})])",
    ],
)
def test_tensors_by_name(text: str) -> None:
    found = named(text.format(*ROWS))
    assert found is not None
    assert {name: array.data for name, array in found.items()} == BY_NAME
    assert {array.dtype for array in found.values()} == {"float32"}


def test_tensors_without_names() -> None:
    text = "[Parameter containing:\n{}, Parameter containing:\n{}]".format(*ROWS)
    assert named(text) is None
    assert [array.data for array in parse(text)] == list(BY_NAME.values())
    assert [array.data for array in parse("\n".join(ROWS))] == list(BY_NAME.values())
    (wide,) = parse("tensor([0.5], device='cuda:0', dtype=torch.float64)")
    assert wide == Printed(["0.5"], "float64")
    assert named(LIST) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("OrderedDict([('a', tensor([1.])), tensor([2.])])", "2 tensors and 1 names"),
        ("a tensor([1.]) a tensor([2.])", "2 tensors and 1 names"),
        ("{'a': tensor([1., ..., 2.])}", "abbreviated.*torch.set_printoptions"),
        ("{'a': tensor([nan])}", "finite"),
        ("{'a': tensor([1.]), 'b': 3}", "not part of|stands"),
        ("a = tensor([1.])\n3", "3 stands between"),
        ("{'a': tensor([1.])", "the text ends"),
        ("{'a': tensor([1.]), 'b': __import__('os')}", "stands|not part of"),
        ("a tensor([1.], grad_fn=<AddBackward0>)", "not part of"),
    ],
)
def test_tensors_that_are_no_print_are_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason) as error:
        named(text)
    assert str(error.value).isprintable()


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="[](){}<>,=:. \n1'ae_", max_size=30), st.text(alphabet="[](){},=: \n1'a", max_size=30))
def test_any_text_about_a_tensor_is_read_or_refused(before: str, after: str) -> None:
    try:
        found = named(f"{before}tensor([1.]){after}")
    except UnusableInput:
        return
    assert found is None or all(isinstance(array, Printed) for array in found.values())


@pytest.mark.parametrize("wide", [False, True])
def test_what_pytorch_prints_of_a_model(tmp_path: Path, wide: bool) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(2)
    gru = torch.nn.GRU(2, 3, 2, dtype=torch.float64 if wide else None)
    state = gru.state_dict()
    texts = [
        repr(state),
        repr(dict(state)),
        repr(list(gru.parameters())),
        "\n".join(f"{name} {p}" for name, p in gru.named_parameters()),
        "\n".join(map(str, state.values())),
    ]
    path = tmp_path / "printed.txt"
    for text in texts:
        path.write_text(text)
        network = read(path)
        assert network.dtype == ("float64" if wide else "float32")
        assert any("PyTorch rounds to 4 decimals" in note for note in network.notes)
        first, second = network.layers.values()
        for k, layer in enumerate((first, second)):
            for array, letter in (("weight_ih", "W"), ("weight_hh", "U"), ("bias_ih", "b"), ("bias_hh", "c")):
                rows = np.split(state[f"{array}_l{k}"].numpy(), 3)  # r, z, n: torch/nn/modules/rnn.py
                for gate, right in zip("rzn", rows, strict=True):
                    weight = layer.weights[f"{letter}_{gate}"]
                    assert np.abs(weight.value - right).max() <= 0.5001e-4
                    assert all(len(digits.partition(".")[2]) == 4 for digits in weight.text.ravel())
