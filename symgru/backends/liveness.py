"""Which assignments of a straight line its outputs depend on, found from the end: a compiler warns of any other.

Within a program each line is read by another one, but not at every time: nothing reads a state after the last step
that is no output, nor what the next layer multiplies by 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgru.algebra import Ref, walk
from symgru.unroll import Assign

if TYPE_CHECKING:
    from symgru.backends.straight import StraightLayer

Lines = Sequence[Assign]
Wanted = frozenset[tuple[str, Ref]]  # values by the id of their layer, at one time


@dataclass(frozen=True)
class Run:
    """The lines that are computed at each of `times` (at 0: before the first step), layer by layer."""

    times: range
    parts: tuple[tuple[StraightLayer, Lines], ...]


def runs(layers: Sequence[StraightLayer], steps: int, every_step: bool) -> tuple[Run, ...]:
    """The lines that the output after the last step, or at every step, depends on, in the order of computation."""
    timed = [layer for layer in layers if layer.timed]
    head = [layer for layer in layers if not layer.timed]
    last = layers[-1]
    outputs: Wanted = frozenset((last.id, last.output(i)) for i in range(last.unit.sizes["H"]))
    search = _Search()
    found, wanted, _ = search.alive(head, steps, outputs)
    backwards = [Run(range(steps, steps + 1), found)]
    t = steps
    while t > 0:
        found, _, before = search.alive(timed, t, wanted)
        before |= outputs if every_step else frozenset()
        start = 2 if before == wanted and t > 1 else t  # from the second step on each is like the next
        backwards.append(Run(range(start, t + 1), found))
        wanted, t = before, start - 1
    found, _, _ = search.alive(layers, 0, frozenset(search.constants))
    return tuple(run for run in (Run(range(1), found), *reversed(backwards)) if run.parts)


class _Search:
    """Goes through lines from the last to the first; `constants` are what it has met that has no time."""

    def __init__(self) -> None:
        self.constants: set[tuple[str, Ref]] = set()

    def alive(
        self, layers: Iterable[StraightLayer], t: int, wanted: Wanted
    ) -> tuple[tuple[tuple[StraightLayer, Lines], ...], Wanted, Wanted]:
        """The lines of step t that give what is wanted, and all that they read at step t and at the step before."""
        now, before = set(wanted), set[tuple[str, Ref]]()
        parts: list[tuple[StraightLayer, Lines]] = []
        for layer in reversed(list(layers)):
            kept: list[Assign] = []
            for line in reversed(layer.lines(t)):
                if (layer.id, line.lhs) in now:
                    kept.append(line)
                    for ref in (s for s in walk(line.rhs) if isinstance(s, Ref)):
                        self.read(layer, ref, now, before)
            if kept:
                parts.append((layer, tuple(reversed(kept))))
        return tuple(reversed(parts)), frozenset(now), frozenset(before)

    def read(self, layer: StraightLayer, ref: Ref, now: set[tuple[str, Ref]], before: set[tuple[str, Ref]]) -> None:
        if ref.of in layer.unit.cell.inputs:
            if layer.source is not None:
                now.add((layer.source.id, layer.source.output(ref.idx[0])))
        elif ref.dt is None:
            now.add((layer.id, ref))
            self.constants.add((layer.id, ref))
        elif ref.dt == 0:
            now.add((layer.id, ref))
        else:
            before.add((layer.id, Ref(ref.of, ref.idx, 0)))
