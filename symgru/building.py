"""What a layer's kind and options mean: its cell, with its activations and numbers put in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from math import isfinite
from typing import Any, cast

from sympy import Expr, Rational, oo, tanh

from symgru.activations import activation, clip
from symgru.algebra import Across, Mat, sigma, walk
from symgru.cell import Cell, x
from symgru.cells import CELLS, relu
from symgru.errors import Unsupported
from symgru.maps import MAPS
from symgru.network import Layer, Network
from symgru.pointwise import MAX_INPUTS, MERGED, NUMBERS, STATELESS, merged, phi

OUTPUT_FUNCTIONS = (tanh, relu(x).func, phi)  # what a layer's option `activation` exchanges
SWAPPED = "_swapped"  # ends the kind of a layer that is written with the other update rule
SWITCHES = ("use_bias", "reset_after", "return_sequences", "stateful")  # options that are true or false


def build(kind: str, options: Mapping[str, object]) -> Cell:
    """The cell of a layer: its equations with its activations, without its biases where use_bias is False.

    `activation` and `recurrent_activation` are what `activations.activation` takes; `clip` keeps what goes into an
    activation within that bound of 0 (ONNX). Raises Unsupported for an option of the wrong type: Keras takes the text
    "False" for true.
    """
    if not isinstance(kind, str):
        _check(kind, options)  # which refuses it
    return _built(kind, _Options(options))


def only_layer(network: Network) -> Layer:
    """The layer of a network that is one recurrent layer. Raises Unsupported for any other."""
    (_, layer), *others = network
    if others or layer.kind in MAPS or not build(layer.kind, layer.options).states:
        raise Unsupported("this is done for a network of one recurrent layer and nothing else")
    return layer


class _Options(dict[str, object]):
    """Options as a key: those that are written alike are alike."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(repr(self))

    def __eq__(self, other: object) -> bool:  # 1 and True are equal, and only one of them is a switch
        return repr(self) == repr(other)


@lru_cache(maxsize=512)
def _built(kind: str, options: _Options) -> Cell:
    _check(kind, options)
    if kind.endswith(SWAPPED):
        from symgru.update_rules import SWAPPED_UPDATE  # which builds cells in turn

        return SWAPPED_UPDATE(build(kind.removesuffix(SWAPPED), options))
    name = _page(kind, options)
    if name in MERGED:
        return merged(name, cast(int, options.get("inputs", 2)))
    if name not in CELLS and name not in STATELESS:
        raise Unsupported(f"no cell is called {name[:60]!r}; known are {', '.join(CELLS)}")
    numbers = {s: _number(options[s.name]) for s in NUMBERS if s.name in options}
    cell = (CELLS.get(name) or STATELESS[name]).filled(numbers)
    if not options.get("use_bias", True):
        cell = cell.without({p for p in cell.params if not isinstance(p, Mat)})
    made = cell.activated(_functions(options))
    if any(isinstance(s, Across) and s.args[1].is_number for _, e in made.equations for s in walk(e)):
        raise Unsupported(f"{name}: a gate without input, state and bias has no units to take softmax over")
    return made


def _page(kind: str, options: Mapping[str, object]) -> str:
    """The name of the equations: those of two kinds are chosen by an option."""
    if kind == "gru" and not options.get("reset_after", True):
        return "gru_before"
    if kind == "rectified" and options.get("threshold", 0):
        return "rectified_above"
    return kind


def _functions(options: Mapping[str, object]) -> dict[Any, Any]:
    """What the equations' functions are exchanged for."""
    functions: dict[Any, Any] = {phi: activation("linear")}
    if "activation" in options:
        functions |= dict.fromkeys(OUTPUT_FUNCTIONS, activation(options["activation"]))
    if "recurrent_activation" in options:
        functions[sigma] = activation(options["recurrent_activation"])
    bound = options.get("clip")
    if bound is None:
        return functions
    usual = {sigma: activation("sigmoid"), tanh: activation("tanh"), OUTPUT_FUNCTIONS[1]: relu}
    return {f: partial(_clipped, inner, _number(bound)) for f, inner in (usual | functions).items()}


def _clipped(function: Callable[[Expr], Expr], bound: Expr, e: Expr) -> Expr:
    return function(cast(Expr, clip(e, -bound, bound, evaluate=False)))


def _check(kind: str, options: Mapping[str, object]) -> None:
    """Refuse options of the wrong type."""
    if not isinstance(kind, str):
        raise Unsupported(f"a cell's name is {str(kind)[:60]!r}; it must be a text such as 'gru'")
    for name in SWITCHES:
        if not isinstance(options.get(name, True), bool):
            raise Unsupported(f"{name} is {str(options[name])[:60]!r}; it must be true or false")
    for name in (*(s.name for s in NUMBERS), "clip"):
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value)):
            raise Unsupported(f"{name} is {str(value)[:60]!r}; it must be a number")
    bound = options.get("clip")
    if bound is not None and cast(float, bound) <= 0:
        raise Unsupported(f"clip is {options['clip']}; it must be above 0")
    inputs = options.get("inputs", 2)
    if isinstance(inputs, bool) or not isinstance(inputs, int) or not 1 <= inputs <= MAX_INPUTS:
        raise Unsupported(f"inputs is {str(inputs)[:60]!r}; it must be a whole number from 1 to {MAX_INPUTS}")
    if kind == "subtract" and inputs != 2:
        raise Unsupported(f"subtract takes 2 inputs; it is given {inputs}")


def _number(value: object) -> Expr:
    """An option's number, exactly as its decimals say; None is no limit."""
    return oo if value is None else cast(Expr, Rational(str(value)))
