"""Rounding as a person with a pocket calculator does it: half up, to a fixed number of decimals.

Binary formatting ('%.6f') rounds the nearest double, not the decimal that is printed, and breaks ties to even; so
everything here is Decimal and ROUND_HALF_UP (half away from zero, as schools teach it for negative numbers too).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, ROUND_HALF_UP, Context, Decimal
from functools import cached_property

import numpy as np

DISPLAY = 10  # significant digits that a pocket calculator shows
SMALLEST = -99  # power of ten below which it shows 0 or an error
PRECISION = 320  # digits in which a line is worked out before it is rounded; a longer number is refused
_WIDE = Context(prec=PRECISION, rounding=ROUND_HALF_UP, Emax=999999999999999999, Emin=-999999999999999999)


@dataclass(frozen=True)
class Rounding:
    """To `decimals` places; numbers so small that fewer than `fewest` of their digits would remain keep `significant`
    digits (no more than there are decimals)."""

    decimals: int
    significant: int = 4
    fewest: int = 4

    @staticmethod
    def plain(decimals: int) -> Rounding:
        """To so many decimals, however few digits remain: 0.03 to one decimal is 0.0."""
        return Rounding(decimals, fewest=-MAX_EMAX)

    @cached_property
    def kept(self) -> int:
        """How many digits a tiny number keeps."""
        return max(1, min(self.significant, self.decimals))

    @cached_property
    def tiny_below(self) -> int:
        """Numbers below this power of ten are tiny."""
        return min(self.fewest, self.kept) - 1 - self.decimals

    def __call__(self, v: Decimal) -> Decimal:
        """The rounded number, a Decimal that prints as `text` shows it."""
        if not v.is_finite():
            return v
        if not self.is_tiny(v):
            rounded = v.quantize(self._unit, context=_WIDE)
            return rounded or abs(rounded)  # no -0.000
        rounded = _to(v, v.adjusted() - self.kept + 1)
        if rounded.adjusted() > v.adjusted():  # 9.9996e-9 has become 10.000e-9
            rounded = _to(rounded, rounded.adjusted() - self.kept + 1 if self.is_tiny(rounded) else -self.decimals)
        return rounded

    @cached_property
    def _unit(self) -> Decimal:
        return Decimal(1).scaleb(-self.decimals, context=_WIDE)

    def is_tiny(self, v: Decimal) -> bool:
        """Whether the decimals would leave too few digits of a number that is not 0."""
        return v != 0 and v.adjusted() < self.tiny_below

    def text(self, v: Decimal) -> str:
        """How a rounded number is written: 0.28709370, or 1.263e-8 where it is tiny."""
        if v.is_finite() and self.is_tiny(v):
            return scientific(v)
        return f"{v:f}"

    def is_risky(self, v: Decimal) -> bool:
        """Whether a calculator that shows ten digits could lead to another rounded number.

        It shows `v` to within half a unit of its tenth digit, and nothing below 10^-99. A number that ten digits hold
        exactly is no risk: the reader sees it all, and a tie is rounded up.
        """
        if not v.is_finite() or v == 0:
            return False
        if v.adjusted() < SMALLEST:
            return True
        half = Decimal("0.5").scaleb(v.adjusted() - DISPLAY + 1, context=_WIDE)
        if _WIDE.remainder(v, 2 * half) == 0:
            return False
        return self(_WIDE.subtract(v, half)) != self(_WIDE.add(v, half))

    def more(self, digits: int = 2) -> Rounding:
        """The same with more digits, for the lines where a reader needs to see them; what is tiny stays so."""
        return Rounding(self.decimals + digits, self.kept + digits, min(self.fewest, self.kept) + digits)


def line_rounding(decimals: int) -> Rounding:
    """What a line of a worked example is rounded to: it has all its decimals while two digits of the number remain."""
    return Rounding(decimals, fewest=2)


def _to(v: Decimal, exponent: int) -> Decimal:
    return v.quantize(Decimal(1).scaleb(exponent, context=_WIDE), context=_WIDE)


def scientific(v: Decimal) -> str:
    """1.263e-8: one digit before the point, no padding of the exponent."""
    sign, digits, exponent = v.as_tuple()
    assert isinstance(exponent, int)
    mantissa = "".join(map(str, digits))
    body = mantissa[0] + ("." + mantissa[1:] if len(mantissa) > 1 else "")
    return f"{'-' if sign else ''}{body}e{exponent + len(digits) - 1}"


def round_digits(v: Decimal, decimals: int) -> Decimal:
    """`v` rounded half up to so many decimals, without the rule for tiny numbers."""
    rounded = _to(v, -decimals)
    return abs(rounded) if rounded == 0 else rounded


def exactly(v: float | np.floating) -> Decimal:
    """The stored binary number itself, all its digits."""
    return Decimal(float(v))


def ulps(a: Decimal | float, b: Decimal | float, dtype: str = "float32") -> float:
    """|a - b| in units in the last place of `b` as a number of `dtype`."""
    with np.errstate(all="ignore"):
        spacing = float(np.spacing(np.abs(np.dtype(dtype).type(float(b)))))
    return float(abs(Decimal(a) - Decimal(b))) / spacing
