"""A network as one straight line of C: a function without loops for a fixed number of time steps."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from sympy import Expr, Symbol

from symgru.algebra import Across
from symgru.backends.c.functions import Functions
from symgru.backends.c.kernel import initializer
from symgru.backends.c.names import number, text
from symgru.backends.c.printer import LanePrinter
from symgru.backends.model import output_width
from symgru.backends.straight import Straight, StraightWriter, counted
from symgru.network import Network, Tensor
from symgru.templating import render, stream
from symgru.trace import keeps_time
from symgru.writing import Content
from symgru.yardstick import largest, recorded


def straight_files(name: str, line: Straight, options: str, x: Tensor | None) -> Mapping[str, Content]:
    """{file name: content} of NAME.h, NAME.c and NAME_test.c."""
    source = _Source(name, line, options)
    return {
        f"{name}.h": render("c/unrolled.h.j2", **source.header()).encode(),
        f"{name}.c": source_pieces(name, line, options),
        f"{name}_test.c": render("c/unrolled_test.c.j2", **source.test(x)).encode(),
    }


def source_pieces(name: str, line: Straight, options: str) -> Iterator[str]:
    """NAME.c piece by piece, each made when it is asked for."""
    return stream("c/unrolled.c.j2", **_Source(name, line, options).body())


class _Writer(StraightWriter):
    def __init__(self, name: str, line: Straight) -> None:
        super().__init__(line)
        self.name = name
        self.features = line.network.features

    def input(self, t: int, j: int) -> str:
        return f"x[{(t - 1) * self.features + j}]"

    def statement(self, lhs: str, e: Expr, place: Callable[[Symbol], str]) -> Iterator[str]:
        first, *rest = self.wrapped(f"const float {lhs} = {LanePrinter(self.name, place).doprint(e)};")
        yield f"    {first}"
        yield from (f"        {piece}" for piece in rest)

    def across(self, names: Mapping[int, str], e: Across, place: Callable[[Symbol], str]) -> Iterator[str]:
        function, _, *every = cast("tuple[Expr, ...]", e.args)
        array, n = f"{next(iter(names.values()))}_all", len(every)
        operands = ", ".join(map(LanePrinter(self.name, place).doprint, every))
        first, *rest = self.wrapped(f"const float {array}_of[{n}] = {{{operands}}};")
        yield f"    {first}"
        yield from (f"        {piece}" for piece in rest)
        yield f"    float {array}[{n}];"
        yield f"    {self.name}_{function}({array}_of, {array}, {n});"
        yield from (f"    const float {name} = {array}[{k}];" for k, name in names.items())


class _Source:
    def __init__(self, name: str, line: Straight, options: str) -> None:
        self.name, self.line, self.options = name, line, options
        self.writer = _Writer(name, line)
        self.functions = Functions(name, line.expressions())

    @property
    def network(self) -> Network:
        return self.line.network

    def common(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "upper": self.name.upper(),
            "title": text(self.network.name),
            "fingerprint": self.network.fingerprint,
            "options": self.options,
            "features": self.network.features,
            "steps": self.line.steps,
            "outputs": output_width(self.network),
            "keeps_time": keeps_time(self.network),
        }

    def header(self) -> dict[str, Any]:
        before, after = map(counted, self.line.operations())
        return {
            **self.common(),
            "operations": after,
            "before": before,
            "rules": ("\n *" + " " * 11).join(textwrap.wrap(", ".join(self.line.rules()) or "none", 100)),
            "bounds": self.functions.bounds,
        }

    def body(self) -> dict[str, Any]:
        return {
            **self.common(),
            **self.functions.context(),
            "names": self.writer.names.says(self.line),
            "parts": self.writer.parts(),
            "reads_input": self.line.reads_input,
            "outputs_lines": [f"y[{k}] = {v};" for k, v in enumerate(v for row in self.writer.outputs() for v in row)],
        }

    def test(self, x: Tensor | None) -> dict[str, Any]:
        vectors = recorded(self.network, self.line.window(x), "float32", nearby=True)
        batch, steps, _ = vectors.x.value.shape
        width = output_width(self.network)
        return {
            **self.common(),
            "batch": batch,
            "tolerance": number(vectors.tolerance),
            "why": "\n * ".join(textwrap.wrap(f"{vectors.why}.", 112)),
            "x": initializer(vectors.x.value.reshape(batch * steps, -1)),
            "y": initializer(np.array(vectors.y, dtype=np.float64).reshape(-1, width)),
            "rows": vectors.y.size // width,
            "largest": largest(vectors.y),
        }
