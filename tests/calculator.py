"""A pocket calculator that reads worked examples back from .txt, .md and .tex, and works every line out again.

It imports nothing from symgru: it knows the documents only as a reader does. A line is "name = symbols = numbers =
value". Three things are checked of each: the numbers give the value, rounded half up; every number is the one that was
printed for its symbol before; and the line belongs to the step under whose heading it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

PRECISION = 60
_NUMBER = r"\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?"
_NAME = r"[A-Za-z]'*_\{[^}]*\}|[A-Za-zσ]\w*'*(?:_\w+)?(?:\[[\d,]+\])?"
_TOKENS = re.compile(rf"\s*({_NUMBER}|{_NAME}|[-+*/^(),])")


class Wrong(AssertionError):
    """A line that a reader would stumble over."""


@dataclass(frozen=True)
class Line:
    step: int | None
    name: str
    symbols: str
    numbers: str
    value: str


# ---------------------------------------------------------------- reading the documents


def read(document: str, kind: str) -> list[Line]:
    """Every worked line of a document of kind "txt", "md" or "tex"."""
    sections = {"txt": _text_sections, "md": _markdown_sections, "tex": _latex_sections}[kind](document)
    return [line for step, statements in sections for line in (_line(s, step) for s in statements)]


def _line(statement: str, step: int | None) -> Line:
    parts = [p.strip() for p in statement.split(" = ")]
    if len(parts) != 4:
        raise Wrong(f"not name = symbols = numbers = value: {statement}")
    return Line(step, *parts)


def _text_sections(document: str) -> Iterator[tuple[int | None, list[str]]]:
    for heading, body in re.findall(r"^(Step \d+|Output)(?:: .*)?\n((?:  .*\n)+)", document, re.MULTILINE):
        yield _step(heading), _text_statements(body)


def _markdown_sections(document: str) -> Iterator[tuple[int | None, list[str]]]:
    for heading, body in re.findall(r"^### (Step \d+|Output).*\n\n```text\n((?:.*\n)*?)```", document, re.MULTILINE):
        yield _step(heading), _text_statements(body)


def _text_statements(body: str) -> list[str]:
    statements: list[str] = []
    for row in body.replace("·", "*").splitlines():
        text = " ".join(row.split())
        if text[0] in "=+-*":
            statements[-1] += " " + text
        else:
            statements.append(text)
    return [re.sub(r"( †.*|, since .*)$", "", s) for s in statements]


def _latex_sections(document: str) -> Iterator[tuple[int | None, list[str]]]:
    pattern = r"^\\subsection\*\{(Step \d+|Output)\}\n.*\n\\begin\{align\*\}\n((?:.*\n)*?)\\end\{align\*\}"
    for heading, body in re.findall(pattern, document, re.MULTILINE):
        statements: list[str] = []
        for row in re.split(r"\\\\\*?(?:\[3pt\])?\n", body):
            name, _, text = row.strip().partition("&")
            if name.strip():
                statements.append("")
            statements[-1] += " " + name.strip() + " " + text.strip()
        yield _step(heading), [_plain(s) for s in statements]


def _plain(latex: str) -> str:
    """LaTeX in the calculator's own writing."""
    text = re.sub(r"(\\;\{\}\^\{\\dagger\}.*|\\quad\\text\{since \}.*)$", "", latex.strip())
    for old, new in (
        (r"\qquad {}", " "),
        (r",\ ", ", "),
        (r"\,", "*"),
        (r"\cdot", "*"),
        (r"\Bigl", ""),
        (r"\Bigr", ""),
        (r"\sigma", "sigma"),
        (r"\lvert", "abs("),
        (r"\rvert", ")"),
        (r"\_", ""),
    ):
        text = text.replace(old, new)
    text = re.sub(r"\\operatorname\{(\w+)\}", r"\1", text)
    text = _groups(text, r"\frac", lambda a, b: f"(({a})/({b}))", 2)
    text = _groups(text, r"\sqrt", lambda a: f"sqrt({a})", 1)
    text = _groups(text, "^", lambda a: f"^({a})", 1)
    return " ".join(re.sub(r"\\(tanh|ln|max|min)", r"\1", text).split())


def _groups(text: str, command: str, write: Callable[..., str], count: int) -> str:
    """Replace command{a}{b}, the innermost last."""
    while (at := text.find(command + "{")) >= 0:
        arguments, k = [], at + len(command)
        for _ in range(count):
            end, depth = k + 1, 1
            while depth:
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
            arguments.append(text[k + 1 : end - 1])
            k = end
        text = text[:at] + write(*arguments) + text[k:]
    return text


