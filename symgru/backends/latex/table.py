"""Tables that one run of pdflatex gets right."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symgru.backends.latex.printer import width

SHORT = 30  # rows that fit a page and stay on one
COLUMN = 12.0  # points between two columns
SIGN = 4.5  # points that a minus sign is narrower where nothing stands before it


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: int = 0,
    colours: Sequence[str] = (),
    above: str = "",
    ruled: bool = True,
    headless: bool = False,
) -> str:
    """Columns aligned to the right, the first `left` to the left; `colours` has one for each column, "" for none, and
    `above` is a row over the heads, and a `headless` table has none.

    A long table may be broken between pages. LaTeX sets it in pieces that learn of each other's widths only in the
    next run, so its columns have fixed widths.
    """
    short = len(rows) <= SHORT
    shades = [*colours, *[""] * (len(heads) - len(colours))]

    def line(cells: Sequence[str]) -> str:
        shown = (
            rf"\textcolor{{{shade}}}{{{cell}}}" if shade and cell else cell
            for cell, shade in zip(cells, shades, strict=True)
        )
        push = ["" if short or k < left else r"\hfill " for k in range(len(heads))]
        return " & ".join(space + cell for space, cell in zip(push, shown, strict=True)) + r" \\"

    if short:
        columns = "l" * left + "r" * (len(heads) - left)
    else:
        columns = "".join(rf"p{{{max(points(row[k]) for row in (heads, *rows)):.1f}pt}}" for k in range(len(heads)))
    top, bottom = ([r"\toprule"], [r"\bottomrule"]) if ruled else ([], [])
    head = top if headless else [*top, *([above] if above else []), line(heads), r"\midrule"]
    body = [*map(line, rows), *bottom]
    if short:
        return "\n".join(
            [
                r"\par\nopagebreak\symgruindent",
                rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
                *head,
                *body,
                r"\end{tabular}\par\smallskip",
            ]
        )
    return "\n".join([rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}", *head, r"\endhead", *body, r"\end{longtable}"])


def points(cell: str) -> float:
    """About how many points a cell is wide, rather too many than too few."""
    text, *formulas = re.split(r"\$([^$]*)\$", cell)
    total = 5.5 * len(text)
    for k, part in enumerate(formulas):
        total += 5.5 * len(part) if k % 2 else width(part) - SIGN * part.startswith("-")
    return total + 2
