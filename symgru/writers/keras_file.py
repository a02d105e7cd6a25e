"""A network as a .keras file of Keras 3: a functional model's configuration and its weights, without Keras.

keras/src/models/functional.py (get_config), keras/src/saving/saving_lib.py: the weights of each layer lie in a folder
`layers/<class in snake case>[_k]`, counted in the order of the layers.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from symgru.conversion import Converted, of_layer
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Array, Call, Edge, Input, Layer, Network
from symgru.readers.keras_weights import snake_case
from symgru.shapes import shapes
from symgru.wiring import calls, reads
from symgru.writers.directions import MERGES, Use, absorbed, bidirectional, uses
from symgru.writers.keras_config import CELL, KerasLayer, convolution, moved, pointwise, recurrent, typed

KERAS = "3.15.1"  # the version whose form of the configuration this is
DATE = (1980, 1, 1, 0, 0, 0)


def keras(network: Network) -> tuple[bytes, list[Converted]]:
    """The file's bytes, and how each layer's arrays came about.

    Raises Unsupported, naming the layer, for what is no layer of Keras: masks, a sequence turned round on its own.
    """
    writer = _Writer(network)
    config = writer.config()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (
            ("metadata.json", json.dumps({"keras_version": KERAS, "date_saved": "1980-01-01@00:00:00"}).encode()),
            ("config.json", json.dumps(config).encode()),
            ("model.weights.h5", _weights(writer.folders)),
        ):
            archive.writestr(zipfile.ZipInfo(name, DATE), content)
    return buffer.getvalue(), writer.converted


class _Writer:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.shapes, self.called = shapes(network), calls(network)
        self.uses, self.absorbed = uses(network), absorbed(network)
        self.entries: dict[str, dict[str, Any]] = {}
        self.folders: dict[str, dict[str, list[Array]]] = {}
        self.converted: list[Converted] = []
        self.places: dict[Edge, tuple[str, int, int]] = {}  # the layer, its node and the tensor that an edge is
        self.nodes: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.pairs = bidirectional(network)
        self.windows = {call.args[0].source for call, layer in network if layer.options.get("kernel_shape")}

    def config(self) -> dict[str, Any]:
        for put in self.network.inputs:
            self._input(put)
        for call, layer in self.network:
            with of_layer(layer):
                self._call(call, layer)
        outputs = [list(self.places[edge]) for edge in self.network.outputs]
        inputs = [[put.id, 0, 0] for put in self.network.inputs]
        inner = {
            "name": self.network.name,
            "trainable": True,
            "layers": list(self.entries.values()),
            "input_layers": inputs if len(inputs) > 1 else inputs[0],
            "output_layers": outputs if len(outputs) > 1 else outputs[0],
        }
        return _object("Functional", "keras.src.models.functional", inner)

    def _input(self, put: Input) -> None:
        dtype = "int32" if put.whole else self.network.dtype
        config = {"batch_shape": [None, *put.shape], "dtype": dtype, "sparse": False, "name": put.id}
        self._enter(put.id, _object("InputLayer", "keras.layers", config), [])
        self.places[Edge(put.id, "input")] = (put.id, 0, 0)

    def _enter(self, name: str, entry: dict[str, Any], tensors: list[dict[str, Any]]) -> int:
        """A layer, or one more node of it; its place among the nodes."""
        made = self.entries.setdefault(name, {**entry, "name": name, "inbound_nodes": []})
        if tensors:
            made["inbound_nodes"].append({"args": tensors, "kwargs": {}})
        self.nodes[name] = self.nodes.get(name, -1) + 1
        return self.nodes[name]

    def _call(self, call: Call, layer: Layer) -> None:
        if call.id in self.absorbed or call.id in {name for pair in self.pairs.values() for name in pair}:
            return
        if call.id in self.windows:
            return
        if call.mask or call.initial:
            raise Unsupported(f"{'a mask' if call.mask else 'an initial state'} is not written to .keras")
        if call.id in self.pairs:
            forward, backward = (self.uses[name] for name in self.pairs[call.id])
            self._bidirectional(call, forward, backward, layer)
            return
        if any(edge.port == "state" for edge in reads(call)):
            raise Unsupported("the last state of another layer is not written to .keras")
        if call.id in self.uses:
            use = self.uses[call.id]
            if use.backwards:
                raise Unsupported("a layer that runs backwards without one that runs forwards is not written to .keras")
            self._put(call, layer, recurrent(layer, use.sequences), (use.source,))
        elif layer.kind in MAPS:
            self._put(call, layer, moved(layer), call.args)
        elif layer.options.get("kernel_shape"):
            window, options = self.called[call.args[0].source]
            if options.kind != "window":
                raise Unsupported("a convolution whose windows are not its own is not written to .keras")
            self._put(call, layer, convolution(layer, options), window.args)
        else:
            self._put(call, layer, pointwise(layer), call.args)

    def _put(self, call: Call, layer: Layer, made: KerasLayer, args: tuple[Edge, ...]) -> None:
        new = layer.id not in self.entries
        entry = _object(made.class_name, "keras.layers", {"name": layer.id, **self._dtype(), **made.config})
        tensors = [self._tensor(edge) for edge in args]
        node = self._enter(layer.id, entry, tensors if len(tensors) == 1 else [tensors])  # type: ignore[list-item]
        self.places[Edge(call.id)] = (layer.id, node, 0)
        if new:
            self._keep(made.class_name, made.folders)
            self.converted += [made.converted] if made.converted else []

    def _dtype(self) -> dict[str, Any]:
        return {"dtype": _object("DTypePolicy", "keras", {"name": self.network.dtype}), "trainable": True}

    def _bidirectional(self, call: Call, forward: Use, backward: Use, merge: Layer) -> None:
        parts = {}
        for side, use, back in (("forward_layer", forward, False), ("backward_layer", backward, True)):
            made = recurrent(use.layer, use.sequences)
            config = {"name": use.layer.id, **self._dtype(), **made.config, "go_backwards": back}
            parts[side] = (_object(made.class_name, "keras.layers", config), made)
        sides = {"layer": parts["forward_layer"][0], "backward_layer": parts["backward_layer"][0]}
        name = merge.id
        config = {"name": name, **self._dtype(), "merge_mode": MERGES[merge.kind], **sides}
        node = self._enter(name, _object("Bidirectional", "keras.layers", config), [self._tensor(forward.source)])
        self.places[Edge(call.id)] = (name, node, 0)
        folders = {f"{side}/{CELL}": made.folders[CELL] for side, (_, made) in parts.items()}
        self._keep("Bidirectional", folders)
        self.converted += [made.converted for _, made in parts.values() if made.converted]

    def _keep(self, class_name: str, folders: Mapping[str, list[Array]]) -> None:
        """Keras counts the folders of each class, also those without arrays."""
        snake = snake_case(class_name)
        k = self.counts.get(snake, 0)
        self.counts[snake] = k + 1
        self.folders[snake if k == 0 else f"{snake}_{k}"] = typed(folders, self.network.dtype)

    def _tensor(self, edge: Edge) -> dict[str, Any]:
        shape = [None, *self.shapes[edge]]
        config = {"shape": shape, "dtype": self.network.dtype, "keras_history": list(self.places[edge])}
        return {"class_name": "__keras_tensor__", "config": config}


def _object(class_name: str, module: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": class_name,
        "config": dict(config),
        "registered_name": class_name if module.startswith("keras.src") else None,
    }


def _weights(folders: Mapping[str, Mapping[str, list[Array]]]) -> bytes:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for layer, places in folders.items():
            file.require_group(f"layers/{layer}")
            for place, arrays in places.items():
                group = file.require_group(f"layers/{layer}/{place}")
                for k, array in enumerate(arrays):
                    group.create_dataset(str(k), data=array)
    return buffer.getvalue()
