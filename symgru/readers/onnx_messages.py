"""What an ONNX file holds, of that which is needed: nodes, attributes, initializers, inputs, outputs, operator sets.

Field numbers are those of onnx/onnx.proto. A graph's nodes are listed in an order in which they can be computed: the
standard asks for it, and a cycle cannot be listed so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array
from symgru.readers.assemble import within
from symgru.readers.checks import printable
from symgru.readers.onnx_tensors import TENSOR, Folder, array, dtype_of
from symgru.readers.protobuf import Message, parse

MODEL = {2: "producer_name", 7: "graph", 8: "opset_import", 25: "functions"}
OPSET = {1: "domain", 2: "version"}
GRAPH = {1: "node", 2: "name", 5: "initializer", 11: "input", 12: "output", 15: "sparse_initializer"}
NODE = {1: "input", 2: "output", 3: "name", 4: "op_type", 5: "attribute", 7: "domain"}
ATTRIBUTE = {
    1: "name",
    2: "f",
    3: "i",
    4: "s",
    5: "t",
    6: "g",
    7: "floats",
    8: "ints",
    9: "strings",
    20: "type",
    21: "ref_attr_name",
}
VALUE_INFO = {1: "name", 2: "type"}
TYPE = {1: "tensor_type"}
TENSOR_TYPE = {1: "elem_type", 2: "shape"}
SHAPE = {1: "dim"}
DIM = {1: "dim_value", 2: "dim_param"}

STANDARD = ("", "ai.onnx")  # the domains of ONNX' own operators
MAX_NODES = 10_000
MAX_RANK = 8
MAX_DIM = 2**31
OLDEST, NEWEST = 7, 28  # versions of the operator set

Attribute = int | float | str | list[int] | list[float] | list[str] | Array
Dim = int | str | None  # a length, a name for one that is free, or nothing


@dataclass(frozen=True)
class Node:
    """One use of an operator; an input or output that is left out has the name ""."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    version: int

    def output(self, place: int) -> str:
        return self.outputs[place] if place < len(self.outputs) else ""

    def integer(self, name: str, otherwise: int) -> int:
        found = self.attributes.get(name, otherwise)
        if not isinstance(found, int):
            raise UnusableInput(f"{name} should be a whole number")
        return found

    def number(self, name: str, otherwise: float) -> float:
        found = self.attributes.get(name, otherwise)
        if not isinstance(found, int | float):
            raise UnusableInput(f"{name} should be a number")
        return float(found)

    def text(self, name: str, otherwise: str) -> str:
        found = self.attributes.get(name, otherwise)
        if not isinstance(found, str):
            raise UnusableInput(f"{name} should be a text")
        return found

    def integers(self, name: str) -> list[int] | None:
        """A list of whole numbers, None where it is absent."""
        found = self.attributes.get(name)
        if found is not None and not (isinstance(found, list) and all(isinstance(v, int) for v in found)):
            raise UnusableInput(f"{name} should be a list of whole numbers")
        return found  # type: ignore[return-value]

    def numbers(self, name: str) -> list[float]:
        found = self.attributes.get(name, [])
        if not isinstance(found, list) or any(isinstance(v, str) for v in found):
            raise UnusableInput(f"{name} should be a list of numbers")
        return [float(v) for v in found]

    def texts(self, name: str) -> list[str]:
        found = self.attributes.get(name, [])
        if not isinstance(found, list) or not all(isinstance(v, str) for v in found):
            raise UnusableInput(f"{name} should be a list of texts")
        return [str(v) for v in found]


@dataclass(frozen=True)
class Value:
    """What the file says of an input or output; `dims` is None where it gives no shape."""

    name: str
    dtype: str
    dims: tuple[Dim, ...] | None


@dataclass(frozen=True)
class Graph:
    """The graph of a model: `constants` are its initializers, `inputs` those that are to be given."""

    nodes: Sequence[Node]
    constants: Mapping[str, Array]
    inputs: Sequence[Value]
    outputs: Sequence[Value]
    version: int
    producer: str = ""
    low_precision: bool = False
    taken: set[str] = field(default_factory=set)


