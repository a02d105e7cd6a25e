"""Typed numbers keep their digits and are rounded once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgru.errors import UnusableInput
from symgru.readers.decimals import Typed, canonical, plain, rounded, tensor


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("1", "1"),
        ("+1.", "1"),
        ("-0.", "-0"),
        (".5", "0.5"),
        ("007.50", "7.50"),
        ("1.E-05", "1e-5"),
        ("2e+00", "2"),
        ("\u22120.25", "-0.25"),
        (" 3 ", "3"),
        ("000", "0"),
    ],
)
def test_a_number_keeps_its_digits(typed: str, text: str) -> None:
    assert canonical(typed) == text
    assert Decimal(canonical(typed)) == Decimal(typed.replace("\u2212", "-"))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "-",
        "nan",
        "inf",
        "-Infinity",
        "1_000",
        "0x10",
        "1e",
        "1e999999999",
        "١",
        "1,5",
        "__import__('os')",
        "1" * 200,
        "1\n2",
    ],
)
def test_what_is_no_plain_decimal_is_refused(typed: str) -> None:
    with pytest.raises(UnusableInput) as error:
        canonical(typed)
    assert "\n" not in str(error.value)


def test_float32_is_rounded_from_the_decimal_and_not_from_the_float64() -> None:
    middle = Fraction(1) + Fraction(1, 2**24)  # between two float32; the float64 of the text beside it is exactly this
    texts = [f"{Decimal(1) + Decimal(2) ** -24}{tail}" for tail in ("", "0000000000000000001")]
    above, below = texts[1], str(Decimal(1) + Decimal(2) ** -24)[:-1] + "4" + "9" * 20
    assert float(above) == float(below) == float(middle)
    assert rounded([texts[0], above, below], "float32").tolist() == [1.0, 1 + 2.0**-23, 1.0]
    assert rounded(["-" + above], "float32").tolist() == [-1 - 2.0**-23]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=12))
def test_no_float32_is_nearer(number: Decimal) -> None:
    text = canonical(str(number))
    value = rounded([text], "float32")[0]
    distance = abs(Fraction(float(value)) - Fraction(number))
    for side in (-np.inf, np.inf):
        beside = np.nextafter(value, np.float32(side))
        assert distance <= abs(Fraction(float(beside)) - Fraction(number))


def test_lists_arrays_and_numpy_scalars() -> None:
    typed = tensor([[Typed("0.10"), 2], [3.5, np.float32(0.1)]], "float32", "kernel")
    assert typed.text.tolist() == [["0.10", "2"], ["3.5", "0.1"]]
    assert typed.value.dtype == np.float32
    stored = tensor(np.array([0.1], np.float32), "float64", "kernel")
    assert stored.text.tolist() == ["0.1"]
    assert stored.value.tolist() == [float(np.float32(0.1))]
    assert tensor(np.array([[3]]), "float32", "kernel").text.tolist() == [["3"]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([[1, 2], [3]], "ragged"),
        ([[1], 2], "ragged"),
        ([1, [2]], "ragged"),
        ([], "empty"),
        ([[]], "empty"),
        ([[[[[[[[[1]]]]]]]]], "deeper"),
        ([float("nan")], "'nan'"),
        ([True], "not a number"),
        (["0.5"], "not a number"),
        ([None], "not a number"),
        ([10**400], "longer"),
        ([10**5000], "too long"),
        ([1e39], "finite in float32"),
        (np.array([1j]), "dtype"),
        (np.array(["a"]), "dtype"),
        (np.array([object()]), "dtype"),
        (np.array([np.nan], np.float32), r"holds nan at \[0\]"),
        (np.zeros((0, 3)), "must hold"),
        (np.zeros((1,) * 9), "axes"),
        (np.array([1e39]), "finite in float32"),
    ],
)
def test_unusable_arrays_are_refused_by_name(data: object, reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason) as error:
        tensor(data, "float32", "kernel")
    assert str(error.value).startswith("kernel")


def test_options_become_plain_numbers() -> None:
    assert plain({"units": Typed("2"), "alpha": Typed("0.5"), "list": [Typed("-1"), True, "x"]}) == {
        "units": 2,
        "alpha": 0.5,
        "list": [-1, True, "x"],
    }
