"""The LaTeX compiles, nothing runs off the page, and names from files stay names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from symgru.backends import latex, markdown, text
from symgru.backends.latex.document import ROOM
from symgru.backends.latex.printer import latex_text, width
from symgru.backends.latex.table import points, table
from symgru.backends.markdown.document import markdown_text
from symgru.backends.text.printer import plain_text
from symgru.derivation import derive
from symgru.explanation import explain
from symgru.lesson.extent import Extent
from symgru.network import Layer, chain
from tests.conftest import need
from tests.documents.conftest import documents, network, sequence

NASTY = "\\input{/etc/passwd} $x$ #1 100% ~^_&{}<script>`|\x1b[31m\x07\u202e„é€-- ``quotes'' \"\n\n"


def compile_latex(source: str, folder: Path) -> str:
    """The log of a single run."""
    pdflatex = need("pdflatex")
    (folder / "d.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "d.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return (folder / "d.log").read_text(errors="replace")


def overfull(log: str) -> list[str]:
    """What sticks out by more than a point."""
    return [
        m[0]
        for m in re.finditer(r"^Overfull \\[hv]box \((\d+\.\d+)pt too (?:wide|high).*$", log, re.MULTILINE)
        if float(m[1]) > 1
    ]


WORKED = {
    "one unit": ([("gru", 1, {})], 1, 4, 6),
    "two units": ([("gru", 2, {})], 2, 3, 4),
    "eight units, many features": ([("gru", 8, {}), ("dense", 3, {"activation": "softmax"})], 20, 2, 6),
    "softmax and gelu": ([("gru", 8, {"activation": "softmax", "recurrent_activation": "gelu"})], 1, 2, 4),
    "branches": ([("gru_before", 3, {"activation": "elu", "recurrent_activation": "hard_sigmoid"})], 3, 2, 6),
    "another cell": ([("mgu", 2, {})], 2, 2, 4),
    "long": ([("gru", 1, {"return_sequences": True}), ("gru", 2, {"activation": "mish"})], 1, 50, 4),
    "wide head": ([("gru", 2, {}), ("dense", 12, {"activation": "softplus"})], 2, 1, 4),
    "12 features": ([("gru", 1, {})], 12, 2, 4),
    "40 features": ([("gru", 1, {"activation": "selu"})], 40, 2, 6),
    "12 inputs to one unit": ([("gru", 12, {}), ("dense", 1, {})], 1, 1, 4),
    "16 inputs to one unit": ([("gru", 16, {}), ("dense", 1, {"activation": "exponential"})], 1, 1, 4),
    "40 inputs to one unit": ([("dense", 1, {})], 40, 1, 4),
    "40 units": ([("gru", 40, {})], 1, 1, 4),
    "100 steps": ([("dense", 1, {"activation": "softplus"})], 12, 100, 4),
}


@pytest.mark.parametrize("name", WORKED)
def test_worked_example_compiles(name: str, tmp_path: Path) -> None:
    layers, features, steps, digits = WORKED[name]
    e = explain(network(1, layers, features), sequence(1, steps, features), digits)
    log = compile_latex("".join(latex.render_explanation(e)), tmp_path)
    assert overfull(log) == []


@pytest.mark.parametrize(
    ("cell", "units", "features", "options"),
    [
        ("gru", 1, 1, {}),
        ("gru", 3, 8, {}),
        ("gru_before", 8, 8, {}),
        ("gru", 2, 30, {"activation": "softmax"}),
        ("gru", 2, 2, {"activation": "softmax"}),
        ("gru", 9, 1, {"activation": "softmax", "use_bias": False}),
        ("dense", 2, 2, {"activation": "leaky_relu"}),
        ("gru", 12, 12, {"activation": "gelu", "use_bias": False}),
        ("dense", 1, 12, {}),
        ("dense", 1, 16, {}),
        ("dense", 1, 40, {}),
        ("gru", 1, 12, {}),
        ("gru", 1, 40, {}),
    ],
)
def test_derivation_compiles(cell: str, units: int, features: int, options: dict, tmp_path: Path) -> None:
    log = compile_latex("".join(latex.render_derivation(derive(cell, units, features, 3, options))), tmp_path)
    assert overfull(log) == []


def test_later_steps_have_room_too() -> None:
    """A step's lines are laid out once, and the number of the step grows."""
    last = "".join(latex.render_derivation(derive("gru", 1, 12, 12345))).rpartition("$t = 12345$")[2]
    rows = last.partition("\\begin{align*}\n")[2].partition("\\end{align*}")[0].splitlines()
    widths = [width(re.sub(r"^.*&|\\qquad \{\}|\\\\\*?$", "", row)) for row in rows]
    assert 350 < max(widths) < ROOM


