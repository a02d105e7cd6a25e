"""Both documents as Markdown: equations as LaTeX in $$ blocks, worked lines as plain text that can be typed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symgru.activations import LOGISTIC, Activation
from symgru.backends.formula import Syntax
from symgru.backends.latex.document import LATEX, formula_rows
from symgru.backends.latex.printer import Latex, LatexMatrix, LatexUnit
from symgru.backends.text.document import TEXT, check_cells, inputs, step_head, step_lines, summary_cells, weights
from symgru.backends.text.printer import plain_text
from symgru.backends.worked import (
    SENTENCE,
    LayerWriter,
    element_name,
    elements,
    ending,
    equations,
    footnote,
    kind,
    names,
    notes,
    output_name,
    result_name,
    shown_steps,
    sizes_text,
    source,
)
from symgru.cell import Cell
from symgru.explanation import Explanation
from symgru.templating import render
from symgru.working import Working

PROSE = replace(TEXT, quoted="`")  # the text blocks' symbols within a sentence
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&$~:@/])")


def markdown_text(untrusted: str, limit: int = 80) -> str:
    """A name from a file as harmless text: no markup, no links, no HTML, no control characters."""
    return _SPECIAL.sub(r"\\\1", plain_text(untrusted, limit))


def render_explanation(e: Explanation, show: int | None = None) -> str:
    """The worked example; with `show` only the first and last so many steps."""
    return render("markdown/explanation.md.j2", **_explanation(e, show))


def formulas(cell: Cell, form: Syntax) -> list[str]:
    return [formula(lhs, rhs) for lhs, rhs in equations(cell, form)]


def formula(lhs: str, rhs: str, latest: int = 0) -> str:
    """lhs = rhs, over several rows where it is long; where the time is still open, there is room for it up to
    `latest`."""
    (rows,) = formula_rows([(lhs, [rhs])], latest)
    return f"{lhs} = {rhs}" if len(rows) == 1 else "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def definitions(activations: tuple[Activation, ...], uses_sigma: bool) -> list[str]:
    """What each named function means."""
    form = Latex()
    lines = [formula(r"\sigma(a)", form.scalar(LOGISTIC))] if uses_sigma else []
    return lines + [formula(form.function(a.name, "a"), form.scalar(a.meaning)) for a in activations]


def table(header: list[str], rows: list[list[str]], left: int = 0) -> str:
    """A pipe table; the first `left` columns are aligned to the left."""
    rule = ["---" if k < left else "---:" for k in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])


def _explanation(e: Explanation, show: int | None) -> dict[str, Any]:
    outputs = [output_name(e, TEXT, k) for k in range(len(e.results))]
    return {
        "e": e,
        "name": markdown_text(e.network.origin or e.network.name),
        "x_lines": inputs(e),
        "results": [f"{name} = {e.promise.text(e.promise(v))}" for name, v in zip(outputs, e.results, strict=True)],
        "layers": (_layer(e, layer, show) for layer in e.layers),
        "checks": _checks(e),
        "ending": ending(e),
        "footnote": footnote(e),
        "spelling": _spelling(e),
        "notes": [markdown_text(n, SENTENCE) for n in notes(e)],
    }


def _checks(e: Explanation) -> str:
    rows = [check_cells(check) for checks in (e.checks(), e.framework_rows()) for check in checks]
    columns = 4 if e.framework else 3  # only what the framework gives has ulps
    heads = ["", "value", "difference", "ulps"]
    return table(heads[:columns], [[markdown_text(row[0]), *row[1:columns]] for row in rows], 1)


def _spelling(e: Explanation) -> str:
    """How the symbols of the text blocks are spelled in the formulas, by the example of the layer that shows most."""
    layer = max(e.layers, key=lambda layer: (max(layer.sizes.values()) > 1, bool(layer.cell.states)))
    pairs = [(result_name(layer, form, 0), element_name(layer, form)) for form in (TEXT, LATEX)]
    return (
        "The text blocks write "
        + " and ".join(f"`{plain}` for ${latex}$" for plain, latex in zip(*pairs, strict=True))
        + "."
    )


def _layer(e: Explanation, layer: Working, show: int | None) -> dict[str, Any]:
    notation = LATEX.notation(layer.cell, dict(layer.sizes), layer.timed)
    writer = LayerWriter(layer, TEXT)
    many = max(layer.sizes.values()) > 1
    return {
        "it": layer,
        "title": _title(e, layer),
        "source": source(layer),
        "start": ", ".join(layer.start) or "0",
        "weights": weights(layer),
        "elements": elements(layer.cell, layer.sizes, PROSE),
        "names": names(layer, PROSE),
        "matrix": formulas(layer.cell, LatexMatrix(notation)) if many else [],
        "units": formulas(layer.cell, LatexUnit(notation)),
        "definitions": definitions(layer.activations, layer.uses_sigma),
        "steps": (
            {"left_out": t} if isinstance(t, range) else {"head": step_head(writer, t), "lines": step_lines(writer, t)}
            for t in shown_steps(layer, show)
        ),
        "summary": table(*summary_cells(layer, show)),
    }


def _title(e: Explanation, layer: Working) -> str:
    title = f"{kind(layer.cell)}, {sizes_text(layer)}"
    if len(e.layers) == 1:
        return title
    return f"Layer {layer.place} of {len(e.layers)}, “{markdown_text(layer.layer.label)}”: {title}"
