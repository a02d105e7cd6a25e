"""Words that many texts need."""

from __future__ import annotations


def counted(n: int, what: str) -> str:
    """1 unit, 2 units."""
    return f"{n} {what}{'' if n == 1 else 's'}"
