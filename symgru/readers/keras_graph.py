"""A Keras model's configuration as a Network: which layer is called on what, in which order.

keras/src/models/functional.py: a layer's inbound_nodes are its calls; each names the tensors that it takes by layer,
call and output. Masks and initial states are keywords of a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Network, Shape
from symgru.readers.assemble import named, within
from symgru.readers.checks import DTYPES, mapping, printable, whole
from symgru.readers.keras_config import Config, class_of, config_of, dtype_of, name_of
from symgru.readers.keras_layers import call as call_layer
from symgru.readers.keras_layers.values import Builder, Entry, Given, Outputs, Value, check_count
from symgru.readers.keras_weights import Counter, Place, Weights

MODELS = ("Sequential", "Functional", "Model")
INDICES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool")
READS_INDICES = ("embed", "not_zero", "not_equal", "differs")  # maps that take whole numbers as they are
MAX_DEPTH = 20  # of models and wrappers inside each other
HALF = "the input layer is float32: Keras rounds the inputs before the float64 layers, symgru does not"


def build(config: object, weights: Weights, *, version: int = 3, name: str = "", origin: str = "") -> Network:
    """The network of {"class_name": "Sequential" or "Functional", "config": {…}} as Keras 3 writes it.

    `version` 2 is for what Keras 2 and tf_keras computed under the same names: their hard_sigmoid, and masks that hold
    with an initial state too. Raises Unsupported for a layer, an option or a wiring that symgru has no rule for, and
    UnusableInput for a configuration or weights that do not fit together.
    """
    outer = mapping(config, "the configuration")
    kind = class_of(outer, "the model")
    if kind not in MODELS:
        raise Unsupported(f"the model is a {printable(kind)}; symgru reads Sequential and functional models")
    inner = config_of(outer, "the model's configuration")
    dtypes = list(dict.fromkeys(_dtypes(outer, 0)))
    builder = Builder(weights, version, dtypes[0] if len(dtypes) == 1 else "float32")
    entry = Entry(builder, Place((), "", kind), kind, inner, ())
    outputs = _model(entry).run(None)
    if builder.dtype == "float64" and any(value.dtype == "float32" for value in builder.entered):
        builder.notes.append(HALF)
    _check_indices(builder)
    return builder.network(outputs, name or str(inner.get("name", "")), origin)


def _dtypes(layer: Config, depth: int) -> Iterator[str]:
    """The precisions of the layers that have weights, or may have."""
    config = layer.get("config")
    if not isinstance(config, Mapping) or depth > 20:
        return
    inside = [config.get(name) for name in ("layer", "backward_layer", "cell")]
    inside += [each for name in ("layers", "cells") for each in _list(config.get(name))]
    found = [each for each in inside if isinstance(each, Mapping)]
    for each in found:
        yield from _dtypes(each, depth + 1)
    if not found and layer.get("class_name") in WEIGHTED:
        label = config.get("name")
        with within(named(label)):
            yield dtype_of(config)


WEIGHTED = (
    "GRU",
    "CuDNNGRU",
    "GRUCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "Dense",
    "Conv1D",
    "Embedding",
    "BatchNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "PReLU",
)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _check_indices(builder: Builder) -> None:
    """Whole numbers go into tables and masks alone: what Keras makes of them elsewhere depends on its backend.

    What goes into tables alone is whole numbers, whatever the InputLayer says.
    """
    indices = {put.id for put in builder.inputs if put.whole}
    readers: dict[str, set[str]] = {}
    for call in builder.calls.values():
        for edge in [e for e in (*call.args, *call.initial) if e.port == "input"]:
            readers.setdefault(edge.source, set()).add(builder.layers[call.layer].kind)
    tables = {name for name, kinds in readers.items() if "embed" in kinds and kinds <= set(READS_INDICES)}
    builder.inputs = [replace(put, whole=put.whole or put.id in tables) for put in builder.inputs]
    for call in builder.calls.values():
        kind = builder.layers[call.layer].kind
        if kind not in READS_INDICES and any(e.source in indices and e.port == "input" for e in call.args):
            label = next(put.label for put in builder.inputs if put.id in {e.source for e in call.args})
            raise Unsupported(
                f"{named(label)}: its inputs are whole numbers, which go to {named(builder.layers[call.layer].label)}; "
                "float32 or float64 are needed there"
            )


def call(entry: Entry, given: Given) -> Outputs:
    """A model inside a model. Its masks are those of its own layers: a functional model hands none on."""
    inputs = given.inputs
    if given.mask is not None and len(inputs) == 1:
        inputs = (replace(inputs[0], mask=given.mask),)
    return _model(entry).run(inputs)


def _model(entry: Entry) -> Model:
    if "model" not in entry.children:
        entry.children["model"] = Model(entry)
    found: Model = entry.children["model"]
    return found


@dataclass(frozen=True)
class Tensor:
    """A tensor by its name in a configuration: layer, call, output."""

    layer: str
    node: int
    output: int


@dataclass(frozen=True)
class Node:
    """A call of a layer: its tensors, what stands beside them, and what is no tensor."""

    inputs: tuple[Tensor, ...]
    masks: tuple[Tensor | None, ...] = ()
    initial: tuple[Tensor, ...] = ()
    rest: tuple[object, ...] = ()

    @property
    def needs(self) -> tuple[Tensor, ...]:
        return (*self.inputs, *(mask for mask in self.masks if mask), *self.initial)


@dataclass
class Model:
    """A Sequential or functional model that has been read, to be called as often as it is used."""

    entry: Entry
    layers: dict[str, Entry] = field(default_factory=dict)
    nodes: dict[str, list[Node]] = field(default_factory=dict)
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.entry.place.names) > MAX_DEPTH:
            raise Unsupported(f"has models inside models more than {MAX_DEPTH} deep")
        listed = self.entry.config.get("layers")
        if not isinstance(listed, list | tuple):
            raise UnusableInput("the model's configuration has no list of layers")
        check_count(listed)
        if not listed:
            raise UnusableInput("there is no layer with weights; a GRU is needed")
        sequential = self.entry.kind == "Sequential"
        counter = Counter()
        for k, layer in enumerate(listed):
            self._add(k, mapping(layer, "a layer's configuration"), counter, sequential)
        if sequential:
            self._chain()
            return
        self.inputs = [self._found(t) for t in _ends(self.entry.config.get("input_layers"), "input_layers")]
        self.outputs = [self._found(t) for t in _ends(self.entry.config.get("output_layers"), "output_layers")]
        for tensor in self.inputs:
            if self.layers[tensor.layer].kind != "InputLayer":
                raise Unsupported(f"{named(tensor.layer)}: is an input of the model, but no InputLayer")

    def _add(self, k: int, layer: Config, counter: Counter, sequential: bool) -> None:
        config = config_of(layer, f"the configuration of layer {k + 1}")
        label = name_of(config if "name" in config or sequential else layer, f"layer {k + 1}")
        if label in self.layers:
            raise UnusableInput(f"two layers of the list have the same name, {printable(label)}")
        with within(named(label)):
            kind = class_of(layer, "it")
            if sequential and kind == "InputLayer" and k:
                raise Unsupported("InputLayer is not supported here; symgru reads it as a model's first layer")
            # operations have no folder; the tree of a Sequential model leaves its InputLayer out
            folder = (
                "" if kind.startswith("ops.") else f"layers/{counter.folder('Functional' if kind == 'Model' else kind)}"
            )
            child = self.entry.child(kind, config, folder or f"ops/{k}", label)
            child.order = (*self.entry.order, k)
            self.layers[label] = child
            self.nodes[label] = [] if sequential else [_node(node, kind) for node in _nodes(layer)]

    def _chain(self) -> None:
        """A Sequential model: each layer takes what the one before gives."""
        names = list(self.layers)
        if self.layers[names[0]].kind == "InputLayer":
            names = names[1:]
            self.inputs = [Tensor(next(iter(self.layers)), 0, 0)]
        else:
            self.inputs = [Tensor("", 0, 0)]
        before = self.inputs[0]
        for name in names:
            self.nodes[name] = [Node((before,))]
            before = Tensor(name, 0, 0)
        self.outputs = [before]

    def _found(self, tensor: Tensor) -> Tensor:
        if tensor.layer not in self.layers:
            raise UnusableInput(f"the model names a layer {printable(tensor.layer)}, which it does not have")
        shift = self.layers[tensor.layer].kind in ("Functional", "Model")  # they count a call of their own
        return replace(tensor, node=tensor.node - shift)

    def run(self, given: Sequence[Value] | None) -> Outputs:
        """The model's outputs for these inputs; None where they are the network's own."""
        if given is not None and len(given) != len(self.inputs):
            raise Unsupported(f"is called on {len(given)} tensors; it has {len(self.inputs)} inputs")
        values: dict[tuple[str, int], Outputs] = {}
        for k, tensor in enumerate(self.inputs):
            value = self._enter(tensor) if given is None else self._entered(tensor, given[k])
            values[tensor.layer, tensor.node] = (value,)
        self._calls(values)
        return tuple(self._value(values, tensor) for tensor in self.outputs)

    def _calls(self, values: dict[tuple[str, int], Outputs]) -> None:
        """Call what can be called until all is: a layer may be used before and after another one."""
        left = {name: 0 for name, nodes in self.nodes.items() if nodes}
        while left:
            before = dict(left)
            for name in list(left):
                nodes = self.nodes[name]
                while left[name] < len(nodes) and self._ready(values, nodes[left[name]]):
                    with self._placed(name):
                        values[name, left[name]] = self._call(values, name, nodes[left[name]])
                    left[name] += 1
                if left[name] == len(nodes):
                    del left[name]
            if left == before:
                raise UnusableInput(f"{named(next(iter(left)))}: is called on a tensor that no layer gives")

    @contextmanager
    def _placed(self, name: str) -> Iterator[None]:
        """Messages name a layer with the models around it; a model adds nothing to what its layers say."""
        entry = self.layers[name]
        if entry.kind in MODELS:
            yield
            return
        with within(named("/".join(entry.place.names))):
            yield

    def _ready(self, values: dict[tuple[str, int], Outputs], node: Node) -> bool:
        return all((tensor.layer, tensor.node) in values for tensor in node.needs)

    def _call(self, values: dict[tuple[str, int], Outputs], name: str, node: Node) -> Outputs:
        inputs = tuple(self._value(values, tensor) for tensor in node.inputs)
        initial = tuple(self._value(values, tensor) for tensor in node.initial)
        masks = [self._mask(values, tensor) for tensor in node.masks]
        if len(masks) > 1:  # of a model that is called on several tensors
            inputs = tuple(replace(x, mask=mask or x.mask) for x, mask in zip(inputs, masks, strict=True))
            masks = []
        return call_layer(self.layers[name], Given(inputs, masks[0] if masks else None, initial, node.rest))

    def _mask(self, values: dict[tuple[str, int], Outputs], tensor: Tensor | None) -> Value | None:
        """A mask that is given with the call, as truth values."""
        mask = self._value(values, tensor) if tensor else None
        if mask is None or mask.dtype == "bool":
            return mask
        return self.entry.builder.map("not_zero", {}, mask)

    def _value(self, values: dict[tuple[str, int], Outputs], tensor: Tensor) -> Value:
        found = values.get((tensor.layer, tensor.node), ())
        if not 0 <= tensor.output < len(found):
            raise UnusableInput(f"the model reads output {tensor.output} of {printable(tensor.layer)}, which it lacks")
        return found[tensor.output]

    def _enter(self, tensor: Tensor) -> Value:
        """An input of the network."""
        if tensor.layer:
            layer = self.layers[tensor.layer]
            with within(named(tensor.layer)):
                shape, dtype = _input(layer.config)
        else:
            shape, dtype = _unknown(next(iter(self.layers.values())))
        builder = self.entry.builder
        edge = builder.input(tensor.layer, shape, dtype == "int", len(self.inputs) == 1)
        builder.entered.append(Value(edge, shape, dtype))
        builder.shown[edge] = Value(edge, shape, builder.dtype if dtype in DTYPES else dtype)
        return builder.shown[edge]

    def _entered(self, tensor: Tensor, value: Value) -> Value:
        """An input of a model inside the model: in the precision of its InputLayer."""
        if not tensor.layer:
            return value
        shape, _ = _input(self.layers[tensor.layer].config)
        if len(shape) != len(value.shape):
            raise Unsupported(f"is called on {value.rank} axes; its input has {len(shape) + 1}")
        return value


def _unknown(first: Entry) -> tuple[Shape, str]:
    """The input of a Sequential model without an InputLayer: Keras 2 has its shape in the first layer."""
    given = first.config.get("batch_input_shape")
    if isinstance(given, list | tuple):
        return _shape(given), "float32"
    return (None, None), "float32"


def _input(config: Config) -> tuple[Shape, str]:
    """Shape and dtype ("float32", "float64" or "int") of an InputLayer."""
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    dtype = config.get("dtype", "float32")
    if isinstance(dtype, Mapping):
        dtype = dtype_of({"dtype": dtype})
    if not isinstance(dtype, str) or dtype not in (*DTYPES, *INDICES) or config.get("sparse") or config.get("ragged"):
        raise Unsupported(f"its inputs are {printable(dtype)}, sparse or ragged; dense float32 or float64 are needed")
    return _shape(shape), "int" if dtype in INDICES else dtype


def _shape(shape: object) -> Shape:
    if not isinstance(shape, list | tuple) or not 2 <= len(shape) <= 8:
        raise Unsupported(f"its shape is {printable(shape)}; it must be (batch, time, features) or the like")
    names = ("its number of time steps", *("its number of features",) * 7)
    if len(shape) > 2 and shape[-1] is None:
        raise Unsupported(f"its shape is {printable(shape)}; its number of features must be fixed")
    sizes = zip(shape[1:], names, strict=False)
    return tuple(
        None if n is None else whole(n, name, 2**31 if k == 0 else 65_536) for k, (n, name) in enumerate(sizes)
    )


def _ends(value: object, what: str) -> list[Tensor]:
    """The tensors in a nested structure of [layer, call, output]; the entries of a dict in the order of their keys."""
    if isinstance(value, list | tuple) and len(value) == 3 and isinstance(value[0], str):
        return [_tensor(value)]
    if isinstance(value, Mapping):
        return [tensor for key in sorted(value) for tensor in _ends(value[key], what)]
    if isinstance(value, list | tuple) and value:
        return [tensor for each in value for tensor in _ends(each, what)]
    raise UnusableInput(f"the model's {what} are {printable(repr(value), 30)}; tensors of its layers are needed")


def _tensor(history: object) -> Tensor:
    if isinstance(history, list | tuple) and len(history) == 3:
        layer, node, output = history
        if isinstance(layer, str) and all(isinstance(n, int) and not isinstance(n, bool) for n in (node, output)):
            return Tensor(layer, node, output)
    raise UnusableInput(f"names a tensor {printable(repr(history), 30)}; [layer, call, output] is needed")


def _nodes(layer: Config) -> list[Mapping[str, object]]:
    nodes = layer.get("inbound_nodes", [])
    if not isinstance(nodes, list | tuple):
        raise UnusableInput("its inbound_nodes must be a list")
    return [mapping(node, "a call of it") for node in nodes]


def _node(node: Mapping[str, object], kind: str) -> Node:
    """A call as Keras 3 writes it: {"args": […], "kwargs": {…}}. Behind the first argument, recurrent layers take
    initial states and a mask by place too."""
    args, beside = _list(node.get("args")), dict(mapping(node.get("kwargs", {}), "its keywords"))
    if kind.startswith("ops."):
        return _operation(args, beside)
    names = [name for name in FIRST if beside.get(name) is not None]
    if bool(args) == bool(names) or len(names) > 1:
        raise Unsupported("is called on no tensor, or on several that have names")
    first = args[0] if args else beside.pop(names[0])
    for name, value in zip(BY_PLACE, args[1:], strict=False):
        if value is not None and beside.setdefault(name, value) != value:
            raise Unsupported(f"is called with {name} twice")
    for key, value in beside.items():
        if key not in BY_PLACE and value is not None:
            raise Unsupported(f"is called with {printable(key)}={printable(repr(value), 30)}")
    inputs, initial = tuple(_flat(first)), tuple(_flat(beside.get("initial_state")))
    return Node(inputs, _masks(beside.get("mask"), len(inputs)), initial)


FIRST = ("sequences", "inputs", "x")  # what the first argument is called where it is given by name
BY_PLACE = ("initial_state", "mask", "training")  # the arguments behind it


def _masks(given: object, inputs: int) -> tuple[Tensor | None, ...]:
    """The masks that a call is given: none, one, or one for each tensor, None among them."""
    listed = given if isinstance(given, list | tuple) else [given]
    found = [None if mask is None else next(_flat(mask), None) for mask in listed]
    if any(tensor is None and mask is not None for tensor, mask in zip(found, listed, strict=True)):
        raise Unsupported("is called with a mask that is no tensor")
    if not any(found):
        return ()
    if len(found) not in (1, inputs):
        raise Unsupported(f"is called with {len(found)} masks for {inputs} tensors")
    return tuple(found)


def _operation(args: Sequence[object], beside: Mapping[str, object]) -> Node:
    """A call of an operation: its tensors in order, and what else it is given."""
    both = [each for each in (*args, *beside.values()) if each is not None]
    found = [list(_flat(each)) if _holds_tensors(each) else [] for each in both]
    rest = tuple(each for each, tensors in zip(both, found, strict=True) if not tensors)
    return Node(tuple(tensor for tensors in found for tensor in tensors), rest=rest)


def _is_tensor(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


def _holds_tensors(value: object) -> bool:
    return _is_tensor(value) or (isinstance(value, list | tuple) and any(map(_holds_tensors, value)))


def _flat(value: object) -> Iterator[Tensor]:
    """The tensors in an argument, in order; dicts by their keys. Anything else among them is refused."""
    if value is None:
        return
    if _is_tensor(value):
        config = mapping(mapping(value, "a tensor").get("config"), "a tensor")
        yield _tensor(config.get("keras_history"))
    elif isinstance(value, Mapping) and value.get("class_name") in ("__tuple__", "__list__"):
        yield from _flat(value.get("items"))
    elif isinstance(value, Mapping) and "class_name" not in value:
        for key in sorted(value):
            yield from _flat(value[key])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)
    else:
        raise Unsupported(f"is called with {printable(repr(value), 30)}, where a tensor of the model is needed")
