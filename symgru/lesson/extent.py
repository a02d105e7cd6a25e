"""How much of a network's run a worked example shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from symgru.working import Working

Detail = Literal["full", "matrix", "overview"]
DETAILS: tuple[Detail, ...] = ("full", "matrix", "overview")
MOST_LINES, MOST_NUMBERS = 120, 20_000  # lines that are read in full; numbers that are read as vectors
MANY_UNITS = 16  # more than these have no room side by side
ENDS = 2  # steps shown at either end where the middle is left out


@dataclass(frozen=True)
class Extent:
    """`detail`: every line ("full"), each step in matrix form with one unit's lines ("matrix"), or the architecture,
    one unit and pictures ("overview"); by the size of the network where None. `show` leaves out all but the first and
    last so many steps. `code` adds the equations as NumPy; without `answers` it is an exercise, which leaves out all
    that gives the result away."""

    detail: Detail | None = None
    show: int | None = None
    code: bool = True
    answers: bool = True

    def of(self, layer: Working) -> Detail:
        """The detail in which one layer is shown."""
        if self.detail:
            return self.detail
        units, lines = layer.sizes["H"], self.steps(layer) * len(layer.assigns)
        if lines <= MOST_LINES:
            return "full"
        return "matrix" if units <= MANY_UNITS and lines <= MOST_NUMBERS else "overview"

    def steps(self, layer: Working) -> int:
        """How many steps of a layer are shown."""
        return min(layer.steps, 2 * self.show) if self.show else layer.steps

    def ends(self, layer: Working) -> int | None:
        """How many steps are shown at either end; None for all."""
        if self.show or self.of(layer) == "full":
            return self.show
        return ENDS if layer.steps > 2 * ENDS + 1 else None


EVERYTHING = Extent()
