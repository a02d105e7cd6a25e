"""Writes a drawing as SVG.

Colours are CSS variables with the light page's colour to fall back on, so that a page can switch them to the dark
ones (`colour_variables`); a file of its own needs no style sheet. Nothing has an id, since several drawings may stand
in one page.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from symgru.drawing.colours import ALL, INK
from symgru.drawing.measure import LOWERED, RAISED, SCRIPT
from symgru.drawing.shapes import (
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
    Shape,
    Text,
    back,
    head,
    number,
)

FONTS = "'Latin Modern Roman', 'STIX Two Text', 'Times New Roman', 'Liberation Serif', Times, serif"
_ALLOWED = {"\t", "\n", "\u2009"}  # beside what is printable: a thin space


def render_svg(drawing: Drawing) -> str:
    """The drawing as text: valid XML, in UTF-8, ending in a line break."""
    title, description = _text(drawing.title), _text(drawing.description)
    width, height = number(drawing.width), number(drawing.height)
    body = "\n".join(line for shape in drawing.shapes for line in _lines(shape))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" \
viewBox="0 0 {width} {height}" role="img" font-family="{FONTS}">
<title>{title}</title>
<desc>{description}</desc>
<rect width="{width}" height="{height}" fill="{_fill(INK)}" />
{body}
</svg>
"""


def colour_variables(dark: bool = False) -> str:
    """CSS declarations of every colour, for a page that switches: `:root {…} @media (prefers-color-scheme: dark) …`"""
    return "\n".join(
        f"--{c.name}-ink: {c.dark_ink if dark else c.ink}; --{c.name}-fill: {c.dark_fill if dark else c.fill};"
        for c in ALL
    )


def _text(untrusted: str) -> str:
    """Harmless text: no markup, and none of the characters that XML forbids or that turn the direction of writing."""
    return escape("".join(c if c.isprintable() or c in _ALLOWED else "�" for c in untrusted), {'"': "&quot;"})


def _ink(paint: Paint) -> str:
    return paint if isinstance(paint, str) else f"var(--{paint.name}-ink, {paint.ink})"


def _fill(paint: Paint | None) -> str:
    if paint is None:
        return "none"
    return paint if isinstance(paint, str) else f"var(--{paint.name}-fill, {paint.fill})"


def _lines(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Group):
        yield f'<g data-key="{_text(shape.key)}">' if shape.key else "<g>"
        for inner in shape.shapes:
            yield from _lines(inner)
        yield "</g>"
    elif isinstance(shape, Text):
        yield _written(shape)
    elif isinstance(shape, Polyline):
        yield from _polyline(shape)
    elif isinstance(shape, Curve):
        yield from _curve(shape)
    elif isinstance(shape, Box):
        yield (
            f'<rect x="{number(shape.x)}" y="{number(shape.y)}" width="{number(shape.width)}" '
            f'height="{number(shape.height)}"'
            + (f' rx="{number(shape.radius)}"' if shape.radius else "")
            + _surface(shape)
        )
    elif isinstance(shape, Disc):
        yield f'<circle cx="{number(shape.x)}" cy="{number(shape.y)}" r="{number(shape.radius)}"' + _surface(shape)
    else:
        yield from _grid(shape)


def _surface(shape: Box | Disc) -> str:
    outline = f' stroke="{_ink(shape.ink)}" stroke-width="{number(shape.line)}"' if shape.ink is not None else ""
    return f' fill="{_fill(shape.fill)}"{outline} />'


def _written(text: Text) -> str:
    x, y = number(text.x), number(text.y)
    anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    turned = f' transform="rotate(-90 {x} {y})"' if text.turned else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{text.size}" fill="{_ink(text.ink)}"{anchor}{turned}>'
        f"{''.join(_runs(text))}</text>"
    )


def _runs(text: Text) -> Iterator[str]:
    level = 0.0
    for run in text.runs:
        wanted = {-1: LOWERED, 0: 0.0, 1: -RAISED}[run.script] * text.size
        marks = _marks(run, text.size)
        if wanted != level:
            marks += f' dy="{number(wanted - level)}"'
        level = wanted
        yield f"<tspan{marks}>{_text(run.text)}</tspan>" if marks else _text(run.text)


def _marks(run: Run, size: float) -> str:
    return (
        (' font-style="italic"' if run.italic else "")
        + (' font-weight="bold"' if run.bold else "")
        + (f' font-size="{number(size * SCRIPT)}"' if run.script else "")
    )


def _stroke(shape: Polyline | Curve) -> str:
    dash = f' stroke-dasharray="{" ".join(map(number, shape.dash))}"' if shape.dash else ""
    return f' fill="none" stroke="{_ink(shape.ink)}" stroke-width="{number(shape.width)}"{dash} />'


def _point(p: Point) -> str:
    return f"{number(p[0])},{number(p[1])}"


def _polyline(shape: Polyline) -> Iterator[str]:
    *points, tip = shape.points
    end = back(points[-1], tip) if shape.arrow else tip
    yield f'<path d="M{" ".join(map(_point, [*points, end]))}"' + _stroke(shape)
    if shape.arrow:
        yield _head(points[-1], tip, shape.ink)


def _curve(shape: Curve) -> Iterator[str]:
    a, b = shape.control
    end = back(b, shape.end) if shape.arrow else shape.end
    yield f'<path d="M{_point(shape.start)} C{_point(a)} {_point(b)} {_point(end)}"' + _stroke(shape)
    if shape.arrow:
        yield _head(b, shape.end, shape.ink)


def _head(before: Point, tip: Point, ink: Paint) -> str:
    return f'<path d="M{" ".join(map(_point, head(before, tip)))}z" fill="{_ink(ink)}" />'


def _grid(grid: Grid) -> Iterator[str]:
    """One path for each colour, in units of a cell: a cell is a stroke of length and width 1."""
    w, h = (number(size, 4) for size in grid.cell)
    yield (
        f'<g transform="translate({number(grid.x)} {number(grid.y)}) scale({w} {h})" '
        'fill="none" stroke-width="1" shape-rendering="crispEdges">'
    )
    for colour, runs in grid.runs().items():
        yield f'<path stroke="{grid.palette[colour]}" d="{_strokes(runs)}" />'
    yield "</g>"


def _strokes(runs: list[tuple[int, int, int]]) -> str:
    """Each run from the end of the one before: short, since there may be thousands."""
    written, x, y = "", 0, 0
    for column, row, length in runs:
        written += f"m{column - x} {row - y}h{length}" if written else f"M{column} {row}.5h{length}"
        x, y = column + length, row
    return written
