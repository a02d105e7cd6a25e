"""The worked example as a spreadsheet: live formulas printed from the same equations, with every value cached.

Sheets; rows and columns counted from 1:

- Read me: the answer and how to read the rest.
- Weights: each array as get_weights() gives it; a block's name stands above it, and is the name of its range: W_z (or
  LAYER_W_z where several layers have weights). Rows lead from an input, columns to a unit.
- Inputs: each input under its heading, a row a step, a named range (x); the states before the first step (h_0) too.
- Steps: blocks, one for each layer and each map that looks at values. A block is a heading row (column A its title,
  columns D, E, ... its steps: "t = 1", or "output" where there is no time) and a row for each line: column A its name
  at time t (a_z_t[2]), column B its formula in words (W_z[1,2]·x_t[1] + ...), column C the value before the first step
  (of a state only), columns D, E, ... a live formula each. A line that is computed is
  =ROUND(formula,LOOKUP(ABS(formula),size,places)); one that is only read (an input of the layer, a mask) is a link.
  An empty row ends a block.
- Unrounded: the same cells with the same formulas, not rounded.
- Check: the results beside the exact and the framework's values, and the table of decimals, two named ranges: a number
  keeps as many decimals (`places`) as the last row says whose `size` it reaches.
"""

from __future__ import annotations

from pathlib import Path

from symgru.backends.text.printer import plain_text
from symgru.backends.xlsx.book import EPOCH, Book
from symgru.backends.xlsx.check import write_check, write_read_me
from symgru.backends.xlsx.lines import write_lines
from symgru.backends.xlsx.planner import lay_out
from symgru.backends.xlsx.ties import ties, without_ties
from symgru.backends.xlsx.weights import write_inputs, write_weights
from symgru.explanation import Explanation
from symgru.lesson.extent import EVERYTHING, Extent
from symgru.writing import write_bytes

__all__ = ["explanation_bytes", "render_explanation", "ties", "without_ties", "write_explanation"]


def explanation_bytes(e: Explanation) -> bytes:
    """The worked example as an .xlsx file.

    Where a line is a tie that binary numbers may not keep, more decimals are carried than in the other documents, if
    that helps. Raises UnusableInput where the run is larger than a sheet, Unsupported where a formula is, MissingTool
    without XlsxWriter.
    """
    book = Book()
    worked = without_ties(e)
    laid_out, found = lay_out(worked, e.decimals), ties(worked)
    write_read_me(book, laid_out, found)
    write_weights(book, laid_out)
    write_inputs(book, laid_out)
    write_lines(book, laid_out, rounded=True)
    write_lines(book, laid_out, rounded=False)
    write_check(book, laid_out, found)
    name = plain_text(worked.network.origin or worked.network.name)
    book.workbook.set_properties({"title": f"{name}, worked out", "author": "symgru", "created": EPOCH})
    return book.bytes()


def write_explanation(e: Explanation, place: Path) -> None:
    """The same as a file, which appears whole or not at all."""
    write_bytes(place, explanation_bytes(e))


def render_explanation(e: Explanation, extent: Extent = EVERYTHING) -> bytes:
    """As every document backend has it; a sheet holds every step and every unit, whatever the extent."""
    return explanation_bytes(e)
