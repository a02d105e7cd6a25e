"""Worked lines in plain text, and in the text blocks of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.calculator.line import Line, Section, lines, step_of


def text(document: str) -> list[Line]:
    return lines(_sections(document, r"^(Step \d+|Output)(?:: .*)?\n((?:  .*\n)+)"))


def markdown(document: str) -> list[Line]:
    return lines(_sections(document, r"^### (Step \d+|Output).*\n\n```text\n((?:.*\n)*?)```"))


def _sections(document: str, pattern: str) -> Iterator[Section]:
    for heading, body in re.findall(pattern, document, re.MULTILINE):
        yield step_of(heading), statements(body)


def statements(body: str) -> list[str]:
    """A statement may take several rows, of which all but the first start with a sign."""
    found: list[str] = []
    for row in body.replace("·", "*").splitlines():
        words = " ".join(row.split())
        if words[0] in "=+-*":
            found[-1] += " " + words
        else:
            found.append(words)
    return found
