"""A network as boxes and arrows: its inputs, every call of a layer, and which value goes where.

Layers stand below what they read. A long arrow passes other layers through places of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from symgru.drawing.colours import FAINT, INK, INPUT, STATE, Colour
from symgru.drawing.measure import width
from symgru.drawing.shapes import (
    SMALL,
    THIN,
    USUAL,
    Box,
    Curve,
    Drawing,
    Group,
    Point,
    Shape,
    Text,
    arrow,
    line,
    words,
)
from symgru.maps import MAPS
from symgru.network import Edge, Network
from symgru.network import Shape as Lengths
from symgru.shapes import shapes as shapes_of
from symgru.wiring import does, reads

HIGH, DOWN = 27.0, 18.0  # a box, and the room between two rows of boxes
BESIDE, PASSING = 14.0, 8.0  # between two boxes, and a long arrow's own place
DASHES: dict[str, tuple[float, ...]] = {"": (), "mask": (1.0, 1.5), "state": (3.0, 1.5)}
Place = tuple[str, int]  # a box (its name, -1) or where a long arrow passes a row (its number, the row)


@dataclass(frozen=True)
class _Arrow:
    source: str
    target: str
    kind: str  # "", "mask", "state"
    number: int


@dataclass(frozen=True)
class _Node:
    id: str
    lines: tuple[str, str]
    colour: Colour
    fill: Colour | None


def graph(network: Network) -> Drawing:
    """Every input, call and output of a network, with the shape of each value."""
    nodes, arrows = _nodes(network), list(_arrows(network))
    rows = _rows(nodes, arrows)
    table, ways = _table(nodes, arrows, rows)
    _order(table, ways, arrows)
    return _draw(network, nodes, arrows, table, ways, rows)


def _nodes(network: Network) -> dict[str, _Node]:
    known = shapes_of(network)
    nodes = {put.id: _Node(put.id, (put.id, f"input {_shape(put.shape)}"), INPUT, INPUT) for put in network.inputs}
    for call, layer in network:
        of = f" of {layer.id}" if layer.id != call.id else ""
        is_map = layer.kind in MAPS
        nodes[call.id] = _Node(
            call.id,
            (call.id, f"{does(layer)}{of} {_shape(known[Edge(call.id)])}"),
            INK if is_map else STATE,
            FAINT if is_map else STATE,
        )
    return nodes


def _shape(shape: Lengths) -> str:
    return "(" + ", ".join("time" if n is None else str(n) for n in shape) + ")"


def _arrows(network: Network) -> Iterator[_Arrow]:
    number = 0
    for call, _ in network:
        for edge in reads(call):
            kind = "mask" if edge == call.mask else "state" if edge in call.initial or edge.port == "state" else ""
            yield _Arrow(edge.source, call.id, kind, number)
            number += 1


def _rows(nodes: Mapping[str, _Node], arrows: list[_Arrow]) -> dict[str, int]:
    """A node's row: below all that it reads; inputs stand in the first."""
    rows = dict.fromkeys(nodes, 0)
    for name in nodes:  # calls come in topological order
        rows[name] = max((rows[a.source] + 1 for a in arrows if a.target == name), default=0)
    return rows


Table = list[list[Place]]


def _table(
    nodes: Mapping[str, _Node], arrows: list[_Arrow], rows: Mapping[str, int]
) -> tuple[Table, dict[int, list[Place]]]:
    """What stands in each row, and the way of each arrow from row to row."""
    table: Table = [[] for _ in range(max(rows.values()) + 1)]
    for name in nodes:
        table[rows[name]].append((name, -1))
    ways: dict[int, list[Place]] = {}
    for a in arrows:
        passed = [(str(a.number), row) for row in range(rows[a.source] + 1, rows[a.target])]
        for place in passed:
            table[place[1]].append(place)
        ways[a.number] = [(a.source, -1), *passed, (a.target, -1)]
    return table, ways


def _order(table: Table, ways: Mapping[int, list[Place]], arrows: list[_Arrow]) -> None:
    """Moves what is connected to the same side, down and up the page in turn."""
    above: dict[Place, list[Place]] = {}
    below: dict[Place, list[Place]] = {}
    for way in ways.values():
        for a, b in pairwise(way):
            above.setdefault(b, []).append(a)
            below.setdefault(a, []).append(b)
    for turn in range(6):
        neighbours, rows = (above, table[1:]) if turn % 2 == 0 else (below, table[-2::-1])
        for row in rows:
            share = {place: (k + 0.5) / len(r) for r in table for k, place in enumerate(r)}
            near = {place: [share[n] for n in neighbours.get(place, [place])] for place in row}
            row.sort(key=lambda place: sum(near[place]) / len(near[place]))


