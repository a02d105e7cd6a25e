"""Sentences that every format writes in its own way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from symgru.backends.dialect import Dialect
from symgru.backends.sentences import SENTENCE

Formula = Callable[[Dialect], str]  # prints a formula in a dialect
_MARKED = re.compile(r"`([^`]*)`|\{(\w+)\}")


@dataclass(frozen=True)
class Prose:
    """How a format writes running text: its dialect for the formulas within, and how it spells everything else."""

    dialect: Dialect
    words: Callable[[str], str]  # symgru's own words
    given: Callable[[str, int], str]  # words from a file, made harmless, of at most so many characters
    code: Callable[[str], str]
    number: Callable[[str], str]

    def formula(self, printed: Formula) -> str:
        return self.dialect.quote(printed(self.dialect))


Text = Callable[[Prose], str]


def say(words: str, **values: Text | str) -> Text:
    """Words of symgru's own: `code` in backquotes, and {name} for another text or for words."""

    def text(p: Prose) -> str:
        written, at = "", 0
        for mark in _MARKED.finditer(words):
            written += p.words(words[at : mark.start()])
            at = mark.end()
            code, name = mark.groups()
            if name is None:
                written += p.code(code)
            else:
                value = values[name]
                written += p.words(value) if isinstance(value, str) else value(p)
        return written + p.words(words[at:])

    return text


def nothing(p: Prose) -> str:
    return ""


def formula(printed: Formula) -> Text:
    """A formula within a sentence."""
    return lambda p: p.formula(printed)


def given(untrusted: str, limit: int = 80) -> Text:
    """A name from a file."""
    return lambda p: p.given(untrusted, limit)


def told(sentence: str) -> Text:
    """A sentence that may hold names from a file."""
    return given(sentence, SENTENCE)


def number(text: object) -> Text:
    """A number as it is printed everywhere; "" leaves the place empty."""
    return lambda p: p.number(str(text)) if text != "" else ""


def numbers(texts: Iterable[object]) -> Text:
    """Several numbers in a row."""
    kept = tuple(map(str, texts))
    return lambda p: p.dialect.style.separator.join(map(p.number, kept))


def joined(texts: Iterable[Text], separator: str = ", ") -> Text:
    kept = tuple(texts)
    return lambda p: separator.join(text(p) for text in kept)
