"""Worked lines in plain text, and in the text blocks of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.calculator.line import Line, Section, lines, step_of


def cleaned(text: str, comma: bool = False) -> str:
    """With decimal points where the document has a decimal `comma`, and the time of h^(3) written h^<3>."""
    text = re.sub(r"(?<=[^\W\d])(?<!\be)\^\((\d+)\)", r"^<\1>", text)
    if not comma:
        return text
    text = re.sub(r"([\w>']\[[\d,]+\])|(?<=\d),(?=\d)", lambda m: m[1] or ".", text)
    return re.sub(r";(?=\s)", ",", text)


def text(document: str, comma: bool = False) -> list[Line]:
    """Under a heading, which alone starts at the margin, everything indented down to the next heading."""
    document = cleaned(document, comma)
    return lines(_sections(document, r"^((?:Step \d+|Output)\b).*\n((?:(?: .*)?\n)+)"))


def markdown(document: str, comma: bool = False) -> list[Line]:
    """Under a heading every block of text down to the next heading."""
    document = cleaned(document, comma)
    found = _sections(document, r"^#### ((?:Step \d+|Output)\b).*\n((?:(?!#).*\n)+)", r"^```text\n((?:.*\n)*?)```")
    return lines(found)


def _sections(document: str, section: str, block: str = "") -> Iterator[Section]:
    for heading, body in re.findall(section, document, re.MULTILINE):
        blocks = re.findall(block, body, re.MULTILINE) if block else [body]
        yield step_of(heading), [statement for each in blocks for statement in statements(each)]


def statements(body: str) -> list[str]:
    """A statement starts with a name and an equals sign; it goes on in rows that start with a sign, further right."""
    found: list[str] = []
    open_ = False
    for row in body.replace("·", "*").splitlines():
        words = " ".join(row.split())
        if re.match(r"\S+ = ", words):
            found.append(words)
            open_ = True
        elif open_ and words[:1] in tuple("=+-*@⊙×∘"):
            found[-1] += " " + words
        else:
            open_ = False
    return [s for s in found if not re.search(r"[@⊙]| \[", s)]  # what is left out here is in matrix form
