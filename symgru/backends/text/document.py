"""What all plain text documents share: wrapped paragraphs, equations below each other, tables."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from symgru.activations import LOGISTIC, Activation
from symgru.backends.dialect import Dialect
from symgru.backends.notation import at_time
from symgru.backends.text.printer import (
    Text,
    TextMatrix,
    TextNumbers,
    TextScalar,
    TextUnit,
)
from symgru.backends.worked import Written
from symgru.backends.wrapping import arrange
from symgru.network import Array

WIDTH = 100
BRACKET = re.compile(r"[(\[]\w+ [=+-] \w+[)\]]")
SO_FAR = "\x00"  # in a template: what comes next may take seconds
TEXT = Dialect(TextMatrix, TextUnit, TextScalar, TextNumbers, Text, "(t-1)", "")


def gathered(pieces: Iterator[str]) -> Iterator[str]:
    """A few large pieces in place of thousands of small ones; a reader never waits for what is known already."""
    held: list[str] = []
    for piece in pieces:
        held.append(piece.replace(SO_FAR, ""))
        if SO_FAR in piece or len(held) > 1000:
            yield "".join(held)
            held.clear()
    yield "".join(held)


def paragraph(text: str) -> str:
    """A paragraph, wrapped; a short bracket such as [i = l] stays whole."""
    whole = BRACKET.sub(lambda found: found[0].replace(" ", "\xa0"), " ".join(text.split()))
    filled = textwrap.fill(
        whole,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace("\xa0", " ")


def formula(lhs: str, parts: list[str], pad: int = 0, indent: int = 2, latest: int = 0) -> str:
    """lhs = part = part, wrapped; the equals signs stand below each other. Where the time is still open, there is
    room for it up to `latest`."""
    head = " " * indent + lhs.ljust(pad)
    rows = arrange(parts, WIDTH - len(at_time(head, latest)) - 5, lambda text: len(at_time(text, latest)))
    blank = " " * len(head)
    return "\n".join(
        f"{(blank if k else head)} {'=' if starts else ' '} {'' if starts else '  '}{text}"
        for k, (starts, text) in enumerate(rows)
    )


def aligned(pairs: list[tuple[str, str]], indent: int = 2, latest: int = 0) -> list[str]:
    """Equations, one below the other."""
    pad = max((len(lhs) for lhs, _ in pairs), default=0)
    return [formula(lhs, [rhs], pad, indent, latest) for lhs, rhs in pairs]


def definitions(activations: tuple[Activation, ...], uses_sigma: bool, indent: int = 2) -> list[str]:
    """What each named function means."""
    form = Text()
    pairs = [("σ(a)", LOGISTIC)] * uses_sigma + [(f"{a.name}(a)", a.meaning) for a in activations]
    return [formula(lhs, [form.scalar(meaning)], indent=indent) for lhs, meaning in pairs]


def written(w: Written, pad: int) -> str:
    """One worked line."""
    return formula(w.lhs, worked(w), pad)


def worked(w: Written) -> list[str]:
    """What stands behind each equals sign of a worked line."""
    mark = f" † {w.more}" if w.more else ""
    since = f", since {' and '.join(w.since)}" if w.since else ""
    return [w.symbols, w.numbers, w.value + mark + since]


def table(header: list[str], rows: list[list[str]], left: int = 0) -> list[str]:
    """Columns aligned to the right, the first `left` to the left."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    lines = [header, ["─" * w for w in widths], *rows]
    return [
        "  "
        + "  ".join(
            cell.ljust(w) if k < left else cell.rjust(w) for k, (cell, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def nested(texts: Array, indent: int, comma: str = ",") -> str:
    """A row of numbers as [a, b], several as [[a, b], [c, d]], wrapped; one number as itself."""
    if texts.size == 1:
        return str(texts[0, 0])
    rows = [_wrapped([str(v) for v in row], indent + (len(texts) > 1), comma) for row in texts]
    if len(rows) == 1:
        return rows[0]
    return "[" + (f"{comma}\n" + " " * (indent + 1)).join(rows) + "]"


def _wrapped(words: list[str], indent: int, comma: str) -> str:
    lines, line = [], "["
    for k, word in enumerate(words):
        piece = word + (comma if k < len(words) - 1 else "]")
        if line.strip(" [") and indent + len(line) + len(piece) > WIDTH:
            lines.append(line.rstrip())
            line = " "
        line += piece + " "
    return ("\n" + " " * indent).join([*lines, line.rstrip()])
