"""Worked lines in plain text, and in the text blocks of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.calculator.line import Line, Section, lines, step_of


def text(document: str) -> list[Line]:
    """Under a heading, which alone starts at the margin, everything indented down to the next heading."""
    return lines(_sections(document, r"^((?:Step \d+|Output)\b).*\n((?:(?: .*)?\n)+)"))


def markdown(document: str) -> list[Line]:
    """Under a heading every block of text down to the next heading."""
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
        elif open_ and words[:1] in tuple("=+-*@⊙×"):
            found[-1] += " " + words
        else:
            open_ = False
    return [s for s in found if not re.search(r"[@⊙]| \[", s)]  # what is left out here is in matrix form
