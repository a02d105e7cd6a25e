"""The sheets Steps and Unrounded: the same lines, rounded and not."""

from __future__ import annotations

from typing import Any

from symgru.backends.text.printer import plain_text
from symgru.backends.xlsx.book import Book, Exact, fixed, tiny
from symgru.backends.xlsx.plan import FIRST, NAME, START, TOP, WORDS, Block, Plan, Row, column_name
from symgru.backends.xlsx.printer import checked
from symgru.drawing.colours import FAINT, INPUT, Colour, colours
from symgru.rounding import Rounding

FULL = 14  # decimals shown of what is not rounded
ONE_PAGE = 8  # steps up to which a page is as wide as the sheet
WIDEST = 60  # characters of a formula in words


def write_lines(book: Book, plan: Plan, rounded: bool) -> None:
    """One of the two sheets."""
    d = plan.explanation.decimals
    rounding = plan.explanation.rounding if rounded else Rounding(FULL)
    names = [len(row.name) for block in plan.blocks for row in block.rows]
    words = [len(row.words) for block in plan.blocks for row in block.rows]
    width = (d if rounded else FULL) + 6
    widths = {NAME: max([8, *names]) + 2, WORDS: min(max([20, *words]), WIDEST) + 2}
    sheet = book.sheet(
        "Steps" if rounded else "Unrounded",
        {**widths, **dict.fromkeys(range(START, plan.columns), width)},
        (TOP - 1, NAME + 1),
    )
    says = (
        f"Every line rounded half up to {d} decimals, the rounded number used from then on"
        if rounded
        else "The same lines with all the digits of a double, nothing rounded on the way"
    )
    sheet.write_string(0, NAME, says, book.format(bold=True, font_size=12))
    sheet.write_string(
        1,
        NAME,
        "Time runs to the right; the state before a step stands one column to the left of it.",
        book.format(font_color=FAINT.ink),
    )
    for block in plan.blocks:
        _block(book, sheet, block, rounding, rounded)
    sheet.conditional_format(
        TOP,
        START,
        plan.rows,
        plan.columns - 1,
        {
            "type": "formula",
            "criteria": f"=AND(ISNUMBER(C{TOP + 1}),C{TOP + 1}<>0,ABS(C{TOP + 1})<1E{rounding.tiny_below})",
            "format": book.workbook.add_format({"num_format": tiny(rounding)}),
        },
    )
    sheet.repeat_columns(NAME)
    if plan.columns - FIRST <= ONE_PAGE:
        sheet.fit_to_pages(1, 0)


def _block(book: Book, sheet: Any, block: Block, rounding: Rounding, rounded: bool) -> None:
    head = {"bold": True, "bottom": 1, "bottom_color": FAINT.ink}
    sheet.write_string(block.top, NAME, plain_text(block.title), book.format(**head))
    sheet.write_blank(block.top, WORDS, None, book.format(**head))
    starts = any(row.start for row in block.rows)
    sheet.write_string(block.top, START, "t = 0" if starts else "", book.format(**head, align="right"))
    for k, text in enumerate(block.heads):
        sheet.write_string(block.top, FIRST + k, text, book.format(**head, align="right"))
    palette = colours(block.cell) if block.cell else {}
    for k, row in enumerate(block.rows, block.top + 1):
        _row(book, sheet, k, row, palette.get(row.colour, INPUT), rounding, rounded)
    if block.mask is not None:  # the lines below it, where it keeps the state
        sheet.conditional_format(
            block.mask + 1,
            FIRST,
            block.top + len(block.rows),
            FIRST + len(block.heads) - 1,
            {
                "type": "formula",
                "criteria": f"={column_name(FIRST)}${block.mask + 1}=0",
                "format": book.workbook.add_format({"font_color": FAINT.ink, "italic": True}),
            },
        )


def _row(book: Book, sheet: Any, k: int, row: Row, colour: Colour, rounding: Rounding, rounded: bool) -> None:
    fill: dict[str, object] = {"bg_color": colour.fill} if row.main else {}
    shown = fixed(rounding.decimals) if row.rounds else "General"
    look = book.format(num_format=shown, font_color=colour.ink, **fill)
    sheet.write_string(k, NAME, row.name, book.format(bold=row.main, font_color=colour.ink, **fill))
    sheet.write_string(k, WORDS, row.words, book.format(font_color=colour.ink, font_size=9, **fill))
    if row.start:
        where, chain, full = row.start
        sheet.write_formula(k, START, f"={where}", look, Exact(chain if rounded else full))
    elif fill:
        sheet.write_blank(k, START, None, look)
    values = row.chain if rounded else row.full
    for column, v in enumerate(values):
        formula = row.at(column)
        formula = checked("=" + (_rounded(formula) if rounded and row.rounds else formula))
        sheet.write_formula(k, FIRST + column, formula, look, Exact(v))


def _rounded(formula: str) -> str:
    """Half up to the decimals that a number of its size keeps."""
    return f"ROUND({formula},LOOKUP(ABS({formula}),size,places))"
