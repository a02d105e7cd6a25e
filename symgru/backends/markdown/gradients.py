"""The way back as Markdown."""

from __future__ import annotations

from typing import Any

from symgru.backends.backward import backward, in_values
from symgru.backends.latex.document import LATEX
from symgru.backends.markdown.document import formula
from symgru.backends.unrolled import Pairs
from symgru.derivation import Derivation


def blocks(pairs: Pairs) -> str:
    """One $$ block each."""
    return "\n\n".join(f"$$\n{formula(lhs, rhs)}\n$$" for lhs, rhs in pairs)


def gradients(d: Derivation) -> dict[str, Any]:
    """What templates/markdown/gradients.md.j2 needs."""
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
                "kept": blocks(back.kept(unit)) if back.kept(unit) else "",
                "steps": blocks([*back.start(unit), *back.steps(unit), *back.state(unit)]),
                "sums": blocks([*back.weights(unit), *back.inputs(unit), *back.first(unit)]),
            }
            for unit, title in ((False, "Rows times matrices"), (True, "Each unit"))
        ],
        "primes": blocks(back.primes()),
        "jacobian": blocks([*(back.jacobian(False) if d.sizes["H"] > 1 else []), *back.jacobian(True)])
        if back.recurrent
        else "",
        "sweep": blocks(back.sweep()) if back.recurrent else "",
        "chain": blocks(back.chain()) if back.recurrent else "",
    }
