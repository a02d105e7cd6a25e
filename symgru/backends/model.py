"""What every code backend needs to know of a network: its cells, sizes and weights, and where time ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from sympy import Expr, S, Symbol

from symgru.algebra import Mat, rebuild
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.errors import Unsupported
from symgru.layout import Layout, layout
from symgru.maps import MAPS
from symgru.network import Array, Call, Layer, Network, Tensor
from symgru.shapes import shapes, units
from symgru.trace import cell_of, keeps_time

NAMES: dict[str, dict[str, str]] = {  # parameters of layers without matrices as get_weights() gives them, in its order
    "parametric": {"alpha": "alpha"},
    "normalization": {"mu": "mean", "v": "variance"},
    "denormalization": {"mu": "mean", "v": "variance"},
    "batch_normalization": {"g": "gamma", "b": "beta", "mu": "moving_mean", "v": "moving_variance"},
    "layer_normalization": {"g": "gamma", "b": "beta"},
    "affine": {"g": "scale", "b": "offset"},
    "rms_scaling": {"g": "gamma"},
    "rms_normalization": {"g": "scale"},
}
SPARE = "not read"  # the text of an array that the framework has and nothing reads


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

    @property
    def count(self) -> str:
        """3 x (1*8 + 8*8 + 2*8) = 264 numbers; each array for itself where the gates do not have the same."""
        own, sizes = self.layout, self.sizes
        D, H = sizes["D"], sizes["H"]
        total = sum(t.value.size for t in self.layer.weights.values())
        if not own.kernel:
            return " + ".join(str(t.value.size) for t in self.layer.weights.values()) + f" = {total} numbers"
        blocks = [
            (len(own.kernel), f"{D}*{H}"),
            (len(own.recurrent), f"{H}*{H}"),
            *((len(b), str(H)) for b in own.biases),
        ]
        blocks = [(n, each) for n, each in blocks if n]
        gates = blocks[0][0]
        if any(n != gates for n, _ in blocks):
            return " + ".join(f"{n}*{each}" if n > 1 else each for n, each in blocks) + f" = {total} numbers"
        rows = len(own.biases)
        biases = [f"{rows}*{H}" if rows > 1 else str(H)] if rows else []
        each = " + ".join([size for _, size in blocks[: len(blocks) - rows]] + biases)
        return f"{gates} x ({each}) = {total} numbers" if gates > 1 else f"{each} = {total} numbers"

    @cached_property
    def blocks(self) -> dict[str, tuple[tuple[Symbol, ...], ...]]:
        """The framework's arrays by name, as rows of the symbols that lie in them; an array that nothing reads has
        none."""
        if self.layer.kind not in NAMES:
            return self.layout.arrays
        known = NAMES[self.layer.kind]
        symbols = {known[p.name]: p for p in self.cell.params if p.name in known}
        chosen = cast("Sequence[str]", self.layer.options.get("arrays", [n for n in known.values() if n in symbols]))
        return {name: ((symbols[name],),) if name in symbols else () for name in chosen}

    @cached_property
    def constants(self) -> Mapping[Symbol, Tensor]:
        """Parameters that get_weights() does not have."""
        among = {s for rows in self.blocks.values() for row in rows for s in row}
        return {p: self.layer.weights[p.name] for p in self.cell.params if p not in among}

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """Texts of the weights as get_weights() gives them: kernel, recurrent_kernel, bias."""

        def columns(names: tuple[object, ...]) -> Array:
            return np.hstack([self.layer.weights[str(m)].T.text for m in names])

        def array(name: str, rows: tuple[tuple[object, ...], ...]) -> Array:
            if not rows:
                return np.array([SPARE], dtype=object)
            found = np.stack([columns(row) for row in rows]) if len(rows) > 1 else columns(rows[0])
            several = cast("Mapping[str, Sequence[int]]", self.layer.options.get("array_shapes", {}))
            shape = self.layer.options.get("kernel_shape") if name == "kernel" else several.get(name)
            return found.reshape(cast("Sequence[int]", shape)) if shape else found

        return {name: array(name, rows) for name, rows in self.blocks.items()}

    @cached_property
    def folded(self) -> Unit:
        """The unit without those constants that are 0 or 1 throughout: a normalisation without its scale, say."""

        def put(e: Expr) -> Expr:
            found = self.constants.get(e) if isinstance(e, Symbol) and not isinstance(e, Mat) else None
            if found is None or not found.value.size:
                return e
            return S.One if (found.value == 1).all() else S.Zero if found.is_zero else e

        equations = tuple((lhs, rebuild(e, put)) for lhs, e in self.cell.equations)
        same = equations == self.cell.equations
        return self if same else Unit(self.layer, self.cell.with_equations(equations), self.sizes)


def units_of(network: Network) -> dict[str, Unit]:
    """The calls of cells by their id, in their order; maps are left out."""
    known = shapes(network)
    return {
        call.id: _unit(call, layer, known[call.args[0]][-1] or 0) for call, layer in network if layer.kind not in MAPS
    }


def recurrent_calls(network: Network) -> list[tuple[Call, Unit]]:
    """The recurrent calls and their units, in their order."""
    found = units_of(network)
    return [(call, found[call.id]) for call in network.calls if call.id in found and found[call.id].recurrent]


def _unit(call: Call, layer: Layer, features: int) -> Unit:
    cell = cell_of(call, layer)
    return Unit(layer, cell, {"D": features, "H": units(cell, layer, features)})


def layers(network: Network) -> list[Unit]:
    """The layers in the order of their calls, where each takes what the one before gives: equations and nothing else.

    Raises Unsupported, naming the first layer that is in the way.
    """
    return list(_units(network))


def _units(network: Network) -> Iterator[Unit]:
    features = network.features
    for call, layer in network:
        why = _in_the_way(network, call, layer)
        if why:
            raise Unsupported(f"layer {layer.id}: {why}; this takes GRU and Dense layers one after the other")
        unit = _unit(call, layer, features)
        yield unit
        features = unit.sizes["H"]
    if not network.is_chain:
        raise Unsupported(f"the network has {_count(network)}; this takes GRU and Dense layers one after the other")


def check_chain(network: Network) -> None:
    """Refuse a network that is more than recurrent and Dense layers one after the other, naming what is in the way."""
    for unit in layers(network):
        if unit.layer.kind not in CELLS and unit.cell.name not in CELLS:
            raise Unsupported(
                f"layer {unit.id}: {unit.layer.kind} is not taken here, only GRU and Dense layers in a row"
            )


def _in_the_way(network: Network, call: Call, layer: Layer) -> str:
    """What makes a call no link of a chain; "" where nothing does."""
    if layer.kind in MAPS:
        return f"{layer.kind} ({MAPS[layer.kind].says}) has no equations"
    place = network.calls.index(call)
    before = network.calls[place - 1].id if place else network.inputs[0].id
    if call.mask:
        return "has a mask"
    if call.initial:
        return "is given its first state"
    if len(call.args) > 1:
        return f"has {len(call.args)} inputs"
    if call.args[0].source != before or call.args[0].port == "state":
        return "does not take what the layer before it gives"
    return ""


def _count(network: Network) -> str:
    inputs, outputs = len(network.inputs), len(network.outputs)
    if inputs > 1:
        return f"{inputs} inputs"
    return f"{outputs} outputs" if outputs > 1 else "an output that is not its last layer's"


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
