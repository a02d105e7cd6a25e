"""Both documents as plain text, for the terminal and for .txt files."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from symgru.activations import LOGISTIC, Activation
from symgru.backends.formula import at_time
from symgru.backends.text.printer import (
    Text,
    TextMatrix,
    TextNumbers,
    TextScalar,
    TextUnit,
    ascii_text,
    plain_text,
)
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
from symgru.explanation import Check, Explanation
from symgru.network import Array
from symgru.templating import stream
from symgru.working import Block, WeightArray, Working

WIDTH = 100
BRACKET = re.compile(r"[(\[]\w+ [=+-] \w+[)\]]")
SO_FAR = "\x00"  # in a template: what comes next may take seconds
TEXT = Dialect(TextMatrix, TextUnit, TextScalar, TextNumbers, Text, "(t-1)", "")


def render_explanation(
    e: Explanation, ascii: bool = False, header: bool = True, show: int | None = None
) -> Iterator[str]:
    """The worked example piece by piece, the framework's row (which may take seconds) last."""
    pieces = gathered(stream("text/explanation.txt.j2", header=header, so_far=SO_FAR, **_explanation(e, show)))
    return map(ascii_text, pieces) if ascii else pieces


def gathered(pieces: Iterator[str]) -> Iterator[str]:
    """A few large pieces in place of thousands of small ones; a reader never waits for what is known already."""
    held: list[str] = []
    for piece in pieces:
        held.append(piece.replace(SO_FAR, ""))
        if SO_FAR in piece or len(held) > 1000:
            yield "".join(held)
            held.clear()
    yield "".join(held)


