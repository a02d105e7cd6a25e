"""The symbolic derivation of a cell: its recurrence unrolled in time and simplified, rule by rule.

This is the model of the document; the backends latex, markdown and text print it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Expr, Symbol

from symgru.activations import Activation, used_in
from symgru.algebra import Mat, Vec, sigma, walk
from symgru.building import build
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.errors import UnusableInput
from symgru.folding import Numbers
from symgru.network import Layer, Network
from symgru.rules import ZERO_BIASES
from symgru.shapes import units as units_of
from symgru.simplification import (
    AS_WRITTEN,
    RULES,
    Counts,
    Rule,
    Simplification,
    Stage,
    chosen,
    refuse_without_numbers,
    simplify,
)
from symgru.trace import keeps_time

__all__ = ["Counts", "Derivation", "Derivations", "Section", "derive", "derive_network"]
READABLE = 2  # time steps up to which the closed form of one unit can be read


@dataclass(frozen=True)
class Described:
    """One symbol of the equations: what it is, and its shape as the framework has it (letters of `sizes`)."""

    symbol: Symbol
    says: str
    shape: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A program shown step by step, under a heading. `closed` says whether one formula for the result is readable."""

    kind: str  # "as written", "simplified", "without biases" or "with numbers"
    stage: Stage
    rules: tuple[str, ...]
    made: Mapping[Symbol, Expr]  # parameters that the rules made, in terms of earlier ones
    closed: bool


@dataclass(frozen=True)
class Derivation:
    """Everything that the document says of one cell.

    `with_biases` leaves no bias out because it is 0; `full` applies every rule that was chosen. A rule that changes
    nothing for this cell has no stage, and `idle` names it. `layer` is a network's layer whose numbers are put in,
    `timed` says whether it has a time axis, `place` its place in the network.
    """

    cell: Cell
    sizes: Mapping[str, int]
    steps: int
    full: Simplification
    with_biases: Simplification
    options: Mapping[str, object] = field(default_factory=dict)
    layer: Layer | None = None
    timed: bool = True
    place: int = 1
    gradients: bool = False  # whether the way back is shown

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.full.stages

    @property
    def idle(self) -> tuple[Rule, ...]:
        return self.full.idle

    @cached_property
    def left_alone(self) -> tuple[Rule, ...]:
        """Rules that were not asked for, and that could be."""
        tried = {s.rule for s in self.stages} | {rule.name for rule in self.idle}
        return tuple(r for r in RULES.values() if not r.usual and r.vectors and r.name not in tried)

    @cached_property
    def symbols(self) -> tuple[Described, ...]:
        described = tuple(describe(self.cell))
        if self.place == 1:
            return described
        return tuple(replace(d, says=f"output of layer {self.place - 1}") if d.says == _INPUT else d for d in described)

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """The named functions whose meaning the document gives."""
        return named_activations(self.cell)

    @property
    def uses_sigma(self) -> bool:
        return uses(self.cell, sigma) or any(uses_function(a.meaning, sigma) for a in self.activations)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """What is shown unrolled: as written, then simplified, then without biases or with a network's numbers."""
        first, last = self.stages[0], self.full.last
        general = self.with_biases.last
        if self.full.numbers:
            general = [s for s in self.stages if s.rule not in _ON_NUMBERS][-1]
        shown = [(AS_WRITTEN, first, self.full)]
        if general is not first and general.rule != AS_WRITTEN:
            shown.append(("simplified", general, self.full if self.full.numbers else self.with_biases))
        if self.full.numbers and last is not general:
            shown.append(("with numbers", last, self.full))
        elif not self.full.numbers and any(s.rule == ZERO_BIASES.name for s in self.stages):
            shown.append(("without biases", last, self.full))
        return tuple(self._section(*item) for item in shown)

    def _section(self, kind: str, stage: Stage, path: Simplification) -> Section:
        upto = path.stages[1 : path.stages.index(stage) + 1]
        read = {s for t, line in stage.program.lines() if t < 3 for s in _params_of(line.rhs)}
        for s, e in reversed(list(stage.program.params.items())):  # a rule's parameter may be made of another rule's
            read |= set(e.free_symbols) if s in read else set()
        made = {s: e for s, e in stage.program.params.items() if s in read}
        readable = self.sizes["H"] == 1 and self.steps <= READABLE and bool(self.cell.states) and kind != AS_WRITTEN
        return Section(kind, stage, tuple(s.rule for s in upto), made, readable)


