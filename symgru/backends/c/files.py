"""The header, the source and the test program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from sympy import Expr

from symgru.activations import table, used_in
from symgru.algebra import Across, walk
from symgru.approximations import APPROXIMATIONS, Approximation, c_function, c_helpers, in_order
from symgru.backends.c.kernel import Kernel, copy, initializer, kernel
from symgru.backends.c.names import member, number, prefix, text
from symgru.backends.c.printer import LanePrinter
from symgru.backends.model import Unit, output_width, split_time
from symgru.errors import Unsupported
from symgru.network import Array, Network, Tensor
from symgru.scaling import IDENTITY, Affine, Scale
from symgru.templating import render
from symgru.trace import keeps_time
from symgru.yardstick import Vectors, largest, recorded

USUAL = {True: {"activation": "tanh", "recurrent_activation": "sigmoid"}, False: {"activation": "linear"}}


@dataclass(frozen=True)
class Options:
    """`name` prefixes every external name; `scale` is folded in as code before and after the network."""

    name: str | None = None
    scale: Scale = IDENTITY

    def __str__(self) -> str:
        parts = [f"--name {self.name}" if self.name else "", "--scale" if self.scale != IDENTITY else ""]
        return " ".join(filter(None, parts)) or "none"


def files(network: Network, options: Options | None = None, x: Tensor | None = None) -> Mapping[str, bytes]:
    """{file name: content} of NAME.h, NAME.c and NAME_test.c, whose input is `x` (batch, time, features) if given."""
    options = options or Options()
    source = _Source(prefix(options.name or safe_prefix(network.name)), network, options)
    name = source.name
    return {
        f"{name}.h": render("c/model.h.j2", **source.header()).encode(),
        f"{name}.c": render("c/model.c.j2", **source.body()).encode(),
        f"{name}_test.c": render("c/test.c.j2", **source.test(x)).encode(),
    }


def safe_prefix(name: str) -> str:
    """The network's own name as a prefix."""
    stem = "_".join(filter(None, name.split("_")))
    try:
        return prefix(stem)
    except Exception:
        return f"{stem}_gru"


