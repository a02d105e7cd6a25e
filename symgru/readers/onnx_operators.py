"""Operators that compute: products with weights, activations, sums, normalisations, means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Edge, Tensor
from symgru.readers.onnx_activations import Handler, activation, last_axis
from symgru.readers.onnx_axes import fixed, plain
from symgru.readers.onnx_constants import axes_of
from symgru.readers.onnx_inputs import Items, constant, constants, optional, seen
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_values import Builder, Seen, place_of


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


# two values, or one and a constant


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


def _prelu(builder: Builder, node: Node, given: Items) -> Seen:
    slope = _float(builder, constant(given, 1, "the slope"))
    if slope.size == 1:
        return activation(builder, seen(given), ["leaky_relu", float(slope.reshape(()))], node)
    return _along(builder, seen(given), slope, lambda v: ("parametric", {"alpha": v}), node)


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
    "Div": _div,
    "Gemm": _gemm,
    "LayerNormalization": _layer_normalization,
    "MatMul": _matmul,
    "Mul": _mul,
    "Neg": _neg,
    "PRelu": _prelu,
    "Pow": _pow,
    "ReduceMax": _reduce("global_max"),
    "ReduceMean": _reduce("global_mean"),
    "Sub": _sum(-1),
}
