"""Simplifying a recurrence rule by rule, each rule under a name, with what it rests on and what it saves.

Rules on a Recurrence see vectors and matrices; rules on numbers (module `folding`) see the scalars of a Program whose
weights are known. Every rule can be left out, and each stage is there to be printed, compared and proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from sympy import Symbol

from symgru import folding
from symgru.algebra import Vec, walk
from symgru.cell import Cell
from symgru.errors import UnusableInput
from symgru.folding import Numbers
from symgru.hoisting import hoisted
from symgru.rules import (
    BLEND,
    COMPLEMENT,
    HALF_ANGLE,
    MERGED_BIASES,
    OPERANDS,
    UNUSED,
    ZERO_BIASES,
    ZERO_STATE,
    Transform,
    zero_params,
)
from symgru.stages import AS_WRITTEN, Counts, Stage, proof
from symgru.unroll import Equation, Program, Recurrence

__all__ = [
    "AS_WRITTEN",
    "RULES",
    "USUAL",
    "Counts",
    "Rule",
    "Simplification",
    "Stage",
    "chosen",
    "proof",
    "simplify",
]


@dataclass(frozen=True)
class Rule:
    """One simplification. `says` what it does; `rests_on` names the theorem of `symgru prove` it applies, if any.

    `usual` rules are applied unless others are chosen. `vectors` works on the recurrence, `scalars` on the program.
    """

    name: str
    says: str
    vectors: Callable[[Recurrence, Numbers | None], Recurrence] | None = None
    scalars: Callable[[Program, Numbers], Program] | None = None
    rests_on: str = ""
    usual: bool = True

    @property
    def key(self) -> str:
        """How the rule is named on a command line."""
        return self.name.replace(" ", "-")


def everywhere(transform: Transform) -> Callable[[Recurrence, Numbers | None], Recurrence]:
    """A rewriting of cells, applied to the first step and to the others."""

    def apply(r: Recurrence, numbers: Numbers | None) -> Recurrence:
        first, made = transform.apply(r.first)
        rest, more = transform.apply(r.rest)
        return replace(r, first=first, rest=rest, params={**r.params, **made, **more})

    return apply


def _zero_state(r: Recurrence, numbers: Numbers | None) -> Recurrence:
    return replace(r, first=ZERO_STATE(r.first), zero_start=True) if r.cell.states else r


def _zero_biases(r: Recurrence, numbers: Numbers | None) -> Recurrence:
    """Biases that are 0 in this network; all of them where the weights are symbols."""
    biases = {p for cell in (r.first, r.rest) for p in cell.params if isinstance(p, Vec)}
    if numbers is not None:
        biases = {p for p in biases if numbers.all_zero(p, r.params)}
    new = everywhere(zero_params(cast("set[Symbol]", biases)))(r, numbers)
    return replace(new, zero=r.zero | biases)


def _half_angle(r: Recurrence, numbers: Numbers | None) -> Recurrence:
    new = everywhere(HALF_ANGLE)(r, numbers)
    if numbers is not None:
        numbers.refuse_inexact_halves(new.params)
    return new


def _constants(r: Recurrence, numbers: Numbers | None) -> Recurrence:
    return hoisted(r, constant_input=False)


def _constant_inputs(r: Recurrence, numbers: Numbers | None) -> Recurrence:
    return hoisted(r, constant_input=True)


def _unused(r: Recurrence, numbers: Numbers | None) -> Recurrence:
    first, rest = UNUSED(r.first), UNUSED(r.rest)
    kept: list[Equation] = []
    needed = {s for cell in (first, rest) for s in cell.params}
    for lhs, e in reversed(r.once):
        if lhs in needed:
            kept.append((lhs, e))
            needed |= {s for s in walk(e) if s.is_Symbol}
    return replace(r, first=first, rest=rest, once=tuple(reversed(kept)))


def _rule(t: Transform, usual: bool = False) -> Rule:
    return Rule(t.name, t.says, everywhere(t), rests_on=t.rests_on, usual=usual)


RULES = {
    rule.key: rule
    for rule in (
        Rule(ZERO_STATE.name, ZERO_STATE.says, _zero_state),
        _rule(MERGED_BIASES, usual=True),
        Rule(ZERO_BIASES.name, ZERO_BIASES.says, _zero_biases),
        _rule(COMPLEMENT),
        _rule(BLEND),
        Rule("half angle", HALF_ANGLE.says, _half_angle, rests_on=HALF_ANGLE.rests_on, usual=False),
        Rule(
            "constant inputs",
            "the input is the same at every step, so its products are computed once, before the first step",
            _constant_inputs,
            usual=False,
        ),
        Rule(
            "constants",
            "what depends on neither input nor state is computed once, before the first step",
            _constants,
        ),
        Rule(UNUSED.name, UNUSED.says, _unused),
        _rule(OPERANDS),
        Rule(
            "pruned weights",
            "weights that are 0 are left out with what they multiply (for finite inputs)",
            scalars=folding.pruned,
        ),
        Rule(
            "numbers", "every weight is its number, and numbers among themselves are worked out", scalars=folding.folded
        ),
        Rule(
            "constant lines",
            "components that turn out constant are computed once, or put in as their number",
            scalars=folding.constant_lines,
        ),
        Rule("shared functions", "equal σ and tanh are computed once", scalars=folding.shared),
        Rule("dead lines", "components that nothing reads are left out", scalars=folding.without_dead_lines),
    )
}
AFTER = {ZERO_STATE.name, ZERO_BIASES.name, "constant inputs", "constants"}  # what may leave lines unused
USUAL = tuple(key for key, rule in RULES.items() if rule.usual)


def chosen(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """The keys of the rules to apply, in the order they are applied; the usual ones where None.

    Names come in a list, or in one text with commas. `all` and `none` stand for every rule and no rule, `usual` for the
    usual ones. An unknown name is refused.
    """
    if names is None:
        return USUAL
    names = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    if not names or len(names) > 1 and "none" in names:
        raise UnusableInput("--rules wants names of rules, or none alone")
    groups = {"all": tuple(k for k in RULES if k != "constant-inputs"), "none": (), "usual": USUAL}
    wanted: set[str] = set()
    for name in names:
        if name not in RULES and name not in groups:
            raise UnusableInput(f"no rule is called {str(name)[:40]!r}; there are {', '.join([*RULES, *groups])}")
        wanted |= set(groups.get(name, (name,)))
    return tuple(key for key in RULES if key in wanted)


def refuse_without_numbers(names: str | Sequence[str] | None) -> None:
    """Rules on numbers, asked for by name where there are none."""
    named = names.replace(",", " ").split() if isinstance(names, str) else names or ()
    for name in named:
        if name in RULES and RULES[name].scalars:
            raise UnusableInput(f"{name} works on the numbers of a network: name one with --model")


def simplify(
    cell: Cell, sizes: Mapping[str, int], steps: int, keys: Iterable[str] = USUAL, numbers: Numbers | None = None
) -> Simplification:
    """The cell unrolled for `steps` time steps, and what each rule makes of it."""
    recurrence = Recurrence.of(cell)
    program = recurrence.unroll(sizes, steps)
    counts = program.operations()
    stages = [Stage(AS_WRITTEN, "every step is the recurrence itself", recurrence, program, counts, counts)]
    idle: list[Rule] = []
    keys = list(keys)

    def step(rule: Rule, quiet: bool = False) -> bool:
        last = stages[-1]
        recurrence, program = last.recurrence, last.program
        if rule.vectors:
            recurrence = rule.vectors(recurrence, numbers)
            if recurrence != last.recurrence:
                program = recurrence.unroll(sizes, steps)
        elif rule.scalars and numbers is not None:
            program = rule.scalars(program, numbers)
        if (recurrence, program) == (last.recurrence, last.program):
            if not quiet:
                idle.append(rule)
            return False
        counts = program.operations()
        stages.append(Stage(rule.name, rule.says, recurrence, program, last.after, counts, rule.rests_on))
        return True

    unused = RULES["unused-lines"]
    for key in keys:
        rule = RULES[key]
        if rule is unused or rule.scalars and numbers is None:
            continue  # lines fall out of use as other rules are applied
        if step(rule) and rule.name in AFTER and unused.key in keys:
            step(unused, quiet=True)
    return Simplification(tuple(stages), tuple(idle), numbers)


@dataclass(frozen=True)
class Simplification:
    """The stages of a program, the first as written; `idle` are rules that found nothing to do."""

    stages: tuple[Stage, ...]
    idle: tuple[Rule, ...]
    numbers: Numbers | None = None

    @property
    def last(self) -> Stage:
        return self.stages[-1]

    @cached_property
    def proved(self) -> bool:
        """Whether every stage computes the same function as the one before it, shown on normal forms."""
        pairs = zip(self.stages, self.stages[1:], strict=False)
        return all(proof(before, after, self.numbers) for before, after in pairs)
