"""Texts as people paste them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symgru.errors import UnusableInput
from symgru.readers.printed import Printed, numbers, parse

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
