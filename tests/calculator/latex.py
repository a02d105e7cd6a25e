"""Worked lines in LaTeX: the rows of align environments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.calculator.line import Line, Section, lines, step_of


def read(document: str, comma: bool = False) -> list[Line]:
    return lines(_sections(decimal_points(document, comma)))


def decimal_points(document: str, comma: bool) -> str:
    """The document with decimal points where it has a decimal `comma`."""
    if not comma:
        return document
    return re.sub(r";(?=\\ | *\\\\|\$? \$)", ",", document.replace("{,}", "."))


def _sections(document: str) -> Iterator[Section]:
    """Under a heading every align environment down to the next heading."""
    heading, rows = (
        r"\\subsubsection\*\{((?:Step \d+|Output)[^}]*)\}",
        r"\\begin\{align\*\}\n((?:.*\n)*?)\\end\{align\*\}",
    )
    for title, body in re.findall(rf"^{heading}.*\n((?:(?!\\(?:sub)*section).*\n)*)", document, re.MULTILINE):
        found = [s for block in re.findall(rows, body) for s in statements(block)]
        yield (
            step_of(title),
            [plain(s) for s in found if not re.match(r"\s*(\\\w+\{)?\\(mathbf|boldsymbol)", s)],
        )  # not in matrix form


def statements(block: str) -> list[str]:
    """The rows of a display that belong together: one with a name, and those behind it without."""
    found: list[str] = []
    for row in re.split(r"\\\\\*?(?:\[3pt\])?\n", block):
        name, _, text = row.strip().partition("&")
        if name.strip():
            found.append("")
        found[-1] += " " + name.strip() + " " + text.strip()
    return found


def plain(latex: str) -> str:
    """LaTeX in the calculator's own writing."""
    text = re.sub(r"\\quad\\text\{since \}.*$", "", latex.strip()).replace(r"\;{}^{\dagger}\;", " † ")
    text = re.sub(r"\\(tilde|hat|bar)\{(\\?[A-Za-z]+)\}", r"\2'", text)  # an accent is a part of the name
    text = re.sub(r"\^\{(?:\\langle |\()(\d+)(?:\\rangle|\))\}", r"^<\1>", text)
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
    return " ".join(re.sub(r"\\([A-Za-z]+)", r"\1", text).split())  # functions and Greek letters


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
