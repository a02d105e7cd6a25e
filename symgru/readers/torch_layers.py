"""A state_dict and a description of what the model does with it, as a network.

A state_dict holds arrays by the names of a model's modules, not what the model's forward does. An architecture says it:

    {"layers": [{"kind": "embedding", "name": "emb"},
                {"kind": "gru", "name": "gru", "batch_first": true},
                {"kind": "last"},
                {"kind": "linear", "name": "head"},
                {"kind": "activation", "activation": "sigmoid"}],
     "outputs": ["head", "gru.h_n"]}

Each layer takes what the one before gives, or what "from" names. docs/pytorch.md has every kind and option. Sequences
are (batch, time, features) here, whatever batch_first is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgru.errors import UnusableInput
from symgru.network import Edge, Network, safe_id
from symgru.readers import torch_names, torch_recurrent
from symgru.readers.assemble import MAX_LAYERS, named, within
from symgru.readers.checks import boolean, mapping, only, printable, whole
from symgru.readers.torch_arrays import Arrays, Lazy
from symgru.readers.torch_graph import Graph
from symgru.readers.torch_pointwise import BUILDERS, Place, Source

ASKED = ("layers", "outputs", "features", "dtype", "note")
COMMON = ("kind", "name", "from", "note")
RECURRENT = ("batch_first", "num_layers", "hidden_size", "input_size", "bidirectional", "bias", "dropout")
WANTED = ("output", "h0", "lengths")
PACKED = (
    "lengths: outputs are 0 from each sequence's length on, h_n is the state at it, and the backward direction begins "
    "there, as pack_padded_sequence and pad_packed_sequence(total_length=T) have it"
)
CELL = "a cell of PyTorch computes one step; symgru applies it to each step of a sequence, one after the other"
Entry = Mapping[str, object]


def network(
    tensors: Mapping[str, Lazy],
    architecture: Mapping[str, object] | None,
    *,
    name: str,
    origin: str,
    notes: Sequence[str] = (),
) -> Network:
    """The network of tensors by name. Without an architecture it must follow from the names: see torch_names.guess.

    Raises UnusableInput or Unsupported with one line that names the layer and what would settle it.
    """
    asked = mapping(architecture or {}, "the architecture")
    only(asked, ASKED, "the architecture")
    arrays = Arrays(tensors, asked.get("dtype"))
    said = list(notes)
    if "layers" not in asked:
        guessed, more = torch_names.guess(arrays)
        asked, said = {**asked, "layers": guessed}, [*said, *more]
    made = _Description(arrays, asked).build(safe_id(name, set(), "gru"), origin)
    unused = arrays.unused
    if unused:
        shown = printable(", ".join(unused[:8]), 160)
        said.append(f"{len(unused)} tensors belong to no layer of the description and are left out: {shown}")
    return Network(
        made.dtype, made.layers, made.calls, made.inputs, made.outputs, made.name, made.origin,
        (*arrays.notes, *said, *made.notes),
    )  # fmt: skip


class _Description:
    """Layers, one after the other, put into a graph."""

    def __init__(self, arrays: Arrays, asked: Mapping[str, object]) -> None:
        self.arrays, self.asked, self.graph = arrays, asked, Graph()
        self.source = Source(arrays, self.graph)
        self.notes: list[str] = []
        self.entries = [_entry(given, k, arrays) for k, given in enumerate(_list(asked["layers"], "layers"))]
        if not 1 <= len(self.entries) <= MAX_LAYERS:
            raise UnusableInput(f"the architecture has {len(self.entries)} layers; from 1 to {MAX_LAYERS} are read")
        self.ends = [_name(end, "an output") for end in _list(asked.get("outputs", []), "outputs")]
        froms = [_froms(entry) for entry in self.entries]
        self.read = {*self.ends, *(name for names in froms for name in names)}

    def build(self, name: str, origin: str) -> Network:
        value = self._input()
        skipped = False
        for k, entry in enumerate(self.entries):
            if skipped:
                skipped = False
                continue
            place = Place(entry, str(entry["kind"]), str(entry.get("name", "")), value)
            with within(named(place.label)):
                given = [self._value(each) for each in _froms(entry)]
                place.x = given[0] if given else value
                skipped = self._last_follows(k, place)
                value = self._layer(place, given, last=skipped)
            if place.name and place.kind not in torch_recurrent.KINDS:
                self.graph.named[place.name] = value
        ends = tuple(self._value(end) for end in self.ends) or (value,)
        g = self.graph
        return Network(
            self.arrays.dtype, g.layers, tuple(g.calls), tuple(g.inputs), ends, name, origin, tuple(self.notes)
        )

    def _value(self, name: str) -> Edge:
        if name not in self.graph.named:
            known = printable(", ".join(self.graph.named), 160)
            raise UnusableInput(f"the architecture names a value {printable(name)}; there are {known}")
        return self.graph.named[name]

    def _input(self) -> Edge:
        """The first input, as the first layer with weights takes it."""
        if "features" in self.asked:
            return self.graph.input("x", (None, whole(self.asked["features"], "features")))
        for entry in self.entries:
            kind, name = str(entry["kind"]), str(entry.get("name", ""))
            if kind == "embedding":
                return self.graph.input("x", (None,), whole=True)
            with within(named(name or kind)):
                if kind in WEIGHTS:
                    shape = self.arrays.shape(self.source.full(name, WEIGHTS[kind]))
                    if not shape or not shape[-1]:
                        raise UnusableInput(f"{WEIGHTS[kind]} has shape {shape}")
                    return self.graph.input("x", (None, shape[-1]))
        raise UnusableInput("no layer of the architecture has weights; a gru is needed")

    def _last_follows(self, k: int, place: Place) -> bool:
        """Whether the last time step is all that anyone takes of a recurrent layer: then it gives no sequence."""
        after = self.entries[k + 1] if k + 1 < len(self.entries) else {}
        alone = after.get("kind") == "last" and "from" not in after and "name" not in after
        other = {place.name, torch_recurrent.reference(place.name, "output")} & self.read
        simple = place.entry.get("output", "output") == "output" and not place.entry.get("lengths")
        both = any(name.endswith("_reverse") for name in self.arrays.within(place.name))
        return place.kind in torch_recurrent.KINDS and alone and not other and simple and not both

    def _layer(self, place: Place, given: list[Edge], *, last: bool) -> Edge:
        if len(given) > 1 and place.kind not in JOINED:
            raise UnusableInput(f"takes one value; from names {len(given)}")
        if place.kind in torch_recurrent.KINDS:
            return self._recurrent(place, last)
        if place.kind in JOINED:
            return self._joined(place, given)
        return BUILDERS[place.kind](self.source, place)

    def _recurrent(self, place: Place, last: bool) -> Edge:
        entry, kind, name = place.entry, place.kind, place.name
        self.source.full(name, WEIGHTS[kind])
        actual = torch_recurrent.kind_of(self.arrays, name)
        if actual != kind:
            raise UnusableInput(f"its arrays are those of a {actual}, not of a {kind}")
        weights = torch_recurrent.directions(self.arrays, name, kind)
        torch_recurrent.check(entry, weights)
        for key in ("batch_first", "h0", "lengths"):
            boolean(entry.get(key, False), key)
        output = "last" if last else entry.get("output", "output")
        if output not in torch_recurrent.OUTPUTS:
            raise UnusableInput(f"output is {printable(repr(output))}; it is {', '.join(torch_recurrent.OUTPUTS)}")
        if entry.get("lengths") and output == "last":
            raise UnusableInput("with lengths the last time step is padding; h_n is the state at each length")
        wanted = (
            {name, torch_recurrent.reference(name, "output")} & self.read
            or output == "output"
            or (output == "last" and len(weights[0]) > 1)
        )
        nonlinearity = entry.get("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise UnusableInput(f"nonlinearity is {printable(repr(nonlinearity))}; it is tanh or relu")
        self._say(entry)
        request = torch_recurrent.Request(
            str(output), bool(wanted), torch_recurrent.reference(name, "h_n") in self.read,
            torch_recurrent.reference(name, "last_state") in self.read,
            bool(entry.get("h0")), bool(entry.get("lengths")), str(nonlinearity),
        )  # fmt: skip
        return torch_recurrent.module(self.graph, name, kind, weights, request, place.x)

    def _say(self, entry: Entry) -> None:
        said = []
        if str(entry["kind"]).endswith("_cell"):
            said.append(CELL)
        if entry.get("batch_first") is False:
            said.append(
                "PyTorch takes (time, batch, features) here, since batch_first is False; symgru takes and gives "
                "(batch, time, features)"
            )
        if entry.get("lengths"):
            said.append(PACKED)
        if entry.get("dropout"):
            said.append("dropout does nothing in inference and is left out")
        self.notes += [note for note in said if note not in self.notes]

    def _joined(self, place: Place, given: list[Edge]) -> Edge:
        if len(given) < 2:
            raise UnusableInput('puts values together; name them: "from": ["first", "second"]')
        axes = {len(self.graph.shapes[edge]) for edge in given}
        if len(axes) > 1:
            raise UnusableInput("its values have not as many axes")
        if len({self.graph.shapes[edge][: -1 if place.kind == "concatenate" else None] for edge in given}) > 1:
            raise UnusableInput("its values have axes of different lengths")
        if place.kind == "concatenate":
            return self.graph.beside(given, axis=axes.pop())
        made = self.graph.layer(place.kind, place.label, {"inputs": len(given)}, {})
        return self.graph.call(made, given, self.graph.shapes[given[0]])


JOINED = ("concatenate", "add", "multiply")
WEIGHTS = {  # the array that a layer of each kind must have; its last axis is the width of what the layer takes
    "gru": "weight_ih_l0",
    "rnn": "weight_ih_l0",
    "gru_cell": "weight_ih",
    "rnn_cell": "weight_ih",
    "linear": "weight",
    "layer_norm": "weight",
    "batch_norm": "running_mean",
}
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "gru": (*RECURRENT, *WANTED),
    "rnn": (*RECURRENT, "nonlinearity", *WANTED),
    "gru_cell": ("hidden_size", "input_size", "bias", *WANTED),
    "rnn_cell": ("hidden_size", "input_size", "bias", "nonlinearity", *WANTED),
    "layer_norm": ("eps",),
    "batch_norm": ("eps", "transposed"),
    "activation": ("activation", "dim"),
    "dropout": ("p",),
}


def _entry(given: object, k: int, arrays: Arrays) -> Entry:
    """One entry, its kind known and no option that is not; a recurrent module's kind may follow from its arrays."""
    entry = dict(mapping(given, f"layer {k + 1} of the architecture"))
    with within(f"layer {k + 1} of the architecture"):
        kind = entry.get("kind")
        if "name" in entry:
            _name(entry["name"], "its name")
        kinds = (*torch_recurrent.KINDS, *JOINED, *BUILDERS)
        if not isinstance(kind, str) or kind not in kinds:
            raise UnusableInput(f"kind is {printable(repr(kind))}; known are {', '.join(kinds)}")
        only(entry, (*COMMON, *OPTIONS.get(kind, ())), "it")
    return entry


def _froms(entry: Entry) -> list[str]:
    """The names that an entry takes its values from."""
    given = entry.get("from", [])
    return [_name(each, "from") for each in (given if isinstance(given, list | tuple) else [given])]


def _name(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise UnusableInput(f"{what} is {printable(repr(value))}; it must be a name")
    return value


def _list(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise UnusableInput(f"the architecture's {what} must be a list")
    return value
