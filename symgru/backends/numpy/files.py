"""The module, its weights as literals, and its test."""

from __future__ import annotations

import keyword
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgru.backends.model import Unit, layers
from symgru.backends.numpy.body import Body
from symgru.backends.numpy.functions import Functions, base_name
from symgru.backends.numpy.interface import Interface
from symgru.backends.numpy.literals import doubles, literal
from symgru.backends.straight import StraightOptions
from symgru.errors import UnusableInput
from symgru.gradient_vectors import GradientVectors, recorded_gradients
from symgru.maps import HELPERS
from symgru.network import Network, Tensor
from symgru.templating import render
from symgru.writing import Content
from symgru.yardstick import Vectors, recorded

RESERVED = {*keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names, "np", "numpy", "predict", "test"}


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


def files(
    network: Network, options: Options | None = None, x: Tensor | Sequence[Tensor] | None = None
) -> Mapping[str, Content]:
    """{file name: content}: the module and its test, whose input is `x` if given: one tensor, or one for each input."""
    options = options or Options()
    name = module_name(network, options)
    line = options.straight(network)
    if line:
        from symgru.backends.numpy.straight import straight_files

        if options.gradients:
            raise UnusableInput("--gradients are emitted for a loop; leave out --unrolled")
        return straight_files(name, line, x if x is None or isinstance(x, Tensor) else x[0])
    if options.gradients:
        layers(network)  # refuses what they do not take
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
    functions = Functions()
    body = Body(network, functions)
    backwards = None
    if options.gradients:
        backwards = _backwards(network, layers(network), list(body.functions_of.values()), functions)
    return render(
        "numpy/module.py.j2",
        **_common(network, module_name(network, options)),
        title=title_of(list(body.units.values())),
        **_functions(functions),
        weights=list(body.weights.literals()),
        constants=list(body.weights.constant_literals()),
        backwards=backwards,
        body=list(body.lines()),
        features=network.features,
        **Interface(network, body).context(),
    )


def listing(network: Network) -> str:
    """The module's functions of cells and activations alone, for a page that shows them."""
    functions = Functions()
    body = Body(network, functions)
    list(body.lines())  # the functions are those that the lines call
    return render("numpy/listing.py.j2", **_functions(functions))


def _functions(functions: Functions) -> dict[str, object]:
    return {
        "helpers": functions.helpers,
        "map_helpers": [source for name, source in HELPERS.items() if name in functions.helpers],
        "functions": functions.activations,
        "cells": functions.cells,
    }


def _backwards(network: Network, units: list[Unit], calls: list[str], functions: Functions) -> dict[str, object]:
    from symgru.backends.numpy.gradients import backwards  # which builds on this module

    return backwards(network, units, calls, functions)


def title_of(units: list[Unit]) -> str:
    """The layers with weights and their widths, on as many lines as they need."""
    shown = [unit for unit in units if unit.cell.params] or units
    items = [f"{base_name(unit)} ({unit.sizes['D']} -> {unit.sizes['H']})" for unit in shown]
    glued = ", ".join(item.replace(" ", "\0") for item in items)
    return "\n".join(textwrap.wrap(glued, 100, break_long_words=False)).replace("\0", " ")


def _test(network: Network, common: dict[str, str], vectors: Vectors, slopes: GradientVectors | None) -> str:
    functions = Functions()
    body = Body(network, functions)
    return render(
        "numpy/test.py.j2",
        **common,
        tolerance=vectors.tolerance_text,
        tolerance_why=vectors.why,
        slopes=_slopes(network, slopes) if slopes else None,
        **Interface(network, body).recorded(vectors),
    )


def _slopes(network: Network, slopes: GradientVectors) -> dict[str, object]:
    """The recorded gradients as literals."""
    exact = slopes.exact
    states = [exact.states[call.id] for call, _ in network if call.id in exact.states]
    return {
        "dy": literal(slopes.dy.text, len("DY = np.array(")),
        "weights": [literal(doubles(a), len("    np.array(")) for a in exact.arrays(network)],
        "x": literal(doubles(exact.x), len("DX = np.array(")),
        "states": [literal(doubles(a), len("    np.array(")) for a in states],
        "tolerance": f"{slopes.tolerance:.2g}",
        "why": slopes.why,
    }
