"""A pocket calculator: decimal numbers with many digits, its own keys, and nothing of symgru."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext
from functools import lru_cache

from tests.calculator.line import Wrong

PRECISION = 60
NUMBER = r"\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?"
_ABOVE = r"(?:\^<\d+>)?"  # the time, where a style puts it there; h^(3) is read as h^<3>
NAME = rf"[A-Za-z]+'*_\{{[^}}]*\}}{_ABOVE}|[^\W\d_]\w*'*(?:_\w+)?{_ABOVE}(?:\[[\d,]+\])?"
_TOKENS = re.compile(rf"\s*({NUMBER}|{NAME}|[-+*/^(),])")


@lru_cache(maxsize=1 << 15)
def tokens(text: str) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKENS.match(text, at)
        if not match:
            raise Wrong(f"cannot be typed: {text[at:]!r} in {text!r}")
        found.append(match[1])
        at = match.end()
    return tuple(found)


@lru_cache(maxsize=1 << 15)
def evaluate(text: str) -> Decimal:
    """A line of numbers, to many digits."""
    return _all_of(Parser(tokens(text)), text)


def evaluate_symbols(text: str, known: Mapping[str, Decimal]) -> Decimal:
    """A line of symbols whose numbers are known; it may use the functions that its document defines."""
    return _all_of(Symbols(tokens(text.replace("σ", "sigma")), known), text)


def _all_of(parser: Parser, text: str) -> Decimal:
    with localcontext() as context:
        context.prec = PRECISION
        value = parser.sum()
    if parser.rest:
        raise Wrong(f"unread: {parser.rest} in {text!r}")
    return value


class Parser:
    def __init__(self, rest: Iterable[str]) -> None:
        self.rest = list(rest)

    def take(self, *wanted: str) -> str:
        if self.rest and self.rest[0] in wanted:
            return self.rest.pop(0)
        return ""

    def need(self, wanted: str) -> None:
        if not self.take(wanted):
            raise Wrong(f"{wanted} expected before {self.rest}")

    def sum(self) -> Decimal:
        total = self.product()
        while sign := self.take("+", "-"):
            total = total + self.product() if sign == "+" else total - self.product()
        return total

    def product(self) -> Decimal:
        total = self.signed()
        while sign := self.take("*", "/"):
            total = total * self.signed() if sign == "*" else total / self.signed()
        return total

    def signed(self) -> Decimal:
        if self.take("-"):
            return -self.signed()
        return self.signed() if self.take("+") else self.power()

    def power(self) -> Decimal:
        if self.take("e"):
            self.need("^")
            return self.signed().exp()
        base = self.atom()
        return base ** self.signed() if self.take("^") else base

    def atom(self) -> Decimal:
        if not self.rest:
            raise Wrong("something is missing")
        head = self.rest.pop(0)
        if head == "(":
            value = self.sum()
            self.need(")")
            return value
        if re.fullmatch(NUMBER, head):
            return Decimal(head)
        if head not in _KEYS:
            raise Wrong(f"the calculator has no key {head!r}")
        return _KEYS[head](*self.arguments())

    def arguments(self) -> list[Decimal]:
        self.need("(")
        found = [self.sum()]
        while self.take(","):
            found.append(self.sum())
        self.need(")")
        return found


class Symbols(Parser):
    def __init__(self, rest: Iterable[str], known: Mapping[str, Decimal]) -> None:
        super().__init__(rest)
        self.known = known

    def atom(self) -> Decimal:
        if self.rest and self.rest[0] in self.known:
            return self.known[self.rest.pop(0)]
        if self.rest and self.rest[0] in FUNCTIONS:
            return FUNCTIONS[self.rest.pop(0)](*self.arguments())
        return super().atom()


def _tanh(a: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 2 * PRECISION + max(0, -a.adjusted())
        e = (2 * a).exp()
        return (e - 1) / (e + 1)


def _erf(a: Decimal) -> Decimal:
    """By Taylor's series with plenty of digits, pi by Gauss and Legendre."""
    with localcontext() as context:
        context.prec = 3 * PRECISION + 40
        total = term = a
        for n in range(1, 600):
            term = -term * a * a / n
            total += term / (2 * n + 1)
        x, y, t, p = Decimal(1), 1 / Decimal(2).sqrt(), Decimal("0.25"), Decimal(1)
        for _ in range(9):
            x, y, t, p = (x + y) / 2, (x * y).sqrt(), t - p * (x - (x + y) / 2) ** 2, 2 * p
        return 2 * total / ((x + y) ** 2 / (4 * t)).sqrt()


_KEYS: dict[str, Callable[..., Decimal]] = {
    "tanh": _tanh,
    "erf": _erf,
    "ln": lambda a: a.ln(),
    "abs": abs,
    "max": max,
    "min": min,
    "sqrt": lambda a: a.sqrt(),
}
FUNCTIONS: dict[str, Callable[..., Decimal]] = {
    "sigma": lambda a: 1 / (1 + (-a).exp()),
    "relu": lambda a: max(a, Decimal(0)),
}


def number(printed: str) -> Decimal:
    """A printed number: 0.5, -0.5, 1.2e-8, 1.2*10^(-8)."""
    mantissa, power, exponent = printed.replace(" ", "").partition("*10^")
    return Decimal(mantissa + (f"e{exponent.strip('()')}" if power else ""))
