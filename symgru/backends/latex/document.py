"""The worked example as standalone LaTeX that compiles with pdflatex, no line wider than the page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sympy import Symbol

from symgru.activations import LOGISTIC, Activation
from symgru.backends.formula import Name, at_time, row_index
from symgru.backends.latex.printer import (
    Latex,
    LatexMatrix,
    LatexNumbers,
    LatexScalar,
    LatexUnit,
    latex_number,
    latex_text,
    width,
)
from symgru.backends.latex.table import COLUMN, points, table
from symgru.backends.worked import (
    SENTENCE,
    Dialect,
    LayerWriter,
    Written,
    elements,
    ending,
    equations,
    footnote,
    held,
    in_ulps,
    kind,
    names,
    notes,
    output_name,
    scientific,
    shown_steps,
    sizes_text,
    source,
    summary_symbols,
    summary_value,
)
from symgru.backends.wrapping import arrange
from symgru.building import build
from symgru.explanation import Check, Explanation
from symgru.network import Array
from symgru.templating import render
from symgru.working import WeightArray, Working

LATEX = Dialect(LatexMatrix, LatexUnit, LatexScalar, LatexNumbers, Latex, "t-1", "$")
ROOM = 425.0  # points between the margins of the templates' page, less indents and an equals sign
TABLE = 455.0  # points that a table may be wide
CONTINUED = r"\qquad {}"
UNBROKEN = 4  # rows that stay on one page


def render_explanation(e: Explanation, show: int | None = None) -> str:
    """The worked example; with `show` only the first and last so many steps."""
    return render("latex/explanation.tex.j2", **_explanation(e, show))


Formula = tuple[str, list[str]]  # left-hand side, and what follows each equals sign


def aligned(formulas: list[Formula], latest: int = 0) -> str:
    """The rows of an align environment; a page may end only between formulas, and leaves neither the first nor the last
    alone."""
    blocks = list(formula_rows(formulas, latest))
    rows = [(row, place, len(block)) for place, block in enumerate(blocks) for row in block]
    text = rows[0][0]
    for (row, place, length), (below, after, _) in pairwise(rows):
        keep = length <= UNBROKEN if place == after else place == 0 or after == len(blocks) - 1
        tall = _is_tall(row) and _is_tall(below)
        text += f" \\\\{'*' if keep or len(rows) <= UNBROKEN else ''}{'[3pt]' if tall else ''}\n{below}"
    return text


def formula_rows(formulas: list[Formula], latest: int = 0) -> Iterator[list[str]]:
    """The rows of each formula, the equals signs below each other, long ones over several rows.

    Where the time is still open, there is room for it up to `latest`.
    """

    def measure(text: str) -> float:
        return width(at_time(text, latest))

    head = max(measure(lhs) for lhs, _ in formulas)
    for lhs, parts in formulas:
        yield [
            f"{'' if k else lhs} &{'= ' if starts else CONTINUED}{text}"
            for k, (starts, text) in enumerate(arrange(parts, ROOM - head, measure))
        ]


def _is_tall(row: str) -> bool:
    return any(command in row for command in (r"\frac", r"\sum", r"\begin"))


def single(pairs: list[tuple[str, str]], latest: int = 0) -> str:
    """Equations with one right-hand side each."""
    return aligned([(lhs, [rhs]) for lhs, rhs in pairs], latest)


def definitions(activations: tuple[Activation, ...], uses_sigma: bool) -> str:
    """What each named function means: the rows of a gather environment, since some have no room for a wide margin."""
    form = Latex()
    pairs = [(r"\sigma(a)", form.scalar(LOGISTIC))] if uses_sigma else []
    pairs += [(form.function(a.name, "a"), form.scalar(a.meaning)) for a in activations]
    return " \\\\[3pt]\n".join(f"{lhs} = {rhs}" for lhs, rhs in pairs)


def worked(w: Written) -> Formula:
    """One worked line."""
    value = latex_number(w.line.text)
    if w.line.risky:
        value += rf"\;{{}}^{{\dagger}}\;({latex_number(w.line.more)})"
    if w.since:
        value += r"\quad\text{since } " + r"\text{ and }".join(w.since).replace("≤", r"\le ")
    return w.lhs, [w.symbols, w.numbers, value]


def step_head(writer: LayerWriter, t: int) -> str:
    """What a step starts from: its input and the state before it."""
    operands = [
        f"${name} = {{}}$" + (f"({_numbers(texts)})" if len(texts) > 1 else _numbers(texts))
        for name, texts in writer.starts(t)
    ]
    return ", \\quad ".join(operands)


def grids(layer: Working, array: WeightArray) -> Iterator[str]:
    """The numbers of an array as tables that fit the page: a column for each unit, coloured by gate, a row for each
    input of a kernel and each unit of a recurrent kernel."""
    for row in array.blocks:
        columns = [
            (gate, _column_head(layer, block.symbol, unit), [str(v) for v in block.texts[:, unit]])
            for gate, block in enumerate(row)
            for unit in range(block.texts.shape[1])
        ]
        widest = max(points(f"${text}$") for _, head, values in columns for text in (head, *map(latex_number, values)))
        rows = len(columns[0][2])
        fit = max(1, int((TABLE - 30) // (widest + COLUMN)))
        units = len(columns) // len(row)
        fit = fit // units * units or fit  # the columns of a gate stay together where they can
        for chunk in (columns[k : k + fit] for k in range(0, len(columns), fit)):
            heads, colours = [f"${head}$" for _, head, _ in chunk], [f"gate{gate % 3}" for gate, _, _ in chunk]
            numbers = [[f"${latex_number(values[k])}$" for _, _, values in chunk] for k in range(rows)]
            if rows > 1:
                letter = row_index(layer.cell.dims[row[0].symbol][1])
                labelled = [[f"${letter} = {k}$", *cells] for k, cells in enumerate(numbers, 1)]
                yield table(["", *heads], labelled, 1, ["", *colours])
            else:
                yield table(heads, numbers, colours=colours)


def _column_head(layer: Working, s: Symbol, unit: int) -> str:
    letter, _, gate = s.name.partition("_")
    dims = build(layer.layer.kind, layer.layer.options).dims[s]
    row = (row_index(dims[1]),) if len(dims) > 1 and layer.sizes[dims[1]] > 1 else ()
    index = (*row, *(str(unit + 1),) * (layer.sizes["H"] > 1))
    return Latex().name(Name(letter, gate, "", index))


def weights(layer: Working) -> list[dict[str, Any]]:
    """Each array of get_weights()."""
    return [
        {
            "place": a.place,
            "name": latex_text(a.name),
            "shape": str(a.shape),
            "zero": a.zero,
            "grids": [] if a.zero else list(grids(layer, a)),
        }
        for a in layer.arrays
    ]


def summary(layer: Working, show: int | None = None) -> str:
    """One row for each step and unit."""
    units, features = layer.sizes["H"], layer.sizes["D"]
    letters = {new: old for old, new in layer.cell.states}
    symbols = summary_symbols(layer)
    xs = range(features) if features <= 2 and max(len(str(v)) for v in layer.x_texts.ravel()) < 13 else ()
    heads = [
        "t",
        *([r"\text{unit}"] if units > 1 else []),
        *(f"x_{{{k + 1}}}" if features > 1 else "x" for k in xs),
        *(Latex().name(Name(letters.get(s, s).name)) for s in symbols),
    ]
    rows = []
    for t in shown_steps(layer, show):
        if isinstance(t, range):
            rows.append([r"\dots", *[""] * (len(heads) - 1)])
            continue
        for unit in range(units):
            x = [str(layer.x_texts[t - 1][k]) if unit == 0 else "" for k in xs]
            rows.append(
                [
                    str(t) if unit == 0 else "",
                    *([str(unit + 1)] if units > 1 else []),
                    *x,
                    *(summary_value(layer, s, t, unit) for s in symbols),
                ]
            )
    return table([f"${head}$" for head in heads], [[f"${latex_number(v)}$" if v else "" for v in row] for row in rows])


def check_row(check: Check) -> list[str]:
    """One row of the verification box."""
    unit = f", unit {check.component}" if check.component else ""
    numbers = (check.text, "" if check.difference is None else scientific(check.difference), in_ulps(check.ulps))
    return [latex_text(check.says) + unit, *(f"${latex_number(v)}$" if v else "" for v in numbers)]


def verification(e: Explanation) -> str:
    """The verification box; the framework's rows, which may take seconds, last."""
    rows = [check_row(check) for checks in (e.checks(), e.framework_rows()) for check in checks]
    columns = 4 if e.framework else 3  # only what the framework gives has ulps
    heads = ["", "value", "difference", "ulps"]
    return table(heads[:columns], [row[:columns] for row in rows], 1, ruled=False)


