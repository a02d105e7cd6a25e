"""The page around a document: one file that asks for nothing, its style, its script, and what the script works with."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from symgru.backends.dialect import Dialect
from symgru.backends.html.live import Live, live
from symgru.backends.html.printer import HTML, html_text, text_of
from symgru.backends.html.typeset import Typesetter
from symgru.backends.html.worked import HtmlWriter
from symgru.backends.js.lines import TIME
from symgru.backends.js.page import engine
from symgru.backends.js.text import listed
from symgru.backends.latex.document import LATEX
from symgru.backends.svg import colour_variables
from symgru.backends.worked import equations
from symgru.building import build
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.drawing.colours import ALL, colours
from symgru.explanation import MOST_DECIMALS, Explanation
from symgru.lesson.extent import EVERYTHING, Extent
from symgru.lesson.outline import outline
from symgru.lesson.steps import FEW, NARROW
from symgru.mistakes import ALIKE
from symgru.network import Layer, Tensor
from symgru.templating import directory, render, stream

SCRIPTS = ("theme", "highlight")
DARK = """--paper: #14181d; --text: #e6e9ed; --soft: #a9b2bc; --line: #3a424c; --panel: #1c2128; --link: #7ab8f5;
--from: #7ab8f5; --to: #f2a65a; --bad: #ff9b9b; --mark: #ffe08a;"""
LIVE_SCRIPTS = ("sequences", "working", "lines", "fields", "pictures", "mistakes", "live", "link", "paste")


def render_explanation(e: Explanation, extent: Extent = EVERYTHING) -> Iterator[str]:
    """The worked example as a page, piece by piece. Small networks come with a calculator: every number is a field,
    and every common mistake a switch. Raises Unsupported where ziamath, which sets the formulas, is not installed."""
    writer = HtmlWriter(e.style)
    alive = live(e)
    if alive:
        own = alive.cells["cell1"]
        alive.data["equations"] = {
            name: changed_equations(alive.cells[name], own, e.layers[0].sizes, writer.worked)
            for name in _changed(alive)
        }
    pieces = writer.write(outline(e, extent), render("html/calculator.html.j2") if alive else "")
    title = f"{html_text(e.network.origin or e.network.name)}, worked out by hand"
    return page(title, pieces, writer.typeset, alive, writer.worked, e.network.fingerprint)


def _changed(alive: Live, *names: str) -> Iterator[str]:
    """The cells that mistakes make of those named, else of all."""
    for name in names or alive.data["mistakes"]:
        yield from (mistake["cell"] for mistake in alive.data["mistakes"][name] if "cell" in mistake)


def empty_page() -> Iterator[str]:
    """The page without a network: a calculator for weights that are pasted."""
    typesetter, alive = Typesetter(), Live(data={"mistakes": {}, "equations": {}, "colours": {}})
    sizes = {"H": 2, "D": 2}
    alive.cells |= {name: build(name, {}) for name in CELLS}
    for name, cell in dict(alive.cells).items():
        alive.data["equations"][name] = set_equations(cell, sizes, typesetter)
        alive.data["colours"][name] = {letter: c.name for letter, c in colours(cell).items()}
        if cell.states:
            alive.add_mistakes(name, _sample(name), known=False)
            for other in _changed(alive, name):
                alive.data["equations"][other] = changed_equations(alive.cells[other], cell, sizes, HTML)
    cells = [
        (name, html_text(f"{cell.title} ({cell.source.partition(';')[0]})", 120))
        for name, cell in CELLS.items()
        if cell.states
    ]
    body = render("html/empty.html.j2", cells=cells, calculator=render("html/calculator.html.j2"))
    return page("A GRU, worked out by hand", [body], typesetter, alive, HTML)


def _sample(name: str) -> Layer:
    """A layer of a cell whose numbers do not matter."""
    cell = build(name, {})
    weights = {p.name: Tensor.of(np.ones([2] * len(cell.dims[p]))) for p in cell.params}
    return Layer("layer", "layer", name, {}, weights)


def set_equations(cell: Cell, sizes: Mapping[str, int], typesetter: Typesetter) -> str:
    """A cell's equations in matrix form, set."""
    form = LATEX.matrix(LATEX.notation(cell, dict(sizes)))
    rows = "".join(
        f'<div class="equation"><span class="left">{typesetter.formula(left)}</span> '
        f"<span>{typesetter.formula('= ' + right)}</span></div>"
        for left, right in equations(cell, form)
    )
    return f'<div class="equations tied own">{rows}</div>'


def changed_equations(cell: Cell, own: Cell, sizes: Mapping[str, int], d: Dialect) -> str:
    """What is another equation than in a layer's own cell."""
    notation = replace(d.notation(cell, dict(sizes)), shapes=own.dims)
    form = d.matrix(notation) if max(sizes.values()) > 1 else d.unit(notation)
    rows = (
        f"{form.scalar(lhs)} = {form.scalar(rhs)}" for lhs, rhs in cell.equations if (lhs, rhs) not in own.equations
    )
    return "".join(f'<p class="maths">{row}</p>' for row in rows)


def page(
    title: str,
    pieces: Iterable[str],
    typesetter: Typesetter,
    alive: Live | None,
    dialect: Dialect,
    fingerprint: str = "",
    styles: Iterable[str] = (),
) -> Iterator[str]:
    """The whole file. The script is known by its hash, so that nothing else in the page can run. `styles` are style
    sheets beside that of every page."""
    code = script(alive, dialect)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    known = (alive.data if alive else {}) | {
        "live": alive is not None,
        "timeMark": TIME,
        "decimal": dialect.style.decimal,
        "separator": dialect.style.separator,
        "mostDecimals": MOST_DECIMALS,
        "alike": ALIKE,
        "fewInputs": FEW,
        "narrow": NARROW,
    }
    return stream(
        "html/page.html.j2",
        title=text_of(title).replace("<", "&lt;"),
        pieces=pieces,
        live=alive is not None,
        fingerprint=fingerprint,
        style=style() + "".join(map(_file, styles)),
        script=code,
        hash=f"sha256-{digest}",
        glyphs=typesetter.glyphs,
        data=lambda: listed(known),
    )


def script(alive: Live | None, dialect: Dialect) -> str:
    """Everything that runs, with nothing left in the page's own scope."""
    parts = [_file(f"{name}.js") for name in (*SCRIPTS, *(LIVE_SCRIPTS if alive else ()))]
    worked = engine(alive.cells, dialect) if alive else ""
    return "\n".join(['(() => {\n"use strict";\n', worked, *parts, _file("start.js"), "})();\n"])


def style() -> str:
    """The style sheet, with the gates' colours on light and dark."""
    dark = f"{DARK} {colour_variables(dark=True)}"
    rules = [
        f":root {{ {colour_variables()} }}",
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}',
        f':root[data-theme="dark"] {{ {dark} }}',
        *(f".c-{c.name} {{ --ink: var(--{c.name}-ink); --fill: var(--{c.name}-fill); }}" for c in ALL),
    ]
    return _file("page.css") + "\n".join(rules) + "\n"


def _file(name: str) -> str:
    return (directory() / "html" / name).read_text(encoding="utf-8")
