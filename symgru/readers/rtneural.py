"""RTNeural's JSON, as its python/model_utils.py writes a Keras model: layers of a type, Keras' arrays in their order.

{"in_shape": [null, null, 1], "layers": [{"type": "gru", "activation": "", "shape": [null, null, 8], "weights": […]}]}
"""

from __future__ import annotations

from collections.abc import Mapping

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Network, Tensor
from symgru.readers.assemble import Spec, keras_layer, named, network, within
from symgru.readers.checks import identifier, mapping, printable
from symgru.readers.decimals import plain, tensor

DTYPE = "float32"  # what Keras exports; RTNeural is compiled for float or double
GRU = "tanh", ""  # RTNeural's GRU has tanh, whatever the file says


def is_model(data: object) -> bool:
    """Whether parsed JSON is RTNeural's and not symgru's own."""
    layers = data.get("layers") if isinstance(data, Mapping) else None
    first = layers[0] if isinstance(layers, list | tuple) and layers else None
    return isinstance(first, Mapping) and "type" in first and "kind" not in first


def from_object(data: Mapping[str, object], name: str, origin: str) -> Network:
    """The network of parsed JSON; raises Unsupported for a layer of a type that symgru does not read here."""
    layers = data["layers"]
    assert isinstance(layers, list | tuple)
    width = _width(data.get("in_shape"))
    specs: list[Spec] = []
    for k, entry in enumerate(layers):
        layer = mapping(entry, f"layer {k + 1}")
        kind = layer.get("type")
        label = f"{kind}_{k + 1}"
        with within(named(label)):
            made = _layer(kind, label, layer, specs[-1].units if specs else width)
            specs.extend(made)
    return network(specs, dtype=DTYPE, name=name, origin=origin, features=width, notes=["a model of RTNeural"])


def _width(shape: object) -> int | None:
    found = plain(shape)
    last = found[-1] if isinstance(found, list) and found else None
    return last if isinstance(last, int) and not isinstance(last, bool) else None


def _layer(kind: object, label: str, layer: Mapping[str, object], width: int | None) -> list[Spec]:
    weights = layer.get("weights", [])
    if not isinstance(weights, list | tuple):
        raise UnusableInput("its weights must be a list of arrays, as Keras' get_weights() gives")
    function = layer.get("activation") or ""
    if kind == "gru":
        if function not in GRU:
            raise UnusableInput(f"has the activation {printable(function)}; RTNeural's GRU computes tanh")
        options = {"return_sequences": _is_sequence(layer.get("shape"))}
        return [keras_layer("gru", label, options, weights, dtype=DTYPE)]
    if kind in ("dense", "time-distributed-dense"):
        options_ = {"activation": identifier(function, "activation") if function else "linear"}
        return [keras_layer("dense", label, options_, weights, dtype=DTYPE)]
    if width is None:
        raise UnusableInput("comes first, and in_shape does not say how many features there are")
    if kind == "activation":
        return [_pointwise("activation", label, {"activation": identifier(function, "activation")}, {}, width)]
    if kind == "prelu" and len(weights) == 1:
        alpha = tensor(weights[0], DTYPE, "alpha")
        slopes = Tensor(alpha.value.reshape(-1), alpha.text.reshape(-1))
        if slopes.value.shape == (1,):
            slopes = Tensor(slopes.value.repeat(width), slopes.text.repeat(width))
        return [_pointwise("parametric", label, {}, {"alpha": slopes}, width)]
    raise Unsupported(
        f"is of the type {printable(kind)}; symgru reads gru, dense, time-distributed-dense, activation and prelu"
    )


def _pointwise(kind: str, label: str, options: dict[str, object], weights: dict[str, Tensor], width: int) -> Spec:
    for key, weight in weights.items():
        if weight.value.shape != (width,):
            raise UnusableInput(f"{key} has shape {weight.value.shape}; there are {width} features")
    return Spec(kind, label, options, weights, width, width, recurrent=False)


def _is_sequence(shape: object) -> bool:
    """Keras' output shape: (batch, time, units) is a sequence; RTNeural gives an output at every step anyway."""
    return not isinstance(shape, list | tuple) or len(shape) != 2
