"""A network without what a reader made and nobody reads, its recurrent layers giving what is read of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from symgru.network import Call, Edge, Network


def tidied(network: Network) -> Network:
    """The same function: dead calls gone, and a sequence of which only the last step is read given as that step."""
    return _alive(_last_steps(_alive(network)))


def _reads(call: Call) -> list[Edge]:
    return [*call.args, *([call.mask] if call.mask else []), *call.initial]


def _alive(network: Network) -> Network:
    wanted = {edge.source for edge in network.outputs}
    kept: list[Call] = []
    for call in reversed(network.calls):
        if call.id in wanted:
            kept.append(call)
            wanted.update(edge.source for edge in _reads(call))
    layers = {call.layer: network.layers[call.layer] for call in kept[::-1]}
    return replace(network, calls=tuple(kept[::-1]), layers=layers)


def _last_steps(network: Network) -> Network:
    """`last` of a whole sequence that nothing else reads is what a layer without return_sequences gives."""
    uses = Counter(edge for call in network.calls for edge in _reads(call)) + Counter(network.outputs)
    layers, moved = dict(network.layers), {}
    for call in network.calls:
        if layers[call.layer].kind != "last":
            continue
        (source,) = call.args
        layer = layers.get(source.source) if source.port == "y" else None
        if layer and layer.options.get("return_sequences") is True and uses[source] == 1:
            layers[layer.id] = replace(layer, options={**layer.options, "return_sequences": False})
            moved[Edge(call.id)] = source
    if not moved:
        return network

    def new(edge: Edge) -> Edge:
        return moved.get(edge, edge)

    calls = tuple(
        replace(
            call,
            args=tuple(map(new, call.args)),
            mask=call.mask and new(call.mask),
            initial=tuple(map(new, call.initial)),
        )
        for call in network.calls
        if Edge(call.id) not in moved
    )
    return replace(network, layers=layers, calls=calls, outputs=tuple(map(new, network.outputs)))
