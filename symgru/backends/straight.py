"""A network as one straight line of code for a fixed number of time steps: every assignment once, no loop, no branch.

Each layer is a Program simplified with its own numbers, so that zeros, constants and equal lines are not computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from sympy import Expr, Symbol

from symgru.algebra import Across, Ref, count_operations, walk
from symgru.backends.liveness import Run, runs
from symgru.backends.model import Unit, split_time
from symgru.backends.notation import BEFORE, NOW, at_time
from symgru.errors import UnusableInput
from symgru.folding import Numbers
from symgru.network import Network, Tensor
from symgru.simplification import RULES, Simplification, chosen, simplify
from symgru.unroll import Assign
from symgru.yardstick import example_input

KINDS = {"*": "multiplications", "+": "additions", "/": "divisions", "function": "functions"}
ALWAYS = ("zero-initial-state", "operands", "numbers")  # else a line would read what is not there
LONGEST = 1_000_000  # time steps
MOST = 1000  # assignments that a compiler takes without trouble: 16,000 keep gcc busy for half a minute


@dataclass(frozen=True)
class StraightLayer:
    """A layer's program. `source` is the layer it reads, None for the network's input; `timed` says whether it runs at
    every time step."""

    unit: Unit
    simplification: Simplification
    timed: bool
    source: StraightLayer | None

    @property
    def id(self) -> str:
        return self.unit.id

    def lines(self, t: int) -> Sequence[Assign]:
        """The assignments of step t (0: those before the first step); every layer's last where it has no time."""
        program = self.simplification.last.program
        if t == 0:
            return program.once
        time = t if self.timed else 1
        return next(block.lines for block in program.blocks if time in block.times)

    def output(self, i: int) -> Ref:
        """Component i of what the layer hands on, at its own time."""
        cell = self.unit.cell
        return Ref(cell.stored(cell.output), (i,), 0)


