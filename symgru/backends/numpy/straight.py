"""A network as one straight line of NumPy: a function without loops for a fixed number of time steps."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from sympy import Expr, Symbol

from symgru.algebra import Across
from symgru.backends.numpy.functions import Functions
from symgru.backends.numpy.literals import WIDTH, literal
from symgru.backends.numpy.printer import NumPyPrinter
from symgru.backends.straight import Straight, StraightWriter, counted
from symgru.errors import UnusableInput
from symgru.network import Network, Tensor
from symgru.printing import nearest
from symgru.templating import render, stream
from symgru.trace import keeps_time
from symgru.writing import Content
from symgru.yardstick import recorded


def straight_files(name: str, line: Straight, x: Tensor | None) -> Mapping[str, Content]:
    """{file name: content}: the module and its test."""
    source = _Source(name, line)
    return {
        f"{name}.py": stream("numpy/unrolled.py.j2", **source.module()),
        f"test_{name}.py": render("numpy/unrolled_test.py.j2", **source.test(x)).encode(),
    }


WHOLE = 2**24  # whole numbers below it are floats of any kind


class _Printer(NumPyPrinter):
    """Scalars of the straight line. A function of a number alone gets it in the model's precision, since NumPy would
    compute it in its own."""

    def __init__(self, place: Any, dtype: str) -> None:
        super().__init__()
        self.place, self.dtype = place, dtype

    def _print_Symbol(self, e: Symbol) -> str:
        return cast(str, self.place(e))

    def _print_Integer(self, e: Expr) -> str:
        return str(e) if abs(e) < WHOLE else self._print_Rational(e)

    def _print_Rational(self, e: Any) -> str:
        wide = nearest(e)
        with np.errstate(over="ignore"):
            held = np.dtype(self.dtype).type(wide)
        if not np.isfinite(held):
            raise UnusableInput(f"{wide:.9g} does not fit into a {self.dtype}, which the model computes in")
        return str(held)  # the shortest decimals that read back as the same float

    def typed(self, e: Expr) -> str:
        """`e`, a function's only argument."""
        text = cast(str, self.doprint(e))
        return f"np.{self.dtype}({text})" if e.is_Rational else text

    def call(self, name: str, args: tuple[Expr, ...]) -> str:
        return f"{name}({self.typed(args[0])})" if len(args) == 1 else super().call(name, args)


class _Writer(StraightWriter):
    def input(self, t: int, j: int) -> str:
        return f"x[:, {t - 1}, {j}]"

    def statement(self, lhs: str, e: Expr, place: Callable[[Symbol], str]) -> Iterator[str]:
        printer = _Printer(place, self.line.network.dtype)
        yield from self._laid_out(lhs, printer.typed(e))

    def across(self, names: Mapping[int, str], e: Across, place: Callable[[Symbol], str]) -> Iterator[str]:
        function, _, *every = cast("tuple[Expr, ...]", e.args)
        printer = _Printer(place, self.line.network.dtype)
        operands = ", ".join(map(printer.typed, every))
        stacked = f"np.stack(np.broadcast_arrays({operands}), axis=-1)"  # a constant has no axis for the samples
        results = ", ".join(names.get(k, "_") for k in range(len(every)))
        yield from self._laid_out(f"{results}{',' if len(every) == 1 else ''}", f"{function}({stacked}).T")

    def _laid_out(self, lhs: str, rhs: str) -> Iterator[str]:
        """A long statement stands in brackets."""
        first, *rest = self.wrapped(rhs)
        if rest:
            yield f"        {lhs} = ("
            yield from (f"            {piece}" for piece in (first, *rest))
            yield "        )"
        else:
            yield f"        {lhs} = {first}"


class _Source:
    def __init__(self, name: str, line: Straight) -> None:
        self.name, self.line = name, line
        self.writer = _Writer(line)
        self.functions = Functions()
        for e in line.expressions():
            self.functions.use(e)

    @property
    def network(self) -> Network:
        return self.line.network

    def common(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "fingerprint": self.network.fingerprint,
            "dtype": self.network.dtype,
            "features": self.network.features,
            "steps": self.line.steps,
            "keeps_time": keeps_time(self.network),
        }

    def module(self) -> dict[str, Any]:
        before, after = map(counted, self.line.operations())
        width = self.line.layers[-1].unit.sizes["H"]
        return {
            **self.common(),
            "title": ", ".join(
                f"{la.unit.cell.name} ({la.unit.sizes['D']} -> {la.unit.sizes['H']})" for la in self.line.layers
            ),
            "helpers": self.functions.helpers,
            "functions": self.functions.activations,
            "operations": after,
            "before": before,
            "rules": textwrap.fill(", ".join(self.line.rules()) or "none", WIDTH, initial_indent="Rules: "),
            "names": self.writer.names.says(self.line),
            "y_shape": f"(batch, {f'{self.line.steps}, ' if keeps_time(self.network) else ''}{width})",
            "parts": self.writer.parts(),
            "width": width,
            "outputs": list(self.outputs()),
        }

    def outputs(self) -> Iterator[tuple[str, str]]:
        """The place of each number in y, and its name."""
        for t, row in enumerate(self.writer.outputs()):
            for k, name in enumerate(row):
                yield f"{t}, {k}" if keeps_time(self.network) else str(k), name

    def test(self, x: Tensor | None) -> dict[str, Any]:
        vectors = recorded(self.network, self.line.window(x), nearby=True)
        return {
            **self.common(),
            "x": literal(vectors.x.text, len("X = np.array(")),
            "y": literal(vectors.texts, len("Y = np.array(")),
            "tolerance": vectors.tolerance_text,
            "tolerance_why": textwrap.fill(f"{vectors.why}.", WIDTH),
        }
