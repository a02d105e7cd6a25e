"""nn.GRU, nn.GRUCell, nn.RNN and nn.RNNCell: layers and directions are recurrent calls of their own.

torch/nn/modules/rnn.py: the arrays of layer k are weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}, those of
the backward direction end in _reverse. A layer takes the outputs of both directions of the one below side by side. h_n
has a row for each layer and direction, forward before backward.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symgru.arrangement import options, split
from symgru.conventions import CONVENTIONS
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Edge, Tensor
from symgru.readers.checks import boolean, printable, whole
from symgru.readers.torch_arrays import Arrays
from symgru.readers.torch_graph import Graph

RNN = CONVENTIONS["torch_rnn"]
KINDS = {"gru": CONVENTIONS["torch"], "gru_cell": CONVENTIONS["torch"], "rnn": RNN, "rnn_cell": RNN}
BLOCKS = {1: "rnn", 3: "gru"}  # rows of weight_ih for each unit
PLACE = re.compile(r"((?:weight|bias)_[ih]h)(?:_l([0-9]{1,3})(_reverse)?)?")
OUTPUTS = ("output", "last", "h_n")
Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Request:
    """What the description asks of a recurrent module."""

    output: str = "output"  # what the next layer gets
    sequence: bool = True  # some layer or output needs every step
    states: bool = False  # some layer or output needs h_n
    final: bool = False  # some layer or output needs the last layer's final state
    h0: bool = False
    lengths: bool = False
    nonlinearity: str = "tanh"


def reference(name: str, what: str) -> str:
    """How a description names a value of a module; the module alone has no name."""
    return f"{name}.{what}" if name else what


def kind_of(arrays: Arrays, prefix: str) -> str | None:
    """gru, gru_cell, rnn or rnn_cell, from the arrays' names and shapes; None for what is no recurrent module.

    Raises Unsupported for an LSTM.
    """
    names = arrays.within(prefix)
    for first, ending in (("weight_ih_l0", ""), ("weight_ih", "_cell")):
        hidden = first.replace("ih", "hh")
        if first in names and hidden in names:
            shapes = arrays.shape(names[first]), arrays.shape(names[hidden])
            if any(len(shape) != 2 or 0 in shape for shape in shapes):
                raise UnusableInput(f"{printable(names[first])} has shape {shapes[0]}; it must have two axes")
            blocks = shapes[0][0] / shapes[1][1]
            if blocks == 4 or "weight_hr_l0" in names:
                raise Unsupported(f"{printable(prefix or first)} is an LSTM; symgru reads GRU and RNN")
            if blocks not in BLOCKS:
                raise UnusableInput(f"{printable(names[first])} has {shapes[0][0]} rows; a GRU has 3 for each unit")
            return BLOCKS[int(blocks)] + ending
    return None


def directions(arrays: Arrays, prefix: str, kind: str) -> list[list[Weights]]:
    """The canonical weights of each layer and direction, their widths checked against one another."""
    convention = KINDS[kind]
    found: dict[tuple[int, bool], dict[str, str]] = {}
    for name, full in arrays.within(prefix).items():
        match = PLACE.fullmatch(name)
        if not match or (match[2] is None) != kind.endswith("_cell"):
            raise UnusableInput(f"has an array {printable(name)}, which no {kind} has")
        found.setdefault((int(match[2] or 0), match[3] is not None), {})[match[1]] = full
    layers, both = max(layer for layer, _ in found) + 1, (0, True) in found
    wanted = [[(layer, back) for back in ((False, True) if both else (False,))] for layer in range(layers)]
    if {place for row in wanted for place in row} != set(found):
        raise UnusableInput(
            f"has arrays of {len(found)} layers and directions; {layers} layers need {len(wanted) * (1 + both)}"
        )
    return [
        [split(convention, {name: arrays.take(full) for name, full in found[place].items()}) for place in row]
        for row in wanted
    ]


def check(entry: Mapping[str, object], weights: list[list[Weights]]) -> None:
    """What the description says of sizes must be what the arrays have; each layer as wide as the one below gives."""
    first = next(iter(weights[0][0].values())).value
    units, width, both = first.shape[0], first.shape[1], len(weights[0]) > 1
    biased = any(name[0] == "b" for name in weights[0][0])
    for key, actual in (("num_layers", len(weights)), ("hidden_size", units), ("input_size", width)):
        if key in entry and whole(entry[key], key) != actual:
            raise UnusableInput(f"{key} is {entry[key]}; its arrays have {actual}")
    for key, there in (("bidirectional", both), ("bias", biased)):
        if key in entry and boolean(entry[key], key) != there:
            raise UnusableInput(f"{key} is {entry[key]}; its arrays say {there}")
    for k, row in enumerate(weights):
        for each in row:
            found = next(iter(each.values())).value.shape
            if found != (units, width if k == 0 else units * len(row)):
                raise UnusableInput(
                    f"layer {k} has {found[0]} units and {found[1]} features; it does not fit the others"
                )
            if biased != any(name[0] == "b" for name in each):
                raise UnusableInput(f"layer {k} lacks biases that the others have")


def module(graph: Graph, name: str, kind: str, weights: list[list[Weights]], asked: Request, x: Edge) -> Edge:
    """The calls of a whole module on a sequence; the value that the next layer gets. Its others are named name.output,
    name.h_n and name.last_state."""
    if len(graph.shapes[x]) != 2:
        raise UnusableInput(f"takes a sequence (time, features); it is given {graph.shapes[x]} after the batch")
    runs = _Runs(graph, name, kind, asked, _initial(graph, name, weights, asked.h0))
    if asked.lengths:
        runs.lengths = graph.input("lengths", (), whole=True)
        runs.mask = graph.map("until", {}, x, runs.lengths)
    value, tops = x, []
    for k, row in enumerate(weights):
        top = k == len(weights) - 1
        given = [
            runs.direction(value, each, k, back, sequence=asked.sequence or not top) for back, each in enumerate(row)
        ]
        tops = [state for _, state in given]
        if asked.sequence or not top:
            value = graph.beside([sequence for sequence, _ in given], axis=2)
    if asked.sequence:
        if runs.mask:
            value = graph.map("blank", {}, value, runs.mask)
        graph.named[name] = graph.named[reference(name, "output")] = value
    if asked.states:
        rows = [graph.map("reshape", {"shape": (1, *graph.shapes[state])}, state) for state in runs.states]
        graph.named[reference(name, "h_n")] = graph.beside(rows, axis=1)
    if asked.final:
        graph.named[reference(name, "last_state")] = graph.beside(tops, axis=1)
    if asked.output == "output":
        return value
    if asked.output == "last" and len(tops) > 1:
        return graph.map("last", {}, value)
    return graph.beside(tops, axis=1)


def _initial(graph: Graph, name: str, weights: list[list[Weights]], wanted: bool) -> list[tuple[Edge, ...]]:
    """The state before the first step of each layer and direction, out of the input h0 (layers * directions, units)."""
    count = sum(map(len, weights))
    if not wanted:
        return [()] * count
    units = next(iter(weights[0][0].values())).value.shape[0]
    flat = graph.map("flatten", {}, graph.input(reference(name, "h0"), (count, units)))
    if count == 1:
        return [(flat,)]
    return [(graph.map("slice", {"start": k * units, "stop": (k + 1) * units}, flat),) for k in range(count)]


class _Runs:
    """The recurrent calls of one module."""

    def __init__(self, graph: Graph, name: str, kind: str, asked: Request, initial: list[tuple[Edge, ...]]) -> None:
        self.graph, self.name, self.kind, self.asked, self.initial = graph, name, kind, asked, initial
        self.lengths: Edge | None = None
        self.mask: Edge | None = None
        self.states: list[Edge] = []

    def flip(self, x: Edge) -> Edge:
        """Time reversed, of packed sequences each within its own length."""
        return self.graph.map("flip_until", {}, x, self.lengths) if self.lengths else self.graph.map("flip", {}, x)

    def direction(self, x: Edge, weights: Weights, layer: int, back: int, *, sequence: bool) -> tuple[Edge, Edge]:
        """The outputs of one layer in one direction at every step (where asked), and its last state."""
        convention = KINDS[self.kind]
        label = self.name or self.kind
        if layer or back:
            label += f"_l{layer}" + "_reverse" * back
        own = {**options(convention, weights), "return_sequences": sequence}
        if convention is RNN:
            own["activation"] = self.asked.nonlinearity
        notes = (convention.read_as(convention.arrays),)
        made = self.graph.layer(convention.kind, label, own, weights, shared=label, notes=notes)
        units = next(iter(weights.values())).value.shape[0]
        shape = (self.graph.shapes[x][0], units) if sequence else (units,)
        given = self.flip(x) if back else x
        y = self.graph.call(made, (given,), shape, mask=self.mask, initial=self.initial[len(self.states)])
        state = Edge(y.source, "state") if sequence else y
        self.graph.shapes[state] = (units,)
        self.states.append(state)
        return (self.flip(y) if back and sequence else y), state
