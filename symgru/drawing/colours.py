"""One colour for each gate, the same in every format.

Colour is never the only sign: whatever is coloured carries its letter too. The inks and fills are told apart by the
colour-blind (after Okabe and Ito, darkened), and a letter on white, on its fill or on the dark page has a contrast of
at least 4.5 to 1 (WCAG 2.1, 1.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

from symgru.cell import Cell


@dataclass(frozen=True)
class Colour:
    """A colour for letters and lines, and a light one to lay under them; the same for a dark page. All as #RRGGBB.

    `name` is what a format that can name colours calls it.
    """

    ink: str
    fill: str
    dark_ink: str
    dark_fill: str
    name: str = ""


STATE = Colour("#8E3B74", "#F7E9F2", "#E292C6", "#37192E", "state")
INPUT = Colour("#444444", "#F0F0F0", "#C4C9CE", "#2A2E33", "input")
GATES = (
    Colour("#0072B2", "#E8F2FA", "#6CB8F0", "#12293A", "gate1"),  # blue
    Colour("#B34F00", "#FBEDE1", "#F2A65A", "#3A2412", "gate2"),  # vermillion
    Colour("#00785A", "#E4F4EE", "#4CC9A0", "#0F3028", "gate3"),  # green
    Colour("#6A5A00", "#F6F1D8", "#D9C64A", "#322C0A", "gate4"),  # ochre: no cell of cells.py has four gates
    Colour("#5B4FB0", "#ECEAF8", "#B0A6F5", "#241F4A", "gate5"),  # violet
)
INK = Colour("#1F2933", "#FFFFFF", "#E6E9ED", "#14181D", "ink")  # words; its fill is the page
FAINT = Colour("#5F6B76", "#F5F7FA", "#9AA5B1", "#20262D", "faint")  # what is said beside, and its ground
ALL = (*GATES, STATE, INPUT, INK, FAINT)


def colours(cell: Cell) -> Mapping[str, Colour]:
    """Colours by letter: "x", then the gates in the order of the equations, then "h" (or the output of a cell that
    keeps no state). `letter` says which of them a symbol has."""
    gates = [lhs.name for lhs in cell.defined if lhs != cell.output]
    palette = cycle(GATES)
    return {"x": INPUT, **{gate: next(palette) for gate in gates}, state_letter(cell): STATE}


def letter(cell: Cell, symbol: str) -> str:
    """Whose colour a symbol of the cell has: W_z, b_z and a_z are z's, h1 and a W without an index the state's."""
    known = colours(cell)
    part = str(symbol).partition("_")[2].rstrip("'") or symbol
    return part if part in known else state_letter(cell)


def state_letter(cell: Cell) -> str:
    """The letter of what a cell gives: "h", or its output's where it keeps no state."""
    return str(cell.stored(cell.output).name)
