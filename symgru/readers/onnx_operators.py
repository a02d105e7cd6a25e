"""Operators that compute: products with weights, activations, sums, normalisations, means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Edge, Tensor
from symgru.readers.checks import printable
from symgru.readers.onnx_axes import fixed, plain
from symgru.readers.onnx_constants import axes_of
from symgru.readers.onnx_inputs import Item, Items, constant, constants, optional, seen
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_values import Builder, Seen, place_of

Handler = Callable[[Builder, Node, Items], Item | list[Seen]]


def _float(builder: Builder, array: Array) -> Array:
    if array.dtype.kind not in "fiu":
        raise UnusableInput("holds a constant that is not of numbers")
    return array.astype(builder.dtype)


# products


def _matmul(builder: Builder, node: Node, given: Items) -> Seen:
    if not isinstance(given[0], Seen) or isinstance(given[1], Seen):
        raise Unsupported("multiplies two values of the network, or a constant from the left; symgru reads x @ W")
    x, kernel = given[0], _float(builder, constant(given, 1, "the matrix"))
    if kernel.ndim != 2:
        raise Unsupported(f"multiplies by a constant with {kernel.ndim} axes; symgru reads matrices")
    return _dense(builder, x, kernel.T, None, node)


def _gemm(builder: Builder, node: Node, given: Items) -> Seen:
    x, kernel = seen(given), _float(builder, constant(given, 1, "the matrix"))
    bias = optional(given, 2, "the bias")
    if node.integer("transA", 0) or len(x.axes) != 2 or kernel.ndim != 2:
        raise Unsupported("is a Gemm of other than a value (batch, features) and a matrix")
    kernel = kernel if node.integer("transB", 0) else kernel.T
    kernel = kernel * np.asarray(node.number("alpha", 1.0), kernel.dtype)
    if bias is not None:
        bias = np.broadcast_to(_float(builder, bias).reshape(-1), len(kernel))
        bias = bias * np.asarray(node.number("beta", 1.0), bias.dtype)
    return _dense(builder, x, kernel, bias, node)


def _dense(builder: Builder, x: Seen, kernel: Array, bias: Array | None, node: Node) -> Seen:
    """A dense layer along the last of the file's axes; `kernel` is (units, features)."""
    edge, axes = last_axis(builder, x)
    features = builder.shapes[edge][-1]
    if features != kernel.shape[1]:
        raise UnusableInput(f"takes {kernel.shape[1]} features; it is given {features}")
    return Seen(dense(builder, edge, kernel, bias, node), axes)


def dense(
    builder: Builder, edge: Edge, kernel: Array, bias: Array | None, node: Node, kernel_shape: object = None
) -> Edge:
    """A dense layer without an activation; `kernel_shape` is that of a Conv's kernel behind a window."""
    weights = {"W": Tensor.of(np.ascontiguousarray(kernel))}
    if bias is not None:
        weights["b"] = Tensor.of(np.ascontiguousarray(bias))
    options: dict[str, object] = {"units": len(kernel), "use_bias": bias is not None, "activation": "linear"}
    if kernel_shape is not None:
        options["kernel_shape"] = kernel_shape
    shape = (*builder.shapes[edge][:-1], len(kernel))
    return builder.cell("dense", options, [edge], weights, node.name or "dense", shape)


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


# element by element


def _activation(builder: Builder, x: Seen, function: object, node: Node) -> Seen:
    shape = builder.shapes[x.edge]
    options = {"activation": function}
    return Seen(builder.cell("activation", options, [x.edge], {}, node.name or node.op, shape), x.axes)


def _named(name: object) -> Handler:
    return lambda builder, node, given: _activation(builder, seen(given), name, node)


def _with(name: str, **usual: float) -> Handler:
    """An activation whose numbers are attributes."""

    def apply(builder: Builder, node: Node, given: Items) -> Seen:
        numbers = [node.number(key, value) for key, value in usual.items()]
        return _activation(builder, seen(given), [name, *numbers], node)

    return apply


def _selu(builder: Builder, node: Node, given: Items) -> Seen:
    alpha, gamma = node.number("alpha", 1.6732632), node.number("gamma", 1.0507010)
    if abs(alpha - 1.6732632) > 1e-6 or abs(gamma - 1.0507010) > 1e-6:
        raise Unsupported(f"has alpha {alpha:g} and gamma {gamma:g}; symgru reads SELU with its own numbers")
    return _activation(builder, seen(given), "selu", node)


