"""All cells side by side, as standalone LaTeX."""

from __future__ import annotations

from typing import Any

from symgru.backends.compared import HEADS, costs, families, overview
from symgru.backends.latex.document import LATEX, definitions, single
from symgru.backends.latex.printer import latex_text
from symgru.backends.latex.table import table
from symgru.comparison import Comparison
from symgru.templating import render

_KINDS = {"*": r"$\cdot$", "+": "$+$", "/": "$/$", "function": "functions"}


def render_comparison(c: Comparison) -> str:
    """The whole document."""
    rows = [[_code(name), *cells] for name, *cells in overview(c, LATEX, none="--")]
    counts = [[_code(name), *cells] for name, *cells in costs(c, LATEX)]
    return render(
        "latex/comparison.tex.j2",
        overview=table(HEADS, rows, len(HEADS)),
        costs=table(["cell", *(_KINDS[k] for k in c.operation_kinds)], counts, 1 + len(c.operation_kinds)),
        definitions=definitions(c.activations, c.uses_sigma),
        families=[(*head, [_cell(cell) for cell in cells]) for *head, cells in families(c, LATEX)],
    )


def _code(name: str) -> str:
    return rf"\texttt{{{latex_text(name)}}}"


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    return cell | {
        "name": _code(cell["name"]),
        "source": _prose(cell["source"], "; "),
        "equations": single(cell["equations"]),
        "frameworks": _prose(cell["frameworks"], ", "),
    }


def _prose(text: str, between: str) -> str:
    """Our own text, clause by clause: as a whole it may be longer than a name from a file is shown."""
    return between.join(latex_text(clause) for clause in text.split(between)).replace(r"\textquotesingle{}", "'")
