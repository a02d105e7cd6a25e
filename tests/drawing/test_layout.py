"""Nothing overlaps: by an estimate of each text's width, and as a browser measures it."""

import json
import re
import subprocess

import pytest

from symgru.backends.svg import render_svg
from symgru.cells import CELLS
from symgru.drawing import blocks, graph, heat_map, over_time, unrolled, wiring
from symgru.drawing.shapes import Grid, Polyline, Text
from symgru.explanation import explain
from symgru.face import load
from symgru.styles import named, style
from tests.conftest import ROOT, need
from tests.drawing.pictures import Word, at_work, box, overlap, parsed, seed_at_work, words

PICTURES = {"wiring": wiring, "blocks": blocks, "unrolled": unrolled, "weights": heat_map, "time": over_time}
SIZES = [(1, 1), (1, 3), (1, 8), (2, 2), (3, 1), (4, 3), (8, 2), (16, 5), (32, 4), (64, 3)]
MEASURE = """
const found = [];
for (const svg of document.querySelectorAll('svg')) {
  const all = [...svg.querySelectorAll('text')].map(t => {
    const b = t.getBBox(), y = +t.getAttribute('y'), size = +t.getAttribute('font-size');
    return [b.x, y - 0.66 * size, b.x + b.width, y, t.textContent];
  });
  const view = svg.viewBox.baseVal;
  for (const [k, a] of all.entries()) {
    if (a[0] < -0.5 || a[2] > view.width + 0.5 || a[1] < -0.5 || a[3] > view.height)
      found.push(svg.dataset.name + ': ' + a[4] + ' is outside');
    for (const b of all.slice(k + 1))
      if (a[0] < b[2] - 0.2 && b[0] < a[2] - 0.2 && a[1] < b[3] && b[1] < a[3])
        found.push(svg.dataset.name + ': ' + a[4] + ' on ' + b[4]);
  }
}
document.body.textContent = 'RESULT' + JSON.stringify(found) + 'END';
"""


def drawings():
    """Every picture in every size, of other cells and under every style."""
    for units, features in SIZES:
        layer = at_work("gru", units, features, steps=12)
        for name, draw in PICTURES.items():
            yield f"gru {units} {features} {name}", draw(layer)
    for kind in CELLS:
        layer = at_work(kind, 2, 2)
        for name, draw in PICTURES.items():
            yield f"{kind} {name}", draw(layer)
    for notation in named():
        for units in (1, 2):
            layer = at_work("gru_before", units, 2)
            for name, draw in PICTURES.items():
                yield f"{notation} {units} {name}", draw(layer, style=style(notation))
    yield "seed", unrolled(seed_at_work())
    yield "brackets", graph(load(ROOT / "examples" / "brackets.keras").network)


@pytest.fixture(scope="module")
def every():
    return dict(drawings())


def test_valid_and_within_its_box(every):
    for name, drawing in every.items():
        root = parsed(render_svg(drawing))
        assert root.get("role") == "img", name
        assert root.get("viewBox") == f"0 0 {root.get('width')[:-2]} {root.get('height')[:-2]}"
        assert [child.tag.split("}")[1] for child in root[:2]] == ["title", "desc"]
        assert all(child.text for child in root[:2]), name
        for word in words(root):
            left, top, right, bottom = box(word)
            assert left >= -1 and right <= drawing.width + 1 and top >= -1 and bottom <= drawing.height, (name, word)


def test_no_text_on_another(every):
    for name, drawing in every.items():
        found = [(word, box(word)) for word in words(parsed(render_svg(drawing)))]
        for k, (word, a) in enumerate(found):
            for other, b in found[k + 1 :]:
                assert not overlap(a, b), (name, word, other)


def test_no_line_through_a_number(every):
    for name, drawing in every.items():
        if "weights" in name or "time" in name:  # rules and axes are lines of their own there
            continue
        lines = [shape for shape in drawing if isinstance(shape, Polyline)]
        for text in (s for s in drawing if isinstance(s, Text)):
            said = "".join(run.text for run in text.runs)
            if not re.search(r"\d\.\d", said):
                continue
            wide = 0.45 * sum(len(run.text) * text.size * (0.7 if run.script else 1) for run in text.runs)
            left, top, right, bottom = box(Word(text.x, text.y, text.size, text.anchor, said, wide))
            for line in lines:
                for x, y in points(line):
                    assert not (left < x < right and top < y < bottom), (name, said)


def points(line):
    for (x0, y0), (x1, y1) in zip(line.points, line.points[1:], strict=False):
        count = int(max(abs(x1 - x0), abs(y1 - y0)) * 2) + 1
        for k in range(count + 1):
            yield x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count


def test_as_a_browser_measures_it(every, tmp_path):
    chromium = need("chromium")
    body = "".join(render_svg(d).replace("<svg ", f'<svg data-name="{name}" ', 1) for name, d in every.items())
    page = tmp_path / "all.html"
    page.write_text(f'<meta charset="utf-8"><body>{body}<script>{MEASURE}</script>', encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    made = subprocess.run([chromium, *options, page.as_uri()], capture_output=True, text=True, timeout=240, check=True)
    (found,) = re.findall(r"RESULT(.*)END", made.stdout, re.DOTALL)
    assert json.loads(found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) == [], found


def test_no_gate_is_drawn_where_a_mask_keeps_the_state():
    model = load(ROOT / "examples" / "brackets.keras")
    layers = explain(model.network, model.read("[1,2,1,2,0,0]")[0]).layers
    backward = next(layer for layer in layers if layer.layer.id == "backward_gru")  # time reversed: padding first
    says = [word.text for word in words(parsed(render_svg(unrolled(backward))))]
    assert says.count("masked: kept") == 2
    assert not any(text.startswith(f"{gate}{t},1 =") for text in says for gate in "zrn" for t in (1, 2))
    assert any(text.startswith("z3,1 =") for text in says)
    drawn = over_time(backward)
    assert any("mask" in "".join(r.text for r in s.runs) for s in drawn if isinstance(s, Text))
    gates = [s for s in drawn if isinstance(s, Grid) and len(s.rows[0]) == 6][:3]
    assert all(row[:2] == (0, 0) and 0 not in row[2:] for grid in gates for row in grid.rows)
