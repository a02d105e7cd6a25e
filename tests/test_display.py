"""Traces, and what a notebook shows of networks, documents, traces and steps."""

import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

import symgru
from symgru.backends.model import units_of
from symgru.errors import UnusableInput
from symgru.face import Model
from tests import oracle
from tests.conftest import ROOT, SEED, need, need_package, random_input, random_network

TRUTH = """
1 0.2870936963 0.7393364308 -0.0440205524 -0.0313825293
2 0.1386357464 0.8866388778 -0.0980038037 -0.0887677136
9 0.0002725744 0.9999088559 -0.4045241843 -0.4044381171
8 0.0006269111 0.9996568296 -0.4628319878 -0.4627953800
"""  # x, z, r, n, h in fifty digits from the decimals of the question, rounded
HOSTILE = "</pre><script>alert(1)</script>\n```\n$x$ [a](javascript:b)"


@pytest.fixture(scope="module")
def net():
    return symgru.load(SEED)


@pytest.fixture(scope="module")
def trace(net):
    return net.trace([1, 2, 9, 8])


def test_every_gate_at_every_step(trace):
    right = np.array([line.split() for line in TRUTH.split("\n") if line], dtype=float).T
    assert trace.symbols == ("x", "z", "r", "n", "h")
    for name, column in zip(trace.symbols, right, strict=True):
        assert trace[name].shape == (4, 1)
        assert trace[name].dtype == np.float64
        assert np.abs(trace[name][:, 0] - column).max() < 3e-8  # the stored weights are not the decimals
        assert getattr(trace, name) is trace[name]


def test_steps(trace):
    assert len(trace) == len(list(trace)) == 4
    last = trace[-1]
    assert (last.t, last.z.shape) == (4, (1,))
    assert last.before == trace.h[2]
    assert trace[0].before == trace.start == 0
    assert [step.t for step in trace[1:3]] == [2, 3]
    assert repr(last) == "<step 4: x = 8, z = 0.000626911, r = 0.999657, n = -0.462832, h = -0.462795>"
    assert str(trace[0]).split("\n")[2] == "  z = 0.287094"
    assert "h = -0.462795" in str(trace)
    assert repr(trace) == "<trace of gru: 4 steps, 1 unit; x, z, r, n, h>"
    assert {"z", "h"} <= set(dir(trace))
    with pytest.raises(IndexError):
        trace[4]


def test_a_layer_of_a_stack():
    made = random_network([("gru", 3, {"return_sequences": True}), ("gru", 2, {}), ("dense", 1, {})], 2)
    model, x = Model(made), random_input(made, 5)
    units = units_of(made)
    layers = [
        (u.layer.kind, u.layer.options, [np.array(a, float).astype(np.float32) for a in u.arrays.values()])
        for u in units.values()
    ]
    first = model.trace(x.value)
    assert first.layer == "gru_1"
    assert first.h.shape == (5, 3)
    assert np.abs(first.h - oracle.run(layers[:1], x.value)[0]).max() < 1e-14
    second = model.trace(x.value, layer="gru_2")
    assert np.array_equal(second.x, first.h)
    assert np.abs(second.h[-1] - oracle.run(layers[:2], x.value)[0]).max() < 1e-14
    head = model.trace(x.value, layer="dense_3")
    assert head.start is None and len(head) == 1
    assert np.abs(head.y[0] - oracle.run(layers, x.value)[0]).max() < 1e-14
    with pytest.raises(UnusableInput, match="no layer with equations is called 'nowhere'; there are gru_1, gru_2, "):
        model.trace(x.value, layer="nowhere")


def test_what_a_trace_refuses(net, trace):
    with pytest.raises(UnusableInput, match=r"x holds 2 sequences; .* x\[0:1\]"):
        net.trace(np.ones((2, 3, 1)))
    with pytest.raises(AttributeError, match="no symbol is called 'f'; there are x, z, r, n, h"):
        trace.f  # noqa: B018
    with pytest.raises(KeyError, match="no symbol is called 'f'"):
        trace["f"]
    with pytest.raises(KeyError, match="no symbol is called 'f'"):
        trace[0]["f"]


def test_a_mask_keeps_the_state():
    trace = symgru.load(SEED.parent / "brackets.keras").trace([1, 2, 0, 1])
    assert np.array_equal(trace.h[2], trace.h[1])
    assert not np.array_equal(trace.h[3], trace.h[2])


