"""The layers of a model that hold weights, in order, and what its framework calls their arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from symgru.building import build
from symgru.conventions import CONVENTIONS, TABLE, Convention
from symgru.maps import MAPS
from symgru.network import Call, Layer, Network

FLIPS = ("flip", "flip_until")
TORCH_ENDINGS = (".pt", ".pth", ".safetensors")
KERAS_ENDINGS = (".keras", ".h5", ".hdf5")
NAMELESS = ("gru.", "gru_cell.", "rnn.", "rnn_cell.")  # what the reader calls a module without a name
ONE_STEP = "a cell of PyTorch computes one step"
_TORCH_LABEL = re.compile(r"(.*?)(_l\d+)?(_reverse)?", re.DOTALL)


@dataclass(frozen=True)
class Station:
    """A layer with weights as a model calls it; `backward` ones are given the sequence from its end. `convention` is
    how the model's framework lays out its arrays, None where that is not known."""

    call: Call
    layer: Layer
    backward: bool = False
    convention: Convention | None = None
    one_step: bool = False  # a torch cell, whose arrays' names have no ending

    @property
    def recurrent(self) -> bool:
        return self.layer.kind not in MAPS and bool(build(self.layer.kind, self.layer.options).states)

    @property
    def framework(self) -> str:
        """keras, torch, onnx ...; "" where it is not known."""
        return self.convention.name.partition("_")[0] if self.convention else ""

    @property
    def arrays(self) -> Mapping[str, str]:
        """What the file calls each array of the convention: gru.weight_ih_l0 for weight_ih."""
        if self.convention is None:
            return {}
        head, end = self.ends
        if self.framework != "torch":
            return {name: name for name in self.convention.arrays}
        return {name: f"{'' if self.nameless else head}{name}{end}" for name in self.convention.arrays}

    @property
    def ends(self) -> tuple[str, str]:
        """What stands before and behind an array's name in a state_dict: ("gru.", "_l0")."""
        if not self.recurrent or self.one_step:
            return f"{self.layer.label}.", ""
        match = _TORCH_LABEL.fullmatch(self.layer.label)
        assert match
        stem, number, back = match.groups()
        return f"{stem}.", f"{number or '_l0'}{back or ''}"

    @property
    def nameless(self) -> bool:
        """Whether it may be a module that was saved by itself, whose arrays' names have nothing before them."""
        return self.framework == "torch" and self.ends[0] in NAMELESS


def stations(network: Network) -> list[Station]:
    """The layers that hold weights, as they are called."""
    kinds = {call.id: layer.kind for call, layer in network}
    one_step = any(note.startswith(ONE_STEP) for note in network.notes)
    return [
        Station(
            call,
            layer,
            call.args[0].port == "y" and kinds[call.args[0].source] in FLIPS,
            _convention(layer, network),
            one_step,
        )
        for call, layer in network
        if layer.weights
    ]


def _convention(layer: Layer, network: Network) -> Convention | None:
    """As the reader said it in the layer's notes; Keras' own layers have none."""
    named = [c for c in TABLE for note in layer.notes if note.startswith(f"read as {c.title}:")]
    if named:
        return named[0]
    ending = PurePath(network.origin).suffix.lower()
    if layer.kind == "dense" and not layer.options.get("kernel_shape"):
        torch = ending in TORCH_ENDINGS or any("PyTorch" in n for each in network.layers.values() for n in each.notes)
        name = "torch_linear" if torch else "keras_dense" if ending in (*KERAS_ENDINGS, "") else ""
        return CONVENTIONS.get(name)
    if layer.kind == "gru" and ending in (*KERAS_ENDINGS, ".json", ".txt", ""):
        return CONVENTIONS["keras" if layer.options.get("reset_after", True) else "keras_before"]
    return None


Alone = tuple[tuple[Station, ...], tuple[Station, ...]]


def pairs(network: Network, other: Network) -> tuple[list[tuple[Station, Station]], Alone]:
    """Layers of both in order: recurrent ones with recurrent ones, the others by their kinds; and what is left."""
    own, its = (_by_kind(stations(each)) for each in (network, other))
    places = {call.id: k for k, call in enumerate(network.calls)}
    found = [both for kind in own for both in zip(own[kind], its.get(kind, []), strict=False)]
    found.sort(key=lambda both: places[both[0].call.id])
    return found, (_left(own, its), _left(its, own))


def _by_kind(each: Sequence[Station]) -> dict[str, list[Station]]:
    found: dict[str, list[Station]] = {}
    for s in each:
        found.setdefault("recurrent" if s.recurrent else s.layer.kind, []).append(s)
    return found


def _left(own: Mapping[str, list[Station]], its: Mapping[str, list[Station]]) -> tuple[Station, ...]:
    return tuple(s for kind, each in own.items() for s in each[len(its.get(kind, [])) :])
