"""What the documents of all formats share of the proofs: how a sentence is spelled, and the parts of an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sympy import Derivative, Expr, Symbol, Tuple

from symgru.algebra import Mat, Vec
from symgru.backends.formula import Syntax
from symgru.backends.notation import Name, Notation
from symgru.cells import CELLS
from symgru.printing import ATOM
from symgru.proofs.claims import Step
from symgru.proofs.sentences import Code, Digits, Formula, Sentence

if TYPE_CHECKING:
    from symgru.proving import Result

NOW = {"x", "h1", "z", "r", "n", "f", "y"}  # what a time step reads or makes
STATE = "h"


class AnyCell(Notation):
    """Symbols of whatever cell: a statement may be about several."""

    def dt(self, s: Symbol) -> int | None:
        return 0 if s.name in NOW else -1 if s.name == STATE else None

    def matrix(self, m: Symbol, row: str = "", column: str = "") -> Name:
        return self._name(m, None, ())


def notation(before: str) -> AnyCell:
    """For equations at a general time t; `before` is how t - 1 is written."""
    return AnyCell(CELLS["gru"], {"H": 2, "D": 2}, True, "t", before)


class Statements(Syntax):
    """What statements have and equations of cells have not: powers, derivatives, tuples of numbers."""

    def raised(self, base: str, power: str) -> str:
        raise NotImplementedError

    def slope(self, variable: str, body: str) -> str:
        raise NotImplementedError

    def strength(self, e: Expr) -> int:
        return ATOM if _is_power(e) else super().strength(e)

    def _print_Pow(self, e: Expr) -> str:
        base, power = cast("tuple[Expr, Expr]", e.args)
        return self.raised(self.tight(base, ATOM), str(power)) if _is_power(e) else super()._print_Pow(e)

    def _print_Derivative(self, e: Derivative) -> str:
        return self.slope(self.scalar(e.variables[0]), self.scalar(e.expr))

    def _print_Tuple(self, e: Tuple) -> str:
        return self.brackets(", ".join(map(self.scalar, e.args)))


def _is_power(e: Expr) -> bool:
    return bool(e.is_Pow and e.args[1].is_Integer and e.args[1].is_positive)


@dataclass(frozen=True)
class Speaker:
    """One format's way to write a sentence. `numbers` prints scalars, `vectors` what a cell computes, and `quoted`
    stands around a formula within a sentence."""

    numbers: Syntax
    vectors: Syntax
    relations: dict[str, str]
    quoted: str

    def code(self, name: str) -> str:
        """The name of a cell, an activation or a proof."""
        return name

    def sentence(self, pieces: Sentence) -> str:
        """A sentence with its formulas."""
        return "".join(piece if isinstance(piece, str) else self.piece(piece) for piece in pieces)

    def paragraph(self, pieces: Sentence) -> str:
        """The same with a capital letter, where it begins with a word, and a full stop."""
        text = self.sentence(pieces)
        return (text[:1].upper() + text[1:] if isinstance(pieces[0], str) else text) + "."

    def piece(self, piece: Expr | Formula | Code | Digits) -> str:
        if isinstance(piece, Code):
            return self.code(piece.name)
        return f"{self.quoted}{self.formula(piece)}{self.quoted}"

    def formula(self, piece: Expr | Formula | Digits) -> str:
        """A formula on its own."""
        if isinstance(piece, Digits):
            return f"{piece.left} {self.relations.get(piece.relation, '')} {piece.right}".strip()
        left, *rest = self.sides(piece)
        return left + "".join(rest)

    def sides(self, piece: Expr | Formula) -> Iterator[str]:
        """The left-hand side, then each relation with what follows it."""
        if not isinstance(piece, Formula):
            piece = Formula((piece,), ())
        form = self.vectors if any(side.atoms(Vec, Mat) for side in piece.sides) else self.numbers
        yield form.scalar(piece.sides[0])
        for relation, side in zip(piece.relations, piece.sides[1:], strict=True):
            yield f" {self.relations[relation]} {form.scalar(side)}"

    def proof(self, result: Result, displays: Callable[[list[Formula]], Any]) -> dict[str, Any]:
        """What a template needs of one proof; `displays` lays out the formulas of a step."""
        return {
            "name": result.name,
            "verdict": result.verdict,
            "statement": self.paragraph(result.argument.statement),
            "steps": [self.step(step, displays) for step in result.argument.steps],
            "twins": [
                (self.sentence(t.twin.says), t.verdict, self.sentence(t.twin.counterexample.says))
                for t in result.refuted
            ],
        }

    def step(self, step: Step, displays: Callable[[list[Formula]], Any]) -> dict[str, Any]:
        formulas, sentences = displayed(step)
        return {
            "says": self.sentence(step.says),
            "formulas": displays(formulas),
            "sentences": [self.sentence(pieces) for pieces in sentences],
        }


def displayed(step: Step) -> tuple[list[Formula], list[Sentence]]:
    """The claims of a step that are shown: those that are one formula, and the others."""
    said = [claim.says for claim in step.claims[: step.shown]]
    formulas = [cast(Formula, pieces[0]) for pieces in said if len(pieces) == 1]
    return formulas, [pieces for pieces in said if len(pieces) > 1]
