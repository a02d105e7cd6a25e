"""The wiring of a few units in full: for each gate of each unit, every line that leads into it with its weight.

One small diagram for each, so that no two lines that carry numbers cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from symgru.algebra import Ref
from symgru.drawing.circuit import PLUS, TIMES, Joint, Wire, circuits
from symgru.drawing.colours import FAINT, INK
from symgru.drawing.measure import width
from symgru.drawing.scribe import Scribe
from symgru.drawing.shapes import (
    HAIR,
    ITALIC,
    PAGE,
    SMALL,
    USUAL,
    Box,
    Disc,
    Drawing,
    Group,
    Point,
    Polyline,
    Runs,
    Shape,
    Text,
    line,
    moved,
    words,
)
from symgru.styles import DEFAULT, Style
from symgru.wording import counted
from symgru.working import Working

ROW = 11.5  # from one line to the next
STUB = 3.0  # what a line has on either side of its number
SPREAD = 15.0  # in which lines come together
JOINT = 4.5  # the radius of a + or ×
NODE = 12.0  # how high a value's box is
HEADER = 17.0
BELOW, BESIDE = 8.0, 10.0  # between two fans


@dataclass(frozen=True)
class _Fan:
    """One value with all that leads into it, drawn from (0, 0)."""

    shapes: tuple[Shape, ...]
    width: float
    height: float


@dataclass(frozen=True)
class _Column:
    """One gate: its heading and a fan for each unit."""

    heading: tuple[Text, ...]
    width: float
    fans: tuple[_Fan, ...]


def fans(working: Working, style: Style = DEFAULT) -> Drawing:
    """Every weight of a layer on a line of its own, gate by gate and unit by unit."""
    scribe = Scribe(working, style)
    columns: list[_Column] = []
    trees = circuits(working)
    for lhs, _ in scribe.cell.equations:
        name = scribe.cell.stored(lhs).name
        made = _fans(scribe, {value: tree for value, tree in trees.items() if value.of.name == name})
        heading = tuple(_heading(scribe, name))
        columns.append(_Column(heading, max(_right(heading), *(fan.width for fan in made)), made))
    shapes: list[Shape] = []
    right = y = 0.0
    for row in _rows(columns):
        below, beside = _row(row, y + (2 * BELOW if y else 0), shapes)
        y, right = below, max(right, beside)
    return Drawing(right, y + 1, *_said(scribe, trees), tuple(shapes))


def _rows(columns: Sequence[_Column]) -> Iterator[list[_Column]]:
    """As many gates side by side as the page is wide."""
    row: list[_Column] = []
    for column in columns:
        if row and sum(c.width + BESIDE for c in row) + column.width > PAGE:
            yield row
            row = []
        row.append(column)
    yield row


def _row(row: list[_Column], y: float, shapes: list[Shape]) -> tuple[float, float]:
    """Places gates side by side, the same unit at the same height; gives where they end."""
    right = sum(column.width + BESIDE for column in row) - BESIDE
    x = 0.0
    for column in row:
        shapes += [moved(text, x, y) for text in column.heading]
        x += column.width + BESIDE
    y += HEADER
    for place, across in enumerate(zip_longest(*(column.fans for column in row))):
        if place:
            shapes.append(line((0, y), (right, y), ink=FAINT, width=HAIR, dash=(1, 2)))
            y += BELOW / 2 + 1
        x, height = 0.0, max(fan.height for fan in across if fan)
        for column, fan in zip(row, across, strict=True):
            shapes += [moved(shape, x, y) for shape in (fan.shapes if fan else ())]
            x += column.width + BESIDE
        y += height + BELOW / 2
    return y, right


def _heading(scribe: Scribe, name: str) -> Iterator[Text]:
    """A gate's letter, and the names of the weights on its lines."""
    rhs = next(rhs for lhs, rhs in scribe.cell.equations if scribe.cell.stored(lhs).name == name)
    letter = scribe.spell.symbol(scribe.letter(name))
    yield Text(ITALIC, 9, letter, size=USUAL + 1, ink=scribe.colour(name))
    runs: Runs = ()
    for p in scribe.parameters(rhs):
        runs += (words(", ") if runs else ()) + scribe.parameter(p)
    if runs:
        yield Text(ITALIC + width(letter, USUAL + 1) + 6, 9, runs, size=SMALL, ink=FAINT)


def _right(texts: Sequence[Text]) -> float:
    return max((text.x + width(text.runs, text.size) for text in texts), default=0.0)


def _fans(scribe: Scribe, trees: Mapping[Ref, Joint]) -> tuple[_Fan, ...]:
    """The units of one gate, their numbers below each other."""
    wires = [wire for tree in trees.values() for wire in tree.wires()]
    names = max(width(scribe.source(wire)[0], USUAL) for wire in wires)
    numbers = [width(scribe.weight(wire.weight), SMALL) for wire in wires if wire.weight is not None]
    stub = names + 2.5 + (max(numbers) + 2 * STUB if numbers else 6.0)
    return tuple(_Drawer(scribe, value, names, stub).draw(tree) for value, tree in trees.items())


