"""Numbers that somebody got, as they were written, and of what they are said to be."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np

from symgru.network import Tensor

LAST = -1


@dataclass(frozen=True)
class Number:
    """One claimed number: of which sequence of the batch, after which time step (from 0; LAST is the last there is),
    of which unit (from 0; None where nobody said).

    `decimals` are those that its printing kept, where the text does not show them all: NumPy prints 1. among numbers of
    8 decimals. `printed`: that somebody printed or wrote it, so that its last digit may be off by half a unit; not so
    for a number of an array file.
    """

    text: str
    sequence: int = 0
    step: int = LAST
    unit: int | None = 0
    printed: bool = True
    decimals: int | None = None

    @property
    def value(self) -> Decimal:
        return Decimal(self.text)

    @property
    def half(self) -> float:
        """Half a unit of the last digit."""
        if not self.printed:
            return 0.0
        shown = -cast(int, self.value.as_tuple().exponent)
        return float(0.5 * 10.0 ** -(shown if self.decimals is None else max(shown, self.decimals)))


@dataclass(frozen=True)
class Case:
    """Inputs of the network, each (batch, ...), and what somebody says it gives for them."""

    inputs: tuple[Tensor, ...]
    claim: tuple[Number, ...]


def could_be_of(number: Number, dtype: str) -> bool:
    """Whether a number of this dtype prints as the claim; else it was calculated in another precision, or by hand."""
    nearest = np.dtype(dtype).type(number.text)
    written = np.format_float_scientific(nearest), repr(float(nearest))  # as it is, and held in float64
    return any(abs(Decimal(text) - number.value) <= Decimal(number.half) for text in written)
