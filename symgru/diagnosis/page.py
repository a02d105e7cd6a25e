"""The mistakes that diagnose tries on a GRU as a page, docs/mistakes.md, from the tables alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from symgru.building import build
from symgru.diagnosis.rarer import catalogue, earlier_states
from symgru.mistakes import Mistake
from symgru.network import Layer, Tensor

SIZES = {"H": 2, "D": 3}  # of the layer that the page speaks of
STEPS = 4
ORDER, SIGNS = "gate order", "signs"


def markdown() -> Iterator[str]:
    """The table's lines, the commonest first."""
    yield "| rank | about | what people do | what is right | known from |"
    yield "|---|---|---|---|---|"
    for m in listed():
        row = (str(m.rank), m.kind, m.says, m.instead, m.known_from)
        yield "| " + " | ".join(re.sub(r"\|", r"\\|", cell) for cell in row) + " |"


def listed() -> tuple[Mistake, ...]:
    """Those of a GRU with biases, and of its sequence; of a family of many the first."""
    return tuple(_first_of_families((*catalogue(_layer()), *earlier_states(STEPS))))


def _first_of_families(mistakes: Sequence[Mistake]) -> Iterator[Mistake]:
    seen: set[tuple[str, str]] = set()
    for m in sorted(mistakes, key=lambda m: m.rank):
        where = m.name.partition(" in ")[2]
        family = (m.kind, where) if m.kind == ORDER and where else (m.kind, m.name)
        if m.kind == SIGNS and m.name.startswith("of "):
            family = (m.kind, "of one")
        if family not in seen:
            seen.add(family)
            yield m


def _layer() -> Layer:
    cell = build("gru", {})
    shapes = {p.name: [SIZES[d] for d in cell.dims[p]] for p in cell.params}
    return Layer("gru", "gru", "gru", {}, {name: Tensor(np.full(shape, -0.5)) for name, shape in shapes.items()})
