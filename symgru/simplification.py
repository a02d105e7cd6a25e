"""Simplifying a recurrence rule by rule, each rule under a name, with what it rests on and what it saves.

Rules on a Recurrence see vectors and matrices; rules on numbers (module `folding`) see the scalars of a Program whose
weights are known. Every rule can be left out, and each stage is there to be printed, compared and proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import cast

from sympy import Expr, Function, S, Symbol

from symgru import folding
from symgru.algebra import Dot, Vec, add, rebuild, terms, walk
from symgru.cells import Cell
from symgru.errors import UnusableInput
from symgru.folding import Numbers
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
    closed,
    negated,
    normal,
    zero_params,
)
from symgru.unroll import Equation, Program, Recurrence

AS_WRITTEN = "as written"
Counts = Mapping[str, int]


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


@dataclass(frozen=True)
class Stage:
    """What a rule led to: the recurrence, the program, and the operations of the whole program before and after.

    `zero` holds the symbols that are known to be 0 from this stage on; `numbers` are the weights where they are known.
    """

    rule: str
    says: str
    recurrence: Recurrence
    program: Program
    before: Counts
    after: Counts
    rests_on: str = ""


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
    """What depends on neither input nor state is computed before the first step."""
    return _hoisted(r, constant_input=False)


def _constant_inputs(r: Recurrence, numbers: Numbers | None) -> Recurrence:
    """The same where the input is constant too; of a sum, the part that is constant."""
    return _hoisted(r, constant_input=True)


def _hoisted(r: Recurrence, constant_input: bool) -> Recurrence:
    known: set[Symbol] = {*r.rest.params, *(r.cell.inputs if constant_input else ())}
    once: dict[Vec, Expr] = dict(r.once)
    parts: dict[tuple[Expr, ...], Vec] = {}

    def constant(e: Expr) -> bool:
        return all(s in known for s in walk(e) if s.is_Symbol)

    def named(e: Expr, lhs: Vec) -> Expr:
        """A sum with its constant part as one symbol, where that part holds a product with a matrix."""
        own = tuple(t for t in terms(e) if constant(t))
        if not any(map(_is_product, own)):
            return e
        others = (t for t in terms(e) if t not in own)
        opposite = tuple(map(negated, own))
        if opposite in parts:  # the argument of a gate that is only read as 1 - z
            return add(negated(parts[opposite]), *others)
        if own not in parts:
            made = Vec(f"e_{lhs}", real=True)
            while made in once:  # the constant part of the first step may be another one
                made = Vec(f"{made}2", real=True)
            parts[own], once[made] = made, add(*own)
        return add(parts[own], *others)

    kept: list[Equation] = []
    for lhs, e in r.rest.equations:
        if constant(e) and lhs != r.cell.output:
            once[lhs] = e
            known.add(lhs)
        else:
            kept.append((lhs, _sums(e, partial(named, lhs=lhs)) if constant_input else e))
    rest = r.rest.with_equations(tuple(kept))
    left = ((lhs, e) for lhs, e in r.first.equations if once.get(lhs) != e)
    first = r.first.with_equations(
        tuple((lhs, _sums(e, partial(named, lhs=lhs)) if constant_input else e) for lhs, e in left)
    )
    return _without_numbers(replace(r, first=first, rest=rest, once=tuple(once.items())))


def _without_numbers(r: Recurrence) -> Recurrence:
    """Constants that are a number need no line: sigma(0) is 1/2."""
    values: dict[Expr, Expr] = {}
    lines: list[Equation] = []

    def put(e: Expr) -> Expr:
        return folding.constant(rebuild(e, lambda s: values.get(s, s))) if values else e

    for lhs, e in r.once:
        value = folding.constant(put(e))
        if value.is_Rational:
            values[lhs] = value
        else:
            lines.append((lhs, value))
    first, rest = (cell.with_equations(tuple((lhs, put(e)) for lhs, e in cell.equations)) for cell in (r.first, r.rest))
    return replace(r, first=first, rest=rest, once=tuple(lines))


def _sums(e: Expr, split: Callable[[Expr], Expr]) -> Expr:
    """`e` with `split` applied to every outermost sum of products with matrices (and to a lone product)."""
    if any(map(_is_product, terms(e))):
        return split(e)
    if not e.args:
        return e
    return cast(Expr, e.func(*(_sums(cast(Expr, a), split) for a in e.args), evaluate=False))


def _is_product(e: Expr) -> bool:
    """W @ x or its negative."""
    return isinstance(e, Dot) or e.is_Mul and len(e.args) == 2 and e.args[0] == -1 and isinstance(e.args[1], Dot)


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


def proof(before: Stage, after: Stage, numbers: Numbers | None) -> bool:
    """Whether a rule left the function unchanged, under what it assumes: the outputs have the same normal form, at the
    first step and at every later one (from any state, so by induction at all of them)."""
    if before.recurrence is not after.recurrence:
        return _closed(before.recurrence, after.recurrence) == _closed(after.recurrence, after.recurrence)
    assert numbers is not None
    return _composed(before.program, numbers) == _composed(after.program, numbers)


def _closed(r: Recurrence, under: Recurrence) -> list[Expr]:
    """The output of the first step and of a later one in the layer's own parameters, under another's assumptions."""
    forms = []
    once = _substituted(dict(r.once))
    for cell, start in ((r.first, under.zero_start), (r.rest, False)):
        zero = dict.fromkeys(under.zero, S.Zero) | ({before: S.Zero for before, _ in cell.states} if start else {})
        e = closed(cell).xreplace(once).xreplace(zero)
        while e.free_symbols & set(r.params):  # what a rule made may be made of what another rule made
            e = e.xreplace(dict(r.params)).xreplace(zero)
        forms.append(normal(_worked_out(e)))
    return forms


def _substituted(equations: Mapping[Symbol, Expr]) -> dict[Symbol, Expr]:
    """Each equation with those before it put in."""
    values: dict[Symbol, Expr] = {}
    for lhs, e in equations.items():
        values[lhs] = cast(Expr, e.xreplace(values))
    return values


def _composed(program: Program, numbers: Numbers) -> list[dict[Expr, Expr]]:
    """The outputs of each block in input, state and nothing else. It does not fold as the rules do: what they worked
    out is worked out again, by SymPy."""
    number = folding.weight(program, numbers)
    once = _substituted({line.lhs: line.rhs for line in program.once})
    forms = []
    for block in program.blocks:
        values = _substituted({**once, **{line.lhs: line.rhs for line in block.lines}})
        outputs = (line.lhs for line in block.lines if folding.is_output(program, line.lhs))
        forms.append({lhs: normal(_worked_out(values[lhs], number)) for lhs in outputs})
    return forms


def _worked_out(e: Expr, number: Callable[[Expr], Expr | None] = lambda s: None) -> Expr:
    """`e` with weights as numbers, in SymPy's own arithmetic; what functions give for numbers is what they mean."""

    def put(s: Expr) -> Expr:
        if not s.args:
            value = number(s)
            return s if value is None else value
        evaluated = cast(Expr, s.func(*s.args))
        return folding.of_numbers(evaluated) if isinstance(evaluated, Function) else evaluated

    return rebuild(e, put)


def chosen(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """The keys of the rules to apply, in the order they are applied; the usual ones where None.

    Names come in a list, or in one text with commas. `all` and `none` stand for every rule and no rule, `usual` for the
    usual ones. An unknown name is refused.
    """
    if names is None:
        return USUAL
    names = names.replace(",", " ").split() if isinstance(names, str) else names
    groups = {"all": tuple(k for k in RULES if k != "constant-inputs"), "none": (), "usual": USUAL}
    wanted: set[str] = set()
    for name in names:
        if name not in RULES and name not in groups:
            raise UnusableInput(f"no rule is called {str(name)[:40]!r}; there are {', '.join([*RULES, *groups])}")
        wanted |= set(groups.get(name, (name,)))
    return tuple(key for key in RULES if key in wanted)


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
