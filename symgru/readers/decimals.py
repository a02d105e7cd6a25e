"""Numbers as a person typed them: the text is kept, the float beside it is correctly rounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array, Tensor, shortest
from symgru.readers.checks import MAX_NUMBERS, printable

MAX_DIGITS = 128
MAX_EXPONENT = 400  # float64 ends at 1e308 and 5e-324; more is no number of a model
MAX_AXES = 8

_AS_IT_IS = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")


class Typed(str):
    """A decimal text in canonical form: an optional minus, digits, an optional fraction and exponent."""

    __slots__ = ()


def canonical(text: str) -> Typed:
    """The digits as typed, without what only decorates: `+1.` is `1`, `.50` is `0.50`, `1.E-05` is `1e-5`."""
    if len(text) > MAX_DIGITS:
        raise UnusableInput(f"the number {printable(text, 20)} is longer than {MAX_DIGITS} characters")
    if _AS_IT_IS.fullmatch(text):  # most are; a file may hold a million
        return Typed(text)
    match = _NUMBER.fullmatch(text.strip().replace("\u2212", "-"))  # the minus sign of web pages
    if not match or not (match[2] or match[3]):
        raise UnusableInput(f"'{printable(text, 30)}' is not a finite decimal number")
    sign, digits, fraction, exponent = match.groups()
    power = int(exponent or 0)
    if abs(power) > MAX_EXPONENT:
        raise UnusableInput(f"the number {printable(text, 30)} has an exponent beyond {MAX_EXPONENT}")
    return Typed(
        ("-" if sign == "-" else "")
        + (digits.lstrip("0") or "0")
        + (f".{fraction}" if fraction else "")
        + (f"e{power}" if power else "")
    )


def plain(value: object) -> object:
    """Parsed JSON with its typed numbers as int and float: for options, where the digits do not matter."""
    if isinstance(value, Typed):
        return int(value) if re.fullmatch(r"-?[0-9]+", value) else float(value)
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


def tensor(data: object, dtype: str, where: str) -> Tensor:
    """Nested lists of numbers or an array: values of `dtype`, texts as typed or the shortest decimals.

    `where` begins the message of an UnusableInput: empty, ragged, not numbers, NaN or infinite, too large.
    """
    if isinstance(data, np.ndarray):
        return _stored(data, dtype, where)
    shape = shape_of(data, where)
    if np.prod(shape, dtype=object) > MAX_NUMBERS:
        raise UnusableInput(f"{where} has shape {shape}; at most {MAX_NUMBERS} numbers are read")
    texts = list(_leaves(data, shape, where))
    value = rounded(texts, dtype).reshape(shape)
    return Tensor(finite(value, where), np.array(texts, dtype=object).reshape(shape))


def shape_of(data: object, where: str) -> tuple[int, ...]:
    """The shape that the first rows show; `tensor` checks that the others agree."""
    shape: list[int] = []
    while _rows(data):
        rows: Sequence[object] = data  # type: ignore[assignment]
        if len(rows) == 0:
            raise UnusableInput(f"{where} is empty")
        if len(shape) == MAX_AXES:
            raise UnusableInput(f"{where} is nested deeper than {MAX_AXES} lists")
        shape.append(len(rows))
        data = rows[0]
    return tuple(shape)


def finite(value: Array, where: str) -> Array:
    """`value`, unless it holds a NaN or an infinity."""
    bad = np.argwhere(~np.isfinite(value))
    if len(bad):
        place = f" at {bad[0].tolist()}" if value.ndim else ""
        found = value[tuple(bad[0])]
        raise UnusableInput(f"{where} holds {found}{place}; every number must be finite in {value.dtype}")
    return value


def rounded(texts: Sequence[str], dtype: str) -> Array:
    """The float of `dtype` nearest to each decimal, ties to even.

    float() rounds to float64 correctly, but rounding that again to float32 can go wrong where the float64 lies
    exactly between two float32: there the decimal itself decides.
    """
    wide = np.array([float(text) for text in texts], dtype=np.float64)
    if dtype == "float64":
        return wide
    with np.errstate(over="ignore"):
        value = wide.astype(np.float32)
    for step in (-np.inf, np.inf):
        with np.errstate(over="ignore", under="ignore"):
            beside = np.nextafter(value, np.float32(step))
        between = (value.astype(np.float64) + beside) / 2 == wide
        for i in np.flatnonzero(between & np.isfinite(wide)).tolist():
            exact, middle = Fraction(texts[i]), Fraction(float(wide[i]))
            if exact != middle and (exact > middle) == (step > 0):
                value[i] = beside[i]
    return value


def _stored(data: Array, dtype: str, where: str) -> Tensor:
    if data.dtype.kind not in "fiu" or data.dtype.itemsize > 8:
        raise UnusableInput(f"{where} has dtype {printable(data.dtype, 20)}; real numbers are needed")
    if data.ndim > MAX_AXES:
        raise UnusableInput(f"{where} has {data.ndim} axes; at most {MAX_AXES} are read")
    if not 0 < data.size <= MAX_NUMBERS:
        raise UnusableInput(f"{where} has shape {data.shape}; it must hold from 1 to {MAX_NUMBERS} numbers")
    given = finite(np.asarray(data, dtype=np.float64 if data.dtype.kind in "iu" else data.dtype), where)
    with np.errstate(over="ignore"):
        return Tensor(finite(given.astype(dtype), where), shortest(given))


def _rows(data: object) -> bool:
    return isinstance(data, list | tuple) or (isinstance(data, np.ndarray) and data.ndim > 0)


def _leaves(data: object, shape: tuple[int, ...], where: str) -> Iterator[Typed]:
    if not shape:
        yield _leaf(data, where)
        return
    if not _rows(data) or len(data) != shape[0]:  # type: ignore[arg-type]
        found = f"one with {len(data)}" if _rows(data) else "a single number"  # type: ignore[arg-type]
        raise UnusableInput(f"{where} is ragged: a row with {shape[0]} entries stands beside {found}")
    for row in data:  # type: ignore[attr-defined]
        yield from _leaves(row, shape[1:], where)


def _leaf(item: object, where: str) -> Typed:
    try:
        if isinstance(item, Typed):
            return item
        if isinstance(item, np.floating):
            return canonical(str(shortest(np.asarray(item)).item()))
        if isinstance(item, int | np.integer) and not isinstance(item, bool):
            return canonical(str(int(item)))
        if isinstance(item, float):
            return canonical(repr(item))
    except ValueError:  # an int of thousands of digits
        raise UnusableInput(f"{where}: a number is too long") from None
    except UnusableInput as error:
        raise UnusableInput(f"{where}: {error}") from None
    if _rows(item):
        raise UnusableInput(f"{where} is ragged: a list stands where other rows have a number")
    raise UnusableInput(f"{where}: {printable(repr(item), 30)} is not a number")
