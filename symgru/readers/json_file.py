"""symgru's own format: layers with options and weights as a person would type them (examples/seed.json).

    {"name": "seed", "dtype": "float32", "layers": [{"kind": "gru", "name": "gru",
      "options": {"reset_after": true, "activation": "tanh"}, "weights": [kernel, recurrent_kernel, bias]}]}

Weights in a list are Keras' arrays in get_weights() order; weights by name are canonical, one (units, features)
matrix for each gate, and serve every cell: {"kind": "mgu", "options": {…}, "weights": {"W_f": [[…]], …}}.
{"weights": [arrays of the whole model], "options": {…}} is the form without layers.

Weights in another framework's arrays are by its names, and a convention says whose they are:
{"convention": "torch", "weights": {"weight_ih": [[…]], …}}, for the whole model or for one of the layers. A file of
RTNeural is read as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from symgru.errors import UnusableInput
from symgru.network import Network, Tensor
from symgru.readers import arrays, conventions, named_arrays, rtneural
from symgru.readers.assemble import Spec, keras_layer, named, network, within
from symgru.readers.checks import dtype_name, identifier, mapping, only, printable, whole
from symgru.readers.decimals import canonical, plain, tensor

TOLERATED = ("name", "dtype", "input", "story", "note")
LAYER = ("kind", "name", "options", "weights", "note", "convention")


def parse(text: str, *, typed: bool = True) -> Any:
    """JSON without NaN, repeated names or endless nesting; `typed` keeps each number's text."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise UnusableInput("an object in the JSON has the same name twice")
        return found

    def constant(word: str) -> NoReturn:
        raise UnusableInput(f"{word} is in the JSON; every number must be finite")

    hooks: dict[str, Any] = {"parse_float": canonical, "parse_int": canonical} if typed else {}
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant, **hooks)
    except json.JSONDecodeError as error:
        raise UnusableInput(f"is not JSON: {error.msg} in line {error.lineno}") from None
    except RecursionError:
        raise UnusableInput("the JSON is nested too deep") from None
    except ValueError:  # an integer of thousands of digits
        raise UnusableInput("a number in the JSON is too long") from None


def from_object(data: object, name: str, origin: str, architecture: Mapping[str, object] | None) -> Network:
    """The network that parsed JSON describes. `architecture` is for the form without layers, or a bare list."""
    if isinstance(data, list):
        return arrays.from_arrays(data, architecture, name=name, origin=origin)
    top = mapping(data, "the model")
    if rtneural.is_model(top):
        if architecture is not None:
            raise UnusableInput("the file has its own layers; an architecture is for bare arrays")
        return rtneural.from_object(top, name, origin)
    if "layers" not in top and isinstance(top.get("weights"), Mapping):
        return _by_framework(top, name, origin, architecture)
    if "layers" not in top and "weights" in top:
        return _bare(top, name, origin, architecture)
    only(top, ("layers", *TOLERATED), "the model")
    if architecture is not None:
        raise UnusableInput("the file has its own layers; an architecture is for bare arrays")
    layers = top.get("layers")
    if not isinstance(layers, list | tuple):
        raise UnusableInput("the model needs 'layers', a list, or 'weights', the list that get_weights() gives")
    dtype = dtype_name(top.get("dtype", "float32"))
    specs = [_layer(layer, k, dtype) for k, layer in enumerate(layers)]
    own = (isinstance(layer["weights"], Mapping) and "convention" not in layer for layer in layers)
    named_ones = (s for s, by_name in zip(specs, own, strict=True) if by_name)
    notes = tuple(
        f"{named(s.label)}: weights by name have a row for each unit: U[i][k] leads from unit k to unit i, the other "
        "way round than Keras' recurrent_kernel"
        for s in named_ones
        if s.recurrent and s.units > 1
    )
    return network(specs, dtype=dtype, name=name, origin=origin, notes=notes)


def _bare(top: Mapping[str, object], name: str, origin: str, architecture: Mapping[str, object] | None) -> Network:
    only(top, ("weights", "options", *TOLERATED), "the model")
    weights = top["weights"]
    if not isinstance(weights, list | tuple):
        raise UnusableInput("'weights' must be the list of arrays that get_weights() gives")
    options = {"dtype": top["dtype"]} if "dtype" in top else {}
    options |= mapping(plain(top.get("options", {})), "'options'")
    return arrays.from_arrays(weights, {**options, **(architecture or {})}, name=name, origin=origin)


def _by_framework(
    top: Mapping[str, object], name: str, origin: str, architecture: Mapping[str, object] | None
) -> Network:
    """Arrays of the whole model by their framework's names."""
    only(top, ("weights", "convention", "options", *TOLERATED), "the model")
    asked = {key: plain(top[key]) for key in ("dtype", "convention") if key in top}
    asked |= mapping(plain(top.get("options", {})), "'options'")
    weights = mapping(top["weights"], "'weights'")
    return named_arrays.from_named(weights, {**asked, **(architecture or {})}, name=name, origin=origin)


