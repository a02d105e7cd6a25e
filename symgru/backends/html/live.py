"""What the page's script works with: the network's cells and numbers, and what people do otherwise, as data.

A mistake is a change of a cell, of arrays or of the input, written in Python. The script gets the changed cell as the
engine prints it; a change of arrays is found out by letting it work on numbers that tell where they come from. What
becomes of the input has little to do with a cell: the script has it under the mistake's name (html/sequences.js).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symgru.algebra import Mat, Mean, Select, Total, walk
from symgru.backends.dialect import Dialect
from symgru.backends.html.printer import HTML
from symgru.backends.html.worked import spoken
from symgru.building import build
from symgru.cell import Cell
from symgru.drawing.colours import colours
from symgru.explanation import Explanation
from symgru.maps import MAPS
from symgru.mistake_table import Mistake, mistakes
from symgru.network import Array, Layer, Tensor
from symgru.rules import UNUSED
from symgru.styles.network import negated

COMMON = 2  # rank of the mistakes that every cell of the empty page is printed with, once more for each
COMMONEST = ("gru", "gru_before")  # cells that it is printed with for every mistake
MOST_UNITS, MOST_FEATURES, MOST_STEPS = 4, 4, 24  # of a network whose numbers are fields


@dataclass
class Live:
    """`cells` go to the engine under their names, `data` to the script; sentences are written in the dialect."""

    dialect: Dialect = HTML
    cells: dict[str, Cell] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    def add_mistakes(self, name: str, layer: Layer, known: bool = True, file: Layer | None = None) -> None:
        """What people do otherwise with a layer whose cell has this name. Where its numbers are not `known` yet, only
        what does not depend on them. `file` is the layer as the file has it, where the style writes it otherwise."""
        told = [
            m for k, mistake in enumerate(mistakes(layer)) if (m := self._told(name, layer, mistake, known, file, k))
        ]
        self.data["mistakes"][name] = told

    def _told(
        self, name: str, layer: Layer, mistake: Mistake, known: bool, file: Layer | None, k: int
    ) -> dict[str, Any] | None:
        told: dict[str, Any] = {
            "kind": mistake.kind,
            "name": mistake.name,
            "says": spoken(mistake.says, build(layer.kind, layer.options), self.dialect),
        }
        if mistake.cell and not known and mistake.rank > COMMON and name not in COMMONEST:
            return None
        if mistake.cell:
            told["cell"] = f"{name}_{k}"
            changed = UNUSED(mistake.cell(build(layer.kind, layer.options)))
            if not is_written(changed) or known and _is_alike(changed, layer):
                return None
            self.cells[told["cell"]] = changed
        if mistake.weights:
            view = _written_as(layer, file) if file else dict
            moved = moves(mistake.weights, (file or layer).weights, not known, view)
            if not moved:
                return None
            told["weights"] = moved
        if mistake.inputs:
            told["sequence"] = mistake.name
        if mistake.start is not None:
            told["start"] = mistake.start
        return told


def _is_alike(changed: Cell, layer: Layer) -> bool:
    """Whether all that changes is what biases that are 0 do."""
    own = build(layer.kind, layer.options)
    zero = {s for s in own.params if not isinstance(s, Mat) and layer.weights[s.name].is_zero}
    return changed.without(zero).equations == own.without(zero).equations


def is_written(cell: Cell) -> bool:
    """Whether the engine can write a cell's lines: not those of a normalisation, which needs all units at a time."""
    nodes = {type(node) for _, rhs in cell.equations for node in walk(rhs)}
    return not nodes & {Mean, Total, Select} and {d for dims in cell.dims.values() for d in dims} <= {"H", "D"}


def live(e: Explanation) -> Live | None:
    """For an explained network; None where it is too large for fields, or no chain of layers with equations."""
    layers = [worked.layer for worked in e.layers]  # as the style writes them
    fits = (
        e.network.is_chain
        and not e.others
        and e.x.value.ndim == 3
        and len(layers) == len(e.network.calls)
        and all(layer.kind not in MAPS for layer in layers)
        and all(w.sizes["H"] <= MOST_UNITS and w.sizes["D"] <= MOST_FEATURES for w in e.layers)
        and e.x.value.shape[1] <= MOST_STEPS
    )
    if not fits:
        return None
    found = Live(HTML.styled(e.style), data={"mistakes": {}, "decimals": e.decimals})
    for k, (layer, worked) in enumerate(zip(layers, e.layers, strict=True)):
        found.cells[f"cell{k + 1}"] = build(layer.kind, layer.options)
        if k == 0 and worked.cell.states:
            own = e.network.layers[layer.id]  # somebody takes the file's own arrays otherwise
            found.add_mistakes("cell1", layer, file=None if layer is own else own)
    if not all(map(is_written, found.cells.values())):
        return None
    found.data["model"] = {
        "layers": [
            {
                "cell": f"cell{k + 1}",
                "weights": {p: t.text.tolist() for p, t in layer.weights.items()},
                "timed": worked.timed,
                "sequences": bool(layer.options.get("return_sequences", False)),
                "colours": {name: c.name for name, c in colours(worked.cell).items()},
            }
            for k, (layer, worked) in enumerate(zip(layers, e.layers, strict=True))
        ],
        "x": e.x.text[0].tolist(),
        "start": None,
        "decimals": e.decimals,
    }
    return found


Arrays = Mapping[str, Tensor]


def _written_as(layer: Layer, file: Layer) -> Callable[[Arrays], Arrays]:
    """The arrays of a file as the style writes them: some negated."""
    cell = build(file.kind, file.options)
    return lambda weights: negated(replace(file, weights=weights), cell).weights


def moves(
    change: Callable[[Arrays], Arrays], weights: Arrays, whole: bool, view: Callable[[Arrays], Arrays] = dict
) -> dict[str, Any]:
    """Where each number comes from: an array's name where it is another array as a whole, else the place of every
    number, with a minus before the name where the sign turns. {} where nothing moves, or where it is not moved but
    changed. `whole` allows nothing but whole arrays; `view` is what the page shows of arrays."""
    coded, codes = {}, 1
    for name, tensor in weights.items():
        coded[name] = _numbered(np.arange(codes, codes + tensor.value.size).reshape(tensor.value.shape))
        codes += tensor.value.size
    seen = view(coded)
    places = {int(text): [name, *map(int, at)] for name, t in seen.items() for at, text in np.ndenumerate(t.text)}
    found: dict[str, Any] = {}
    for name, tensor in view(change(coded)).items():
        same = next((other for other, t in seen.items() if np.array_equal(t.text, tensor.text)), None)
        if same == name:
            continue
        if tensor.value.shape != weights[name].value.shape or whole and same is None:
            return {}
        found[name] = same or _placed(tensor.text, places)
    return found


def _numbered(codes: Array) -> Tensor:
    return Tensor(
        codes.astype(np.float64), np.array([str(c) for c in codes.ravel()], dtype=object).reshape(codes.shape)
    )


def _placed(texts: Any, places: Mapping[int, list[Any]]) -> Any:
    if isinstance(texts, np.ndarray):
        return [_placed(row, places) for row in texts]
    name, *at = places.get(int(texts)) or places[-int(texts)]
    return [name if int(texts) in places else f"-{name}", *at]
