"""An input for which ways that agree so far give different numbers: what to try, to learn which of them it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.findings import Alike, Probe
from symgru.diagnosis.space import Space
from symgru.diagnosis.ways import NONE
from symgru.mistakes import grouped
from symgru.network import Array, Tensor

MOST_MEMBERS = 12
VISIBLE = 1e-4  # results that differ by less are the same to a reader
SERIES = ((1,), (1, 0), (1, 2), (1, -1), (1, 0, 0), (2, -1, 1), (0, 0, 1), (5, -3, 2, 1))  # of the first feature
TENTHS, LONGEST = 20, 4  # numbers drawn for the last candidates: tenths up to 2, so many steps


def probed(space: Space, alike: Alike) -> Alike:
    """The ways with the input that tells most of them apart, the simplest of those that do; as it is where there is
    only one, or where the network takes something else than one sequence of numbers."""
    (put, *others), members = space.trial.network.inputs, alike.members[:MOST_MEMBERS]
    if len(members) < 2 or others or put.whole or len(put.shape) != 2 or put.shape[-1] is None:
        return alike
    places = {(m.kind, m.name): k for k, m in enumerate(space.catalogue)}
    most = max(len(f.made) for f in members)
    ways = np.full((len(members), max(most, 1)), NONE)
    for row, f in zip(ways, members, strict=True):
        row[: len(f.made)] = [places[m.kind, m.name] for m in f.made]
    found = [_asked(space, x, ways) for x in _candidates(put.shape[0], put.shape[-1])]
    best = max(found, key=lambda probe: probe.tells)
    return Alike(alike.members, best)


def _asked(space: Space, x: Tensor, ways: Array) -> Probe:
    width = space.right.shape[-1]
    asked = space.about(Case((x,), tuple(Number("0", unit=k) for k in range(width))))
    values = [tuple(map(float, v[0])) for v in asked.values(ways)]
    shown = (tuple(round(v / VISIBLE) if np.isfinite(v) else 0 for v in each) for each in values)
    return Probe(x, tuple(values), len(grouped(enumerate(shown))))


def _candidates(steps: int | None, features: int) -> Iterator[Tensor]:
    """Inputs of (1, time, features), the simplest first."""
    for series in SERIES:
        if steps in (None, len(series)):
            rows = [[str(v) if k == t % features else "0" for k in range(features)] for t, v in enumerate(series)]
            yield _typed(rows)
    numbers = np.random.Generator(np.random.PCG64(0))
    for length in range(1, LONGEST + 1):
        drawn = numbers.integers(-TENTHS, TENTHS, (steps or length, features), endpoint=True)
        yield _typed([[f"{v / 10:g}" for v in row] for row in drawn])


def _typed(rows: Sequence[Sequence[str]]) -> Tensor:
    text = np.array([rows], dtype=object)
    return Tensor(text.astype(np.float64), text)
