"""A network as an ONNX file. Its recurrent layers are real GRU (or RNN) operators, where Keras' exporter writes a Loop.

The graph takes and gives (batch, time, features), as the network does; around each operator, which has time first,
stand two Transposes (onnx/docs/Operators.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgru.conventions import CONVENTIONS
from symgru.conversion import Converted, convert, of_layer
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer, Network
from symgru.shapes import shapes
from symgru.trace import cell_of
from symgru.writers.directions import Use, absorbed, uses
from symgru.writers.onnx_expressions import OnnxPrinter
from symgru.writers.onnx_graph import Attribute, Graph

ACTIVATIONS: dict[str, tuple[str, float | None, float | None]] = {  # ONNX' name, alpha, beta
    "sigmoid": ("Sigmoid", None, None),
    "tanh": ("Tanh", None, None),
    "relu": ("Relu", None, None),
    "softsign": ("Softsign", None, None),
    "softplus": ("Softplus", None, None),
    "linear": ("Affine", 1.0, 0.0),
    "elu": ("Elu", 1.0, None),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "leaky_relu": ("LeakyRelu", float(np.float32(0.2)), None),
}
PARAMETERS = {  # activations with numbers of their own
    "hard_sigmoid": "HardSigmoid",
    "leaky_relu": "LeakyRelu",
    "elu": "Elu",
    "thresholded_relu": "ThresholdedRelu",
    "scaled_tanh": "ScaledTanh",
    "affine": "Affine",
}
FAR = -(2**31)  # "to the beginning" for a Slice that runs backwards


def onnx(network: Network) -> tuple[bytes, list[Converted]]:
    """The file's bytes, and how each recurrent layer's arrays came about.

    Raises Unsupported, naming the layer, for what ONNX' GRU or the operators around it cannot express.
    """
    writer = _Writer(network)
    return writer.model(), writer.converted


class _Writer:
    def __init__(self, network: Network) -> None:
        self.network, self.graph = network, Graph(network.dtype)
        self.shapes, self.uses, self.absorbed = shapes(network), uses(network), absorbed(network)
        self.names = {Edge(put.id, "input"): put.id for put in network.inputs}
        self.shared: dict[tuple[str, str], str] = {}
        self.converted: list[Converted] = []
        self.current = network.calls[0]

    def model(self) -> bytes:
        for call, layer in self.network:
            if call.id not in self.absorbed:
                with of_layer(layer):
                    self.call(call, layer)
        outputs = {}
        for edge in self.network.outputs:
            name = f"{edge.source}_out" if edge.port == "y" else f"{edge.source}_{edge.port}"
            self.graph.add("Identity", [self.names[edge]], [name])
            outputs[name] = (self.shapes[edge], self.network.dtype)
        inputs = {put.id: (put.shape, "int64" if put.whole else self.network.dtype) for put in self.network.inputs}
        return self.graph.model(self.network.name, inputs, outputs)

    def call(self, call: Call, layer: Layer) -> None:
        if call.id in self.uses:
            self.recurrent(self.uses[call.id])
        elif layer.kind in MAPS:
            self.names[Edge(call.id)] = self.map(call, layer)
        else:
            self.names[Edge(call.id)] = self.pointwise(call, layer)

    def weight(self, layer: Layer, name: str, value: Any) -> str:
        """A constant; a shared layer has it once."""
        if (layer.id, name) not in self.shared:
            array = np.ascontiguousarray(value, dtype=self.network.dtype)
            self.shared[layer.id, name] = self.graph.constant(f"{layer.id}_{name}", array)
        return self.shared[layer.id, name]

    def pointwise(self, call: Call, layer: Layer) -> str:
        cell = cell_of(call, layer)
        values = {p.name: self.weight(layer, p.name, layer.weights[p.name].value.T) for p in cell.params}
        values |= {s.name: self.names[edge] for s, edge in zip(cell.inputs, call.args, strict=True)}
        printer = OnnxPrinter(self.graph, values)
        for lhs, rhs in cell.equations:
            printer.values[lhs.name] = printer.name(rhs)
        return printer.values[cell.output.name]

    def recurrent(self, use: Use) -> None:
        layer, graph = use.layer, self.graph
        if use.call.mask:
            raise Unsupported("a mask is not written to ONNX; its GRU knows only lengths (sequence_lens)")
        op, names, attributes = _operator(layer)
        made = convert(layer, CONVENTIONS[names])
        self.converted.append(made)
        W, R, *B = (self.weight(layer, name, a[None]) for name, a in made.arrays.items())
        x = graph.add("Transpose", [self.names[use.source]], perm=[1, 0, 2])
        before = [graph.add("Unsqueeze", [self.names[edge], graph.indices(0)]) for edge in use.call.initial]
        inputs = [x, W, R, *(B or [""] * bool(before)), *([""] if before else []), *before]
        Y, Y_h = graph.name(use.call.id), graph.name(f"{use.call.id}_last")
        attributes["direction"] = "reverse" if use.backwards else "forward"
        attributes["hidden_size"] = layer.weights[next(n for n in layer.weights if n.startswith("U"))].value.shape[0]
        graph.add(op, inputs, [Y, Y_h], **attributes)
        last = graph.add("Squeeze", [Y_h, graph.indices(0)])
        self.names[Edge(use.call.id, "state")] = last
        self.names[use.result] = last
        if use.sequences:
            every = graph.add("Squeeze", [Y, graph.indices(1)])
            self.names[use.result] = graph.add("Transpose", [every], perm=[1, 0, 2])

    def map(self, call: Call, layer: Layer) -> str:
        if layer.kind not in WRITTEN:
            raise Unsupported(f"{layer.kind} ({MAPS[layer.kind].says}) is not written to ONNX")
        self.current = call
        return WRITTEN[layer.kind](self, layer, *(self.names[edge] for edge in call.args))


def _operator(layer: Layer) -> tuple[str, str, dict[str, Attribute]]:
    """The operator, its convention and its attributes."""
    options = layer.options
    if layer.kind == "simple":
        return "RNN", "onnx_rnn", _activations([options.get("activation", "tanh")])
    after = layer.kind in ("gru", "gru_new") and bool(options.get("reset_after", True))
    chosen = [options.get("recurrent_activation", "sigmoid"), options.get("activation", "tanh")]
    attributes = _activations(chosen)
    if options.get("clip") is not None:
        attributes["clip"] = float(str(options["clip"]))
    return "GRU", "onnx_after" if after else "onnx", {"linear_before_reset": int(after), **attributes}


def _activations(chosen: list[object]) -> dict[str, Attribute]:
    found = [_activation(name) for name in chosen]
    attributes: dict[str, Attribute] = {"activations": [name for name, _, _ in found]}
    for k, key in ((1, "activation_alpha"), (2, "activation_beta")):
        if any(entry[k] is not None for entry in found):
            attributes[key] = [float(entry[k] or 0.0) for entry in found]
    return attributes


def _activation(name: object) -> tuple[str, float | None, float | None]:
    if isinstance(name, list | tuple) and name and str(name[0]) in PARAMETERS:
        alpha, beta = (*map(float, name[1:]), None, None)[:2]
        return PARAMETERS[str(name[0])], alpha, beta
    if str(name) not in ACTIVATIONS:
        raise Unsupported(f"ONNX' GRU has no activation {name}; it has {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[str(name)]


def _windows(w: _Writer, layer: Layer, x: str) -> str:
    """The time steps of each window side by side: one Slice for each, joined along the features."""
    o, g = layer.options, w.graph
    size, stride, dilation = (int(o.get(key, 1)) for key in ("size", "stride", "dilation"))  # type: ignore[call-overload]
    reach = dilation * (size - 1) + 1
    padding = o.get("padding", "valid")
    steps = w.shapes[w.current.args[0]][0]
    if padding == "same" and stride != 1 and steps is None:
        raise Unsupported("its padding depends on how many time steps there are, which the model does not say")
    missing = reach - 1
    if stride != 1:
        missing = max((-(-(steps or 0) // stride) - 1) * stride + reach - (steps or 0), 0)
    left = reach - 1 if padding == "causal" else missing // 2 if padding == "same" else 0
    right = missing - missing // 2 if padding == "same" else 0
    if left or right:
        x = g.add("Pad", [x, g.indices(0, left, 0, 0, right, 0)])
    ends = [k * dilation - (reach - 1) or 2**31 for k in range(size)]
    slices = [
        g.add("Slice", [x, g.indices(k * dilation), g.indices(end), g.indices(1), g.indices(stride)])
        for k, end in enumerate(ends)
    ]
    return g.add("Concat", slices, axis=2)


def _pool(op: str) -> Callable[..., str]:
    def write(w: _Writer, layer: Layer, x: str) -> str:
        o, g = layer.options, w.graph
        size, stride = int(o["size"]), int(o.get("stride", 1))  # type: ignore[call-overload]
        pad = "SAME_UPPER" if o.get("padding") == "same" else "VALID"
        turned = g.add("Transpose", [x], perm=[0, 2, 1])
        pooled = g.add(op, [turned], kernel_shape=[size], strides=[stride], auto_pad=pad)
        return g.add("Transpose", [pooled], perm=[0, 2, 1])

    return write


def _flip(w: _Writer, layer: Layer, x: str) -> str:
    g = w.graph
    return g.add("Slice", [x, g.indices(-1), g.indices(FAR), g.indices(1), g.indices(-1)])


def _reduced(op: str) -> Callable[..., str]:
    def write(w: _Writer, layer: Layer, x: str, *mask: str) -> str:
        if mask:
            raise Unsupported("a mean under a mask is not written to ONNX")
        return w.graph.add(op, [x], axes=[int(layer.options.get("axis", 1))], keepdims=0)  # type: ignore[call-overload]

    return write


def _embed(w: _Writer, layer: Layer, x: str) -> str:
    whole = w.graph.add("Cast", [x], to=7)
    return w.graph.add("Gather", [w.weight(layer, "E", layer.weights["E"].value), whole], axis=0)


def _sliced(w: _Writer, layer: Layer, x: str, start: int, stop: int, axis: int) -> str:
    g = w.graph
    return g.add("Slice", [x, g.indices(start), g.indices(stop), g.indices(axis)])


def _o(layer: Layer, key: str) -> Any:
    return layer.options[key]


WRITTEN: dict[str, Callable[..., str]] = {
    "flip": _flip,
    "last": lambda w, layer, x: w.graph.add("Gather", [x, w.graph.constant("last", np.array(-1, np.int64))], axis=1),
    "flatten": lambda w, layer, x: w.graph.add("Flatten", [x], axis=1),
    "reshape": lambda w, layer, x: w.graph.add("Reshape", [x, w.graph.indices(0, *_o(layer, "shape"))]),
    "permute": lambda w, layer, x: w.graph.add("Transpose", [x], perm=[0, *_o(layer, "axes")]),
    "concatenate": lambda w, layer, *xs: w.graph.add("Concat", xs, axis=_o(layer, "axis")),
    "repeat": lambda w, layer, x: w.graph.add(
        "Tile", [w.graph.add("Unsqueeze", [x, w.graph.indices(1)]), w.graph.indices(1, _o(layer, "n"), 1)]
    ),
    "pad": lambda w, layer, x: w.graph.add(
        "Pad", [x, w.graph.indices(0, _o(layer, "before"), 0, 0, _o(layer, "after"), 0)]
    ),
    "crop": lambda w, layer, x: _sliced(w, layer, x, _o(layer, "before"), -_o(layer, "after") or 2**31, 1),
    "slice": lambda w, layer, x: _sliced(w, layer, x, _o(layer, "start"), _o(layer, "stop"), -1),
    "window": _windows,
    "max_pool": _pool("MaxPool"),
    "mean_pool": _pool("AveragePool"),
    "global_max": _reduced("ReduceMax"),
    "global_mean": _reduced("ReduceMean"),
    "embed": _embed,
}


def mapping(converted: list[Converted]) -> Iterator[str]:
    """What lies in each operator's arrays, an equation a line."""
    for made in converted:
        yield from (f"{made.layer.id}: {equation}" for equation in made.equations)
