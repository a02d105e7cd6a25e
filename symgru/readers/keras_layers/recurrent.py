"""GRU, RNN of GRU cells and stacks of them: keras/src/layers/rnn/rnn.py and keras/src/backend/tensorflow/rnn.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symgru.errors import Unsupported
from symgru.network import Edge, Tensor
from symgru.readers import conventions
from symgru.readers.checks import mapping, printable
from symgru.readers.keras_config import Options, class_of, config_of, name_of
from symgru.readers.keras_layers.values import Entry, Given, Outputs, Value
from symgru.readers.keras_weights import Counter, Wanted

STATEFUL = "stateful in Keras, which keeps its state from call to call; here each evaluation starts from 0"
IMPLICIT = (
    "Keras 3 does not apply the mask of its input here, since initial_state is given (only mask= would be applied); "
    "it hands that mask on all the same"
)
LEADING = "at masked steps before the first one that counts Keras gives 0, though the state stays the initial state"
ZEROED = "zero_output_for_mask: at masked steps the output is 0, though the state stays as it was"
UNREVERSED = (
    "unroll, go_backwards and zero_output_for_mask together: Keras zeroes the steps of the mask that is not reversed"
)
FORCED = "Bidirectional sets zero_output_for_mask to return_sequences, which is {}, whatever the layer says"
CELLS = {"GRUCell": "gru", "SimpleRNNCell": "simple"}
LAYERS = {"GRU": "gru", "SimpleRNN": "simple", "CuDNNGRU": "gru"}  # the last is Keras 2's: `keras_v2`


@dataclass(frozen=True)
class Plan:
    """A recurrent layer's own options, and its cells from the input's side on: entries with kind and options."""

    entry: Entry
    cells: tuple[tuple[Entry, str, Mapping[str, object]], ...]
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    unroll: bool
    stateful: bool
    zero_output: bool
    forced: bool = False


def is_recurrent(kind: str) -> bool:
    return kind in LAYERS or kind == "RNN"


def plan(entry: Entry) -> Plan:
    """Read GRU, SimpleRNN or RNN."""
    options = entry.options
    names = ("return_sequences", "return_state", "go_backwards", "unroll", "stateful", "zero_output_for_mask")
    flags = [options.boolean(name) for name in names]
    if entry.kind == "RNN":
        cells = _cells(entry, options)
        options.finish()
    else:
        kind = LAYERS[entry.kind]
        found = _cell_options(options, kind)
        options.finish()
        inner = entry.child(entry.kind, entry.config, "cell")
        cells = ((inner, kind, found),)
    return Plan(entry, cells, *flags)


def _cells(entry: Entry, options: Options) -> tuple[tuple[Entry, str, Mapping[str, object]], ...]:
    cell = mapping(options.get("cell"), "its cell")
    kind, config = class_of(cell, "its cell"), config_of(cell, "its cell's configuration")
    label = str(config.get("name", ""))
    if kind != "StackedRNNCells":
        inner = entry.child(kind, config, "cell", label, entry.label)
        return (_one(inner),)
    own = Options(config)
    listed = own.get("cells")
    own.finish()
    if not isinstance(listed, list | tuple) or not listed:
        raise Unsupported("its StackedRNNCells hold no cells")
    stack, counter = entry.child(kind, config, "cell", label), Counter()
    found = []
    for each in listed:
        inside = mapping(each, "a cell")
        kind, config = class_of(inside, "a cell"), config_of(inside, "a cell's configuration")
        child = stack.child(kind, config, f"cells/{counter.folder(kind)}", name_of(config, "a cell"))
        found.append(_one(child))
    return tuple(found)


def _one(cell: Entry) -> tuple[Entry, str, Mapping[str, object]]:
    if cell.kind not in CELLS:
        raise Unsupported(f"its cell is a {printable(cell.kind)}; symgru reads {', '.join(CELLS)} and StackedRNNCells")
    options = cell.options
    found = _cell_options(options, CELLS[cell.kind])
    options.finish()
    return cell, CELLS[cell.kind], found


def _cell_options(options: Options, kind: str) -> dict[str, object]:
    found: dict[str, object] = {"units": options.whole("units")}
    if kind == "gru":
        found["reset_after"] = options.boolean("reset_after", True)
    found["use_bias"] = options.boolean("use_bias", True)
    found["activation"] = options.activation("activation", "tanh")
    if kind == "gru":
        found["recurrent_activation"] = options.activation("recurrent_activation", "sigmoid")
    return found


def shapes(kind: str, options: Mapping[str, object], features: int | None) -> dict[str, Wanted]:
    """The shapes of a cell's arrays, in get_weights() order."""
    if kind == "gru":
        found: dict[str, Wanted] = {**conventions.shapes("gru", options, features or 1)}
    else:
        units = int(str(options["units"]))
        found = {"kernel": (features, units), "recurrent_kernel": (units, units), "bias": (units,)}
        if not options["use_bias"]:
            del found["bias"]
    kernel = found["kernel"] or ()
    return {**found, "kernel": (features, *kernel[1:])}


