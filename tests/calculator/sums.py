"""Tables that take a long sum apart: its largest products, what all others sum to, and the rounded total."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tests.calculator import latex, plain
from tests.calculator.arithmetic import evaluate, number, tokens
from tests.calculator.checking import half_up, signed
from tests.calculator.line import Wrong
from tests.calculator.policy import rounded

_SAYS = r"(\S+) is a sum of (\d+) products:"
Row = tuple[str, ...]


@dataclass(frozen=True)
class Sum:
    """`count` products give `total`: rows of (product, numbers, value), and what the `others` more sum to."""

    name: str
    count: int
    rows: list[Row]
    others: int
    rest: str
    total: str


def read_sums(document: str, kind: str, comma: bool = False) -> list[Sum]:
    """Every such table of a document."""
    return [_sum(name, int(count), rows) for name, count, rows in _READERS[kind](document, comma)]


def check_sum(found: Sum, count: int, decimals: int, known: dict[str, Decimal], exact: Decimal | None = None) -> int:
    """How many products are shown; raises Wrong where one, or the total, is not what its numbers give. `known` has what
    is printed of each symbol and takes the total; `exact` is the sum with all digits."""
    places = Decimal(found.rest).as_tuple().exponent
    total, products = Decimal(found.rest), Decimal(0)
    for product, numbers, value in found.rows:
        names, typed = tokens(product), signed(tokens(f"({numbers})" if numbers.startswith("-") else numbers))
        if len(names) != len(typed) or set(names[1::2]) - {"*"}:
            raise Wrong(f"{product} is not {numbers}")
        for name, n in zip(names[::2], typed[::2], strict=True):
            if known.setdefault(name, Decimal(n)) != Decimal(n):
                raise Wrong(f"{name} was {known[name]} and is {n}")
        if half_up(evaluate(numbers), number(value)) != number(value) or Decimal(value).as_tuple().exponent != places:
            raise Wrong(f"{numbers} is {evaluate(numbers)}, printed is {value}")
        total += Decimal(value)
        products += evaluate(numbers)
    if len({product for product, _, _ in found.rows}) + found.others != count or found.count != count:
        raise Wrong(f"{found.name} has {count} products, told are {found.count}: {len(found.rows)} and {found.others}")
    if rounded(total, decimals).as_tuple() != Decimal(found.total).as_tuple():
        raise Wrong(f"{found.name}: the numbers shown sum to {total}, printed is {found.total}")
    if exact is not None and half_up(exact - products, Decimal(found.rest)) != Decimal(found.rest):
        raise Wrong(f"{found.name}: the others sum to {exact - products}, printed is {found.rest}")
    if known.setdefault(found.name, Decimal(found.total)) != Decimal(found.total):
        raise Wrong(f"{found.name} was {known[found.name]} and is {found.total}")
    return len(found.rows)


def _sum(name: str, count: int, rows: Iterable[Row]) -> Sum:
    *products, (others, _, rest), (again, _, total) = rows
    said = re.fullmatch(r"(\d+) others sum to", others)
    if not said or again != name:
        raise Wrong(f"the table of {name} ends in {others} and {again}")
    return Sum(name, count, products, int(said[1]), rest, total)


# Readers

Found = Iterable[tuple[str, str, list[Row]]]


def _text(document: str, comma: bool) -> Found:
    document = plain.cleaned(document, comma).replace("·", "*")
    for name, count, body in re.findall(rf"^  {_SAYS}\n.*\n[ ─]+\n((?:.+\n)+)", document, re.MULTILINE):
        rows = [re.split(r"\s{2,}", row.strip()) for row in body.splitlines()]
        yield name, count, [(row[0], *row[1:-1], *([""] * (3 - len(row))), row[-1]) for row in rows]


def _markdown(document: str, comma: bool) -> Found:
    document = plain.cleaned(document, comma).replace("·", "*").replace("`", "")
    for name, count, body in re.findall(rf"^{_SAYS}\n\n.*\n.*---.*\n((?:\|.*\n)+)", document, re.MULTILINE):
        yield name, count, [tuple(cell.strip() for cell in row.split("|")[1:-1]) for row in body.splitlines()]


def _latex(document: str, comma: bool) -> Found:
    document = latex.decimal_points(document, comma)
    table = r"(?:.*\n)*?\\midrule\n((?:.*\n)*?)\\bottomrule"
    for name, count, body in re.findall(rf"^\$(.*)\$ is a sum of (\d+) products:.*\n{table}", document, re.MULTILINE):
        rows = [row.removesuffix(r" \\").split(" & ") for row in body.splitlines()]
        yield latex.plain(name), count, [tuple(latex.plain(c.replace("$", "")).strip() for c in row) for row in rows]


def _web(document: str, comma: bool) -> Found:
    for sentence, table in re.findall(
        r"<p>((?:(?!<p>).)*? is a sum of .*?)</p>.*?<tbody>(.*?)</tbody>", document, re.DOTALL
    ):
        name, count = re.findall(_SAYS, _shown(sentence, comma))[0]
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        yield (
            name,
            count,
            [tuple(_shown(cell, comma) for cell in re.findall(r"<td.*?>(.*?)</td>", row)) for row in rows],
        )


def _shown(html: str, comma: bool) -> str:
    text = re.sub(r"<[^>]*>", "", html).replace("&lt;", "<").replace("&gt;", ">")
    return plain.cleaned(text, comma).replace("·", "*").strip()


_READERS: Mapping[str, Callable[[str, bool], Found]] = {
    "txt": _text,
    "md": _markdown,
    "tex": _latex,
    "html": _web,
}
