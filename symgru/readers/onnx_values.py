"""ONNX values while a graph is read: constants, and values that depend on the input with the place of their axes.

A network of symgru has the batch axis first; an ONNX graph has it anywhere, and moves axes about. So a value is an edge
of the network together with what each axis of the file's value is there: Transpose, Squeeze or Unsqueeze of it is
bookkeeping, and computes nothing. Only where an operator needs its axes in an order is a `permute` or `reshape` made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgru import maps
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Call, Edge, Layer, Shape, Tensor, safe_id

BATCH = 0
Axis = tuple[
    int, ...
]  # axes of the edge that this axis of the file goes through, the last one fastest; () has length 1
DIRECTION: Axis = (-1,)  # of length 1: the axis of a GRU operator with one direction
MAX_CALLS = 20_000


@dataclass(frozen=True)
class Unknown:
    """A length that the file leaves open: "batch", "time", or one computed from these."""

    name: str

    def _other(self, _: object) -> Unknown:
        return Unknown("other")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __truediv__ = _other


Length = int | Unknown


@dataclass(frozen=True)
class Seen:
    """A value that depends on the input: an edge, and which of its axes each axis of the file is."""

    edge: Edge
    axes: tuple[Axis, ...]

    @property
    def batch(self) -> int | None:
        """The file's axis that holds the batch, None where the file has none."""
        return next((k for k, axis in enumerate(self.axes) if BATCH in axis), None)

    @property
    def others(self) -> list[int]:
        """The file's axes but for the batch."""
        return [k for k in range(len(self.axes)) if k != self.batch]

    def with_axes(self, axes: Iterable[Axis]) -> Seen:
        return Seen(self.edge, tuple(axes))


@dataclass(frozen=True)
class Spread:
    """A constant that is the same along axes of unknown length; these have length 1 in `array`."""

    array: Array
    unknown: Mapping[int, Unknown]


