"""What every comparison of cells shows: its tables, and the sentences that say what is particular to a cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Symbol

from symgru.algebra import Vec
from symgru.backends.dialect import Dialect
from symgru.backends.formula import MatrixForm
from symgru.backends.notation import Name
from symgru.backends.sentences import kind
from symgru.backends.worked import equations
from symgru.comparison import FAMILIES, Comparison, Profile

SIZES = {"D": 2, "H": 2}  # no axis has length 1, so that none is left out
HEADS = ("cell", "update gate", "reset gate", "acts", "rule", "parameters", "framework")
RULES = {"keep": "how much of the state is kept", "new": "how much of the state is new"}


def overview(c: Comparison, dialect: Dialect, none: str = "-") -> Iterator[list[str]]:
    """The rows under HEADS; `none` stands where a cell has no such thing."""
    for p in c.profiles:
        update, reset = p.update, p.reset
        yield [
            p.cell.name,
            _brief(p, update.gate, dialect) if update else none,
            _brief(p, reset.gate, dialect) if reset else none,
            reset.acts if reset else none,
            update.rule if update else none,
            dialect.quote(dialect.syntax().scalar(p.parameters)),
            ", ".join(layer.partition(" ")[0] for layer in p.frameworks) or none,
        ]


def costs(c: Comparison, dialect: Dialect) -> Iterator[list[str]]:
    """The operations of one step, a column for each kind, after the cell's name."""
    form = dialect.syntax()
    for p in c.profiles:
        yield [p.cell.name, *(dialect.quote(form.scalar(p.operations[k])) for k in c.operation_kinds)]


def _brief(p: Profile, gate: Vec, dialect: Dialect) -> str:
    """z: x h b c, for what the gate z reads."""
    form = _form(p, dialect, timed=False)

    def letter(s: Symbol) -> str:
        bias = s in p.cell.params
        return dialect.quote(form.whole(Name(s.name.partition("_")[0]), matrix=False) if bias else form.scalar(s))

    return f"{dialect.quote(form.scalar(gate))}: {' '.join(map(letter, p.reads(gate)))}"


def _form(p: Profile, dialect: Dialect, timed: bool = True) -> MatrixForm:
    return dialect.matrix(dialect.notation(p.cell, dict(SIZES), timed))


def families(c: Comparison, dialect: Dialect) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Each family's name, what it is, and its cells."""
    for name, profiles in c.families.items():
        yield name, FAMILIES[name], [_cell(p, dialect) for p in profiles]


def _cell(p: Profile, dialect: Dialect) -> dict[str, Any]:
    return {
        "name": p.cell.name,
        "title": kind(p.cell),
        "source": p.cell.source,
        "equations": equations(p.cell, _form(p, dialect)),
        "facts": " ".join(facts(p, dialect)),
        "parameters": dialect.quote(dialect.syntax().scalar(p.parameters)),
        "frameworks": ", ".join(p.frameworks),
    }


def facts(p: Profile, dialect: Dialect) -> Iterator[str]:
    """Sentences that say what is particular to a cell."""
    form, update, reset = _form(p, dialect), p.update, p.reset

    def spelled(s: Symbol) -> str:
        return dialect.quote(form.scalar(s))

    for gate in p.gates:
        roles = [name for name, part in (("update", update), ("reset", reset)) if part and part.gate == gate]
        read = _listed(list(map(spelled, p.reads(gate))))
        yield f"{spelled(gate)} is {' and '.join(f'the {role} gate' for role in roles)}; it reads {read}."
    if reset:
        yield f"The reset gate acts {reset.acts} the product with {spelled(reset.matrix)}."
    if update:
        yield f"{spelled(update.gate)} says {RULES[update.rule]}."


def _listed(names: list[str]) -> str:
    """a, b and c"""
    *front, last = names
    return f"{', '.join(front)} and {last}" if front else last
