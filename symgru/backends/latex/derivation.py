"""The derivation as standalone LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symgru.backends.latex.document import LATEX, definitions, single
from symgru.backends.latex.gradients import gradients
from symgru.backends.latex.printer import LatexMatrix, LatexUnit, latex_formulas, latex_text
from symgru.backends.latex.table import table
from symgru.backends.notation import at_time
from symgru.backends.sentences import elements, kind, operation_kinds, part_title
from symgru.backends.unrolled import ProgramWriter, made_params, shown_times
from symgru.backends.worked import equations
from symgru.derivation import Counts, Derivation, Derivations, Section
from symgru.templating import stream


def render_derivation(d: Derivation, show: int | None = None) -> Iterator[str]:
    """The derivation piece by piece; with `show` only the first and last so many steps."""
    return render_derivations(Derivations("", (d,)), show)


def render_derivations(network: Derivations, show: int | None = None) -> Iterator[str]:
    """The same for each layer of a network, one after the other."""
    parts = (_part(d, show) for d in network.parts)
    return stream("latex/derivation.tex.j2", network=network, name=latex_text(network.name), parts=parts)


def _part(d: Derivation, show: int | None) -> dict[str, Any]:
    notation = LATEX.notation(d.cell, dict(d.sizes), d.timed)
    form = LatexMatrix(notation)
    return {
        "d": d,
        "title": part_title(d, lambda label: f"``{latex_text(label)}''"),
        "kind": kind(d.cell),
        "matrix": single(equations(d.cell, form)),
        "units": single(equations(d.cell, LatexUnit(notation))),
        "elements": elements(d.cell, d.sizes, LATEX),
        "symbols": table(
            ["symbol", "shape", "what it is"],
            [[f"${form.scalar(s.symbol)}$", _shape(d, s.shape), s.says] for s in d.symbols],
            3,
        ),
        "definitions": definitions(d.activations, d.uses_sigma),
        "sections": [_section(d, section, show) for section in d.sections],
        "operations": operations(d),
        "idle": [t.name for t in d.idle],
        "left_alone": [t.key for t in d.left_alone],
        "gradients": gradients(d) if d.gradients else None,
        "rules": [(s.rule, latex_formulas(s.says), s.rests_on) for s in d.stages],
    }


def _shape(d: Derivation, letters: tuple[str, ...]) -> str:
    return "$" + r" \times ".join(str(d.sizes[k]) for k in letters) + "$"


def _section(d: Derivation, section: Section, show: int | None) -> dict[str, Any]:
    writer = ProgramWriter(section.stage.program, LATEX, d.timed)
    made, once = made_params(section.made, LATEX), writer.once()
    return {
        "kind": section.kind,
        "rules": section.rules,
        "made": single(made) if made else "",
        "once": single(once) if once else "",
        "steps": _steps(writer, show),
        "closed": single(writer.closed()) if section.closed else "",
    }


def _steps(writer: ProgramWriter, show: int | None) -> Iterator[tuple[int | range, str]]:
    """(t, its rows), and (range, "") for what is left out; each block is laid out once."""
    for times, pairs in writer.blocks():
        body = single(pairs, times[-1]) if pairs else ""
        for t in shown_times(times, writer.program.steps, show):
            yield t, "" if isinstance(t, range) else at_time(body, t)


def operations(d: Derivation) -> str:
    """The table of rules with the operations of the whole program before and after each."""
    kinds = operation_kinds(d)

    def counts(c: Counts) -> list[str]:
        return [*(str(c[k]) for k in kinds), str(sum(c.values()))]

    n = len(kinds) + 1
    heads = [*({"*": r"$\cdot$", "+": "$+$", "/": "$/$", "function": "func."}[k] for k in kinds), "total"]
    above = (
        rf" & \multicolumn{{{n}}}{{c}}{{before}} & \multicolumn{{{n}}}{{c}}{{after}} \\"
        "\n"
        rf"\cmidrule(lr){{2-{n + 1}}}\cmidrule(lr){{{n + 2}-{2 * n + 1}}}"
    )
    rows = [[s.rule, *([""] * n if s is d.stages[0] else counts(s.before)), *counts(s.after)] for s in d.stages]
    return table(["rule", *heads, *heads], rows, 1, above=above)