@dataclass
class Builder:
    """The network so far: calls in order, the shape of every value, and what is known of how a value was made."""

    batch: Length = field(default_factory=lambda: Unknown("batch"))
    layers: dict[str, Layer] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    shapes: dict[Edge, Shape] = field(default_factory=dict)
    stacked: dict[Edge, tuple[int, tuple[Edge, ...]]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    made: dict[Any, Edge] = field(default_factory=dict)
    integers: set[Edge] = field(default_factory=set)
    dtype: str = "float32"
    notes: list[str] = field(default_factory=list)

    # calls

    def call(
        self,
        kind: str,
        options: Mapping[str, object],
        args: Sequence[Edge],
        weights: Mapping[str, Tensor],
        label: str,
        *,
        mask: Edge | None = None,
        initial: tuple[Edge, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Edge:
        """A call of a new layer."""
        if len(self.calls) >= MAX_CALLS:
            raise Unsupported(f"needs more than {MAX_CALLS} layers")
        name = safe_id(label or kind, self.taken, kind)
        self.layers[name] = Layer(name, label or kind, kind, options, weights, notes)
        self.calls[name] = Call(name, name, tuple(args), mask, initial)
        return Edge(name)

    def cell(
        self,
        kind: str,
        options: Mapping[str, object],
        args: Sequence[Edge],
        weights: Mapping[str, Tensor],
        label: str,
        shape: Shape,
    ) -> Edge:
        """A call of a cell without a state, which gives `shape`."""
        edge = self.call(kind, options, args, weights, label)
        self.shapes[edge] = shape
        return edge

    def map(self, kind: str, options: Mapping[str, Any], *args: Edge, table: Array | None = None) -> Edge:
        """A call of a map; the same map of the same values is made once."""
        key = (kind, repr(sorted(options.items())), args, None if table is None else id(table))
        if key in self.made:
            return self.made[key]
        weights = {} if table is None else {maps.MAPS[kind].tables[0]: Tensor.of(table)}
        tables = [] if table is None else [table.shape]
        shape = maps.shape(kind, options, [*(self.shapes[edge] for edge in args), *tables])
        edge = self.call(kind, options, args, weights, kind)
        self.shapes[edge] = shape
        self.made[key] = edge
        return edge

    def layer(self, edge: Edge) -> Layer | None:
        """The layer that made a value; None for an input."""
        call = self.calls.get(edge.source) if edge.port == "y" else None
        return self.layers[call.layer] if call else None

    def whole(self, edge: Edge) -> bool:
        """Whether a value holds whole numbers: an input of them, moved about."""
        while edge.port == "y" and self.layers[self.calls[edge.source].layer].kind in maps.MAPS:
            edge = self.calls[edge.source].args[0]
        return edge in self.integers

    # lengths

    def length(self, edge: Edge, axis: int) -> Length:
        """How long an axis of an edge is; 0 is the batch."""
        if axis == BATCH:
            return self.batch
        if axis < 0:
            return 1
        found = self.shapes[edge][axis - 1]
        return Unknown("time") if found is None else found

    def lengths(self, value: Seen) -> list[Length]:
        """The lengths of the file's axes."""
        return [_product([self.length(value.edge, a) for a in axis]) for axis in value.axes]

    # axes

    def arranged(self, value: Seen, order: Sequence[int] | None = None) -> Edge:
        """An edge whose axes are the batch, then the file's axes in `order`, each of them one axis."""
        order = value.others if order is None else order
        batch = value.batch
        if batch is not None and any(a > 0 and self.length(value.edge, a) != 1 for a in value.axes[batch]):
            raise Unsupported("has the batch axis and another one as one axis here")
        wanted = [tuple(a for a in value.axes[k] if a > 0) for k in order]
        flat = [a for axis in wanted for a in axis]
        rest = [a for a in range(1, len(self.shapes[value.edge]) + 1) if a not in flat]
        if any(self.length(value.edge, a) != 1 for a in rest):
            raise Unsupported("has more axes than its operator takes")
        edge = value.edge
        if [*flat, *rest] != list(range(1, len(flat) + len(rest) + 1)):
            edge = self.map("permute", {"axes": [*flat, *rest]}, edge)
        sizes = [_product([self.length(value.edge, a) for a in axis]) for axis in wanted]
        return self.reshaped(edge, sizes) if rest or any(len(axis) != 1 for axis in wanted) else edge

    def reshaped(self, edge: Edge, sizes: Sequence[Length]) -> Edge:
        """The edge in another shape of as many numbers; a reshape of a reshape is one, or none."""
        layer = self.layer(edge)
        if layer and layer.kind == "reshape":
            edge = self.calls[edge.source].args[0]
        shape = tuple(None if isinstance(n, Unknown) else n for n in sizes)
        if shape == self.shapes[edge]:
            return edge
        if shape.count(None) > 1:
            raise Unsupported("is reshaped with two axes of unknown length; export the model with fixed lengths")
        return self.map("reshape", {"shape": [-1 if n is None else n for n in shape]}, edge)

    def split_axis(self, value: Seen, axis: int, first: int, second: int) -> Seen:
        """The value with an axis of its edge as two."""
        sizes = [self.length(value.edge, a) for a in range(1, len(self.shapes[value.edge]) + 1)]
        sizes[axis - 1 : axis] = [first, second]
        edge = self.reshaped(value.edge, sizes)

        def moved(old: Axis) -> Axis:
            return tuple(new for a in old for new in ((a, a + 1) if a == axis else (a + (a > axis),)))

        return Seen(edge, tuple(map(moved, value.axes)))

    def take(self, value: Seen, place: int, index: int, keep: bool) -> Seen:
        """One index of the file's axis `place`, which is gone after that, or of length 1 if `keep`."""
        axes = list(value.axes)
        gone: list[Axis] = [()] if keep else []
        real = [a for a in axes[place] if a >= 0]
        if not real:
            if index not in (0, -1):
                raise UnusableInput(f"takes index {index} of an axis of length 1")
            return value.with_axes([*axes[:place], *gone, *axes[place + 1 :]])
        if len(real) > 1 or real[0] == BATCH:
            raise Unsupported("takes one sample of the batch")
        axis = real[0]
        if value.edge in self.stacked and self.stacked[value.edge][0] == axis:
            pieces = self.stacked[value.edge][1]
            if not -len(pieces) <= index < len(pieces):
                raise UnusableInput(f"takes index {index} of an axis of length {len(pieces)}")
            edge = pieces[index]
        else:
            last = axis == 1 and index in (-1, (self.shapes[value.edge][0] or 0) - 1)
            edge = self.map("last", {}, value.edge) if last else self._taken(value.edge, axis, index)
        left = [tuple(a - (a > axis) for a in old) for old in axes]
        return Seen(edge, (*left[:place], *gone, *left[place + 1 :]))

    def _taken(self, edge: Edge, axis: int, index: int) -> Edge:
        layer = self.layer(edge)
        if layer and layer.kind == "flip" and axis == 1 and index == 0:  # a reverse direction ends at the first step
            return self.map("last", {}, self.calls[edge.source].args[0])
        size = self.shapes[edge][axis - 1]
        if size is not None and not -size <= index < size:
            raise UnusableInput(f"takes index {index} of an axis of length {size}")
        return self.map("take", {"axis": axis, "index": index}, edge)

    def part(self, value: Seen, place: int, start: int | None, stop: int | None, step: int) -> Seen:
        """A stretch of the file's axis `place`, as Python slices."""
        size = self.lengths(value)[place]
        if isinstance(size, int):
            found = range(size)[start:stop:step]
            if found == range(size):
                return value
            if not len(found):
                raise Unsupported("is a slice that holds nothing")
            if len(found) == 1:
                return self.take(value, place, found[0], keep=True)
        elif (start or 0, stop, step) == (0, None, 1):
            return value
        elif (start, stop, step) == (-1, None, 1):
            return self.take(value, place, -1, keep=True)
        axis = self._single(value, place)
        whole = start is None or (start == -1) or (isinstance(size, int) and start >= size - 1)
        if step == -1 and axis == 1 and whole and stop is None:
            return Seen(self.map("flip", {}, value.edge), value.axes)
        options = {"axis": axis, "start": start, "stop": stop, "step": step}
        return Seen(self.map("part", options, value.edge), value.axes)

    def _single(self, value: Seen, place: int) -> int:
        """The edge's axis that the file's axis is."""
        real = [a for a in value.axes[place] if a >= 0]
        if len(real) != 1 or real[0] == BATCH:
            raise Unsupported("cuts the batch axis")
        return real[0]

    def constant(self, array: Array, like: Edge) -> Edge:
        """The same array for each sample."""
        return self.map("constant", {}, like, table=array)


def _product(lengths: Sequence[Length]) -> Length:
    known, unknown = 1, []
    for n in lengths:
        if isinstance(n, Unknown):
            unknown.append(n)
        else:
            known *= n
    if not unknown:
        return known
    return unknown[0] if len(unknown) == 1 and known == 1 else Unknown("other")


def place_of(axis: int, rank: int) -> int:
    """An axis counted from the end, where it is negative, from the front."""
    if not -rank <= axis < rank:
        raise UnusableInput(f"names axis {axis} of a value with {rank} axes")
    return axis % rank
