"""The arrays of an emitted module: get_weights() of its framework, and what get_weights() leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from symgru.backends.model import SPARE, Unit
from symgru.backends.numpy.literals import literal
from symgru.building import build
from symgru.maps import MAPS
from symgru.network import Array, Layer, Network

TABLES = {"E": "embeddings"}  # a map's weights by their framework's names


class Weights:
    """Where each layer's arrays stand in WEIGHTS; a layer that is called twice has them once."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        """The layers that are cells."""
        layers = self.network.layers.values()
        cells = {layer.id: build(layer.kind, layer.options) for layer in layers if layer.kind not in MAPS}
        return {name: Unit(self.network.layers[name], cell, {}) for name, cell in cells.items()}

    def arrays(self, layer: Layer) -> Mapping[str, Array]:
        """Texts of a layer's arrays, by their framework's names."""
        if layer.kind in MAPS:
            return {TABLES.get(name, name): layer.weights[name].text for name in MAPS[layer.kind].tables}
        return self.units[layer.id].arrays

    @cached_property
    def places(self) -> Mapping[str, range]:
        """Each layer's places in the list."""
        found, first = {}, 0
        for layer in self.network.layers.values():
            found[layer.id] = range(first, first + len(self.arrays(layer)))
            first += len(self.arrays(layer))
        return found

    def tables(self, layer: Layer) -> list[str]:
        """The tables of a map."""
        return [f"weights[{k}]" for k in self.places[layer.id]]

    def argument(self, layer: Layer) -> str:
        """What a cell's function is given as its weights; "" where it takes none."""
        places, constants = self.places[layer.id], self.constants(layer)
        own = f"weights[{places.start}:{places.stop}]" if places else ""
        if not constants:
            return own
        return f"[{', '.join([*([f'*{own}'] if own else []), *constants])}]"

    def constants(self, layer: Layer) -> list[str]:
        """The names of a layer's constants in the module."""
        unit = self.units[layer.id].folded
        return [f"{layer.id}_{s.name}".upper() for s in unit.constants if s in unit.cell.params]

    @cached_property
    def mixed(self) -> bool:
        """Whether layers compute in several precisions."""
        return len({self.dtype(layer) for layer in self.network.layers.values() if layer.weights}) > 1

    def dtype(self, layer: Layer) -> str:
        """The precision that a layer's numbers are held in."""
        held = {str(tensor.value.dtype) for tensor in layer.weights.values()} & {"float32", "float64"}
        return held.pop() if len(held) == 1 else self.network.dtype

    def literals(self) -> Iterator[dict[str, str]]:
        """WEIGHTS, an array each."""
        for layer in self.network.layers.values():
            for name, array in self.arrays(layer).items():
                spare = array.shape == (1,) and array[0] is SPARE
                number = np.array("0", dtype=object) if spare else array
                yield {
                    "says": f"{layer.id}: {name}" + (f" ({SPARE})" if spare else ""),
                    "text": literal(number, len("    np.array(")),
                    "dtype": self.dtype(layer),
                }

    def constant_literals(self) -> Iterator[dict[str, str]]:
        """The layers' constants by name."""
        for layer in self.network.layers.values():
            if layer.kind in MAPS:
                continue
            unit = self.units[layer.id].folded
            symbols = [s for s in unit.constants if s in unit.cell.params]
            for name, s in zip(self.constants(layer), symbols, strict=True):
                text = literal(unit.constants[s].text, len(name) + len(" = np.array("))
                yield {"name": name, "text": text, "dtype": self.dtype(layer)}
