"""The operators GRU and RNN: directions, activations, the lengths of sequences, states.

onnx/docs/Operators.md: X is (time, batch, features), or (batch, time, features) with layout=1; W and R hold the gates
as rows in the order that `conventions` says, with the directions as one more axis in front. A reverse direction runs
from the last step of each sequence to its first, and gives its outputs in the order of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from symgru.arrangement import Convention, split
from symgru.conventions import CONVENTIONS
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Edge, Tensor
from symgru.readers.checks import printable
from symgru.readers.onnx_axes import alike
from symgru.readers.onnx_inputs import Items, constant, optional, seen
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_values import BATCH, DIRECTION, Axis, Builder, Seen, Spread

USUAL = {"GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}


@dataclass(frozen=True)
class Function:
    """An activation of ONNX: its name in symgru, and the usual values of alpha and beta, where it has them."""

    name: str
    usual: tuple[float | None, ...] = ()


# onnx/docs/Operators.md, GRU: the usual numbers are those of the operators of the same name. Where there is none (None)
# or ONNX Runtime 1.32 takes another one (0 for ThresholdedRelu, whose operator says 1), the file must say it.
FUNCTIONS = {
    "affine": Function("affine", (None, None)),
    "elu": Function("elu", (1.0,)),
    "hardsigmoid": Function("hard_sigmoid", (float(np.float32(0.2)), 0.5)),
    "leakyrelu": Function("leaky_relu", (float(np.float32(0.01)),)),
    "relu": Function("relu"),
    "scaledtanh": Function("scaled_tanh", (None, None)),
    "sigmoid": Function("sigmoid"),
    "softplus": Function("softplus"),
    "softsign": Function("softsign"),
    "tanh": Function("tanh"),
    "thresholdedrelu": Function("thresholded_relu", (None,)),
}


def activations(node: Node, directions: int) -> list[list[object]]:
    """For each direction its activations. alpha and beta are dealt out in turn to the functions that have them."""
    usual = USUAL[node.op]
    names = node.texts("activations") or usual * directions
    if len(names) != len(usual) * directions:
        raise UnusableInput(f"has {len(names)} activations; {len(usual) * directions} are needed")
    alphas, betas = iter(node.numbers("activation_alpha")), iter(node.numbers("activation_beta"))
    found: list[object] = []
    for name in names:
        function = FUNCTIONS.get(name.lower())
        if function is None:
            raise Unsupported(f"has the activation '{printable(name, 30)}'; ONNX has {', '.join(FUNCTIONS)}")
        numbers = [next(given, value) for value, given in zip(function.usual, (alphas, betas), strict=False)]
        if None in numbers:
            raise Unsupported(
                f"has the activation {printable(name, 30)} without its activation_alpha or activation_beta, for which "
                "runtimes take different numbers; give them"
            )
        found.append([function.name, *numbers] if numbers else function.name)
    return [found[k : k + len(usual)] for k in range(0, len(found), len(usual))]


def _options(node: Node, functions: list[object], weights: Mapping[str, Tensor]) -> dict[str, object]:
    options: dict[str, object] = {"use_bias": "b" in weights or "b_n" in weights, "activation": functions[-1]}
    if node.op == "GRU":
        options |= {"recurrent_activation": functions[0], "reset_after": bool(node.integer("linear_before_reset", 0))}
    if "clip" in node.attributes:
        options["clip"] = node.number("clip", 0.0)
    return options


def _weights(node: Node, given: Items, directions: int) -> list[dict[str, Tensor]]:
    """Canonical weights of each direction."""
    arrays = {name: constant(given, k, f"the weights {name}") for k, name in ((1, "W"), (2, "R"))}
    bias = optional(given, 3, "the bias B")
    if bias is not None:
        arrays["B"] = bias
    for name, array in arrays.items():
        if array.ndim != (2 if name == "B" else 3) or len(array) != directions or array.dtype.kind != "f":
            raise UnusableInput(
                f"has {name} of shape {array.shape}; its first axis must be the {directions} directions"
            )
    convention = _convention(node)
    found = [split(convention, {name: Tensor.of(a[d]) for name, a in arrays.items()}) for d in range(directions)]
    units = next(iter(found[0].values())).value.shape[0]
    if node.integer("hidden_size", units) != units:
        raise UnusableInput(f"says hidden_size {node.integer('hidden_size', 0)}; its weights have {units} units")
    return found


def _convention(node: Node) -> Convention:
    after = node.integer("linear_before_reset", 0)
    return CONVENTIONS["onnx_rnn" if node.op == "RNN" else "onnx_after" if after else "onnx"]


class _Recurrent:
    """One use of the operator, as calls."""

    def __init__(self, builder: Builder, node: Node, given: Items) -> None:
        self.builder, self.node, self.given = builder, node, given
        direction = node.text("direction", "forward")
        if direction not in DIRECTIONS:
            raise UnusableInput(f"has the direction '{printable(direction, 20)}'; there are {', '.join(DIRECTIONS)}")
        self.count = DIRECTIONS[direction]
        self.reverse = [direction == "reverse", True][: self.count]
        if direction == "bidirectional":
            self.reverse = [False, True]
        layout = node.integer("layout", 0)
        if layout not in (0, 1):
            raise UnusableInput(f"has layout {layout}; it is 0 or 1")
        self.batch_first = layout == 1
        self.weights = _weights(node, given, self.count)
        self.units = next(iter(self.weights[0].values())).value.shape[0]
        self.x = self._input()
        self.batch_axis: Axis = (BATCH,) if seen(given).batch is not None else ()
        self.mask = self._mask()

    def _input(self) -> Edge:
        """X as (batch, time, features)."""
        x = seen(self.given)
        place = 0 if self.batch_first else 1
        if len(x.axes) != 3:
            raise UnusableInput(f"takes X with three axes; it is given {len(x.axes)}")
        if x.batch not in (None, place) or (x.batch is None and any(a >= 0 for a in x.axes[place])):
            raise OtherBatch(f"takes the batch along axis {place} of X")
        edge = self.builder.arranged(x, [1 - place, 2])
        features = next(w for name, w in self.weights[0].items() if name[0] == "W").value.shape[1]
        if self.builder.shapes[edge][1] != features:
            raise UnusableInput(f"takes {features} features; it is given {self.builder.shapes[edge][1]}")
        return edge

    def _mask(self) -> Edge | None:
        """Which steps count, where sequences have lengths of their own."""
        lens = self.given[4] if len(self.given) > 4 else None
        steps = self.builder.shapes[self.x][0]
        if isinstance(lens, Seen):
            if len(lens.axes) != 1 or lens.batch != 0:
                raise OtherBatch("takes one length for each sequence")
            return self.builder.map("until", {}, self.x, self.builder.arranged(lens))
        found = optional(self.given, 4, "sequence_lens")
        if found is None or found.dtype.kind not in "iu" or (found == steps).all():
            return None
        n = alike(found.reshape(-1), 0, "sequence_lens")
        length = self.builder.constant(np.asarray(n), self.x)
        return self.builder.map("until", {}, self.x, length)

    def _initial(self, direction: int) -> tuple[Edge, ...]:
        """The state before the first step, none where it is 0."""
        item = self.given[5] if len(self.given) > 5 else None
        if item is None:
            return ()
        place = 1 if self.batch_first else 0
        if isinstance(item, Seen):
            if len(item.axes) != 3 or item.batch not in (None, 1 - place):
                raise OtherBatch(f"takes the batch along axis {1 - place} of initial_h")
            one = self.builder.take(item, place, direction, keep=False)
            edge = self.builder.arranged(one, [1])
            if self.builder.shapes[edge] != (self.units,):
                raise UnusableInput(f"takes initial_h with {self.units} units")
            return (edge,)
        array = item.array if isinstance(item, Spread) else item
        if array.ndim != 3 or array.shape[place] not in (1, self.count) or array.shape[2] not in (1, self.units):
            raise UnusableInput(f"has initial_h of shape {array.shape}; {self.count} and {self.units} units are needed")
        state = alike(array.take(min(direction, array.shape[place] - 1), axis=place), 0, "initial_h")
        if not state.any():
            return ()
        full = np.broadcast_to(state, (self.units,)).astype(self.builder.dtype)
        return (self.builder.constant(full, self.x),)

    def outputs(self) -> list[Seen | None]:
        """Y and Y_h; None for one that nobody reads."""
        wanted = [name != "" for name in (*self.node.outputs, "", "")[:2]]
        functions = activations(self.node, self.count)
        sequences, states = [], []
        for d in range(self.count):
            sequence, state = self._direction(d, functions[d], wanted)
            sequences.append(sequence)
            states.append(state)
        both = ((sequences, True), (states, False))
        return [self._together(e, over_time=t) if w else None for (e, t), w in zip(both, wanted, strict=True)]

    def _direction(self, d: int, functions: list[object], wanted: list[bool]) -> tuple[Edge, Edge]:
        builder, node, x, mask = self.builder, self.node, self.x, self.mask
        steps = builder.shapes[x][0]
        if self.reverse[d]:
            x = builder.map("flip", {}, x)
            mask = mask and builder.map("flip", {}, mask)
        options = {"units": self.units, **_options(node, functions, self.weights[d]), "return_sequences": wanted[0]}
        kind = "gru" if node.op == "GRU" else "simple"
        label = node.name or kind
        if self.count == 2:
            label += " backward" if d else " forward"
        convention = _convention(self.node)
        notes = (convention.read_as(convention.arrays),)
        edge = builder.call(
            kind, options, [x], self.weights[d], label, mask=mask, initial=self._initial(d), notes=notes
        )
        state = Edge(edge.source, "state") if wanted[0] else edge
        builder.shapes[edge] = (steps, self.units) if wanted[0] else (self.units,)
        builder.shapes[state] = (self.units,)
        if wanted[0]:
            if self.reverse[d]:
                edge = builder.map("flip", {}, edge)
            if self.mask:
                edge = builder.map("blank", {}, edge, self.mask)
        return edge, state

    def _together(self, edges: list[Edge], over_time: bool) -> Seen:
        """The directions as one value, with the file's axes."""
        builder, edge, batch = self.builder, edges[0], self.batch_axis
        direction, time, units = DIRECTION, (1,), (2,) if over_time else (1,)
        if len(edges) == 2:
            joined = builder.map("concatenate", {"axis": units[0]}, *edges)
            sizes = [builder.length(joined, a) for a in range(1, units[0])]
            edge = builder.reshaped(joined, [*sizes, 2, self.units])
            direction, units = units, (units[0] + 1,)
            builder.stacked[edge] = (direction[0], tuple(edges))
        axes: tuple[Axis, ...]
        if not over_time:
            axes = (batch, direction, units) if self.batch_first else (direction, batch, units)
        elif self.batch_first:
            axes = (batch, time, direction, units)
        else:
            axes = (time, direction, batch, units)
        return Seen(edge, axes)


class OtherBatch(UnusableInput):
    """The batch is along another axis than was assumed of the inputs."""


def _recurrent(builder: Builder, node: Node, given: Items) -> list[Seen | None]:
    return _Recurrent(builder, node, given).outputs()


RECURRENT: dict[str, Callable[[Builder, Node, Items], list[Seen | None]]] = {"GRU": _recurrent, "RNN": _recurrent}