def _gelu(builder: Builder, node: Node, given: Items) -> Seen:
    form = node.text("approximate", "none")
    if form not in ("none", "tanh"):
        raise UnusableInput(f"approximates GELU by '{printable(form, 20)}'; 'none' or 'tanh' is needed")
    return _activation(builder, seen(given), "gelu" if form == "none" else "gelu_tanh", node)


def _swish(builder: Builder, node: Node, given: Items) -> Seen:
    if node.number("alpha", 1.0) != 1:
        raise Unsupported("is a Swish with an alpha other than 1")
    return _activation(builder, seen(given), "silu", node)


def _shrink(builder: Builder, node: Node, given: Items) -> Seen:
    bias, lambd = node.number("bias", 0.0), node.number("lambd", 0.5)
    if bias not in (0, lambd):
        raise Unsupported("is a Shrink whose bias is neither 0 nor lambd")
    return _activation(builder, seen(given), ["soft_shrink" if bias else "hard_shrink", lambd], node)


def _clip(builder: Builder, node: Node, given: Items) -> Seen:
    if node.version < 11:
        low, high = node.number("min", -np.inf), node.number("max", np.inf)
    else:
        bounds = [optional(given, k, "a bound") for k in (1, 2)]
        found = [None if b is None or b.size != 1 else float(b.reshape(())) for b in bounds]
        low, high = (-np.inf if found[0] is None else found[0], np.inf if found[1] is None else found[1])
    largest = float(np.finfo(builder.dtype).max)
    if (low, high >= largest) == (0, True):
        return _activation(builder, seen(given), "relu", node)
    return _activation(builder, seen(given), ["clip", max(low, -1e300), min(high, 1e300)], node)


def _prelu(builder: Builder, node: Node, given: Items) -> Seen:
    slope = _float(builder, constant(given, 1, "the slope"))
    if slope.size == 1:
        return _activation(builder, seen(given), ["leaky_relu", float(slope.reshape(()))], node)
    return _along(builder, seen(given), slope, lambda v: ("parametric", {"alpha": v}), node)


Weighted = Callable[[Array], tuple[str, dict[str, Array]]]


def _along(builder: Builder, x: Seen, array: Array, cell: Weighted, node: Node) -> Seen:
    """A cell whose weights lie along one of the file's axes."""
    array = array.reshape((1,) * (len(x.axes) - array.ndim) + array.shape)
    place = int(np.argmax(array.shape))
    edge, axes = last_axis(builder, x, place)
    if builder.shapes[edge][-1] != array.size:
        raise UnusableInput(f"has {array.size} numbers for {builder.shapes[edge][-1]} features")
    kind, weights = cell(array.reshape(-1))
    tensors = {name: Tensor.of(np.ascontiguousarray(v)) for name, v in weights.items()}
    return Seen(builder.cell(kind, {}, [edge], tensors, node.name or kind, builder.shapes[edge]), axes)


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


# two values, or one and a constant


def _sum(sign: int) -> Handler:
    """Add (1) and Sub (-1)."""

    def apply(builder: Builder, node: Node, given: Items) -> Seen:
        if len(given) != 2:
            raise UnusableInput("needs two inputs")
        one, other = given
        if isinstance(one, Seen) and isinstance(other, Seen):
            return _merged(builder, "add" if sign > 0 else "subtract", one, other, node)
        if isinstance(one, Seen):
            return _shifted(builder, one, sign, constant(given, 1, "a constant"), node)
        array = constant(given, 0, "a constant")
        if sign > 0:
            return _shifted(builder, seen(given, 1), sign, array, node)
        return _scaled(builder, seen(given, 1), np.full((), sign), array, node)

    return apply


def _shifted(builder: Builder, x: Seen, sign: int, array: Array, node: Node) -> Seen:
    """A constant added; to what a dense layer without a bias gives, it is its bias."""
    layer, array = builder.layer(x.edge), _float(builder, array)
    units = builder.shapes[x.edge][-1] if builder.shapes[x.edge] else None
    bare = layer is not None and layer.kind == "dense" and "b" not in layer.weights
    fits = array.size == units and array.shape[-1:] == (units,) and x.axes[-1] == (_rank(builder, x),)
    if layer is not None and bare and fits:
        call = builder.calls[x.edge.source]
        kernel, told = layer.weights["W"].value, layer.options.get("kernel_shape")
        return Seen(dense(builder, call.args[0], kernel, sign * array.reshape(-1), node, told), x.axes)
    return _scaled(builder, x, np.ones(()), sign * array, node)


def _rank(builder: Builder, x: Seen) -> int:
    return len(builder.shapes[x.edge])


