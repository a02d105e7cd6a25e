"""The derivation as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symgru.backends.notation import at_time
from symgru.backends.sentences import elements, kind, operation_kinds, part_title
from symgru.backends.text.document import TEXT, aligned, definitions, gathered, paragraph, table
from symgru.backends.text.gradients import gradients
from symgru.backends.text.printer import TextMatrix, TextUnit, ascii_text, plain_text
from symgru.backends.unrolled import ProgramWriter, made_params, shown_times
from symgru.backends.worked import equations
from symgru.derivation import Counts, Derivation, Derivations, Section
from symgru.templating import stream


def render_derivation(
    d: Derivation, ascii: bool = False, header: bool = True, show: int | None = None
) -> Iterator[str]:
    """The derivation piece by piece; `ascii` for terminals that show nothing else; with `show` only the first and last
    so many steps."""
    return render_derivations(Derivations("", (d,)), ascii, header, show)


def render_derivations(
    network: Derivations, ascii: bool = False, header: bool = True, show: int | None = None
) -> Iterator[str]:
    """The same for each layer of a network, one after the other."""
    parts = (_part(d, show) for d in network.parts)
    context = {"network": network, "name": plain_text(network.name), "parts": parts, "paragraph": paragraph}
    pieces = gathered(stream("text/derivation.txt.j2", header=header, **context))
    return map(ascii_text, pieces) if ascii else pieces


def _part(d: Derivation, show: int | None) -> dict[str, Any]:
    notation = TEXT.notation(d.cell, dict(d.sizes), d.timed)
    form = TextMatrix(notation)
    return {
        "d": d,
        "title": part_title(d, lambda label: f"“{plain_text(label)}”"),
        "kind": kind(d.cell),
        "elements": elements(d.cell, d.sizes, TEXT),
        "matrix": aligned(equations(d.cell, form)),
        "units": aligned(equations(d.cell, TextUnit(notation))),
        "symbols": table(
            ["symbol", "shape", "what it is"],
            [[form.scalar(s.symbol), _shape(d, s.shape), s.says] for s in d.symbols],
            3,
        ),
        "definitions": definitions(d.activations, d.uses_sigma, 4),
        "sections": [_section(d, section, show) for section in d.sections],
        "operations": operations(d),
        "idle": [t.name for t in d.idle],
        "left_alone": [t.key for t in d.left_alone],
        "gradients": gradients(d) if d.gradients else None,
        "rules": [(s.rule, s.says.replace("`", ""), s.rests_on) for s in d.stages],
    }


def _shape(d: Derivation, letters: tuple[str, ...]) -> str:
    return " × ".join(str(d.sizes[k]) for k in letters)


def _section(d: Derivation, section: Section, show: int | None) -> dict[str, Any]:
    writer = ProgramWriter(section.stage.program, TEXT, d.timed)
    return {
        "kind": section.kind,
        "rules": section.rules,
        "made": aligned(made_params(section.made, TEXT)),
        "once": aligned(writer.once(), 4),
        "steps": _steps(writer, show),
        "closed": aligned(writer.closed(), 4) if section.closed else [],
    }


def _steps(writer: ProgramWriter, show: int | None) -> Iterator[tuple[int | range, str]]:
    """(t, its lines), and (range, "") for what is left out; each block is laid out once."""
    for times, pairs in writer.blocks():
        body = "\n".join(aligned(pairs, 4, times[-1]))
        for t in shown_times(times, writer.program.steps, show):
            yield t, "" if isinstance(t, range) else at_time(body, t)


def operations(d: Derivation) -> list[str]:
    """The table of rules with the operations of the whole program before and after each."""
    kinds = operation_kinds(d)
    names = [{"*": "·", "function": "func"}.get(k, k) for k in kinds]
    header = ["rule", *names, "before", *names, "after"]
    nothing = [""] * (len(kinds) + 1)
    rows = [
        [s.rule, *(nothing if s is d.stages[0] else _counts(s.before, kinds)), *_counts(s.after, kinds)]
        for s in d.stages
    ]
    return table(header, rows, 1)


def _counts(counts: Counts, kinds: list[str]) -> list[str]:
    return [*(str(counts[k]) for k in kinds), str(sum(counts.values()))]
