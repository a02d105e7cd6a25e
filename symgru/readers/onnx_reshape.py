"""Reshape: the axes of a value grouped anew, as far as it goes by bookkeeping."""

from __future__ import annotations

from collections.abc import Sequence

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Edge
from symgru.readers.onnx_values import BATCH, Axis, Builder, Length, Seen, Unknown


def reshape(builder: Builder, value: Seen, target: Sequence[Length]) -> Seen:
    """A value with the file's axes regrouped: as far as it goes by bookkeeping, else an axis of the edge is split.

    `target` has at most one -1, which takes what the others leave.
    """
    free = [k for k, n in enumerate(target) if n == -1 or n == Unknown("other")]
    if len(free) > 1:
        raise Unsupported("reshapes to two lengths that are computed while the model runs")
    cut = free[0] if free else len(target)
    for _ in range(2 * len(target) + 4):  # each splits another axis
        atoms = [a for axis in value.axes for a in axis if a >= 0]
        front = _Aligned(builder, value.edge, atoms, target[:cut])
        if front.split:
            value = builder.split_axis(value, *front.split)
            continue
        if not free:
            return value.with_axes(_leftover(builder, value.edge, front.axes, front.atoms))
        back = _Aligned(builder, value.edge, front.atoms[::-1], list(target[cut + 1 :])[::-1])
        if back.split:
            axis, outer, inner = back.split
            value = builder.split_axis(value, axis, inner, outer)
            continue
        return value.with_axes([*front.axes, tuple(back.atoms[::-1]), *(axis[::-1] for axis in back.axes[::-1])])
    raise Unsupported("reshapes in a way that symgru cannot follow")


class _Aligned:
    """Atoms (axes of an edge in the file's order) dealt out to lengths; `split` names an atom that must become two."""

    def __init__(self, builder: Builder, edge: Edge, atoms: Sequence[int], target: Sequence[Length]) -> None:
        self.size = {a: builder.length(edge, a) for a in atoms}
        self.atoms, self.axes = list(atoms), list[Axis]()
        self.split: tuple[int, int, int] | None = None
        place = 0
        while place < len(target) and not self.split:
            ones = 0
            while place + ones < len(target) and target[place + ones] == 1:
                ones += 1
            if ones:
                self._ones(ones)
                place += ones
            else:
                self.axes.append(self._fill(target[place]))
                place += 1

    def _ones(self, count: int) -> None:
        """Axes of length 1: each has one atom of length 1 or none; the batch comes first where there are too few."""
        run = []
        while self.atoms and self.size[self.atoms[0]] == 1:
            run.append(self.atoms.pop(0))
        if len(run) > count:
            run.sort(key=lambda a: a != BATCH)
        groups: list[Axis] = [(a,) for a in run[:count]]
        if run[count:]:
            groups[-1] += tuple(run[count:])
        self.axes += groups + [()] * (count - len(groups))

    def _fill(self, length: Length) -> Axis:
        taken: list[int] = []
        have = 1
        while self.atoms:
            atom = self.atoms[0]
            size = self.size[atom]
            if isinstance(size, Unknown) or isinstance(length, Unknown):
                if size == length and have == 1:
                    return (*taken, self.atoms.pop(0))
                if size == 1:
                    taken.append(self.atoms.pop(0))
                    continue
                raise Unsupported(f"reshapes an axis of {_said(size)} to {_said(length)}")
            if length % (have * size) == 0:
                taken.append(self.atoms.pop(0))
                have *= size
                if have == length:
                    return tuple(taken)
                continue
            left = length // have
            if length % have or size % left or atom == BATCH:
                break
            self.split = (atom, left, size // left)
            return ()
        raise UnusableInput(f"cannot be reshaped: no axes make up the length {_said(length)}")


def _said(length: Length) -> str:
    return f"unknown length ({length.name})" if isinstance(length, Unknown) else f"length {length}"


def _leftover(builder: Builder, edge: Edge, axes: list[Axis], atoms: list[int]) -> list[Axis]:
    """Atoms of length 1 that no target took go with the last axis."""
    if any(builder.length(edge, a) != 1 for a in atoms):
        raise UnusableInput("cannot be reshaped: the numbers of the two shapes differ")
    if atoms and axes:
        axes[-1] += tuple(atoms)
    return axes
