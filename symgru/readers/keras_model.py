"""A live Keras model, by its own methods alone: no framework is imported here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Network
from symgru.readers import keras_config
from symgru.readers.assemble import keras_layer, named, network
from symgru.readers.checks import printable


def is_layer(source: object) -> bool:
    """A Keras layer or model, judged by its methods."""
    return callable(getattr(source, "get_config", None)) and callable(getattr(source, "get_weights", None))


def read_model(model: Any) -> Network:
    """The network that a live model, a layer or a list of layers computes."""
    single = not isinstance(model, list | tuple)
    if single and isinstance(getattr(model, "layers", None), list | tuple):
        _check_framework(model)
        plan = keras_config.plan(_serialised(model))
        layers = {layer.name: layer for layer in model.layers}
    else:
        chain: Sequence[Any] = [model] if single else model
        for layer in chain:
            _check_framework(layer)
        plan = keras_config.read_layers([_serialised(layer) for layer in chain], "gru")
        layers = {layer.name: layer for layer in chain}
        if len(layers) < len(chain):
            raise UnusableInput("two layers of the list have the same name")
    specs = []
    for planned in plan.layers:
        layer = layers[planned.label]
        _check_functions(layer)
        arrays = layer.get_weights()
        if not arrays:
            raise UnusableInput(f"{named(layer.name)}: has no weights yet; call the model on data or give it an Input")
        specs.append(
            keras_layer(
                planned.kind,
                planned.label,
                planned.options,
                arrays,
                dtype=plan.dtype,
                notes=planned.notes,
            )
        )
    return network(
        specs,
        dtype=plan.dtype,
        name=plan.name,
        origin=plan.name,
        features=plan.features,
        steps=plan.steps,
        notes=plan.notes,
    )


def _serialised(layer: Any) -> dict[str, object]:
    """The form in which a file holds a layer; the class itself says whether it is Keras' own."""
    kind = type(layer)
    try:
        config = layer.get_config()
    except NotImplementedError:
        raise Unsupported(f"{printable(kind.__name__)} has no configuration; symgru reads Sequential models") from None
    return {"module": kind.__module__, "class_name": kind.__name__, "config": config}


def _check_framework(layer: Any) -> None:
    """Keras 3 only: the same names mean other functions in Keras 2 and tf_keras."""
    root = type(layer).__module__.partition(".")[0]
    version = str(getattr(sys.modules.get(root), "__version__", "3."))
    if root == "tf_keras" or (root == "keras" and not version.startswith("3.")):
        raise Unsupported(f"is a model of Keras 2 ({root} {printable(version, 20)}); symgru reads those of Keras 3")


def _check_functions(layer: Any) -> None:
    """A live activation must be one of keras.activations: a person's function called relu is configured as 'relu'
    too, and keras.ops.gelu, another function than keras.activations.gelu, as 'gelu'."""
    for name in ("activation", "recurrent_activation"):
        function = getattr(layer, name, None)
        module = (getattr(function, "__module__", None) or "").split(".")
        if function is not None and not (module[0] == "keras" and "activations" in module):
            shown = printable(getattr(function, "__name__", function))
            raise Unsupported(f"{named(layer.name)}: {name} is {shown}, which is none of keras.activations")
