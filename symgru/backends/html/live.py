"""What the page's script works with: the network's cells and numbers, and what people do otherwise, as data.

A mistake is a change of a cell, of arrays or of the input, written in Python. The script gets the changed cell as the
engine prints it; a change of arrays or of the input is found out by letting it work on numbers that tell where they
come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import numpy as np
from sympy import Expr

from symgru.algebra import Mat, Mean, Select, Total, Vec, walk
from symgru.backends.html.worked import spoken
from symgru.building import build
from symgru.cell import Cell
from symgru.drawing.colours import colours
from symgru.explanation import Explanation
from symgru.maps import MAPS
from symgru.mistake_table import Mistake, mistakes
from symgru.network import Array, Layer, Tensor

COMMON = 2  # rank of the mistakes that every cell of the empty page is printed with, once more for each
MOST_UNITS, MOST_FEATURES, MOST_STEPS = 4, 4, 24  # of a network whose numbers are fields


@dataclass
class Live:
    """`cells` go to the engine under their names, `data` to the script."""

    cells: dict[str, Cell] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    def add_mistakes(self, name: str, layer: Layer, shape: tuple[int, int] | None) -> None:
        """What people do otherwise with a layer whose cell has this name; `shape` are the steps and features of its
        input, None where it is not known yet."""
        told = [m for k, mistake in enumerate(mistakes(layer)) if (m := self._told(name, layer, mistake, shape, k))]
        self.data["mistakes"][name] = told

    def _told(
        self, name: str, layer: Layer, mistake: Mistake, shape: tuple[int, int] | None, k: int
    ) -> dict[str, Any] | None:
        told: dict[str, Any] = {"kind": mistake.kind, "name": mistake.name, "says": spoken(mistake.says)}
        if mistake.cell and shape is None and mistake.rank > COMMON:
            return None
        if mistake.cell:
            told["cell"] = f"{name}_{k}"
            changed = needed(mistake.cell(build(layer.kind, layer.options)))
            if not is_written(changed) or shape and _is_alike(changed, layer):
                return None
            self.cells[told["cell"]] = changed
        if mistake.weights:
            moved = moves(mistake.weights, layer.weights, whole=shape is None)
            if not moved:
                return None
            told["weights"] = moved
        if mistake.inputs:
            sums = shape and sums_of_inputs(mistake.inputs, *shape)
            if not sums:
                return None
            told["inputs"] = sums
        if mistake.start is not None:
            told["start"] = mistake.start
        return told


def _is_alike(changed: Cell, layer: Layer) -> bool:
    """Whether all that changes is what biases that are 0 do."""
    own = build(layer.kind, layer.options)
    zero = {s for s in own.params if not isinstance(s, Mat) and layer.weights[s.name].is_zero}
    return changed.without(zero).equations == own.without(zero).equations


def needed(cell: Cell) -> Cell:
    """The cell without what its output does not need: a gate that nothing reads any more."""
    kept: list[tuple[Vec, Expr]] = []
    read = {cell.output}
    for lhs, rhs in reversed(cell.equations):
        if lhs in read:
            kept.append((lhs, rhs))
            read |= {s for s in walk(rhs) if isinstance(s, Vec)}
    return cell.with_equations(tuple(reversed(kept)))


def is_written(cell: Cell) -> bool:
    """Whether the engine can write a cell's lines: not those of a normalisation, which needs all units at a time."""
    nodes = {type(node) for _, rhs in cell.equations for node in walk(rhs)}
    return not nodes & {Mean, Total, Select} and {d for dims in cell.dims.values() for d in dims} <= {"H", "D"}


def live(e: Explanation) -> Live | None:
    """For an explained network; None where it is too large for fields, or no chain of layers with equations."""
    steps, features = e.x.value.shape[1], e.x.value.shape[-1]
    layers = [worked.layer for worked in e.layers]  # as the style writes them
    fits = (
        e.network.is_chain
        and not e.others
        and e.x.value.ndim == 3
        and len(layers) == len(e.network.calls)
        and all(layer.kind not in MAPS for layer in layers)
        and all(w.sizes["H"] <= MOST_UNITS and w.sizes["D"] <= MOST_FEATURES for w in e.layers)
        and steps <= MOST_STEPS
    )
    if not fits:
        return None
    found = Live(data={"mistakes": {}, "decimals": e.decimals})
    for k, (layer, worked) in enumerate(zip(layers, e.layers, strict=True)):
        found.cells[f"cell{k + 1}"] = build(layer.kind, layer.options)
        if k == 0 and worked.cell.states:
            found.add_mistakes("cell1", layer, (steps, features))
            if layer is not e.network.layers[layer.id]:  # somebody takes the file's own arrays otherwise
                kept = [m for m in found.data["mistakes"]["cell1"] if "weights" not in m]
                found.data["mistakes"]["cell1"] = kept
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


def moves(
    change: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]], weights: Mapping[str, Tensor], whole: bool
) -> dict[str, Any]:
    """Where each number comes from: an array's name where it is another array as a whole, else the place of every
    number. {} where nothing moves, or where it is not moved but changed. `whole` allows nothing but whole arrays."""
    places: list[list[Any]] = []
    coded: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        codes = np.arange(len(places), len(places) + tensor.value.size).reshape(tensor.value.shape)
        places += [[name, *map(int, at)] for at in np.ndindex(tensor.value.shape)]
        coded[name] = _numbered(codes)
    found: dict[str, Any] = {}
    for name, tensor in change(coded).items():
        same = next((other for other, t in coded.items() if np.array_equal(t.text, tensor.text)), None)
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


def _placed(texts: Any, places: list[list[Any]]) -> Any:
    return [_placed(row, places) for row in texts] if isinstance(texts, np.ndarray) else places[int(texts)]


def sums_of_inputs(change: Callable[[Tensor], Tensor], steps: int, features: int) -> list[list[list[list[Any]]]] | None:
    """Every number of the new input as a sum of old ones, [[step, feature, factor], ...]; None for a change that is
    no such sum, or none."""

    def changed(numbers: Array) -> Array:
        texts = np.array([str(int(v)) for v in numbers.ravel()], dtype=object).reshape(numbers.shape)
        new = change(Tensor(numbers.astype(np.float64), texts)).text[0]
        return cast(Array, np.frompyfunc(Decimal, 1, 1)(new))

    try:
        trial = np.arange(3, 3 + steps * features).reshape(1, steps, features) ** 2
        new = changed(trial)
        columns = []
        for k in range(steps * features):
            more = trial.copy()
            more.reshape(-1)[k] += 1
            columns.append(changed(more) - new)
    except (InvalidOperation, ValueError):
        return None
    total = sum((int(v) * c for v, c in zip(trial.ravel(), columns, strict=True)), start=0 * new)
    if (
        any(abs(v) > Decimal("1e-9") for v in (total - new).ravel())
        or new.shape == trial.shape[1:]
        and (new == trial[0]).all()
    ):
        return None
    return [[list(_terms(columns, t, f, features)) for f in range(new.shape[1])] for t in range(new.shape[0])]


def _terms(columns: list[Array], t: int, f: int, features: int) -> Iterator[list[Any]]:
    for k, column in enumerate(columns):
        if column[t, f]:
            factor = float(column[t, f])
            yield [k // features, k % features, int(factor) if factor == int(factor) else factor]
