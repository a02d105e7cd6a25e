"""What a Keras configuration means, whether it stands in a file or comes from a live model.

Only what is known to leave the result alone is passed over; any other layer or option is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from symgru.errors import Unsupported, UnusableInput
from symgru.readers import conventions
from symgru.readers.assemble import MAX_LAYERS, named, within
from symgru.readers.checks import DTYPES, boolean, identifier, mapping, printable, whole

KINDS = {"GRU": "gru", "Dense": "dense"}
IDENTITIES = (  # in inference they hand on what they are given
    "Dropout",
    "SpatialDropout1D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "Identity",
)
HARMLESS = (  # without a mask zero_output_for_mask does nothing; stateful has its own note
    "name",
    "trainable",
    "dtype",
    "unroll",
    "dropout",
    "recurrent_dropout",
    "seed",
    "implementation",
    "stateful",
    "zero_output_for_mask",
)
TRAINING_ONLY = ("_initializer", "_regularizer", "_constraint")
CHANGING = {  # refused when true
    "go_backwards": "its sequence is read backwards",
    "return_state": "it has several outputs",
    "time_major": "its axes are (time, batch, features)",
}
Config = Mapping[str, object]


@dataclass(frozen=True)
class Planned:
    """A layer with weights, still without them. `folder` is its place in a Keras weights file."""

    kind: str
    label: str
    options: Mapping[str, object]
    folder: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A model as its configuration describes it; `features` and `steps` where the input layer fixes them."""

    name: str
    layers: tuple[Planned, ...]
    dtype: str
    features: int | None
    steps: int | None
    notes: tuple[str, ...]


def plan(config: object) -> Plan:
    """Read {"class_name": "Sequential" or "Functional", "config": {…}}: a plain chain of GRU and Dense layers."""
    outer = mapping(config, "the configuration")
    kind = _builtin(outer, "the model")
    if kind not in ("Sequential", "Functional", "Model"):
        raise Unsupported(f"the model is a {printable(kind)}; symgru reads Sequential models and plain chains")
    inner = mapping(outer.get("config"), "the model's configuration")
    listed = inner.get("layers")
    if not isinstance(listed, list | tuple):
        raise UnusableInput("the model's configuration has no list of layers")
    layers = [mapping(layer, "a layer's configuration") for layer in listed]
    if kind != "Sequential":
        _check_chain(inner, layers)
    return read_layers(layers, str(inner.get("name", "")))


def read_layers(layers: Sequence[Config], name: str = "") -> Plan:
    """The layers of a chain, in order."""
    if len(layers) > MAX_LAYERS:
        raise UnusableInput(f"has {len(layers)} layers; at most {MAX_LAYERS} are read")
    planned: list[Planned] = []
    dtypes: dict[str, str] = {}
    notes: list[str] = []
    features = steps = None
    entered = "float32"
    for k, layer in enumerate(layers):
        config = mapping(layer.get("config"), f"the configuration of layer {k + 1}")
        label = config.get("name")
        if not isinstance(label, str):
            raise UnusableInput(f"layer {k + 1} has no name")
        with within(named(label)):
            kind = _builtin(layer, "it")
            if kind == "InputLayer" and k == 0:
                steps, features, entered = _input(config)
            elif kind in IDENTITIES:
                notes.append(f"{named(label)} ({kind}) does nothing in inference and is left out")
            elif kind in KINDS:
                dtypes.setdefault(_dtype(config), label)
                same = sum(p.kind == KINDS[kind] for p in planned)
                planned.append(_layer(KINDS[kind], label, config, same))
            else:
                raise Unsupported(f"{printable(kind)} is not supported here; symgru reads GRU, Dense and Dropout")
    if len(dtypes) > 1:
        both = " and ".join(f"{dtype} in {named(label)}" for dtype, label in dtypes.items())
        raise Unsupported(f"the layers differ in dtype: {both}; symgru reads models of one dtype")
    dtype = next(iter(dtypes), "float32")
    if features is not None and (dtype, entered) == ("float64", "float32"):
        notes.append("the input layer is float32: Keras rounds the inputs before the float64 layers, symgru does not")
    return Plan(name, tuple(planned), dtype, features, steps, tuple(notes))


def _builtin(layer: Config, what: str) -> str:
    """The class name, of Keras' own classes only: another package's GRU may compute anything."""
    kind = layer.get("class_name")
    if not isinstance(kind, str):
        raise UnusableInput(f"{what} has no class_name")
    module, registered = layer.get("module", "keras"), layer.get("registered_name")
    if not isinstance(module, str) or module.split(".")[0] != "keras" or registered not in (None, kind):
        raise Unsupported(f"{what} is of a custom class, {printable(kind)}; symgru reads Keras' own layers")
    return kind