class _Source:
    """What the three templates need."""

    def __init__(self, name: str, network: Network, options: Options) -> None:
        self.name, self.network, self.options = name, network, options
        timed, head = split_time(network)
        self.timed = [kernel(name, unit) for unit in timed]
        self.head = [kernel(name, unit) for unit in head]

    @property
    def kernels(self) -> list[Kernel]:
        return [*self.timed, *self.head]

    def common(self) -> dict[str, object]:
        return {
            "name": self.name,
            "upper": self.name.upper(),
            "title": text(self.network.name),
            "fingerprint": self.network.fingerprint,
            "options": str(self.options),
            "scale": self.options.scale,
            "features": self.network.features,
            "steps": self.network.steps,
            "outputs": output_width(self.network),
            "keeps_time": keeps_time(self.network),
        }

    def header(self) -> dict[str, object]:
        states = [{"member": member(k.unit.id), "units": k.unit.sizes["H"]} for k in self.kernels if k.unit.recurrent]
        weights = 4 * sum(v.size for k in self.kernels for v in k.weights.values()) + self.scale_bytes()
        rows = [
            [
                k.unit.id,
                _cell(k.unit),
                f"{k.unit.sizes['D']} -> {k.unit.sizes['H']}",
                str(sum(v.size for v in k.weights.values())),
                str(k.multiply_adds),
            ]
            for k in self.kernels
        ]
        return {
            **self.common(),
            "states": states,
            "weight_bytes": weights,
            "state_bytes": self.state_bytes(),
            "local_bytes": self.local_bytes(),
            "table": _table(rows),
            "work": sum(k.multiply_adds for k in self.timed),
            "head_work": sum(k.multiply_adds for k in self.head),
            "bounds": self.bounds(),
        }

    def state_bytes(self) -> int:
        return 4 * sum(k.unit.sizes["H"] for k in self.kernels if k.unit.recurrent)

    def scale_bytes(self) -> int:
        parts = [p for p in (self.options.scale.input, self.options.scale.output) if p]
        return 4 * sum(p.mean.size + p.deviation.size for p in parts)

    def local_bytes(self) -> int:
        """Local arrays alive at once, at most: a cell's own beside those that hand values from layer to layer."""
        cells = max(4 * sum(k.buffers.values()) for k in self.kernels)
        between = max(self._between(self.timed, self.options.scale.input is not None), self._between(self.head, False))
        return cells + between + self.state_bytes()  # N_window holds a state of its own

    def _between(self, kernels: list[Kernel], scaled: bool) -> int:
        own = sum(k.unit.sizes["H"] for k in kernels[:-1] if not k.unit.recurrent)
        return 4 * (own + (self.network.features if scaled else 0))

    def bounds(self) -> list[str]:
        return [f"{f.name:<8}{f.ulps:g} ulp" + _absolute(f) for f in self.approximations()]

    def approximations(self) -> list[Approximation]:
        """The elementary functions that the layers need, each after what it calls."""
        return in_order(dict.fromkeys(self._elementary()))

    def _expressions(self) -> Iterator[Expr]:
        for k in self.kernels:
            for _, e in k.plan.cell.equations:
                yield e

    def _elementary(self) -> Iterator[str]:
        meanings = [table()[name].meaning for name in self.named()]
        for e in [*self._expressions(), *meanings]:
            for node in walk(e):
                head = type(node).__name__
                if isinstance(node, Across):
                    yield "exp"
                elif head in APPROXIMATIONS:
                    yield head
                elif head in {"erf", "log1p"}:
                    raise Unsupported(f"C has no approximation of {head} yet, which an activation of this model needs")

    def named(self) -> list[str]:
        """Activations by name that are not elementary, each after those it uses."""
        found: dict[str, None] = {}

        def use(e: Expr) -> None:
            for known in used_in(e):
                use(known.meaning)
                found.setdefault(known.name)

        for e in self._expressions():
            use(e)
        return list(found)

    def helpers(self) -> set[str]:
        meanings = [table()[name].meaning for name in self.named()]
        nodes = [node for e in [*self._expressions(), *meanings] for node in walk(e)]
        heads = {type(n).__name__ for n in nodes}
        found = heads & {"Abs"}
        found |= {"softmax"} if any(isinstance(n, Across) for n in nodes) else set()
        clips = [n for n in nodes if type(n).__name__ == "clip"]
        found |= {"at_least"} if any(n.args[2].is_infinite for n in clips) else set()
        return found | ({"clip"} if any(not n.args[2].is_infinite for n in clips) else set())

    def activation(self, name: str) -> dict[str, str]:
        body = LanePrinter(self.name, lambda s: s.name).doprint(table()[name].meaning)
        return {"name": name, "body": body}

    def body(self) -> dict[str, object]:
        approximations = self.approximations()
        return {
            **self.common(),
            "helpers": self.helpers(),
            "bits": c_helpers(self.name) if approximations else "",
            "functions": [c_function(f, self.name) for f in approximations],
            "activations": [self.activation(name) for name in self.named()],
            "cells": [
                {
                    "kernel": k,
                    "units": k.unit.sizes["H"],
                    "features": k.unit.sizes["D"],
                    "weights": [self.constant(name, v) for name, v in k.weights.items()],
                }
                for k in self.kernels
            ],
            "states": [member(k.unit.id) for k in self.kernels if k.unit.recurrent],
            "advance": self.calls(self.timed, self.into("x"), "y" if keeps_time(self.network) else None),
            "output": self.calls(self.head, f"state->{member(self.timed[-1].unit.id)}", "y"),
            "constants": self.scale_constants(),
        }

    def constant(self, name: str, value: Array) -> str:
        shape = "".join(f"[{n}]" for n in value.shape)
        head = f"static const float {name}{shape} = "
        return f"{head}{initializer(value, len(head))};"

    def into(self, source: str) -> str:
        return "scaled" if self.options.scale.input else source

    def scale_constants(self) -> list[str]:
        def pair(side: str, part: Affine | None) -> list[str]:
            return (
                []
                if part is None
                else [
                    self.constant(f"{self.name}_{side}_mean", part.mean),
                    self.constant(f"{self.name}_{side}_deviation", part.deviation),
                ]
            )

        return pair("input", self.options.scale.input) + pair("output", self.options.scale.output)

    def calls(self, kernels: list[Kernel], source: str, final: str | None) -> list[str]:
        """C lines that send a vector through layers; `final` receives the last one's output where it is not a state."""
        lines: list[str] = []
        for i, k in enumerate(kernels):
            if k.unit.recurrent:
                place = f"state->{member(k.unit.id)}"
                lines.append(f"{k.function}({source}, {place});")
            else:
                last = i == len(kernels) - 1 and final is not None
                place = final if last and final else f"from_{k.unit.id}"  # a prefix that no other local name has
                if not last:
                    lines.append(f"float {place}[{k.unit.sizes['H']}];")
                lines.append(f"{k.function}({source}, {place});")
            source = place
        if final and source != final:
            lines += copy(final, source, output_width(self.network))
        return lines

    def test(self, x: Tensor | None) -> dict[str, object]:
        vectors = self.vectors(x)
        batch, steps, _ = vectors.x.value.shape
        return {
            **self.common(),
            "batch": batch,
            "steps": steps,
            "tolerance": number(vectors.tolerance),
            "why": vectors.why,
            "x": initializer(vectors.x.value.reshape(batch * steps, -1)),
            "y": initializer(np.array(vectors.y, dtype=np.float64).reshape(-1, output_width(self.network))),
            "rows": vectors.y.size // output_width(self.network),
            "largest": largest(vectors.y),
        }

    def vectors(self, x: Tensor | None) -> Vectors:
        """Recorded in the sensor's units where a scale is folded in."""
        return recorded(self.network, x, "float32", self.options.scale)


def _absolute(f: Approximation) -> str:
    return f", {f.absolute:g} absolute" if np.isfinite(f.absolute) else ""


def _cell(unit: Unit) -> str:
    """The cell's name, with its activations where they are not the usual ones."""
    chosen = {key: str(unit.layer.options.get(key, usual)) for key, usual in USUAL[unit.recurrent].items()}
    return ", ".join([unit.cell.name, *(v for key, v in chosen.items() if v != USUAL[unit.recurrent][key])])


def _table(rows: list[list[str]]) -> list[str]:
    head = ["layer", "cell", "in -> out", "weights", "multiply-accumulates"]
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    return ["  ".join(f"{word:<{w}}" for word, w in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]]
