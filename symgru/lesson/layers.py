"""What a worked example says of one layer: its weights, how it is connected, its equations, its steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sympy import Expr, Symbol

from symgru.activations import LOGISTIC, Activation
from symgru.algebra import Mat
from symgru.backends.formula import MatrixForm, Name, UnitForm
from symgru.backends.model import units_of
from symgru.backends.worked import (
    Dialect,
    elements,
    held,
    input_name,
    names,
    parameter,
    scientific,
    shown_steps,
    source,
    starting_names,
    summary_symbols,
    summary_value,
)
from symgru.explanation import Explanation
from symgru.lesson.beside import beside_wikipedia
from symgru.lesson.contributions import contributions
from symgru.lesson.extent import Extent
from symgru.lesson.letters import letters
from symgru.lesson.parts import (
    Equation,
    Equations,
    Heading,
    Lines,
    Paragraph,
    Part,
    Picture,
    Step,
    Table,
    Vectors,
    Weights,
)
from symgru.lesson.prose import Formula, Text, formula, number, say, told
from symgru.network import Array
from symgru.working import Working

MOST_WEIGHTS, MANY_WEIGHTS = 400, 40  # numbers of an array that are printed; in an overview; a larger one is drawn
MOST_LISTED = 24  # numbers of a row of the input
MARKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)  # steps at which the error is shown
NARROW = 13  # characters of an input that has room in the summary
MOST_SUMMANDS, LARGEST = 12, 5  # products of a sum that are printed in full; of a longer one
MOST_FILLED = 4  # rows and columns of a matrix that is printed within a formula


def layer_parts(e: Explanation, layer: Working, extent: Extent) -> Iterator[Part]:
    """Everything of one layer, under its heading."""
    if said := source(layer):
        yield Paragraph(told(said))
    yield from weights(e, layer, MANY_WEIGHTS if extent.of(layer) == "overview" else MOST_WEIGHTS)
    yield from connections(e, layer)
    yield from equations(layer)
    yield from letters(layer, e.style)
    if layer is next(other for other in e.layers if other.layer.kind == layer.layer.kind):
        yield from beside_wikipedia(layer, e.style)
    yield from layer_numbers(e, layer, extent)


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


def weights(e: Explanation, layer: Working, most: int) -> Iterator[Part]:
    """Each array of get_weights(): its numbers, or where they are more than `most` a picture of them."""
    if not layer.arrays:
        return
    yield Heading(3, say("Weights"))
    large = [a for a in layer.arrays if sum(b.texts.size for row in a.blocks for b in row) > most]
    count = units_of(e.network)[layer.trace.call.id].count
    if len(large) == len(layer.arrays):
        yield Paragraph(say("{count}. Each array of `get_weights()`, the blocks under their symbols:", count=count))
    else:
        yield Paragraph(say("{count}. Each array of `get_weights()`, and the symbol of each number:", count=count))
    if max(layer.sizes.values()) > 1:
        yield Paragraph(lambda p: elements(layer.cell, layer.sizes, p.dialect) + ".")
    for array in layer.arrays:
        if array not in large:
            yield Weights(layer, array)
    if large:
        yield heat_map(e, layer)
    if layer.partly_left_out:
        yield Paragraph(say("All 0 and left out below: {names}.", names=_parameters(layer)))


def _parameters(layer: Working) -> Text:
    return formula(lambda d: ", ".join(parameter(layer, d, s) for s in layer.partly_left_out))


def heat_map(e: Explanation, layer: Working) -> Picture:
    from symgru import drawing

    return Picture(
        lambda: drawing.heat_map(layer, style=e.style), say("The weights, one square a number, the gates side by side.")
    )


def connections(e: Explanation, layer: Working) -> Iterator[Part]:
    """Which input reaches which node: the cell with the weights on its edges, then the same cell at every step."""
    from symgru import drawing

    if not any(isinstance(p, Mat) for p in layer.cell.params):  # element by element
        return
    yield Heading(3, say("How it is connected"))
    if not layer.cell.states:
        sizes = {name: f"{n} {what}{'s' * (n > 1)}" for name, what, n in _counted(layer)}
        yield Paragraph(say("Each of {H} reads {D}." if layer.sizes["H"] > 1 else "{H} reads {D}.", **sizes))
    yield Picture(lambda: drawing.wiring(layer, style=e.style), say("What each unit reads, and with which weight."))
    if layer.cell.states:
        yield Paragraph(
            say(
                "There is one set of weights. It is used {times}: step {t} reads the input {x} and the state that the "
                "step before it has left. The inputs are never summed or joined into one.",
                times="once" if layer.steps == 1 else f"{layer.steps} times, once for each step",
                t=formula(lambda d: "t"),
                x=formula(lambda d: d.unit(d.notation(layer.cell, _single(layer))).scalar(layer.cell.inputs[0])),
            )
        )
        yield Picture(
            lambda: drawing.unrolled(layer, style=e.style), say("The same unit at each step, with the values it takes.")
        )


def _counted(layer: Working) -> Iterator[tuple[str, str, int]]:
    yield "H", "unit", layer.sizes["H"]
    yield "D", "input", layer.sizes["D"]


def _single(layer: Working) -> dict[str, int]:
    """Sizes at which no symbol has an index."""
    return dict.fromkeys(layer.sizes, 1)


def equations(layer: Working) -> Iterator[Part]:
    """The cell's equations as its framework has them, in matrix form where there are several units, then per unit."""
    yield Heading(3, say("Equations"))
    if max(layer.sizes.values()) > 1:
        yield Paragraph(
            say(
                "In matrix form ({dot} is the element-wise product):",
                dot=formula(lambda d: d.syntax().hadamard.strip()),
            )
        )
        yield _equations(layer, matrix=True)
        yield Paragraph(say("For each unit {i}:", i=formula(lambda d: "i")))
    else:
        yield Paragraph(say("At each step {t}:", t=formula(lambda d: "t")) if layer.timed else say("The output:"))
    yield _equations(layer, matrix=False)
    meant = tuple(_definitions(layer))
    if layer.cell.states:
        yield Paragraph(
            say("with {start}{more}", start=formula(lambda d: _start(layer, d)), more=" and" if meant else ".")
        )
    elif meant:
        yield Paragraph(say("with"))
    if meant:
        yield Equations(meant, tied=False)
    yield Paragraph(lambda p: " ".join(names(layer, p.dialect)))


