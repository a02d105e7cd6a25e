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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symgru.activations import activation as known_activation
from symgru.arrangement import options as options_of
from symgru.arrangement import split
from symgru.conventions import CONVENTIONS
from symgru.errors import UnusableInput
from symgru.network import Edge, Network, Tensor, safe_id
from symgru.readers import torch_names, torch_recurrent
from symgru.readers.assemble import MAX_LAYERS, named, within
from symgru.readers.checks import boolean, mapping, only, printable, whole
from symgru.readers.torch_arrays import Arrays, Lazy
from symgru.readers.torch_graph import Graph

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


@dataclass
class _Place:
    """One entry of the list: what it says, and what it is given."""

    entry: Entry
    kind: str
    name: str
    x: Edge

    @property
    def label(self) -> str:
        return self.name or self.kind


class _Description:
    """Layers, one after the other, put into a graph."""

    def __init__(self, arrays: Arrays, asked: Mapping[str, object]) -> None:
        self.arrays, self.asked, self.graph = arrays, asked, Graph()
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
            place = _Place(entry, str(entry["kind"]), str(entry.get("name", "")), value)
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
                    shape = self.arrays.shape(self._full(name, WEIGHTS[kind]))
                    if not shape or not shape[-1]:
                        raise UnusableInput(f"{WEIGHTS[kind]} has shape {shape}")
                    return self.graph.input("x", (None, shape[-1]))
        raise UnusableInput("no layer of the architecture has weights; a gru is needed")

    def _full(self, name: str, own: str) -> str:
        """The whole name of a module's array."""
        names = self.arrays.within(name)
        if own not in names:
            there = torch_names.modules(self.arrays)
            raise UnusableInput(f"the file has no {own} of it; it has the modules {printable(', '.join(there), 160)}")
        return names[own]

    def _tensors(self, name: str, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Tensor]:
        """A module's arrays by their own names."""
        found = {own: self._full(name, own) for own in needed}
        there = self.arrays.within(name)
        found |= {own: there[own] for own in optional if own in there}
        return {own: self.arrays.take(full) for own, full in found.items()}

    def _last_follows(self, k: int, place: _Place) -> bool:
        """Whether the last time step is all that anyone takes of a recurrent layer: then it gives no sequence."""
        after = self.entries[k + 1] if k + 1 < len(self.entries) else {}
        alone = after.get("kind") == "last" and "from" not in after and "name" not in after
        other = {place.name, torch_recurrent.reference(place.name, "output")} & self.read
        simple = place.entry.get("output", "output") == "output" and not place.entry.get("lengths")
        both = any(name.endswith("_reverse") for name in self.arrays.within(place.name))
        return place.kind in torch_recurrent.KINDS and alone and not other and simple and not both

    def _layer(self, place: _Place, given: list[Edge], *, last: bool) -> Edge:
        if len(given) > 1 and place.kind not in JOINED:
            raise UnusableInput(f"takes one value; from names {len(given)}")
        if place.kind in torch_recurrent.KINDS:
            return self._recurrent(place, last)
        if place.kind in JOINED:
            return self._joined(place, given)
        return BUILDERS[place.kind](self, place)

    def _recurrent(self, place: _Place, last: bool) -> Edge:
        entry, kind, name = place.entry, place.kind, place.name
        self._full(name, WEIGHTS[kind])
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

    def _joined(self, place: _Place, given: list[Edge]) -> Edge:
        if len(given) < 2:
            raise UnusableInput('puts values together; name them: "from": ["first", "second"]')
        axes = {len(self.graph.shapes[edge]) for edge in given}
        if len(axes) > 1:
            raise UnusableInput("its values have not as many axes")
        if place.kind == "concatenate":
            return self.graph.beside(given, axis=axes.pop())
        made = self.graph.layer(place.kind, place.label, {"inputs": len(given)}, {})
        return self.graph.call(made, given, self.graph.shapes[given[0]])

    def linear(self, place: _Place) -> Edge:
        arrays = self._tensors(place.name, ("weight",), ("bias",))
        convention = CONVENTIONS["torch_linear"]
        weights = split(convention, arrays)
        units, features = weights["W"].value.shape
        if self.graph.features(place.x) != features:
            raise UnusableInput(f"takes {features} features; it is given {self.graph.features(place.x)}")
        layer = self.graph.layer("dense", place.label, options_of(convention, weights), weights, shared=place.name)
        return self.graph.call(layer, (place.x,), (*self.graph.shapes[place.x][:-1], units))

    def embedding(self, place: _Place) -> Edge:
        (table,) = self._tensors(place.name, ("weight",)).values()
        if table.value.ndim != 2:
            raise UnusableInput(f"weight has shape {table.value.shape}; it must have two axes")
        if place.x.port != "input" or len(self.graph.shapes[place.x]) != 1:
            raise UnusableInput("takes the model's input; an embedding of what a layer computes is not read")
        return self.graph.map("embed", {}, place.x, table=table)

    def layer_norm(self, place: _Place) -> Edge:
        weights = self._norm(place, ("weight", "bias"))
        return self._normal("layer_normalization", place, {"g": weights["weight"], "b": weights["bias"]})

    def batch_norm(self, place: _Place) -> Edge:
        if len(self.graph.shapes[place.x]) > 1 and not boolean(place.entry.get("transposed", False), "transposed"):
            raise UnusableInput(
                "BatchNorm1d takes (batch, features, time): if the model transposes the sequence before and after it, "
                'say "transposed": true'
            )
        w = self._norm(place, ("weight", "bias", "running_mean", "running_var"), ("running_mean", "running_var"))
        found = {"g": w["weight"], "mu": w["running_mean"], "v": w["running_var"], "b": w["bias"]}
        if (found["v"].value < 0).any():
            raise UnusableInput("running_var holds a number below 0")
        return self._normal("batch_normalization", place, found)

    def _norm(self, place: _Place, names: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Tensor]:
        """The vectors of a normalisation; a scale that lacks is 1, an offset 0 (elementwise_affine or bias False)."""
        found = self._tensors(place.name, needed, names)
        width = self.graph.features(place.x)
        for own, tensor in found.items():
            if tensor.value.shape != (width,):
                raise UnusableInput(f"{own} has shape {tensor.value.shape}; its input has {width} features")
        ones = {"weight": np.ones(width, self.arrays.dtype), "bias": np.zeros(width, self.arrays.dtype)}
        return {own: found[own] if own in found else Tensor(ones[own]) for own in names}

    def _normal(self, kind: str, place: _Place, weights: Mapping[str, Tensor]) -> Edge:
        eps = _number(place.entry.get("eps", 1e-5), "eps")
        return self.graph.pointwise(kind, place.label, {"eps": eps}, weights, place.x)

    def prelu(self, place: _Place) -> Edge:
        width = self.graph.features(place.x)
        (slope,) = self._tensors(place.name, ("weight",)).values()
        if slope.value.shape not in ((1,), (width,)) or (len(self.graph.shapes[place.x]) > 1 and slope.value.size > 1):
            raise UnusableInput(f"weight has shape {slope.value.shape}; one slope for all features is read")
        alpha = Tensor(np.broadcast_to(slope.value, (width,)).copy())
        return self.graph.pointwise("parametric", place.label, {}, {"alpha": alpha}, place.x)

    def activation(self, place: _Place) -> Edge:
        function = place.entry.get("activation")
        if isinstance(function, tuple):
            function = list(function)
        if not isinstance(function, str | list):
            raise UnusableInput('needs an activation, such as "relu" or ["leaky_relu", 0.01]')
        known_activation(function)
        if place.entry.get("dim", -1) not in (-1, len(self.graph.shapes[place.x])):
            raise UnusableInput(f"acts along axis {printable(place.entry['dim'], 20)}; only the last is read")
        return self.graph.pointwise("activation", place.label, {"activation": function}, {}, place.x)

    def time(self, place: _Place) -> Edge:
        """last, mean, max: over the time steps."""
        if len(self.graph.shapes[place.x]) < 2:
            raise UnusableInput("is given one vector, not a sequence")
        return self.graph.map({"mean": "global_mean", "max": "global_max"}.get(place.kind, place.kind), {}, place.x)

    def flatten(self, place: _Place) -> Edge:
        return self.graph.map("flatten", {}, place.x)

    def nothing(self, place: _Place) -> Edge:
        """Dropout and identities: what they are given."""
        return place.x


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
BUILDERS: Mapping[str, Callable[[_Description, _Place], Edge]] = {
    "linear": _Description.linear,
    "embedding": _Description.embedding,
    "layer_norm": _Description.layer_norm,
    "batch_norm": _Description.batch_norm,
    "prelu": _Description.prelu,
    "activation": _Description.activation,
    "last": _Description.time,
    "mean": _Description.time,
    "max": _Description.time,
    "flatten": _Description.flatten,
    "dropout": _Description.nothing,
    "identity": _Description.nothing,
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


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise UnusableInput(f"{what} is {printable(repr(value))}; it must be a number from 0 to below 1")
    return value
