"""What a worked example promises of its digits, judged from its lines alone.

Written anew from the policy in words: each value is rounded half up to d decimals, a tiny one to four digits; a line is
risky where ten digits do not show which way to round; d is the one of D + 2 to D + 4, at most 8, which reaches the D
digits of the exact result with the fewest risky lines, the smallest of several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext

from tests.calculator.arithmetic import PRECISION, evaluate, evaluate_symbols, number, tokens
from tests.calculator.checking import signed, variables
from tests.calculator.line import Line, Wrong

DISPLAY = 10
MOST = 8
Key = tuple[int, str]  # a quantity: its layer and name


@dataclass(frozen=True)
class Reworked:
    """The lines worked again: their values, and how many of them are risky."""

    values: dict[Key, Decimal]
    risky: int


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up, away from zero where negative; once more where a tiny number grew by rounding."""
    with localcontext() as context:
        context.prec = 2 * PRECISION
        first = value.quantize(_unit(value, decimals), rounding=ROUND_HALF_UP)
        again = first.quantize(_unit(first, decimals), rounding=ROUND_HALF_UP)
        return abs(again) if again == 0 else again


def _unit(value: Decimal, decimals: int) -> Decimal:
    """Of what a value has a whole number: 10^-d, or its fourth digit where d decimals would leave less than two."""
    tiny = value != 0 and abs(value) < Decimal(1).scaleb(1 - decimals)
    return Decimal(1).scaleb(value.adjusted() - min(4, decimals) + 1 if tiny else -decimals)


def promised(value: Decimal, digits: int) -> Decimal:
    """A result to the digits promised; of a tiny one two digits."""
    with localcontext() as context:
        context.prec = 2 * PRECISION
        kept = min(2, digits)
        tiny = value != 0 and abs(value) < Decimal(1).scaleb(kept - 1 - digits)
        return value.quantize(
            Decimal(1).scaleb(value.adjusted() - kept + 1 if tiny else -digits), rounding=ROUND_HALF_UP
        )


def is_risky(value: Decimal, decimals: int) -> bool:
    """Whether the point where rounding turns is within half a unit of the tenth digit, unless ten digits are all."""
    if value == 0:
        return False
    if abs(value) < Decimal("1e-99"):
        return True
    with localcontext() as context:
        context.prec = 2 * PRECISION
        tenth = Decimal(1).scaleb(value.adjusted() - DISPLAY + 1)
        whole = _unit(value, decimals)
        scaled = abs(value) / whole
        turn = scaled.to_integral_value(rounding=ROUND_FLOOR) + Decimal("0.5")
        return value % tenth != 0 and abs(scaled - turn) * whole <= tenth / 2


def check_digits(lines: Iterable[Line], decimals: int, marks: bool = True) -> int:
    """How many lines are marked; raises Wrong where digits or `marks`, if the format has them, are not the policy's."""
    marked = 0
    for line in lines:
        exact, printed = evaluate(line.numbers), number(line.value)
        value = rounded(exact, decimals)
        if value.as_tuple() != printed.as_tuple():
            raise Wrong(f"{line.name} is {value} by {decimals} decimals, printed is {line.value}")
        if marks and is_risky(exact, decimals) != bool(line.more):
            raise Wrong(f"{line.name} is {exact}, marked is {line.more or 'nothing'}")
        if line.more and number(line.more).as_tuple().exponent != int(printed.as_tuple().exponent) - 2:
            raise Wrong(f"{line.name}: {line.more} should have two digits more than {line.value}")
        marked += bool(line.more)
    return marked


def given(lines: Iterable[Line]) -> dict[Key, str]:
    """The numbers, as written, of the symbols that no line computes: weights, inputs and the first state."""
    computed: set[Key] = set()
    found: dict[Key, str] = {}
    for line in lines:
        symbols, numbers = tokens(line.symbols), signed(tokens(line.numbers))
        if len(symbols) == len(numbers):
            for s, n, v in zip(symbols, numbers, variables(symbols), strict=True):
                if v and (line.layer, s) not in computed:
                    found[line.layer, s] = n
        computed.add((line.layer, line.name))
    return found


def rework(lines: Sequence[Line], decimals: int) -> Reworked:
    """Every line worked again from its symbols, with other decimals."""
    values = {key: Decimal(n) for key, n in given(lines).items()}
    risky = 0
    for line in lines:
        exact = evaluate_symbols(line.symbols, {name: v for (layer, name), v in values.items() if layer == line.layer})
        risky += is_risky(exact, decimals)
        values[line.layer, line.name] = rounded(exact, decimals)
    return Reworked(values, risky)


def decimals_to_carry(lines: Sequence[Line], digits: int, exact: dict[Key, Decimal]) -> tuple[int, bool]:
    """The d of the policy for the exact results by their names, and whether it reaches them."""
    wanted = {key: promised(value, digits) for key, value in exact.items()}
    tried: list[tuple[int, int]] = []
    for decimals in range(digits + 2, min(digits + 4, MOST) + 1):
        again = rework(lines, decimals)
        if all(promised(again.values[key], digits) == value for key, value in wanted.items()):
            tried.append((again.risky, decimals))
    return (min(tried)[1], True) if tried else (min(digits + 4, MOST), False)


def decimals_carried(lines: Iterable[Line]) -> int:
    """Of a document, told from its values: as many as any number that is not tiny has."""
    return max(-int(number(line.value).as_tuple().exponent) for line in lines if not re.search(r"e|10\^", line.value))


def is_tie(value: Decimal, decimals: int) -> bool:
    """Whether a double may stand on either side of the point where rounding turns."""
    with localcontext() as context:
        context.prec = 2 * PRECISION
        scaled = abs(value) / _unit(value, decimals)
        return abs(scaled % 1 - Decimal("0.5")) < max(scaled, 1) * Decimal("1e-13")
