"""Words that many texts need."""

from __future__ import annotations

from collections.abc import Sequence


def counted(n: int, what: str) -> str:
    """1 unit, 2 units."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