def _equations(layer: Working, matrix: bool) -> Equations:
    def form(d: Dialect) -> MatrixForm | UnitForm:
        notation = d.notation(layer.cell, dict(layer.sizes), layer.timed)
        return d.matrix(notation) if matrix else d.unit(notation)

    def side(e: Expr) -> Formula:
        return lambda d: form(d).scalar(e)

    return Equations(tuple(Equation(side(lhs), (side(rhs),)) for lhs, rhs in layer.cell.equations))


def _hadamard(d: Dialect) -> str:
    return d.syntax().hadamard.strip()


def _start(layer: Working, d: Dialect) -> str:
    """h_0 = 0"""
    name = starting_names(layer, d, 1)[1]
    return f"{name} = {d.row(layer.state(0)) if layer.start else d.number('0')}"


def _definitions(layer: Working) -> Iterator[Equation]:
    """What each named function means."""

    def meaning(e: Expr) -> Formula:
        return lambda d: d.syntax().scalar(e)

    def called(activation: Activation) -> Formula:
        return lambda d: d.syntax().function(activation.name, "a")

    if layer.uses_sigma:
        yield Equation(lambda d: d.syntax().function("sigma", "a"), (meaning(LOGISTIC),))
    for a in layer.activations:
        yield Equation(called(a), (meaning(a.meaning),))


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
            "All {n} units are computed alike; this is the first. The numbers of all of them are in the spreadsheet.",
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
    states = {new: old for old, new in layer.cell.states}
    symbols = summary_symbols(layer)
    xs = range(features) if features <= 2 and max(len(str(v)) for v in layer.x_texts.ravel()) < NARROW else ()

    def letter(s: Symbol, *index: str) -> Text:
        return formula(lambda d: d.syntax().name(Name(states.get(s, s).name, index=index)))

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


def input_equations(e: Explanation) -> Iterator[Equation]:
    """The inputs as typed: one equation for a single feature, else one a step."""
    one = len(e.inputs) == 1
    for put, each in zip(e.network.inputs, e.inputs, strict=True):
        yield from _input("x" if one else put.id, each.text[0])


def _input(name: str, texts: Array) -> Iterator[Equation]:
    rows = texts.reshape(len(texts), -1)

    def values(row: Array) -> Formula:
        kept = tuple(map(str, row))
        if len(kept) <= MOST_LISTED:
            return lambda d: d.listed(kept)
        return lambda d: d.listed((*kept[:-3][: MOST_LISTED - 4], d.syntax().ellipsis, *kept[-3:]))

    def called(time: str) -> Formula:
        return lambda d: input_name(d, name, time)

    if rows.shape[1] == 1:
        yield Equation(called(""), (values(rows[:, 0]),))
        return
    for t, row in enumerate(rows, 1):
        yield Equation(called(str(t)), (values(row),))