def read_model(content: memoryview, folder: Folder) -> Graph:
    """The graph in a file's bytes; `folder` is where external data may lie."""
    model = parse(content, MODEL)
    if "graph" not in model:
        raise UnusableInput("holds no graph; is it an ONNX model?")
    version = _version(model)
    graph = model.message("graph", GRAPH)
    if "sparse_initializer" in graph:
        raise Unsupported("holds sparse initializers; save the model with dense ones")
    if len(graph.contents("node")) > MAX_NODES:
        raise Unsupported(f"has {len(graph.contents('node'))} nodes; at most {MAX_NODES} are read")
    constants, low = _initializers(graph, folder)
    nodes = [_node(message, k, version, folder) for k, message in enumerate(graph.messages("node", NODE))]
    given = [value for value in map(_value, graph.messages("input", VALUE_INFO)) if value.name not in constants]
    outputs = [_value(message) for message in graph.messages("output", VALUE_INFO)]
    return Graph(nodes, constants, given, outputs, version, printable(model.text("producer_name"), 40), low)


def _version(model: Message) -> int:
    imports = {m.text("domain"): m.integer("version") for m in model.messages("opset_import", OPSET)}
    version = next((imports[domain] for domain in STANDARD if domain in imports), 1)
    if not OLDEST <= version <= NEWEST:
        raise Unsupported(
            f"uses version {version} of ONNX' operators; symgru reads {OLDEST} to {NEWEST}: "
            "onnx.version_converter changes a model's version"
        )
    return version


def _initializers(graph: Message, folder: Folder) -> tuple[dict[str, Array], bool]:
    found: dict[str, Array] = {}
    low = False
    for message in graph.messages("initializer", TENSOR):
        name = message.text("name")
        with within(f"initializer '{printable(name)}'"):
            found[name] = array(message, folder)
            low |= dtype_of(message) in ("float16", "bfloat16")
    return found, low


def label_of(op: str, name: str, place: int) -> str:
    """A node as messages name it."""
    return f"node {printable(name) or place + 1} ({printable(op, 30)})"


def _node(message: Message, place: int, version: int, folder: Folder) -> Node:
    op, name, domain = message.text("op_type"), message.text("name"), message.text("domain")
    with within(label_of(op, name, place)):
        if domain not in STANDARD:
            raise Unsupported(f"is of the domain {printable(domain)}; symgru reads ONNX' own operators")
        attributes = dict(_attribute(each, folder) for each in message.messages("attribute", ATTRIBUTE))
        return Node(op, name, tuple(message.texts("input")), tuple(message.texts("output")), attributes, version)


def _attribute(message: Message, folder: Folder) -> tuple[str, Attribute]:
    """An attribute by what its type says (1 float, 2 int, 3 string, 4 tensor, 6 to 8 lists of the first three)."""
    name, kind = message.text("name"), message.integer("type")
    with within(f"attribute {printable(name, 30)}"):
        if "ref_attr_name" in message:
            raise Unsupported("belongs to a function; inline the model's functions (onnx.inliner)")
        if kind == 0:  # files older than the field
            kind = next((k for k, field_name in KINDS.items() if field_name in message), 0)
        return name, _content(message, kind, folder)


KINDS = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings"}


def _content(message: Message, kind: int, folder: Folder) -> Attribute:
    if kind == 1:
        numbers = message.floats("f")
        return float(numbers[-1]) if len(numbers) else 0.0
    if kind == 2:
        return message.integer("i")
    if kind == 3:
        return message.text("s")
    if kind == 4:
        return array(message.message("t", TENSOR), folder)
    if kind == 6:
        return [float(v) for v in message.floats("floats")]
    if kind == 7:
        return message.integers("ints")
    if kind == 8:
        return message.texts("strings")
    return f"type {kind}"  # a graph: the operator that has one is refused by its name


def _value(message: Message) -> Value:
    name = message.text("name")
    with within(f"value '{printable(name)}'"):
        tensor = message.message("type", TYPE).message("tensor_type", TENSOR_TYPE)
        dims = None
        if "shape" in tensor:
            found = tensor.message("shape", SHAPE).messages("dim", DIM)
            if len(found) > MAX_RANK:
                raise UnusableInput(f"has {len(found)} axes; at most {MAX_RANK} are read")
            dims = tuple(map(_dim, found))
        return Value(name, dtype_of(tensor, "elem_type"), dims)


def _dim(message: Message) -> Dim:
    if "dim_value" in message:
        size = message.integer("dim_value")
        if not 0 <= size < MAX_DIM:
            raise UnusableInput(f"has an axis of length {size}")
        return size or None  # 0 is what some exporters write for a free axis
    return message.text("dim_param") or None