def _layer(data: object, k: int, dtype: str) -> Spec:
    entry = mapping(data, f"layer {k + 1}")
    only(entry, LAYER, f"layer {k + 1}")
    kind = entry.get("kind")
    label = plain(entry.get("name", kind if kind is not None else "gru"))
    if "convention" in entry:
        return _converted(entry, label, dtype)
    with within(named(label)):
        if not isinstance(kind, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", kind):
            raise UnusableInput(f"kind is {printable(repr(kind))}; it must be a cell's name such as 'gru' or 'dense'")
        if not isinstance(label, str):
            raise UnusableInput("its name must be text")
        options = mapping(plain(entry.get("options", {})), "options")
        weights = entry.get("weights")
    if isinstance(weights, Mapping):
        with within(named(label)):
            return _by_name(kind, label, options, weights, dtype)
    if not isinstance(weights, list | tuple) or kind not in conventions.ARRAYS:
        form = "a list in get_weights() order" if kind in conventions.ARRAYS else "an object, by the cell's names"
        raise UnusableInput(f"{named(label)}: its weights must be {form}")
    return keras_layer(kind, label, options, weights, dtype=dtype)


def _converted(entry: Mapping[str, object], label: object, dtype: str) -> Spec:
    """A layer whose weights are another framework's arrays."""
    with within(named(label)):
        if not isinstance(label, str):
            raise UnusableInput("its name must be text")
        if "kind" in entry:
            raise UnusableInput("has a convention, which says its kind; leave the kind out")
        weights = mapping(entry.get("weights"), "its weights")
        own = mapping(plain(entry.get("options", {})), "options")
        only(own, ("activation", "recurrent_activation", "return_sequences"), "options")
    return named_arrays.layer(plain(entry["convention"]), label, own, weights, dtype)


def _by_name(kind: str, label: str, options: Mapping[str, object], weights: Mapping[str, object], dtype: str) -> Spec:
    """Canonical weights: W… matrices are (units, features), U… are (units, units), all else is (units,)."""
    for key in weights:
        if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", key):
            raise UnusableInput(f"'{printable(key)}' is no name of a weight, such as W_z")
    tensors = {key: tensor(data, dtype, key) for key, data in weights.items()}
    kernels = [t.value.shape for key, t in tensors.items() if key.startswith("W") and t.value.ndim == 2]
    if not kernels:
        raise UnusableInput("has no kernel: a (units, features) matrix whose name begins with W")
    units, features = kernels[0]
    _check_shapes(tensors, units, features)
    recurrent = any(key.startswith("U") for key in tensors)
    if kind in conventions.ARRAYS:
        full, tensors = _known(kind, options, tensors)
    else:
        full = _generic(options, units)
    return Spec(kind, label, full, tensors, features, units, recurrent)


def _check_shapes(tensors: Mapping[str, Tensor], units: int, features: int) -> None:
    for key, t in tensors.items():
        expected = {"W": (units, features), "U": (units, units)}.get(key[0], (units,))
        if t.value.shape != expected:
            raise UnusableInput(f"{key} has shape {t.value.shape}; beside the first kernel it must be {expected}")


def _known(
    kind: str, options: Mapping[str, object], tensors: Mapping[str, Tensor]
) -> tuple[dict[str, object], dict[str, Tensor]]:
    """A GRU or Dense layer given by name: which biases it has tells its form, and its options must agree."""
    implied = next((form for form in _forms(kind) if set(_names(kind, form)) == set(tensors)), None)
    if implied is None:
        known = " or ".join(" ".join(_names(kind, form)) for form in _forms(kind))
        raise UnusableInput(f"has the weights {printable(', '.join(tensors))}; it needs {known}")
    form = {**implied, "units": next(iter(tensors.values())).value.shape[0]}
    features = tensors[_names(kind, form)[0]].value.shape[1]
    full, _ = conventions.complete(kind, {**form, **options}, list(conventions.shapes(kind, form, features).values()))
    return full, {name: tensors[name] for name in _names(kind, form)}


def _forms(kind: str) -> list[dict[str, object]]:
    if kind == "dense":
        return [{"use_bias": True}, {"use_bias": False}]
    return [
        {"use_bias": True, "reset_after": True},
        {"use_bias": True, "reset_after": False},
        {"use_bias": False, "reset_after": True},
    ]


def _names(kind: str, form: Mapping[str, object]) -> list[str]:
    if kind == "dense":
        return ["W", "b"] if form["use_bias"] else ["W"]
    letters = "WU" + ("" if not form["use_bias"] else "bc" if form["reset_after"] else "b")
    return [f"{letter}_{gate}" for letter in letters for gate in conventions.GATES]


def _generic(options: Mapping[str, object], units: int) -> dict[str, object]:
    """Another cell's options: plain values, kept as they are; the cell itself knows what they mean."""
    if whole(options.get("units", units), "units") != units:
        raise UnusableInput(f"units is {options['units']}; its kernel has {units} rows")
    for key, value in options.items():
        identifier(key, "an option's name")
        if isinstance(value, str):
            identifier(value, key)
        elif value is not None and not isinstance(value, bool | int | float):
            raise UnusableInput(f"option '{key}' must be true, false, a number or a name")
    if "return_sequences" in options and not isinstance(options["return_sequences"], bool):
        raise UnusableInput("return_sequences must be true or false")
    return {"units": units, **options}
