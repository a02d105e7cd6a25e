"""What every code backend needs to know of a network: its cells, sizes and weights, and where time ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symgru.cells import Cell, Layout, build, layout
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Array, Layer, Network
from symgru.shapes import units
from symgru.trace import keeps_time


@dataclass(frozen=True)
class Unit:
    """A layer with its cell and sizes."""

    layer: Layer
    cell: Cell
    sizes: dict[str, int]

    @property
    def id(self) -> str:
        return self.layer.id

    @property
    def recurrent(self) -> bool:
        return bool(self.cell.states)

    @property
    def sequences(self) -> bool:
        """Whether the layer hands on every time step."""
        return bool(self.layer.options.get("return_sequences", False)) or not self.recurrent

    @cached_property
    def layout(self) -> Layout:
        return layout(self.cell)

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """Texts of the weights as get_weights() gives them: kernel, recurrent_kernel, bias."""

        def columns(names: tuple[object, ...]) -> Array:
            return np.hstack([self.layer.weights[str(m)].T.text for m in names])

        def array(rows: tuple[tuple[object, ...], ...]) -> Array:
            return np.stack([columns(row) for row in rows]) if len(rows) > 1 else columns(rows[0])

        return {name: array(rows) for name, rows in self.layout.arrays.items()}


def layers(network: Network) -> list[Unit]:
    """The layers in the order of their calls."""
    return list(_units(network))


def _units(network: Network) -> Iterator[Unit]:
    if not network.is_chain:
        raise Unsupported("the network is more than one layer after the other, which this does not take")
    features = network.features
    for _, layer in network:
        if layer.kind in MAPS:
            raise Unsupported(f"layer {layer.id}: {MAPS[layer.kind].says} has no equations, which this needs")
        cell = build(layer.kind, layer.options)
        width = units(cell, layer, features)
        yield Unit(layer, cell, {"D": features, "H": width})
        features = width


def output_width(network: Network) -> int:
    """How many numbers one output has."""
    return layers(network)[-1].sizes["H"]


def split_time(network: Network) -> tuple[list[Unit], list[Unit]]:
    """The layers that run at every time step, and those that only see the last one."""
    every = layers(network)
    if keeps_time(network):
        return every, []
    last = max(i for i, unit in enumerate(every) if unit.recurrent)
    return every[: last + 1], every[last + 1 :]
