"""The derivation as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symgru.backends.latex.document import LATEX
from symgru.backends.latex.printer import LatexMatrix, LatexUnit, latex_formulas
from symgru.backends.markdown.document import definitions, formula, formulas, markdown_text, table
from symgru.backends.markdown.gradients import gradients
from symgru.backends.notation import at_time
from symgru.backends.sentences import elements, kind, operation_kinds, part_title
from symgru.backends.unrolled import Pairs, ProgramWriter, made_params, shown_times
from symgru.derivation import Counts, Derivation, Derivations, Section
from symgru.stages import Stage
from symgru.templating import stream


def render_derivation(d: Derivation, show: int | None = None) -> Iterator[str]:
    """The derivation piece by piece; with `show` only the first and last so many steps."""
    return render_derivations(Derivations("", (d,)), show)


def render_derivations(network: Derivations, show: int | None = None) -> Iterator[str]:
    """The same for each layer of a network, one after the other."""
    parts = (_part(d, show) for d in network.parts)
    return stream("markdown/derivation.md.j2", network=network, name=markdown_text(network.name), parts=parts)


def _part(d: Derivation, show: int | None) -> dict[str, Any]:
    notation = LATEX.notation(d.cell, dict(d.sizes), d.timed)
    form = LatexMatrix(notation)
    return {
        "d": d,
        "title": part_title(d, lambda label: f"“{markdown_text(label)}”"),
        "kind": kind(d.cell),
        "matrix": formulas(d.cell, form),
        "elements": elements(d.cell, d.sizes, LATEX),
        "units": formulas(d.cell, LatexUnit(notation)),
        "symbols": table(
            ["symbol", "shape", "what it is"],
            [[f"${form.scalar(s.symbol)}$", " × ".join(str(d.sizes[k]) for k in s.shape), s.says] for s in d.symbols],
            3,
        ),
        "definitions": definitions(d.activations, d.uses_sigma),
        "sections": [_section(d, section, show) for section in d.sections],
        "operations": operations(d),
        "idle": [t.name for t in d.idle],
        "left_alone": [t.key for t in d.left_alone],
        "gradients": gradients(d) if d.gradients else None,
    }


def _section(d: Derivation, section: Section, show: int | None) -> dict[str, Any]:
    writer = ProgramWriter(section.stage.program, LATEX, d.timed)
    return {
        "kind": section.kind,
        "rules": section.rules,
        "made": _formulas(made_params(section.made, LATEX)),
        "once": _formulas(writer.once()),
        "steps": _steps(writer, show),
        "closed": _formulas(writer.closed()) if section.closed else "",
    }


def _formulas(pairs: Pairs, latest: int = 0) -> str:
    """One $$ block each."""
    return "\n\n".join(f"$$\n{formula(lhs, rhs, latest)}\n$$" for lhs, rhs in pairs)


def _steps(writer: ProgramWriter, show: int | None) -> Iterator[tuple[int | range, str]]:
    """(t, its formulas), and (range, "") for what is left out; each block is printed once."""
    for times, pairs in writer.blocks():
        body = _formulas(pairs, times[-1])
        for t in shown_times(times, writer.program.steps, show):
            yield t, "" if isinstance(t, range) else at_time(body, t)


def operations(d: Derivation) -> str:
    """The table of rules with the operations of the whole program before and after each."""
    kinds = operation_kinds(d)
    names = [{"*": "·", "+": r"\+", "function": "functions"}.get(k, k) for k in kinds]

    def counts(c: Counts) -> list[str]:
        return [*(str(c[k]) for k in kinds), str(sum(c.values()))]

    header = ["rule", "what it does", *(f"{n} {when}".strip() for when in ("before", "after") for n in (*names, ""))]
    nothing = [""] * (len(kinds) + 1)
    rows = [
        [s.rule, _says(s), *(nothing if s is d.stages[0] else counts(s.before)), *counts(s.after)] for s in d.stages
    ]
    return table(header, rows, 2)


def _says(s: Stage) -> str:
    return latex_formulas(s.says) + (f" (`symgru prove {s.rests_on}`)" if s.rests_on else "")
