"""The header, the source and the test program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symgru.backends.c.functions import Functions
from symgru.backends.c.gradients import Backwards, gradients_test
from symgru.backends.c.kernel import Kernel, copy, initializer, kernel
from symgru.backends.c.names import member, number, prefix, text
from symgru.backends.c.straight import straight_files
from symgru.backends.model import Unit, output_width, split_time
from symgru.backends.straight import StraightOptions
from symgru.errors import UnusableInput
from symgru.network import Array, Network, Tensor
from symgru.scaling import IDENTITY, Affine, Scale
from symgru.templating import render
from symgru.trace import keeps_time
from symgru.writing import Content
from symgru.yardstick import Vectors, largest, recorded

USUAL = {True: {"activation": "tanh", "recurrent_activation": "sigmoid"}, False: {"activation": "linear"}}


@dataclass(frozen=True)
class Options(StraightOptions):
    """`name` prefixes every external name; `scale` is folded in as code before and after the network; `gradients` adds
    the way back."""

    name: str | None = None
    scale: Scale = IDENTITY
    gradients: bool = False

    def __str__(self) -> str:
        own = [f"--name {self.name}" if self.name else "", "--scale" if self.scale != IDENTITY else ""]
        own += ["--gradients"] if self.gradients else []
        return " ".join(filter(None, [*own, *self.straight_text()])) or "none"


def files(network: Network, options: Options | None = None, x: Tensor | None = None) -> Mapping[str, Content]:
    """{file name: content} of NAME.h, NAME.c and NAME_test.c, whose input is `x` (batch, time, features) if given."""
    options = options or Options()
    line = options.straight(network)
    if line:
        if options.scale != IDENTITY:
            raise UnusableInput("--scale is folded into the loop; leave out --unrolled")
        if options.gradients:
            raise UnusableInput("--gradients go back through the loop; leave out --unrolled")
        return straight_files(prefix(options.name or safe_prefix(network.name)), line, str(options), x)
    if options.gradients and options.scale != IDENTITY:
        raise UnusableInput("--gradients are those of the network itself; leave out --scale")
    source = _Source(prefix(options.name or safe_prefix(network.name)), network, options)
    written = {**source.code(), f"{source.name}_test.c": render("c/test.c.j2", **source.test(x)).encode()}
    if source.backwards:
        context = {**source.common(), **gradients_test(network, source.backwards, x)}
        written[f"{source.name}_gradients_test.c"] = render("c/gradients_test.c.j2", **context).encode()
    return written


def code(network: Network, options: Options) -> Mapping[str, bytes]:
    """NAME.h and NAME.c without their tests."""
    return _Source(prefix(options.name or safe_prefix(network.name)), network, options).code()


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
        self.backwards = Backwards(name, network) if options.gradients else None

    def code(self) -> dict[str, bytes]:
        return {
            f"{self.name}.h": render("c/model.h.j2", **self.header()).encode(),
            f"{self.name}.c": render("c/model.c.j2", **self.body()).encode(),
        }

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
            "backwards": self.backwards,
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
            "bounds": self.functions.bounds,
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

    @cached_property
    def functions(self) -> Functions:
        forward = [e for k in self.kernels for _, e in k.plan.cell.equations]
        return Functions(self.name, forward + (self.backwards.expressions() if self.backwards else []))

    def body(self) -> dict[str, object]:
        return {
            **self.common(),
            **self.functions.context(),
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


def _cell(unit: Unit) -> str:
    """The cell's name, with its activations where they are not the usual ones."""
    chosen = {key: str(unit.layer.options.get(key, usual)) for key, usual in USUAL[unit.recurrent].items()}
    return ", ".join([unit.cell.name, *(v for key, v in chosen.items() if v != USUAL[unit.recurrent][key])])


def _table(rows: list[list[str]]) -> list[str]:
    head = ["layer", "cell", "in -> out", "weights", "multiply-accumulates"]
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    return ["  ".join(f"{word:<{w}}" for word, w in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]]
