"""The layers of Keras around a GRU: each class of layer is a function from what it is called with to what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from symgru.errors import Unsupported
from symgru.readers.checks import printable
from symgru.readers.keras_layers import dense, merging, normalizing, operations, pointwise, recurrent, shaping, wrappers
from symgru.readers.keras_layers.values import Entry, Given, Outputs


@dataclass(frozen=True)
class Rule:
    """How a class of layers is read; `casts` says that Keras casts what it is given to the layer's precision."""

    call: Callable[[Entry, Given], Outputs]
    casts: bool = True


def _rules(module: object, names: dict[str, str], casts: bool = True) -> dict[str, Rule]:
    return {kind: Rule(getattr(module, name), casts) for kind, name in names.items()}


IDENTITIES = (
    "Dropout",
    "SpatialDropout1D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "Identity",
)
RULES: dict[str, Rule] = {
    **{kind: Rule(recurrent.call) for kind in ("GRU", "CuDNNGRU", "SimpleRNN", "RNN")},
    **_rules(wrappers, {"Bidirectional": "bidirectional", "TimeDistributed": "time_distributed"}),
    **_rules(dense, {"Dense": "dense", "Conv1D": "conv1d"}),
    **_rules(dense, {"Embedding": "embedding"}, casts=False),
    **{kind: Rule(pointwise.identity) for kind in IDENTITIES},
    **_rules(
        pointwise,
        {
            "Activation": "activation",
            "Softmax": "softmax",
            "ReLU": "relu",
            "LeakyReLU": "leaky_relu",
            "ELU": "elu",
            "Rescaling": "rescaling",
        },
    ),
    **_rules(
        normalizing,
        {
            "BatchNormalization": "batch_normalization",
            "LayerNormalization": "layer_normalization",
            "RMSNormalization": "rms_normalization",
            "UnitNormalization": "unit_normalization",
            "Normalization": "normalization",
            "PReLU": "prelu",
        },
    ),
    **_rules(
        shaping,
        {
            "Masking": "masking",
            "MaxPooling1D": "max_pooling",
            "AveragePooling1D": "average_pooling",
            "GlobalMaxPooling1D": "global_max",
            "GlobalAveragePooling1D": "global_average",
            "Flatten": "flatten",
            "Reshape": "reshape",
            "Permute": "permute",
            "RepeatVector": "repeat_vector",
            "UpSampling1D": "up_sampling",
            "ZeroPadding1D": "zero_padding",
            "Cropping1D": "cropping",
        },
    ),
    **_rules(
        merging,
        {
            "Add": "add",
            "Subtract": "subtract",
            "Multiply": "multiply",
            "Average": "average",
            "Concatenate": "concatenate",
        },
    ),
    **_rules(
        operations,
        {
            "ops.NotEqual": "not_equal",
            "ops.Any": "any_of",
            "ops.ExpandDims": "expand_dims",
            "ops.ZerosLike": "zeros_like",
            "ops.OnesLike": "ones_like",
            "ops.Concatenate": "concatenate",
        },
        casts=False,
    ),
    "ops.LogicalAnd": Rule(operations.logical("both"), False),
    "ops.LogicalOr": Rule(operations.logical("either"), False),
    "ops.Add": Rule(operations.arithmetic("add"), False),
    "ops.Subtract": Rule(operations.arithmetic("subtract"), False),
    "ops.Multiply": Rule(operations.arithmetic("multiply"), False),
}


MASKLESS_2 = ("Normalization", "Rescaling")  # Keras 2 ends a mask here (tf_keras/src/engine/base_layer.py)


def call(entry: Entry, given: Given) -> Outputs:
    """What a layer gives for what it is called with. Raises Unsupported for a class that is not known."""
    if entry.kind in ("Sequential", "Functional", "Model"):
        from symgru.readers import keras_graph

        return keras_graph.call(entry, given)
    rule = RULES.get(entry.kind)
    if rule is None:
        what = f"the operation {entry.kind[4:]} of keras.ops" if entry.kind.startswith("ops.") else entry.kind
        raise Unsupported(f"{printable(what)} is not supported here; docs/keras.md lists the layers that symgru reads")
    if not given.inputs:
        raise Unsupported("is called on no tensor")
    if not entry.kind.startswith("ops.") and any(
        v.dtype in (operations.SPREAD, operations.NOTHING) for v in given.inputs
    ):
        raise Unsupported("is called on truth values that are no mask of time steps")
    if rule.casts:
        given = replace(given, inputs=tuple(entry.cast(value) for value in given.inputs))
    made = rule.call(entry, given)
    if entry.builder.version == 2 and entry.kind in MASKLESS_2:
        made = tuple(replace(value, mask=None) for value in made)
    return made
