"""The kinds of part that a worked example is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from symgru.lesson.prose import Formula, Text, nothing
from symgru.working import Line, WeightArray, Working

if TYPE_CHECKING:
    from symgru.drawing.shapes import Drawing

Level = Literal[1, 2, 3]
WHOSE = ("the network", "yours")  # what the two calculations of a Pair are called
NO_LINE = "no such line"


@dataclass(frozen=True)
class Heading:
    """Level 1 is the document's title, 2 a layer or another large part, 3 a section of it."""

    level: Level
    text: Text


@dataclass(frozen=True)
class Paragraph:
    """Sentences, behind a word or two that stand out: "Note"."""

    text: Text
    lead: str = ""


@dataclass(frozen=True)
class Equation:
    """left = right = right ..."""

    left: Formula
    right: tuple[Formula, ...]


@dataclass(frozen=True)
class Equations:
    """Equations below each other, their equals signs too where they are `tied`; `own` are those that the layer's lines
    work out."""

    rows: tuple[Equation, ...]
    tied: bool = True
    own: bool = False


@dataclass(frozen=True)
class Results:
    """Equations as the answer is given: one after the other, and what there is to say of them."""

    rows: tuple[Equation, ...]
    after: Text = nothing


@dataclass(frozen=True)
class Step:
    """The heading of a time step, and what it starts from: its input and the state before it."""

    title: Text
    starts: tuple[Equation, ...] = ()


@dataclass(frozen=True)
class Lines:
    """The worked lines of one step: of all units or of one (counted from 0), without those that are taken apart because
    their sum has more than `longest` products."""

    layer: Working
    t: int
    unit: int | None = None
    longest: int | None = None


@dataclass(frozen=True)
class Worked:
    """One worked line of a layer."""

    layer: Working
    line: Line


Side = Equation | Worked | None  # None for a line that a calculation does not have


@dataclass(frozen=True)
class Pair:
    """One line as two calculations have it, one below the other: the network's, and the reader's. A `marked` pair
    stands out: it is where the two part. Of a line that only one of them has, unmarked, the other side is left out."""

    own: Side
    other: Side
    marked: bool = False

    @property
    def sides(self) -> Iterator[tuple[int, Side]]:
        """Those that are shown, each with its place: 0 for the network's, 1 for the reader's."""
        yield from ((k, side) for k, side in enumerate((self.own, self.other)) if side or self.marked)


@dataclass(frozen=True)
class Vectors:
    """The lines of one step in matrix form, each with the values of all units; `filled` puts the numbers of vectors
    and matrices in."""

    layer: Working
    t: int
    filled: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under heads. The first `left` columns hold words, the others numbers. `boxed` tables stand out; `slow` ones
    have rows that may take seconds to come."""

    heads: tuple[Text, ...]
    rows: Iterable[tuple[Text, ...]]
    left: int = 0
    boxed: bool = False
    slow: bool = False


@dataclass(frozen=True)
class Case:
    """A number or a word, and what there is to say of it."""

    term: Text
    text: Text


@dataclass(frozen=True)
class Cases:
    rows: tuple[Case, ...]


@dataclass(frozen=True)
class Weights:
    """One array of get_weights(), every number tied to its gate and its symbol."""

    layer: Working
    array: WeightArray


@dataclass(frozen=True)
class Picture:
    """A drawing, made only where it is shown; plain text leaves it out."""

    drawing: Callable[[], Drawing]
    caption: Text


@dataclass(frozen=True)
class Listing:
    """Python that symgru emits."""

    code: str


@dataclass(frozen=True)
class Box:
    """Parts that stand out: the answer."""

    parts: tuple[Part, ...]


Part = (
    Heading
    | Paragraph
    | Equations
    | Results
    | Step
    | Lines
    | Pair
    | Vectors
    | Table
    | Cases
    | Weights
    | Picture
    | Listing
    | Box
)
