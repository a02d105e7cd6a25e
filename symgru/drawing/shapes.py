"""A drawing as data: a few primitives in points, y downwards, that every format can write.

A text needs no TeX: it is a sequence of runs, upright or italic, on the line or as a script. A colour is one of
`colours`, whose ink draws and whose fill lies under, or #RRGGBB where a number is shown as a colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from math import hypot
from typing import Literal

from symgru.drawing.colours import INK, Colour

Point = tuple[float, float]
Paint = Colour | str
Anchor = Literal["start", "middle", "end"]
HEAD = 5.0, 1.9  # an arrow's head: its length, and half its width
PAGE = 455.0  # how wide a drawing may be, the text width of the LaTeX documents
ITALIC = 2.0  # how far an italic letter may reach to the left of where it stands
HAIR, THIN, THICK = 0.4, 0.6, 1.2  # widths of lines
SMALL, USUAL, LARGE = 7, 8, 10  # sizes of letters


@dataclass(frozen=True)
class Run:
    """Part of a text; `script` is -1 for a subscript, 1 for a superscript."""

    text: str
    italic: bool = False
    script: Literal[-1, 0, 1] = 0
    bold: bool = False


Runs = tuple[Run, ...]


def words(text: str, bold: bool = False) -> Runs:
    """Upright text on the line."""
    return (Run(text, bold=bold),)


@dataclass(frozen=True)
class Text:
    """Runs whose baseline starts, is centred or ends at (x, y); a turned text reads upwards."""

    x: float
    y: float
    runs: Runs
    anchor: Anchor = "start"
    size: int = USUAL
    ink: Paint = INK
    turned: bool = False


@dataclass(frozen=True)
class Polyline:
    """Straight lines from point to point; an arrow's head is at the last one. `dash` is in points: on, off, …"""

    points: tuple[Point, ...]
    ink: Paint = INK
    width: float = THIN
    dash: tuple[float, ...] = ()
    arrow: bool = False


@dataclass(frozen=True)
class Curve:
    """One cubic Bézier curve."""

    start: Point
    control: tuple[Point, Point]
    end: Point
    ink: Paint = INK
    width: float = THIN
    dash: tuple[float, ...] = ()
    arrow: bool = False


@dataclass(frozen=True)
class Box:
    """A rectangle; without an ink it has no outline, without a fill it is empty."""

    x: float
    y: float
    width: float
    height: float
    ink: Paint | None = INK
    fill: Paint | None = None
    radius: float = 0
    line: float = THIN


@dataclass(frozen=True)
class Disc:
    x: float
    y: float
    radius: float
    ink: Paint | None = INK
    fill: Paint | None = None
    line: float = THIN


@dataclass(frozen=True)
class Grid:
    """Rectangles of one size without outlines, row by row from (x, y); each has the number of its colour."""

    x: float
    y: float
    cell: tuple[float, float]
    rows: tuple[tuple[int, ...], ...]
    palette: tuple[str, ...]

    def runs(self) -> dict[int, list[tuple[int, int, int]]]:
        """By colour, (column, row, length) of every run of equal neighbours in a row."""
        found: dict[int, list[tuple[int, int, int]]] = {}
        for y, row in enumerate(self.rows):
            x = 0
            for colour, run in groupby(row):
                length = len(list(run))
                found.setdefault(colour, []).append((x, y, length))
                x += length
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Group:
    """Shapes that belong together; `key` says to whoever looks for it what they are, such as "x_1 z_2"."""

    shapes: tuple[Shape, ...]
    key: str = ""


Shape = Text | Polyline | Curve | Box | Disc | Grid | Group


@dataclass(frozen=True)
class Drawing:
    """Shapes from (0, 0) to (width, height), in points. `title` and `description` are what a screen reader says."""

    width: float
    height: float
    title: str
    description: str
    shapes: tuple[Shape, ...]

    def __iter__(self) -> Iterator[Shape]:
        """Every shape, groups taken apart."""
        return _flat(self.shapes)


def _flat(shapes: tuple[Shape, ...]) -> Iterator[Shape]:
    for shape in shapes:
        if isinstance(shape, Group):
            yield from _flat(shape.shapes)
        else:
            yield shape


def line(*points: Point, ink: Paint = INK, width: float = THIN, dash: tuple[float, ...] = ()) -> Polyline:
    return Polyline(points, ink, width, dash)


def arrow(*points: Point, ink: Paint = INK, width: float = THIN, dash: tuple[float, ...] = ()) -> Polyline:
    return Polyline(points, ink, width, dash, arrow=True)


def moved(shape: Shape, dx: float, dy: float) -> Shape:
    """The same shape elsewhere."""

    def point(p: Point) -> Point:
        return p[0] + dx, p[1] + dy

    if isinstance(shape, Group):
        return replace(shape, shapes=tuple(moved(s, dx, dy) for s in shape.shapes))
    if isinstance(shape, Polyline):
        return replace(shape, points=tuple(map(point, shape.points)))
    if isinstance(shape, Curve):
        a, b = shape.control
        return replace(shape, start=point(shape.start), control=(point(a), point(b)), end=point(shape.end))
    return replace(shape, x=shape.x + dx, y=shape.y + dy)


def number(value: float, places: int = 2) -> str:
    """A length as every format reads it: so many decimals, and none that are 0."""
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def back(before: Point, tip: Point) -> Point:
    """Where an arrow's line ends, under its head."""
    dx, dy = _direction(before, tip)
    return tip[0] - 0.8 * HEAD[0] * dx, tip[1] - 0.8 * HEAD[0] * dy


def head(before: Point, tip: Point) -> tuple[Point, Point, Point]:
    """The corners of an arrow's head, the tip in the middle."""
    (length, half), (dx, dy) = HEAD, _direction(before, tip)
    x, y = tip[0] - length * dx, tip[1] - length * dy
    return (x - half * dy, y + half * dx), tip, (x + half * dy, y - half * dx)


def _direction(a: Point, b: Point) -> Point:
    length = hypot(b[0] - a[0], b[1] - a[1]) or 1
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length