def _input(config: Config) -> tuple[int | None, int, str]:
    """Steps, features and dtype of an InputLayer."""
    shape = config.get("batch_shape")
    if not isinstance(shape, list | tuple) or len(shape) != 3:
        raise Unsupported(f"its shape is {printable(shape)}; it must be (batch, time, features)")
    dtype = config.get("dtype", "float32")
    if dtype not in DTYPES or config.get("sparse") or config.get("ragged"):
        raise Unsupported(f"its inputs are {printable(dtype)}, sparse or ragged; dense float32 or float64 are needed")
    steps = None if shape[1] is None else whole(shape[1], "its number of time steps", 2**31)
    return steps, whole(shape[2], "its number of features"), str(dtype)


def _layer(kind: str, label: str, config: Config, same: int) -> Planned:
    """A GRU or Dense layer; `same` layers of its class came before it."""
    known = conventions.OPTIONS[kind]
    for key, value in config.items():
        if key in CHANGING and boolean(value, key):
            raise Unsupported(f"{key}=True is not supported here: {CHANGING[key]}")
        passed = key in known or key in HARMLESS or key in CHANGING or key.endswith(TRAINING_ONLY)
        if not passed and value not in (None, False):
            raise Unsupported(f"the option {printable(key)}={printable(repr(value), 30)} is not known to symgru")
    options = {key: config[key] for key in known if key in config}
    if "units" not in options:
        raise UnusableInput("its configuration has no units")
    whole(options["units"], "units")
    options.setdefault("use_bias", True)
    for key in ("use_bias", "reset_after", "return_sequences"):
        if key in options or kind == "gru":
            options[key] = boolean(options.get(key, key != "return_sequences"), key)
    for key in ("activation", "recurrent_activation"):
        if key in options:
            options[key] = _activation(options[key], key)
    notes: tuple[str, ...] = ()
    if boolean(config.get("stateful", False), "stateful"):
        notes = ("stateful in Keras, which keeps its state from call to call; here each evaluation starts from 0",)
    folder = f"{kind}_{same}" if same else kind
    return Planned(kind, label, options, folder, notes)


def _activation(value: object, what: str) -> str:
    """A name, or Keras' serialised form of one of its own functions."""
    if isinstance(value, Mapping):
        own = value.get("module") in (None, "builtins", "keras.activations")
        name = value.get("config")
        plain = isinstance(name, str) and value.get("registered_name") in (None, "function", name)
        if value.get("class_name") != "function" or not (own and plain and str(name).isidentifier()):
            raise Unsupported(f"{what} is a custom object, {printable(repr(dict(value)))}; a Keras name is needed")
        return identifier(name, what)
    return conventions.activation(value, what)


def _dtype(config: Config) -> str:
    """The layer's dtype policy: float32 or float64 for variables and computation alike."""
    value = config.get("dtype")
    if isinstance(value, Mapping):
        inner = value.get("config")
        plain = value.get("class_name") in ("DTypePolicy", "Policy") and isinstance(inner, Mapping)
        value = inner.get("name") if plain and isinstance(inner, Mapping) else value.get("class_name")
    if value is None:
        return "float32"
    if value not in DTYPES:
        raise Unsupported(f"its dtype policy is {printable(value)}; symgru reads float32 and float64")
    return str(value)


def _check_chain(config: Config, layers: Sequence[Config]) -> None:
    """Refuse a functional model in which a layer does not feed exactly the next one."""
    names = [mapping(layer.get("config"), "a layer's configuration").get("name") for layer in layers]
    for key, name in (("input_layers", names[:1]), ("output_layers", names[-1:])):
        ends = config.get(key)
        if isinstance(ends, list | tuple) and len(ends) == 1:
            ends = ends[0]  # [[name, 0, 0]] for a model whose inputs were given as a list
        if not isinstance(ends, list | tuple) or list(ends) != [*name, 0, 0]:
            raise Unsupported(f"the model's {key} are not the one end of a plain chain of layers")
    for k, layer in enumerate(layers):
        with within(named(names[k])):
            if _feeds(layer) != ([names[k - 1]] if k else []):
                raise Unsupported("is not fed by the layer before it alone; symgru reads plain chains of layers")


def _feeds(layer: Config) -> list[object]:
    """The layers whose outputs a layer is called on."""
    nodes = layer.get("inbound_nodes")
    if nodes == []:
        return []
    try:
        (node,) = cast(Any, nodes)
        (argument,) = node["args"]
        given = {key for key, value in node.get("kwargs", {}).items() if value is not None} - {"training"}
        source, node_index, tensor_index = argument["config"]["keras_history"]
    except (TypeError, ValueError, KeyError, AttributeError):
        raise Unsupported("is called more than once, or on other than one tensor") from None
    if given or (node_index, tensor_index) != (0, 0):
        raise Unsupported(f"is called with {printable(', '.join(sorted(map(str, given))) or 'a second output')}")
    return [source]
