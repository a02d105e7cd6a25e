"""The network's equations, and beside them those that a mistake has made others."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symgru.activations import Activation
from symgru.lesson.parts import Equation, Equations, Pair, Paragraph, Part
from symgru.lesson.prose import Formula, formula, given, say
from symgru.working import Working


def changed_equations(own: Working, other: Working, several: bool) -> Iterator[Part]:
    """Nothing where both have the same; `several` layers have names."""
    before, after = dict(own.cell.equations), dict(other.cell.equations)
    changed = [lhs for lhs in dict.fromkeys((*before, *after)) if before.get(lhs) != after.get(lhs)]
    if not changed:
        return
    of = say(" of layer {k}, “{label}”", k=str(own.place), label=given(own.layer.label)) if several else say("")
    at = say(" at each step {t}", t=formula(lambda d: "t")) if own.timed else say("")
    yield Paragraph(say("The network's equations{of}{at}:", of=of, at=at))
    yield Equations(tuple(_equation(own, lhs, rhs) for lhs, rhs in before.items()))
    yield Paragraph(say("Yours differ in " + ("this one:" if len(changed) == 1 else "these:")))
    for lhs in changed:
        yield Pair(
            _equation(own, lhs, before[lhs]) if lhs in before else None,
            _equation(other, lhs, after[lhs]) if lhs in after else None,
            marked=False,
        )
    if meant := tuple(_meaning(a) for a in other.activations if a not in own.activations):
        yield Paragraph(say("with"))
        yield Equations(meant, tied=False)


def _equation(layer: Working, lhs: Expr, rhs: Expr) -> Equation:
    """An equation of a layer's cell as it holds for each unit."""

    def side(e: Expr) -> Formula:
        return lambda d: d.unit(d.notation(layer.cell, dict(layer.sizes), layer.timed)).scalar(e)

    return Equation(side(lhs), (side(rhs),))


def _meaning(a: Activation) -> Equation:
    return Equation(lambda d: d.syntax().function(a.name, "a"), (lambda d: d.syntax().scalar(a.meaning),))