@dataclass(frozen=True)
class Derivations:
    """A network's layers, each with its numbers put in. `name` is the file's, untrusted."""

    name: str
    parts: tuple[Derivation, ...]

    @property
    def steps(self) -> int:
        return max(part.steps for part in self.parts)


_ON_NUMBERS = {rule.name for rule in RULES.values() if rule.scalars}


def _params_of(e: Expr) -> Iterator[Symbol]:
    return (s.of for s in walk(e) if getattr(s, "dt", 0) is None)


def derive(
    cell: Cell | str = "gru",
    units: int = 1,
    features: int = 1,
    steps: int = 4,
    options: Mapping[str, object] | None = None,
    rules: str | Sequence[str] | None = None,
    gradients: bool = False,
) -> Derivation:
    """Unroll a cell for `steps` time steps and simplify it.

    `cell` is a cell or the name of one ("gru", "gru_before", ...); `options` are a layer's (activations, use_bias,
    reset_after) and go with a name. `rules` are keys of `simplification.RULES` (the usual ones where None). Raises
    UnusableInput for sizes below 1, and for a cell or rule that is not known. `gradients` adds the way back, in
    symbols. The time it takes does not depend on `steps`.
    """
    for name, value in (("units", units), ("features", features), ("steps", steps)):
        _at_least_one(name, value)
    if not isinstance(cell, Cell | str):
        raise UnusableInput(f"a cell is named by a text, not by a {type(cell).__name__}")
    if isinstance(cell, str):
        if cell not in CELLS:
            raise UnusableInput(f"no cell is called {cell[:60]!r}; known are {', '.join(CELLS)}")
        cell = build(cell, options or {})
    sizes = {"H": units, "D": features}
    sizes |= {letter: units for shape in cell.dims.values() for letter in shape if letter not in sizes}
    keys = chosen(rules)
    refuse_without_numbers(rules)
    full = simplify(cell, sizes, steps, keys)
    with_biases = simplify(cell, sizes, steps, [k for k in keys if RULES[k].name != ZERO_BIASES.name])
    return Derivation(cell, sizes, steps, full, with_biases, options or {}, gradients=gradients)


def _at_least_one(name: str, value: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise UnusableInput(f"{name} is {value!r:.30}; it must be a whole number of at least 1")
    return value


def derive_network(
    network: Network, steps: int | None = None, rules: str | Sequence[str] | None = None, gradients: bool = False
) -> Derivations:
    """The same for each layer of a network, with its numbers put in: the formula of that very network.

    `steps` is the network's own number where it fixes one, else 4. Raises UnusableInput for any other number below 1.
    """
    keys = chosen(rules)
    count = (network.steps or 4) if steps is None else _at_least_one("steps", steps)
    width, derivations = network.features, []
    last = max((k for k, (_, layer) in enumerate(network) if build(layer.kind, layer.options).states), default=-1)
    for place, (_, layer) in enumerate(network):
        cell = build(layer.kind, layer.options)
        sizes = {"H": units_of(cell, layer), "D": width}
        timed = place <= last or keeps_time(network)
        numbers = Numbers(layer.weights, network.dtype)
        full = simplify(cell, sizes, count if timed else 1, keys, numbers)
        derivations.append(
            Derivation(
                cell, sizes, count if timed else 1, full, full, layer.options, layer, timed, place + 1, gradients
            )
        )
        width = sizes["H"]
    return Derivations(network.origin or network.name, tuple(derivations))


_INPUT = "input of this step"
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
        yield Described(s, _INPUT, dims[s])
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
