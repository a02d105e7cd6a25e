"""The table of conventions as a page: for `symgru show --conventions` and docs/conventions.md, from the data alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgru.arrangement import RULES, Convention
from symgru.blocks import Grid, Length
from symgru.conventions import TABLE

HEADER = ("name", "framework", "gates", "kernel", "recurrent", "biases", "reset", "update", "a / s")
LEGEND = (
    "H units, D features. Gates: z update, r reset, n candidate, f update and reset in one.",
    "reset after: n = a(W_n x + b_n + r (U_n h + c_n)); before: n = a(W_n x + b_n + U_n (r h)).",
    "update keep: h' = z h + (1 - z) n; new: h' = (1 - z) h + z n.",
    "a, s: activations of candidate and gates; ! where the framework has no others.",
    "W_g is (H, D), U_g is (H, H), b_g and c_g are (H,): ^T transposed, | beside, ; below,",
    "~ the transposed shape filled with the numbers of W row after row. b_r + c_r: one bias in the framework.",
    "A block that begins with + is added to the one of that name before it.",
)


def shape(grid: Grid) -> str:
    """The shape of an array in units and features: (D, 3H)."""
    axes = [_length(each) for each in grid.lengths]
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"


def _length(each: Length) -> str:
    h, d, k = each
    terms = [f"{n if n > 1 else ''}{letter}" for n, letter in ((d, "D"), (h, "H")) if n]
    return " + ".join([*terms, *([str(k)] if k else [])])


def facts(convention: Convention) -> tuple[str, ...]:
    """One row of the table, in the order of `HEADER`."""
    reset, update = RULES[convention.cell]
    functions = convention.activation
    if convention.cell != "simple":
        functions += f" / {convention.recurrent_activation}"
    kernels, recurrents = (_holding(convention, letter) for letter in "WU")
    biases = [grid for name, grid in convention.arrays.items() if name in convention.biases]
    return (
        convention.name,
        convention.title,
        _gates(kernels),
        _shapes(kernels),
        "in the kernel" if kernels == recurrents else _shapes(recurrents),
        _shapes(biases),
        reset,
        update,
        functions + (" !" if convention.fixed else ""),
    )


def _holding(convention: Convention, letter: str) -> list[Grid]:
    return [g for g in convention.arrays.values() if any(b.names[0][0] == letter for b in g.blocks)]


def _gates(kernels: Sequence[Grid]) -> str:
    letters = [b.names[0][2:] or "-" for grid in kernels for b in grid.blocks if b.names[0][0] == "W"]
    if len(letters) == 1:
        return "none"
    each = max(len(grid.rows[0]) for grid in kernels)
    how = "columns" if each > 1 else "apart" if len(kernels) == len(letters) else "rows"
    return f"{' '.join(letters)} {how}"


def _shapes(grids: Sequence[Grid]) -> str:
    shapes = [shape(grid) for grid in grids]
    distinct = dict.fromkeys(shapes)
    return " ".join(f"{shapes.count(s)} x {s}" if shapes.count(s) > 1 else s for s in distinct) or "none"


def details(convention: Convention) -> Iterator[str]:
    """What lies in each array, what it was compared with, and remarks."""
    for name, grid in convention.arrays.items():
        yield f"{name} {shape(grid)} = {grid}"
    if convention.zero:
        yield f"it has no {', '.join(convention.zero)}: 0"
    checked = convention.checked or "the source alone"
    yield f"source: {convention.source}; checked against {checked}"
    yield from convention.notes


def text() -> Iterator[str]:
    """The page for a terminal: a table, and each convention's arrays."""
    rows = [(HEADER[0], *HEADER[2:]), *((row[0], *row[2:]) for row in map(facts, TABLE))]
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield from LEGEND
    for convention in TABLE:
        yield ""
        yield f"{convention.name}: {convention.title}"
        yield from (f"  {line}" for line in details(convention))


def markdown() -> Iterator[str]:
    """The same as Markdown."""
    yield f"| {' | '.join(HEADER)} |"
    yield f"|{'---|' * len(HEADER)}"
    for convention in TABLE:
        name, *others = facts(convention)
        yield f"| `{name}` | {' | '.join(others)} |"
    yield ""
    yield from LEGEND
    yield ""
    for convention in TABLE:
        yield f"**`{convention.name}`**, {convention.title}:"
        yield ""
        for line in details(convention):
            yield f"    {line}"
        yield ""
