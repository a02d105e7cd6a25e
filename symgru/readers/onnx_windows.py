"""Convolutions and pools over one axis (time): ONNX has the channels before it, (batch, channels, time)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Edge
from symgru.readers.checks import printable, whole
from symgru.readers.onnx_inputs import Item, Items, constant, optional, seen
from symgru.readers.onnx_messages import Node
from symgru.readers.onnx_operators import dense, reduced
from symgru.readers.onnx_values import Builder, Seen, place_of

SAME = {"SAME_UPPER": 0, "SAME_LOWER": 1}  # on which side an odd number of padded steps has one more
MAX_WINDOW = 4096


def _steps(builder: Builder, x: Seen) -> tuple[Edge, int]:
    """The input as (batch, time, channels), and its channels."""
    if len(x.axes) != 3 or x.batch not in (0, None):
        raise Unsupported(f"has {len(x.axes)} axes; symgru reads one axis beside batch and channels")
    edge = builder.arranged(x, [2, 1])
    channels = builder.shapes[edge][1]
    if channels is None:
        raise Unsupported("has a number of channels that is not fixed")
    return edge, channels


def _of_steps(edge: Edge, x: Seen) -> Seen:
    return Seen(edge, (x.axes[0], (2,), (1,)))


def _one(node: Node, name: str, usual: int) -> int:
    found = node.integers(name) or [usual]
    if len(found) != 1:
        raise Unsupported(f"has {name} {printable(found)}; symgru reads one axis (1-D)")
    return whole(found[0], name, MAX_WINDOW)


def _padded(node: Node, size: int, stride: int, dilation: int) -> tuple[int, int] | None:
    """Zeros before and after; None for `same` with a stride, which depends on the length."""
    auto, reach = node.text("auto_pad", "NOTSET"), dilation * (size - 1)
    if auto in SAME:
        if stride != 1:
            return None
        more = -(-reach // 2) if SAME[auto] else reach // 2
        return more, reach - more
    if auto not in ("NOTSET", "VALID"):
        raise UnusableInput(f"has auto_pad '{printable(auto, 20)}'")
    pads = node.integers("pads") or [0, 0]
    if auto == "VALID":
        pads = [0, 0]
    if len(pads) != 2 or not all(0 <= n <= MAX_WINDOW for n in pads):
        raise Unsupported(f"has pads {printable(pads)}; symgru reads one axis (1-D)")
    return pads[0], pads[1]


def _conv(builder: Builder, node: Node, given: Items) -> Seen:
    x = seen(given)
    edge, channels = _steps(builder, x)
    kernel, bias = constant(given, 1, "the kernel"), optional(given, 2, "the bias")
    if kernel.ndim != 3:
        raise Unsupported(f"has a kernel with {kernel.ndim} axes; symgru reads one axis (1-D)")
    kernel = _ungrouped(kernel.astype(builder.dtype), node.integer("group", 1), channels)
    filters, _, size = kernel.shape
    stride, dilation = _one(node, "strides", 1), _one(node, "dilations", 1)
    pads = _padded(node, size, stride, dilation)
    options: dict[str, object] = {"size": size, "stride": stride, "dilation": dilation}
    if pads is None:
        if node.text("auto_pad", "") == "SAME_LOWER":
            raise Unsupported("pads SAME_LOWER with a stride")
        options["padding"] = "same"
    elif pads == (dilation * (size - 1), 0) and any(pads):
        options["padding"] = "causal"
    elif any(pads):
        edge = builder.map("pad", {"before": pads[0], "after": pads[1]}, edge)
    flat = kernel.transpose(0, 2, 1).reshape(filters, -1)  # a window has its steps side by side
    windows, shape = builder.map("window", options, edge), (size, channels, filters)
    return _of_steps(dense(builder, windows, flat, _bias(bias, filters, builder), node, shape), x)


def _bias(bias: Array | None, filters: int, builder: Builder) -> Array | None:
    if bias is not None and bias.shape != (filters,):
        raise UnusableInput(f"has a bias of shape {bias.shape} for {filters} filters")
    return None if bias is None else bias.astype(builder.dtype)


def _ungrouped(kernel: Array, groups: int, channels: int) -> Array:
    """A kernel (filters, channels, size) in which channels of other groups have the weight 0."""
    filters, each, size = kernel.shape
    if groups < 1 or each * groups != channels or filters % groups:
        raise UnusableInput(f"has a kernel of shape {kernel.shape} and {groups} groups for {channels} channels")
    if groups == 1:
        return kernel
    if filters * channels * size > 2**22:
        raise Unsupported(f"has {groups} groups, which would be a dense kernel too large for symgru")
    full = np.zeros((filters, channels, size), kernel.dtype)
    rows = filters // groups
    for g in range(groups):
        full[g * rows : (g + 1) * rows, g * each : (g + 1) * each] = kernel[g * rows : (g + 1) * rows]
    return full


def _pool(kind: str) -> Callable[[Builder, Node, Items], Item]:
    def apply(builder: Builder, node: Node, given: Items) -> Seen:
        x = seen(given)
        edge, _ = _steps(builder, x)
        size, stride = _one(node, "kernel_shape", 1), _one(node, "strides", 1)
        dilation = _one(node, "dilations", 1)
        if node.integer("ceil_mode", 0) or node.integer("storage_order", 0):
            raise Unsupported("has ceil_mode or storage_order, which symgru does not read")
        if len([o for o in node.outputs if o]) > 1:
            raise Unsupported("gives the indices of its maxima too")
        options: dict[str, object] = {"size": size, "stride": stride, "dilation": dilation}
        pads = _padded(node, size, stride, dilation)
        reach = dilation * (size - 1)
        if pads is None or (any(pads) and pads == (reach // 2, reach - reach // 2) and stride == 1):
            options["padding"] = "same"
        elif any(pads) and node.integer("count_include_pad", 0) and kind == "mean_pool":
            edge = builder.map("pad", {"before": pads[0], "after": pads[1]}, edge)
        elif any(pads):
            raise Unsupported(f"pads {printable(list(pads))} steps before and after, which symgru reads in a Conv only")
        if options.get("padding") == "same" and node.integer("count_include_pad", 0) and kind == "mean_pool":
            if pads is None:
                raise Unsupported("counts padded steps, which symgru does not read with a stride")
            del options["padding"]
            edge = builder.map("pad", {"before": pads[0], "after": pads[1]}, edge)
        return _of_steps(builder.map(kind, options, edge), x)

    return apply


def _global(kind: str) -> Callable[[Builder, Node, Items], Item]:
    def apply(builder: Builder, node: Node, given: Items) -> Seen:
        x = seen(given)
        return reduced(builder, x, range(place_of(2, len(x.axes)), len(x.axes)), kind, keep=True)

    return apply


WINDOWS: dict[str, Callable[[Builder, Node, Items], Item]] = {
    "AveragePool": _pool("mean_pool"),
    "Conv": _conv,
    "GlobalAveragePool": _global("global_mean"),
    "GlobalMaxPool": _global("global_max"),
    "MaxPool": _pool("max_pool"),
}
