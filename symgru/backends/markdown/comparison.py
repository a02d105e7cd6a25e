"""All cells side by side, as Markdown."""

from __future__ import annotations

from symgru.backends.compared import HEADS, costs, families, overview
from symgru.backends.latex.document import LATEX
from symgru.backends.markdown.document import definitions, formula, table
from symgru.comparison import Comparison
from symgru.templating import render

_KINDS = {"*": "·", "+": r"\+", "/": "/", "function": "functions"}


def render_comparison(c: Comparison) -> str:
    """The whole document."""
    rows = [[f"`{name}`", *cells] for name, *cells in overview(c, LATEX, none="–")]
    counts = [[f"`{name}`", *cells] for name, *cells in costs(c, LATEX)]
    return render(
        "markdown/comparison.md.j2",
        overview=table(list(HEADS), rows, len(HEADS)),
        costs=table(["cell", *(_KINDS[k] for k in c.operation_kinds)], counts, 1 + len(c.operation_kinds)),
        definitions=definitions(c.activations, c.uses_sigma),
        families=[
            (*head, [cell | {"equations": [formula(*pair) for pair in cell["equations"]]} for cell in cells])
            for *head, cells in families(c, LATEX)
        ],
    )
