"""The LaTeX compiles, nothing runs off the page, and names from files stay names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from symgru.backends import latex, markdown, text
from symgru.backends.latex.printer import latex_text
from symgru.backends.text.printer import plain_text
from symgru.derivation import derive
from symgru.explanation import explain
from symgru.network import Layer, chain
from tests.conftest import need
from tests.documents.conftest import documents, network, sequence

NASTY = "\\input{/etc/passwd} $x$ #1 100% ~^_&{}<script>`|\x1b[31m\x07\u202e„é€-- ``quotes'' \"\n\n"


def compile_latex(source: str, folder: Path) -> str:
    """The log of the second run."""
    pdflatex = need("pdflatex")
    (folder / "d.tex").write_text(source, encoding="utf-8")
    for _ in range(2):
        done = subprocess.run([pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "d.tex"],
                              cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    return (folder / "d.log").read_text(errors="replace")


def overfull(log: str) -> list[str]:
    """What sticks out by more than a point."""
    return [m[0] for m in re.finditer(r"^Overfull \\[hv]box \((\d+\.\d+)pt too (?:wide|high).*$", log, re.MULTILINE)
            if float(m[1]) > 1]


WORKED = {
    "one unit": ([("gru", 1, {})], 1, 4, 6),
    "two units": ([("gru", 2, {})], 2, 3, 4),
    "eight units, many features": ([("gru", 8, {}), ("dense", 3, {"activation": "softmax"})], 20, 2, 6),
    "softmax and gelu": ([("gru", 8, {"activation": "softmax", "recurrent_activation": "gelu"})], 1, 2, 4),
    "branches": ([("gru_before", 3, {"activation": "elu", "recurrent_activation": "hard_sigmoid"})], 3, 2, 6),
    "another cell": ([("mgu", 2, {})], 2, 2, 4),
    "long": ([("gru", 1, {"return_sequences": True}), ("gru", 2, {"activation": "mish"})], 1, 50, 4),
    "wide head": ([("gru", 2, {}), ("dense", 12, {"activation": "softplus"})], 2, 1, 4),
}


@pytest.mark.parametrize("name", WORKED)
def test_worked_example_compiles(name: str, tmp_path: Path) -> None:
    layers, features, steps, digits = WORKED[name]
    e = explain(network(1, layers, features), sequence(1, steps, features), digits)
    log = compile_latex(latex.render_explanation(e), tmp_path)
    assert overfull(log) == []


@pytest.mark.parametrize(("cell", "units", "features", "options"), [
    ("gru", 1, 1, {}), ("gru", 3, 8, {}), ("gru_before", 8, 8, {}), ("gru", 2, 30, {"activation": "softmax"}),
    ("dense", 2, 2, {"activation": "leaky_relu"}), ("gru", 12, 12, {"activation": "gelu", "use_bias": False}),
])
def test_derivation_compiles(cell: str, units: int, features: int, options: dict, tmp_path: Path) -> None:
    log = compile_latex("".join(latex.render_derivation(derive(cell, units, features, 3, options))), tmp_path)
    assert overfull(log) == []


def test_names_from_files_are_only_names(tmp_path: Path) -> None:
    made = network(2, [("gru", 1, {}), ("dense", 1, {})], 1)
    layers = [Layer(v.id, NASTY, v.kind, v.options, v.weights, (NASTY,)) for v in made.layers.values()]
    e = explain(chain(layers, dtype="float32", features=1, origin=NASTY), sequence(2, 1, 1))
    for document in documents(e).values():
        assert "\x1b" not in document and "\x07" not in document and "\u202e" not in document
    assert overfull(compile_latex(latex.render_explanation(e), tmp_path)) == []
    assert "<script>" not in markdown.render_explanation(e)
    assert "".join(text.render_explanation(e, ascii=True)).isascii()


def test_escapes() -> None:
    assert latex_text("a_b%") == r"a\_b\%"
    assert latex_text("\\") == r"\textbackslash{}"
    assert latex_text("é€") == r"é\textless U+20AC\textgreater{}"
    assert plain_text("a\x1b[2J\n") == "a?[2J?"
    assert markdown.markdown_text("<b>[x](y)") == r"\<b\>\[x\]\(y\)"