def _draw(
    network: Network,
    nodes: Mapping[str, _Node],
    arrows: list[_Arrow],
    table: Table,
    ways: Mapping[int, list[Place]],
    rows: Mapping[str, int],
) -> Drawing:
    widths = {(n.id, -1): _width(n) for n in nodes.values()}
    length = [sum(widths.get(p, PASSING) for p in row) + BESIDE * (len(row) - 1) for row in table]
    right = max(length)
    places: dict[Place, Point] = {}  # the middle of each
    for k, row in enumerate(table):
        x = (right - length[k]) / 2
        for place in row:
            wide = widths.get(place, PASSING)
            places[place] = x + wide / 2, k * (HIGH + DOWN) + HIGH / 2 + 1
            x += wide + BESIDE
    drawn: list[Shape] = []
    for a in arrows:
        way = [places[place] for place in ways[a.number]]
        way[-1] = _onto(a, arrows, ways, places, widths[a.target, -1])
        drawn.append(Group(tuple(_way(a, way)), f"{a.source} to {a.target}"))
    for node in nodes.values():
        drawn += _box(node, places[node.id, -1], widths[node.id, -1])
    bottom = len(table) * (HIGH + DOWN) - DOWN + 2
    ends = {edge.source for edge in network.outputs or (Edge(network.calls[-1].id),)}
    for name in nodes:
        if name in ends:
            x, y = places[name, -1]
            drawn.append(arrow((x, y + HIGH / 2), (x, y + HIGH / 2 + DOWN - 4), ink=INK))
            drawn.append(Text(x + 5, y + HIGH / 2 + 11, words("output"), size=SMALL, ink=FAINT))
            bottom = max(bottom, y + HIGH / 2 + DOWN)
    if any(a.kind for a in arrows):
        drawn += _legend(arrows, bottom + 5)
        bottom += 10
        right = max(right, 110.0)
    said = "; ".join(f"{a.target} reads {a.kind + ' ' if a.kind else ''}{a.source}" for a in arrows)
    return Drawing(right + 2, bottom, f"The layers of {network.name}", f"{said}.", tuple(drawn))


def _width(node: _Node) -> float:
    name, says = node.lines
    return max(48.0, width(words(name, True), USUAL), width(words(says), SMALL)) + 12


def _box(node: _Node, middle: Point, wide: float) -> Iterator[Shape]:
    x, y = middle
    yield Box(x - wide / 2, y - HIGH / 2, wide, HIGH, node.colour, node.fill, radius=4)
    yield Text(x, y - 2.5, words(node.lines[0], True), "middle", USUAL, node.colour)
    yield Text(x, y + 8, words(node.lines[1]), "middle", SMALL, INK)


def _onto(
    a: _Arrow, arrows: list[_Arrow], ways: Mapping[int, list[Place]], places: Mapping[Place, Point], wide: float
) -> Point:
    """Where an arrow meets its target: several come side by side, in the order in which they come from above."""
    x, y = places[a.target, -1]
    coming = sorted((places[ways[b.number][-2]], b.number) for b in arrows if b.target == a.target)
    apart = min(12.0, (wide - 16) / len(coming))
    place = [number for _, number in coming].index(a.number)
    return x + apart * (place - (len(coming) - 1) / 2), y


def _way(a: _Arrow, way: list[Point]) -> Iterator[Shape]:
    """From below its source, straight through the rows that it passes, onto its target."""
    dash, ink = DASHES[a.kind], STATE if a.kind == "state" else INK
    for k, ((x0, y0), (x1, y1)) in enumerate(pairwise(way)):
        start, end, last = (x0, y0 + HIGH / 2), (x1, y1 - HIGH / 2), k == len(way) - 2
        if x0 == x1:
            yield (arrow if last else line)(start, end, ink=ink, dash=dash)
        else:
            bend = (start[1] + end[1]) / 2
            yield Curve(start, ((x0, bend + 2), (x1, bend - 2)), end, ink, THIN, dash, last)
        if not last:
            yield line(end, (x1, y1 + HIGH / 2), ink=ink, dash=dash)


def _legend(arrows: list[_Arrow], y: float) -> Iterator[Shape]:
    """What the lines that are not plain mean."""
    x = 1.0
    for kind in dict.fromkeys(a.kind for a in arrows if a.kind):
        says = words(f"the {kind}")
        yield line((x, y), (x + 18, y), ink=STATE if kind == "state" else INK, dash=DASHES[kind])
        yield Text(x + 21, y + 2.4, says, size=SMALL, ink=FAINT)
        x += 21 + width(says, SMALL) + 10
