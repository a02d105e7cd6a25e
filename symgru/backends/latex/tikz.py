r"""Writes a drawing as a tikzpicture.

A document that includes one needs TIKZ_PREAMBLE once: the packages tikz and xcolor, and the colours. Large grids are
written in pgf's system layer, one path for each colour: TikZ takes a millisecond for a rectangle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from math import floor

from symgru.backends.latex.printer import BREAK, latex_text
from symgru.drawing.colours import ALL
from symgru.drawing.shapes import (
    PAGE,
    Box,
    Curve,
    Disc,
    Drawing,
    Grid,
    Group,
    Paint,
    Point,
    Polyline,
    Run,
    Runs,
    Shape,
    Text,
    back,
    head,
    number,
)
from symgru.drawing.spelling import ACCENTS
from symgru.styles.symbols import NAMES

TIKZ_MACROS = "\n".join(
    [
        *(rf"\definecolor{{symgru-{c.name}}}{{HTML}}{{{c.ink[1:]}}}" for c in ALL),
        *(rf"\definecolor{{symgru-{c.name}-fill}}{{HTML}}{{{c.fill[1:]}}}" for c in ALL),
        r"\ifdefined\symgruX\else\newdimen\symgruX\newdimen\symgruY\fi  % the size of a grid's cell",
        r"% \symgrucell{column}{row}{how many cells in a row}",
        r"\makeatletter\providecommand\symgrucell[3]"
        r"{\pgfsys@rect{#1\symgruX}{-#2\symgruY}{#3\symgruX}{-\symgruY}}",
        r"\providecommand\symgrufill{\pgfsys@fill}\makeatother",
    ]
)
TIKZ_PREAMBLE = rf"\usepackage{{tikz}}{chr(10)}{TIKZ_MACROS}{chr(10)}"
_SIGNS = {  # what is mathematics even among words
    "\u2009": r"\,",
    "−": "$-$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "⊙": r"$\odot$",
    "σ": r"$\sigma$",
    "→": r"$\to$",
    "≥": r"$\ge$",
    "≤": r"$\le$",
    "…": r"\dots{}",
    "–": "--",
    "=": "$=$",
    "+": "$+$",
    "∘": r"$\circ$",
}
_MATHS = {sign: text.strip("$") for sign, text in _SIGNS.items()} | {"σ": r"\sigma ", "·": r"\cdot ", "⊙": r"\odot "}
_MATHS |= {"×": r"\times ", "…": r"\dots ", "<": "<", ">": ">", "(": "(", ")": ")", "′": "'", "∘": r"\circ ", "*": "*"}
_MATHS |= {letter: rf"\{name} " for letter, name in NAMES.items()}
_ACCENTS = {mark: name for name, mark in ACCENTS.items()}
TALL = 620.0  # a picture on a page, with room for a line below it
DESIGN = 10  # letters are made small by scaling these: TeX's own small ones are wider than a browser's
_LETTER = re.compile(f".[{''.join(ACCENTS.values())}]?", re.DOTALL)
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
_COLOUR = "symgrunumber"  # a colour that stands for a number, defined where it is used


def render_tikz(drawing: Drawing, fit: bool = True) -> str:
    """The drawing as a tikzpicture; needs TIKZ_PREAMBLE. It is as wide and high as the drawing says, but smaller where
    it has to `fit` a page and would not."""
    width, height = number(drawing.width), number(drawing.height)
    fits = min(1.0, PAGE / drawing.width, TALL / drawing.height)
    scaled = "" if fits == 1 or not fit else f",scale={floor(fits * 1000) / 1000},transform shape"
    lines = [line for shape in drawing for line in _lines(shape)]
    return "\n".join(
        [
            r"\begin{tikzpicture}[x=1pt,y=-1pt,line cap=round,line join=round,"
            rf"every node/.style={{inner sep=0pt,outer sep=0pt,font=\fontsize{{{DESIGN}}}{{12}}\selectfont}}{scaled}]",
            rf"\useasboundingbox (0,0) rectangle ({width},{height});",
            *lines,
            r"\end{tikzpicture}%",
            "",
        ]
    )


def render_fragment(drawing: Drawing) -> str:
    """The drawing with its colours, to be read by a document that has the package tikz."""
    macros = TIKZ_MACROS.replace("\n", "%\n")  # no line's end is a space
    return f"% needs \\usepackage{{tikz}}\n{macros}%\n{render_tikz(drawing)}"


def render_page(drawing: Drawing) -> str:
    """A document of one page, as large as the drawing."""
    size = f"paperwidth={number(drawing.width + 8)}pt,paperheight={number(drawing.height + 8)}pt,margin=4pt"
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage[T1]{fontenc}",
            r"\usepackage{lmodern}",
            rf"\usepackage[{size}]{{geometry}}",
            TIKZ_PREAMBLE,
            r"\pagestyle{empty}\parindent0pt\topskip0pt\lineskip0pt",
            r"\begin{document}",
            render_tikz(drawing, fit=False) + r"\end{document}",
            "",
        ]
    )


def _point(p: Point) -> str:
    return f"({number(p[0])},{number(p[1])})"


def _paint(paint: Paint, fill: bool = False) -> str:
    if isinstance(paint, str):
        return _COLOUR
    return f"symgru-{paint.name}-fill" if fill else f"symgru-{paint.name}"


def _defined(*paints: Paint | None) -> Iterator[str]:
    """The definition of a colour that has no name; a shape has at most one."""
    for paint in paints:
        if isinstance(paint, str):
            yield rf"\definecolor{{{_COLOUR}}}{{HTML}}{{{paint[1:]}}}"


def _lines(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Text):
        yield from _defined(shape.ink)
        options = [f"anchor={_ANCHORS[shape.anchor]}", f"scale={number(shape.size / DESIGN)}"]
        options.append(f"text={_paint(shape.ink)}")
        if shape.turned:
            options.append("rotate=90")
        yield rf"\node[{','.join(options)}] at {_point((shape.x, shape.y))} {{{_written(shape.runs)}}};"
    elif isinstance(shape, Polyline):
        yield rf"\draw[{_stroke(shape)}] {' -- '.join(map(_point, _shortened(shape)))};"
        if shape.arrow:
            yield _head(shape.points[-2], shape.points[-1], shape.ink)
    elif isinstance(shape, Curve):
        a, b = shape.control
        end = back(b, shape.end) if shape.arrow else shape.end
        controls = f".. controls {_point(a)} and {_point(b)} .."
        yield rf"\draw[{_stroke(shape)}] {_point(shape.start)} {controls} {_point(end)};"
        if shape.arrow:
            yield _head(b, shape.end, shape.ink)
    elif isinstance(shape, Box):
        yield from _defined(shape.ink, shape.fill)
        corner = _point((shape.x + shape.width, shape.y + shape.height))
        rounded = f",rounded corners={number(shape.radius)}pt" if shape.radius else ""
        yield rf"\path[{_surface(shape)}{rounded}] {_point((shape.x, shape.y))} rectangle {corner};"
    elif isinstance(shape, Disc):
        yield from _defined(shape.ink, shape.fill)
        yield rf"\path[{_surface(shape)}] {_point((shape.x, shape.y))} circle[radius={number(shape.radius)}pt];"
    elif isinstance(shape, Grid):
        yield from _grid(shape)
    elif isinstance(shape, Group):
        for inner in shape.shapes:
            yield from _lines(inner)


def _stroke(shape: Polyline | Curve) -> str:
    options = [_paint(shape.ink), f"line width={number(shape.width)}pt"]
    if shape.dash:
        on_off = " ".join(f"{'off' if k % 2 else 'on'} {number(d)}pt" for k, d in enumerate(shape.dash))
        options.append(f"dash pattern={on_off}")
    return ",".join(options)


def _surface(shape: Box | Disc) -> str:
    options = []
    if shape.fill is not None:
        options.append(f"fill={_paint(shape.fill, True)}")
    if shape.ink is not None:
        options += [f"draw={_paint(shape.ink)}", f"line width={number(shape.line)}pt"]
    return ",".join(options)


def _shortened(shape: Polyline) -> list[Point]:
    *points, tip = shape.points
    return [*points, back(points[-1], tip) if shape.arrow else tip]


def _head(before: Point, tip: Point, ink: Paint) -> str:
    return rf"\fill[{_paint(ink)}] {' -- '.join(map(_point, head(before, tip)))} -- cycle;"


def _written(runs: Runs) -> str:
    return "".join(
        _stretch(maths, list(part)) for maths, part in groupby(runs, key=lambda r: r.italic or r.script != 0)
    )


def _stretch(maths: bool, runs: list[Run]) -> str:
    if not maths:
        return "".join(rf"\textbf{{{_words(run.text)}}}" if run.bold else _words(run.text) for run in runs)
    written = ""
    for script, part in groupby(runs, key=lambda r: r.script):
        inner = "".join(_maths(run) for run in part)
        written += {0: inner, -1: f"_{{{inner}}}", 1: f"^{{{inner}}}"}[script]
    return f"${written}$" if runs[0].script == 0 else f"${{}}{written}$"


def _maths(run: Run) -> str:
    """Letters in italics, or upright; signs as TeX has them."""
    text = "".join(map(_letter, _LETTER.findall(run.text)))
    if run.script and not run.italic:
        text = text.replace(" ", r"\ ")
    return text if run.italic or not any(c.isalpha() for c in run.text) else rf"\mathrm{{{text}}}"


def _letter(c: str) -> str:
    """One letter or sign, with the accent that follows it."""
    plain = _MATHS.get(c[0]) or latex_text(c[0])
    return rf"\{_ACCENTS[c[1]]}{{{plain.strip()}}}" if len(c) > 1 else plain


def _words(text: str) -> str:
    return "".join(_SIGNS.get(c) or latex_text(c).replace(BREAK, "") for c in text)


def _grid(grid: Grid) -> Iterator[str]:
    w, h = (f"{size:.4f}" for size in grid.cell)
    yield rf"\begin{{scope}}[shift={{{_point((grid.x, grid.y))}}}]\pgflowlevelsynccm"
    yield rf"\symgruX={w}pt\relax\symgruY={h}pt\relax"
    for colour, runs in grid.runs().items():
        yield rf"\definecolor{{{_COLOUR}}}{{HTML}}{{{grid.palette[colour][1:]}}}\pgfsetfillcolor{{{_COLOUR}}}"
        yield from (rf"\symgrucell{{{x}}}{{{y}}}{{{length}}}" for x, y, length in runs)
        yield r"\symgrufill"
    yield r"\end{scope}"
