"""A formula of the page, without its tags, is what the plain text has."""

from __future__ import annotations

import pytest

from symgru.backends.html.printer import HTML, html_text, text_of
from symgru.backends.notation import at_time
from symgru.backends.text.document import TEXT
from symgru.backends.worked import LayerWriter, equations
from symgru.cells import CELLS
from symgru.explanation import explain
from symgru.styles import style
from tests.conftest import random_input, random_network


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("units", [1, 2])
def test_the_text_of_every_equation_and_line_is_the_plain_one(kind, units):
    network = random_network([(kind, units, {})], 2)
    layer = explain(network, random_input(network, 2)).layers[0]
    for form in ("matrix", "unit"):
        written = [
            equations(layer.cell, getattr(d, form)(d.notation(layer.cell, dict(layer.sizes)))) for d in (HTML, TEXT)
        ]
        assert [tuple(map(text_of, pair)) for pair in written[0]] == written[1]
    for t in range(1, layer.steps + 1):
        page, text = (list(LayerWriter(layer, d).lines(t)) for d in (HTML, TEXT))
        assert [[text_of(part) for part in (w.lhs, w.symbols, w.numbers)] for w in page] == [
            [w.lhs, w.symbols, w.numbers] for w in text
        ]


@pytest.mark.parametrize("name", ["wikipedia", "d2l", "cho", "pytorch"])
def test_in_every_style(name):
    network = random_network([("gru", 2, {})], 2)
    layer = explain(network, random_input(network, 2)).layers[0]
    page, text = HTML.styled(style(name)), TEXT.styled(style(name))
    for form in ("matrix", "unit"):
        written = [
            equations(layer.cell, getattr(d, form)(d.notation(layer.cell, dict(layer.sizes)))) for d in (page, text)
        ]
        assert [tuple(map(text_of, pair)) for pair in written[0]] == written[1]
    lines = [list(LayerWriter(layer, d).lines(2)) for d in (page, text)]
    assert [text_of(w.symbols) for w in lines[0]] == [w.symbols for w in lines[1]]
    assert [text_of(w.numbers) for w in lines[0]] == [w.numbers for w in lines[1]]


@pytest.mark.parametrize("name", ["relu", "elu", "softplus", "hard_sigmoid", "gelu", "mish", "selu", "sparse_plus"])
def test_activations_too(name):
    network = random_network([("gru", 1, {"activation": name})], 1)
    layer = explain(network, random_input(network, 1)).layers[0]
    page, text = (list(LayerWriter(layer, d).lines(1)) for d in (HTML, TEXT))
    assert [text_of(w.numbers) for w in page] == [w.numbers for w in text]


def test_every_number_says_where_it_comes_from():
    network = random_network([("gru", 1, {})], 1)
    layer = explain(network, random_input(network, 2)).layers[0]
    last = list(LayerWriter(layer, HTML).lines(2))[-1]
    assert 'data-ref="h[0]@1"' in at_time(last.numbers, 2)


def test_names_from_files_are_harmless():
    assert html_text('<script>"&\x1b') == "&lt;script&gt;&quot;&amp;?"
