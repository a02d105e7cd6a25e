"""The header, the source and the test program."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from symgru.backends.c.functions import Functions
from symgru.backends.c.gradients import Backwards, gradients_test
from symgru.backends.c.interface import Interface
from symgru.backends.c.kernel import Kernel, initializer
from symgru.backends.c.names import number, prefix, text
from symgru.backends.c.plan import Plan
from symgru.backends.c.straight import straight_files
from symgru.backends.c.stream import Stream
from symgru.backends.c.window import Window
from symgru.backends.model import Unit
from symgru.backends.straight import Straight, StraightOptions
from symgru.errors import Unsupported, UnusableInput
from symgru.maps import MAPS
from symgru.network import Array, Edge, Network, Tensor
from symgru.scaling import IDENTITY, Affine, Scale
from symgru.templating import render
from symgru.writing import Content
from symgru.yardstick import largest, recorded

USUAL = {True: {"activation": "tanh", "recurrent_activation": "sigmoid"}, False: {"activation": "linear"}}


@dataclass(frozen=True)
class Options(StraightOptions):
    """`name` prefixes every external name; `scale` is folded in as code before and after the network; `gradients` adds
    the way back; `steps` is the length of a window without `unrolled` too, where a network needs one."""

    name: str | None = None
    scale: Scale = IDENTITY
    gradients: bool = False

    def __str__(self) -> str:
        own = [f"--name {self.name}" if self.name else "", "--scale" if self.scale != IDENTITY else ""]
        own += ["--gradients"] if self.gradients else []
        own += [f"--steps {self.steps}"] if self.steps and not self.unrolled else []
        return " ".join(filter(None, [*own, *self.straight_text()])) or "none"

    def straight(self, network: Network) -> Straight | None:
        if self.unrolled or self.steps is None:
            return super().straight(network)
        return replace(self, steps=None).straight(network)


def files(
    network: Network, options: Options | None = None, x: Tensor | Sequence[Tensor] | None = None
) -> Mapping[str, Content]:
    """{file name: content} of NAME.h, NAME.c and NAME_test.c, whose input is `x` if given: (batch, time, features), or
    one for each input.

    Raises Unsupported for a layer that C does not have, UnusableInput where a window's length is not known.
    """
    options = options or Options()
    line = options.straight(network)
    first = x if x is None or isinstance(x, Tensor) else x[0]
    if line:
        if options.scale != IDENTITY:
            raise UnusableInput("--scale is folded into the loop; leave out --unrolled")
        if options.gradients:
            raise UnusableInput("--gradients go back through the loop; leave out --unrolled")
        return straight_files(prefix(options.name or safe_prefix(network.name)), line, str(options), first)
    if options.gradients and options.scale != IDENTITY:
        raise UnusableInput("--gradients are those of the network itself; leave out --scale")
    source = _Source(prefix(options.name or safe_prefix(network.name)), network, options)
    template, context = source.test(x)
    written = {**source.code(), f"{source.name}_test.c": render(template, **context).encode()}
    if source.backwards:
        context = {**source.common(), **gradients_test(network, source.backwards, first)}
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
        self.plan = Plan(name, network, options.steps)
        if options.scale != IDENTITY and not network.is_chain:
            raise Unsupported("--scale is for networks of one layer after the other; leave it out")
        self.backwards = Backwards(name, network) if options.gradients else None
        self.stream = Stream(self.plan, options.scale.input is not None) if self.plan.streams else None
        self.window = Window(self.plan) if not self.plan.streams else None
        if self.stream and options.steps is not None:
            raise UnusableInput(
                "--steps goes with --unrolled, or with a network that needs its whole window; this one takes any number"
            )
        if self.stream and not self.stream.members:
            raise Unsupported("no output depends on a recurrent layer: there is no state to go on with")
        self.functions_of_time = self.stream and (self.stream.advance, self.stream.output)

    def code(self) -> dict[str, bytes]:
        return {
            f"{self.name}.h": render("c/model.h.j2", **self.header()).encode(),
            f"{self.name}.c": render("c/model.c.j2", **self.body()).encode(),
        }

    @property
    def kernels(self) -> list[Kernel]:
        return self.plan.unique

    @cached_property
    def interface(self) -> Interface:
        return Interface(self.plan, self.stream, self.window)

    def common(self) -> dict[str, object]:
        return {
            "name": self.name,
            "upper": self.name.upper(),
            "title": text(self.network.name),
            "fingerprint": self.network.fingerprint,
            "options": str(self.options),
            "scale": self.options.scale,
            "features": self.plan.inputs[0].size,
            "steps": self.plan.steps,
            "outputs": self.plan.outputs[0].size,
            "keeps_time": self.plan.outputs[0].timed,
            "backwards": self.backwards,
            "interface": self.interface,
            "plain": self.interface.plain,
            "streams": self.plan.streams,
        }

    def header(self) -> dict[str, object]:
        weights = 4 * sum(value.size for value in self.weights.values()) + self.scale_bytes()
        timed, head = self.work()
        return {
            **self.common(),
            "states": self.stream.members if self.stream else [],
            "weight_bytes": weights,
            "state_bytes": self.stream.state_bytes if self.stream else 0,
            "workspace": self.window.size if self.window else 0,
            "local_bytes": self.local_bytes(),
            "table": _table(self.rows()),
            "work": timed,
            "head_work": head,
            "ahead": textwrap.wrap(text(self.plan.ahead[:1].upper() + self.plan.ahead[1:], 300) + ".", 115),
            "looks_up": self.looks_up,
            "bounds": self.functions.bounds,
        }

    def rows(self) -> list[list[str]]:
        """The table of the layers: functions, and look-ups."""
        rows = [
            [
                k.own or k.unit.id,
                _cell(k.unit),
                f"{k.unit.sizes['D']} -> {k.unit.sizes['H']}",
                "as above" if k.own else str(sum(v.size for v in k.weights.values())),
                str(k.multiply_adds),
            ]
            for k in self.kernels
        ]
        sizes = {id_: " x ".join(map(str, t.shape)) for id_, t in self.tables.items()}
        return rows + [[id_, "look-up", sizes[id_], str(t.size), "0"] for id_, t in self.tables.items()]

    @cached_property
    def tables(self) -> dict[str, Array]:
        """Tables that maps read, by layer."""
        among = {layer.id: layer for _, layer in self.plan.calls if layer.kind in MAPS}
        return {id_: layer.weights["E"].value for id_, layer in among.items() if "E" in MAPS[layer.kind].tables}

    @property
    def looks_up(self) -> bool:
        return any(layer.kind == "embed" for _, layer in self.plan.calls)

    @cached_property
    def weights(self) -> dict[str, Array]:
        """Every constant array by its name."""
        found = {name: v for k in self.kernels for name, v in k.weights.items()}
        return found | {f"{self.name}_{id_}_E": table for id_, table in self.tables.items()}

    def work(self) -> tuple[int, int]:
        """Multiply-accumulates of a time step (or window), and of what follows the last one."""
        if self.window:
            return self.window.multiply_adds, 0
        late, early = 0, 0
        for call, _ in self.plan.calls:
            if call.id in self.plan.kernels:
                cost = self.plan.kernels[call.id].multiply_adds
                is_late = self.stream is not None and self.stream.late(Edge(call.id))
                late, early = (late + cost, early) if is_late else (late, early + cost)
        return early, late

    def scale_bytes(self) -> int:
        parts = [p for p in (self.options.scale.input, self.options.scale.output) if p]
        return 4 * sum(p.mean.size + p.deviation.size for p in parts)

    def local_bytes(self) -> int:
        """Local arrays alive at once, at most: a cell's own beside those that hand values from layer to layer."""
        cells = max((4 * sum(k.buffers.values()) for k in self.kernels), default=0)
        if not self.stream:
            return cells
        scaled = self.plan.inputs[0].size if self.options.scale.input else 0
        between = max(self.stream.advance.held + scaled, self.stream.output.held)
        return cells + 4 * between + self.stream.state_bytes  # N_window holds a state of its own

    @cached_property
    def functions(self) -> Functions:
        forward = [e for k in self.kernels for _, e in k.plan.cell.equations]
        return Functions(self.name, forward + (self.backwards.expressions() if self.backwards else []))

    def body(self) -> dict[str, object]:
        advance, output = self.functions_of_time or (None, None)
        return {
            **self.common(),
            **self.functions.context(),
            "cells": list(self.cells()),
            "tables": [self.constant(f"{self.name}_{id_}_E", self.flat(id_, t)) for id_, t in self.tables.items()],
            "looks_up": self.looks_up,
            "advance": advance.lines() if advance else [],
            "output": output.lines() if output else [],
            "window_lines": self.window.lines() if self.window else [],
            "constants": self.scale_constants(),
        }

    def flat(self, layer: str, table: Array) -> Array:
        """A table as it is indexed: a look-up by row, a constant by its place."""
        return table if self.plan.network.layers[layer].kind == "embed" else table.reshape(-1)

    def cells(self) -> Iterator[dict[str, object]]:
        """The functions, each with those of its weights that were not there before."""
        known: set[str] = set()
        for k in self.kernels:
            own = {name: v for name, v in k.weights.items() if name not in known}
            known |= set(own)
            yield {
                "kernel": k,
                "matrices": any(v.ndim > 1 for v in own.values()),
                "weights": [self.constant(name, v) for name, v in own.items()],
            }

    def constant(self, name: str, value: Array) -> str:
        shape = "".join(f"[{n}]" for n in value.shape)
        head = f"static const float {name}{shape} = "
        return f"{head}{initializer(value, len(head))};"

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

    def test(self, x: Tensor | Sequence[Tensor] | None) -> tuple[str, dict[str, object]]:
        """The test's template and what it needs."""
        given = [] if x is None else [x] if isinstance(x, Tensor) else x
        for put, each in zip(self.plan.network.inputs, given, strict=False):
            held = each.value.shape[1:]
            if self.plan.ahead and held != put.shape:
                raise UnusableInput(f"the C is for an input of shape {put.shape}; input {put.id} has {held}")
        vectors = recorded(self.plan.network, x, "float32", self.options.scale)
        context = {**self.common(), "batch": vectors.x.value.shape[0], "why": vectors.why}
        if not self.interface.plain:
            return "c/graph_test.c.j2", {**context, **self.interface.test(vectors)}
        batch, steps = vectors.x.value.shape[:2]
        width = self.plan.outputs[0].size
        plain = {
            "steps": steps,
            "tolerance": number(vectors.tolerance),
            "x": initializer(vectors.x.value.reshape(batch * steps, -1)),
            "y": initializer(np.array(vectors.y, dtype=np.float64).reshape(-1, width)),
            "rows": vectors.y.size // width,
            "largest": largest(vectors.y),
        }
        return "c/test.c.j2", {**context, **plain}


def _cell(unit: Unit) -> str:
    """The cell's name, with its activations where they are not the usual ones."""
    usual = USUAL[unit.recurrent]
    chosen = {key: str(unit.layer.options.get(key, value)) for key, value in usual.items()}
    return ", ".join([unit.cell.name, *(v for key, v in chosen.items() if v != USUAL[unit.recurrent][key])])


def _table(rows: list[list[str]]) -> list[str]:
    head = ["layer", "cell", "in -> out", "weights", "multiply-accumulates"]
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    return ["  ".join(f"{word:<{w}}" for word, w in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]]
