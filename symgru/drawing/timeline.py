"""Each quantity of a layer over time: a line for each of a few units, colours for many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor

import numpy as np

from symgru.algebra import Ref, Vec
from symgru.drawing.colours import FAINT, INK, Colour
from symgru.drawing.scales import Scale, merged, round_step, short, ticks
from symgru.drawing.scribe import Scribe
from symgru.drawing.shapes import (
    HAIR,
    ITALIC,
    LARGE,
    PAGE,
    SMALL,
    THIN,
    USUAL,
    Box,
    Disc,
    Drawing,
    Grid,
    Group,
    Runs,
    Shape,
    Text,
    line,
    words,
)
from symgru.network import Array
from symgru.styles import DEFAULT, Style
from symgru.wording import counted
from symgru.working import Working

FEW = 4  # units that have a line each
HIGH, BETWEEN = 54.0, 20.0  # a panel of lines, and the room between two panels
LEFT, RIGHT = 44.0, 36.0  # for the numbers beside a panel, and for the names of its lines or its scale
COLUMNS, ROWS = 240, 64  # cells beyond which several become one
POINTS = 1000  # of a line; of more steps every k-th is drawn
DASHES: tuple[tuple[float, ...], ...] = ((), (4, 2), (1, 1.5), (5, 1.5, 1, 1.5))
DOTTED = 20  # steps up to which each has a dot
APART = 8.5  # names at the ends of lines


def over_time(working: Working, style: Style = DEFAULT) -> Drawing:
    """The gates and the state at every step, one below the other over one time axis."""
    scribe = Scribe(working, style)
    wide = PAGE - LEFT - RIGHT
    few = working.sizes["H"] <= FEW
    shapes: list[Shape] = []
    y = 0.0
    for s in scribe.cell.defined:
        values = _values(working, s)
        high = HIGH if few else min(90.0, max(30.0, 3.0 * len(values)))
        draw = _lines if few else _colours
        shapes.append(
            Group(tuple(draw(scribe, s, values, y + 6, wide, high)), f"{scribe.cell.stored(s).name} over time")
        )
        y += high + BETWEEN
    shapes += _time_axis(scribe, y - BETWEEN + 6, wide)
    y += 20 - BETWEEN
    for note in _notes(working, few):
        shapes.append(Text(LEFT, y + 8, words(note), size=SMALL, ink=FAINT))
        y += 10
    return Drawing(PAGE, y, *_said(scribe), tuple(shapes))


def _values(working: Working, s: Vec) -> Array:
    """(units, time); NaN where a mask keeps the state and no gate is computed."""
    values = working.trace.columns[s.name][0].astype(float).T
    if s == working.cell.output or not working.held:
        return np.asarray(values)
    return np.where(np.asarray(working.held)[None, :], np.nan, values)


def _at(t: float, steps: int, wide: float) -> float:
    """The middle of step t (counted from 1): each has the same width."""
    return LEFT + wide * (t - 0.5) / steps


def _lines(scribe: Scribe, s: Vec, values: Array, y: float, wide: float, high: float) -> Iterator[Shape]:
    colour, steps = scribe.colour(s.name), values.shape[1]
    low, top, marks = _range(values)

    def height(v: float) -> float:
        return y + high * (top - v) / (top - low)

    yield from _name(scribe, s, y + high / 2)
    for mark in marks:
        at = height(mark)
        yield line((LEFT, at), (LEFT + wide, at), ink=FAINT, width=HAIR, dash=() if mark == 0 else (1, 2))
        yield Text(LEFT - 4, at + 2.4, scribe.spell.number(short(mark)), "end", SMALL, FAINT)
    every = -(-steps // POINTS)
    ends: list[float] = []
    for unit, row in enumerate(values):
        ink: Colour = colour if unit % 2 == 0 else INK
        for stretch in _known(row, every):
            points = tuple((_at(t + 1, steps, wide), height(float(row[t]))) for t in stretch)
            if len(points) > 1:
                yield line(*points, ink=ink, width=1.0, dash=DASHES[unit % len(DASHES)])
            if steps <= DOTTED:
                yield from (Disc(*p, 0.8, ink, ink, 1.2) for p in points)
        last = [t for t in range(steps) if np.isfinite(row[t])]
        ends.append(height(float(row[last[-1]])) if last else y)
    for unit, (end, place) in enumerate(zip(ends, _spread(ends, y, y + high), strict=True)):
        ink = colour if unit % 2 == 0 else INK
        right = LEFT + wide
        yield line((_at(steps, steps, wide) + 2, end), (right + 5, place), ink=ink, width=HAIR)
        yield Text(right + 7, place + 2.4, _unit(scribe, s, unit), size=USUAL, ink=ink)


def _known(row: Array, every: int) -> Iterator[list[int]]:
    """Runs of steps that have a number."""
    run: list[int] = []
    for t in range(0, len(row), every):
        if np.isfinite(row[t]):
            run.append(t)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _range(values: Array) -> tuple[float, float, list[float]]:
    """From where to where, and the numbers beside: 0 to 1 for what lies between, else round numbers around it."""
    finite = values[np.isfinite(values)]
    low, top = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and top <= 1:
        return 0.0, 1.0, [0.0, 0.5, 1.0]
    low, top = min(low, 0.0), max(top, 0.0)
    step = round_step((top - low) / 3 or 1.0)
    marks = [k * step for k in range(floor(low / step + 1e-9), ceil(top / step - 1e-9) + 1)]
    return marks[0], marks[-1], marks


def _spread(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Places as near as may be to those wanted, far enough apart to be read."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    placed: list[float] = []
    for k in order:
        placed.append(max(wanted[k], placed[-1] + APART) if placed else max(wanted[k], top))
    limit = bottom + 3
    for n in range(len(placed) - 1, -1, -1):
        placed[n] = min(placed[n], limit)
        limit = placed[n] - APART
    return [placed[order.index(k)] for k in range(len(wanted))]


def _colours(scribe: Scribe, s: Vec, values: Array, y: float, wide: float, high: float) -> Iterator[Shape]:
    scale = Scale.over(values)
    shown = merged(values, *_together(*values.shape))
    units, columns = shown.shape
    levels = scale.levels(shown)
    grid = tuple(tuple(map(int, row)) for row in levels)
    yield from _name(scribe, s, y + high / 2)
    yield Grid(LEFT, y, (wide / columns, high / units), grid, scale.palette)
    yield Box(LEFT, y, wide, high, INK, line=THIN)
    yield Text(LEFT - 4, y + 6, words("1"), "end", SMALL, FAINT)
    yield Text(LEFT - 4, y + high - 0.5, words(str(len(values))), "end", SMALL, FAINT)
    count = len(scale.palette) - 1
    x = LEFT + wide + 6
    yield Grid(x, y, (5.0, high / count), tuple((k,) for k in range(count, 0, -1)), scale.palette)
    yield Box(x, y, 5.0, high, INK, line=THIN)
    for k, value in enumerate(scale.ends()):
        at = y + high * (1 - k / (len(scale.ends()) - 1))
        yield Text(x + 8, min(max(at + 2.4, y + 5), y + high), scribe.spell.number(short(value)), size=SMALL, ink=FAINT)


def _together(units: int, steps: int) -> tuple[int, int]:
    """How many units and how many steps become one cell."""
    return -(-units // ROWS), -(-steps // COLUMNS)


def _name(scribe: Scribe, s: Vec, y: float) -> Iterator[Shape]:
    yield Text(ITALIC, y + 3, scribe.formulas.equation(s), size=LARGE, ink=scribe.colour(s.name))


def _unit(scribe: Scribe, s: Vec, unit: int) -> Runs:
    return scribe.formulas.scalar(Ref(scribe.cell.stored(s), (unit,), 0))


def _marked(steps: int, wide: float) -> Sequence[int]:
    """The steps whose numbers stand below: every one of a few, else the first and round ones not too near to it."""
    if steps <= 12:
        return range(1, steps + 1)
    return [1, *(int(t) for t in ticks(0, steps, 11) if _at(t, steps, wide) - _at(1, steps, wide) > 14)]


def _time_axis(scribe: Scribe, y: float, wide: float) -> Iterator[Shape]:
    steps = scribe.working.steps
    for t in _marked(steps, wide):
        at = _at(t, steps, wide)
        yield line((at, y), (at, y + 2.5), ink=FAINT, width=THIN)
        yield Text(at, y + 10, words(str(t)), "middle", SMALL, FAINT)
    yield Text(LEFT + wide + 11, y + 10, words("step"), size=SMALL, ink=FAINT)


def _notes(working: Working, few: bool) -> Iterator[str]:
    units, steps = working.sizes["H"], working.steps
    if any(working.held):
        yield f"{'A gap' if few else 'Grey'}: the mask keeps the state, no gate is computed."
    if few and steps > POINTS:
        yield f"One step in {-(-steps // POINTS)} is drawn."
    down, across = _together(units, steps)
    if not few and (down > 1 or across > 1):
        yield f"Each cell is the mean of {down} × {across} (units × steps)."


def _said(scribe: Scribe) -> tuple[str, str]:
    working = scribe.working
    parts = []
    for s in scribe.cell.defined:
        values = _values(working, s)
        finite = values[np.isfinite(values)]
        span = f"from {short(float(finite.min()))} to {short(float(finite.max()))}" if finite.size else "nowhere"
        parts.append(f"{scribe.cell.stored(s).name} {span}")
    return f"{working.layer.id} over {counted(working.steps, 'step')}", f"{scribe.title}: {', '.join(parts)}."
