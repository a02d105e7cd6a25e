"""Activations as operators of their own: element by element, or along one axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Edge
from symgru.readers.checks import printable
from symgru.readers.onnx_inputs import Item, Items, optional, seen
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_values import Builder, Seen, place_of

Handler = Callable[[Builder, Node, Items], Item | list[Seen]]


def last_axis(builder: Builder, x: Seen, place: int = -1) -> tuple[Edge, tuple[tuple[int, ...], ...]]:
    """An edge whose last axis is one of the file's (its last), and where the file's axes are in it."""
    place = place_of(place, len(x.axes))
    rank = len(builder.shapes[x.edge])
    if place == x.batch:
        raise Unsupported("works along the batch axis")
    if x.axes[place] == (rank,):  # nothing to move, and axes that are joined may stay so
        return x.edge, x.axes
    order = [k for k in x.others if k != place] + [place]
    axes = [(0,) if k == x.batch else (order.index(k) + 1,) for k in range(len(x.axes))]
    return builder.arranged(x, order), tuple(axes)


def activation(builder: Builder, x: Seen, function: object, node: Node) -> Seen:
    shape = builder.shapes[x.edge]
    options = {"activation": function}
    return Seen(builder.cell("activation", options, [x.edge], {}, node.name or node.op, shape), x.axes)


def _named(name: object) -> Handler:
    return lambda builder, node, given: activation(builder, seen(given), name, node)


def _with(name: str, **usual: float) -> Handler:
    """An activation whose numbers are attributes."""

    def apply(builder: Builder, node: Node, given: Items) -> Seen:
        numbers = [node.number(key, value) for key, value in usual.items()]
        return activation(builder, seen(given), [name, *numbers], node)

    return apply


def _selu(builder: Builder, node: Node, given: Items) -> Seen:
    alpha, gamma = node.number("alpha", 1.6732632), node.number("gamma", 1.0507010)
    if abs(alpha - 1.6732632) > 1e-6 or abs(gamma - 1.0507010) > 1e-6:
        raise Unsupported(f"has alpha {alpha:g} and gamma {gamma:g}; symgru reads SELU with its own numbers")
    return activation(builder, seen(given), "selu", node)


def _gelu(builder: Builder, node: Node, given: Items) -> Seen:
    form = node.text("approximate", "none")
    if form not in ("none", "tanh"):
        raise UnusableInput(f"approximates GELU by '{printable(form, 20)}'; 'none' or 'tanh' is needed")
    return activation(builder, seen(given), "gelu" if form == "none" else "gelu_tanh", node)


def _swish(builder: Builder, node: Node, given: Items) -> Seen:
    if node.number("alpha", 1.0) != 1:
        raise Unsupported("is a Swish with an alpha other than 1")
    return activation(builder, seen(given), "silu", node)


def _shrink(builder: Builder, node: Node, given: Items) -> Seen:
    bias, lambd = node.number("bias", 0.0), node.number("lambd", 0.5)
    if bias not in (0, lambd):
        raise Unsupported("is a Shrink whose bias is neither 0 nor lambd")
    return activation(builder, seen(given), ["soft_shrink" if bias else "hard_shrink", lambd], node)


def _clip(builder: Builder, node: Node, given: Items) -> Seen:
    if node.version < 11:
        low, high = node.number("min", -np.inf), node.number("max", np.inf)
    else:
        bounds = [optional(given, k, "a bound") for k in (1, 2)]
        found = [None if b is None or b.size != 1 else float(b.reshape(())) for b in bounds]
        low, high = (-np.inf if found[0] is None else found[0], np.inf if found[1] is None else found[1])
    largest = float(np.finfo(builder.dtype).max)
    if (low, high >= largest) == (0, True):
        return activation(builder, seen(given), "relu", node)
    return activation(builder, seen(given), ["clip", max(low, -1e300), min(high, 1e300)], node)


def _softmax(name: str) -> Handler:
    def apply(builder: Builder, node: Node, given: Items) -> Seen:
        x = seen(given)
        rank = len(x.axes)
        place = place_of(node.integer("axis", -1 if node.version >= 13 else 1), rank)
        sizes = builder.lengths(x)
        if node.version < 13 and any(n != 1 for n in sizes[place + 1 :]):
            raise Unsupported("is a softmax over several axes (operator set below 13); export with a newer one")
        edge, axes = last_axis(builder, x, place)
        shape = builder.shapes[edge]
        return Seen(builder.cell("activation", {"activation": name}, [edge], {}, node.name or name, shape), axes)

    return apply


ACTIVATIONS: dict[str, Handler] = {
    "Celu": _with("celu", alpha=1.0),
    "Clip": _clip,
    "Elu": _with("elu", alpha=1.0),
    "Exp": _named("exponential"),
    "Gelu": _gelu,
    "HardSigmoid": _with("hard_sigmoid", alpha=float(np.float32(0.2)), beta=0.5),
    "HardSwish": _named("hard_silu"),
    "LeakyRelu": _with("leaky_relu", alpha=float(np.float32(0.01))),
    "LogSoftmax": _softmax("log_softmax"),
    "Mish": _named("mish"),
    "Relu": _named("relu"),
    "Selu": _selu,
    "Shrink": _shrink,
    "Sigmoid": _named("sigmoid"),
    "Softmax": _softmax("softmax"),
    "Softplus": _named("softplus"),
    "Softsign": _named("softsign"),
    "Swish": _swish,
    "Tanh": _named("tanh"),
    "ThresholdedRelu": _with("thresholded_relu", alpha=1.0),
}
