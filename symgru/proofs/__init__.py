"""The identities and equivalences that symgru rests on, each with a proof that a computation checks.

`PROOFS[name].holds()` carries one out; symgru.prove() carries out all and refutes their false twins.
"""

from __future__ import annotations

from symgru.proofs import equivalences, functions, invariants, reductions
from symgru.proofs.claims import Proof

__all__ = ["PROOFS", "Proof"]

PROOFS: dict[str, Proof] = {
    name: Proof(name, build)
    for name, build in {
        "sigma-complement": functions.sigma_complement,
        "tanh-odd": functions.tanh_odd,
        "tanh-sigma": functions.tanh_sigma,
        "sigma-derivative": functions.sigma_derivative,
        "tanh-derivative": functions.tanh_derivative,
        "ranges": functions.ranges,
        "blend": functions.blend,
        "between": functions.between,
        "update-rules": equivalences.update_rules,
        "reset-one-unit": equivalences.reset_one_unit,
        "merged-biases": equivalences.merged_biases,
        "mirror": equivalences.mirror,
        "first-step": reductions.first_step,
        "constant-gates": reductions.constant_gates,
        "minimal-gated": reductions.minimal_gated,
        "reductions": reductions.reductions,
        "light-gru": reductions.light_gru,
        "simple-unit": reductions.simple_unit,
        "bounded": invariants.bounded,
        "sign": invariants.sign,
    }.items()
}
