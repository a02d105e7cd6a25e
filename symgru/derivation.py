"""The symbolic derivation of a cell: its recurrence unrolled in time and simplified, rule by rule.

This is the model of the document; the backends latex, markdown and text print it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Symbol

from symgru.activations import Activation, used_in
from symgru.algebra import Mat, Vec, sigma, walk
from symgru.cells import CELLS, Cell, build
from symgru.errors import UnusableInput
from symgru.rules import MERGED_BIASES, UNUSED, ZERO_BIASES, ZERO_STATE, Transform
from symgru.unroll import Program, unroll

Counts = Mapping[str, int]
AS_WRITTEN = "as written"


@dataclass(frozen=True)
class Stage:
    """A program and the rule that led to it, with the operations of the whole program before and after."""

    rule: str
    says: str
    program: Program
    before: Counts
    after: Counts


@dataclass(frozen=True)
class Described:
    """One symbol of the equations: what it is, and its shape as the framework has it (letters of `sizes`)."""

    symbol: Symbol
    says: str
    shape: tuple[str, ...]


@dataclass(frozen=True)
class Derivation:
    """Everything that the document says.

    `stages` begins with the program as written; a rule that changes nothing for this cell has no stage, and `idle`
    names it. `merged` gives each merged bias in terms of the old ones.
    """

    cell: Cell
    sizes: Mapping[str, int]
    steps: int
    stages: tuple[Stage, ...]
    idle: tuple[Transform, ...]
    merged: Mapping[Symbol, Expr]
    options: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def symbols(self) -> tuple[Described, ...]:
        return tuple(describe(self.cell))

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """The named functions whose meaning the document gives."""
        return named_activations(self.cell)

    @property
    def uses_sigma(self) -> bool:
        return uses(self.cell, sigma) or any(uses_function(a.meaning, sigma) for a in self.activations)

    def after(self, *rules: str) -> Stage | None:
        """The last stage that one of these rules led to."""
        return next((s for s in reversed(self.stages) if s.rule in rules), None)

    @cached_property
    def sections(self) -> tuple[tuple[str, Stage], ...]:
        """What is shown unrolled: as written, then with state and merged biases, then without biases."""
        general = self._upto(ZERO_BIASES)
        shown = [(AS_WRITTEN, self.stages[0])]
        if general is not self.stages[0]:
            shown.append(("simplified", general))
        if self.after(ZERO_BIASES.name):
            shown.append(("without biases", self.stages[-1]))
        return tuple(shown)

    def _upto(self, rule: Transform) -> Stage:
        names = [s.rule for s in self.stages]
        return self.stages[names.index(rule.name) - 1 if rule.name in names else -1]


def derive(
    cell: Cell | str = "gru",
    units: int = 1,
    features: int = 1,
    steps: int = 4,
    options: Mapping[str, object] | None = None,
) -> Derivation:
    """Unroll a cell for `steps` time steps and simplify it.

    `cell` is a cell or the name of one ("gru", "gru_before", ...); `options` are a layer's (activations, use_bias,
    reset_after) and go with a name. Raises UnusableInput for sizes below 1 and for a cell that is not known. The time
    it takes does not depend on `steps`.
    """
    for name, value in (("units", units), ("features", features), ("steps", steps)):
        if not isinstance(value, int) or value < 1:
            raise UnusableInput(f"{name} is {value!r}; it must be a whole number of at least 1")
    if not isinstance(cell, Cell | str):
        raise UnusableInput(f"a cell is named by a text, not by a {type(cell).__name__}")
    if isinstance(cell, str):
        if cell not in CELLS:
            raise UnusableInput(f"no cell is called {cell[:60]!r}; known are {', '.join(CELLS)}")
        cell = build(cell, options or {})
    sizes = {"H": units, "D": features}
    sizes |= {letter: units for shape in cell.dims.values() for letter in shape if letter not in sizes}
    return _Chain(cell, sizes, steps).run(options or {})


class _Chain:
    """Applies the rules one after the other and keeps the stages that changed something."""

    def __init__(self, cell: Cell, sizes: Mapping[str, int], steps: int) -> None:
        self.cell, self.first = cell, cell  # the first step has become simpler than the rest once its state is 0
        self.original, self.sizes, self.steps = cell, sizes, steps
        program = unroll(cell, sizes, steps)
        counts = program.operations()
        self.stages = [Stage(AS_WRITTEN, "every step is the recurrence itself", program, counts, counts)]
        self.idle: list[Transform] = []

    def run(self, options: Mapping[str, object]) -> Derivation:
        merged = MERGED_BIASES.apply(self.cell)[1]
        self._step(ZERO_STATE, rest=False)
        self._step(UNUSED, quiet=True)
        self._step(MERGED_BIASES)
        self._step(ZERO_BIASES)
        self._step(UNUSED, quiet=True)
        return Derivation(self.original, self.sizes, self.steps, tuple(self.stages), tuple(self.idle), merged, options)

    def _step(self, rule: Transform, rest: bool = True, quiet: bool = False) -> None:
        first, cell = rule(self.first), rule(self.cell) if rest else self.cell
        if (first, cell) == (self.first, self.cell):
            if not quiet:
                self.idle.append(rule)
            return
        self.first, self.cell = first, cell
        before = self.stages[-1].after
        program = unroll(cell, self.sizes, self.steps, first)
        self.stages.append(Stage(rule.name, rule.says, program, before, program.operations()))


_GATES = {
    "z": "update gate",
    "r": "reset gate",
    "n": "candidate",
    "f": "forget gate",
    "h1": "state after the step",
    "y": "output",
}


def describe(cell: Cell) -> Iterator[Described]:
    """Every symbol of a cell in the order a reader meets them: input, state, gates, then parameters."""
    dims = cell.dims
    for s in cell.inputs:
        yield Described(s, "input of this step", dims[s])
    for before, _ in cell.states:
        yield Described(before, "state before the step", dims[before])
    for s in cell.defined:
        yield Described(s, _GATES.get(s.name, "intermediate value"), dims[s])
    for p in cell.params:
        yield Described(p, _role(cell, p), tuple(reversed(dims[p])))


def gates(cell: Cell) -> Iterator[tuple[Vec, str]]:
    """What a cell's own equations define and has a name: z is the update gate."""
    return ((s, _GATES[s.name]) for s in cell.defined if s.name in _GATES)


def _role(cell: Cell, p: Symbol) -> str:
    gate = _GATES.get(p.name.partition("_")[2], "")
    of = f" of the {gate}" if gate else ""
    if isinstance(p, Mat):
        return ("kernel" if cell.dims[p][1] == "D" else "recurrent kernel") + of
    two = any(q.name.startswith("c_") for q in cell.params)
    side = "" if not two else " (state's side)" if p.name.startswith("c_") else " (input's side)"
    return f"bias{of}{side}"


def named_activations(cell: Cell) -> tuple[Activation, ...]:
    """The activations that are named in a cell's equations, each once, in reading order."""
    return tuple({a.name: a for _, e in cell.equations for a in used_in(e)}.values())


def uses(cell: Cell, function: type) -> bool:
    """Whether the function occurs in a cell's equations."""
    return any(uses_function(e, function) for _, e in cell.equations)


def uses_function(e: Expr, function: type) -> bool:
    return any(isinstance(node, function) for node in walk(e))
