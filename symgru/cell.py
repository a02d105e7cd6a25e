"""A cell: equations over vectors of units, and what follows from them alone: parameters, shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from sympy import Expr, S, Symbol

from symgru.algebra import Dot, Mat, Mean, Select, Total, Vec, rebuild, vectors, walk

x, h, h1, m = vectors("x h h1 m")  # this step's input, the state before and after it, a mask


@dataclass(frozen=True)
class Cell:
    """Equations in the order they are computed; the last gives the output (and the state, where there is one)."""

    name: str
    equations: tuple[tuple[Vec, Expr], ...]
    title: str = ""
    source: str = ""
    inputs: tuple[Vec, ...] = (x,)
    states: tuple[tuple[Vec, Vec], ...] = ((h, h1),)

    @property
    def output(self) -> Vec:
        return self.equations[-1][0]

    @property
    def mask(self) -> Vec | None:
        """The input that is one truth value for all units, in a masked cell."""
        return m if m in self.inputs else None

    @cached_property
    def defined(self) -> tuple[Vec, ...]:
        """The left-hand sides, in order."""
        return tuple(lhs for lhs, _ in self.equations)

    @cached_property
    def params(self) -> tuple[Symbol, ...]:
        """Weights and biases in the order in which the equations mention them."""
        known = {*self.inputs, *(before for before, _ in self.states), *self.defined}
        used = (s for _, e in self.equations for s in walk(e) if isinstance(s, Vec | Mat))
        return tuple(dict.fromkeys(s for s in used if s not in known))

    @cached_property
    def dims(self) -> Mapping[Symbol, tuple[str, ...]]:
        """The shape of every symbol, by unification: ("H", "D") for a kernel, ("H",) for a gate.

        "H" is the number of units (the output's length), "D" of features (the input's).
        """
        return _unify(self)

    def stored(self, s: Symbol) -> Symbol:
        """h for h1: a state before and after a step is one quantity. Any other symbol is its own."""
        return next((before for before, after in self.states if after == s), s)

    @property
    def quantities(self) -> tuple[Symbol, ...]:
        """Everything that has a name: inputs, what is computed, weights and biases; a state once."""
        return tuple(dict.fromkeys(map(self.stored, (*self.inputs, *self.defined, *self.params))))

    def with_equations(self, equations: tuple[tuple[Vec, Expr], ...], name: str | None = None) -> Cell:
        return replace(self, name=name or self.name, equations=equations)

    def without(self, params: set[Symbol]) -> Cell:
        """The cell with these parameters 0: the terms are gone, not computed."""

        def drop(e: Expr) -> Expr:
            return S.Zero if e in params else e

        return self.with_equations(tuple((lhs, rebuild(e, drop)) for lhs, e in self.equations))

    def filled(self, numbers: Mapping[Symbol, Expr]) -> Cell:
        """The cell with numbers in the place of some symbols."""
        return self.with_equations(tuple((lhs, rebuild(e, lambda s: numbers.get(s, s))) for lhs, e in self.equations))

    def activated(self, functions: Mapping[Any, Any]) -> Cell:
        """The cell with its functions exchanged, all at once: {sigma: gate activation, tanh: candidate's}."""

        def swap(e: Expr) -> Expr:
            return functions[e.func](e.args[0]) if e.func in functions else e

        return self.with_equations(tuple((lhs, rebuild(e, swap)) for lhs, e in self.equations))


def _unify(cell: Cell) -> dict[Symbol, tuple[str, ...]]:
    parent: dict[Any, Any] = {}

    def find(k: Any) -> Any:
        while parent.setdefault(k, k) != k:
            k = parent[k]
        return k

    def shape(e: Expr) -> Any:
        """A key for the length of `e`, or None for a number; element-wise operands have one length."""
        if isinstance(e, Dot):
            matrix, operand = e.args
            parent[find((matrix, "columns"))] = find(shape(cast(Expr, operand)))
            return matrix, "rows"
        if isinstance(e, Mean | Total):  # one number for all units
            shape(cast(Expr, e.args[0]))
            return None
        if isinstance(e, Select):
            keys = [k for k in (shape(cast(Expr, a)) for a in e.args[1:]) if k is not None]
            parent[find(keys[1])] = find(keys[0])
            return keys[0]
        if isinstance(e, Vec):
            return e
        keys = [k for k in (shape(cast(Expr, a)) for a in e.args) if k is not None]
        for k in keys[1:]:
            parent[find(k)] = find(keys[0])
        return keys[0] if keys else None

    for lhs, rhs in cell.equations:
        key = shape(rhs)
        if key is not None:
            parent[find(key)] = find(lhs)
    for before, after in cell.states:
        parent[find(before)] = find(after)
    letters = {find(cell.inputs[0]): "D", find(cell.output): "H"}

    def letter(k: Any) -> str:
        return letters.setdefault(find(k), f"n{len(letters)}")

    symbols = (*cell.inputs, *(before for before, _ in cell.states), *cell.defined, *cell.params)
    return {s: (letter((s, "rows")), letter((s, "columns"))) if isinstance(s, Mat) else (letter(s),) for s in symbols}


def masked(cell: Cell) -> Cell:
    """The cell with a mask m beside its input: where it does not hold, the state stays as it was."""
    ((before, after),) = cell.states
    fresh = Vec("h2", real=True)
    equations = tuple((fresh if lhs == after else lhs, rhs) for lhs, rhs in cell.equations)
    kept = (after, cast(Expr, Select(m, fresh, before, evaluate=False)))
    return replace(cell, equations=(*equations, kept), inputs=(*cell.inputs, m))


def cell_of_page(name: str, page: Mapping[str, tuple[Any, ...]]) -> Cell:
    """An entry of a page of equations: (title, source, equations…) under its name."""
    title, source, *equations = page[name]
    flat = tuple((lhs, rebuild(e)) for lhs, e in equations)  # (a + b) + c becomes a + b + c
    used = {s for _, e in flat for s in walk(e)}
    return Cell(name, flat, title, source, states=((h, h1),) if h in used else ())
