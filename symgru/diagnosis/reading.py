"""What somebody claims, read: numbers in any form, and of which unit, step and sequence each of them is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np

from symgru.diagnosis.claims import LAST, Number
from symgru.errors import UnusableInput
from symgru.network import Array
from symgru.readers.assemble import within
from symgru.readers.inputs import given_numbers
from symgru.wording import counted

Shape = tuple[int, int, int]  # sequences, time steps of the output, units
MOST_NUMBERS = 20_000
DECIMAL_COMMA = re.compile(r"\s*([-+\u2212]?0),([0-9]{3,})\s*")  # nobody has two numbers like these
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
        _refuse_a_decimal_comma(source)
        stored = _stored(source)
        if stored is not None and stored.size > MOST_NUMBERS:
            raise _too_many(stored.size)
        given, notes = given_numbers(_as_text(source) if isinstance(source, list | tuple) else source)
        width = shape[2]
        for unit in units or ():
            if not 1 <= unit <= width:
                raise UnusableInput(f"unit {unit} is none of the network's {counted(width, 'unit')}")
            if list(units or ()).count(unit) > 1:
                raise UnusableInput(f"unit {unit} is named twice")
        places, said = _placed(given.value.shape, shape, units, all_steps)
        if given.value.size > MOST_NUMBERS:
            raise _too_many(given.value.size)
        dtype = None if stored is None else stored.dtype
        exact = dtype is not None and dtype.kind == "f" and dtype.itemsize > np.dtype("float16").itemsize
        texts = list(map(str, given.text.ravel()))
        if dtype == "float16":
            texts, kept = _halves(texts)
        else:
            kept = list(_decimals(source, texts))
        found = tuple(
            Number(text, sequence, step, unit, not exact, decimals)
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


def _stored(source: object) -> Array | None:
    """An array of numbers that a program stored, in memory or in a file that is not read yet; None for what somebody
    wrote, and where reading it will say what is wrong."""
    if isinstance(source, str | Path):
        if not _is_file(source, ".npy") or not Path(source).is_file():
            return None
        with suppress(OSError, ValueError, TypeError, EOFError, SyntaxError, KeyError):
            found = np.load(source, mmap_mode="r", allow_pickle=False)
            return found if isinstance(found, np.ndarray) else None
        return None
    return None if isinstance(source, list | tuple | int | float) else np.asarray(source)


def _too_many(size: int) -> UnusableInput:
    return UnusableInput(f"holds {size} numbers; at most {MOST_NUMBERS} are compared")


def _refuse_a_decimal_comma(source: object) -> None:
    if isinstance(source, str) and (match := DECIMAL_COMMA.fullmatch(source)):
        whole, behind = match.groups()
        raise UnusableInput(
            f"{whole},{behind[:30]} would be two numbers, {whole} and {behind[:30]}; is that a decimal comma? write "
            f"{whole}.{behind[:30]}"
        )


def _halves(texts: Sequence[str]) -> tuple[list[str], list[int | None]]:
    """Numbers of 16 bits as they would be printed: with the decimals that these bits can tell apart."""
    apart = np.spacing(np.abs(np.array(texts, dtype=np.float16))).astype(np.float64)
    kept = [max(0, int(np.floor(-np.log10(a)))) for a in apart]
    units = (Decimal(1).scaleb(-k) for k in kept)
    shown = [Decimal(t).quantize(unit, ROUND_HALF_EVEN) for t, unit in zip(texts, units, strict=True)]
    return [f"{v:f}" for v in shown], list(kept)


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
    if size == 1 and batch == 1 and not all_steps and (own == 1 or units is None):
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
