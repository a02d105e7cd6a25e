"""What is checked of the lines of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

from tests.calculator.arithmetic import FUNCTIONS, NAME, NUMBER, PRECISION, evaluate, evaluate_symbols, number, tokens
from tests.calculator.line import Line, Wrong
from tests.calculator.reading import Document, read


def check(document: Document, kind: str, comma: bool = False) -> int:
    """How many worked lines the document has; raises Wrong where a reader would get something else."""
    return check_lines(read(document, kind, comma))


def check_lines(lines: Iterable[Line], elsewhere: Mapping[str, Decimal] | None = None) -> int:
    """The same for lines that are read already; `elsewhere` has what the document says in vectors and tables."""
    printed = dict(elsewhere or {})
    computed: set[str] = set()
    count, layer = 0, 1
    for line in lines:
        if line.layer != layer:  # the next layer may use the same letters
            layer = line.layer
            printed.clear()
            computed.clear()
        _check_step(line, computed)
        _check_value(line)
        _check_symbols(line, printed)
        if printed.setdefault(line.name, number(line.value)) != number(line.value):
            raise Wrong(f"{line.name} is {line.value}, elsewhere it is {printed[line.name]}")
        computed.add(line.name)
        count += 1
    return count


def _check_step(line: Line, computed: set[str]) -> None:
    if line.name in computed:
        raise Wrong(f"{line.name} is computed twice")
    if line.step is not None and line.step not in time_of(line.name):
        raise Wrong(f"{line.name} under the heading of step {line.step}")


def time_of(name: str) -> list[int]:
    """The time in a name: z_3[1] and z^<3>[1], or the first number of z_{3,1} in LaTeX."""
    above = re.search(r"\^<(\d+)>", name)
    below = re.search(r"_\{(?:[A-Za-z]\w*,)*(\d+)[,}]|_(\d+)(?:\[|$)", name)
    found = above or below
    return [int(n) for n in found.groups() if n] if found else []


def _check_value(line: Line) -> None:
    exact = evaluate(line.numbers)
    for printed in filter(None, (line.value, line.more)):
        value = number(printed)
        recomputed = half_up(exact, value)
        if recomputed != value:
            raise Wrong(f"{line.name}: {line.numbers} is {recomputed}, printed is {value}")


def half_up(exact: Decimal, like: Decimal) -> Decimal:
    """Rounded to as many decimals as another number has."""
    with localcontext() as context:
        context.prec = 2 * PRECISION
        return exact.quantize(Decimal(1).scaleb(int(like.as_tuple().exponent)), rounding=ROUND_HALF_UP)


def _check_symbols(line: Line, printed: dict[str, Decimal]) -> None:
    """Each symbol has one number throughout; sums and products match their numbers one by one."""
    symbols, numbers = tokens(line.symbols), signed(tokens(line.numbers))
    variable = variables(symbols)
    used = {s for s, v in zip(symbols, variable, strict=True) if re.fullmatch(NAME, s) and not v}
    if used:
        _check_function(line, printed, used, [s for s, v in zip(symbols, variable, strict=True) if v], numbers)
        return
    if len(symbols) != len(numbers):
        raise Wrong(f"{line.name}: {line.symbols} is not {line.numbers}")
    for s, n, v in zip(symbols, numbers, variable, strict=True):
        if not v and s != n:
            raise Wrong(f"{line.name}: {s!r} in symbols, {n!r} in numbers")
        if v and printed.setdefault(s, Decimal(n)) != Decimal(n):
            raise Wrong(f"{line.name}: {s} was {printed[s]} and is {n}")


def _check_function(
    line: Line, printed: dict[str, Decimal], used: set[str], variable: list[str], numbers: list[str]
) -> None:
    """A function's arguments were printed; where the calculator knows the function, the numbers are what it means."""
    values = {abs(Decimal(n)) for n in numbers if re.fullmatch(rf"-?({NUMBER})", n)}
    for name in variable:
        if name not in printed or abs(printed[name]) not in values:
            raise Wrong(f"{line.name}: {name} is {printed.get(name)} and not among {numbers}")
    if used <= {*FUNCTIONS, "tanh", "e"}:
        meant, typed = evaluate_symbols(line.symbols, printed), evaluate(line.numbers)
        if abs(meant - typed) > abs(meant).scaleb(10 - PRECISION):
            raise Wrong(f"{line.name}: {line.symbols} is {meant}, {line.numbers} is {typed}")


def variables(symbols: Sequence[str]) -> list[bool]:
    """Which tokens are quantities: names that are not functions, nor the base of a power."""
    return [
        bool(re.fullmatch(NAME, token)) and after not in ("(", "^")
        for token, after in zip(symbols, [*symbols[1:], ""], strict=True)
    ]


def signed(found: Sequence[str]) -> list[str]:
    """( - 0.5 ) as one token, and 1.2 * 10 ^ ( - 8 ) too."""
    text = " ".join(found)
    text = re.sub(rf"({NUMBER}) \* 10 \^ \( (-?) ?(\d+) \)", r"\1e\2\3", text)
    text = re.sub(rf"\( (-?) ?((?:{NUMBER})) \)", r"\1\2", text)
    return text.split()
