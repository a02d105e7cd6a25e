"""What the pictures of one layer share: the spelling and the colour of each of its symbols."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from sympy import Expr, Symbol

from symgru.algebra import Mat, Ref, walk
from symgru.backends.notation import Name, taken_apart
from symgru.cell import Cell
from symgru.drawing.circuit import Wire
from symgru.drawing.colours import INK, Colour, colours, letter
from symgru.drawing.formulas import Formulas
from symgru.drawing.shapes import Runs
from symgru.drawing.spelling import Spelling
from symgru.styles import Style
from symgru.wording import counted
from symgru.working import Working


class Scribe:
    """Writes the symbols of a layer as a picture shows them."""

    def __init__(self, working: Working, style: Style) -> None:
        self.working, self.spell = working, Spelling(style)
        self.formulas = Formulas(working.cell, working.sizes, working.timed, self.spell)

    @property
    def title(self) -> str:
        """What is drawn, in a title: "gru, 2 units, 1 feature"."""
        sizes = self.working.sizes
        return f"{self.working.layer.id}, {counted(sizes['H'], 'unit')}, {counted(sizes['D'], 'feature')}"

    @property
    def cell(self) -> Cell:
        return self.working.cell

    @cached_property
    def _colours(self) -> dict[str, Colour]:
        return dict(colours(self.cell))

    def colour(self, symbol: str) -> Colour:
        return self._colours[letter(self.cell, symbol)]

    def letter(self, name: str) -> Name:
        """A quantity's letter alone, without time and index."""
        return Name(*taken_apart(name))

    def parameters(self, e: Expr) -> Iterator[Symbol]:
        """The weights that a formula mentions, in its order."""
        yield from dict.fromkeys(s for s in walk(e) if isinstance(s, Symbol) and s in self.cell.params)

    def parameter(self, p: Symbol) -> Runs:
        notation = self.formulas.notation
        return self.spell.symbol(notation.matrix(p) if isinstance(p, Mat) else notation.vector(p))

    def weight(self, ref: Ref) -> Runs:
        """A weight's number as it was given."""
        return self.spell.number(str(self.working.layer.weights[ref.of.name].text[ref.idx]))

    def source(self, wire: Wire) -> tuple[Runs, Colour]:
        """What comes in on a wire, in the colour of its letter; a product of several has none of its own."""
        e = wire.source if wire.source is not None else wire.weight
        assert e is not None
        found = {s.of.name for s in walk(e) if isinstance(s, Ref)}
        return self.formulas.scalar(e), self.colour(found.pop()) if len(found) == 1 else INK

    def said(self, e: Expr) -> str:
        """A value in plain words for a screen reader: "z 1", "h 2"."""
        return " times ".join(map(_spoken, _refs(e)))

    def said_wire(self, wire: Wire) -> str:
        weight = str(self.working.layer.weights[wire.weight.of.name].text[wire.weight.idx]) if wire.weight else ""
        if wire.source is None:
            return weight
        said = self.said(wire.source)
        said = f"(1 minus {said})" if wire.source.is_Add else said
        return f"{weight} times {said}" if weight else said

    def key(self, wire: Wire, into: Ref) -> str:
        """From where to where a wire leads: "x_1 to z_2", "r_1 h_1 to n_1"; a bias from its name."""
        e = wire.source if wire.source is not None else wire.weight
        assert e is not None
        return f"{'1-' if e.is_Add else ''}{' '.join(map(_key, _refs(e)))} to {_key(into)}"


def _refs(e: Expr) -> Iterator[Ref]:
    return (s for s in walk(e) if isinstance(s, Ref))


def _spoken(ref: Ref) -> str:
    index = " ".join(str(k + 1) for k in reversed(ref.idx))
    return f"{'the previous ' if ref.dt == -1 else ''}{ref.of.name.replace('_', ' ')} {index}"


def _key(ref: Ref) -> str:
    return "_".join([ref.of.name, *(str(k + 1) for k in reversed(ref.idx))])
