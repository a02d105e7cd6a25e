"""Fragments of a page that need nothing but themselves."""

from __future__ import annotations

from functools import singledispatch
from html import escape

from symgru.backends.html.typeset import Typesetter
from symgru.backends.text.printer import plain_text
from symgru.display.formulas import Pairs, layers, step_equations, table
from symgru.errors import Unsupported
from symgru.explanation import Explanation
from symgru.network import Network
from symgru.overview import overview
from symgru.tracing import LayerTrace, Step, shown

MOST_LINES = 160  # worked lines of a page within a page
FRAME = "box-sizing:border-box;width:100%;height:42em;border:1px solid #8888;border-radius:4px"


@singledispatch
def html(content: object) -> str | None:
    """A content as HTML, or None where a notebook had better show its Markdown."""
    return None


@html.register
def _network(network: Network) -> str:
    parts = [f"<p><b>{escape(plain_text(network.origin or network.name))}</b></p>"]
    for name, pairs in layers(network):
        parts += [f"<p><code>{escape(name)}</code></p>", typeset(pairs)]
    said = escape("\n".join(overview(network)))
    return "".join([*parts, f"<details><summary>shapes and weights</summary><pre>{said}</pre></details>"])


@html.register
def _explanation(e: Explanation) -> str | None:
    """The web page, which has a style and a script of its own, as a page within the page."""
    from symgru.backends.html import render_explanation

    if e.lines > MOST_LINES:
        return None
    try:
        page = "".join(render_explanation(e))
    except Unsupported:  # ziamath is not installed
        return None
    return f'<iframe sandbox="allow-scripts" title="worked example" style="{FRAME}" srcdoc="{escape(page)}"></iframe>'


@html.register
def _trace(trace: LayerTrace) -> str:
    names = ("t", *trace.symbols)
    heads = "".join(f'<th scope="col"><i>{escape(name)}</i></th>' for name in names)
    rows = [[str(step.t), *map(shown, step.arrays.values())] if step else ["…"] * len(names) for step in table(trace)]
    body = "".join(f"<tr>{''.join(f'<td>{word}</td>' for word in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


@html.register
def _step(step: Step) -> str:
    return typeset(step_equations(step))


def typeset(pairs: Pairs) -> str:
    """Formulas below each other: drawn where ziamath is installed, else left to the notebook's MathJax."""
    setter = Typesetter()
    formulas = [f"{lhs} = {rhs}" for lhs, rhs in pairs]
    try:
        rows = [setter.formula(formula) for formula in formulas]
    except Unsupported:
        rows = [f"${escape(formula)}$" for formula in formulas]
    lines = "".join(f'<div style="margin:.5em 1em">{formula}</div>' for formula in rows)
    hidden = f'<div style="position:absolute">{setter.glyphs()}</div>'
    return f'<div style="fill:currentColor">{hidden}{lines}</div>'
