"""Reads the formulas of a derivation back from .txt, .md and .tex, and works them out for given numbers.

It knows the documents only as a reader does, and computes with tests/calculator/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from tests.calculator.arithmetic import PRECISION, evaluate_symbols, tokens
from tests.calculator.latex import plain
from tests.calculator.line import Wrong

Numbers = Mapping[str, Decimal]
HEADINGS = "Unrolled, as written|Simplified|Without biases|With the numbers"


def sections(document: str, kind: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(title, [(name, formula)]) of each unrolled program, of every layer in turn."""
    before = {"txt": r"\d+ ", "md": r"#+ \d+ ", "tex": r"\\(?:sub)?section\*?\{"}[kind]
    after = {"txt": r"\d+ |\S", "md": "#", "tex": r"\\(?:sub)?section"}[kind]
    pattern = rf"^{before}((?:{HEADINGS})[^\n]*)\n((?:(?!{after}).*\n)*)"
    for title, body in re.findall(pattern, document, re.MULTILINE):
        yield title.rstrip("}"), list({"txt": _text, "md": _markdown, "tex": _latex}[kind](body))


def _text(body: str) -> Iterator[tuple[str, str]]:
    rows: list[str] = []
    for row in body.splitlines():
        if re.match(r"^\s+(t = \d+|before the first step|in one formula|…)", row) or not row.strip():
            continue
        if re.match(r"^\s+\S+\s+= ", row):
            rows.append("")
        rows[-1] += " " + row.strip()
    for row in rows:
        name, formula = re.split(r"\s+= ", row.strip(), maxsplit=1)
        yield name, formula.replace("·", "*")


def _markdown(body: str) -> Iterator[tuple[str, str]]:
    for block in re.findall(r"^\$\$\n(.*?)\n\$\$", body, re.MULTILINE | re.DOTALL):
        yield from _rows(re.sub(r"\\(begin|end)\{aligned\}\n?", "", block))


def _latex(body: str) -> Iterator[tuple[str, str]]:
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", body, re.DOTALL):
        yield from _rows(block)


def _rows(block: str) -> Iterator[tuple[str, str]]:
    statements: list[str] = []
    for row in re.split(r"\s*\\\\\*?\n", block):
        if not row.startswith(" &"):
            statements.append("")
        statements[-1] += " " + row.replace("&", "").strip()
    for statement in statements:
        name, formula = statement.strip().split(" = ", 1)
        yield name, plain(formula)


def worked_out(lines: list[tuple[str, str]], known: Numbers) -> dict[str, Decimal]:
    """Every name's value; a name that is given twice must have one value. A line of whole vectors or matrices, such as
    d_z = b_z + c_z, holds for each of their elements."""
    values = dict(known)
    for name, formula in lines:
        for given, element in _elements(name, formula, values):
            value = evaluate_symbols(element, values)
            if given in values and abs(values[given] - value) > Decimal(10) ** (10 - PRECISION):
                raise Wrong(f"{given} is {values[given]} and {value}")
            values[given] = value
    return values


def _elements(name: str, formula: str, values: Numbers) -> Iterator[tuple[str, str]]:
    """The line itself, or the line for each index that its symbols have elements for."""
    symbols = [s for s in tokens(formula.replace("σ", "sigma")) if re.match(r"[A-Za-z]'*_", s)]
    whole = [s for s in symbols if s not in values]
    if not whole:
        yield name, formula
    for index in dict.fromkeys(i for s in whole for i in _indices(s, values)):
        element = formula
        for s in whole:
            element = element.replace(s, _with(s, index))
        yield _with(name, index), element


def _indices(symbol: str, values: Numbers) -> list[str]:
    head = symbol[:-1] + "," if symbol.endswith("}") else symbol + "["
    return [name[len(head) : -1] for name in values if name.startswith(head)]


def _with(symbol: str, index: str) -> str:
    return f"{symbol[:-1]},{index}}}" if symbol.endswith("}") else f"{symbol}[{index}]"


def spelled(letter: str, kind: str, indices: list[int], gate: str = "", time: int | None = None) -> str:
    """A scalar's name: W_z[1,2] or W_{z,1,2}."""
    when = [] if time is None else [str(time)]
    numbers = [str(k) for k in indices]
    if kind == "txt":
        return "_".join([letter, *filter(None, [gate]), *when]) + (f"[{','.join(numbers)}]" if numbers else "")
    below = ",".join([*filter(None, [gate]), *when, *numbers])
    return f"{letter}_{{{below}}}" if below else letter
