"""The module, its weights as literals, and its test."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symgru.backends.js.body import Body
from symgru.backends.js.functions import Functions
from symgru.backends.model import SPARE
from symgru.backends.numpy.body import Body as Facts
from symgru.backends.numpy.files import title_of
from symgru.backends.numpy.functions import Functions as NumPyFunctions
from symgru.backends.numpy.interface import Interface
from symgru.backends.numpy.literals import literal
from symgru.errors import UnusableInput
from symgru.network import Array, Network, Shape, Tensor, stored
from symgru.readers.decimals import rounded
from symgru.templating import render
from symgru.writing import Content
from symgru.yardstick import Vectors, example_inputs, recorded, table_sizes

# every function of the template js/helpers.js.j2, and what it calls
HELPERS = {
    "each": (),
    "zeros": (),
    "dot": (),
    "total": (),
    "mean": ("total",),
    "split": ("each",),
    "blocks": ("split", "each"),
    "deep": (),
    "along": (),
    "column": (),
    "concatenated": (),
    "part": (),
    "flipUntil": (),
    "reshaped": ("each",),
    "permuted": ("each",),
    "windows": ("each",),
    "float32": (),
    "fits": (),
}


@dataclass(frozen=True)
class Options:
    """`name`: of the module; the network's own where None."""

    name: str | None = None


def module_name(network: Network, options: Options) -> str:
    """The network's name, or the one that was asked for."""
    name = network.name if options.name is None else options.name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,47}", name):
        raise UnusableInput(
            f"--name {name[:60]!r} is no name for a module: it takes letters, digits and _, "
            "starts with a letter and is at most 48 long"
        )
    return name


def files(
    network: Network, options: Options | None = None, x: Tensor | Sequence[Tensor] | None = None
) -> Mapping[str, Content]:
    """{file name: content}: the module and its test, whose input is `x` if given: one tensor, or one for each input.

    Raises Unsupported for a layer that JavaScript does not have.
    """
    options = options or Options()
    name = module_name(network, options)
    text = module(network, options)
    given = example_inputs(network) if x is None else [x] if isinstance(x, Tensor) else list(x)
    # the module rounds its input as the model's framework does, and computes in double precision
    vectors = recorded(network, [stored(each, network.dtype) for each in given], "float64", nearby=True)
    return {f"{name}.mjs": text.encode(), f"test_{name}.mjs": _test(network, name, vectors).encode()}


def _interface(network: Network) -> Interface:
    return Interface(network, Facts(network, NumPyFunctions()))


def module(network: Network, options: Options) -> str:
    """The module without its test."""
    functions, interface = Functions(), _interface(network)
    body = Body(network, functions, interface)
    context: dict[str, object] = {
        "name": module_name(network, options),
        "fingerprint": network.fingerprint,
        "title": title_of(list(body.facts.units.values())),
        "dtype": network.dtype,
        "inputs": [
            {
                "name": body.inputs[put.id],
                "shape": shape_text(put.shape),
                "nested": "number" + "[]" * len(put.shape),
                "fits": "[" + ", ".join("null" if n is None else str(n) for n in put.shape) + "]",
                "open": None in put.shape,
                "whole": put.whole,
                "rows": table_sizes(network).get(put.id),
            }
            for put in interface.open.inputs
        ],
        "outputs": [shape_text(interface.shapes[edge]) for edge in body.facts.ends],
        "nested_y": "number" + "[]" * len(interface.shapes[body.facts.ends[0]]),
        "given": [{"name": f"h_{name}", "units": body.facts.units[name].sizes["H"]} for name in body.facts.given],
        "states": body.states(),
        "gives_some": len(body.facts.given) < len(body.facts.recurrent),
        "streams": interface.streams and bool(body.facts.given),
        "body": list(body.lines()),
        "cells": functions.cells,
        "functions": list(functions.activations.values()),
        "used": functions.used,
        "weights": list(_literals(body)),
        "constants": list(_constants(body)),
    }
    # which helpers are called is seen in the text that calls them
    text = render("js/module.js.j2", helpers=set(), **context)
    return render("js/module.js.j2", helpers=_called(text), **context)


def _called(text: str) -> set[str]:
    found = {name for name in HELPERS if re.search(rf"\b{name}[()]", text)}
    while more := {other for name in found for other in HELPERS[name]} - found:
        found |= more
    return found


def shape_text(shape: Shape) -> str:
    """(time, 3)"""
    names = ["time" if n is None and k == 0 else "any" if n is None else str(n) for k, n in enumerate(shape)]
    return f"({', '.join(names)})" if names else "one number"


def _literals(body: Body) -> Iterator[dict[str, str]]:
    """WEIGHTS, an array each, in the precision in which the model holds it."""
    weights = body.weights
    for layer in body.network.layers.values():
        for name, array in weights.arrays(layer).items():
            spare = array.shape == (1,) and array[0] is SPARE
            texts = np.array("0", dtype=object) if spare else exact_texts(array, weights.dtype(layer))
            wrap = "float32(" if weights.dtype(layer) == "float32" else ""
            yield {
                "says": f"{layer.id}: {name}" + (f" ({SPARE})" if spare else ""),
                "text": wrap + literal(texts, 2 + len(wrap)) + ")" * bool(wrap),
            }


def _constants(body: Body) -> Iterator[dict[str, str]]:
    """What the layers have beside get_weights(), by name."""
    for layer in body.network.layers.values():
        if layer.id not in body.weights.units:
            continue
        unit = body.weights.units[layer.id].folded
        symbols = [s for s in unit.constants if s in unit.cell.params]
        for name, s in zip(body.weights.constants(layer), symbols, strict=True):
            dtype = body.weights.dtype(layer)
            wrap = "float32(" if dtype == "float32" else ""
            text = literal(exact_texts(unit.constants[s].text, dtype), len(f"const {name} = {wrap}"))
            yield {"name": name, "text": wrap + text + ")" * bool(wrap)}


def exact_texts(texts: Array, dtype: str) -> Array:
    """Number texts that JavaScript, which reads them as doubles, turns into the same numbers of `dtype`.

    Rounding a decimal twice, to a double and then to single precision, can go wrong; where it would, the number itself
    is written.
    """
    flat = [str(text) for text in texts.ravel()]
    right = rounded(flat, dtype)
    written = [
        text if np.dtype(dtype).type(float(text)) == value else repr(float(value))
        for text, value in zip(flat, right, strict=True)
    ]
    return np.array(written, dtype=object).reshape(texts.shape)


def _test(network: Network, name: str, vectors: Vectors) -> str:
    interface = _interface(network)
    several = len(vectors.xs) > 1, len(vectors.ys) > 1
    samples = range(len(vectors.x.value))
    return render(
        "js/test.js.j2",
        name=name,
        fingerprint=network.fingerprint,
        xs=[[literal(x.text[k], 4 + 2 * several[0]) for x in vectors.xs] for k in samples],
        ys=[[literal(vectors.texts_of(p)[k], 4 + 2 * several[1]) for p in range(len(vectors.ys))] for k in samples],
        several_y=several[1],
        tolerances=[f"{limit:.2g}" for limit in vectors.tolerances],
        why=textwrap.wrap(f"{vectors.why}.", 100),
        streams=interface.streams and bool(interface.body.given),
        keeps_time=[len(interface.shapes[edge]) > 1 for edge in interface.body.ends],
    )
