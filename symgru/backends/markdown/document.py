"""Both documents as Markdown: equations as LaTeX in $$ blocks, worked lines as plain text that can be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from symgru.activations import LOGISTIC, Activation
from symgru.backends.formula import Syntax, at_time
from symgru.backends.latex.document import LATEX, merged_pairs
from symgru.backends.latex.printer import Latex, LatexMatrix, LatexUnit
from symgru.backends.text.document import TEXT, check_cells, inputs, step_head, step_lines, summary_cells, weights
from symgru.backends.text.printer import TextMatrix, plain_text
from symgru.backends.worked import (
    LayerWriter,
    equations,
    kind,
    operation_kinds,
    output_name,
    program_lines,
    sizes_text,
)
from symgru.cells import Cell
from symgru.derivation import Counts, Derivation
from symgru.explanation import Explanation
from symgru.templating import render, stream
from symgru.unroll import Program
from symgru.working import Working

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
    return [f"{lhs} = {rhs}" for lhs, rhs in equations(cell, form)]


def definitions(activations: tuple[Activation, ...], uses_sigma: bool) -> list[str]:
    """What each named function means."""
    form = Latex()
    lines = [r"\sigma(a) = " + form.scalar(LOGISTIC)] if uses_sigma else []
    return lines + [f"{form.function(a.name, 'a')} = {form.scalar(a.meaning)}" for a in activations]


def table(header: list[str], rows: list[list[str]], left: int = 0) -> str:
    """A pipe table; the first `left` columns are aligned to the left."""
    rule = ["---" if k < left else "---:" for k in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])


def _explanation(e: Explanation) -> dict[str, Any]:
    outputs = [output_name(e, TEXT, k) for k in range(len(e.results))]
    return {
        "e": e, "name": markdown_text(e.network.origin or e.network.name), "x_lines": inputs(e),
        "results": [f"{name} = {e.promise.text(e.promise(v))}" for name, v in zip(outputs, e.results, strict=True)],
        "layers": (_layer(e, layer) for layer in e.layers),
        "checks": table(["", "value", "difference", "ulps"],
                        [[markdown_text(row[0]), *row[1:]] for row in map(check_cells, _all_checks(e))], 1),
        "uses_tanh": e.uses_tanh, "notes": [markdown_text(n) for layer in e.layers for n in layer.layer.notes],
    }


def _all_checks(e: Explanation) -> Iterator[Any]:
    yield from e.checks()
    yield from e.framework_rows()


def _layer(e: Explanation, layer: Working) -> dict[str, Any]:
    notation = LATEX.notation(layer.cell, dict(layer.sizes), layer.timed)
    writer = LayerWriter(layer, TEXT)
    many = max(layer.sizes.values()) > 1
    return {
        "it": layer, "title": _title(e, layer), "weights": weights(layer),
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
    form = TextMatrix(TEXT.notation(d.cell, dict(d.sizes)))
    return {
        "d": d, "kind": kind(d.cell), "matrix": _formulas(d.cell, LatexMatrix(notation)),
        "units": _formulas(d.cell, LatexUnit(notation)),
        "symbols": table(["symbol", "shape", "what it is"],
                         [[f"`{form.scalar(s.symbol)}`", " × ".join(str(d.sizes[k]) for k in s.shape), s.says]
                          for s in d.symbols], 3),
        "definitions": definitions(d.activations, d.uses_sigma),
        "merged": [f"{lhs} = {rhs}" for lhs, rhs in merged_pairs(d)],
        "sections": ({"name": name, "steps": _steps(stage.program)} for name, stage in d.sections),
        "operations": operations(d), "idle": [t.name for t in d.idle],
    }


def _steps(program: Program) -> Iterator[tuple[int, str]]:
    """(t, its formulas, one a $$ block); each block is printed once."""
    for times, pairs in program_lines(program, LATEX):
        body = "\n\n".join(f"$$\n{lhs} = {rhs}\n$$" for lhs, rhs in pairs)
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
