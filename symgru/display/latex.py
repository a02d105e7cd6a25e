"""Equations that MathJax shows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from symgru.backends.latex.document import LATEX, formula_rows, worked
from symgru.backends.notation import at_time
from symgru.backends.unrolled import ProgramWriter
from symgru.backends.worked import LayerWriter
from symgru.derivation import Derivation, Derivations
from symgru.display.formulas import Pairs, cell_equations, layers, row, step_equations, symbols, table
from symgru.explanation import Explanation
from symgru.network import Network
from symgru.tracing import LayerTrace, Step

MOST_LINES = 480  # lines of an unrolled network that are typeset


@singledispatch
def latex(content: object) -> str | None:
    """A content's equations, or None where it has none."""
    return None


@latex.register
def _network(network: Network) -> str:
    return "\n\n".join(aligned(pairs) for _, pairs in layers(network))


@latex.register
def _derivation(d: Derivation) -> str:
    """The recurrence, then every step as it is written."""
    writer = ProgramWriter(d.sections[0].stage.program, LATEX, d.timed)
    blocks = [aligned(cell_equations(d.cell, d.sizes, d.timed))]
    lines = 0
    for times, pairs in writer.blocks():
        for t in times:
            lines += len(pairs)
            if lines <= MOST_LINES:
                blocks.append(aligned([(at_time(lhs, t), at_time(rhs, t)) for lhs, rhs in pairs]))
    return "\n\n".join(blocks)


@latex.register
def _derivations(network: Derivations) -> str:
    return "\n\n".join(map(_derivation, network.parts))


@latex.register
def _explanation(e: Explanation) -> str:
    """The worked lines of each step; of more of them than anybody reads the equations alone."""
    if e.lines > MOST_LINES:
        return _network(e.network)
    writers = [LayerWriter(layer, LATEX.styled(e.style)) for layer in e.layers]
    steps = ([worked(w) for w in writer.lines(t)] for writer in writers for t in range(1, writer.layer.steps + 1))
    return "\n\n".join(_environment(formula_rows(lines)) for lines in steps if lines)


@latex.register
def _trace(trace: LayerTrace) -> str:
    heads = symbols(trace)
    rows = [
        [str(step.t), *map(row, step.arrays.values())] if step else [r"\dots"] * len(heads) for step in table(trace)
    ]
    body = " \\\\\n".join(" & ".join(cells) for cells in rows)
    head = f"{' & '.join(heads)} \\\\ \\hline"
    return f"$\\begin{{array}}{{r|{'r' * (len(heads) - 1)}}}\n{head}\n{body}\n\\end{{array}}$"


@latex.register
def _step(step: Step) -> str:
    return aligned(step_equations(step))


def aligned(pairs: Pairs) -> str:
    """Equations below each other, their equals signs too."""
    return _environment(formula_rows([(lhs, [rhs]) for lhs, rhs in pairs]))


def _environment(blocks: Iterable[list[str]]) -> str:
    rows = " \\\\\n".join(text for block in blocks for text in block)
    return f"$\\displaystyle\\begin{{aligned}}\n{rows}\n\\end{{aligned}}$"