def canonical(kind: str, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    if kind == "gru":
        return conventions.canonical("gru", tensors)
    names = ("W", "U", "b")
    return {name: t if name == "b" else t.T for name, t in zip(names, tensors, strict=False)}


def call(entry: Entry, given: Given) -> Outputs:
    """A GRU, SimpleRNN or RNN layer's outputs, and its states where they are asked for."""
    read = plan(entry)
    return run(read, given.x, masked(read, given), given.initial, given.previous)


def masked(read: Plan, given: Given) -> Value | None:
    """The mask that a layer applies: Keras fills it in only where there is one tensor among the arguments."""
    if given.mask is not None:
        return given.mask
    return given.x.mask if not given.initial or read.entry.builder.version == 2 else None


def run(read: Plan, x: Value, mask: Value | None, initial: tuple[Value, ...], previous: Value | None) -> Outputs:
    """The recurrence over x, mask and states; `previous` is the mask that goes on to the next layer."""
    entry = read.entry
    if len(x.shape) != 2:
        raise Unsupported(f"takes a sequence (batch, time, features); it is given {x.rank} axes")
    if initial and len(initial) != len(read.cells):
        raise Unsupported(f"is given {len(initial)} initial states; it has {len(read.cells)}")
    if mask is not None and len(mask.shape) != 1:
        raise Unsupported(f"is given a mask of {mask.rank} axes; (batch, time) is needed")
    y, applied = x, mask
    if read.go_backwards:
        y = replace(entry.map("flip", {}, y), dtype=y.dtype)
        applied = entry.map("flip", {}, mask) if mask else None
    layer, states = "", []
    for k, (cell, kind, options) in enumerate(read.cells):
        sequences = read.return_sequences or k < len(read.cells) - 1
        layer, y = _recurrence(read, cell, kind, {**options, "return_sequences": sequences}, y, applied, initial[k:])
        states.append(Value(Edge(y.edge.source, "state"), y.shape[-1:], y.dtype))
    if previous is not None and mask is None and initial:
        entry.builder.note(layer, IMPLICIT)
    if mask is not None and applied is not None:
        y = _output(read, layer, y, mask, applied, bool(initial))
    y = replace(y, mask=previous if read.return_sequences else None)
    return (y, *states) if read.return_state else (y,)


def _recurrence(
    read: Plan,
    cell: Entry,
    kind: str,
    options: dict[str, object],
    x: Value,
    mask: Value | None,
    initial: Sequence[Value],
) -> tuple[str, Value]:
    """One cell over all steps."""
    x = cell.cast(x)
    units = int(str(options["units"]))
    notes = []
    if read.stateful:
        options, notes = {**options, "stateful": True}, [STATEFUL]

    def weights() -> dict[str, Tensor]:
        found = cell.tensors(shapes(kind, options, x.shape[-1]))
        return canonical(kind, list(found.values()))

    layer = cell.cell(kind, options, weights, notes=notes)
    if x.shape[-1] is None:
        name = "W_z" if kind == "gru" else "W"
        x = cell.builder.learn(x, cell.builder.layers[layer].weights[name].value.shape[1])
    if initial and initial[0].shape != (units,):
        raise Unsupported(f"is given an initial state of shape {initial[0].shape}; it has {units} units")
    first = [cell.cast(state) for state in initial[:1]]
    shape = (x.shape[0], units) if options["return_sequences"] else (units,)
    return layer, cell.builder.call(layer, [x], shape, mask, first)


def _output(read: Plan, layer: str, y: Value, mask: Value, applied: Value, started: bool) -> Value:
    """What Keras gives at masked steps: the output before it, which is 0 at the start, or 0 where it zeroes them."""
    entry = read.entry

    def blank(value: Value, where: Value) -> Value:
        where = where if read.return_sequences else entry.map("last", {}, where)
        return replace(entry.map("blank", {}, value, where), dtype=value.dtype)

    unreversed = read.zero_output and read.unroll and read.go_backwards and read.return_sequences
    if (started or read.stateful) and (unreversed or not read.zero_output):
        entry.builder.note(layer, LEADING)
        y = blank(y, entry.map("started", {}, applied))
    if read.zero_output:
        entry.builder.note(layer, UNREVERSED if unreversed else ZEROED)
        y = blank(y, mask if unreversed else applied)
    if read.forced:
        entry.builder.note(layer, FORCED.format(str(read.return_sequences).lower()))
    return y