def test_widths_are_those_of_tex(tmp_path: Path) -> None:
    """Estimated a little too wide rather than too narrow."""
    rows = set()
    for layers in (
        [("gru", 2, {"activation": "mish"})],
        [("gru_before", 12, {"recurrent_activation": "hard_sigmoid"})],
        [("dense", 2, {"activation": "selu"})],
    ):
        document = "".join(latex.render_explanation(explain(network(3, layers, 11), sequence(3, 1, 11))))
        for block in re.findall(r"\\begin\{(?:align|gather)\*\}\n(.*?)\n\\end\{", document, re.DOTALL):
            made = re.split(r" \\\\\*?(?:\[3pt\])?\n", block)
            rows |= {row if "cases" in row else re.sub("^.*?&", "", row) for row in made}
    formulas = sorted({row.removeprefix("= ").removeprefix(r"\qquad {}+ ") for row in rows})
    measured = "".join(rf"\setbox0\hbox{{$\displaystyle {f}$}}\typeout{{WIDTH \the\wd0}}" + "\n" for f in formulas)
    head = "".join(latex.render_derivation(derive())).partition("{\\LARGE")[0]
    log = compile_latex(head + measured + r"\end{document}", tmp_path)
    true = [float(pt) for pt in re.findall(r"^WIDTH ([\d.]+)pt", log, re.MULTILINE)]
    assert len(true) == len(formulas) > 100
    for formula, pt in zip(formulas, true, strict=True):
        assert pt - 1 < width(formula) < 1.3 * pt + 12, formula


def test_tables_need_no_second_run() -> None:
    """Short ones are never broken; LaTeX sets long ones in pieces, which only fixed widths keep aligned."""
    layers = [("gru", 2, {"return_sequences": True})]
    short = "".join(latex.render_explanation(explain(network(1, layers, 30), sequence(1, 15, 30))))
    assert "\\begin{longtable}" not in short
    assert "\\begin{longtable}" not in "".join(latex.render_derivation(derive("gru", 2, 40)))
    long = "".join(latex.render_explanation(explain(network(1, layers, 31), sequence(1, 16, 31)), Extent("full")))
    columns = re.findall(r"\\begin\{longtable\}\{@\{\}(.*)@\{\}\}", long)
    assert len(columns) == 2
    assert all(re.fullmatch(r"(p\{\d+\.\dpt\})+", c) for c in columns)


def test_columns_of_long_tables_are_as_wide_as_their_cells() -> None:
    rows = [[f"$j = {k}$", "$-0.25$", rf"$1.5\cdot 10^{{-{k}}}$"] for k in range(1, 50)]
    made = table(["", "$W_{j}$", "number"], rows, 1, ["", "gate0", ""])
    first, second, third = (float(w) for w in re.findall(r"p\{([\d.]+)pt\}", made))
    assert first >= points("$j = 49$") > points("$j = 4$")
    assert second >= points("$-0.25$")
    assert third >= points(r"$1.5\cdot 10^{-49}$") > second
    assert made.count(r"\hfill \textcolor{gate0}{$-0.25$}") == 49


def test_names_from_files_are_only_names(tmp_path: Path) -> None:
    made = network(2, [("gru", 1, {}), ("dense", 1, {})], 1)
    layers = [Layer(v.id, NASTY, v.kind, v.options, v.weights, (NASTY,)) for v in made.layers.values()]
    e = explain(chain(layers, dtype="float32", features=1, origin=NASTY), sequence(2, 1, 1))
    for document in documents(e).values():
        assert "\x1b" not in document and "\x07" not in document and "\u202e" not in document
    assert overfull(compile_latex("".join(latex.render_explanation(e)), tmp_path)) == []
    assert "<script>" not in markdown.render_explanation(e)
    assert "".join(text.render_explanation(e, ascii=True)).isascii()


def test_escapes() -> None:
    assert latex_text("a_b%") == r"a\_b\%"
    assert latex_text("\\") == r"\textbackslash{}"
    assert latex_text("é€") == r"é\textless U+20AC\textgreater{}"
    assert plain_text("a\x1b[2J\n") == "a?[2J?"
    assert markdown_text("<b>[x](y)") == r"\<b\>\[x\]\(y\)"
