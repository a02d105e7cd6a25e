"""The weights of a layer as colours: each array as get_weights() has it, with the gates' boundaries and names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sympy import Symbol

from symgru.algebra import Ref
from symgru.drawing.colours import FAINT, INK
from symgru.drawing.measure import width
from symgru.drawing.scales import Scale, letter_on, merged, short
from symgru.drawing.scribe import Scribe
from symgru.drawing.shapes import (
    PAGE,
    SMALL,
    THIN,
    USUAL,
    Box,
    Drawing,
    Grid,
    Runs,
    Shape,
    Text,
    line,
    words,
)
from symgru.layout import BIASES
from symgru.network import Array
from symgru.styles import DEFAULT, Style
from symgru.working import WeightArray, Working

NAMED = 8  # rows that have their names beside them
MARGIN = 30.0  # for the rows' names
WIDEST, LOWEST, HIGHEST = 70.0, 6.0, 14.0  # a cell's width, and its height where there are few rows
TALLEST = 190.0  # an array
WRITTEN = 12  # columns up to which numbers may stand in the cells
HEAD, NEXT = 11.0, 14.0  # above blocks, for their names; between two rows of blocks
COLUMNS, ROWS = 240, 120  # cells beyond which several weights become one


@dataclass(frozen=True)
class _Panel:
    """An array: blocks side by side, rows of numbers; the texts where they are written into the cells."""

    array: WeightArray
    symbols: tuple[Symbol, ...]
    values: tuple[Array, ...]  # one for each block of a row, all with the same rows
    texts: tuple[Array, ...]
    merged: tuple[int, int]  # rows and columns of weights that a cell is the mean of


def heat_map(working: Working, style: Style = DEFAULT) -> Drawing:
    """Every weight of a layer as a colour, the scale below; where there is room, its number too."""
    scribe = Scribe(working, style)
    panels = [_panel(array) for array in working.arrays if not array.zero]
    most = max((float(np.abs(v).max()) for panel in panels for v in panel.values), default=1.0)
    scale = Scale.around(most)
    count = max((sum(v.shape[1] for v in panel.values) for panel in panels), default=1)
    wide = min(WIDEST, (PAGE - MARGIN - 2) / count)
    each = all(panel.merged == (1, 1) for panel in panels)  # a cell for each number
    written = each and count <= WRITTEN and _widest(scribe, panels) + 5 <= wide
    shapes: list[Shape] = []
    y, right = 0.0, MARGIN
    for array in working.arrays:
        panel = next((p for p in panels if p.array is array), None)
        shapes.append(Text(0, y + 9, _title(array, panel), size=SMALL, ink=FAINT))
        if panel is None:
            y += 16
            continue
        high = _height(panel, wide, written)
        y += 15
        shapes += _drawn(scribe, panel, scale, y + HEAD, wide, high, written)
        right = max(right, MARGIN + wide * sum(v.shape[1] for v in panel.values))
        y += HEAD + high * len(panel.values[0]) + _between(panel) + 8
    if panels:
        long = min(160.0, max(right - MARGIN, 110.0))
        shapes += bar(scribe, scale, MARGIN, y + 4, long)
        right, y = max(right, MARGIN + long + 16), y + 24
    head = max((width(text.runs, text.size) for text in shapes if isinstance(text, Text) and text.x == 0), default=0.0)
    return Drawing(max(right, head) + 2, y, *_said(scribe, most), tuple(shapes))


def _widest(scribe: Scribe, panels: Sequence[_Panel]) -> float:
    texts = (str(text) for panel in panels for block in panel.texts for text in block.ravel())
    return max((width(scribe.spell.number(text), SMALL) for text in texts), default=0.0)


def _panel(array: WeightArray) -> _Panel:
    rows = array.blocks
    texts = tuple(np.concatenate([row[k].texts for row in rows]) for k in range(len(rows[0])))
    values = tuple(text.astype(float) for text in texts)
    down = -(-len(values[0]) // ROWS)
    across = -(-sum(v.shape[1] for v in values) // COLUMNS)
    symbols = tuple(block.symbol for block in rows[0])
    return _Panel(array, symbols, tuple(merged(v, down, across) for v in values), texts, (down, across))


def _between(panel: _Panel) -> float:
    """Room for the names of further rows of blocks, which are other parameters: c_z below b_z."""
    return NEXT * (len(panel.array.blocks) - 1)


def _halves(panel: _Panel) -> Iterator[_Panel]:
    """Each row of blocks as an array of its own."""
    first = 0
    for row in panel.array.blocks:
        rows = slice(first, first + len(row[0].texts))
        first = rows.stop
        values, texts = tuple(v[rows] for v in panel.values), tuple(t[rows] for t in panel.texts)
        array = replace(panel.array, blocks=(row,))
        yield _Panel(array, tuple(block.symbol for block in row), values, texts, panel.merged)


def _height(panel: _Panel, wide: float, written: bool) -> float:
    rows = len(panel.values[0])
    if written:
        return HIGHEST
    return (
        max(wide, LOWEST) if rows * max(wide, LOWEST) <= 60 and wide < HIGHEST else min(wide, HIGHEST, TALLEST / rows)
    )


def _title(array: WeightArray, panel: _Panel | None) -> Runs:
    shape = f"({', '.join(map(str, array.shape))}{',' if len(array.shape) == 1 else ''})"
    note = ", all 0" if panel is None else ""
    if panel is not None and panel.merged != (1, 1):
        down, across = panel.merged
        note = f"; each cell is the mean of {down} × {across} weights"
    return words(f"[{array.place}] {array.name} {shape}{note}")


def _drawn(
    scribe: Scribe, panel: _Panel, scale: Scale, y: float, wide: float, high: float, written: bool
) -> Iterator[Shape]:
    rows = len(panel.values[0])
    if _between(panel):
        for row, half in zip(panel.array.blocks, _halves(panel), strict=True):
            yield from _drawn(scribe, half, scale, y, wide, high, written)
            y += high * len(row[0].texts) + NEXT
        return
    yield from _row_names(scribe, panel, y, high)
    x = MARGIN
    for symbol, values, texts in zip(panel.symbols, panel.values, panel.texts, strict=True):
        colour, across = scribe.colour(symbol.name), values.shape[1]
        levels = scale.levels(values)
        yield Text(x + wide * across / 2, y - 3.5, scribe.parameter(symbol), "middle", USUAL, colour)
        yield Grid(x, y, (wide, high), tuple(tuple(map(int, row)) for row in levels), scale.palette)
        for i, j in np.ndindex(*levels.shape) if written else ():
            ink = letter_on(scale.palette[levels[i, j]])
            runs = scribe.spell.number(str(texts[i, j]))
            yield Text(x + wide * (j + 0.5), y + high * (i + 0.5) + 2.4, runs, "middle", SMALL, ink)
        yield Box(x, y, wide * across, high * rows, INK, line=THIN)
        x += wide * across


def _row_names(scribe: Scribe, panel: _Panel, y: float, high: float) -> Iterator[Shape]:
    """The inputs of a kernel, the units of a recurrent kernel, b and c of two rows of biases."""
    rows, count = len(panel.values[0]), panel.array.shape[0]
    firsts = [row[0].symbol for row in panel.array.blocks]
    if panel.array.name in BIASES:
        names: Sequence[Runs] = [scribe.spell.symbol(scribe.letter(s.name.partition("_")[0])) for s in firsts]
        last, ink = names[-1], FAINT
    else:
        source = scribe.cell.inputs[0] if scribe.cell.dims[firsts[0]][1] == "D" else scribe.cell.states[0][0]
        names = [_component(scribe, source, k) for k in range(min(rows, NAMED))]
        last, ink = _component(scribe, source, count - 1), scribe.colour(source.name)
    if rows <= NAMED and high >= LOWEST:
        for k, runs in enumerate(names):
            size = USUAL if high >= 9 else SMALL if high >= SMALL else 6
            yield Text(MARGIN - 4, y + high * (k + 0.5) + 2.2, runs, "end", size, ink)
    else:
        yield Text(MARGIN - 4, y + 6, names[0], "end", SMALL, ink)
        yield Text(MARGIN - 4, y + high * rows - 0.5, last, "end", SMALL, ink)


def _component(scribe: Scribe, source: Symbol, k: int) -> Runs:
    """The input or unit that a row belongs to."""
    return scribe.formulas.scalar(Ref(source, (k,), 0 if source in scribe.cell.inputs else -1))


def bar(scribe: Scribe, scale: Scale, x: float, y: float, wide: float) -> Iterator[Shape]:
    """The scale: from end to end with its numbers below."""
    colours = len(scale.palette) - 1
    yield Grid(x, y, (wide / colours, 6.0), (tuple(range(1, colours + 1)),), scale.palette)
    yield Box(x, y, wide, 6.0, INK, line=THIN)
    ends = scale.ends()
    for k, value in enumerate(ends):
        at = x + wide * k / (len(ends) - 1)
        yield line((at, y + 6), (at, y + 8), width=THIN)
        yield Text(at, y + 15, scribe.spell.number(short(value)), "middle", SMALL, FAINT)


def _said(scribe: Scribe, most: float) -> tuple[str, str]:
    working = scribe.working
    says = "; ".join(
        f"{a.name}, shape {a.shape}, blocks {', '.join(b.symbol.name for row in a.blocks for b in row)}"
        + (", all 0" if a.zero else "")
        for a in working.arrays
    )
    return f"Weights of {working.layer.id} as colours", f"Blue is below 0, orange above, up to {short(most)}. {says}."
