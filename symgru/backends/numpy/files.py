"""The module, its weights as literals, and its test."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sympy import Expr

from symgru.activations import LOGISTIC, used_in
from symgru.algebra import Across, Prime, sigma, walk
from symgru.backends.model import Unit, layers
from symgru.backends.numpy.printer import NumPyPrinter
from symgru.backends.straight import StraightOptions
from symgru.cells import BIASES
from symgru.derivatives import is_step, named_parts, prime
from symgru.errors import UnusableInput
from symgru.gradient_vectors import GradientVectors, recorded_gradients
from symgru.network import Array, Network, Tensor
from symgru.templating import render
from symgru.trace import keeps_time
from symgru.writing import Content
from symgru.yardstick import Vectors, recorded

RESERVED = {*keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names, "np", "numpy", "predict", "test"}
WIDTH = 110  # columns of an emitted line
AXES = {"kernel": "(features, {n}units)", "recurrent_kernel": "(units, {n}units)"}


@dataclass(frozen=True)
class Options(StraightOptions):
    """`name`: of the module; the network's own where None. `gradients`: a function `gradients` beside `predict`."""

    name: str | None = None
    gradients: bool = False


def module_name(network: Network, options: Options) -> str:
    """The network's name made fit for a module, or the name that was asked for."""
    if options.name is None:
        return f"{network.name}_gru" if network.name in RESERVED else network.name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,47}", options.name) or options.name in RESERVED:
        raise UnusableInput(
            f"--name {options.name[:60]!r} is no name for a module: it takes letters, digits and _, "
            "starts with a letter, is at most 48 long and not reserved"
        )
    return options.name


def files(network: Network, options: Options | None = None, x: Tensor | None = None) -> Mapping[str, Content]:
    """{file name: content}: the module and its test, whose input is `x` (batch, time, features) if given."""
    options = options or Options()
    name = module_name(network, options)
    line = options.straight(network)
    if line:
        from symgru.backends.numpy.straight import straight_files

        if options.gradients:
            raise UnusableInput("--gradients are emitted for a loop; leave out --unrolled")
        return straight_files(name, line, x)
    vectors = recorded(network, x)
    slopes = recorded_gradients(network, vectors.x) if options.gradients else None
    return {
        f"{name}.py": module(network, options).encode(),
        f"test_{name}.py": _test(network, _common(network, name), vectors, slopes).encode(),
    }


def _common(network: Network, name: str) -> dict[str, str]:
    return {"name": name, "fingerprint": network.fingerprint, "dtype": network.dtype}


def module(network: Network, options: Options) -> str:
    """The module without its test."""
    units = layers(network)
    functions = Functions()
    calls = [functions.name(unit) for unit in units]
    backwards = _backwards(network, units, calls, functions) if options.gradients else None
    return render(
        "numpy/module.py.j2",
        **_common(network, module_name(network, options)),
        title=_title(units),
        features=network.features,
        helpers=functions.helpers,
        functions=functions.activations,
        cells=functions.cells,
        weights=_weights(units),
        x_shape=f"(batch, time, {network.features})",
        y_shape=_output_shape(network, units),
        predict_says="The model's output for a batch of inputs.",
        backwards=backwards,
        **_body(units, calls),
    )


def _backwards(network: Network, units: list[Unit], calls: list[str], functions: Functions) -> dict[str, object]:
    from symgru.backends.numpy.gradients import backwards  # which builds on this module

    return backwards(network, units, calls, functions)


def _title(units: list[Unit]) -> str:
    return ", ".join(f"{unit.cell.name} ({unit.sizes['D']} -> {unit.sizes['H']})" for unit in units)


def _output_shape(network: Network, units: list[Unit]) -> str:
    return f"(batch, {'time, ' if keeps_time(network) else ''}{units[-1].sizes['H']})"


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
        key = unit.cell.equations
        if key not in self._names:
            same = sum(c["kind"] == unit.cell.name for c in self.cells)
            self._names[key] = unit.cell.name + (f"_{same + 1}" if same else "")
            self.cells.append(_cell(unit, self._names[key]))
            for _, e in unit.cell.equations:
                self.use(e)
        return self._names[key]

    def use(self, e: Expr) -> None:
        for node in walk(e):
            if isinstance(node, Across):
                self.helpers.add("softmax")
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


