"""One unit drawn again at every time step: the same weights, one input a step, the state handed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Symbol

from symgru.algebra import Ref
from symgru.backends.notation import Notation
from symgru.drawing.colours import FAINT, STATE
from symgru.drawing.measure import width
from symgru.drawing.scribe import Scribe
from symgru.drawing.shapes import (
    PAGE,
    SMALL,
    THICK,
    USUAL,
    Box,
    Drawing,
    Group,
    Run,
    Runs,
    Shape,
    Text,
    arrow,
    words,
)
from symgru.styles import DEFAULT, Style
from symgru.working import Working

MANY, ENDS = 8, 4  # more steps than that are not all drawn, but so many at the beginning and at the end
LINE = 11.0  # from one value to the next
GAP = 24.0  # between two boxes
FEATURES = 3  # numbers of an input that are written out
HEAD, FOOT = 12.0, 16.0  # above a box its step, below it the way up from the input


def unrolled(
    working: Working, show: int | None = None, unit: int = 0, style: Style = DEFAULT, noted: bool = True
) -> Drawing:
    """One unit (counted from 0) at its time steps, with the printed value of everything it computes.

    `show` says how many steps to draw from the beginning and from the end; where it is None, all of up to 8 are drawn.
    `noted` says below which unit it is; a picture with a caption needs no other.
    """
    return _Strip(Scribe(working, style), unit, noted).drawing(show)


class _Strip:
    def __init__(self, scribe: Scribe, unit: int, noted: bool) -> None:
        self.scribe, self.working, self.unit, self.noted = scribe, scribe.working, unit, noted
        self.recurrent = bool(scribe.cell.states)
        self.alone = self.working.sizes["H"] == 1

    def notation(self, t: int) -> Notation:
        """The symbols at step t."""
        working, columns = self.working, self.scribe.spell.style.columns
        return Notation(self.scribe.cell, working.sizes, working.timed, str(t), str(t - 1), columns=columns)

    def symbol(self, s: Symbol, t: int, index: int) -> Runs:
        """A quantity's component at step t; h before the first step is that of step 0."""
        return self.scribe.spell.symbol(self.notation(t).scalar(Ref(self.scribe.cell.stored(s), (index,), 0)))

    def row(self, s: Symbol, t: int, index: int, number: str) -> Runs:
        return (*self.symbol(s, t, index), Run(" = "), *self.scribe.spell.number(number))

    def values(self, t: int) -> list[tuple[str, Runs]]:
        """What is computed at step t, each with the letter whose colour it has."""
        working, output = self.working, self.scribe.cell.output
        kept = working.keeps(t)
        shown = [s for s in self.scribe.cell.defined if s == output or not kept]
        rows = [(s.name, self.row(s, t, self.unit, working.value(s.name, t, self.unit))) for s in shown]
        return [("", words("masked: kept")), *rows] if kept else rows

    def inputs(self, t: int) -> list[Runs]:
        x, texts = self.scribe.cell.inputs[0], self.working.x_texts[t - 1]
        if len(texts) <= FEATURES:
            return [self.row(x, t, k, str(text)) for k, text in enumerate(texts)]
        return [(*self.scribe.spell.symbol(self.notation(t).vector(x)), Run(f": {len(texts)} numbers"))]

    def stretches(self, show: int | None) -> list[range]:
        """The runs of steps that are drawn: all, or a row from the beginning and one from the end."""
        steps = self.working.steps
        if steps <= (2 * show if show else MANY):
            return [range(1, steps + 1)]
        ends = show or min(ENDS, self.across([*range(1, ENDS + 1), *range(steps - ENDS + 1, steps + 1)]))
        return [range(1, ends + 1), range(steps - ends + 1, steps + 1)]

    def across(self, steps: Sequence[int]) -> int:
        """How many of these steps stand side by side; where they stand is computed on the way."""
        inside = [width(runs, USUAL) for t in steps for _, runs in self.values(t)]
        self.beneath = max(width(runs, USUAL) for t in steps for runs in self.inputs(t))
        self.box = max([*inside, 40.0]) + 9
        self.start: Runs = ()
        gap = 12.0
        if self.recurrent:
            self.start = self.row(self.scribe.cell.states[0][0], 0, self.unit, self.working.before(self.unit))
            named = max(width(self.symbol(self.scribe.cell.output, t, self.unit), USUAL) for t in steps)
            gap = max(GAP, named + 9)
        self.pitch = max(self.box, self.beneath) + gap
        self.left = max(width(self.start, USUAL) + 21, GAP + 10) if self.recurrent else 0.0
        return max(1, int((PAGE - self.left + (0 if self.recurrent else gap)) // self.pitch))

    def drawing(self, show: int | None) -> Drawing:
        stretches = self.stretches(show)
        steps = [t for stretch in stretches for t in stretch]
        across = self.across(steps)
        left, pitch = self.left, self.pitch
        self.height = LINE * max(len(self.values(t)) for t in steps) + 8
        down = HEAD + self.height + FOOT + LINE * max(len(self.inputs(t)) for t in steps) + 10
        shapes: list[Shape] = []
        y = right = 0.0
        for n, stretch in enumerate(stretches):
            if n:
                shapes.append(self.omitted(stretches[n - 1][-1] + 1, stretch[0] - 1, left, y))
                y += 16
            for k in range(0, len(stretch), across):
                row = stretch[k : k + across]
                shapes += self.entry(row[0], self.start if row[0] == 1 else (), left, y)
                for place, t in enumerate(row):
                    x = left + pitch * place
                    shapes += self.step(t, x, y)
                    shapes += self.handed_on(t, x + self.box, y, pitch - self.box)
                    right = max(right, x + (pitch if self.recurrent else max(self.box, self.beneath)))
                y += down
        notes = list(self.notes(len(steps))) if self.noted else []
        shapes += [Text(0, y + 6 + 10 * k, words(note), size=SMALL, ink=FAINT) for k, note in enumerate(notes)]
        right = max(right, *(width(words(note), SMALL) for note in notes)) if notes else right
        return Drawing(right + 1, y + 10 * len(notes), *self.said(steps), tuple(shapes))

    def step(self, t: int, x: float, y: float) -> Iterator[Shape]:
        """The box of one step with its values, and its input below."""
        scribe, colour = self.scribe, self.scribe.colour(self.scribe.cell.output.name)
        top, bottom, middle = y + HEAD, y + HEAD + self.height, x + self.box / 2
        if self.working.timed:
            yield Text(middle, y + 8, words(f"step {t}"), "middle", SMALL, FAINT)
        yield Box(x, top, self.box, self.height, colour, FAINT, radius=5)
        for k, (name, runs) in enumerate(self.values(t)):
            ink = scribe.colour(name) if name else FAINT
            yield Group((Text(x + 5, top + 4 + LINE * (k + 0.75), runs, "start", USUAL, ink),), f"{name} {t}")
        ink = scribe.colour(scribe.cell.inputs[0].name)
        yield arrow((middle, bottom + FOOT), (middle, bottom), ink=ink)
        for k, runs in enumerate(self.inputs(t)):
            yield Group((Text(middle, bottom + FOOT + 8 + LINE * k, runs, "middle", USUAL, ink),), f"x {t}")

    def entry(self, t: int, start: Runs, left: float, y: float) -> Iterator[Shape]:
        """The state that comes in from the left: where it begins, or from the row above."""
        if not self.recurrent:
            return
        middle = y + HEAD + self.height / 2
        runs = start or self.symbol(self.scribe.cell.output, t - 1, self.unit)
        end = left - 18
        yield Text(end, middle + 2.5, runs, "end", USUAL, STATE)
        yield arrow((end + 3, middle), (left, middle), ink=STATE, width=THICK)

    def handed_on(self, t: int, x: float, y: float, gap: float) -> Iterator[Shape]:
        if not self.recurrent:
            return
        middle = y + HEAD + self.height / 2
        yield arrow((x, middle), (x + gap, middle), ink=STATE, width=THICK)
        name = self.symbol(self.scribe.cell.output, t, self.unit)
        yield Text(x + (gap - 3) / 2, middle - 4, name, "middle", USUAL, STATE)

    def omitted(self, first: int, last: int, left: float, y: float) -> Shape:
        says = f"… steps {first} to {last} …" if first < last else f"… step {first} …"
        return Text(left, y + 6, words(says), size=USUAL, ink=FAINT)

    def notes(self, drawn: int) -> Iterator[str]:
        units = self.working.sizes["H"]
        one = "" if self.alone else f"Unit {self.unit + 1} of {units}. "
        if self.recurrent:
            others = "" if self.alone else f" Its gates read the state of all {units} units."
            yield f"{one}One node with the same weights at every step.{others}"
        elif one or drawn > 1:
            yield f"{one}The same weights every time." if drawn > 1 else one.strip()

    def said(self, steps: Sequence[int]) -> tuple[str, str]:
        working, cell = self.working, self.scribe.cell
        parts = []
        for t in steps:
            shown = [s for s in cell.defined if s == cell.output or not working.keeps(t)]
            values = [f"{self.scribe.cell.stored(s).name} {working.value(s.name, t, self.unit)}" for s in shown]
            values += ["kept by the mask"] if working.keeps(t) else []
            parts.append(f"step {t}: x {' '.join(map(str, working.x_texts[t - 1][:FEATURES]))}, {', '.join(values)}")
        return f"{working.layer.id}, unit {self.unit + 1}, step by step", "; ".join(parts) + "."
