"""What every network must have before anything is done with it: cells for its layers, and weights that fit them."""

from __future__ import annotations

import numpy as np

from symgru.building import build
from symgru.cell import Cell
from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.maps import MAPS
from symgru.network import Layer, Network
from symgru.shapes import shapes


def check(network: Network) -> None:
    """Every layer has a cell or a map, all its weights are there and their shapes fit; a recurrent layer among them."""
    recurrent, place = False, f"{network.origin[:60]}: " if network.origin else ""
    try:
        known = shapes(network)
    except SymgruError as error:
        raise type(error)(f"{place}{error}") from None
    for layer in network.layers.values():
        for name, tensor in layer.weights.items():
            if not np.isfinite(tensor.value).all():
                raise UnusableInput(
                    f"{place}layer {layer.id}: {name} holds a NaN or an infinity; no network can use it"
                )
    for call, layer in network:
        if layer.kind in MAPS:
            continue
        cell = _cell(layer, place)
        recurrent |= bool(cell.states)
        names = {p.name for p in cell.params}
        if names != set(layer.weights):
            raise UnusableInput(
                f"{place}layer {layer.id} ({layer.kind}) needs {', '.join(sorted(names))}; "
                f"it has {', '.join(sorted(layer.weights)) or 'nothing'}"[:300]
            )
        units = {layer.weights[p.name].value.shape[:1] for p in cell.params if cell.dims[p][0] == "H"}
        sizes = {"D": known[call.args[0]][-1] or 0, "H": next(iter(units))[0] if len(units) == 1 else 0}
        for p in cell.params:
            shape, found = tuple(sizes.get(d, 0) for d in cell.dims[p]), layer.weights[p.name].value.shape
            if found != shape:
                raise UnusableInput(f"{place}layer {layer.id}: {p} has shape {found}; expected {shape} (units, inputs)")
    if not recurrent:
        raise Unsupported(f"{place}the model has no recurrent layer; symgru explains networks with a GRU in them")


def _cell(layer: Layer, place: str) -> Cell:
    try:
        return build(layer.kind, layer.options)
    except Unsupported as e:
        raise Unsupported(f"{place}layer {layer.id}: {e}") from None
