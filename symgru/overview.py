"""What there is to know of a network at a glance: layers, shapes, parameter counts, and each gate's weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from symgru.network import Edge
from symgru.wording import counted

if TYPE_CHECKING:
    from symgru.backends.model import Unit
    from symgru.cell import Cell
    from symgru.network import Call, Layer, Network, Shape, Tensor

FEW = 64  # numbers of one parameter that are printed in full


def overview(network: Network) -> Iterator[str]:
    """Line by line, as `symgru show` prints it."""
    from symgru.maps import MAPS
    from symgru.readers.checks import printable

    yield f"{network.name}: {network.parameters} numbers, {network.dtype}, SHA-256 {network.fingerprint[:16]}…"
    for put in network.inputs:
        label = "" if len(network.inputs) == 1 else f" {put.id}"
        yield f"input{label}  {_shape(put.shape)}{', whole numbers' if put.whole else ''}"
    for note in network.notes:
        yield f"note   {printable(note, 200)}"
    if not network.is_chain or any(layer.kind in MAPS for layer in network.layers.values()):
        yield ""
        yield from _graph(network)
    for layer in network.layers.values():
        if layer.kind not in MAPS or layer.notes or layer.weights:
            yield ""
            yield from _layer(network, layer)


def _graph(network: Network) -> Iterator[str]:
    """One row for each input and call: the lines that join them, what it does, from what, and what shape comes out."""
    from symgru.shapes import shapes
    from symgru.wiring import calls, drawing

    known, called = shapes(network), calls(network)
    nodes = list(drawing(network))
    inputs = {put.id for put in network.inputs}
    rows = [
        (n.mark, n.id, "input", "", _shape(known[Edge(n.id, "input")]))
        if n.id in inputs
        else (n.mark, n.id, *_row(network, *called[n.id]), _shape(known[Edge(n.id)]))
        for n in nodes
    ]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    for node, row in zip(nodes, rows, strict=True):
        yield from node.rails
        yield "  ".join([*(word.ljust(w) for word, w in zip(row, widths, strict=False)), row[4]]).rstrip()
    yield "output  " + ", ".join(_named(edge) for edge in network.outputs)


def _row(network: Network, call: Call, layer: Layer) -> tuple[str, str]:
    """What a call does, and what it reads."""
    from symgru.wiring import does

    said = [_named(edge) for edge in call.args]
    said += [f"mask {_named(call.mask)}"] if call.mask else []
    said += [f"h_0 {_named(edge)}" for edge in call.initial]
    shared = layer.weights and call.id != layer.id
    return f"{does(layer)}{f' ({layer.id} again)' if shared else ''}", ", ".join(said)


def _named(edge: Edge) -> str:
    return f"{edge.source}{'' if edge.port != 'state' else ' (last state)'}"


def _shape(shape: Shape) -> str:
    axes = ["time" if n is None and k == 0 else "any" if n is None else str(n) for k, n in enumerate(shape)]
    return f"({', '.join(['batch', *axes])})"


def _cell(layer: Layer) -> Cell:
    from symgru.building import build

    return build(layer.kind, layer.options)


def _layer(network: Network, layer: Layer) -> Iterator[str]:
    """A layer with its equations and weights."""
    from symgru.maps import MAPS
    from symgru.readers.checks import printable

    own = layer.label in {layer.id, layer.kind}
    label = "" if own else f" (called '{printable(layer.label)}' in the file)"
    if layer.kind in MAPS:
        yield f"{layer.id}{label}: {MAPS[layer.kind].says}"
        yield from (f"  note: {printable(note, 200)}" for note in layer.notes)
        for name, tensor in layer.weights.items():
            yield from _parameter(name, tensor.T)
        return
    from symgru.backends.c.printer import Formula
    from symgru.backends.model import units_of

    call = next(call for call, own_layer in network if own_layer is layer)
    unit = replace(units_of(network)[call.id], cell=_cell(layer))
    yield f"{layer.id}{label}: {unit.cell.source}"
    count = f"; {unit.count}" if layer.weights else ""
    yield f"  {counted(unit.sizes['D'], 'feature')} -> {counted(unit.sizes['H'], 'unit')}{count}"
    yield from (f"  note: {printable(note, 200)}" for note in layer.notes)
    if call.mask and unit.recurrent:
        yield f"  where the mask {_named(call.mask)} does not hold, the state stays as it was"
    for lhs, rhs in unit.cell.equations:
        yield f"    {Formula().doprint(lhs)} = {Formula().doprint(rhs)}"
    for name, array in unit.arrays.items():
        yield f"  {name} {array.shape}: {_blocks(unit, name)}"
    for p in unit.cell.params:
        yield from _parameter(p.name, layer.weights[p.name])


def _blocks(unit: Unit, name: str) -> str:
    from symgru.backends.model import SPARE

    return "; ".join(" | ".join(map(str, row)) for row in unit.blocks[name]) or SPARE


def _parameter(name: str, tensor: Tensor) -> Iterator[str]:
    framework = tensor.T
    if tensor.value.size > FEW:
        low, high = tensor.value.min(), tensor.value.max()
        yield f"    {name} {framework.value.shape}: from {low} to {high}"
        return
    rows = framework.text.reshape(-1, framework.text.shape[-1])
    yield f"    {name} = " + "  ".join(rows[0])
    for row in rows[1:]:
        yield " " * (len(name) + 7) + "  ".join(row)
