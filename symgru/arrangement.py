"""A framework's arrays and the canonical weights of a cell, translated both ways by what a Convention says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from symgru.blocks import Block, Grid
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Tensor

MAX_UNITS = 65_536
Shape = tuple[int, ...]
RULES = {  # reset gate before or after the product, and what the update gate keeps
    "gru": ("after", "keep"),
    "gru_before": ("before", "keep"),
    "gru_new": ("after", "new"),
    "fully_gated": ("before", "new"),
    "mgu_after": ("after", "keep"),
    "ligru": ("none", "keep"),
    "simple": ("none", "none"),
}


@dataclass(frozen=True)
class Convention:
    """`text` has one line for each array; `zero` are parameters of the cell that the framework has not: they are 0.

    `cell` is a name in cells.CELLS. `optional` says that a layer without biases lacks their arrays; `flat` that the
    arrays may come as one row of numbers. `checked` names what it was compared with; empty where only the source was
    read. `options` are those of the layer that differ from the cell's own.
    """

    name: str
    title: str
    source: str
    cell: str
    text: str
    zero: tuple[str, ...] = ()
    optional: bool = True
    flat: bool = False
    checked: str = ""
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"
    fixed: bool = False  # no other activations can be chosen
    last: bool = False  # the framework's layer gives its last step unless it is asked for every one
    notes: tuple[str, ...] = ()

    @cached_property
    def arrays(self) -> Mapping[str, Grid]:
        """Each array by its name in the framework."""
        lines = (line.strip().partition(": ") for line in self.text.strip().splitlines())
        return {name: Grid.parse(blocks) for name, _, blocks in lines}

    @cached_property
    def params(self) -> tuple[str, ...]:
        """The weights that lie in the arrays, kernels first, each kind in the order of the equations."""
        found = {name for grid in self.arrays.values() for block in grid.blocks for name in block.names}
        return tuple(sorted({*found, *self.zero}, key=_order))

    @cached_property
    def biases(self) -> tuple[str, ...]:
        """The arrays that hold biases."""
        return tuple(name for name, grid in self.arrays.items() if grid.is_bias)

    @property
    def kind(self) -> str:
        """The kind of a Layer that computes it."""
        return "gru" if self.cell == "gru_before" else self.cell

    def read_as(self, arrays: Iterable[str]) -> str:
        """A note that says where the gates lie in a framework's own kernels, which are shown in Keras' form."""
        kernels = ", ".join(self.equation(name) for name in arrays if name in self.arrays and name not in self.biases)
        return f"read as {self.title}: {kernels}"

    def equation(self, array: str) -> str:
        """What lies in an array: `weight_ih = [W_r; W_z; W_n]`."""
        return f"{array} = {self.arrays[array]}"


def stacked(notes: Iterable[str]) -> tuple[str, ...]:
    """The gates as a layer's file stacks them, from what `read_as` noted of it; () for Keras' own order."""
    for note in notes:
        if note.startswith("read as ") and (found := re.search(r"= \[(W_\w+(?:(?:;| \|) W_\w+)+)\]", note)):
            return tuple(name.removeprefix("W_") for name in re.findall(r"W_\w+", found[1]))
    return ()


def _order(name: str) -> tuple[int, str, int]:
    letter, _, gate = name.partition("_")
    return "WUbc".find(letter), letter, "fzrn".find(gate)


def split(convention: Convention, arrays: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A framework's arrays as canonical weights. Biases are left out where the layer has none.

    Raises UnusableInput that names the array, its shape and what it must be.
    """
    H, D = sizes(convention, arrays)
    found: dict[str, Tensor] = {}
    for name, grid in convention.arrays.items():
        if name not in arrays:
            continue
        array, shape = arrays[name], grid.shape(H, D)
        if convention.flat and array.value.shape != shape:
            array = _reshaped(array, shape)
        for block, weight in grid.cut(array, H, D):
            first, *others = block.names
            found[first] = _added(found[first], weight) if block.more else weight
            found |= {other: _zero(weight) for other in others}
    biased = any(name[0] in "bc" for name in found)
    like = found[convention.params[0]]
    for name in convention.zero:
        if biased:
            found[name] = Tensor(np.zeros(H, like.value.dtype))
    return {name: found[name] for name in convention.params if name in found}


def sizes(convention: Convention, arrays: Mapping[str, Tensor]) -> tuple[int, int]:
    """Units and features, from arrays whose names and shapes are checked here."""
    unknown = [name for name in arrays if name not in convention.arrays]
    needed = [name for name in convention.arrays if name not in convention.biases]
    there = [name for name in convention.biases if name in arrays]
    if there or not convention.optional:
        needed = list(convention.arrays)
    missing = [name for name in needed if name not in arrays]
    if unknown or missing:
        problem = f"has no {missing[0]}" if missing else f"has an array {unknown[0][:60]!a}"
        raise UnusableInput(f"{problem}; {convention.title} has {', '.join(convention.arrays)}")
    shapes = {name: array.value.shape for name, array in arrays.items()}
    H, D = _solve(convention, shapes)
    for name, grid in convention.arrays.items():
        if name in arrays and not _fits(convention, shapes[name], grid.shape(H, D)):
            raise UnusableInput(
                f"{name} has shape {shapes[name]}; with {H} units and {D} features it must be {grid.shape(H, D)}"
            )
    return H, D


