"""A layer at work: its steps one after the other, or one unit of many, and what came out of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sympy import Symbol

from symgru.backends.notation import Name
from symgru.backends.sentences import held, scientific
from symgru.backends.worked import shown_steps, starting_names, summary_symbols, summary_value
from symgru.explanation import Explanation
from symgru.lesson.contributions import contributions
from symgru.lesson.extent import Extent
from symgru.lesson.parts import (
    Equation,
    Heading,
    Lines,
    Paragraph,
    Part,
    Picture,
    Step,
    Table,
    Vectors,
)
from symgru.lesson.prose import Formula, Text, formula, number, say, told
from symgru.working import Working

MARKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)  # steps at which the error is shown
FEW, NARROW = 2, 13  # inputs of which each has fewer characters have room in the summary
MOST_SUMMANDS, LARGEST = 12, 5  # products of a sum that are printed in full; of a longer one
MOST_FILLED = 4  # rows and columns of a matrix that is printed within a formula


def layer_numbers(e: Explanation, layer: Working, extent: Extent) -> Iterator[Part]:
    """A layer's steps and what came out of them."""
    detail = extent.of(layer)
    if detail == "overview":
        yield from one_unit(layer)
        yield from drift(e, layer)
    else:
        yield from steps(layer, extent)
    if layer.timed:
        yield from over_time(e, layer, extent)


def steps(layer: Working, extent: Extent) -> Iterator[Part]:
    """The steps one after the other: every line, or the matrix form and one unit's lines."""
    full, several = extent.of(layer) == "full", layer.sizes["H"] > 1
    for t in shown_steps(layer, extent.ends(layer)):
        if isinstance(t, range):
            first, last = str(t[0]), str(t[-1])
            yield Paragraph(say("Steps {a} to {b} are worked in the same way.", a=first, b=last))
            continue
        yield Step(say("Step {t}", t=str(t)) if layer.timed else say("Output"), starts(layer, t))
        if layer.keeps(t):
            yield Paragraph(told(held(layer, t)))
            continue
        matrix = several and (t == 1 or not full)
        if matrix:
            yield Paragraph(say("In matrix form:"))
            yield Vectors(layer, t, filled=full and _small(layer))
        if full:
            if matrix:
                yield Paragraph(say("Row by column, one line for each number:"))
            yield Lines(layer, t)
        elif t == 1:
            yield Paragraph(say("Unit 1 of it in full:"))
            yield from one_units_lines(layer, t, 0)


def _small(layer: Working) -> bool:
    return max(layer.sizes.values()) <= MOST_FILLED


def starts(layer: Working, t: int) -> tuple[Equation, ...]:
    """What a step starts from: its input and the state before it."""
    rows = [tuple(map(str, layer.x_texts[t - 1])), *([layer.state(t - 1)] if layer.cell.states else [])]

    def name(k: int) -> Formula:
        return lambda d: starting_names(layer, d, t)[k]

    def values(texts: tuple[str, ...]) -> Formula:
        return lambda d: d.row(texts)

    return tuple(Equation(name(k), (values(texts),)) for k, texts in enumerate(rows))


def one_units_lines(layer: Working, t: int, unit: int) -> Iterator[Part]:
    """One unit at one step, long sums by their largest products."""
    yield from contributions(layer, t, unit, MOST_SUMMANDS, LARGEST)
    yield Lines(layer, t, unit, MOST_SUMMANDS)


def one_unit(layer: Working) -> Iterator[Part]:
    """Of many units the first, at the last step that is worked."""
    worked = [t for t in range(1, layer.steps + 1) if not layer.keeps(t)]
    if not worked:
        return
    t = worked[-1]
    yield Step(say("Step {t}, unit 1", t=str(t)) if layer.timed else say("Output, unit 1"))
    yield Paragraph(
        say(
            "All {n} units are computed alike; this is the first. The numbers of all: `symgru explain … -o F.xlsx`.",
            n=str(layer.sizes["H"]),
        )
    )
    yield from one_units_lines(layer, t, 0)


def drift(e: Explanation, layer: Working) -> Iterator[Part]:
    """How far the rounded chain is from unrounded decimals after some of the steps, over all units."""
    found = next(t for t in e.unrounded.traces if t.call.id == layer.trace.call.id)
    name = layer.cell.output.name
    off = np.abs(layer.trace.columns[name][0] - found.columns[name][0]).reshape(-1, layer.sizes["H"]).astype(float)
    shown = [t for t in (*MARKS, layer.steps) if t <= layer.steps]

    def row(t: int) -> tuple[Text, ...]:
        return number(t), number(scientific(off[t - 1].max())), number(scientific(np.median(off[t - 1])))

    yield Paragraph(say("What rounding to {d} decimals has done to the output of this layer:", d=str(e.decimals)))
    heads = (say("after step"), say("largest error"), say("median error"))
    yield Table(heads, tuple(row(t) for t in dict.fromkeys(shown)))


def over_time(e: Explanation, layer: Working, extent: Extent) -> Iterator[Part]:
    """The summary: a table of every gate and state after each step, and the same as a picture."""
    from symgru import drawing

    if extent.of(layer) != "overview":
        yield Heading(3, say("Summary"))
        yield summary(layer, extent.ends(layer))
    if layer.steps > 2 and extent.answers:
        yield Picture(lambda: drawing.over_time(layer, style=e.style), say("Every quantity over time."))


def summary(layer: Working, show: int | None) -> Table:
    """One row for each step, for several units one for each step and unit."""
    units, features = layer.sizes["H"], layer.sizes["D"]
    symbols = summary_symbols(layer)
    xs = range(features) if features <= FEW and max(len(str(v)) for v in layer.x_texts.ravel()) < NARROW else ()

    def letter(s: Symbol, *index: str) -> Text:
        return formula(lambda d: d.syntax().name(Name(layer.cell.stored(s).name, index=index)))

    heads = (
        formula(lambda d: "t"),
        *([say("unit")] if units > 1 else []),
        *(letter(layer.cell.inputs[0], *([str(k + 1)] if features > 1 else [])) for k in xs),
        *map(letter, symbols),
    )

    def rows() -> Iterator[tuple[Text, ...]]:
        for t in shown_steps(layer, show):
            if isinstance(t, range):
                yield (say("…"), *[number("")] * (len(heads) - 1))
                continue
            for unit in range(units):
                yield (
                    number(t if unit == 0 else ""),
                    *([number(unit + 1)] if units > 1 else []),
                    *(number(layer.x_texts[t - 1][k] if unit == 0 else "") for k in xs),
                    *(number(summary_value(layer, s, t, unit)) for s in symbols),
                )

    return Table(heads, tuple(rows()))
