"""The way back as LaTeX."""

from __future__ import annotations

from typing import Any

from symgru.backends.backward import backward, in_values
from symgru.backends.latex.document import LATEX, ROOM, single
from symgru.backends.latex.printer import width
from symgru.backends.unrolled import Pairs
from symgru.derivation import Derivation

APART = r"\qquad "  # between two equations of one row
BETWEEN = 80.0  # points that this, a second equals sign and amsmath's own space take


def beside(pairs: Pairs) -> str:
    """Short equations, two in a row of an align environment where the widest leave room for it."""
    left, right = pairs[::2], pairs[1::2]
    widest = sum(max((width(lhs) + width(rhs) for lhs, rhs in column), default=0.0) for column in (left, right))
    if not right or widest > ROOM - BETWEEN:
        return single(pairs)
    rows = [(lhs, f"{rhs} &{APART}{more} &= {other}") for (lhs, rhs), (more, other) in zip(left, right, strict=False)]
    return single([*rows, *left[len(right) :]])


def gradients(d: Derivation) -> dict[str, Any]:
    """What templates/latex/gradients.tex.j2 needs."""
    back = backward(d, LATEX)
    return {
        "said": back.said(),
        "recurrent": back.recurrent,
        "many": d.sizes["H"] > 1,
        "jumps": back.jumps,
        "in_values": in_values(d.cell, LATEX),
        "forms": [
            {
                "title": title,
                "kept": single(back.kept(unit)) if back.kept(unit) else "",
                "steps": single([*back.start(unit), *back.steps(unit), *back.state(unit)]),
                "weights": beside(back.weights(unit)),
                "others": single([*back.inputs(unit), *back.first(unit)]),
            }
            for unit, title in ((False, "Rows times matrices"), (True, "Each unit"))
        ],
        "primes": single(back.primes()) if back.primes() else "",
        "jacobian": single([*(back.jacobian(False) if d.sizes["H"] > 1 else []), *back.jacobian(True)])
        if back.recurrent
        else "",
        "sweep": single(back.sweep()) if back.recurrent else "",
        "chain": single(back.chain()) if back.recurrent else "",
    }
