"""The functions of an emitted module: each distinct cell once, and the activations that its equations call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from symgru.activations import LOGISTIC, used_in
from symgru.algebra import Across, Mat, Vec, sigma, walk
from symgru.backends.js.printer import JavaScriptPrinter
from symgru.backends.model import Unit
from symgru.backends.numpy.functions import (
    CONVOLUTION,
    base_name,
    is_convolution,
    is_masked,
    parameters,
    several_axes,
)
from symgru.cell import Cell
from symgru.layout import BIASES
from symgru.rules import OPERANDS

IN_TIME = {"x": "x_t", "h1": "h", "m": "mask[t]"}  # inside the loop over time
MASK = frozenset({"m"})


@dataclass(frozen=True)
class Function:
    """An activation."""

    name: str
    says: str
    body: str


@dataclass
class Functions:
    """Each distinct cell once, and the activations they use."""

    cells: list[dict[str, object]] = field(default_factory=list)
    activations: dict[str, Function] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # functions that the template holds
    _names: dict[object, str] = field(default_factory=dict)

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
        for known in used_in(e):
            if known.name not in self.activations:
                self.use(known.meaning)
                self._define(known.name, f"Keras' {known.name}.", known.meaning)
        nodes = list(walk(e))
        self.used |= {str(node.args[0]) for node in nodes if isinstance(node, Across)}
        self.used |= {"erf"} & {type(node).__name__ for node in nodes}
        if any(isinstance(node, sigma) for node in nodes) and "sigmoid" not in self.activations:
            self._define("sigmoid", "The logistic function.", LOGISTIC)

    def _define(self, name: str, says: str, meaning: Expr) -> None:
        self.activations[name] = Function(name, says, JavaScriptPrinter().doprint(meaning))


def _cell(unit: Unit, name: str) -> dict[str, object]:
    cell = OPERANDS(unit.cell)
    return {
        "name": name,
        "recurrent": unit.recurrent,
        "masked": is_masked(unit),
        "says": CONVOLUTION if is_convolution(unit) else cell.source + ".",
        "inputs": [s.name for s in cell.inputs if s is not cell.mask],
        "arrays": parameters(unit),
        "weights": [f"{array} {_axes(unit, array)}" for array in parameters(unit)],
        "unpack": list(_unpack(unit)),
        "units": _units(unit, cell),
        "equations": [line for lhs, rhs in cell.equations for line in _lines(unit, cell, lhs, rhs)],
        "result": _spelled(unit, cell.output),
        "says_x": "size * features numbers, `size` time steps side by side" if is_convolution(unit) else "features",
    }


def _printer(unit: Unit) -> JavaScriptPrinter:
    return JavaScriptPrinter(IN_TIME if unit.recurrent else {}, MASK)


def _spelled(unit: Unit, s: Symbol) -> str:
    return _printer(unit).name(s)


def _lines(unit: Unit, cell: Cell, lhs: Vec, rhs: Expr) -> Iterator[str]:
    """const z = each(units, (i) => ...); the state is not declared again."""
    form = _printer(unit)
    form.line = lhs.name
    if isinstance(rhs, Across):
        value = form.across(rhs)
    else:
        value = f"each({_length(cell, lhs)}, (i) => {form.doprint(rhs)})"
    yield from (f"const {name} = {text};" for name, text in form.sums)
    assigned = {after for _, after in cell.states}
    yield f"{'' if lhs in assigned else 'const '}{form.name(lhs)} = {value};"


def _length(cell: Cell, lhs: Vec) -> str:
    """How many components a line has."""
    return "units" if cell.dims[lhs] == cell.dims[cell.output] else f"{IN_TIME.get('x') if cell.states else 'x'}.length"


def _units(unit: Unit, cell: Cell) -> str:
    if unit.recurrent:
        return "h.length"
    kernel = next((p for p in cell.params if isinstance(p, Mat)), None)
    return f"{kernel or cell.inputs[0]}.length"


def _axes(unit: Unit, array: str) -> str:
    """The shape of an array as get_weights() gives it."""
    rows = unit.blocks.get(array)
    if not unit.layout.kernel:
        return "(not read)" if rows == () else "(several axes)" if array in several_axes(unit) else "(features)"
    if array == "kernel" and is_convolution(unit):
        return "(size, features, units)"
    if not rows:
        return "(units)"
    wide = f"{len(rows[0])} * units" if len(rows[0]) > 1 else "units"
    first = {"kernel": "features, ", "recurrent_kernel": "units, "}.get(
        array, f"{len(rows)}, " if len(rows) > 1 else ""
    )
    return f"({first}{wide})"


def _unpack(unit: Unit) -> Iterator[str]:
    """Lines that cut the framework's arrays into the symbols of the equations."""
    if not unit.layout.kernel:
        for array, rows in unit.blocks.items():
            if rows:
                (symbol,), flat = rows[0], ".flat(Infinity)" if array in several_axes(unit) else ""
                known = symbol.name == array  # as an argument of the function
                if flat or not known:
                    yield f"{'' if known else 'const '}{symbol} = {array}{flat};"
        return
    for array, rows in unit.blocks.items():
        for k, row in enumerate(rows):
            one = f"{array}[{k}]" if len(rows) > 1 else array
            if array in BIASES:
                yield _parts(row, one, "split")
            else:
                yield _parts(row, f"{one}.flat()" if is_convolution(unit) and array == "kernel" else one, "blocks")


def _parts(symbols: tuple[Symbol, ...], array: str, cut: str) -> str:
    names = ", ".join(s.name for s in symbols)
    if len(symbols) == 1 and cut == "split":
        return f"const {names} = {array};"
    return f"const [{names}] = {cut}({array}, {len(symbols)});"
