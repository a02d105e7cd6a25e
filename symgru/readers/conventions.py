"""Keras' layers as lists of arrays: which shapes their options ask for. What lies in them, symgru.conventions says.

keras/src/layers/rnn/gru.py: kernel (features, 3 units), recurrent_kernel (units, 3 units), gates z, r, n side by side
as column blocks; bias (2, 3 units) with the row of the input's side first, or (3 units,) where reset_after is False.
keras/src/layers/core/dense.py: kernel (features, units), bias (units,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from symgru.conventions import CONVENTIONS, split
from symgru.errors import UnusableInput
from symgru.network import Tensor
from symgru.readers.checks import MAX_UNITS, boolean, identifier, only, printable, whole

GATES = ("z", "r", "n")
OPTIONS = {
    "gru": ("units", "reset_after", "use_bias", "activation", "recurrent_activation", "return_sequences"),
    "dense": ("units", "use_bias", "activation"),
}
ARRAYS = {"gru": ("kernel", "recurrent_kernel", "bias"), "dense": ("kernel", "bias")}
Shape = tuple[int, ...]


def shapes(kind: str, options: Mapping[str, object], features: int) -> dict[str, Shape]:
    """The shapes of a layer's arrays, in get_weights() order; `options` must be complete."""
    units = whole(options["units"], "units")
    if kind == "dense":
        found: dict[str, Shape] = {"kernel": (features, units), "bias": (units,)}
    else:
        bias = (2, 3 * units) if options["reset_after"] else (3 * units,)
        found = {"kernel": (features, 3 * units), "recurrent_kernel": (units, 3 * units), "bias": bias}
    return found if options["use_bias"] else {name: shape for name, shape in found.items() if name != "bias"}


def complete(kind: str, given: Mapping[str, object], found: Sequence[Shape]) -> tuple[dict[str, object], list[str]]:
    """All options of a GRU or Dense layer, and notes: what is not given follows from its arrays' shapes.

    What is given must agree with them. `return_sequences` stays absent when it is not given.
    """
    only(given, OPTIONS[kind], f"a {kind} layer's options")
    features, units = _sizes(kind, found)
    biased = len(found) == len(ARRAYS[kind])
    options: dict[str, object] = {"units": whole(given.get("units", units), "units")}
    notes = []
    if kind == "gru":
        after = len(found[2]) == 2 if biased else True
        if not biased and "reset_after" not in given:
            notes.append("there is no bias to tell reset_after from; Keras' default, true, is taken")
        options["reset_after"] = boolean(given.get("reset_after", after), "reset_after")
    options["use_bias"] = boolean(given.get("use_bias", biased), "use_bias")
    options["activation"] = activation(given.get("activation", "tanh" if kind == "gru" else "linear"), "activation")
    if kind == "gru":
        gate = given.get("recurrent_activation", "sigmoid")
        options["recurrent_activation"] = activation(gate, "recurrent_activation")
    if "return_sequences" in given:
        options["return_sequences"] = boolean(given["return_sequences"], "return_sequences")
    agree(shapes(kind, options, features), found, options)
    return options, notes


def activation(name: object, what: str) -> object:
    """The name of an activation, or a list of its name and its numbers; none is linear, as Keras has it."""
    if isinstance(name, list | tuple) and name:
        numbers = [n for n in name[1:] if isinstance(n, int | float) and not isinstance(n, bool) and isfinite(n)]
        if len(numbers) != len(name) - 1 or len(numbers) > 3:
            raise UnusableInput(f"{what} is {printable(repr(name))}; a name and its numbers are needed")
        return [identifier(name[0], what), *numbers]
    return "linear" if name is None else identifier(name, what)


def agree(expected: Mapping[str, Shape], found: Sequence[Shape], options: Mapping[str, object]) -> None:
    """Refuse arrays whose number or shapes are not those that the options ask for."""
    said = ", ".join(f"{key}={options[key]}" for key in ("units", "use_bias", "reset_after") if key in options)
    if len(found) != len(expected):
        raise UnusableInput(f"has {len(found)} arrays; with {said} it needs {', '.join(expected)}")
    for (name, shape), actual in zip(expected.items(), found, strict=True):
        if tuple(actual) != shape:
            raise UnusableInput(f"{name} has shape {tuple(actual)}; with {said} it must be {shape}")


def _sizes(kind: str, found: Sequence[Shape]) -> tuple[int, int]:
    """Features and units, from the kernel (Dense) or from both kernels (GRU)."""
    least = len(ARRAYS[kind]) - 1
    if not least <= len(found) <= least + 1:
        names = ", ".join(ARRAYS[kind])
        raise UnusableInput(f"has {len(found)} arrays; a {kind} layer has {names} (or no bias)")
    for name, shape in zip(ARRAYS[kind][:least], found, strict=False):
        if len(shape) != 2:
            raise UnusableInput(f"{name} has shape {shape}; it must have two axes")
    features, units = found[0][0], found[least - 1][0] if kind == "gru" else found[0][1]
    if max(features, units) > MAX_UNITS:
        raise UnusableInput(f"has {features} features and {units} units; at most {MAX_UNITS} are read")
    return features, units


def canonical(kind: str, arrays: Sequence[Tensor]) -> dict[str, Tensor]:
    """Keras' arrays in get_weights() order as weights by the names of the equations: (units, features) matrices."""
    name = "keras_dense" if kind == "dense" else "keras_before" if _one_row(arrays) else "keras"
    return split(CONVENTIONS[name], dict(zip(ARRAYS[kind], arrays, strict=False)))


def _one_row(arrays: Sequence[Tensor]) -> bool:
    """Whether a GRU has one bias row, as where reset_after is False; without biases the arrays are the same."""
    return len(arrays) > 2 and arrays[2].value.ndim == 1
