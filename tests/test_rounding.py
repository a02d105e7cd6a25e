"""Half up, as with pencil and paper; checked against arithmetic on fractions and against a ten-digit display."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symgru.rounding import DISPLAY, Rounding, exactly, line_rounding, round_digits, scientific, ulps

finite = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
places = st.integers(0, 8)
seeded = settings(derandomize=True, deadline=None)


def half_up(v, decimals):
    """Half away from zero, in fractions."""
    q = Fraction(v) * 10**decimals
    n = floor(abs(q) + Fraction(1, 2))
    return Fraction(-n if q < 0 else n, 10**decimals)


@pytest.mark.parametrize(
    ("v", "decimals", "text"),
    [
        ("0.28709370", 4, "0.2871"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("0.12345", 4, "0.1235"),
        ("-0.12345", 4, "-0.1235"),
        ("0.123449999999", 4, "0.1234"),
        ("1", 4, "1.0000"),
        ("-0.70691013", 4, "-0.7069"),
        ("9.99995", 4, "10.0000"),
        ("0", 3, "0.000"),
        ("-0", 3, "0.000"),
        ("0.00", 3, "0.000"),
        ("1e3", 2, "1000.00"),
    ],
)
def test_textbook_cases(v, decimals, text):
    rounding = Rounding(decimals, 1)
    assert rounding.text(rounding(Decimal(v))) == text


@seeded
@given(finite, places)
@example(Decimal("0.5"), 0)
@example(Decimal("-0.00005"), 4)
def test_half_up_is_fraction_arithmetic(v, decimals):
    rounding = Rounding(decimals, 1)
    if not rounding.is_tiny(v):
        assert Fraction(rounding(v)) == half_up(v, decimals)
    assert Fraction(round_digits(v, decimals)) == half_up(v, decimals)


@seeded
@given(finite, places, st.integers(1, 5))
def test_no_negative_zero_and_idempotent(v, decimals, significant):
    rounding = Rounding(decimals, significant)
    rounded = rounding(v)
    assert not (rounded == 0 and rounded.is_signed())
    assert "-0" not in f"{rounding.text(rounded)} ".replace("-0.", "?").replace("e-0", "?")
    assert rounding(rounded) == rounded
    assert not (round_digits(v, decimals) == 0 and round_digits(v, decimals).is_signed())


def by_search(v, decimals, kept, fewest):
    """Of a number not 0: half up to `decimals` where at least `fewest` of its own digits (or `kept`, if that is fewer)
    stand left of the cut; else as far right as the rounded whole number has no more than `kept` digits."""

    def cut(k):
        return floor(abs(Fraction(v)) * 10**k + Fraction(1, 2))

    k = decimals
    if abs(Fraction(v)) * 10**decimals < 10 ** (min(fewest, kept) - 1):
        while cut(k + 1) < 10**kept:
            k += 1
    n = cut(k)
    return Fraction(-n if v < 0 else n, 10**k)


@seeded
@given(
    finite.filter(bool) | st.integers(-(10**12), 10**12).filter(bool).map(lambda n: Decimal(n).scaleb(-20)),
    places,
    st.integers(1, 5),
    st.integers(1, 5),
)
@example(Decimal("9.9996e-9"), 8, 4, 2)
@example(Decimal("9.9996e-8"), 8, 4, 2)
@example(Decimal("0.0099996"), 3, 4, 2)
@example(Decimal("9.9996e-6"), 8, 4, 4)
def test_enough_digits_remain(v, decimals, significant, fewest):
    """And a tiny number is written with as many digits as promised, any other with its decimals."""
    rounding, kept = Rounding(decimals, significant, fewest), max(1, min(decimals, significant))
    rounded = rounding(v)
    assert Fraction(rounded) == by_search(v, decimals, kept, fewest) != 0
    text = rounding.text(rounded)
    if abs(Fraction(rounded)) < Fraction(10) ** (min(fewest, kept) - 1 - decimals):
        assert len(text.partition("e")[0].lstrip("-").replace(".", "")) == kept
        assert "e-" in text
    else:
        assert len(text.partition(".")[2]) == decimals
        assert "e" not in text
    assert Decimal(text) == rounded


@pytest.mark.parametrize(
    ("decimals", "v", "text"),
    [
        (6, "0.0000000126349", "1.263e-8"),
        (6, "-0.0000000126351", "-1.264e-8"),
        (6, "0.0000000126350", "1.264e-8"),
        (6, "1e-300", "1.000e-300"),
        (6, "0.0000098765", "9.877e-6"),  # six decimals would leave one digit
        (6, "0.000010", "0.000010"),  # and here they leave two
        (6, "0.00012345678", "0.000123"),
        (6, "0.0012345678", "0.001235"),
        (8, "9.9996e-9", "1.000e-8"),  # the digit that is carried makes no fifth one
        (8, "-9.9994e-9", "-9.999e-9"),
        (8, "9.9996e-8", "0.00000010"),  # nor does it leave a tiny number that is not one
        (8, "9.9994e-8", "9.999e-8"),
        (3, "0.915", "0.915"),
        (3, "0.0915", "0.092"),
        (3, "0.00915", "9.15e-3"),
        (3, "0.0099951", "0.010"),
    ],
)
def test_tiny_numbers_keep_significant_digits(decimals, v, text):
    rounding = line_rounding(decimals)
    assert rounding.text(rounding(Decimal(v))) == text


def test_where_tiny_begins_is_what_the_documents_say():
    assert [(r.tiny_below, r.kept) for r in map(line_rounding, (3, 4, 6, 8))] == [(-2, 3), (-3, 4), (-5, 4), (-7, 4)]
    assert [
        (r.tiny_below, r.kept)
        for r in (
            Rounding(8),
            Rounding(4, 2),
            Rounding(1, 2),
            Rounding(3, 1),
            Rounding(14, 6, 6),
        )
    ] == [(-5, 4), (-3, 2), (-1, 1), (-3, 1), (-9, 6)]


@seeded
@given(finite.filter(bool), places, st.sampled_from([Rounding, line_rounding]))
def test_tiny_is_below_that_power_of_ten(v, decimals, kind):
    rounding = kind(decimals)
    assert rounding.is_tiny(v) == (abs(Fraction(v)) < Fraction(10) ** rounding.tiny_below)


def test_zero_is_not_tiny_and_nan_and_infinity_pass():
    assert not Rounding(4).is_tiny(Decimal(0))
    assert Rounding(4)(Decimal("NaN")).is_nan()
    assert Rounding(4)(Decimal("-Infinity")) == Decimal("-Infinity")
    assert not Rounding(4).is_risky(Decimal("Infinity"))
    assert not Rounding(4).is_risky(Decimal(0))


NEAREST = Context(prec=DISPLAY, rounding=ROUND_HALF_UP)


def displays(v):
    """Every ten-digit number that is v to within half a unit of its tenth digit."""
    unit = Decimal(1).scaleb(v.adjusted() - DISPLAY + 1)
    low, high = (v.quantize(unit, context=Context(prec=150, rounding=r)) for r in (ROUND_FLOOR, ROUND_CEILING))
    return {d for d in (low, high) if abs(Fraction(d) - Fraction(v)) <= Fraction(unit) / 2}


long_digits = st.integers(-(10**19), 10**19).filter(bool)


@seeded
@given(long_digits, st.integers(-30, -10), st.integers(2, 8))
def test_what_is_not_risky_rounds_the_same_from_a_display(digits, exponent, decimals):
    v, rounding = Decimal(digits).scaleb(exponent), Rounding(decimals)
    if not rounding.is_risky(v):
        assert {rounding(d) for d in displays(v)} == {rounding(v)}


@seeded
@given(st.integers(1, 10**9 - 1), st.integers(2, 6), st.integers(-(10**8), 10**8), st.integers(1, 8))
def test_next_to_a_tie_a_display_decides(n, decimals, nudge, tail):
    """v = n.5 units and a little: risky exactly where some tenth-digit display rounds to something else, or could."""
    v = (Decimal(n) + Decimal("0.5")).scaleb(-decimals) + Decimal(nudge).scaleb(-decimals - 8 - tail)
    rounding = Rounding(decimals, 1)
    if len({rounding(d) for d in displays(v)} | {rounding(v)}) > 1:
        assert rounding.is_risky(v)
    unit = Decimal(1).scaleb(v.adjusted() - DISPLAY + 1)
    boundary = (Decimal(n) + Decimal("0.5")).scaleb(-decimals)
    if abs(v - boundary) > unit and abs(v - boundary) < Decimal("0.4").scaleb(-decimals):
        assert not rounding.is_risky(v)


@pytest.mark.parametrize(
    ("v", "risky"),
    [
        ("0.12344999999", True),  # a display shows 0.1234500000, and that rounds to 0.1235
        ("0.1234499999", False),  # ten digits: all of it is seen
        ("0.1234500000", False),  # a tie that is seen is rounded up
        ("0.12345000001", True),
        ("0.1234512345678", False),
        ("0.1234412345678", False),
        ("1.23445", False),
        ("-0.12344999999", True),
        ("12345678.12344999999", True),  # the display has no room for the fifth decimal
    ],
)
def test_is_risky(v, risky):
    assert Rounding(4).is_risky(Decimal(v)) is risky


@seeded
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_scientific_is_the_same_number(v):
    text = scientific(v)
    assert Decimal(text) == v
    if v:
        mantissa, exponent = text.lstrip("-").split("e")
        assert mantissa[0] != "0"
        assert mantissa[1:2] in {"", "."}
        assert str(int(exponent)) == exponent


@pytest.mark.parametrize(
    ("v", "text"), [("1.263E-8", "1.263e-8"), ("-5E-7", "-5e-7"), ("12.5", "1.25e1"), ("1.000E-9", "1.000e-9")]
)
def test_scientific(v, text):
    assert scientific(Decimal(v)) == text


def test_exactly_is_the_binary_number():
    assert exactly(0.1) == Decimal("0.1000000000000000055511151231257827021181583404541015625")
    assert exactly(np.float32(0.1)) == Decimal("0.100000001490116119384765625")


@pytest.mark.parametrize(
    ("rounding", "v", "text"),
    [
        (line_rounding(4), "0.12344999999", "0.123450"),
        (line_rounding(4), "0.00123449999999", "0.001234"),
        (line_rounding(4), "0.0001234499999", "1.23450e-4"),  # tiny before, so it stays tiny and has two digits more
        (line_rounding(8), "5.12349999999e-8", "5.12350e-8"),
        (line_rounding(3), "0.001234999999", "1.2350e-3"),
        (Rounding(4, 2), "0.000123449999", "1.234e-4"),
    ],
)
def test_more_digits(rounding, v, text):
    more = rounding.more()
    assert more.text(more(Decimal(v))) == text


@seeded
@given(finite.filter(bool), st.integers(1, 8), st.integers(1, 5))
def test_more_digits_are_two_more(v, decimals, significant):
    rounding = Rounding(decimals, significant)
    if rounding(v).adjusted() == v.adjusted():  # nothing was carried to another size
        assert rounding(v).as_tuple().exponent - rounding.more()(v).as_tuple().exponent == 2


@pytest.mark.parametrize(
    ("a", "b", "dtype", "expected"),
    [
        (1 + 2**-23, 1.0, "float32", 1),
        (1 - 2**-24, 1.0, "float32", 0.5),
        (1.5, 1.5, "float32", 0),
        (1 + 2**-52, 1.0, "float64", 1),
        (-2.0 - 2**-22, -2.0, "float32", 1),
        (4.0, 2.0, "float32", 2.0 * 2**22),
        (Decimal("1.00000011920928955078125"), Decimal(1), "float32", 1),
        (Decimal("1e-50"), Decimal(0), "float32", 1e-50 / 2**-149),
    ],
)
def test_ulps(a, b, dtype, expected):
    assert ulps(a, b, dtype) == pytest.approx(expected, rel=1e-12)
    assert ulps(a, b, dtype) >= 0


@seeded
@given(st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**100), max_value=2.0**100))
def test_ulps_of_the_next_float(b):
    b = np.float32(b)
    away = np.nextafter(b, np.float32(np.inf) if b >= 0 else np.float32(-np.inf), dtype=np.float32)
    assert ulps(float(away), float(b)) == 1
