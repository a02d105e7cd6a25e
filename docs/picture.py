"""Draws docs/seed.svg, the seed's one node at its four time steps: python docs/picture.py"""

from __future__ import annotations

from pathlib import Path

from symgru.explanation import explain
from symgru.face import load

HERE = Path(__file__).parent
WIDTH, HEIGHT, LEFT, STEP = 860, 236, 96, 184
INK, FAINT = "#1f2933", "#7b8794"
GATES = {"z": "#3b6ea8", "r": "#b4542d", "n": "#3c7d3f"}


def draw() -> str:
    """The SVG: x goes in from below, the state comes from the left, and the weights are the same in every box."""
    model = load(HERE.parent / "examples" / "seed.json")
    example = explain(model.network, model.read("1,2,9,8")[0], 6)
    trace, rounded = example.layers[0].trace, example.promise
    values = {
        name: [rounded.text(rounded(v)).replace("-", "−") for v in column.ravel()]
        for name, column in trace.columns.items()
    }
    inputs = list(example.x.text.ravel())
    parts = [_text(LEFT - 68, 96, "h", "0", " = 0")]
    for t, x in enumerate(inputs, start=1):
        parts += _box(t, x, values)
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" \
font-family="Helvetica, Arial, sans-serif" font-size="13" role="img" \
aria-label="One GRU unit at four time steps with the value of every gate">
<style>text {{ fill: {INK} }} .faint {{ fill: {FAINT} }} path {{ stroke: {INK}; fill: none }}</style>
<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff" />
<defs><marker id="tip" markerWidth="7" markerHeight="7" refX="6" refY="3" orient="auto">\
<path d="M0,0 L6,3 L0,6" /></marker></defs>
{body}
<text x="{LEFT}" y="{HEIGHT - 10}" class="faint">One node with the same weights, four times. Each step takes one input \
and the state that the step before left.</text>
</svg>
"""


def _box(t: int, x: str, values: dict[str, list[str]]) -> list[str]:
    left = LEFT + (t - 1) * STEP
    parts = [
        f'<rect x="{left}" y="40" width="118" height="104" rx="8" fill="#f5f7fa" stroke="{FAINT}" />',
        f'<text x="{left + 59}" y="30" text-anchor="middle" class="faint">step {t}</text>',
    ]
    for row, (gate, colour) in enumerate(GATES.items()):
        y = 68 + 30 * row
        parts.append(_text(left + 12, y, gate, str(t), f" = {values[gate][t - 1]}", colour))
    parts.append(f'<path d="M{left - 34},92 H{left - 2}" marker-end="url(#tip)" />')
    parts.append(f'<path d="M{left + 59},180 V148" marker-end="url(#tip)" />')
    parts.append(_text(left + 40, 197, "x", str(t), f" = {x}"))
    parts.append(f'<path d="M{left + 118},92 H{left + 150}" />')
    parts.append(_text(left + 128, 62, "h", str(t), ""))
    parts.append(f'<text x="{left + 122}" y="80" font-size="11">{values["h1"][t - 1]}</text>')
    return parts


def _text(x: int, y: int, symbol: str, index: str, rest: str, colour: str = "") -> str:
    style = f' style="fill:{colour}"' if colour else ""
    return (
        f'<text x="{x}" y="{y}"{style}><tspan font-style="italic">{symbol}</tspan>'
        f'<tspan dy="4" font-size="10">{index}</tspan><tspan dy="-4" dx="3">{rest.strip()}</tspan></text>'
    )


if __name__ == "__main__":
    (HERE / "seed.svg").write_text(draw(), encoding="utf-8")
