"""Layers around a layer: keras/src/layers/rnn/bidirectional.py and time_distributed.py."""

from __future__ import annotations

from dataclasses import replace

from symgru.errors import Unsupported
from symgru.readers.assemble import named, within
from symgru.readers.checks import mapping, printable
from symgru.readers.keras_config import Options, class_of, config_of, name_of
from symgru.readers.keras_layers import recurrent
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value

MODES = {"sum": "add", "mul": "multiply", "ave": "average"}
POINTWISE = (  # what is the same for each time step alone and for all at once
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "Dense",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "Rescaling",
    "SpatialDropout1D",
)
ON_AXES = ("BatchNormalization", "LayerNormalization", "Softmax", "UnitNormalization")
UNMASKED = (
    *("GRU", "CuDNNGRU", "RNN", "SimpleRNN", "Bidirectional", "TimeDistributed", "Softmax"),
    "GlobalAveragePooling1D",
)


def bidirectional(entry: Entry, given: Given) -> Outputs:
    """Two recurrent layers, one of them from the end, and what becomes of both."""
    options = entry.options
    mode = options.choice("merge_mode", (*MODES, "concat", None), "concat")
    forward, backward = _directions(entry, options)
    options.finish()
    if forward.go_backwards == backward.go_backwards:
        raise Unsupported("its two layers read the sequence in the same direction")
    for name in ("return_sequences", "return_state", "stateful"):
        if getattr(forward, name) != getattr(backward, name):
            raise Unsupported(f"its two layers differ in {name}")
    x, half = given.x, len(given.initial) // 2
    mask = recurrent.masked(forward, given)
    parts = []
    for read, initial in ((forward, given.initial[:half]), (backward, given.initial[half:])):
        with within(named(read.entry.label)):
            parts.append(recurrent.run(read, x, mask, initial, given.previous))
    (one, *states), (other, *more) = parts
    if backward.return_sequences:
        other = replace(entry.map("flip", {}, other), mask=other.mask)
    merged = _merged(entry, mode, one, other)
    return (*merged, *states, *more)


def _directions(entry: Entry, options: Options) -> tuple[recurrent.Plan, recurrent.Plan]:
    """Both layers; a file that names no backward layer means the same one, turned round."""
    forward = mapping(options.get("layer"), "its layer")
    given = options.get("backward_layer")
    if given is None:
        config = dict(config_of(forward, "its layer's configuration"))
        config |= {"go_backwards": not config.get("go_backwards", False), "name": f"backward_{config.get('name', '')}"}
        given = {**forward, "config": config}
    return _direction(entry, forward, "forward_layer"), _direction(entry, mapping(given, "its layer"), "backward_layer")


def _direction(entry: Entry, layer: object, attribute: str) -> recurrent.Plan:
    inside = mapping(layer, "its layer")
    kind, config = class_of(inside, "its layer"), config_of(inside, "its layer's configuration")
    if not recurrent.is_recurrent(kind):
        raise Unsupported(f"its layer is a {printable(kind)}; symgru reads Bidirectional of GRU, SimpleRNN and RNN")
    child = entry.child(kind, config, attribute, name_of(config, "its layer"))
    with within(named(child.label)):
        read = recurrent.plan(child)
    return replace(read, zero_output=read.return_sequences, forced=True)


def _merged(entry: Entry, mode: object, one: Value, other: Value) -> Outputs:
    if mode is None:
        return one, other
    if mode == "concat":
        axis = len(one.shape)
        return (replace(entry.map("concatenate", {"axis": axis}, one, other), dtype=one.dtype, mask=one.mask),)
    if one.shape != other.shape:
        raise Unsupported(f"its two layers have {one.shape[-1]} and {other.shape[-1]} units, which {mode} cannot join")
    return (replace(entry.pointwise(MODES[str(mode)], {"inputs": 2}, one, other), mask=one.mask),)


def time_distributed(entry: Entry, given: Given) -> Outputs:
    """A layer for each time step: as it is where it works on the features alone, else with time as part of the batch.

    Keras calls the inner layer's `call`, which neither casts nor looks at masks.
    """
    from symgru.readers.keras_layers import call

    options = entry.options
    layer = mapping(options.get("layer"), "its layer")
    options.finish()
    kind, config = class_of(layer, "its layer"), config_of(layer, "its layer's configuration")
    x = replace(given.x, mask=None)
    if len(x.shape) < 2:
        raise Unsupported(f"takes a sequence; it is given {x.rank} axes")
    if given.previous is not None and (kind in UNMASKED or kind in ("Functional", "Sequential", "Model")):
        raise Unsupported(f"is given a mask, which Keras hands to {kind} step by step; it cannot take that")
    if kind in ON_AXES and _last_axis(config, x.rank - 1):
        config = {**config, "axis": -1}
    child = entry.child(kind, config, "layer", name_of(config, "its layer"))
    with within(named(child.label)):
        if kind in POINTWISE or (kind in ON_AXES and config.get("axis", -1) == -1):
            outputs = call(child, Given((x,)))
        else:
            folded = entry.map("fold", {}, x)
            outputs = tuple(entry.map("unfold", {}, y, x) for y in call(child, Given((folded,))))
    if len(outputs) != 1:
        raise Unsupported("its layer has several outputs")
    return (replace(outputs[0], mask=given.previous),)


def _last_axis(config: object, rank: int) -> bool:
    """Whether a layer's axis is the last of so many."""
    axis = config.get("axis", -1) if isinstance(config, dict) else None
    axis = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
    return isinstance(axis, int) and not isinstance(axis, bool) and axis in (-1, rank - 1)