def join(convention: Convention, weights: Mapping[str, Tensor | Array]) -> dict[str, Array]:
    """Canonical weights as the framework's arrays, in its order; biases that lack are 0 where it must have them.

    Raises Unsupported where a parameter that the framework has not is not 0.
    """
    values = {name: w.value if isinstance(w, Tensor) else w for name, w in weights.items()}
    H, D = values[convention.params[0]].shape
    held = {name for grid in convention.arrays.values() for block in grid.blocks for name in block.names}
    for name, value in values.items():
        if name not in held and value.any():
            raise Unsupported(f"{convention.title} has no place for {name}, which is not 0 here")
    biased = any(name[0] in "bc" for name in values) or not convention.optional
    return {name: grid.lay(values, H, D) for name, grid in convention.arrays.items() if biased or not grid.is_bias}


def rewritten(convention: Convention, cell: str) -> Convention:
    """The convention for the weights of another cell that computes the same: the update gate turned round.

    z -> 1 - z is W_z, U_z, b_z negated, which holds for sigmoid and hard_sigmoid gates. Raises Unsupported where the
    cells differ in more.
    """
    if cell == convention.cell:
        return convention
    (reset, update), (other, turned) = (RULES.get(each, ("", each)) for each in (convention.cell, cell))
    if reset != other or {update, turned} != {"keep", "new"}:
        raise Unsupported(f"{convention.title} cannot express the cell {cell}")
    lines = []
    for name, grid in convention.arrays.items():
        rows = [" | ".join(_source(block, "_z" in block.names[0]) for block in row) for row in grid.rows]
        lines.append(f"{name}: {' ; '.join(rows)}")
    return replace(convention, cell=cell, text="\n".join(lines))


def _source(block: Block, negate: bool) -> str:
    sign = "-" if block.negated != negate else "+" if block.more else ""
    return sign + block.names[0] + block.turned + "".join(f" + {name}" for name in block.names[1:])


def options(convention: Convention, weights: Mapping[str, Tensor]) -> dict[str, object]:
    """The options of a Layer with these weights, its activations the framework's own defaults."""
    found: dict[str, object] = {"units": next(iter(weights.values())).value.shape[0]}
    if convention.kind == "gru":
        found["reset_after"] = convention.cell == "gru"
    found["use_bias"] = any(name[0] in "bc" for name in weights)
    if convention.cell == "dense":
        return found | {"activation": "linear"}
    found["activation"] = convention.activation
    return found if convention.cell == "simple" else {**found, "recurrent_activation": convention.recurrent_activation}


def _solve(convention: Convention, shapes: Mapping[str, Shape]) -> tuple[int, int]:
    """H from the axis that the units alone give (the recurrent kernel's first), then D."""
    H = D = 0
    grids = sorted(
        ((name, grid) for name, grid in convention.arrays.items() if name in shapes),
        key=lambda item: (item[1].blocks[0].names[0][0] not in "Uc", item[1].is_bias),
    )
    for want in ("H", "D"):
        for name, grid in grids:
            shape = shapes[name]
            if len(shape) != len(grid.lengths) and not convention.flat:
                raise UnusableInput(f"{name} has shape {shape}; it must have {_axes(len(grid.lengths))}")
            total = int(np.prod(shape, dtype=object)) if convention.flat else 0
            for axis, (h, d, k) in enumerate(grid.lengths):
                if want == "H" and not H and h and not d and not k:
                    H = _units(convention, name, grid, shape, axis, total)
                if want == "D" and not D and d:
                    D = (total // max(1, _other(grid, axis, H))) if convention.flat else (shape[axis] - h * H) // d
    H, D = H or 1, D if any(d for _, grid in grids for _, d, _ in grid.lengths) else 1
    if not (1 <= H <= MAX_UNITS and 1 <= D <= MAX_UNITS):
        raise UnusableInput(f"the shapes give {H} units and {D} features; from 1 to {MAX_UNITS} of each are read")
    return H, D


def _units(convention: Convention, name: str, grid: Grid, shape: Shape, axis: int, total: int) -> int:
    if not convention.flat:
        return shape[axis] // grid.lengths[axis][0]
    numbers = sum(len(block.lengths) == 1 for block in grid.blocks)
    return total // numbers if numbers else round((total / len(grid.blocks)) ** 0.5)


def _other(grid: Grid, axis: int, H: int) -> int:
    """How many numbers a flat kernel holds for each feature."""
    return len(grid.blocks) * H


def _fits(convention: Convention, found: Shape, shape: Shape) -> bool:
    same = np.prod(found, dtype=object) == np.prod(shape, dtype=object)
    one_row = len(found) == 1 or found[1:] == (1,)
    return found == shape or bool(convention.flat and same and one_row)


def _axes(n: int) -> str:
    return f"{n} axes" if n > 1 else "one axis"


def _reshaped(array: Tensor, shape: Shape) -> Tensor:
    return Tensor(array.value.reshape(shape), array.text.reshape(shape))


def _added(one: Tensor, other: Tensor) -> Tensor:
    return one if other.is_zero else Tensor(one.value + other.value)


def _zero(like: Tensor) -> Tensor:
    return Tensor(np.zeros_like(like.value))
