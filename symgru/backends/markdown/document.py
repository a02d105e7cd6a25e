"""What all Markdown documents share: equations as LaTeX in $$ blocks, tables, names made harmless."""

from __future__ import annotations

import re

from symgru.activations import LOGISTIC, Activation
from symgru.backends.formula import Syntax
from symgru.backends.latex.document import formula_rows
from symgru.backends.latex.printer import Latex
from symgru.backends.text.printer import plain_text
from symgru.backends.worked import equations
from symgru.cell import Cell

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&$~:@/])")


def markdown_text(untrusted: str, limit: int = 80) -> str:
    """A name from a file as harmless text: no markup, no links, no HTML, no control characters."""
    return _SPECIAL.sub(r"\\\1", plain_text(untrusted, limit))


def formulas(cell: Cell, form: Syntax) -> list[str]:
    return [formula(lhs, rhs) for lhs, rhs in equations(cell, form)]


def whole(latex: str) -> str:
    """A formula that no renderer takes apart: GitHub takes two }_{ for emphasis before it looks for formulas, and
    leaves one alone that has a space."""
    return latex.replace("}_{", "}_ {")


def formula(lhs: str, rhs: str, latest: int = 0) -> str:
    """lhs = rhs, over several rows where it is long; where the time is still open, there is room for it up to
    `latest`."""
    (rows,) = formula_rows([(lhs, [rhs])], latest)
    several = "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
    return whole(f"{lhs} = {rhs}" if len(rows) == 1 else several)


def definitions(activations: tuple[Activation, ...], uses_sigma: bool) -> list[str]:
    """What each named function means."""
    form = Latex()
    lines = [formula(r"\sigma(a)", form.scalar(LOGISTIC))] if uses_sigma else []
    return lines + [formula(form.function(a.name, "a"), form.scalar(a.meaning)) for a in activations]


def table(header: list[str], rows: list[list[str]], left: int = 0) -> str:
    """A pipe table; the first `left` columns are aligned to the left."""
    rule = ["---" if k < left else "---:" for k in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])
