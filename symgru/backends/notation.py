"""How the symbols of a cell are read, apart from how a language spells them: names taken apart, indices, time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from sympy import Symbol

from symgru.algebra import (
    Ref,
)
from symgru.cell import Cell

NOW, BEFORE = "\x01", "\x02"  # stand for t and t - 1 in a line that is printed once for all steps
T = TypeVar("T")


def at_time(text: str, t: int) -> str:
    """A line that was printed for every step, at one of them."""
    return text.replace(NOW, str(t)).replace(BEFORE, str(t - 1))


def row_index(letter: str) -> str:
    """The general index of a matrix' rows, as its framework has them: j for an input, k for a unit."""
    return "j" if letter == "D" else "k"


@dataclass(frozen=True)
class Name:
    """A symbol taken apart: a_z of unit 2 now is letter "a", gate "z", time NOW, index ("2",).

    A weight without a gate belongs to what it computes: `of` is "h" for the W of a simple recurrent unit.
    """

    letter: str
    gate: str = ""
    time: str = ""
    index: tuple[str, ...] = ()
    bar: bool = False  # dL/d what the rest names
    of: str = ""


def taken_apart(name: str) -> tuple[str, str]:
    """Letter and gate of a symbol's name; primes stand behind the letter: z'_t of z and t for "z_t'"."""
    letter, _, gate = name.partition("_")
    return letter + "'" * gate.count("'"), gate.replace("'", "")


@dataclass(frozen=True)
class Notation:
    """How the symbols of a cell are read. An axis of length 1 has no index, and a cell without a time axis no time.

    A matrix is shown as its framework has it, one row for each input: W_z[j, i] leads from input j to unit i, where
    symgru's canonical form has W_z[i, j]. Where vectors are columns it is shown in that canonical form. Indices are
    counted from 1.
    """

    cell: Cell
    sizes: Mapping[str, int]
    timed: bool = True
    now: str = NOW
    before: str = BEFORE
    shapes: Mapping[Symbol, tuple[str, ...]] | None = None  # of symbols that rules made, beside the cell's own
    columns: bool = field(default=False, kw_only=True)

    @cached_property
    def dims(self) -> Mapping[Symbol, tuple[str, ...]]:
        return self.shapes or self.cell.dims

    @cached_property
    def _after(self) -> dict[Symbol, Symbol]:
        return {after: before for before, after in self.cell.states}

    def dt(self, s: Symbol) -> int | None:
        """0 for what this step computes or reads, -1 for the state before it, None for a parameter."""
        if s in self.cell.params:
            return None
        return -1 if s in self._after.values() else 0

    def vector(self, s: Symbol, index: str = "") -> Name:
        """A vector as a whole, or its component under a general index."""
        return self._name(self._after.get(s, s), self.dt(s), (index,) if index and self.size(s) > 1 else ())

    def matrix(self, m: Symbol, row: str = "", column: str = "") -> Name:
        """A matrix as a whole, or its element under general indices (row and column as the framework has them)."""
        rows, columns = reversed(self.dims[m])
        places = self.shown((row, rows), (column, columns))
        return self._name(m, None, tuple(k for k, d in places if k and self.sizes[d] > 1))

    def shown(self, row: T, column: T) -> tuple[T, T]:
        """What belongs to the rows and to the columns of a framework's matrix, in the order in which they are shown."""
        return (column, row) if self.columns else (row, column)

    def scalar(self, ref: Ref) -> Name:
        dims = self.dims[ref.of]
        index = [str(k + 1) for k, d in zip(ref.idx, dims, strict=True) if self.sizes[d] > 1]
        return self._name(ref.of, ref.dt, tuple(index if self.columns else reversed(index)))

    def size(self, s: Symbol) -> int:
        return self.sizes[self.dims[s][0]]

    def _name(self, s: Symbol, dt: int | None, index: tuple[str, ...]) -> Name:
        letter, gate = taken_apart(s.name)
        time = "" if dt is None or not self.timed else self.now if dt == 0 else self.before
        of = "" if gate or s not in self.cell.params else self._computed
        return Name(letter, gate, time, index, of=of)

    @cached_property
    def _computed(self) -> str:
        """The name of what the cell gives: its state's, else its output's."""
        return str(self.cell.stored(self.cell.output).name)
