"""Where values lie that are needed for a while: places in one array, given again when nothing reads the value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Span:
    """A value of `size` numbers, written at the time `birth` and read until `death`; `offset` is its place."""

    name: str
    size: int
    birth: int
    death: int
    offset: int = 0


def lay_out(spans: Sequence[Span]) -> int:
    """Give each span the lowest place where nothing lives at the same time, the largest first; returns how many numbers
    there are in all."""
    placed: list[Span] = []
    for span in sorted(spans, key=lambda s: (-s.size, s.birth)):
        beside = sorted(
            (p for p in placed if p.birth <= span.death and span.birth <= p.death),
            key=lambda p: p.offset,
        )
        span.offset = 0
        for other in beside:
            if span.offset + span.size <= other.offset:
                break
            span.offset = max(span.offset, other.offset + other.size)
        placed.append(span)
    return max((s.offset + s.size for s in placed), default=0)
