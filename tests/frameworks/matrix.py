"""One check for every network that a real framework makes: reference, emitted NumPy and emitted C against its outputs.

A case is a model saved (or alive), its inputs, and what the framework itself gave for them. The modules
`tests/frameworks/cases_<framework>.py` make cases; nothing here knows a framework.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from symgru.errors import Unsupported
from symgru.face import load

LIMITS = {"float32": 1e-5, "float64": 1e-12}  # of the largest magnitude, at least of 1
RAN: list[tuple[str, str, dict[str, float]]] = []  # what `check` ran: id, dtype, differences by engine
LOOSE = {"numpy": {"float32": 1e-5, "float64": 1e-12}, "c": {"float32": 1e-5, "float64": 1e-5}}  # C is float32


@dataclass(frozen=True)
class Case:
    """`make(folder)` builds and saves the model: (what symgru loads, inputs, outputs).

    `id` tells the options that are tried. `c` says whether the C backend takes the network: True, or the words that its
    refusal must hold. `dtype` is the precision that the framework computed in.
    """

    id: str
    make: Callable[..., tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]]
    dtype: str = "float32"
    c: bool | str = True
    architecture: object = None


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference, of the largest magnitude or 1; infinite where one is not finite and the other is, or
    their shapes differ."""
    theirs = np.asarray(theirs, np.float64)
    ours = np.asarray(ours, np.float64)
    if ours.shape != theirs.shape:
        return float("inf")
    finite = np.isfinite(theirs)
    same = np.array_equal(finite, np.isfinite(ours)) and np.array_equal(ours[~finite], theirs[~finite], equal_nan=True)
    if not same:
        return float("inf")
    if not finite.any():
        return 0.0
    scale = max(1.0, float(np.abs(theirs[finite]).max()))
    return float(np.abs(ours[finite] - theirs[finite]).max()) / scale


def listed(found: object) -> list[np.ndarray]:
    return list(found) if isinstance(found, list) else [found]


def check(case: Case, folder: object, engines: Sequence[str] = ("reference", "numpy", "c")) -> dict[str, float]:
    """Every engine's largest difference from the framework; raises AssertionError where one is past its limit."""
    source, inputs, outputs = case.make(folder)
    model = load(source, case.architecture)
    found: dict[str, float] = {}
    RAN.append((case.id, case.dtype, found))
    for engine in engines:
        limit = (LIMITS if engine == "reference" else LOOSE[engine])[case.dtype]
        if engine == "c" and case.c is not True:
            with pytest.raises(Unsupported, match=re.escape(str(case.c))):
                model(*inputs, engine="c")
            continue
        ours = listed(model(*inputs, engine=engine))
        assert len(ours) == len(outputs), f"{case.id}, {engine}: {len(ours)} outputs, the framework has {len(outputs)}"
        found[engine] = max(difference(a, b) for a, b in zip(ours, outputs, strict=True))
        assert found[engine] <= limit, f"{case.id}, {engine}: differs by {found[engine]:.3g}, more than {limit:g}"
    return found
