"""What a layer computes at every step, in float64, by the symbols of its equations.

trace = net.trace([1, 2, 9, 8])
trace.z                     # the update gate, an array of shape (steps, units)
for step in trace:
    print(step)             # x, z, r, n and h of one step, of shape (units,) each
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from symgru.building import build
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.network import Array, Network, Tensor
from symgru.trace import run
from symgru.wording import counted

if TYPE_CHECKING:
    from symgru.cell import Cell

FEW = 4  # numbers of a vector that are shown in a table


class _BySymbol:
    """Arrays that are attributes and items by their symbol."""

    arrays: Mapping[str, Array]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The names of all arrays, the input first, then in the order in which they are computed."""
        return tuple(self.arrays)

    def __getattr__(self, name: str) -> Array:
        arrays = self.__dict__.get("arrays", {})
        if name not in arrays:
            raise AttributeError(f"no symbol is called {name!r}; there are {', '.join(arrays)}")
        return arrays[name]  # type: ignore[no-any-return]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.arrays]

    def _repr_html_(self) -> str | None:
        from symgru import display

        return display.html(self)

    def _repr_latex_(self) -> str | None:
        from symgru import display

        return display.latex(self)

    def _repr_markdown_(self) -> str | None:
        from symgru import display

        return display.markdown(self)


@dataclass(frozen=True, repr=False)
class Step(_BySymbol):
    """One step: `t` counts from 1, `arrays` holds x and every gate and state by symbol, of shape (features,) and
    (units,), and `before` the state that the step starts from (None where there is none)."""

    t: int
    cell: Cell
    arrays: Mapping[str, Array]
    before: Array | None
    timed: bool = True

    @property
    def sizes(self) -> dict[str, int]:
        """The lengths of the axes in the cell's shapes."""
        values = dict(zip(self.cell.defined, list(self.arrays.values())[1:], strict=True))
        return {self.cell.dims[s][0]: len(v) for s, v in values.items()} | {"D": len(self.arrays["x"])}

    def __getitem__(self, symbol: str) -> Array:
        if symbol not in self.arrays:
            raise KeyError(f"no symbol is called {symbol!r}; there are {', '.join(self.arrays)}")
        return self.arrays[symbol]

    def __repr__(self) -> str:
        said = ", ".join(f"{name} = {shown(values)}" for name, values in self.arrays.items())
        return f"<step {self.t}: {said}>"

    def __str__(self) -> str:
        rows = [f"  {name} = {shown(values, len(values))}" for name, values in self.arrays.items()]
        return "\n".join([f"step {self.t}", *rows])


@dataclass(frozen=True, repr=False)
class LayerTrace(_BySymbol, Sequence[Step]):
    """One layer's run over one sequence: `arrays` holds x, of shape (steps, features), and every gate and state by
    symbol, of shape (steps, units); h is the state after each step. It is a sequence of its steps."""

    layer: str
    cell: Cell
    arrays: Mapping[str, Array]
    start: Array | None  # the state before the first step, of shape (units,)
    timed: bool = True

    def __len__(self) -> int:
        return len(self.arrays["x"])

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: int) -> Step: ...
    @overload
    def __getitem__(self, key: slice) -> list[Step]: ...
    def __getitem__(self, key: str | int | slice) -> Array | Step | list[Step]:
        """The array of a symbol, or a step counted from 0."""
        if isinstance(key, slice):
            return [self._step(k) for k in range(len(self))[key]]
        if isinstance(key, int):
            return self._step(range(len(self))[key])
        if key not in self.arrays:
            raise KeyError(f"no symbol is called {key!r}; there are {', '.join(self.arrays)}")
        return self.arrays[key]

    def _step(self, k: int) -> Step:
        values = {name: array[k] for name, array in self.arrays.items()}
        before = None if self.start is None else self.arrays[self.state][k - 1] if k else self.start
        return Step(k + 1, self.cell, values, before, self.timed)

    def __iter__(self) -> Iterator[Step]:
        return map(self._step, range(len(self)))

    @property
    def state(self) -> str:
        """The symbol of the state."""
        return str(self.cell.states[0][0].name) if self.cell.states else ""

    def __repr__(self) -> str:
        units = self.arrays[self.symbols[-1]].shape[-1]
        sizes = f"{counted(len(self), 'step')}, {counted(units, 'unit')}"
        return f"<trace of {self.layer}: {sizes}; {', '.join(self.symbols)}>"

    def __str__(self) -> str:
        return "\n".join([repr(self), *map(str, self)])


def trace(network: Network, x: Sequence[Tensor], layer: str | None = None) -> LayerTrace:
    """The float64 run of one layer: of the one named, else of the first recurrent one, in the network's order.

    `x` holds one array (1, time, features) for each input. Raises UnusableInput for several sequences and for a name
    that no layer with equations has.
    """
    if any(len(each.value) != 1 for each in x):
        raise UnusableInput(
            f"x holds {len(x[0].value)} sequences; a trace is of one: give it alone, the first as x[0:1]"
        )
    found = run(network, list(x), Float64())
    traces = {t.call.id: t for t in found.traces}
    name = next(t.call.id for t in found.traces if t.cell.states) if layer is None else layer
    if name not in traces:
        raise UnusableInput(f"no layer with equations is called {name[:60]!r}; there are {', '.join(traces)}")
    one = traces[name]
    cell = build(one.layer.kind, one.layer.options)
    arrays: dict[str, Array] = {"x": one.x[0]}
    arrays |= {cell.stored(s).name: one.columns[s.name][0] for s in cell.defined}
    start = None
    if cell.states:
        given = found.values[one.call.initial[0]][0] if one.call.initial else np.zeros(one.y.shape[-1])
        start = np.asarray(given, dtype=np.float64)
    return LayerTrace(name, cell, arrays, start, bool(cell.states) or len(one.x[0]) > 1)


def shown(values: Array, most: int = FEW, number: Callable[[str], str] = str, more: str = "…") -> str:
    """A vector in a row: six digits of each number, of many numbers the first few; a single one stands alone."""
    texts = [number(f"{v:.6g}") for v in values[:most]]
    if len(values) == 1:
        return texts[0]
    return f"[{', '.join([*texts, *([more] if len(values) > most else [])])}]"
