"""What the functions in the notebook's lines mean, as Python."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr

from symgru.activations import LOG_SOFTMAX, LOGISTIC, SOFTMAX
from symgru.backends.notebook.printer import printer
from symgru.errors import Unsupported
from symgru.lesson.outline import TANH
from symgru.working import Working

PRIMITIVES = ("exp", "ln", "sqrt")  # methods of Python's decimals
BUILTIN = {"max", "min"}
OF_ALL_UNITS = {
    SOFTMAX.name: ("exp(a) / np.sum(exp(a))", {"exp"}),
    LOG_SOFTMAX.name: ("a - ln(np.sum(exp(a)))", {"exp", "ln"}),
}


@dataclass(frozen=True)
class Definitions:
    """Functions by name: methods of decimals, definitions for one number, definitions for the numbers of all units."""

    primitives: tuple[str, ...]
    each: dict[str, str]
    of_all_units: dict[str, str]


def definitions(called: Iterable[str], layers: Iterable[Working]) -> Definitions:
    """Every function that is called, and those that these call. Raises Unsupported for one that has no definition."""
    meanings: dict[str, Expr] = {"sigma": LOGISTIC, "tanh": TANH}
    meanings |= {a.name: a.meaning for layer in layers for a in layer.activations}
    each: dict[str, str] = {}
    of_all: dict[str, str] = {}
    primitives: set[str] = set()
    waiting = sorted(set(called) - BUILTIN)
    while waiting:
        name = waiting.pop(0)
        more: set[str] = set()
        if name in PRIMITIVES:
            primitives.add(name)
        elif name in OF_ALL_UNITS:
            of_all[name], more = OF_ALL_UNITS[name]
        elif name in meanings:
            each[name] = printer(None, more).scalar(meanings[name])
        else:
            raise Unsupported(f"the notebook has no definition of {name}")
        waiting += sorted(more - BUILTIN - {*primitives, *each, *of_all, *waiting})
    return Definitions(tuple(p for p in PRIMITIVES if p in primitives), dict(reversed(each.items())), of_all)