def _mul(builder: Builder, node: Node, given: Items) -> Seen:
    if len(given) != 2:
        raise UnusableInput("needs two inputs")
    if isinstance(given[0], Seen) and isinstance(given[1], Seen):
        return _merged(builder, "multiply", given[0], given[1], node)
    place = 0 if isinstance(given[0], Seen) else 1
    factor = constant(given, 1 - place, "a constant")
    return _scaled(builder, seen(given, place), _float(builder, factor), np.zeros(()), node)


def _div(builder: Builder, node: Node, given: Items) -> Seen:
    if len(given) != 2 or not isinstance(given[0], Seen) or isinstance(given[1], Seen):
        raise Unsupported("divides by a value of the network; symgru reads division by constants")
    divisor = _float(builder, constant(given, 1, "a constant")).astype(np.float64)
    if not divisor.all():
        raise UnusableInput("divides by 0")
    return _scaled(builder, given[0], 1 / divisor, np.zeros(()), node)


def _pow(builder: Builder, node: Node, given: Items) -> Seen:
    exponent = constant(given, 1, "the exponent")
    if exponent.size != 1 or float(exponent.reshape(())) not in (1, 2):
        raise Unsupported("is a power other than the square")
    x = seen(given)
    return x if float(exponent.reshape(())) == 1 else _merged(builder, "multiply", x, x, node)


def _neg(builder: Builder, node: Node, given: Items) -> Seen:
    return _scaled(builder, seen(given), np.full((), -1), np.zeros(()), node)


def _scaled(builder: Builder, x: Seen, scale: Array, offset: Array, node: Node) -> Seen:
    """x * scale + offset, each a number, a vector along one axis, or the same shape for every sample."""
    scale, offset = np.asarray(scale), np.asarray(offset)
    if scale.size == offset.size == 1 and max(scale.ndim, offset.ndim) <= len(x.axes):
        options = {"scale": float(scale.reshape(())), "offset": float(offset.reshape(()))}
        shape = builder.shapes[x.edge]
        return Seen(builder.cell("rescaling", options, [x.edge], {}, node.name or node.op, shape), x.axes)
    larger = scale if scale.size > 1 else offset
    vector = sum(n > 1 for n in larger.shape) == 1 and larger.ndim <= len(x.axes)
    if vector and builder.lengths(x)[int(np.argmax(larger.shape)) - larger.ndim] == larger.size:
        both = (np.broadcast_to(a.reshape(-1), larger.size).astype(builder.dtype) for a in (scale, offset))
        g, b = (a.reshape(larger.shape) for a in both)
        return _along(builder, x, g, lambda v: ("affine", {"g": v, "b": b.reshape(-1)}), node)
    y = x
    for array, kind, neutral in ((scale, "multiply", 1), (offset, "add", 0)):
        if not (array == neutral).all():
            rank = max(len(y.axes), array.ndim)
            y = y.with_axes([*([()] * (rank - len(y.axes))), *y.axes])
            y = _merged(builder, kind, y, fixed(builder, array.astype(builder.dtype), y, rank), node)
    return y


def _merged(builder: Builder, kind: str, one: Seen, other: Seen, node: Node) -> Seen:
    """Two values element by element, broadcast as NumPy does."""
    if one.axes == other.axes and builder.shapes[one.edge] == builder.shapes[other.edge]:
        edges, axes = [one.edge, other.edge], one.axes
    else:
        rank = max(len(one.axes), len(other.axes))
        one, other = (v.with_axes([*([()] * (rank - len(v.axes))), *v.axes]) for v in (one, other))
        if one.batch != other.batch:
            raise Unsupported("puts values together whose batch axes are in different places")
        edges, axes = [builder.arranged(one), builder.arranged(other)], plain(rank, one.batch)
    shapes = [builder.shapes[edge] for edge in edges]
    shape = tuple(p if q == 1 else q for p, q in zip(*shapes, strict=True))
    options = {"inputs": 2}
    return Seen(builder.cell(kind, options, edges, {}, node.name or node.op, shape), axes)


# normalisations and means


def _batch_normalization(builder: Builder, node: Node, given: Items) -> Seen:
    x = seen(given)
    if node.integer("training_mode", 0) or len([o for o in node.outputs if o]) > 1:
        raise Unsupported("is in training mode; export the model for inference (model.eval())")
    names = ("g", "b", "mu", "v")
    weights = {n: _float(builder, constant(given, k + 1, n)) for k, n in enumerate(names)}
    edge, axes = last_axis(builder, x, 1 if len(x.axes) > 1 else 0)
    if any(w.shape != builder.shapes[edge][-1:] for w in weights.values()):
        raise UnusableInput(f"has other shapes than its {builder.shapes[edge][-1]} channels")
    options = {"eps": node.number("epsilon", 1e-5)}
    return Seen(_normal(builder, "batch_normalization", options, edge, weights, node), axes)