def inputs(e: Explanation) -> list[str]:
    """The inputs as typed: one line for a single feature, else one a step."""
    one = len(e.inputs) == 1
    named = zip(e.network.inputs, e.inputs, strict=True)
    return [line for put, given in named for line in _input("" if one else put.id, given.text[0])]


def _input(name: str, texts: Array) -> list[str]:
    rows = texts.reshape(len(texts), -1)
    before = rf"\texttt{{{latex_text(name)}}}: " if name else ""
    if rows.shape[1] == 1:
        return [before + "$x = {}$" + _numbers(rows[:, 0])]
    return [before + rf"$\mathbf{{x}}_{{{t}}} = {{}}$" + _numbers(row) for t, row in enumerate(rows, 1)]


def _numbers(texts: Any) -> str:
    return ", ".join(f"${latex_number(str(v))}$" for v in texts)


def _explanation(e: Explanation, show: int | None) -> dict[str, Any]:
    outputs = [output_name(e, LATEX, k) for k in range(len(e.results))]
    promised = [latex_number(e.promise.text(e.promise(v))) for v in e.results]
    return {
        "e": e,
        "name": latex_text(e.network.origin or e.network.name),
        "inputs": inputs(e),
        "results": [f"{name} = {text}" for name, text in zip(outputs, promised, strict=True)],
        "layers": (_layer(e, layer, show) for layer in e.layers),
        "boxed": len(outputs) <= 3,
        "verification": verification(e),
        "ending": latex_text(ending(e), SENTENCE),
        "footnote": footnote(e),
        "notes": [latex_text(n, SENTENCE) for n in notes(e)],
    }


