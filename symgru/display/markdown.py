"""Tables, and equations in $$ blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from symgru.backends.markdown.document import markdown_text
from symgru.backends.markdown.document import table as pipe_table
from symgru.display.formulas import Pairs, layers, step_equations, symbols, table
from symgru.network import Network
from symgru.overview import overview
from symgru.tracing import LayerTrace, Step, shown


@singledispatch
def markdown(content: object) -> str | None:
    """A content as Markdown, or None for what is a document and has its own."""
    return None


@markdown.register
def _network(network: Network) -> str:
    parts = [f"**{markdown_text(network.origin or network.name)}**"]
    for name, pairs in layers(network):
        parts += [f"`{name}`", *_blocks(pairs)]
    said = "\n".join(f"    {line}" for line in overview(network))  # indented: a name cannot end the block
    return "\n\n".join([*parts, said]) + "\n"


@markdown.register
def _trace(trace: LayerTrace) -> str:
    heads = [f"${head}$" for head in symbols(trace)]
    rows = [[str(step.t), *map(shown, step.arrays.values())] if step else ["…"] * len(heads) for step in table(trace)]
    return pipe_table(heads, rows) + "\n"


@markdown.register
def _step(step: Step) -> str:
    return "\n\n".join(_blocks(step_equations(step))) + "\n"


def _blocks(pairs: Pairs) -> Iterator[str]:
    return (f"$$\n{lhs} = {rhs}\n$$" for lhs, rhs in pairs)
