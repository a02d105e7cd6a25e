"""What a model gives where it is fed or read otherwise than it should be, for two models that agree by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgru.diagnosis.rarer import catalogue
from symgru.domains import Float64
from symgru.errors import SymgruError
from symgru.mistakes import Trial, alike
from symgru.network import Network, Tensor

FED = (
    ("sequence", "time for batch"),
    ("sequence", "time and batch reshaped"),
    ("state", "fresh at every step"),
    ("sequence", "column by column"),
    ("sequence", "reversed"),
    ("sequence", "first step only"),
    ("sequence", "last step dropped"),
    ("state", "carried over"),
    ("state", "begins at 1"),
)


@dataclass(frozen=True)
class Misfed:
    """What was done, and the output after the last step of the last sequence, one number for each unit."""

    says: str
    values: tuple[float, ...]


def misfed(network: Network, inputs: Sequence[Tensor]) -> tuple[Misfed, ...]:
    """Each way of feeding or reading that gives another result than the right one."""
    trial = Trial(network, inputs, catalogue)
    known = {(m.kind, m.name): m for m in trial.mistakes}
    right = tuple(map(float, trial.result(None, Float64())))
    found = []
    for m in (known[key] for key in FED if key in known):
        try:
            values = tuple(map(float, trial.result(m, Float64())))
        except (SymgruError, ValueError):
            continue
        if len(values) == len(right) and not alike(values, right):
            found.append(Misfed(m.says, values))
    return tuple(found)
