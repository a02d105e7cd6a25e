"""The notebook: valid, what it stores is what running it prints, and that is what the document says."""

import json
import re
import warnings
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

import symgru
from symgru import styles
from symgru.backends.notebook import render_explanation
from symgru.cells import CELLS
from symgru.explanation import explain
from symgru.lesson.extent import Extent
from tests.calculator import check, read
from tests.conftest import SEED, need_package, random_input, random_network
from tests.documents.conftest import network, sequence

LINE = re.compile(r"^(\S+)\s+= \[?(.*?)\]?$", re.MULTILINE)


def run(text):
    """The notebook's code cells as stored, and as a kernel runs them."""
    nbformat, nbclient = need_package("nbformat"), need_package("nbclient")
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    stored = prints(book)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's own packages
        nbclient.NotebookClient(book, timeout=120).execute()
    return stored, prints(book)


def prints(book):
    return {c.id: "".join(o.text for o in c.outputs) for c in book.cells if c.cell_type == "code"}


def recomputed(text):
    """The value of every worked line in the cells of Markdown, once each line has been worked out by the independent
    calculator: {(layer, name, unit): value}."""
    book = json.loads(text)
    document = "\n\n".join("".join(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown") + "\n"
    assert check(document, "md")
    lines = read(document, "md")
    unit = re.compile(r"([^\[]*)(?:\[(\d+)\])?")
    return {(line.layer, *unit.fullmatch(line.name).groups("1")): line.value for line in lines}


def printed(outputs):
    """The same from what the cells of code print."""
    found = {}
    for name, numbers in LINE.findall("".join(outputs.values())):
        layer, plain = re.fullmatch(r"(?:L(\d+)_)?(.*)", name).groups("1")
        found |= {(int(layer), plain, str(k)): v for k, v in enumerate(numbers.split(", "), 1)}
    return found


def test_the_seed():
    text = symgru.load(SEED).explain([1, 2, 9, 8], digits=6).text(".ipynb")
    stored, ran = run(text)
    assert stored == ran
    assert len(printed(stored)) == 32
    assert printed(stored) == recomputed(text)
    steps = "".join(stored.values())
    assert "h_4   = -0.46279538" in steps
    assert float(steps.split()[-1]) == pytest.approx(-0.46279538681734, abs=1e-10)


SEQUENCE = {"return_sequences": True}
NETWORKS = {
    "two units": ([("gru", 2, {})], 2, 3),
    "reset before": ([("gru", 3, {"reset_after": False})], 1, 2),
    "no bias": ([("gru", 1, {"use_bias": False})], 2, 2),
    "a stack": ([("gru", 2, SEQUENCE), ("gru", 3, {}), ("dense", 2, {"activation": "softmax"})], 1, 3),
    "one unit": ([("gru", 1, SEQUENCE), ("mgu", 1, {}), ("dense", 1, {"activation": "softplus"})], 1, 3),
    "activations": ([("gru", 2, {"activation": "elu", "recurrent_activation": "hard_sigmoid"})], 2, 2),
    "an error function": ([("gru", 2, {}), ("dense", 2, {"activation": "gelu"})], 2, 2),
    "large numbers": ([("simple", 2, {"activation": "relu"})], 2, 3),
    "light": ([("ligru", 2, {})], 2, 2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_stored_is_what_runs(name):
    layers, features, steps = NETWORKS[name]
    e = explain(network(7, layers, features, 2.0 if name == "large numbers" else 0.6), sequence(7, steps, features))
    text = "".join(render_explanation(e))
    stored, ran = run(text)
    assert stored == ran
    found, lines = printed(stored), recomputed(text)
    assert found.items() <= lines.items()
    missing = {layer for layer, *_ in lines.keys() - found.keys()}
    assert missing == ({2} if name == "an error function" else set())


@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_every_cell(name, units, capsys):
    """Run here, since a kernel for each would take minutes."""
    layers = [(name, units, {})] if CELLS[name].states else [("gru", units, {}), (name, units, {})]
    e = explain(network(1, layers, units), sequence(1, 3, units))
    book, namespace = json.loads("".join(render_explanation(e))), {}
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
        assert capsys.readouterr().out == "".join(line for o in cell["outputs"] for line in o["text"])
    assert sum(bool(cell["outputs"]) for cell in cells) == e.steps + len(layers)


@pytest.mark.parametrize("detail", ["full", "matrix", "overview"])
@pytest.mark.parametrize("show", [None, 2])
def test_every_detail(detail, show):
    e = explain(network(3, [("gru", 3, {})], 2), sequence(3, 8, 2))
    stored, ran = run("".join(render_explanation(e, Extent(detail, show))))
    assert stored == ran


def test_a_change_goes_through_the_steps_that_are_not_shown(monkeypatch):
    """Also through more of them than a cell computes: then the state is given as a number."""
    nbformat, nbclient = need_package("nbformat"), need_package("nbclient")
    made, x = network(3, [("gru", 2, {})], 1), sequence(3, 9, 1)
    e = explain(made, x)
    book = nbformat.reads("".join(render_explanation(e, Extent("full", 2))), as_version=4)
    for cell in book.cells:
        cell.source = re.sub(r"^x_1 = .*$", 'x_1 = vector("0.5")', cell.source, flags=re.MULTILINE)
    nbclient.NotebookClient(book, timeout=120).execute()
    x.text[0, 0, 0], x.value[0, 0, 0] = "0.5", 0.5
    other = explain(made, x)
    assert other.decimals == e.decimals
    assert printed(prints(book)) == recomputed("".join(render_explanation(other, Extent("full", 2))))
    monkeypatch.setattr("symgru.backends.notebook.steps.MOST_LEFT_OUT", 3)
    text = "".join(render_explanation(other, Extent("full", 2)))
    stored, ran = run(text)
    assert stored == ran
    assert "# what the steps left out come to" in text


@pytest.mark.parametrize("name", styles.named())
def test_every_style(name):
    """Its symbols, and its columns where vectors are columns; the numbers are those of any other."""
    made = network(5, [("gru", 2, {}), ("dense", 2, {})], 3)
    e = explain(made, sequence(5, 2, 3), style=styles.style(name))
    text = "".join(render_explanation(e))
    stored, ran = run(text)
    assert stored == ran
    assert len(printed(stored)) == 2 * 2 * 8 + 2


def test_a_batch():
    made = random_network([("gru", 2, {}), ("dense", 1, {})], 1)
    stored, ran = run("".join(render_explanation(explain(made, random_input(made, 2, batch=3)))))
    assert stored == ran
    assert "S3_L2_y" in "".join(stored.values())


def test_a_mask_and_whole_numbers():
    model = symgru.load(SEED.parent / "brackets.keras")
    e = model.explain([[1, 2, 0, 1]]).content
    for detail in ("full", None):
        stored, ran = run("".join(render_explanation(e, Extent(detail))))
        assert stored == ran


def test_a_changed_weight_changes_every_line_below():
    nbformat, nbclient = need_package("nbformat"), need_package("nbclient")
    e = symgru.load(SEED).explain([1, 2, 9, 8], digits=6).content
    book = nbformat.reads("".join(render_explanation(e)), as_version=4)
    for cell in book.cells:
        cell.source = cell.source.replace('W_z = number("-0.90954137")', 'W_z = number("0.90954137")')
    nbclient.NotebookClient(book, timeout=120).execute()
    model = json.loads(SEED.read_text())
    kernel = model["layers"][0]["weights"][0]
    kernel[0][0] = -kernel[0][0]
    other = symgru.load(model).explain([1, 2, 9, 8], digits=6)
    assert other.content.decimals == e.decimals
    assert printed(prints(book)) == recomputed(other.text(".ipynb"))


def test_jupyter_saves_the_file_as_it_is():
    nbformat = need_package("nbformat")
    text = symgru.load(SEED).explain([1, 2]).text(".ipynb")
    assert nbformat.writes(nbformat.reads(text, as_version=4)) + "\n" == text
    assert text == symgru.load(SEED).explain([1, 2]).text(".ipynb")


def test_names_from_a_file_stay_names():
    hostile = '<script>alert(1)</script>"""\n$x$ `code` [a](b)'
    made = random_network([("gru", 1, {})], 1)
    named = {name: replace(layer, label=hostile) for name, layer in made.layers.items()}
    made = replace(made, origin=hostile, layers=named)
    text = "".join(render_explanation(explain(made, random_input(made, 2))))
    book = json.loads(text)
    assert not any(re.search(r"(?<!\\)<script", "".join(c["source"])) for c in book["cells"])
    stored, ran = run(text)
    assert stored == ran


def test_an_exercise_has_no_answers():
    e = symgru.load(SEED).explain([1, 2, 9, 8]).content
    book = json.loads("".join(render_explanation(e, Extent(answers=False))))
    assert not [c for c in book["cells"] if c["cell_type"] == "code"]


def test_digits_of_tiny_numbers():
    """R and its text, as the notebook has them, against the rounding of the documents."""
    from symgru.rounding import line_rounding

    e = symgru.load(SEED).explain([1, 2], digits=6).content
    book = json.loads("".join(render_explanation(e)))
    setup = next("".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code")
    namespace = {}
    exec(compile(setup, "setup", "exec"), namespace)
    rng = np.random.default_rng(0)
    for decimals in (3, 4, 5, 6, 8):
        namespace["DECIMALS"], rounding = decimals, line_rounding(decimals)
        values = [Decimal(int(rng.integers(-(10**6), 10**6))).scaleb(int(k)) for k in rng.integers(-20, 2, 400)]
        for v in [*values, Decimal("9.99995e-9"), Decimal("-0.000000005"), Decimal(0), Decimal("9.99999e-5")]:
            assert namespace["written"](namespace["R"](v)) == rounding.text(rounding(v)), (v, decimals)
