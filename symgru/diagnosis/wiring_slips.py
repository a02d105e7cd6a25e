"""What is taken otherwise in a network as a whole: what comes behind the recurrent layer, directions, masks.

Each is a rewriting of the network that was read; nothing else in it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from symgru.building import build
from symgru.maps import MAPS
from symgru.mistake_table import Mistake
from symgru.network import Call, Edge, Layer, Network, Tensor

Rewiring = Callable[[Network], Network]


def of_network(network: Network) -> tuple[Mistake, ...]:
    """What can be taken otherwise in this network, the commonest first."""
    return tuple(sorted(_all(network), key=lambda m: m.rank))


def _all(network: Network) -> Iterator[Mistake]:
    last = [call for call, layer in network if _is_recurrent(layer)][-1:]
    heads = [call for call, layer in network if _is_dense(layer)]
    if last and network.outputs and network.outputs[0].source != last[0].id:
        yield Mistake(
            "head",
            "left out",
            "left out what comes behind the recurrent layer",
            "go on through the layers behind it",
            network=Ending(last[0].id),
            rank=31,
        )
    for call in heads:
        yield from _head(network, call)
    if any(call.mask for call in network.calls):
        yield Mistake(
            "mask",
            "left out",
            "worked the masked time steps too",
            "a masked time step keeps the state as it was",
            known_from="Keras' Masking and mask_zero",
            network=unmasked,
            rank=14,
        )
    for call, layer in network:
        if layer.kind == "concatenate" and len(call.args) == 2:
            yield Mistake(
                "directions",
                f"halves exchanged in {call.id}",
                "put the backward direction before the forward one",
                "the forward direction comes first",
                known_from="bidirectional layers",
                network=Exchanged(call.id),
                rank=19,
            )
    if any(layer.kind == "flip" for _, layer in network):
        yield Mistake(
            "directions",
            "not turned",
            "ran the backward direction forwards",
            "the backward direction begins at the last input, and its outputs are turned round again",
            known_from="bidirectional layers",
            network=Without("flip"),
            rank=18,
        )


def _head(network: Network, call: Call) -> Iterator[Mistake]:
    layer = network.layers[call.layer]
    if layer.options.get("activation", "linear") not in (None, "linear"):
        yield Mistake(
            "head",
            f"no activation in {layer.id}",
            "left out the activation of the Dense layer",
            "take the Dense layer's activation of its sum",
            network=Plain(layer.id),
            rank=31,
        )
    biases = [name for name, t in layer.weights.items() if t.value.ndim == 1 and not t.is_zero]
    if biases:
        yield Mistake(
            "head",
            f"no bias in {layer.id}",
            "left out the bias of the Dense layer",
            "add the Dense layer's bias",
            network=Unbiased(layer.id, tuple(biases)),
            rank=31,
        )


def _is_recurrent(layer: Layer) -> bool:
    return layer.kind not in MAPS and bool(build(layer.kind, layer.options).states)


def _is_dense(layer: Layer) -> bool:
    return (
        layer.kind not in MAPS and not _is_recurrent(layer) and any(t.value.ndim == 2 for t in layer.weights.values())
    )


@dataclass(frozen=True)
class Ending:
    """The network's output is what this call gives."""

    call: str

    def __call__(self, network: Network) -> Network:
        return replace(network, outputs=(Edge(self.call),), held=())


@dataclass(frozen=True)
class Exchanged:
    """The two arguments of a call exchanged."""

    call: str

    def __call__(self, network: Network) -> Network:
        calls = tuple(replace(c, args=c.args[::-1]) if c.id == self.call else c for c in network.calls)
        return replace(network, calls=calls)


@dataclass(frozen=True)
class Without:
    """The calls of a kind of layer left out: what they are given goes on as it is."""

    kind: str

    def __call__(self, network: Network) -> Network:
        gone = {call.id: call.args[0] for call, layer in network if layer.kind == self.kind}

        def on(edge: Edge) -> Edge:
            while edge.source in gone and edge.port == "y":
                edge = gone[edge.source]
            return edge

        calls = tuple(
            replace(
                call,
                args=tuple(map(on, call.args)),
                mask=call.mask and on(call.mask),
                initial=tuple(map(on, call.initial)),
            )
            for call in network.calls
            if call.id not in gone
        )
        return replace(network, calls=calls, outputs=tuple(map(on, network.outputs)))


@dataclass(frozen=True)
class Plain:
    """A layer without its activation."""

    layer: str

    def __call__(self, network: Network) -> Network:
        layer = network.layers[self.layer]
        linear = replace(layer, options={**layer.options, "activation": "linear"})
        return replace(network, layers={**network.layers, self.layer: linear})


@dataclass(frozen=True)
class Unbiased:
    """A layer whose biases are 0."""

    layer: str
    biases: tuple[str, ...]

    def __call__(self, network: Network) -> Network:
        layer = network.layers[self.layer]
        zero = {name: Tensor(np.zeros_like(layer.weights[name].value)) for name in self.biases}
        bare = replace(layer, weights={**layer.weights, **zero})
        return replace(network, layers={**network.layers, self.layer: bare})


def unmasked(network: Network) -> Network:
    """Every time step is worked."""
    return replace(network, calls=tuple(replace(call, mask=None) for call in network.calls))
