"""Numbers as colours: which colour a number has, and round numbers along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, isfinite, log10

import numpy as np

from symgru.network import Array

# blue to orange through nearly white: told apart by the colour-blind, alike in darkness on both sides of 0
DIVERGING = ("#08416F", "#3E86BD", "#A9CFE8", "#F7F7F7", "#F9C795", "#D9802F", "#7A3600")
SEQUENTIAL = ("#F7F7F7", "#C9DDEE", "#7FB2D9", "#3678B1", "#08416F")
NONE = "#B8BEC4"  # no number: where a mask keeps the state, no gate is computed
STEPS = 20  # colours from one end to 0, or to the other end


@dataclass(frozen=True)
class Scale:
    """Colours for the numbers from `low` to `high`. Colour number 0 means that there is no number."""

    low: float
    high: float

    @staticmethod
    def over(values: Array) -> Scale:
        """0 to 1 for what lies between, else as far below 0 as above."""
        finite = values[np.isfinite(values)]
        most = float(np.abs(finite).max()) if finite.size else 0.0
        if finite.size and finite.min() >= 0 and most <= 1:
            return Scale(0.0, 1.0)
        return Scale.around(most)

    @staticmethod
    def around(most: float) -> Scale:
        """As far below 0 as above."""
        return Scale(-(most or 1.0), most or 1.0)

    @cached_property
    def palette(self) -> tuple[str, ...]:
        anchors, count = (DIVERGING, 2 * STEPS + 1) if self.low < 0 else (SEQUENTIAL, STEPS + 1)
        return (NONE, *(_between(anchors, k / (count - 1)) for k in range(count)))

    def levels(self, values: Array) -> Array:
        """The number of each value's colour."""
        count = len(self.palette) - 1
        known = np.isfinite(values)
        share = (np.where(known, values, self.low) - self.low) / (self.high - self.low)
        places = np.clip(np.floor(share * (count - 1) + 0.5), 0, count - 1).astype(int) + 1
        return np.where(known, places, 0)

    def ends(self) -> tuple[float, ...]:
        """The numbers that a scale bar shows."""
        return (self.low, 0.0, self.high) if self.low < 0 else (self.low, (self.low + self.high) / 2, self.high)


def merged(values: Array, down: int, across: int) -> Array:
    """Means of so many neighbours in each direction, the last ones of fewer; of the numbers among them, NaN of none."""
    if down == across == 1:
        return values
    known = np.isfinite(values)
    sums, counts = (_summed(v, down, across) for v in (np.where(known, values, 0.0), known.astype(float)))
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / counts)


def _summed(values: Array, down: int, across: int) -> Array:
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], down), axis=0)
    return np.asarray(np.add.reduceat(rows, np.arange(0, values.shape[1], across), axis=1))


def _between(anchors: tuple[str, ...], share: float) -> str:
    place = share * (len(anchors) - 1)
    k = min(int(place), len(anchors) - 2)
    parts = zip(_parts(anchors[k]), _parts(anchors[k + 1]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * (place - k)):02X}" for a, b in parts)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5))


def letter_on(colour: str) -> str:
    """Black or white, whichever is easier to read on it: a contrast of at least 4.5 to 1."""
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in (c / 255 for c in _parts(colour))]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#FFFFFF"


def short(value: float) -> str:
    """A number at the end of a scale: three digits."""
    return (
        np.format_float_positional(float(f"{value:.3g}"), trim="-")
        if 1e-4 <= abs(value) < 1e6 or not value
        else f"{value:.2e}"
    )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`, at most so many: a step of 1, 2 or 5 times a power of ten."""
    if not isfinite(high - low) or high <= low:
        return [low]
    step = round_step((high - low) / max(most - 1, 1))
    return [k * step for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(s * power for s in (1, 2, 5, 10) if s * power >= rough * (1 - 1e-9))
