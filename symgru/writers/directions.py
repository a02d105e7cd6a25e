"""Which recurrent calls run backwards in time: a flip before them, and a flip behind them where they give sequences."""

from __future__ import annotations

from dataclasses import dataclass

from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer, Network
from symgru.shapes import shapes
from symgru.wiring import calls, reads

MERGES = {"concatenate": "concat", "add": "sum", "multiply": "mul", "average": "ave"}  # Keras' merge modes


@dataclass(frozen=True)
class Use:
    """A recurrent call as other frameworks have it: what it reads, in which direction, and the edge that holds its
    output in the order of time."""

    call: Call
    layer: Layer
    source: Edge
    backwards: bool
    result: Edge

    @property
    def sequences(self) -> bool:
        return bool(self.layer.options.get("return_sequences", False))


def uses(network: Network) -> dict[str, Use]:
    """Every recurrent call by its id."""
    called = calls(network)
    readers: dict[Edge, list[str]] = {}
    for call in network.calls:
        for edge in reads(call):
            readers.setdefault(edge, []).append(call.id)
    return {
        call.id: _use(network, call, layer, called, readers)
        for call, layer in network
        if layer.kind not in MAPS and any(name.startswith("U") for name in layer.weights)
    }


def _use(
    network: Network, call: Call, layer: Layer, called: dict[str, tuple[Call, Layer]], readers: dict[Edge, list[str]]
) -> Use:
    (source,), own = call.args, Edge(call.id)
    plain = Use(call, layer, source, False, own)
    flip = called.get(source.source)
    if source.port != "y" or flip is None or flip[1].kind != "flip":
        return plain
    before = flip[0].args[0]
    if not layer.options.get("return_sequences", False):
        return Use(call, layer, before, True, own)
    behind = readers.get(own, [])
    turned = [name for name in behind if called[name][1].kind == "flip"]
    if len(behind) != 1 or turned != behind or own in network.outputs:
        return plain
    return Use(call, layer, before, True, Edge(turned[0]))


def absorbed(network: Network) -> set[str]:
    """The flips that are part of a backwards use: those behind, and those before that nothing else reads."""
    found = {call_id: use for call_id, use in uses(network).items() if use.backwards}
    behind = {use.result.source for use in found.values() if use.sequences}
    called = calls(network)
    before = {use.call.args[0].source for use in found.values()}
    other = {edge.source for call in network.calls if call.id not in found for edge in reads(call)}
    other |= {edge.source for edge in network.outputs}
    other |= {edge.source for use in found.values() for edge in reads(use.call)[1:]}
    return behind | {name for name in before if name not in other and name in called}


def bidirectional(network: Network) -> dict[str, tuple[str, str]]:
    """The merges of a layer that runs forwards with one that runs backwards over the same input, by the merge's call:
    the two recurrent calls."""
    results = {use.result: use for use in uses(network).values()}
    known = shapes(network)
    found = {}
    for call, layer in network:
        both = [results.get(edge) for edge in call.args]
        if layer.kind not in MERGES or len(both) != 2:
            continue
        first, second = both
        if first is None or second is None or first.source != second.source:
            continue
        last = layer.kind != "concatenate" or layer.options["axis"] == len(known[call.args[0]])
        plain = not any(use.call.mask or use.call.initial for use in (first, second))
        if not first.backwards and second.backwards and last and plain:
            found[call.id] = (first.call.id, second.call.id)
    return found