def _step(heading: str) -> int | None:
    return int(heading.split()[1]) if heading.startswith("Step") else None


# ---------------------------------------------------------------- calculating


def tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKENS.match(text, at)
        if not match:
            raise Wrong(f"cannot be typed: {text[at:]!r} in {text!r}")
        found.append(match[1])
        at = match.end()
    return found


def evaluate(text: str) -> Decimal:
    """A line of numbers, to many digits."""
    with localcontext() as context:
        context.prec = PRECISION
        parser = _Parser(tokens(text))
        value = parser.sum()
        if parser.rest:
            raise Wrong(f"unread: {parser.rest} in {text!r}")
        return value


class _Parser:
    def __init__(self, rest: list[str]) -> None:
        self.rest = rest

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
        if re.fullmatch(_NUMBER, head):
            return Decimal(head)
        if head not in _KEYS:
            raise Wrong(f"the calculator has no key {head!r}")
        self.need("(")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.need(")")
        return _KEYS[head](*arguments)


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


def number(printed: str) -> Decimal:
    """A printed number: 0.5, -0.5, 1.2e-8, 1.2*10^(-8)."""
    mantissa, power, exponent = printed.replace(" ", "").partition("*10^")
    return Decimal(mantissa + (f"e{exponent.strip('()')}" if power else ""))


# ---------------------------------------------------------------- checking


def check(document: str, kind: str) -> int:
    """How many worked lines the document has; raises Wrong where a reader would get something else."""
    lines = read(document, kind)
    printed: dict[str, Decimal] = {}
    for line in lines:
        _check_step(line, printed)
        value = number(line.value)
        unit = Decimal(1).scaleb(int(value.as_tuple().exponent))
        with localcontext() as context:
            context.prec = 2 * PRECISION
            recomputed = evaluate(line.numbers).quantize(unit, rounding=ROUND_HALF_UP)
        if recomputed != value:
            raise Wrong(f"{line.name}: {line.numbers} is {recomputed}, printed is {value}")
        _check_symbols(line, printed)
        printed[line.name] = value
    return len(lines)


def _check_step(line: Line, printed: dict[str, Decimal]) -> None:
    if line.name in printed and line.step in (None, 1):  # the next layer uses the same letters
        printed.clear()
    if line.name in printed:
        raise Wrong(f"{line.name} is computed twice")
    if line.step is not None:
        plain, latex = r"(?:[a-z]'*_)?[a-z]\w*_(\d+)(?:\[[\d,]+\])?", r"[a-z]'*_\{(?:[a-z]\w*,)?(\d+)(?:,\d+)*\}"
        inside = re.fullmatch(f"{plain}|{latex}", line.name)
        if not inside or int(inside[1] or inside[2]) != line.step:
            raise Wrong(f"{line.name} under the heading of step {line.step}")


def _check_symbols(line: Line, printed: dict[str, Decimal]) -> None:
    """Each symbol has one number throughout; sums and products match their numbers one by one."""
    symbols, numbers = tokens(line.symbols), _signed(tokens(line.numbers))
    variable = [_is_variable(s, after) for s, after in zip(symbols, [*symbols[1:], ""], strict=True)]
    if any(re.fullmatch(_NAME, s) and not v for s, v in zip(symbols, variable, strict=True)):  # a function is used
        values = {abs(Decimal(n)) for n in numbers if re.fullmatch(rf"-?({_NUMBER})", n)}
        for name in (s for s, v in zip(symbols, variable, strict=True) if v):
            if name not in printed or abs(printed[name]) not in values:
                raise Wrong(f"{line.name}: {name} is {printed.get(name)} and not among {numbers}")
        return
    if len(symbols) != len(numbers):
        raise Wrong(f"{line.name}: {line.symbols} is not {line.numbers}")
    for s, n, v in zip(symbols, numbers, variable, strict=True):
        if not v and s != n:
            raise Wrong(f"{line.name}: {s!r} in symbols, {n!r} in numbers")
        if v and printed.setdefault(s, Decimal(n)) != Decimal(n):
            raise Wrong(f"{line.name}: {s} was {printed[s]} and is {n}")


def _is_variable(token: str, after: str) -> bool:
    return bool(re.fullmatch(_NAME, token)) and after not in ("(", "^")


def _signed(found: list[str]) -> list[str]:
    """( - 0.5 ) as one token, and 1.2 * 10 ^ ( - 8 ) too."""
    text = " ".join(found)
    text = re.sub(rf"({_NUMBER}) \* 10 \^ \( (-?) ?(\d+) \)", r"\1e\2\3", text)
    text = re.sub(rf"\( (-?) ?((?:{_NUMBER})) \)", r"\1\2", text)
    return text.split()
