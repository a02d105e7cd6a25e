"""An ONNX graph as a network: its nodes are followed one by one; what reads no input is computed at once.

Which axis of an input is the batch, the file does not say. It follows from the operators: a GRU with layout=0 has it
second. So the graph is followed with one axis after the other taken for the batch, the likely one first, until all
operators agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod

import numpy as np

from symgru.errors import SymgruError, Unsupported, UnusableInput
from symgru.network import Array, Edge, Held, Input, Network, safe_id
from symgru.readers.assemble import within
from symgru.readers.checks import MAX_NUMBERS, printable, reason
from symgru.readers.onnx_activations import ACTIVATIONS
from symgru.readers.onnx_axes import AXES
from symgru.readers.onnx_constants import FOLDED, fold
from symgru.readers.onnx_inputs import Item, Items
from symgru.readers.onnx_messages import Dim, Graph, Node, Value, label_of
from symgru.readers.onnx_operators import OPERATORS
from symgru.readers.onnx_recurrent import RECURRENT
from symgru.readers.onnx_spread import of_spread
from symgru.readers.onnx_tidy import tidied
from symgru.readers.onnx_values import DIRECTION, Axis, Builder, Seen, Spread, Unknown
from symgru.readers.onnx_windows import WINDOWS

KNOWN = {**ACTIVATIONS, **AXES, **OPERATORS, **RECURRENT, **WINDOWS}
MAX_TRIES, MAX_STEPS = 64, 20_000  # attempts, and nodes followed in all of them
LOOP = (
    "is how Keras' and other exporters write a recurrent layer that they do not know; symgru needs the operator GRU: "
    "torch.onnx.export writes it for nn.GRU, tf2onnx for a GRU with sigmoid, tanh and reset_after=True; of a Keras "
    "model give symgru the .keras file, which `symgru convert` writes as ONNX"
)
REFUSED = {
    "Loop": LOOP,
    "Scan": LOOP,
    "If": "is a branch; symgru reads graphs without branches: simplify the model (onnxsim) or export it again",
    "LSTM": "has two states; symgru reads GRU and RNN",
}


def network(graph: Graph, name: str, origin: str) -> Network:
    """The network that a graph computes. Raises the error of the attempt that got furthest."""
    graph = _needed(graph)
    _refuse(graph.nodes)
    folded, nodes = _folded(graph)
    dtype = _dtype(graph, folded)
    furthest: tuple[int, SymgruError] | None = None
    tries = max(4, min(MAX_TRIES, MAX_STEPS // (len(nodes) + 1)))
    for batches in islice(_batches(graph), tries):
        walk = _Walk(graph, folded, dtype, batches)
        try:
            return walk.network(nodes, name, origin)
        except SymgruError as error:
            if furthest is None or walk.place > furthest[0]:
                furthest = walk.place, error
    if furthest is None:
        raise UnusableInput("has no inputs; symgru needs one that holds the sequence")
    raise furthest[1]


def _needed(graph: Graph) -> Graph:
    """The graph without nodes that no output needs; outputs that nobody reads have no name any more."""
    if not graph.outputs:
        raise UnusableInput("has no outputs")
    wanted = {value.name for value in graph.outputs}
    kept = []
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(filter(None, node.outputs)):
            kept.append(replace(node, outputs=tuple(o if o in wanted else "" for o in node.outputs)))
            wanted.update(filter(None, node.inputs))
    return replace(graph, nodes=kept[::-1], inputs=[value for value in graph.inputs if value.name in wanted])


def _refuse(nodes: Sequence[Node]) -> None:
    """Refuse by its name what no attempt could read; a Loop before what prepares its inputs."""
    for place, node in enumerate(nodes):
        if node.op in REFUSED:
            raise Unsupported(f"{label_of(node.op, node.name, place)}: {REFUSED[node.op]}")
    for place, node in enumerate(nodes):
        if node.op not in KNOWN and node.op not in FOLDED:
            label = label_of(node.op, node.name, place)
            raise Unsupported(f"{label}: is an operator that symgru does not read around a GRU")


def _folded(graph: Graph) -> tuple[dict[str, Array], list[tuple[int, Node]]]:
    """Values that read no input, and the nodes that are left, with their places in the file."""
    found, left = dict(graph.constants), []
    total = sum(a.size for a in found.values())
    for place, node in enumerate(graph.nodes):
        names = [n for n in node.inputs if n]
        if node.op not in FOLDED or not all(n in found for n in names) or (not names and node.op != "Constant"):
            left.append((place, node))
            continue
        with within(label_of(node.op, node.name, place)):
            arrays = fold(node, [found.get(n) if n else None for n in node.inputs])
            total += sum(a.size for a in arrays)
            if total > 4 * MAX_NUMBERS:
                raise UnusableInput(f"makes constants of more than {4 * MAX_NUMBERS} numbers")
        found |= {o: a for o, a in zip(node.outputs, arrays, strict=False) if o}
    return found, left


def _dtype(graph: Graph, constants: Mapping[str, Array]) -> str:
    """The precision of the weights of the recurrent layers."""
    used = {n for node in graph.nodes if node.op in RECURRENT for n in node.inputs[1:3]}
    if not any(node.op in RECURRENT for node in graph.nodes):
        raise Unsupported("has no GRU operator; symgru reads networks with a recurrent layer in them")
    return "float64" if any(n in constants and constants[n].dtype == np.float64 for n in used) else "float32"


def _batches(graph: Graph) -> Iterator[tuple[int | None, ...]]:
    """Which axis of each input may be the batch, the likely ones first."""
    return product(*(_likely(value, graph) for value in graph.inputs))


def _likely(value: Value, graph: Graph) -> list[int | None]:
    rank = _rank(value, graph)
    recurrent = [node for node in graph.nodes if node.op in RECURRENT and value.name in node.inputs]
    places = [node.inputs.index(value.name) for node in recurrent]
    if recurrent and places[0] in (0, 5):
        first = 0 if recurrent[0].integer("layout", 0) else 1
        return [first, *[k for k in range(rank) if k != first], None]
    named = [k for k, dim in enumerate(value.dims or ()) if isinstance(dim, str) and "batch" in dim.lower()]
    return [*named, *(k for k in range(rank) if k not in named), None]


def _rank(value: Value, graph: Graph) -> int:
    if value.dims is not None:
        return len(value.dims)
    if any(node.op in RECURRENT and value.name in (node.inputs[0], *node.inputs[5:6]) for node in graph.nodes):
        return 3
    raise UnusableInput(f"input '{printable(value.name)}' has no shape; onnx.shape_inference.infer_shapes adds it")


class _Walk:
    """One attempt to follow the graph; `place` is how far it got."""

    def __init__(
        self, graph: Graph, constants: Mapping[str, Array], dtype: str, batches: tuple[int | None, ...]
    ) -> None:
        self.graph, self.place = graph, -1
        self.builder = Builder(dtype=dtype)
        self.values: dict[str, Item] = dict(constants)
        self.inputs: list[Input] = []
        self.batches = batches

    def network(self, nodes: Sequence[tuple[int, Node]], name: str, origin: str) -> Network:
        for value, batch in zip(self.graph.inputs, self.batches, strict=True):
            self._input(value, batch)
        for place, node in nodes:
            self.place = place
            with within(label_of(node.op, node.name, place)):
                self._node(node)
        self.place += 1
        outputs = [self._output(value) for value in self.graph.outputs]
        found = Network(
            self.builder.dtype,
            self.builder.layers,
            tuple(self.builder.calls.values()),
            tuple(self.inputs),
            tuple(outputs),
            safe_id(name, set(), "gru"),
            origin,
            tuple(self._notes()),
            tuple(self._held(value) for value in self.graph.outputs),
        )
        return tidied(found)

    # inputs

    def _input(self, value: Value, batch: int | None) -> None:
        """An input of the network: the file's axes with the batch first."""
        with within(f"input '{printable(value.name)}'"):
            if value.dtype not in ("float32", "float64", "float16", "bfloat16", "int32", "int64", "nothing"):
                raise Unsupported(f"holds {value.dtype}; symgru takes floats and whole numbers")
            if prod(n for n in value.dims or () if isinstance(n, int)) > MAX_NUMBERS:
                raise UnusableInput(f"has the shape {printable(value.dims)}; at most {MAX_NUMBERS} numbers are read")
            dims = value.dims if value.dims is not None else (None,) * _rank(value, self.graph)
            others = [k for k in range(len(dims)) if k != batch]
            if batch is not None and isinstance(dims[batch], int):
                self._fix(dims[batch])
            alone = self._direction_of(value, dims)
            kept = [k for k in others if k != alone]
            edge = Edge(safe_id(value.name, self.builder.taken, "x"), "input")
            shape = tuple(self._length(dims, k) for k in kept)
            axes: list[Axis] = [
                DIRECTION if k == alone else (0,) if k == batch else (kept.index(k) + 1,) for k in range(len(dims))
            ]
            held = Held(batch, alone)
            self.inputs.append(Input(edge.source, shape, value.name, value.dtype.startswith("int"), held))
            self.builder.shapes[edge] = shape
            if value.dtype.startswith("int"):
                self.builder.integers.add(edge)
            self.values[value.name] = Seen(edge, tuple(axes))

    def _fix(self, size: Dim) -> None:
        """The file fixes the size of the batch; shapes in it may repeat it as a number."""
        builder = self.builder
        if isinstance(size, int) and builder.batch not in (size, Unknown("batch")):
            raise UnusableInput(f"has a batch of {size}, another input one of {builder.batch}")
        builder.batch = size if isinstance(size, int) else builder.batch

    def _direction_of(self, value: Value, dims: Sequence[Dim]) -> int | None:
        """The axis of length 1 of an input that only states are read from: one direction, which is left out."""
        readers = [node for node in self.graph.nodes if value.name in node.inputs]
        if not readers or any(node.op not in RECURRENT or value.name in node.inputs[:5] for node in readers):
            return None
        place = 1 if readers[0].integer("layout", 0) else 0
        bidirectional = readers[0].text("direction", "forward") == "bidirectional"
        return place if len(dims) == 3 and dims[place] in (1, None) and not bidirectional else None

    def _length(self, dims: Sequence[Dim], axis: int) -> int | None:
        """The length of an input's axis; features that the file leaves open follow from the GRU's weights."""
        dim = dims[axis]
        if isinstance(dim, int):
            return dim
        if axis == 2 and len(dims) == 3 and not any(node.op in WINDOWS for node in self.graph.nodes):
            node = next(node for node in self.graph.nodes if node.op in RECURRENT)
            weights = self.values.get(node.inputs[1]) if len(node.inputs) > 1 else None
            if isinstance(weights, np.ndarray) and weights.ndim == 3:
                return int(weights.shape[2])
        return None

    # nodes

    def _node(self, node: Node) -> None:
        given = [self._value(name) if name else None for name in node.inputs]
        try:
            found = self._applied(node, given)
        except (ValueError, IndexError, OverflowError) as error:  # NumPy's, of constants that do not fit together
            raise UnusableInput(f"has constants that do not fit: {reason(error)}") from None
        results = found if isinstance(found, list) else [found]
        for name, item in zip(node.outputs, results, strict=False):
            if name:
                if name in self.values:
                    raise UnusableInput(f"makes '{printable(name)}', which there is already")
                self.values[name] = item

    def _value(self, name: str) -> Item:
        if name not in self.values:
            raise UnusableInput(f"reads '{printable(name)}', which nothing before it makes")
        return self.values[name]

    def _applied(self, node: Node, given: Items) -> Item | Sequence[Item]:
        if not any(isinstance(item, Seen) for item in given) and node.op not in ("Shape", "ConstantOfShape", "Expand"):
            spread = next((item for item in given if isinstance(item, Spread)), None)
            if spread is not None:
                return of_spread(node, spread, given)
            if node.op in FOLDED:
                return fold(node, [item if isinstance(item, np.ndarray) else None for item in given])
        if node.op not in KNOWN:
            raise Unsupported("is an operator that symgru does not read where it depends on the input")
        return KNOWN[node.op](self.builder, node, given)

    # outputs

    def _output(self, value: Value) -> Edge:
        """An output with the batch first, then the file's other axes in their order; an axis of one direction is left
        out."""
        with within(f"output '{printable(value.name)}'"):
            found = self.values.get(value.name)
            if not isinstance(found, Seen):
                missing = value.name not in self.values
                raise UnusableInput("is made by no node" if missing else "is a constant; symgru gives what is computed")
            return self.builder.arranged(found, [k for k in found.others if found.axes[k] != DIRECTION])

    def _held(self, value: Value) -> Held:
        """Where the file has the batch of an output, and its one direction."""
        found = self.values[value.name]
        assert isinstance(found, Seen)  # `_output` has refused any other
        return Held(found.batch, found.axes.index(DIRECTION) if DIRECTION in found.axes else None)

    def _notes(self) -> Iterator[str]:
        """What a user of the file should know: where its axes are, and its precision."""
        for put, batch in zip(self.inputs, self.batches, strict=True):
            if batch != 0:
                where = "has no batch axis" if batch is None else f"has the batch as axis {batch}"
                yield f"input {put.id} {where} in the file; symgru takes the batch first, then the other axes in order"
        for place, held in enumerate(map(self._held, self.graph.outputs), 1):
            if held != Held():
                where = "no batch axis" if held.batch is None else f"the batch as axis {held.batch}"
                dropped = ""
                if held.left_out is not None:
                    dropped = f"; axis {held.left_out}, the one direction, is left out"
                yield f"output {place} has {where} in the file; symgru gives the batch first{dropped}"
        if self.graph.low_precision:
            yield "the file holds 16-bit floats; symgru computes with them in float32"