def _layer_normalization(builder: Builder, node: Node, given: Items) -> Seen:
    x = seen(given)
    if place_of(node.integer("axis", -1), len(x.axes)) != len(x.axes) - 1:
        raise Unsupported("normalises over several axes; symgru reads the last one")
    if len([o for o in node.outputs if o]) > 1:
        raise Unsupported("gives its mean or deviation too")
    edge, axes = last_axis(builder, x)
    scale = _float(builder, constant(given, 1, "the scale"))
    bias = optional(given, 2, "the bias")
    weights = {"g": scale, "b": np.zeros_like(scale) if bias is None else _float(builder, bias)}
    if any(w.shape != builder.shapes[edge][-1:] for w in weights.values()):
        raise UnusableInput(f"has other shapes than its {builder.shapes[edge][-1]} features")
    options = {"eps": node.number("epsilon", 1e-5)}
    return Seen(_normal(builder, "layer_normalization", options, edge, weights, node), axes)


def _normal(
    builder: Builder, kind: str, options: Mapping[str, object], edge: Edge, weights: dict[str, Array], node: Node
) -> Edge:
    tensors = {name: Tensor.of(np.ascontiguousarray(w)) for name, w in weights.items()}
    return builder.cell(kind, options, [edge], tensors, node.name or kind, builder.shapes[edge])


def _reduce(kind: str) -> Handler:
    """A mean or maximum over axes other than the batch."""

    def apply(builder: Builder, node: Node, given: Items) -> Seen:
        x = seen(given)
        axes = axes_of(node, constants(given))
        places = [place_of(a, len(x.axes)) for a in (x.others if axes is None else axes)]
        if axes is None or x.batch in places:
            raise Unsupported("reduces the batch axis")
        return reduced(builder, x, places, kind, bool(node.integer("keepdims", 1)))

    return apply


def reduced(builder: Builder, x: Seen, places: Sequence[int], kind: str, keep: bool) -> Seen:
    """The mean (global_mean) or maximum (global_max) over some of the file's axes."""
    for place in sorted(places, reverse=True):
        real = [a for a in x.axes[place] if a >= 0]
        axes = list(x.axes)
        if not real:
            x = x if keep else x.with_axes([*axes[:place], *axes[place + 1 :]])
            continue
        if len(real) > 1:
            raise Unsupported("reduces axes that were joined")
        edge = builder.map(kind, {"axis": real[0]} if real[0] != 1 else {}, x.edge)
        left = [tuple(a - (a > real[0]) for a in axis) for axis in axes]
        x = Seen(edge, (*left[:place], *([()] if keep else []), *left[place + 1 :]))
    return x


OPERATORS: dict[str, Handler] = {
    "Add": _sum(1),
    "BatchNormalization": _batch_normalization,
    "Celu": _with("celu", alpha=1.0),
    "Clip": _clip,
    "Div": _div,
    "Elu": _with("elu", alpha=1.0),
    "Exp": _named("exponential"),
    "Gelu": _gelu,
    "Gemm": _gemm,
    "HardSigmoid": _with("hard_sigmoid", alpha=float(np.float32(0.2)), beta=0.5),
    "HardSwish": _named("hard_silu"),
    "LayerNormalization": _layer_normalization,
    "LeakyRelu": _with("leaky_relu", alpha=float(np.float32(0.01))),
    "LogSoftmax": _softmax("log_softmax"),
    "MatMul": _matmul,
    "Mish": _named("mish"),
    "Mul": _mul,
    "Neg": _neg,
    "PRelu": _prelu,
    "Pow": _pow,
    "ReduceMax": _reduce("global_max"),
    "ReduceMean": _reduce("global_mean"),
    "Relu": _named("relu"),
    "Selu": _selu,
    "Shrink": _shrink,
    "Sigmoid": _named("sigmoid"),
    "Softmax": _softmax("softmax"),
    "Softplus": _named("softplus"),
    "Softsign": _named("softsign"),
    "Sub": _sum(-1),
    "Swish": _swish,
    "Tanh": _named("tanh"),
    "ThresholdedRelu": _with("thresholded_relu", alpha=1.0),
}