@dataclass(frozen=True)
class Straight:
    """A network unrolled over `steps` time steps, layer by layer within each step."""

    network: Network
    steps: int
    layers: tuple[StraightLayer, ...]

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """What is computed, in order."""
        return runs(self.layers, self.steps, len(self.output_times()) > 1)

    def order(self) -> Iterator[tuple[StraightLayer, int, Sequence[Assign]]]:
        """(layer, time step, its lines) in the order of computation; time 0 is before the first step."""
        return ((layer, t, lines) for run in self.runs for t in run.times for layer, lines in run.parts)

    def output_times(self) -> Sequence[int]:
        """The time steps that the network gives an output for."""
        last = self.layers[-1]
        return range(1, self.steps + 1) if last.timed and last.unit.sequences else [self.steps]

    def window(self, x: Tensor | None) -> Tensor:
        """An input of just so many time steps: `x` where it is one, else numbers from a seed."""
        if x is None:
            return example_input(self.network.with_steps(self.steps))
        if x.value.shape[1] != self.steps:
            raise UnusableInput(f"the input has {x.value.shape[1]} time steps; the code is unrolled for {self.steps}")
        return x

    @cached_property
    def count(self) -> int:
        return sum(len(run.times) * len(lines) for run in self.runs for _, lines in run.parts)

    @cached_property
    def reads_input(self) -> bool:
        """Whether the output depends on the input at all."""
        parts = (part for run in self.runs for part in run.parts if part[0].source is None)
        return any(ref.of in layer.unit.cell.inputs for layer, lines in parts for ref in _refs(lines))

    def operations(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Operations by kind: of the network as written, and of what is computed here."""
        before, after = Counter[str](), Counter[str]()
        for layer in self.layers:
            before.update(layer.simplification.stages[0].after)
        for run in self.runs:
            for _, lines in run.parts:
                for line in lines:
                    after.update({kind: n * len(run.times) for kind, n in count_operations(line.rhs).items()})
        return before, after

    def rules(self) -> list[str]:
        """The rules that changed something, in order."""
        named = dict.fromkeys(s.rule for layer in self.layers for s in layer.simplification.stages[1:])
        whole = sum(layer.simplification.last.program.assignments for layer in self.layers)
        return list(named | ({RULES["dead-lines"].name: None} if self.count < whole else {}))

    def expressions(self) -> list[Expr]:
        """Every right-hand side, each once however often it is computed."""
        return [line.rhs for run in self.runs for _, lines in run.parts for line in lines]


def _refs(lines: Sequence[Assign]) -> Iterator[Ref]:
    return (s for line in lines for s in walk(line.rhs) if isinstance(s, Ref))


class Names:
    """What the scalars of a straight line are called: h_3_2 is h at step 3, unit 2, as documents count; with several
    layers the layer's id stands before it, or its place where one id begins with another: v_n of a layer `gru` is not
    n of a layer `gru_v`."""

    def __init__(self, line: Straight) -> None:
        self.several = len(line.layers) > 1
        ids = [layer.id for layer in line.layers]
        apart = not any(a.startswith(f"{b}_") for a in ids for b in ids)
        self.layers = {a: a if apart else f"layer_{k}" for k, a in enumerate(ids, 1)}

    def of(self, layer: StraightLayer, ref: Ref, time: str) -> str:
        """`time` is a step's number, or what stands for it; a constant has none."""
        program = layer.simplification.last.program
        parts = [self.layers[layer.id]] if self.several else []
        parts.append(ref.of.name.replace("'", "_half"))
        parts += [time] if ref.dt is not None else []
        parts += [str(k + 1) for k, d in zip(ref.idx, program.shapes[ref.of], strict=False) if program.sizes[d] > 1]
        return "_".join(parts)

    def says(self, line: Straight) -> str:
        """A sentence for a comment."""
        layer = line.layers[-1]
        unit = ", unit 1" if layer.unit.sizes["H"] > 1 else ""
        output = layer.output(0)
        return f"{self.of(layer, output, str(line.steps))} is {layer.id}'s {output.of} at step {line.steps}{unit}."


class StraightWriter:
    """A straight line in a language: each block is printed once and filled in for each of its steps.

    While a block is printed, its time is NOW, and element j of the network's input is j between two marks.
    """

    room = 100  # columns of a statement

    def __init__(self, line: Straight) -> None:
        self.line, self.names = line, Names(line)
        self._printed: dict[tuple[str, Sequence[Assign]], str] = {}

    def input(self, t: int, j: int) -> str:
        """Element j of the network's input at step t."""
        raise NotImplementedError

    def statement(self, lhs: str, e: Expr, place: Callable[[Symbol], str]) -> Iterator[str]:
        """An assignment; `place` says how a Ref is spelled."""
        raise NotImplementedError

    def across(self, names: Mapping[int, str], e: Across, place: Callable[[Symbol], str]) -> Iterator[str]:
        """A function of all units; `names` are those of its components that are wanted."""
        raise NotImplementedError

    def place(self, layer: StraightLayer, ref: Ref) -> str:
        if ref.of not in layer.unit.cell.inputs:
            return self.names.of(layer, ref, NOW if ref.dt == 0 else BEFORE)
        if layer.source is None:
            return f"\x03{ref.idx[0]}\x04"
        return self.names.of(layer.source, layer.source.output(ref.idx[0]), NOW)

    def fill(self, text: str, t: int) -> str:
        text = at_time(text, t)
        for j in range(self.line.network.features):  # replacing is many times faster than a regular expression
            text = text.replace(f"\x03{j}\x04", self.input(t, j))
        return text

    def parts(self) -> Iterator[dict[str, str]]:
        """The statements of one layer at one step, and what a comment says of them."""
        for layer, t, lines in self.line.order():
            when = "before the first step" if t == 0 else f"t = {t}" if layer.timed else "after the last step"
            says = f"{layer.id}, {when}" if self.names.several else when
            yield {"says": says, "lines": self.fill(self._text(layer, lines), t)}

    def _text(self, layer: StraightLayer, lines: Sequence[Assign]) -> str:
        key = layer.id, lines
        if key not in self._printed:
            self._printed[key] = "\n".join(self._statements(layer, lines))
        return self._printed[key]

    def _statements(self, layer: StraightLayer, lines: Sequence[Assign]) -> Iterator[str]:
        def place(s: Symbol) -> str:
            return self.place(layer, cast(Ref, s))

        wanted: dict[Symbol, dict[int, str]] = {}
        for line in lines:
            if isinstance(line.rhs, Across):
                wanted.setdefault(line.lhs.of, {})[line.lhs.idx[0]] = self.names.of(layer, line.lhs, NOW)
        for line in lines:
            if not isinstance(line.rhs, Across):
                yield from self.statement(self.names.of(layer, line.lhs, NOW), line.rhs, place)
            elif line.lhs.of in wanted:  # all its components at the first
                yield from self.across(wanted.pop(line.lhs.of), line.rhs, place)

    def wrapped(self, text: str) -> list[str]:
        """A long statement in pieces that fit, cut at blanks."""
        pieces, filled = [""], 0
        for word in text.split(" "):
            wide = len(self.fill(word, self.line.steps)) + 1
            if filled and filled + wide > self.room:
                pieces.append(word)
                filled = wide
            else:
                pieces[-1] += f" {word}" if filled else word
                filled += wide
        return pieces

    def outputs(self) -> list[list[str]]:
        """What the network gives, one row for each time step that it gives one for."""
        last = self.line.layers[-1]
        refs = [last.output(i) for i in range(last.unit.sizes["H"])]
        return [[self.names.of(last, ref, str(t)) for ref in refs] for t in self.line.output_times()]


def counted(operations: Mapping[str, int]) -> str:
    """31 multiplications, 16 additions, 11 functions."""
    return ", ".join(f"{operations[kind]} {says}" for kind, says in KINDS.items() if operations.get(kind)) or "nothing"


def straight(
    network: Network, steps: int | None = None, rules: str | Sequence[str] | None = None, force: bool = False
) -> Straight:
    """Unroll a network over `steps` time steps (its own number where it fixes one).

    `rules` are keys of `simplification.RULES`; those that straight code cannot be without are always applied. Raises
    UnusableInput where no number of steps is known, for rules that need inputs of a certain kind, and above 1,000
    assignments unless `force`.
    """
    count = steps if steps is not None else network.steps
    if count is None:
        raise UnusableInput("the model does not fix its number of time steps: say how many with --steps")
    if not isinstance(count, int) or not 1 <= count <= LONGEST:
        raise UnusableInput(f"steps is {count!r:.30}; it must be a whole number from 1 to {LONGEST:,}")
    keys = chosen([*chosen(rules), *ALWAYS])
    if "constant-inputs" in keys:
        raise UnusableInput("constant-inputs goes with derive: code with --unrolled reads another input at every step")
    timed, head = split_time(network)
    made: list[StraightLayer] = []
    for unit in (*timed, *head):
        numbers = Numbers(unit.layer.weights, network.dtype, typed=False)
        runs = count if unit in timed else 1
        program = simplify(unit.cell, unit.sizes, runs, keys, numbers)
        made.append(StraightLayer(unit, program, unit in timed, made[-1] if made else None))
    found = Straight(network, count, tuple(made))
    if found.count > MOST and not force:
        raise UnusableInput(
            f"{count} time steps make {found.count} assignments, and compilers choke above {MOST}: leave out "
            "--unrolled for a loop, or add --force"
        )
    return found


@dataclass(frozen=True, kw_only=True)
class StraightOptions:
    """Options that every code backend has: `unrolled` for `steps` time steps by `rules`, `force` for many."""

    unrolled: bool = False
    steps: int | None = None
    rules: str | Sequence[str] | None = None
    force: bool = False

    def straight_text(self) -> list[str]:
        """These options as they are typed."""
        steps = f"--steps {self.steps}" if self.steps else ""
        names = self.rules.replace(",", " ").split() if isinstance(self.rules, str) else self.rules
        rules = None if names is None else ",".join(names)
        return ["--unrolled", steps, f"--rules {rules}" if rules is not None else ""] if self.unrolled else []

    def straight(self, network: Network) -> Straight | None:
        """The network as one straight line where that is asked for. Raises UnusableInput for options without it."""
        if self.unrolled:
            return straight(network, self.steps, self.rules, self.force)
        for option in ("steps", "rules", "force"):
            if getattr(self, option):
                raise UnusableInput(f"--{option} goes with --unrolled; a loop takes any number of time steps")
        return None
