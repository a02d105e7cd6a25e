"""The colours: enough contrast, one for each gate of every cell."""

import pytest

from symgru.cells import CELLS
from symgru.drawing.colours import ALL, colours, letter

PAPER, DARK_PAGE = "#FFFFFF", "#14181D"


def luminance(colour):
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", ALL, ids=[c.name for c in ALL])
def test_a_letter_can_be_read_on_paper_on_its_fill_and_on_a_dark_page(colour):
    for ink, ground in (
        (colour.ink, PAPER),
        (colour.ink, colour.fill),
        (colour.dark_ink, DARK_PAGE),
        (colour.dark_ink, colour.dark_fill),
    ):
        assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_every_cell_has_one_colour_for_each_letter(cell):
    known = colours(cell)
    assert len({c.ink for c in known.values()}) == len(known)
    assert all(letter(cell, s.name) in known for s in (*cell.params, *cell.defined))


def test_letters_of_the_gru():
    cell = CELLS["gru"]
    assert list(colours(cell)) == ["x", "z", "r", "n", "h"]
    assert [letter(cell, s) for s in ("W_z", "c_r", "a_n", "u_n", "h1", "h", "x")] == [*"zrnnhhx"]
    assert [letter(CELLS["simple"], s) for s in ("W", "U", "b", "h1")] == [*"hhhh"]
    assert list(colours(CELLS["dense"])) == ["x", "y"]
