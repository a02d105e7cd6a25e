"""The equations and the tables that all forms show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgru.backends.formula import MatrixForm, UnitForm
from symgru.backends.latex.document import LATEX
from symgru.backends.model import units_of
from symgru.backends.notation import Name, Notation, at_time, taken_apart
from symgru.backends.worked import equations
from symgru.building import build
from symgru.cell import Cell
from symgru.maps import MAPS
from symgru.network import Array, Network
from symgru.tracing import LayerTrace, Step, shown

MOST_STEPS = 24  # rows of a table; of more the first and the last

Pairs = list[tuple[str, str]]  # left and right sides, as LaTeX


def form(notation: Notation) -> MatrixForm | UnitForm:
    """Matrices and vectors, or single numbers where every axis has length 1."""
    return (LATEX.unit if set(notation.sizes.values()) == {1} else LATEX.matrix)(notation)


def cell_equations(cell: Cell, sizes: Mapping[str, int], timed: bool = True) -> Pairs:
    """A cell's equations at a general time."""
    return equations(cell, form(LATEX.notation(cell, dict(sizes), timed)))


def layers(network: Network) -> Iterator[tuple[str, Pairs]]:
    """The equations of each layer that has some, under its id."""
    units = units_of(network)
    for call, layer in network:
        if layer.kind not in MAPS:
            cell = build(layer.kind, layer.options)
            yield call.id, cell_equations(cell, units[call.id].sizes, bool(cell.states))


def step_equations(step: Step) -> Pairs:
    """What a step starts from, then each of its equations with the values that come out."""
    cell = step.cell
    printer = form(Notation(cell, step.sizes, step.timed))
    pairs = [(printer.scalar(cell.inputs[0]), row(step["x"]))]
    if step.before is not None:
        pairs.append((printer.scalar(cell.states[0][0]), row(step.before)))
    for (lhs, rhs), values in zip(cell.equations, list(step.arrays.values())[1:], strict=True):
        pairs.append((printer.scalar(lhs), f"{printer.scalar(rhs)} = {row(values)}"))
    return [(at_time(lhs, step.t), at_time(rhs, step.t)) for lhs, rhs in pairs]


def row(values: Array) -> str:
    """A vector's numbers as LaTeX."""
    return shown(values, number=LATEX.number, more=r"\dots")


def symbols(trace: LayerTrace) -> list[str]:
    """The heads of a table: the time, then every symbol, as LaTeX."""
    return ["t", *(LATEX.syntax().name(Name(*taken_apart(name))) for name in trace.symbols)]


def table(trace: LayerTrace) -> Iterator[Step | None]:
    """The steps that a table shows: of many the first and the last, and None for those between."""
    ends = MOST_STEPS // 2
    for k, step in enumerate(trace):
        if len(trace) <= MOST_STEPS or k < ends or k >= len(trace) - ends:
            yield step
        elif k == ends:
            yield None
