"""The functions that expressions need in C: approximations of the elementary ones, activations, helpers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from sympy import Expr

from symgru.activations import Activation, known, used_in
from symgru.algebra import Across, Prime, walk
from symgru.approximations import APPROXIMATIONS, Approximation, c_function, c_helpers, in_order
from symgru.backends.c.printer import LanePrinter
from symgru.derivatives import gauss, named_parts, prime

ACROSS_NEEDS = {"softmax": ("exp",), "log_softmax": ("exp", "log")}  # what a function of all units calls


@dataclass(frozen=True)
class Functions:
    """What a C file defines before it computes `expressions`; every name carries `prefix`."""

    prefix: str
    expressions: Sequence[Expr]

    @cached_property
    def named(self) -> list[str]:
        """Activations by name that are not elementary, each after those it uses."""
        found: dict[str, None] = {}

        def use(e: Expr) -> None:
            for f in used_in(e):
                use(f.meaning)
                found.setdefault(f.name)

        for e in self.expressions:
            use(e)
        return list(found)

    @cached_property
    def derivatives(self) -> list[str]:
        """Activations by name whose derivative is computed."""
        return list({str(n.args[0]): None for e in self.expressions for n in walk(e) if isinstance(n, Prime)})

    @cached_property
    def _meanings(self) -> dict[str, Expr]:
        """What is defined by its meaning: activations, then derivatives of activations."""
        activations = {name: cast(Activation, known(name)).meaning for name in self.named}
        return activations | {f"{name}_prime": prime(name) for name in self.derivatives}

    @cached_property
    def _nodes(self) -> list[Expr]:
        return [node for e in [*self.expressions, *self._meanings.values()] for node in walk(e)]

    def _elementary(self) -> Iterator[str]:
        for node in self._nodes:
            head = type(node).__name__
            if isinstance(node, Across):
                yield from ACROSS_NEEDS.get(str(node.args[0]), ())
            elif isinstance(node, gauss):
                yield "exp"
            elif head in APPROXIMATIONS:
                yield head

    @cached_property
    def approximations(self) -> list[Approximation]:
        """The elementary functions, each after what it calls."""
        return in_order(dict.fromkeys(self._elementary()))

    @property
    def bounds(self) -> list[str]:
        """The error of each, for a header."""
        return [f"{f.name:<8}{f.ulps:g} ulp" + _absolute(f) for f in self.approximations]

    @property
    def helpers(self) -> set[str]:
        heads = {type(n).__name__ for n in self._nodes}
        found = heads & {"Abs", "gauss"}
        found |= {str(n.args[0]) for n in self._nodes if isinstance(n, Across)}
        clips = [n for n in self._nodes if type(n).__name__ == "clip"]
        found |= {"at_least"} if any(n.args[2].is_infinite for n in clips) else set()
        return found | ({"clip"} if any(not n.args[2].is_infinite for n in clips) else set())

    def _activation(self, name: str, meaning: Expr) -> dict[str, object]:
        form, (parts, rest) = LanePrinter(self.prefix, lambda s: s.name), named_parts(meaning)
        lines = [f"const float {s} = {form.doprint(e)};" for s, e in parts]
        return {"name": name, "lines": lines, "body": form.doprint(rest)}

    def context(self) -> dict[str, object]:
        """What templates/c/functions.c.j2 needs."""
        return {
            "helpers": self.helpers,
            "bits": c_helpers(self.prefix) if self.approximations else "",
            "functions": [c_function(f, self.prefix) for f in self.approximations],
            "activations": [self._activation(name, meaning) for name, meaning in self._meanings.items()],
        }


def _absolute(f: Approximation) -> str:
    return f", {f.absolute:g} absolute" if np.isfinite(f.absolute) else ""
