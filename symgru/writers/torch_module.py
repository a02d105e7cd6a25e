"""The PyTorch module that a converted state_dict is loaded into, as Python text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Call, Edge, Layer, Network
from symgru.shapes import shapes
from symgru.templating import render
from symgru.wiring import calls
from symgru.writers.arrays import torch_names
from symgru.writers.directions import Use, absorbed, uses

ACTIVATIONS = {
    "sigmoid": "torch.sigmoid({})",
    "tanh": "torch.tanh({})",
    "relu": "torch.relu({})",
    "softmax": "torch.softmax({}, dim=-1)",
    "log_softmax": "torch.log_softmax({}, dim=-1)",
    "elu": "F.elu({})",
    "selu": "F.selu({})",
    "gelu": "F.gelu({})",
    "gelu_erf": "F.gelu({})",
    "silu": "F.silu({})",
    "softplus": "F.softplus({})",
    "softsign": "F.softsign({})",
    "leaky_relu": "F.leaky_relu({}, 0.2)",
    "relu6": "F.relu6({})",
    "hard_sigmoid": "F.hardsigmoid({})",
    "hard_tanh": "F.hardtanh({})",
    "mish": "F.mish({})",
    "exponential": "torch.exp({})",
    "linear": "{}",
}


def module(network: Network, weights: str) -> str:
    """A class `Net` and the line that loads `weights`. Raises Unsupported, naming the layer, where torch's own modules
    do not suffice."""
    writer = _Writer(network)
    body = list(writer.lines())
    return render(
        "python/torch_module.py.j2",
        name=network.name,
        fingerprint=network.fingerprint,
        modules=writer.modules(),
        inputs=", ".join(put.id for put in network.inputs),
        body=body,
        outputs=", ".join(writer.values[edge] for edge in network.outputs),
        weights=weights,
        functional=any("F." in line for line in body),
        double=network.dtype == "float64",
    )


class _Writer:
    def __init__(self, network: Network) -> None:
        self.network, self.shapes = network, shapes(network)
        self.uses, self.absorbed, self.names = uses(network), absorbed(network), torch_names(network)
        self.values = {Edge(put.id, "input"): put.id for put in network.inputs}
        self.both = {name: pair for pair in self._both() for name in pair}
        self.done: set[tuple[str, ...]] = set()
        self.windows = {call.args[0].source for call, layer in network if layer.options.get("kernel_shape")}

    def _both(self) -> Iterator[tuple[str, str]]:
        """The calls of the two directions of one nn.GRU."""
        by_layer = {use.layer.id: use.call.id for use in self.uses.values()}
        for layer, (head, end) in self.names.items():
            if end.endswith("reverse"):
                yield by_layer[head], by_layer[layer]

    def modules(self) -> list[str]:
        """The lines of __init__."""
        found = []
        for layer in self.network.layers.values():
            call = next(call for call in self.network.calls if call.layer == layer.id)
            if layer.weights and not self.names.get(layer.id, ("", ""))[1].endswith("reverse"):
                found.append(f"self.{layer.id} = {self._module(layer, self.shapes[call.args[0]][-1] or 1)}")
        return found

    def _module(self, layer: Layer, features: int) -> str:
        w = {name: t.value for name, t in layer.weights.items()}
        if layer.id in self.names:
            units = next(v for name, v in w.items() if name.startswith("U")).shape[0]
            both = any(head == layer.id and end.endswith("reverse") for head, end in self.names.values())
            more = f"{'' if any(n[0] == 'b' for n in w) else ', bias=False'}, batch_first=True"
            return f"nn.{_kind(layer)}({features}, {units}{more}{', bidirectional=True' if both else ''})"
        if layer.kind == "dense" and layer.options.get("kernel_shape"):
            return self._convolution(layer, "" if "b" in w else ", bias=False")
        if layer.kind == "dense":
            return f"nn.Linear({features}, {w['W'].shape[0]}{'' if 'b' in w else ', bias=False'})"
        if layer.kind == "embed":
            return f"nn.Embedding({w['E'].shape[0]}, {w['E'].shape[1]})"
        if layer.kind == "layer_normalization":
            return f"nn.LayerNorm({features}, eps={layer.options['eps']})"
        if layer.kind == "batch_normalization":
            return f"nn.BatchNorm1d({features}, eps={layer.options['eps']})"
        raise Unsupported(f"layer {layer.id}: {layer.kind.replace('_', ' ')} has no module of PyTorch here")

    def _window(self, layer: Layer) -> Layer:
        """The windows that a convolution multiplies."""
        call = next(call for call in self.network.calls if call.layer == layer.id)
        return calls(self.network)[call.args[0].source][1]

    def _convolution(self, layer: Layer, more: str) -> str:
        size, features, filters = cast("Sequence[int]", layer.options["kernel_shape"])
        o = self._window(layer).options
        for name in ("stride", "dilation"):
            more = f", {name}={o[name]}{more}" if o.get(name, 1) != 1 else more
        return f"nn.Conv1d({features}, {filters}, {size}{more})"

    def lines(self) -> Iterator[str]:
        """The lines of forward."""
        for call, layer in self.network:
            if call.mask:
                raise Unsupported(f"layer {layer.id}: a mask is not written as a PyTorch module")
            if call.id in self.uses:
                yield from self._recurrent(self.uses[call.id])
            elif call.id not in self.absorbed and call.id not in self.windows:
                name = call.id
                yield f"{name} = {self._value(call, layer, [self.values.get(edge, '') for edge in call.args])}"
                self.values[Edge(name)] = name

    def _recurrent(self, use: Use) -> Iterator[str]:
        pair = self.both.get(use.call.id)
        if pair is None and use.backwards:
            raise Unsupported(f"layer {use.layer.id}: runs backwards on its own, which no module of PyTorch does")
        if pair and pair in self.done:
            return
        first = self.uses[pair[0]] if pair else use
        y, source = first.call.id, self.values[use.source]
        before = "".join(f", {self.values[edge]}[None]" for edge in first.call.initial)
        yield f"{y}, {y}_last = self.{first.layer.id}({source}{before})"
        for k, each in enumerate([self.uses[name] for name in pair] if pair else [use]):
            own = each.call.id
            state = f"{y}_last[{k}]"
            self.values[Edge(own, "state")] = state
            units = self.shapes[Edge(own)][-1]
            whole = f"{y}[..., {k * (units or 0)} : {(k + 1) * (units or 0)}]" if pair else y
            self.values[each.result] = whole if each.sequences else state
        self.done.add(pair or (use.call.id,))

    def _value(self, call: Call, layer: Layer, args: list[str]) -> str:
        o = layer.options
        if layer.kind == "dense" and o.get("kernel_shape"):
            return self._activated(layer, self._convolved(call, layer))
        if layer.kind == "dense":
            return self._activated(layer, f"self.{layer.id}({args[0]})")
        if layer.kind in ("embed", "layer_normalization"):
            return f"self.{layer.id}({args[0]})"
        if layer.kind == "batch_normalization":
            many = len(self.shapes[call.args[0]]) > 1
            return f"self.{layer.id}({args[0]}.mT).mT" if many else f"self.{layer.id}({args[0]})"
        if layer.kind == "activation":
            return self._activated(layer, args[0])
        joined = {"add": " + ", "multiply": " * ", "subtract": " - "}
        if layer.kind in joined:
            return joined[layer.kind].join(args)
        if layer.kind not in MOVED:
            says = MAPS[layer.kind].says if layer.kind in MAPS else layer.kind.replace("_", " ")
            raise Unsupported(f"layer {layer.id}: {says} is not written as a PyTorch module")
        if o.get("padding", "valid") != "valid":
            raise Unsupported(f"layer {layer.id}: pooling with padding is not written as a PyTorch module")
        return MOVED[layer.kind].format(*args, all=", ".join(args), **{"stride": 1, **o})

    def _convolved(self, call: Call, layer: Layer) -> str:
        """A Conv1d has the features before the time, and its padding is written out."""
        window, options = calls(self.network)[call.args[0].source]
        o = options.options
        x, steps = self.values[window.args[0]], self.shapes[window.args[0]][0]
        size, stride = int(str(o["size"])), int(str(o.get("stride", 1)))
        reach, padding = int(str(o.get("dilation", 1))) * (size - 1), o.get("padding", "valid")
        if padding == "same" and stride != 1 and steps is None:
            raise Unsupported(f"layer {layer.id}: its padding depends on how many time steps there are")
        missing = reach if stride == 1 else max((-(-(steps or 0) // stride) - 1) * stride + reach + 1 - (steps or 0), 0)
        before = reach if padding == "causal" else missing // 2 if padding == "same" else 0
        after = missing - missing // 2 if padding == "same" else 0
        inside = f"F.pad({x}.mT, ({before}, {after}))" if before or after else f"{x}.mT"
        return f"self.{layer.id}({inside}).mT"

    def _activated(self, layer: Layer, x: str) -> str:
        name = layer.options.get("activation", "linear")
        if not isinstance(name, str) or name not in ACTIVATIONS:
            raise Unsupported(f"layer {layer.id}: activation {name} is not written as a PyTorch module")
        return ACTIVATIONS[name].format(x)


MOVED = {
    "flip": "{0}.flip(1)",
    "last": "{0}[:, -1]",
    "flatten": "{0}.flatten(1)",
    "reshape": "{0}.reshape(len({0}), *{shape})",
    "concatenate": "torch.cat([{all}], dim={axis})",
    "repeat": "{0}[:, None].expand(-1, {n}, -1)",
    "global_mean": "{0}.mean(dim=1)",
    "global_max": "{0}.amax(dim=1)",
    "max_pool": "F.max_pool1d({0}.mT, {size}, {stride}).mT",
    "mean_pool": "F.avg_pool1d({0}.mT, {size}, {stride}).mT",
    "slice": "{0}[..., {start}:{stop}]",
}


def _kind(layer: Layer) -> str:
    return "RNN" if layer.kind == "simple" else "GRU"
