"""Layers that have no worked lines: normalisations, merges, and maps that move or look up values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from symgru.backends.dialect import Dialect
from symgru.backends.formula import MatrixForm
from symgru.backends.notation import Name
from symgru.backends.sentences import kind
from symgru.building import build
from symgru.explanation import Explanation
from symgru.lesson.parts import Equation, Equations, Heading, Paragraph, Part, Table
from symgru.lesson.prose import Formula, Text, formula, given, number, say, told
from symgru.maps import MAPS
from symgru.network import Array, Call, Edge, Layer
from symgru.shapes import shapes
from symgru.wiring import does, phrase
from symgru.working import as_used

MOST_VALUES, WIDEST = 200, 12  # numbers of a value that are printed; columns that have room side by side


def between(e: Explanation, call: Call, layer: Layer) -> Iterator[Part]:
    """What a call without lines of its own makes of its inputs, in words and in numbers."""
    what = does(layer) if layer.kind in MAPS else kind(build(layer.kind, layer.options))
    yield Heading(2, say("“{label}”: {what}", label=given(layer.label or call.id), what=given(what)))
    read = [phrase(e.network, edge) for edge in call.args]
    yield Paragraph(told(f"It takes {' and '.join(read)}, and gives:"))
    if layer.kind not in MAPS:
        yield _equations(e, call, layer)
    yield from _values(e.values[Edge(call.id)][0], e)


def _equations(e: Explanation, call: Call, layer: Layer) -> Equations:
    cell = build(layer.kind, layer.options)
    width = shapes(e.network)[Edge(call.id)][-1] or 2
    sizes = {"H": width, "D": width}

    def form(d: Dialect) -> MatrixForm:
        return d.matrix(d.notation(cell, sizes, timed=False))

    def side(s: object) -> Formula:
        return lambda d: form(d).scalar(s)

    return Equations(tuple(Equation(side(lhs), (side(rhs),)) for lhs, rhs in cell.equations))


def _values(value: Array, e: Explanation) -> Iterator[Part]:
    """A value of the chain: a row for each time step where it has a time axis."""
    timed = value.ndim > 1
    rows = value.reshape(len(value), -1) if timed else value.reshape(1, -1)
    if rows.size > MOST_VALUES or rows.shape[1] > WIDEST:
        shape = " x ".join(map(str, value.shape))
        yield Paragraph(say("{n} numbers, {shape}.", n=str(value.size), shape=shape))
        return

    def text(v: object) -> str:
        return as_used(v, e.rounding) if isinstance(v, Decimal) else str(int(v))  # type: ignore[call-overload]

    def head(k: int) -> Text:
        return formula(lambda d: d.syntax().name(Name("y", index=(str(k),) if rows.shape[1] > 1 else ())))

    heads = (*([formula(lambda d: "t")] if timed else []), *(head(k) for k in range(1, rows.shape[1] + 1)))
    body = ((*([number(t)] if timed else []), *(number(text(v)) for v in row)) for t, row in enumerate(rows, 1))
    yield Table(heads, tuple(body))
