"""The way back as LaTeX."""

from __future__ import annotations

from typing import Any

from symgru.backends.backward import backward, in_values
from symgru.backends.latex.document import LATEX, single
from symgru.derivation import Derivation


def gradients(d: Derivation) -> dict[str, Any]:
    """What templates/latex/gradients.tex.j2 needs."""
    back = backward(d, LATEX)
    return {
        "said": back.said(),
        "recurrent": back.recurrent,
        "many": d.sizes["H"] > 1,
        "in_values": in_values(d.cell, LATEX),
        "forms": [
            {
                "title": title,
                "kept": single(back.kept(unit)) if back.kept(unit) else "",
                "steps": single([*back.start(unit), *back.steps(unit), *back.state(unit)]),
                "sums": single([*back.weights(unit), *back.inputs(unit), *back.first(unit)]),
            }
            for unit, title in ((False, "Rows times matrices"), (True, "Each unit"))
        ],
        "primes": single(back.primes()) if back.primes() else "",
        "jacobian": single([*(back.jacobian(False) if d.sizes["H"] > 1 else []), *back.jacobian(True)])
        if back.recurrent
        else "",
        "chain": single(back.chain()) if back.recurrent else "",
    }
