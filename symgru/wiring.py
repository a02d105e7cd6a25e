"""How a network's values hang together, in words and as lines down a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symgru.algebra import Mat, Mean, Total, walk
from symgru.building import build
from symgru.cell import Cell
from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer, Network

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
BOXES = {
    0: " ",
    UP | DOWN: "│",
    LEFT | RIGHT: "─",
    UP | RIGHT: "╰",
    UP | LEFT: "╯",
    DOWN | RIGHT: "╭",
    DOWN | LEFT: "╮",
    UP | DOWN | RIGHT: "├",
    UP | DOWN | LEFT: "┤",
    DOWN | LEFT | RIGHT: "┬",
    UP | LEFT | RIGHT: "┴",
    UP | DOWN | LEFT | RIGHT: "┼",
}
STARTS = {UP: UP, DOWN: UP | DOWN}  # a line that only begins or ends is drawn in full
INPUT, CELL, MAP = "○", "●", "◇"


def reads(call: Call) -> list[Edge]:
    """Every value that a call reads: arguments, mask, initial states."""
    return list(dict.fromkeys([*call.args, *([call.mask] if call.mask else []), *call.initial]))


def phrase(network: Network, edge: Edge) -> str:
    """What a value is: "the output of forward, time reversed". Names are the safe ids."""
    if edge.port == "input":
        return "the input" if len(network.inputs) == 1 else f"the input {edge.source}"
    call, layer = calls(network)[edge.source]
    if edge.port == "state":
        return f"the last state of {call.id}"
    if layer.kind not in MAPS and is_shown(build(layer.kind, layer.options)):
        return f"the output of {call.id}"
    says = does(layer)
    parts = [phrase(network, arg) for arg in call.args]
    if len(parts) > 1 and layer.kind not in ("erase", "blank"):
        return f"{', '.join(parts[:-1])} and {parts[-1]}, {says}"
    return f"{parts[0]}, {says}"


def is_shown(cell: Cell) -> bool:
    """Whether a layer has worked lines of its own: it reads one value, through a matrix or an activation alone."""
    whole = any(isinstance(node, Mean | Total) for _, e in cell.equations for node in walk(e))
    return len(cell.inputs) == 1 and (any(isinstance(p, Mat) for p in cell.params) or not (cell.params or whole))


def does(layer: Layer) -> str:
    """What a layer does, in a few words: "GRU", "time reversed", "relu"."""
    if layer.kind in MAPS:
        return MAPS[layer.kind].says
    chosen = layer.options.get("activation")
    return chosen if layer.kind == "activation" and isinstance(chosen, str) else build(layer.kind, layer.options).title


def calls(network: Network) -> dict[str, tuple[Call, Layer]]:
    """Each call with its layer, by the call's id."""
    return {call.id: (call, layer) for call, layer in network}


@dataclass(frozen=True)
class Node:
    """An input or a call in the drawing: the lines that stand above it and beside it, and which call it is."""

    rails: tuple[str, ...]
    mark: str
    id: str


def drawing(network: Network) -> Iterator[Node]:
    """The graph as lines that run down the page, one node a row: a value's line ends at the last call that reads it.

    ○ is an input, ● a cell, ◇ a map (values that are moved, looked up or made into a mask).
    """
    last = _last_reader(network)
    lanes: list[str | None] = []
    for put in network.inputs:
        lane = _free(lanes)
        lanes[lane] = put.id
        yield Node((), _row(lanes, lane, INPUT), put.id)
    for place, (call, layer) in enumerate(network):
        sources = list(dict.fromkeys(edge.source for edge in reads(call)))
        from_lanes = [lanes.index(source) for source in sources]
        ended = [lane for lane, source in zip(from_lanes, sources, strict=True) if last[source] <= place]
        lane = min(ended) if ended else _free(lanes)
        rails = _joins(lanes, from_lanes, ended, lane)
        for k in ended:
            lanes[k] = None
        lanes[lane] = call.id
        while lanes and lanes[-1] is None:
            lanes.pop()
        yield Node(rails, _row(lanes, lane, MAP if layer.kind in MAPS else CELL), call.id)
        if last[call.id] <= place:
            lanes[lane] = None


def _last_reader(network: Network) -> dict[str, int]:
    """The place of the last call that reads a value; past the end for the network's outputs."""
    last = {put.id: -1 for put in network.inputs} | {call.id: -1 for call in network.calls}
    for place, call in enumerate(network.calls):
        last |= {edge.source: place for edge in reads(call)}
    return last


def _free(lanes: list[str | None]) -> int:
    if None not in lanes:
        lanes.append(None)
    return lanes.index(None)


def _row(lanes: list[str | None], lane: int, mark: str) -> str:
    return " ".join(mark if k == lane else " " if source is None else "│" for k, source in enumerate(lanes))


def _joins(lanes: list[str | None], sources: list[int], ended: list[int], node: int) -> tuple[str, ...]:
    """The row above a node where lines come from the side; none where all come from straight above."""
    if sources == [node]:
        return ()
    width = 2 * max([*range(len(lanes)), node]) + 1
    cells = [0] * width
    for k, source in enumerate(lanes):
        if source is not None:
            cells[2 * k] = UP if k in ended else UP | DOWN
    cells[2 * node] |= DOWN
    for k in sources:
        left, right = sorted((2 * k, 2 * node))
        for c in range(left, right):
            cells[c] |= RIGHT
            cells[c + 1] |= LEFT
    for k, source in enumerate(lanes):
        if source is not None and k not in sources and k != node:
            cells[2 * k] = UP | DOWN  # a line that has no part in this passes in front
    return ("".join(BOXES[STARTS.get(c, c)] for c in cells),)
