"""A cell as blocks: the state on a line above, the input on a line below, and a box for each equation between them.

Read off the equations: where a matrix multiplies x or h, a line leads into the box with its weights beside it; what an
equation takes element by element comes from the box that gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from sympy import Expr, Symbol

from symgru.algebra import Dot, Mat, Vec, walk
from symgru.drawing.colours import FAINT, STATE, Colour
from symgru.drawing.measure import width
from symgru.drawing.scribe import Scribe
from symgru.drawing.shapes import (
    PAGE,
    SMALL,
    THICK,
    USUAL,
    Box,
    Disc,
    Drawing,
    Group,
    Run,
    Runs,
    Shape,
    Text,
    arrow,
    line,
    words,
)
from symgru.styles import DEFAULT, Style
from symgru.working import Working

LINE = 9.5  # from one line of a text to the next
INSET = 7.0  # of a line into a box from the box's edge
BETWEEN = 20.0  # two boxes
TRACK = 7.0  # between two lines from box to box
MOST = 4  # numbers of one matrix that stand beside its line


@dataclass(frozen=True)
class _Tap:
    """A line into a box from x or from h, and what is said beside it."""

    state: bool
    says: tuple[Runs, ...]
    key: str


@dataclass(frozen=True)
class _Block:
    """One equation: the lines of its text, what leads into it, and which blocks it reads element by element."""

    name: str
    text: tuple[Runs, ...]
    taps: tuple[_Tap, ...]
    reads: tuple[str, ...]
    width: float


def blocks(working: Working, style: Style = DEFAULT) -> Drawing:
    """The cell as blocks, with the weights' numbers where they are few and their shapes where they are many."""
    return _Plan(Scribe(working, style)).drawing()