def _cell(unit: Unit, name: str) -> dict[str, object]:
    cell, arrays = unit.cell, list(unit.arrays)
    print_at_t = NumPyPrinter({"x": "x_t", "h1": "h"} if unit.recurrent else {})
    lines = [f"{print_at_t.doprint(lhs)} = {print_at_t.doprint(rhs)}" for lhs, rhs in cell.equations]
    return {
        "name": name,
        "kind": cell.name,
        "recurrent": unit.recurrent,
        "says": cell.source + ".",
        "arrays": arrays,
        "weights": [f"{a} {_axes(unit, a)}" for a in arrays],
        "unpack": _unpack(unit),
        "equations": lines,
        "result": print_at_t.doprint(cell.equations[-1][1]),
    }


def _axes(unit: Unit, array: str) -> str:
    rows = unit.layout.arrays[array]
    n = f"{len(rows[0])} * " if len(rows[0]) > 1 else ""
    biases = f"({len(rows)}, {n}units)" if len(rows) > 1 else f"({n}units,)"
    return AXES.get(array, biases).format(n=n)


def _unpack(unit: Unit) -> list[str]:
    """Lines that cut the framework's arrays into the symbols of the equations."""
    return [
        split(row, f"{array}[{k}]" if len(rows) > 1 else array, "" if array in BIASES else ", axis=1")
        for array, rows in unit.layout.arrays.items()
        for k, row in enumerate(rows)
    ]


def split(symbols: tuple[object, ...], array: str, axis: str) -> str:
    names = ", ".join(map(str, symbols))
    return f"{names} = np.split({array}, {len(symbols)}{axis})" if len(symbols) > 1 else f"{names} = {array}"


def _body(units: list[Unit], calls: list[str]) -> dict[str, object]:
    """The lines of predict: one call a layer."""
    body, states, after, first, source = [], [], [], 0, "x"
    for unit, function in zip(units, calls, strict=True):
        last = first + len(unit.arrays)
        weights = f"weights[{first}:{last}]"
        if unit.recurrent:
            states.append(f"h_{unit.id}")
            after.append(f"new_{unit.id}")
            more = ", return_sequences=True" if unit.sequences else ""
            body.append(f"y = {function}({source}, {weights}, h_{unit.id}{more})")
            body.append(f"new_{unit.id} = y{'[:, -1]' if unit.sequences else ''}")
        else:
            body.append(f"y = {function}({source}, {weights})")
        first, source = last, "y"
    none = ", ".join(["None"] * len(states))
    return {
        "body": body,
        "state_names": states,
        "last_states": after,
        "none_states": f"({none}{',' if len(states) == 1 else ''})",
    }


def _weights(units: list[Unit]) -> list[dict[str, str]]:
    return [
        {"says": f"{unit.id}: {name}", "text": literal(array, len("    np.array("))}
        for unit in units
        for name, array in unit.arrays.items()
    ]


def _literal(number: object) -> str:
    return "-0.0" if number == "-0" else str(number)  # Python reads -0 as the integer 0


def literal(array: Array, column: int) -> str:
    """Number texts as a nested Python list that begins at `column`; long rows are wrapped under their first number."""
    pad = ",\n" + " " * (column + 1)
    if array.ndim > 1:
        return "[" + pad.join(literal(row, column + 1) for row in array) + "]"
    lines = [""]
    for word in map(_literal, array):
        if lines[-1] and column + 1 + len(lines[-1]) + len(word) + 2 > WIDTH:
            lines.append("")
        lines[-1] += f"{', ' if lines[-1] else ''}{word}"
    return "[" + pad.join(lines) + "]"


def _test(network: Network, common: dict[str, str], vectors: Vectors, slopes: GradientVectors | None) -> str:
    return render(
        "numpy/test.py.j2",
        **common,
        x=literal(vectors.x.text, len("X = np.array(")),
        y=literal(vectors.texts, len("Y = np.array(")),
        tolerance=vectors.tolerance_text,
        tolerance_why=vectors.why,
        keeps_time=keeps_time(network),
        slopes=_slopes(network, slopes) if slopes else None,
    )


def _slopes(network: Network, slopes: GradientVectors) -> dict[str, object]:
    """The recorded gradients as literals."""
    exact = slopes.exact
    states = [exact.states[call.id] for call, _ in network if call.id in exact.states]
    return {
        "dy": literal(slopes.dy.text, len("DY = np.array(")),
        "weights": [literal(_doubles(a), len("    np.array(")) for a in exact.arrays(network)],
        "x": literal(_doubles(exact.x), len("DX = np.array(")),
        "states": [literal(_doubles(a), len("    np.array(")) for a in states],
        "tolerance": f"{slopes.tolerance:.2g}",
        "why": slopes.why,
    }


def _doubles(array: Array) -> Array:
    """Decimal objects as the nearest doubles, in their shortest decimals."""
    return np.array([repr(float(v)) for v in array.ravel()], dtype=object).reshape(array.shape)