def paragraph(text: str) -> str:
    """A paragraph, wrapped; a short bracket such as [i = l] stays whole."""
    whole = BRACKET.sub(lambda found: found[0].replace(" ", "\xa0"), " ".join(text.split()))
    filled = textwrap.fill(
        whole,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace("\xa0", " ")


def formula(lhs: str, parts: list[str], pad: int = 0, indent: int = 2, latest: int = 0) -> str:
    """lhs = part = part, wrapped; the equals signs stand below each other. Where the time is still open, there is
    room for it up to `latest`."""
    head = " " * indent + lhs.ljust(pad)
    rows = arrange(parts, WIDTH - len(at_time(head, latest)) - 5, lambda text: len(at_time(text, latest)))
    blank = " " * len(head)
    return "\n".join(
        f"{(blank if k else head)} {'=' if starts else ' '} {'' if starts else '  '}{text}"
        for k, (starts, text) in enumerate(rows)
    )


def aligned(pairs: list[tuple[str, str]], indent: int = 2, latest: int = 0) -> list[str]:
    """Equations, one below the other."""
    pad = max((len(lhs) for lhs, _ in pairs), default=0)
    return [formula(lhs, [rhs], pad, indent, latest) for lhs, rhs in pairs]


def definitions(activations: tuple[Activation, ...], uses_sigma: bool, indent: int = 2) -> list[str]:
    """What each named function means."""
    form = Text()
    pairs = [("σ(a)", LOGISTIC)] * uses_sigma + [(f"{a.name}(a)", a.meaning) for a in activations]
    return [formula(lhs, [form.scalar(meaning)], indent=indent) for lhs, meaning in pairs]


def written(w: Written, pad: int) -> str:
    """One worked line."""
    mark = f" † {w.line.more}" if w.line.risky else ""
    since = f", since {' and '.join(w.since)}" if w.since else ""
    return formula(w.lhs, [w.symbols, w.numbers, w.line.text + mark + since], pad)


def step_lines(writer: LayerWriter, t: int) -> list[str]:
    """All lines of one step; where a mask keeps the state, that."""
    if writer.layer.keeps(t):
        return [paragraph(held(writer.layer, t))]
    lines = list(writer.lines(t))
    pad = max(len(w.lhs) for w in lines)
    return [written(w, pad) for w in lines]


def step_head(writer: LayerWriter, t: int) -> str:
    """Step 3: x_3 = 9, h_2 = -0.08876771; for several units or features just the step."""
    starts = list(writer.starts(t))
    head = f"Step {t}" if writer.layer.timed else "Output"
    short = all(len(texts) == 1 for _, texts in starts)
    return head + (": " + ", ".join(f"{name} = {texts[0]}" for name, texts in starts) if short else "")


def table(header: list[str], rows: list[list[str]], left: int = 0) -> list[str]:
    """Columns aligned to the right, the first `left` to the left."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    lines = [header, ["─" * w for w in widths], *rows]
    return [
        "  "
        + "  ".join(
            cell.ljust(w) if k < left else cell.rjust(w) for k, (cell, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def nested(texts: Array, indent: int) -> str:
    """A row of numbers as [a, b], several as [[a, b], [c, d]], wrapped; one number as itself."""
    if texts.size == 1:
        return str(texts[0, 0])
    rows = [_wrapped([str(v) for v in row], indent + (len(texts) > 1)) for row in texts]
    if len(rows) == 1:
        return rows[0]
    return "[" + (",\n" + " " * (indent + 1)).join(rows) + "]"


def _wrapped(words: list[str], indent: int) -> str:
    lines, line = [], "["
    for k, word in enumerate(words):
        piece = word + ("," if k < len(words) - 1 else "]")
        if line.strip(" [") and indent + len(line) + len(piece) > WIDTH:
            lines.append(line.rstrip())
            line = " "
        line += piece + " "
    return ("\n" + " " * indent).join([*lines, line.rstrip()])


def weights(layer: Working) -> list[dict[str, Any]]:
    """Each array of get_weights() with the symbol of each block of columns."""
    return [
        {
            "place": array.place,
            "name": array.name,
            "shape": array.shape,
            "zero": array.zero,
            "columns": [" | ".join(block.symbol.name for block in row) for row in array.blocks],
            "lines": _blocks(array),
        }
        for array in layer.arrays
    ]


def _blocks(array: WeightArray) -> list[str]:
    blocks = [block for row in array.blocks for block in row]
    single = ["   ".join(f"{b.symbol.name} = {b.texts[0, 0]}" for b in row) for row in array.blocks]
    if all(block.texts.size == 1 for block in blocks) and max(map(len, single)) < WIDTH - 6:
        return [" " * 6 + line for line in single]
    return [_block(block) for block in blocks]


def _block(block: Block) -> str:
    head = f"{' ' * 6}{block.symbol.name} = "
    return head + nested(block.texts, len(head))


def summary_cells(layer: Working, show: int | None = None) -> tuple[list[str], list[list[str]]]:
    """Header and rows: one row for each step, for several units one for each step and unit."""
    units, features = layer.sizes["H"], layer.sizes["D"]
    letters = {new: old for old, new in layer.cell.states}
    symbols = summary_symbols(layer)
    xs = [f"x[{k + 1}]" if features > 1 else "x" for k in range(features)] if features <= 3 else []
    header = ["t", *(["unit"] if units > 1 else []), *xs, *(letters.get(s, s).name for s in symbols)]
    rows = []
    for t in shown_steps(layer, show):
        if isinstance(t, range):
            rows.append(["…", *[""] * (len(header) - 1)])
            continue
        for unit in range(units):
            x = [str(v) if unit == 0 else "" for v in layer.x_texts[t - 1][: len(xs)]]
            rows.append(
                [
                    str(t) if unit == 0 else "",
                    *([str(unit + 1)] if units > 1 else []),
                    *x,
                    *(summary_value(layer, s, t, unit) for s in symbols),
                ]
            )
    return header, rows


def check_cells(check: Check) -> list[str]:
    """One row of the verification table."""
    says = check.says + (f" [{check.component}]" if check.component else "")
    return [says, check.text, "" if check.difference is None else scientific(check.difference), in_ulps(check.ulps)]


def check_row(check: Check) -> str:
    """The same in fixed columns, since the last rows are computed last."""
    says, *numbers = check_cells(check)
    return "  {:<46}{:>20}  {:>10}  {:>8}".format(plain_text(says), *numbers).rstrip()


def _explanation(e: Explanation, show: int | None) -> dict[str, Any]:
    outputs = [output_name(e, TEXT, k) for k in range(len(e.results))]
    promised = [e.promise.text(e.promise(v)) for v in e.results]
    return {
        "e": e,
        "name": plain_text(e.network.origin or e.network.name),
        "x_lines": inputs(e),
        "results": [f"{name} = {text}" for name, text in zip(outputs, promised, strict=True)],
        "layers": (_layer(e, layer, show) for layer in e.layers),
        "checks": (check_row(c) for c in e.checks()),
        "framework_rows": (check_row(c) for c in e.framework_rows()),
        "ending": ending(e),
        "footnote": footnote(e),
        "paragraph": paragraph,
        "notes": [plain_text(n, SENTENCE) for n in notes(e)],
    }


def inputs(e: Explanation) -> list[str]:
    """The inputs as typed: one line for a single feature, else one a step."""
    one = len(e.inputs) == 1
    named = zip(e.network.inputs, e.inputs, strict=True)
    return [line for put, given in named for line in _input("x" if one else put.id, given.text[0])]


def _input(name: str, texts: Array) -> list[str]:
    rows = texts.reshape(len(texts), -1)
    if rows.shape[1] == 1:
        head = f"  {name} = "
        return [head + _wrapped([str(v) for v in rows[:, 0]], len(head))[1:-1].replace("\n ", "\n")]
    return [f"  {name}_{t} = " + _wrapped([str(v) for v in row], 8) for t, row in enumerate(rows, 1)]


def _layer(e: Explanation, layer: Working, show: int | None) -> dict[str, Any]:
    notation = TEXT.notation(layer.cell, dict(layer.sizes), layer.timed)
    writer = LayerWriter(layer, TEXT)
    many = max(layer.sizes.values()) > 1
    return {
        "it": layer,
        "title": _title(e, layer),
        "source": source(layer),
        "start": ", ".join(layer.start) or "0",
        "weights": weights(layer),
        "elements": elements(layer.cell, layer.sizes, TEXT),
        "names": names(layer, TEXT),
        "matrix": aligned(equations(layer.cell, TextMatrix(notation))) if many else [],
        "units": aligned(equations(layer.cell, TextUnit(notation))),
        "definitions": definitions(layer.activations, layer.uses_sigma),
        "steps": (
            {"left_out": t} if isinstance(t, range) else {"head": step_head(writer, t), "lines": step_lines(writer, t)}
            for t in shown_steps(layer, show)
        ),
        "summary": table(*summary_cells(layer, show)) if layer.timed else [],
    }


def _title(e: Explanation, layer: Working) -> str:
    title = f"{kind(layer.cell)}, {sizes_text(layer)}"
    if len(e.layers) == 1:
        return title
    return f"Layer {layer.place} of {len(e.layers)}, “{plain_text(layer.layer.label)}”: {title}"