class _Plan:
    def __init__(self, scribe: Scribe) -> None:
        self.scribe = scribe
        made = [self.block(lhs, rhs) for lhs, rhs in scribe.cell.equations]
        room = (PAGE - self.left - 24) / len(made) - BETWEEN
        self.blocks = [self.wrapped(block, room) for block in made]

    @cached_property
    def left(self) -> float:
        return 6 + max(width(runs, USUAL) for runs in self.ends.values())

    @cached_property
    def ends(self) -> dict[bool, Runs]:
        """What stands at the beginning of the two lines."""
        cell, formulas = self.scribe.cell, self.scribe.formulas
        found = {False: formulas.equation(cell.inputs[0])}
        if cell.states:
            found[True] = formulas.equation(cell.states[0][0])
        return found

    @property
    def inks(self) -> dict[bool, Colour]:
        """The colours of the two lines."""
        return {False: self.scribe.colour(self.scribe.cell.inputs[0].name), True: STATE}

    @property
    def sizes(self) -> dict[str, int]:
        return dict(self.scribe.working.sizes)

    def block(self, lhs: Vec, rhs: Expr) -> _Block:
        scribe = self.scribe
        name = scribe.cell.stored(lhs).name
        text = (*scribe.formulas.equation(lhs), Run(" = "), *scribe.formulas.equation(rhs))
        before = [s.name for s, _ in scribe.cell.equations[: [e for e, _ in scribe.cell.equations].index(lhs)]]
        reads = tuple(dict.fromkeys(s.name for s in walk(rhs) if isinstance(s, Symbol) and s.name in before))
        return _Block(name, (text,), tuple(self.taps(name, rhs)), reads, 0)

    def taps(self, name: str, rhs: Expr) -> Iterator[_Tap]:
        """First what comes through a matrix, then x and h taken as they are."""
        cell = self.scribe.cell
        states = {before for before, _ in cell.states}
        inside: set[Expr] = set()
        bare = [node for node in _outside(rhs) if node in states or node in cell.inputs]
        for node in walk(rhs):
            if not isinstance(node, Dot):
                continue
            matrix, operand = cast("tuple[Mat, Expr]", node.args)
            read = set(walk(operand))
            inside |= read
            if read & states or read & set(cell.inputs):
                source = next(s for s in (*states, *cell.inputs) if s in read)
                yield _Tap(bool(read & states), tuple(self.says(matrix)), f"{source.name} to {name}: {matrix.name}")
        for node in dict.fromkeys(bare):
            yield _Tap(node in states, (), f"{node} to {name}")

    def says(self, matrix: Mat) -> Iterator[Runs]:
        """The numbers of a matrix with few, the shape of one with many."""
        scribe, text = self.scribe, self.scribe.working.layer.weights[matrix.name].text
        symbol = scribe.parameter(matrix)
        if text.size > MOST or text.shape[0] > 1:
            rows, columns = scribe.formulas.notation.shown(text.shape[1], text.shape[0])
            yield (*symbol, Run(f": {rows} × {columns}"))
            return
        for k, number in enumerate(text[0], 1):
            row = str(k) if text.size > 1 else ""
            named = scribe.spell.symbol(scribe.formulas.notation.matrix(matrix, row))
            yield (*named, Run(" = "), *scribe.spell.number(str(number)))

    def biases(self, name: str) -> Iterator[Runs]:
        """The numbers of biases, where there is one unit."""
        scribe = self.scribe
        rhs = next(rhs for lhs, rhs in scribe.cell.equations if scribe.cell.stored(lhs).name == name)
        if self.sizes["H"] > 1:
            return
        for p in scribe.parameters(rhs):
            if not isinstance(p, Mat):
                number = str(scribe.working.layer.weights[p.name].text[0])
                yield (*scribe.parameter(p), Run(" = "), *scribe.spell.number(number))

    def wrapped(self, block: _Block, room: float) -> _Block:
        """The formula broken so that it fits, the biases' numbers below it."""
        lines = [*_broken(block.text[0], room), *self.biases(block.name)]
        says = [width(runs, SMALL) + INSET + 3 for tap in block.taps for runs in tap.says]
        wide = max([44.0, *(width(runs, SMALL) + 10 for runs in lines), *says])
        return replace(block, text=tuple(lines), width=wide)

    def drawing(self) -> Drawing:
        above = max((len(tap.says) for b in self.blocks for tap in b.taps if tap.state), default=0)
        below = max((len(tap.says) for b in self.blocks for tap in b.taps if not tap.state), default=0)
        has_state = bool(self.scribe.cell.states)
        links = list(self.links())
        self.bus = 28.0 if has_state else 0.0  # the state's line
        self.top = self.bus + (LINE * above + 9 if has_state else 4)
        self.height = LINE * max(len(b.text) for b in self.blocks) + 8
        self.bottom = self.top + self.height
        self.tracks = self.bottom + 7
        self.floor = self.tracks + TRACK * sum(far for _, _, far in links) + LINE * below + 5  # the input's line
        x, places = self.left + 6, {}
        for b in self.blocks:
            places[b.name] = x
            x += b.width + BETWEEN
        self.places, self.right = places, x - BETWEEN
        shapes = [*self.buses(), *(s for b in self.blocks for s in self.boxed(b)), *self.linked(links)]
        shapes += self.output()
        return Drawing(self.right + 26, self.floor + 8, *self.said(), tuple(shapes))

    def links(self) -> Iterator[tuple[str, str, bool]]:
        """(from, to, whether other boxes stand between)."""
        names = [b.name for b in self.blocks]
        for place, b in enumerate(self.blocks):
            for read in b.reads:
                yield read, b.name, names.index(read) != place - 1

    def buses(self) -> Iterator[Shape]:
        """The two lines with the names of what they carry."""
        for state, runs in self.ends.items():
            y = self.bus if state else self.floor
            ends = [self.port(b, k) for b in self.blocks for k, tap in enumerate(t for t in b.taps if t.state == state)]
            yield Text(self.left - 3, y + 2.5, runs, "end", USUAL, self.inks[state])
            if ends:
                yield line((self.left, y), (max(ends), y), ink=self.inks[state], width=THICK)

    def port(self, block: _Block, k: int) -> float:
        """Where the k-th line from one side enters a box; the one with numbers leaves them room on its right."""
        return self.places[block.name] + INSET + 5 * k

    def boxed(self, block: _Block) -> Iterator[Shape]:
        x, colour = self.places[block.name], self.scribe.colour(block.name)
        yield Box(x, self.top, block.width, self.height, colour, colour, radius=4)
        above = self.top + (self.height - LINE * len(block.text)) / 2
        for k, runs in enumerate(block.text):
            yield Text(x + block.width / 2, above + LINE * (k + 0.72), runs, "middle", SMALL, colour)
        for state in (True, False):
            taps = [t for t in block.taps if t.state == state]
            for k, tap in enumerate(taps):
                at = self.port(block, k)
                start, end = (self.bus, self.top) if state else (self.floor, self.bottom)
                first = self.bus + 9.5 if state else self.floor - 4 - LINE * (len(tap.says) - 1)
                ink = self.inks[state]
                yield Disc(at, start, 0.7, ink, ink, 1.4)
                texts = (
                    Text(self.port(block, len(taps) - 1) + 4, first + LINE * n, runs, size=SMALL, ink=colour)
                    for n, runs in enumerate(tap.says)
                )
                yield Group((arrow((at, start), (at, end), ink=colour), *texts), tap.key)

    def linked(self, links: list[tuple[str, str, bool]]) -> Iterator[Shape]:
        """From box to box: to the next one straight, past others below them."""
        track, arriving = self.tracks, dict.fromkeys(self.places, 0)
        middle = self.top + self.height / 2
        known = {b.name: b for b in self.blocks}
        for source, target, far in links:
            colour = self.scribe.colour(source)
            right = self.places[source] + known[source].width
            if not far:
                yield Group(
                    (arrow((right, middle), (self.places[target], middle), ink=colour),), f"{source} to {target}"
                )
                continue
            out = right - INSET
            into = self.places[target] + known[target].width / 2 + 8 * arriving[target]
            arriving[target] += 1
            points = ((out, self.bottom), (out, track), (into, track), (into, self.bottom))
            yield Group((arrow(*points, ink=colour),), f"{source} to {target}")
            track += TRACK

    def output(self) -> Iterator[Shape]:
        """What the cell gives, and where a state keeps it, its way back to the beginning."""
        middle = self.top + self.height / 2
        colour = self.scribe.colour(self.blocks[-1].name)
        yield arrow((self.right, middle), (self.right + 24, middle), ink=colour, width=THICK)
        if not self.scribe.cell.states:
            return
        turn, high, start = self.right + 12, 11.0, self.left - width(self.ends[True], USUAL) / 2 - 3
        back = ((turn, middle), (turn, high), (start, high), (start, self.bus - 7))
        yield arrow(*back, ink=colour, dash=(2, 2))
        says = (*self.scribe.formulas.equation(self.scribe.cell.output), *words(" is kept for the next step"))
        yield Text((start + turn) / 2, high - 3, says, "middle", SMALL, FAINT)

    def said(self) -> tuple[str, str]:
        read = {b.name: [*map(self.in_words, b.taps), *b.reads] for b in self.blocks}
        flows = "; ".join(f"{name} reads {', '.join(sources)}" for name, sources in read.items())
        return f"Wiring of {self.scribe.title}", f"{flows}."

    def in_words(self, tap: _Tap) -> str:
        """A line into a box: "x through W_z = -0.5", "h"."""
        ends, _, matrix = tap.key.partition(": ")
        source = ends.partition(" to ")[0]
        if not matrix:
            return source
        texts = self.scribe.working.layer.weights[matrix].text
        numbers = f" = {', '.join(map(str, texts[0]))}" if len(texts) == 1 and texts.size <= MOST else ""
        return f"{source} through {matrix}{numbers}"


def _outside(e: Expr) -> Iterator[Expr]:
    """The symbols of a formula that no matrix multiplies."""
    if isinstance(e, Dot):
        return
    if isinstance(e, Symbol):
        yield e
    for a in e.args:
        yield from _outside(cast(Expr, a))


def _broken(runs: Runs, room: float) -> list[Runs]:
    """A formula on several lines, each begun by = or +, or by the first factor of a product."""
    pieces: list[list[Run]] = [[]]
    for run in runs:
        text = run.text
        while " + " in text and not run.script:
            head, _, text = text.partition(" + ")
            pieces[-1] += [replace(run, text=head)] if head else []
            pieces.append([Run("+ ")])
        pieces[-1] += [replace(run, text=text)] if text else []
    lines: list[Runs] = [tuple(pieces[0])]
    for piece in pieces[1:]:
        joined = (*lines[-1], Run(" "), *piece)
        if width(joined, SMALL) <= room:
            lines[-1] = joined
        else:
            lines.append(tuple(piece))
    return lines
