"""The sheets Weights and Inputs: numbers as they were given, every array of them a named range."""

from __future__ import annotations

from typing import Any

from symgru.backends.text.printer import plain_text
from symgru.backends.xlsx.book import Book, as_typed, write_number
from symgru.backends.xlsx.plan import Given, Plan
from symgru.drawing.colours import FAINT, INPUT, Colour, colours, letter
from symgru.explanation import Explanation
from symgru.network import Array, Layer
from symgru.working import Working

WIDTH = 15
ONE_PAGE = 18  # columns of numbers up to which a page is as wide as the sheet


def origin(e: Explanation) -> str:
    """Whether the weights stand as get_weights() gives them; a style with another update rule negates some."""
    given = e.network.layers
    for w in e.layers:
        own = given[w.layer.id].weights
        if w.layer is not given[w.layer.id] and any(
            name not in own or (own[name].text != t.text).any() for name, t in w.layer.weights.items()
        ):
            return "The weights of get_weights() in this notation: some have the other sign, as Read me says"
    return "The weights, as get_weights() gives them"


def write_weights(book: Book, plan: Plan) -> None:
    """Each array as get_weights() gives it, block beside block."""
    sheet = book.sheet("Weights", {0: 14}, (2, 0))
    sheet.set_column(1, 1 + _widest(plan), WIDTH)
    if _widest(plan) <= ONE_PAGE:
        sheet.fit_to_pages(1, 0)
    sheet.write_string(0, 0, origin(plan.explanation), book.format(bold=True, font_size=12))
    says = "Change one, and the sheets Steps and Unrounded follow. Each block is a named range of the name above it."
    sheet.write_string(1, 0, says, book.format(font_color=FAINT.ink))
    row = 3
    shown = {w.layer.id: w for w in plan.explanation.layers}
    for layer in plan.explanation.network.layers.values():
        if not layer.weights:
            continue
        title = f"{layer.id} (“{plain_text(layer.label)}”)" if layer.label != layer.id else layer.id
        sheet.write_string(row, 0, title, book.format(bold=True))
        row += 1
        row = (
            _arrays(book, sheet, plan, shown[layer.id], row)
            if layer.id in shown
            else _rows(book, sheet, plan, layer, row)
        )
        row += 1


def _widest(plan: Plan) -> int:
    return max(
        (
            sum(b.texts.shape[1] for b in blocks)
            for w in plan.explanation.layers
            for a in w.arrays
            for blocks in a.blocks
        ),
        default=1,
    )


def _arrays(book: Book, sheet: Any, plan: Plan, layer: Working, row: int) -> int:
    palette = colours(layer.cell)
    for array in layer.arrays:
        sheet.write_string(
            row, 0, f"[{array.place}] {array.name}, shape {array.shape}", book.format(font_color=FAINT.ink)
        )
        row += 1
        for blocks in array.blocks:
            column = 1
            for block in blocks:
                name = plan.weights[layer.layer.id, block.symbol.name]
                colour = palette[letter(layer.cell, block.symbol.name)]
                _block(book, sheet, row, column, name, block.texts, colour)
                column += block.texts.shape[1]
            row += 1 + len(blocks[0].texts)
    return row


def _rows(book: Book, sheet: Any, plan: Plan, layer: Layer, row: int) -> int:
    """A layer that is no GRU and no Dense: its arrays, one below the other."""
    for name, tensor in layer.weights.items():
        texts = tensor.text.reshape(-1, tensor.text.shape[-1]) if tensor.text.ndim else tensor.text.reshape(1, 1)
        _block(book, sheet, row, 1, plan.weights[layer.id, name], texts, INPUT)
        row += 1 + len(texts)
    return row


def _block(book: Book, sheet: Any, row: int, column: int, name: str, texts: Array, colour: Colour) -> None:
    """A named range under its name."""
    head = book.format(
        bold=True, font_color=colour.ink, bg_color=colour.fill, bottom=1, bottom_color=colour.ink, align="right"
    )
    height, width = texts.shape
    for k in range(width):
        sheet.write_string(row, column + k, name if k == 0 else "", head)
    _numbers(book, sheet, row + 1, column, texts, colour)
    book.name(name, sheet.get_name(), (row + 1, column), (row + height, column + width - 1))


def _numbers(book: Book, sheet: Any, row: int, column: int, texts: Array, colour: Colour) -> None:
    for r, line in enumerate(texts):
        for c, text in enumerate(line):
            look = book.format(num_format=as_typed(str(text)), font_color=colour.ink, bg_color=colour.fill)
            write_number(sheet, row + r, column + c, str(text), look)


def write_inputs(book: Book, plan: Plan) -> None:
    """Inputs and states before the first step, one table below the other."""
    sheet = book.sheet("Inputs", {0: 14}, (1, 1))
    sheet.set_column(1, max(given.texts.shape[1] for given in plan.given), WIDTH)
    says = "The inputs. Change a number, and everything follows."
    sheet.write_string(0, 0, says, book.format(bold=True, font_size=12))
    for given in plan.given:
        _table(book, sheet, given)


def _table(book: Book, sheet: Any, given: Given) -> None:
    sheet.write_string(given.top, 0, plain_text(given.title), book.format(bold=True))
    head = book.format(bold=True, font_color=INPUT.ink, bottom=1, bottom_color=INPUT.ink, align="right")
    for k, text in enumerate(given.columns, 1):
        sheet.write_string(given.top + 1, k, text, head)
    first = given.top + 2
    for k, text in enumerate(given.labels):
        sheet.write_string(first + k, 0, text, book.format(font_color=FAINT.ink))
    _numbers(book, sheet, first, 1, given.texts, INPUT)
    book.name(given.name, "Inputs", (first, 1), (first + len(given.texts) - 1, given.texts.shape[1]))
