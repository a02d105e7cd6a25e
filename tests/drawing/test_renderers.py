"""The renderers: names from files are harmless, the bytes are stable, LaTeX takes what is written."""

import hashlib
import os
import re
import subprocess
import sys

import pytest

from symgru.backends.latex.tikz import TIKZ_PREAMBLE, render_fragment, render_page, render_tikz
from symgru.backends.svg import colour_variables, render_svg
from symgru.drawing import blocks, graph, heat_map, over_time, unrolled, wiring
from symgru.drawing.shapes import PAGE, Drawing, Grid, Run, Text
from symgru.face import load
from symgru.styles import named, style
from tests.conftest import ROOT, need
from tests.drawing.pictures import at_work, parsed, words

HOSTILE = (
    "</text><script>alert(1)</script>",
    '" onload="alert(1)',
    "]]>&<!--",
    r"\input{/etc/passwd}\end{tikzpicture}$^_#%~",
    "\x00\x1b[31m\u202e\ud800 end",
    "&lt;\n\tδ→文",
)


def hostile_drawing():
    shapes = tuple(Text(10, 20 * k + 20, (Run(name), Run(name, True, -1))) for k, name in enumerate(HOSTILE))
    return Drawing(400, 140, HOSTILE[0], HOSTILE[1] + HOSTILE[2], shapes)


def test_names_are_only_text_in_svg():
    svg = render_svg(hostile_drawing())
    svg.encode()
    root = parsed(svg)
    assert {e.tag.split("}")[1] for e in root.iter()} == {"svg", "title", "desc", "rect", "text", "tspan"}
    known = {"x", "y", "font-size", "fill", "font-style", "dy", "text-anchor", "width", "height", "viewBox", "role"}
    assert {name for e in root.iter() for name in e.attrib} <= known | {"font-family"}
    assert words(root)[0].text == HOSTILE[0] * 2
    assert not any(c in svg for c in "\x00\x1b\u202e")


def test_bytes_do_not_change(tmp_path):
    """Neither from call to call nor from process to process."""
    code = (
        "import hashlib; from tests.drawing.test_renderers import everything; "
        "print(hashlib.sha256(everything().encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
            text=True, check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {hashlib.sha256(everything().encode()).hexdigest()}


def everything():
    made = []
    for kind, units in (("gru", 1), ("gru", 2), ("mgu", 9)):
        layer = at_work(kind, units, 2)
        made += [wiring(layer), blocks(layer), unrolled(layer), heat_map(layer), over_time(layer)]
    made.append(graph(load(ROOT / "examples" / "brackets.keras").network))
    return "".join(render_svg(d) + render_tikz(d) for d in made)


def test_colours_can_be_switched():
    svg, light, dark = render_svg(wiring(at_work("gru", 2, 2))), colour_variables(), colour_variables(dark=True)
    used = dict(re.findall(r"var\((--[\w-]+), (#[0-9A-F]{6})\)", svg))
    assert used and all(f"{name}: {colour};" in light and f"{name}: " in dark for name, colour in used.items())


def test_numbers_are_rounded():
    numbers = re.findall(r"\d\.(\d+)", re.sub(r">[^<]*<", "", render_svg(over_time(at_work("gru", 3, 2, steps=30)))))
    assert max(map(len, numbers)) <= 2


def test_a_large_grid_is_short():
    svg, tex = (
        render_svg(heat_map(at_work("gru", 64, 64, steps=1))),
        render_tikz(heat_map(at_work("gru", 64, 64, steps=1))),
    )
    assert len(svg) < 250_000 and len(tex) < 800_000  # 25,000 weights


def test_runs_of_one_colour_are_one_rectangle():
    grid = Grid(0, 0, (1, 1), ((0, 0, 1), (1, 0, 0)), ("#000000", "#FFFFFF"))
    assert grid.runs() == {0: [(0, 0, 2), (1, 1, 2)], 1: [(2, 0, 1), (0, 1, 1)]}


def compiled(folder, text):
    """The log of pdflatex."""
    pdflatex = need("pdflatex")
    (folder / "t.tex").write_text(text, encoding="utf-8")
    options = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    ended = subprocess.run([pdflatex, *options, "t.tex"], cwd=folder, capture_output=True, timeout=300, check=False)
    log = (folder / "t.log").read_text("utf-8", "replace")
    assert ended.returncode == 0, log[-2000:]
    return log


def document(*pictures):
    body = "\n\n".join(rf"\noindent\setbox0\hbox{{{render_tikz(p)}}}\typeout{{WIDE \the\wd0}}\box0" for p in pictures)
    return (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{lmodern}"
        f"\\usepackage[textwidth={PAGE}pt,textheight=650pt]{{geometry}}\n"
        f"{TIKZ_PREAMBLE}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )


@pytest.mark.parametrize("units", [1, 2, 3, 4, 8, 16, 32, 64])
def test_latex_has_no_overfull_boxes(units, tmp_path):
    layer = at_work("gru", units, 3, steps=10)
    log = compiled(tmp_path, document(*(draw(layer) for draw in (wiring, blocks, unrolled, heat_map, over_time))))
    assert "Overfull" not in log and "Missing character" not in log
    assert max(map(float, re.findall(r"WIDE ([\d.]+)pt", log))) <= PAGE + 0.1


def test_latex_of_styles_graphs_and_hostile_names(tmp_path):
    layer = at_work("gru_before", 2, 2)
    styled = [draw(layer, style=style(name)) for name in named() for draw in (wiring, blocks, unrolled)]
    graphs = [graph(load(ROOT / "examples" / f"{name}.keras").network) for name in ("brackets", "sunspots")]
    log = compiled(tmp_path, document(*styled, *graphs, hostile_drawing()))
    assert "Overfull" not in log and "Missing character" not in log


def test_a_page_of_its_own(tmp_path):
    drawing = wiring(at_work("gru", 2, 2))
    assert "Overfull" not in compiled(tmp_path, render_page(drawing))
    said = subprocess.run([need("pdfinfo"), "t.pdf"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert re.search(r"Pages: +1\n", said)
    wide = float(re.search(r"Page size: +([\d.]+)", said)[1])
    assert wide == pytest.approx((drawing.width + 8) * 72 / 72.27, abs=0.5)


def test_two_fragments_in_a_document_of_ones_own(tmp_path):
    fragment = render_fragment(heat_map(at_work("gru", 2, 2)))
    text = rf"\documentclass{{article}}\usepackage{{tikz}}\begin{{document}}{fragment}{fragment}\end{{document}}"
    compiled(tmp_path, text)
