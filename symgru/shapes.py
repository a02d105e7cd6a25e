"""The shape of every value in a network, the batch axis left out, found without running it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from symgru import maps
from symgru.building import build
from symgru.cell import Cell
from symgru.errors import SymgruError, UnusableInput
from symgru.network import Array, Edge, Layer, Network, Shape


def shapes(network: Network) -> dict[Edge, Shape]:
    """Shapes by edge, states among them; None is an axis of any length. Raises UnusableInput where they do not fit."""
    found = {Edge(put.id, "input"): put.shape for put in network.inputs}
    for call, layer in network:
        args = [found[edge] for edge in call.args]
        try:
            if layer.kind in maps.MAPS:
                tables = [layer.weights[name].value.shape for name in maps.MAPS[layer.kind].tables]
                found[Edge(call.id)] = maps.shape(layer.kind, layer.options, [*args, *tables])
                continue
            cell = build(layer.kind, layer.options)
            found[Edge(call.id)] = _cell(cell, layer, args)
        except SymgruError as error:
            raise type(error)(f"layer {layer.id}: {error}") from None
        if cell.states:
            found[Edge(call.id, "state")] = (units(cell, layer),)
    return found


def with_lengths(network: Network, values: Sequence[Array]) -> Network:
    """The network for inputs (batch, ...) of exactly these lengths, whatever its own shapes say; itself where they
    say the same."""
    pairs = zip(network.inputs, values, strict=True)
    inputs = tuple(put if put.shape == x.shape[1:] else replace(put, shape=x.shape[1:]) for put, x in pairs)
    return network if inputs == network.inputs else replace(network, inputs=inputs)


def _cell(cell: Cell, layer: Layer, args: list[Shape]) -> Shape:
    first = args[0]
    features = first[-1]
    if features is None:
        raise UnusableInput("its input has no fixed number of features")
    width = units(cell, layer, features)
    for p in cell.params:
        if p.name not in layer.weights:
            there = ", ".join(sorted(layer.weights)) or "nothing"
            raise UnusableInput(f"({layer.kind}) has no {p.name}; it has {there}")
        size = layer.weights[p.name].value.shape
        if cell.dims[p][1:] == ("D",) and size[1] != features:
            raise UnusableInput(f"its weights are for {size[1]} features; it is given {features}")
    if cell.states:
        if len(first) != 2:
            raise UnusableInput(f"takes a sequence (time, features); it is given {_said(first)}")
        return (first[0], width) if layer.options.get("return_sequences", False) else (width,)
    if any(len(other) != len(first) for other in args):
        raise UnusableInput(f"its inputs have {' and '.join(map(_said, args))}: not as many axes")
    axes = zip(*args, strict=True)
    joined = tuple(_broadcast(axis) for axis in axes)
    return (*joined[:-1], width if len(args) == 1 else joined[-1])


def _broadcast(lengths: tuple[int | None, ...]) -> int | None:
    known = {n for n in lengths if n not in (1, None)}
    if len(known) > 1:
        raise UnusableInput(f"its inputs have {' and '.join(map(str, lengths))} along one axis")
    return next(iter(known), None if None in lengths else 1)


def _said(shape: Shape) -> str:
    return "(" + ", ".join(["batch", *("?" if n is None else str(n) for n in shape)]) + ")"


def units(cell: Cell, layer: Layer, features: int = 0) -> int:
    """How many units a layer has, from the shapes of its weights; as many as `features` where it has none."""
    for p in cell.params:
        if cell.dims[p][0] == "H":
            return cast(int, layer.weights[p.name].value.shape[0])
    return features
