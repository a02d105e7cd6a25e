"""Both documents as Markdown: equations as LaTeX in $$ blocks, worked lines as plain text that can be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symgru.activations import LOGISTIC, Activation
from symgru.backends.formula import Syntax, at_time
from symgru.backends.latex.document import LATEX, formula_rows, merged_pairs
from symgru.backends.latex.printer import Latex, LatexMatrix, LatexUnit
from symgru.backends.text.document import TEXT, check_cells, inputs, step_head, step_lines, summary_cells, weights
from symgru.backends.text.printer import plain_text
from symgru.backends.worked import (
    LayerWriter,
    element_name,
    elements,
    equations,
    footnote,
    kind,
    names,
    operation_kinds,
    output_name,
    program_lines,
    result_name,
    sizes_text,
)
from symgru.cells import Cell
from symgru.derivation import Counts, Derivation
from symgru.explanation import Explanation
from symgru.templating import render, stream
from symgru.unroll import Program
from symgru.working import Working

PROSE = replace(TEXT, quoted="`")  # the text blocks' symbols within a sentence
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&$~:@/])")


def markdown_text(untrusted: str) -> str:
    """A name from a file as harmless text: no markup, no links, no HTML, no control characters."""
    return _SPECIAL.sub(r"\\\1", plain_text(untrusted))


def render_derivation(d: Derivation) -> Iterator[str]:
    """The derivation piece by piece."""
    return stream("markdown/derivation.md.j2", **_derivation(d))


def render_explanation(e: Explanation) -> str:
    """The worked example."""
    return render("markdown/explanation.md.j2", **_explanation(e))


def _formulas(cell: Cell, form: Syntax) -> list[str]:
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


def _explanation(e: Explanation) -> dict[str, Any]:
    outputs = [output_name(e, TEXT, k) for k in range(len(e.results))]
    return {
        "e": e,
        "name": markdown_text(e.network.origin or e.network.name),
        "x_lines": inputs(e),
        "results": [f"{name} = {e.promise.text(e.promise(v))}" for name, v in zip(outputs, e.results, strict=True)],
        "layers": (_layer(e, layer) for layer in e.layers),
        "checks": _checks(e),
        "footnote": footnote(e),
        "spelling": _spelling(e),
        "notes": [markdown_text(n) for layer in e.layers for n in layer.layer.notes],
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


def _layer(e: Explanation, layer: Working) -> dict[str, Any]:
    notation = LATEX.notation(layer.cell, dict(layer.sizes), layer.timed)
    writer = LayerWriter(layer, TEXT)
    many = max(layer.sizes.values()) > 1
    return {
        "it": layer,
        "title": _title(e, layer),
        "weights": weights(layer),
        "elements": elements(layer.cell, layer.sizes, PROSE),
        "names": names(layer, PROSE),
        "matrix": _formulas(layer.cell, LatexMatrix(notation)) if many else [],
        "units": _formulas(layer.cell, LatexUnit(notation)),
        "definitions": definitions(layer.activations, layer.uses_sigma),
        "steps": ({"head": step_head(writer, t), "lines": step_lines(writer, t)} for t in range(1, layer.steps + 1)),
        "summary": table(*summary_cells(layer)),
    }


def _title(e: Explanation, layer: Working) -> str:
    title = f"{kind(layer.cell)}, {sizes_text(layer)}"
    if len(e.layers) == 1:
        return title
    return f"Layer {layer.place} of {len(e.layers)}, “{markdown_text(layer.layer.label)}”: {title}"


def _derivation(d: Derivation) -> dict[str, Any]:
    notation = LATEX.notation(d.cell, dict(d.sizes))
    form = LatexMatrix(notation)
    return {
        "d": d,
        "kind": kind(d.cell),
        "matrix": _formulas(d.cell, form),
        "elements": elements(d.cell, d.sizes, LATEX),
        "units": _formulas(d.cell, LatexUnit(notation)),
        "symbols": table(
            ["symbol", "shape", "what it is"],
            [[f"${form.scalar(s.symbol)}$", " × ".join(str(d.sizes[k]) for k in s.shape), s.says] for s in d.symbols],
            3,
        ),
        "definitions": definitions(d.activations, d.uses_sigma),
        "merged": [formula(lhs, rhs) for lhs, rhs in merged_pairs(d)],
        "sections": ({"name": name, "steps": _steps(stage.program)} for name, stage in d.sections),
        "operations": operations(d),
        "idle": [t.name for t in d.idle],
    }


def _steps(program: Program) -> Iterator[tuple[int, str]]:
    """(t, its formulas, one a $$ block); each block is printed once."""
    for times, pairs in program_lines(program, LATEX):
        body = "\n\n".join(f"$$\n{formula(lhs, rhs, times[-1])}\n$$" for lhs, rhs in pairs)
        for t in times:
            yield t, at_time(body, t)


def operations(d: Derivation) -> str:
    """The table of rules with the operations of the whole program before and after each."""
    kinds = operation_kinds(d)
    names = [{"*": "·", "+": r"\+", "function": "functions"}.get(k, k) for k in kinds]

    def counts(c: Counts) -> list[str]:
        return [*(str(c[k]) for k in kinds), str(sum(c.values()))]

    header = ["rule", "what it does", *(f"{n} {when}".strip() for when in ("before", "after") for n in (*names, ""))]
    nothing = [""] * (len(kinds) + 1)
    rows = [[s.rule, s.says, *(nothing if s is d.stages[0] else counts(s.before)), *counts(s.after)] for s in d.stages]
    return table(header, rows, 2)
