"""The engine of the page under Node: its lines are those of the .txt document, its doubles those of the reference."""

import html
import re

import numpy as np

from symgru.backends import text
from symgru.backends.js.page import engine
from symgru.building import build
from symgru.cells import CELLS
from symgru.explanation import explain
from tests.conftest import random_input, random_network
from tests.javascript import answers

WORK = """
function answer(questions) {
  return questions.map(({ cell, weights, x, ...options }) => work(CELLS[cell], weights, x, options));
}
"""


def plain(markup):
    """The text that a page's reader copies."""
    return html.unescape(re.sub("<[^>]*>", "", markup))


def texts(array):
    return np.asarray(array, dtype=object).astype(str).tolist()


def worked(explanations, folder):
    """Every layer of every explanation by the engine."""
    layers = [layer for e in explanations for layer in e.layers]
    cells = {f"cell {k}": build(layer.layer.kind, layer.layer.options) for k, layer in enumerate(layers)}
    questions = [
        {
            "cell": name,
            "weights": {p.name: texts(layer.layer.weights[p.name].text) for p in cell.params},
            "x": texts(layer.x_texts),
            "timed": layer.timed,
            "decimals": layer.rounding.decimals,
        }
        for (name, cell), layer in zip(cells.items(), layers, strict=True)
    ]
    return zip(layers, answers(engine(cells) + WORK, questions, folder), strict=True)


def written(line):
    """A line as the document has it."""
    more = f" † {line['more']}" if line["risky"] else ""
    since = f", since {plain(line['since'])}" if line["since"] else ""
    return " = ".join([*(plain(line[part]) for part in ("left", "symbols", "numbers")), line["value"] + more + since])


def check_lines(explanations, folder):
    """Each document's worked lines, all of them in their order, and nothing between two lines of a step."""
    found = list(worked(explanations, folder))
    count = 0
    for e in explanations:
        document = " ".join("".join(text.render_explanation(e)).split())
        place = 0
        for layer in e.layers:
            _, result = found.pop(0)
            assert len(result["steps"]) == layer.steps
            for step in result["steps"]:
                whole = " ".join(map(written, step["lines"]))
                assert whole in document[place:], whole
                place = document.index(whole, place) + len(whole)
                count += len(step["lines"])
    return count


def explained(network, x, digits=None):
    return explain(network, x, digits)


def random_explanations(count, kinds, options=lambda rng: {}, seed=0):
    rng = np.random.default_rng(seed)
    for k in range(count):
        kind = kinds[k % len(kinds)]
        sizes = rng.integers(1, 4, 3)
        network = random_network(
            [(kind, int(sizes[0]), options(rng))], int(sizes[1]), seed=seed + k, scale=float(rng.choice([0.5, 1, 3]))
        )
        yield explain(network, random_input(network, int(sizes[2]), seed=k), int(rng.integers(2, 7)))


def test_the_seed(seed_network, seed_input, tmp_path):
    assert check_lines([explain(seed_network, seed_input, digits) for digits in range(1, 7)], tmp_path) == 6 * 32


def test_a_hundred_networks(tmp_path):
    assert check_lines(list(random_explanations(100, ["gru"])), tmp_path) > 3000


RECURRENT = [name for name, cell in CELLS.items() if cell.states]


def test_every_cell(tmp_path):
    check_lines(list(random_explanations(3 * len(RECURRENT), RECURRENT, seed=500)), tmp_path)
