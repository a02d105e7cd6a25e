"""The functions of an emitted module: each distinct cell once, and what its equations call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from sympy import Expr

from symgru.activations import LOGISTIC, used_in
from symgru.algebra import Across, Prime, Select, sigma, walk
from symgru.backends.model import Unit
from symgru.backends.numpy.printer import NumPyPrinter
from symgru.derivatives import is_step, named_parts, prime
from symgru.layout import BIASES

AXES = {"kernel": "(features, {n}units)", "recurrent_kernel": "(units, {n}units)"}
CONVOLUTION = "Keras' Conv1D (keras/src/layers/convolutional/conv1d.py), for the windows of its input."
STEP_NAMES = {"x": "x_t", "h1": "h", "h2": "new", "m": "mask[:, t, None]"}  # inside the loop over time


@dataclass(frozen=True)
class _Function:
    name: str
    says: str
    lines: list[str]
    body: str


class Functions:
    """Each distinct cell once, and the activations they use."""

    def __init__(self) -> None:
        self.cells: list[dict[str, object]] = []
        self.helpers: set[str] = set()
        self.activations: list[_Function] = []
        self._names: dict[object, str] = {}

    def name(self, unit: Unit) -> str:
        """The function that computes a unit, which is written if it is not there yet."""
        unit = unit.folded
        key = (unit.cell.equations, *parameters(unit), is_convolution(unit), *several_axes(unit))
        if key not in self._names:
            base = base_name(unit)
            same = sum(c["base"] == base for c in self.cells)
            self._names[key] = base + (f"_{same + 1}" if same else "")
            self.cells.append({"base": base, **_cell(unit, self._names[key])})
            for _, e in unit.cell.equations:
                self.use(e)
        return self._names[key]

    def use(self, e: Expr) -> None:
        """Define what an expression calls."""
        for node in walk(e):
            if isinstance(node, Across):
                self.helpers.add(str(node.args[0]))
            if isinstance(node, Prime):
                self._derivative(str(node.args[0]))
        for known in used_in(e):
            if known.name not in {f.name for f in self.activations}:
                self.use(known.meaning)
                self._define(known.name, f"Keras' {known.name}.", known.meaning)
        heads = {type(node).__name__ for node in walk(e)}
        self.helpers |= heads & {"erf", "gauss"}
        if sigma.__name__ in heads and "sigmoid" not in {f.name for f in self.activations}:
            self._define("sigmoid", "The logistic function.", LOGISTIC)

    def _derivative(self, name: str) -> None:
        if f"{name}_prime" not in {f.name for f in self.activations}:
            self.use(prime(name))
            self._define(f"{name}_prime", f"The derivative of {name}.", prime(name))

    def _define(self, name: str, says: str, meaning: Expr) -> None:
        form, (parts, rest) = NumPyPrinter(), named_parts(meaning)
        body = form.doprint(rest)
        if any(map(is_step, walk(meaning))):  # np.where gives integers or doubles
            body = f"{body if rest.is_Function else f'({body})'}.astype(a.dtype)"
        self.activations.append(_Function(name, says, [f"{s} = {form.doprint(e)}" for s, e in parts], body))


def is_masked(unit: Unit) -> bool:
    """Whether the cell takes a mask."""
    return unit.recurrent and any(isinstance(e, Select) for _, e in unit.cell.equations)


def is_convolution(unit: Unit) -> bool:
    """Whether the layer's kernel has an axis for the time steps beside each other."""
    return "kernel_shape" in unit.layer.options


def several_axes(unit: Unit) -> tuple[str, ...]:
    """The arrays that have several axes in get_weights(), and one here."""
    return tuple(cast("Mapping[str, object]", unit.layer.options.get("array_shapes", {})))


def is_inline(unit: Unit) -> bool:
    """Whether a call is an expression where it stands: one equation without weights."""
    return not unit.recurrent and not unit.cell.params and len(unit.cell.equations) == 1


def parameters(unit: Unit) -> list[str]:
    """What the function is given as its weights: the framework's arrays, then the layer's constants."""
    return [*unit.blocks, *(symbol.name for symbol in unit.constants if symbol in unit.cell.params)]


def _unpacked(unit: Unit) -> list[str]:
    """The variables for them: an array that holds one symbol of a layer without matrices has its name."""
    if unit.layout.kernel:
        return parameters(unit)
    own = [str(rows[0][0]) if rows else "_" for rows in unit.blocks.values()]
    return [*own, *parameters(unit)[len(own) :]]


def base_name(unit: Unit) -> str:
    """What a unit's function is called, but for a number behind it."""
    if is_convolution(unit):
        return "convolution"
    return f"masked_{unit.cell.name}" if is_masked(unit) else unit.cell.name


def _cell(unit: Unit, name: str) -> dict[str, object]:
    cell = unit.cell
    form = NumPyPrinter(STEP_NAMES if unit.recurrent else {})
    lines = [f"{form.doprint(lhs)} = {form.doprint(rhs)}" for lhs, rhs in cell.equations]
    return {
        "name": name,
        "kind": cell.name,
        "recurrent": unit.recurrent,
        "masked": is_masked(unit),
        "convolution": is_convolution(unit),
        "units": "units" if unit.layout.kernel else "features",
        "says": CONVOLUTION if is_convolution(unit) else cell.source + ".",
        "arrays": _unpacked(unit),
        "weights": [f"{array} {_axes(unit, array)}" for array in parameters(unit)],
        "unpack": _unpack(unit),
        "equations": lines,
        "result": form.doprint(cell.equations[-1][1]),
    }


def _axes(unit: Unit, array: str) -> str:
    rows = unit.blocks.get(array)
    if not unit.layout.kernel:
        return "(not read)" if rows == () else "(several axes)" if array in several_axes(unit) else "(features,)"
    if array == "kernel" and is_convolution(unit):
        return "(size, features, units)"
    if not rows:
        return "(units,)"
    n = f"{len(rows[0])} * " if len(rows[0]) > 1 else ""
    biases = f"({len(rows)}, {n}units)" if len(rows) > 1 else f"({n}units,)"
    return AXES.get(array, biases).format(n=n)


def _unpack(unit: Unit) -> list[str]:
    """Lines that cut the framework's arrays into the symbols of the equations."""
    if not unit.layout.kernel:
        symbols = (str(unit.blocks[array][0][0]) for array in several_axes(unit) if unit.blocks.get(array))
        return [f"{name} = {name}.reshape(-1)" for name in symbols]
    if is_convolution(unit):
        (kernel,), *others = unit.layout.arrays.values()
        biases = [split(row, "bias", "") for (row,) in others]
        return [f"{kernel[0]} = kernel.reshape(-1, kernel.shape[-1])", *biases]
    return [
        split(row, f"{array}[{k}]" if len(rows) > 1 else array, "" if array in BIASES else ", axis=1")
        for array, rows in unit.blocks.items()
        for k, row in enumerate(rows)
    ]


def split(symbols: tuple[object, ...], array: str, axis: str) -> str:
    """One line that names the blocks of an array."""
    names = ", ".join(map(str, symbols))
    return f"{names} = np.split({array}, {len(symbols)}{axis})" if len(symbols) > 1 else f"{names} = {array}"