def test_latex_is_what_mathjax_knows(net, trace):
    environments = {"aligned", "array", "cases", "matrix", "bmatrix"}
    for shown in (net, trace, trace[1], net.explain([1, 2]), net.derive(2), symgru.derive(units=2, steps=1)):
        text = shown._repr_latex_()
        assert set(re.findall(r"\\begin\{(.*?)\}", text)) <= environments
        assert not re.search(r"\\symgru|\\needroom|\\text(tt|bf)|\\def|\\color", text)
        assert text.count("$") % 2 == 0


def test_latex_compiles(net, trace, tmp_path):
    need("pdflatex")
    from symgru.backends.pdf.engine import require_engine, typeset

    shown = [net, trace, trace[1], net.explain([1, 2]), net.derive(2), symgru.derive(units=2, steps=1)]
    body = "\n\n".join(each._repr_latex_() for each in shown)
    page = r"\documentclass{article}\usepackage{amsmath}\usepackage[a2paper]{geometry}\begin{document}%s\end{document}"
    assert typeset([page % body], require_engine()).startswith(b"%PDF")


def test_tables(trace):
    assert trace._repr_markdown_().split("\n")[2] == "| 1 | 1 | 0.287094 | 0.739336 | -0.0440206 | -0.0313825 |"
    assert "<td>0.000272574</td>" in trace._repr_html_()
    many = symgru.load(SEED).trace(np.ones((1, 500, 1)))
    assert len(many._repr_markdown_().split("\n")) == 2 + 24 + 1 + 1
    wide = Model(random_network([("gru", 40, {})], 3)).trace(np.ones((1, 2, 3)))
    assert ", …]" in wide._repr_html_()
    assert r"\dots]" in wide[0]._repr_latex_()


def test_a_document_that_is_no_worked_example_has_no_page(net):
    assert symgru.derive(steps=2)._repr_html_() is None
    assert symgru.derive("all")._repr_latex_() is None


def test_a_worked_example_is_the_page_within_a_frame(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it finds its font in a way that Python calls old
        need_package("ziamath")
    text = net.explain([1, 2])._repr_html_()
    assert re.match(
        r'<iframe sandbox="allow-scripts" title="[^"<>]*" style="[^"<>]*" srcdoc="[^"<>]*"></iframe>$', text
    )
    assert net.explain(np.ones((1, 60, 1)))._repr_html_() is None


def test_without_ziamath_mathjax_sets_the_formulas(net, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ziamath", None)
    assert r"$z_{t} = \sigma(" in net._repr_html_()
    assert net.explain([1, 2])._repr_html_() is None


def test_names_from_a_file_stay_names(net):
    made = random_network([("gru", 1, {})], 1)
    named = {name: replace(layer, label=HOSTILE, notes=(HOSTILE,)) for name, layer in made.layers.items()}
    model = Model(replace(made, origin=HOSTILE, layers=named, notes=(HOSTILE,)))
    assert "<script" not in model._repr_html_()
    assert "script" not in model._repr_latex_()
    outside = [line for line in model._repr_markdown_().split("\n") if not line.startswith("    ")]
    assert not re.search(r"(?<!\\)(<script|\]\(|```)", "\n".join(outside))


def test_a_kernel_shows_them(tmp_path):
    nbformat, nbclient = need_package("nbformat"), need_package("nbclient")
    cells = [
        f"import symgru\nnet = symgru.load({json.dumps(str(SEED))})\nnet",
        "net.trace([1, 2, 9, 8])",
        "net.trace([1, 2, 9, 8])[0]",
        "net.explain([1, 2])",
        "symgru.derive(steps=2)",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's own packages
        nbclient.NotebookClient(book, timeout=120).execute()
    kinds = [set(cell.outputs[-1].data) for cell in book.cells]
    everything = {"text/plain", "text/html", "text/markdown", "text/latex"}
    assert kinds[:3] == [everything] * 3
    assert kinds[3] | {"text/html"} == everything  # the page needs ziamath
    assert kinds[4] == everything - {"text/html"}


def test_the_page_on_notebooks_is_true(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    stored, example = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(example, "docs/notebooks.md", "exec"), {})
    assert capsys.readouterr().out.endswith(shown)
    book = json.loads(symgru.load(SEED).explain([1, 2, 9, 8], digits=6).text(".ipynb"))
    cells = ["".join(cell["source"]) for cell in book["cells"]]
    first, last = stored.split("...\n")
    assert any(cell.startswith(first) and cell.endswith(last.rstrip("\n")) for cell in cells)
