"""All cells side by side, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from symgru.backends.compared import HEADS, costs, families, overview
from symgru.backends.text.document import TEXT, aligned, definitions, paragraph, table
from symgru.backends.text.printer import ascii_text
from symgru.comparison import Comparison
from symgru.templating import stream

_KINDS = {"*": "·", "function": "functions"}


def render_comparison(c: Comparison, ascii: bool = False, header: bool = True) -> Iterator[str]:
    """The document piece by piece; `ascii` for terminals that show nothing else."""
    counted = ["cell", *(_KINDS.get(k, k) for k in c.operation_kinds)]
    pieces = stream(
        "text/comparison.txt.j2",
        header=header,
        paragraph=paragraph,
        overview=table(list(HEADS), list(overview(c, TEXT)), len(HEADS)),
        costs=table(counted, list(costs(c, TEXT)), len(counted)),
        definitions=definitions(c.activations, c.uses_sigma),
        families=[
            (*head, [cell | {"equations": aligned(cell["equations"], 4)} for cell in cells])
            for *head, cells in families(c, TEXT)
        ],
    )
    return map(ascii_text, pieces) if ascii else pieces