def _layer(e: Explanation, layer: Working, show: int | None) -> dict[str, Any]:
    notation = LATEX.notation(layer.cell, dict(layer.sizes), layer.timed)
    writer = LayerWriter(layer, LATEX)
    many = max(layer.sizes.values()) > 1
    return {
        "it": layer,
        "title": _title(e, layer),
        "source": latex_text(source(layer), SENTENCE).replace("input x is", "input $x$ is"),
        "start": ", ".join(map(latex_number, layer.start)) or "0",
        "weights": weights(layer),
        "elements": elements(layer.cell, layer.sizes, LATEX),
        "names": names(layer, LATEX),
        "matrix": single(equations(layer.cell, LatexMatrix(notation))) if many else "",
        "units": single(equations(layer.cell, LatexUnit(notation))),
        "definitions": definitions(layer.activations, layer.uses_sigma),
        "steps": ({"left_out": t} if isinstance(t, range) else _step(writer, t) for t in shown_steps(layer, show)),
        "summary": summary(layer, show),
        "left_out": [Latex().name(Name(*s.name.split("_"))) for s in layer.partly_left_out],
    }


def _step(writer: LayerWriter, t: int) -> dict[str, Any]:
    """One step: where it starts, and its lines or, where a mask keeps the state, that."""
    kept = held(writer.layer, t) if writer.layer.keeps(t) else ""
    lines = "" if kept else aligned([worked(w) for w in writer.lines(t)])
    return {"t": t, "head": step_head(writer, t), "lines": lines, "held": latex_text(kept, SENTENCE)}


def _title(e: Explanation, layer: Working) -> str:
    title = f"{kind(layer.cell)}, {sizes_text(layer)}"
    if len(e.layers) == 1:
        return title
    return f"Layer {layer.place} of {len(e.layers)}, ``{latex_text(layer.layer.label)}'': {title}"