class _Drawer:
    """Draws one fan. Names end at `names`, lines are level up to `stub`; row by row as the formula reads."""

    def __init__(self, scribe: Scribe, value: Ref, names: float, stub: float) -> None:
        self.scribe, self.value, self.names, self.stub = scribe, value, names, stub
        self.colour = scribe.colour(value.of.name)
        self.shapes: list[Shape] = []
        self.row = 0

    def draw(self, tree: Joint) -> _Fan:
        right, below = self.node(tree)
        return _Fan(tuple(self.shapes), right + 0.5, max(ROW * self.row, below))

    def node(self, tree: Joint) -> Point:
        """The value itself, its function above it; gives the lower right corner."""
        name = self.scribe.formulas.scalar(self.value)
        does = words(tree.does)
        wide = max(width(name, USUAL), width(does, SMALL)) + 6
        ends = list(self.parts(tree))
        x, y = self.stub + SPREAD * _depth(tree), _middle(ends)
        y = max(y, NODE / 2 + 7)
        self.join(ends, (x, y), 0)
        self.shapes += [
            Box(x, y - NODE / 2, wide, NODE, self.colour, self.colour, radius=3),
            Text(x + wide / 2, y + 2.5, name, "middle", USUAL, self.colour),
            Text(x + wide / 2, y - NODE / 2 - 2.2, does, "middle", SMALL, INK),
        ]
        return x + wide, y + NODE / 2

    def parts(self, tree: Joint) -> Iterator[tuple[Point, Group | None]]:
        """Where each part of a joint ends, and for a wire the shapes it has so far."""
        for part in tree.parts:
            yield self.wire(part) if isinstance(part, Wire) else (self.joint(part), None)

    def wire(self, wire: Wire) -> tuple[Point, Group]:
        y = ROW * (self.row + 0.5)
        self.row += 1
        name, colour = self.scribe.source(wire)
        shapes: list[Shape] = [Text(self.names, y + 2.2, name, "end", USUAL, colour)]
        start = self.names + 2.5
        if wire.weight is not None:
            number = self.scribe.weight(wire.weight)
            shapes.append(Text((start + self.stub) / 2, y - 1.8, number, "middle", SMALL, self.colour))
        shapes.append(line((start, y), (self.stub, y), ink=self.colour))
        return (self.stub, y), Group(tuple(shapes), self.scribe.key(wire, self.value))

    def joint(self, tree: Joint) -> Point:
        """A + or × (or a function) on the way."""
        ends = list(self.parts(tree))
        x, y = self.stub + SPREAD * _depth(tree), _middle(ends)
        sign = words(tree.does)
        radius = max(JOINT, width(sign, SMALL) / 2 + 1)
        self.join(ends, (x, y), radius)
        self.shapes += [
            Disc(x, y, radius, self.colour, INK),
            Text(x, y + 2.2, sign, "middle", SMALL, self.colour),
        ]
        return x + radius, y

    def join(self, ends: Sequence[tuple[Point, Group | None]], to: Point, radius: float) -> None:
        """Lines from where the parts end; a wire's last stretch belongs to the wire."""
        for end, group in ends:
            tip = to[0] - radius, to[1]
            if group is None:
                self.shapes.append(line(end, tip, ink=self.colour))
                continue
            *others, level = group.shapes
            assert isinstance(level, Polyline)
            whole = Polyline((*level.points, tip), level.ink, level.width)
            self.shapes.append(Group((*others, whole), group.key))


def _depth(tree: Joint) -> int:
    return 1 + max((_depth(part) for part in tree.parts if isinstance(part, Joint)), default=0)


def _middle(ends: Sequence[tuple[Point, Group | None]]) -> float:
    return (ends[0][0][1] + ends[-1][0][1]) / 2


def _said(scribe: Scribe, trees: Mapping[Ref, Joint]) -> tuple[str, str]:
    """Title and description."""
    lines = sum(wire.weight is not None for tree in trees.values() for wire in tree.wires())
    sums = "; ".join(f"{scribe.said(value)} is {_in_words(scribe, tree)}" for value, tree in trees.items())
    return f"Wiring of {scribe.title}", f"{counted(lines, 'weight')}, each on its line. {sums}."


def _in_words(scribe: Scribe, part: Wire | Joint, inside: bool = False) -> str:
    """A tree as a sentence: "tanh of (0.5 times x 1 plus r 1 times (…))"."""
    if isinstance(part, Wire):
        return scribe.said_wire(part)
    if part.does == TIMES:
        return " times ".join(_in_words(scribe, p, True) for p in part.parts)
    total = " plus ".join(_in_words(scribe, p, len(part.parts) > 1 and _is_sum(p)) for p in part.parts)
    if part.does != PLUS:
        return f"{part.does} of ({total})"
    return f"({total})" if inside else total


def _is_sum(part: Wire | Joint) -> bool:
    return isinstance(part, Joint) and part.does == PLUS
