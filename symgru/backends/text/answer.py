"""The answer to a person whose numbers do not match, as plain text."""

from __future__ import annotations

from symgru.answer import Answer
from symgru.backends.text.printer import ascii_text
from symgru.backends.text.worked import TextWriter
from symgru.lesson.answer import outline


def render_answer(a: Answer, ascii: bool = False) -> str:
    """Of at most 100 columns; `ascii` for terminals that show nothing else."""
    text = "".join(TextWriter().write(outline(a)))
    return ascii_text(text) if ascii else text
