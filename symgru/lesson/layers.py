"""What a worked example says of one layer: its weights, how it is connected, its equations."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symgru.activations import LOGISTIC, Activation
from symgru.algebra import Mat
from symgru.backends.dialect import Dialect
from symgru.backends.formula import MatrixForm, UnitForm
from symgru.backends.model import units_of
from symgru.backends.sentences import elements, names, source
from symgru.backends.worked import parameter, starting_names
from symgru.explanation import Explanation
from symgru.lesson.beside import beside_wikipedia
from symgru.lesson.extent import Extent
from symgru.lesson.letters import letters
from symgru.lesson.parts import (
    Equation,
    Equations,
    Heading,
    Paragraph,
    Part,
    Picture,
    Weights,
)
from symgru.lesson.prose import Formula, Text, formula, say, told
from symgru.lesson.steps import layer_numbers
from symgru.wording import counted
from symgru.working import Working

MOST_WEIGHTS, MANY_WEIGHTS = 800, 40  # numbers of an array that are printed; in an overview; a larger one is drawn


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


def weights(e: Explanation, layer: Working, most: int) -> Iterator[Part]:
    """Each array of get_weights(): its numbers, or where they are more than `most` a picture of them."""
    if not layer.arrays:
        return
    yield Heading(3, say("Weights"))
    large = [a for a in layer.arrays if sum(b.texts.size for row in a.blocks for b in row) > most]
    count = units_of(e.network)[layer.trace.call.id].count.replace(" x ", " × ").replace("*", "·")
    turned = ", its blocks transposed" if e.style.columns and max(layer.sizes.values()) > 1 else ""
    what = "the blocks under their symbols" if len(large) == len(layer.arrays) else "the symbol of each number"
    yield Paragraph(say(f"{count}. Each array of `get_weights()`{turned}, and {what}:"))
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
        sizes = {name: counted(n, what) for name, what, n in _counted(layer)}
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
        yield Picture(lambda: drawing.unrolled(layer, style=e.style, noted=False), _unit_at_each_step(layer))


def _unit_at_each_step(layer: Working) -> Text:
    units = layer.sizes["H"]
    if units == 1:
        return say("The same unit at each step, with the values it takes.")
    return say(
        "Unit 1 of {n} at each step, with the values it takes. It reads the state of all {n} units.", n=str(units)
    )


def _counted(layer: Working) -> Iterator[tuple[str, str, int]]:
    yield "H", "unit", layer.sizes["H"]
    yield "D", "input", layer.sizes["D"]


def _single(layer: Working) -> dict[str, int]:
    """Sizes at which no symbol has an index."""
    return dict.fromkeys(layer.sizes, 1)


def equations(layer: Working) -> Iterator[Part]:
    """The cell's equations under their heading, and what their letters and those of the worked lines are."""
    yield Heading(3, say("Equations"))
    yield from formulas(layer)
    yield Paragraph(lambda p: " ".join(names(layer, p.dialect)))


def formulas(layer: Working) -> Iterator[Part]:
    """The equations as the layer's framework has them, in matrix form where there are several units, then per unit."""
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


def _equations(layer: Working, matrix: bool) -> Equations:
    def form(d: Dialect) -> MatrixForm | UnitForm:
        notation = d.notation(layer.cell, dict(layer.sizes), layer.timed)
        return d.matrix(notation) if matrix else d.unit(notation)

    def side(e: Expr) -> Formula:
        return lambda d: form(d).scalar(e)

    return Equations(tuple(Equation(side(lhs), (side(rhs),)) for lhs, rhs in layer.cell.equations), own=True)


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
