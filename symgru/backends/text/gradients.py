"""The way back as plain text."""

from __future__ import annotations

from typing import Any

from symgru.backends.backward import backward, in_values
from symgru.backends.text.document import TEXT, aligned, formula
from symgru.derivation import Derivation


def gradients(d: Derivation) -> dict[str, Any]:
    """What templates/text/gradients.txt.j2 needs."""
    back = backward(d, TEXT)
    return {
        "said": back.said(),
        "recurrent": back.recurrent,
        "many": d.sizes["H"] > 1,
        "jumps": back.jumps,
        "in_values": in_values(d.cell, TEXT),
        "forms": [
            {
                "title": title,
                "kept": aligned(back.kept(unit), 4),
                "steps": aligned([*back.start(unit), *back.steps(unit), *back.state(unit)], 4),
                "sums": aligned([*back.weights(unit), *back.inputs(unit), *back.first(unit)], 4),
            }
            for unit, title in ((False, "Rows times matrices"), (True, "Each unit"))
        ],
        "primes": [formula(lhs, [rhs], indent=4) for lhs, rhs in back.primes()],
        "jacobian": aligned([*(back.jacobian(False) if d.sizes["H"] > 1 else []), *back.jacobian(True)], 4)
        if back.recurrent
        else [],
        "sweep": aligned(back.sweep(), 4) if back.recurrent else [],
        "chain": aligned(back.chain(), 4) if back.recurrent else [],
    }
