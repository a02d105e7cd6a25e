"""What somebody claims, read: numbers in any form, and of which unit, step and sequence each of them is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np

from symgru.diagnosis.claims import LAST, Number
from symgru.errors import UnusableInput
from symgru.readers.assemble import within
from symgru.readers.inputs import given_numbers
from symgru.wording import counted

Shape = tuple[int, int, int]  # sequences, time steps of the output, units
MOST_NUMBERS = 20_000
LARGEST, COARSEST = Decimal(10) ** 30, 0.051  # of a claim, and of half a unit of its last digit


def read_claim(
    source: object, shape: Shape, units: Sequence[int] | None = None, all_steps: bool = False
) -> tuple[tuple[Number, ...], tuple[str, ...]]:
    """Claimed numbers as text or texts, as Python numbers, as an array or a file of them, and what had to be assumed.

    `shape` is that of what the network gives: sequences, time steps, units. As many numbers as units are those of the
    last state, or one for each sequence; as many rows as time steps are all states, and have to be where `all_steps`. A
    single number without a unit is that of any. `units` (counted from 1) says which units the numbers are of. Raises
    UnusableInput for anything else, and for a number that tells too little to be compared with anything.
    """
    with within("the claim"):
        given, notes = given_numbers(_as_text(source) if isinstance(source, list | tuple) else source)
        width = shape[2]
        for unit in units or ():
            if not 1 <= unit <= width:
                raise UnusableInput(f"unit {unit} is none of the network's {counted(width, 'unit')}")
        places, said = _placed(given.value.shape, shape, units, all_steps)
        if given.value.size > MOST_NUMBERS:
            raise UnusableInput(f"holds {given.value.size} numbers; at most {MOST_NUMBERS} are compared")
        printed = isinstance(source, str | Path | list | tuple | int | float) and not _is_file(source, ".npy")
        texts = list(map(str, given.text.ravel()))
        kept = _decimals(source, texts)
        found = tuple(
            Number(text, sequence, step, unit, printed, decimals)
            for text, decimals, (sequence, step, unit) in zip(texts, kept, places, strict=True)
        )
        for number in found:
            _check(number, alone=len(found) == 1)
        return found, (*notes, *said)


def _as_text(source: object) -> object:
    """Lists of texts as one text; other lists as they are."""
    if not isinstance(source, list | tuple):
        return source
    rows = [_as_text(each) for each in source]
    return f"[{', '.join(map(str, rows))}]" if any(isinstance(each, str) for each in rows) else source


def _is_file(source: object, ending: str) -> bool:
    return isinstance(source, str | Path) and str(source).lower().endswith(ending)


def _decimals(source: object, texts: Sequence[str]) -> Iterator[int | None]:
    """How many each number was printed with, where it does not show: NumPy cuts the zeros off, and 1. is 1.00000000."""
    as_array = isinstance(source, str) and "[" in source
    longest = max(-cast(int, Decimal(t).as_tuple().exponent) for t in texts)
    return (longest if as_array and Decimal(t) == Decimal(t).to_integral_value() else None for t in texts)


def _check(number: Number, alone: bool) -> None:
    if abs(number.value) > LARGEST or number.half > COARSEST and alone:
        raise UnusableInput(
            f"{number.text[:30]} cannot be told from other numbers: give it with as many decimals as there are"
        )


def _placed(
    given: tuple[int, ...], shape: Shape, units: Sequence[int] | None, all_steps: bool
) -> tuple[Iterator[tuple[int, int, int | None]], list[str]]:
    """Sequence, step and unit (from 0) of each number of an array of this shape, in its order."""
    batch, steps, width = shape
    chosen: list[int | None] = [k - 1 for k in units] if units else list(range(width))
    own = len(chosen)
    last = product(range(batch), [LAST], chosen)
    every = product(range(batch), range(steps), chosen)
    size = int(np.prod(given))
    if size == 1 and batch == 1 and not all_steps:
        if units is None and width > 1:
            return iter([(0, LAST, None)]), [f"nobody said of which of the {width} units the number is: any may be it"]
        return last, []
    if not all_steps and given[-1:] == (own,) and size == batch * own:
        alike = batch == 1 and own == steps and len(given) == 1 and width > 1
        return last, [f"the {own} numbers are taken for those of the units after the last step"] if alike else []
    if not all_steps and own == 1 and size == batch:
        return last, []
    if size == batch * steps * own and (own == 1 or given[-1] == own):
        return every, []
    raise UnusableInput(
        f"has {counted(size, 'number')} of shape {given}; the network gives {counted(width, 'unit')} after "
        + (f"each of {counted(steps, 'step')}" if steps > 1 else "its last step")
        + (f", for {counted(batch, 'sequence')}" if batch > 1 else "")
        + ": give those after the last step, or those of all steps, or say of which units the numbers are"
    )
