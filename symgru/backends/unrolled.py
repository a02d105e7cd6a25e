"""An unrolled program in a dialect: each block printed once, for all the steps that it holds for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Symbol

from symgru.algebra import Mat, Ref, Vec, rebuild
from symgru.backends.dialect import Dialect
from symgru.backends.formula import ScalarForm
from symgru.backends.notation import Name, Notation, at_time, taken_apart
from symgru.unroll import Assign, Program

Pairs = list[tuple[str, str]]  # the left and right sides of equations


@dataclass(frozen=True)
class ProgramWriter:
    """Writes an unrolled program in a dialect; each block is printed once and filled in for each step."""

    program: Program
    dialect: Dialect
    timed: bool = True

    @cached_property
    def _form(self) -> ScalarForm:
        notation = Notation(self.program.cell, self.program.sizes, self.timed, shapes=self.program.shapes)
        return self.dialect.scalar(notation)

    def _pairs(self, lines: tuple[Assign, ...]) -> Pairs:
        return [(self._form.scalar(line.lhs), self._form.scalar(line.rhs)) for line in lines]

    def once(self) -> Pairs:
        """What is computed before the first step."""
        return self._pairs(self.program.once)

    def blocks(self) -> Iterator[tuple[range, Pairs]]:
        """Each block once, with placeholders for the time, and the steps it holds for."""
        return ((block.times, self._pairs(block.lines)) for block in self.program.blocks)

    def closed(self) -> Pairs:
        """The last state as one formula in inputs and parameters."""
        known: dict[tuple[Ref, int], Expr] = {(line.lhs, 0): line.rhs for line in self.program.once}
        result: list[tuple[str, str]] = []
        for t, line in self.program.lines():

            def value(s: Expr, t: int = t) -> Expr:
                if not isinstance(s, Ref):
                    return s
                time = 0 if s.dt is None else t + s.dt
                now = Ref(s.of, s.idx, None if s.dt is None else 0)
                return known.get((now, time), Symbol(at_time(self._form.scalar(s), t)))

            known[line.lhs, t] = rebuild(line.rhs, value)
            if t == self.program.steps and line.lhs.of in {before for before, _ in self.program.cell.states}:
                result.append((at_time(self._form.scalar(line.lhs), t), self._form.scalar(known[line.lhs, t])))
        return result


def made_params(made: Mapping[Symbol, Expr], dialect: Dialect) -> Pairs:
    """d_z = b_z + c_z, for each parameter that a rule made."""
    form = dialect.syntax()

    def written(e: Expr) -> Expr:
        return Symbol(form.name(_name(e))) if isinstance(e, Vec | Mat) else e

    return [(form.name(_name(s)), form.scalar(rebuild(e, written))) for s, e in made.items()]


def _name(s: Symbol) -> Name:
    """A parameter as a whole: letter, primes, gate."""
    return Name(*taken_apart(s.name))


def shown_times(times: range, steps: int, show: int | None) -> Iterator[int | range]:
    """The steps of a block that are shown: all, or where `show` is given the first and last so many; what is left out
    comes as a range."""
    if show is None or steps <= 2 * show + 1:
        yield from times
        return
    middle = range(max(times.start, show + 1), min(times.stop, steps - show + 1))
    yield from range(times.start, min(times.stop, show + 1))
    if middle:
        yield middle
    yield from range(max(times.start, steps - show + 1), times.stop)
