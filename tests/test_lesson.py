"""What a worked example says, in which order, and how much of it."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

import symgru
from symgru.backends import text
from symgru.errors import UnusableInput
from symgru.explanation import explain
from symgru.lesson.extent import Extent
from symgru.lesson.outline import outline
from symgru.lesson.parts import Heading, Lines, Listing, Picture, Vectors
from symgru.lesson.prose import say
from symgru.network import Tensor
from symgru.styles import style
from symgru.working import BLANK
from tests.conftest import ROOT, SEED
from tests.documents.conftest import network, sequence

SEED_INPUT = Tensor.of(np.array([[[1.0], [2], [9], [8]]]))


def shown(e, extent=None) -> str:
    return "".join(text.render_explanation(e, extent or Extent()))


@pytest.mark.parametrize(
    ("units", "steps", "detail"), [(1, 4, "full"), (2, 3, "full"), (8, 20, "matrix"), (32, 3, "overview")]
)
def test_the_detail_follows_from_the_size(units: int, steps: int, detail: str) -> None:
    e = explain(network(1, [("gru", units, {})], 2), sequence(1, steps, 2))
    assert Extent().of(e.layers[0]) == detail
    assert Extent("full").of(e.layers[0]) == "full"


def test_full_detail_has_the_matrix_form_once_and_every_line_of_every_step() -> None:
    e = explain(network(1, [("gru", 2, {})], 2), sequence(1, 3, 2))
    parts = list(outline(e, Extent()))
    assert [part.t for part in parts if isinstance(part, Vectors)] == [1]
    assert [(part.t, part.unit) for part in parts if isinstance(part, Lines)] == [(1, None), (2, None), (3, None)]


def test_the_matrix_form_shows_every_step_and_one_unit_in_full() -> None:
    e = explain(network(1, [("gru", 8, {})], 2), sequence(1, 12, 2))
    parts = list(outline(e, Extent("matrix", show=2)))
    assert [part.t for part in parts if isinstance(part, Vectors)] == [1, 2, 11, 12]
    assert [(part.t, part.unit) for part in parts if isinstance(part, Lines)] == [(1, 0)]


def test_an_overview_shows_one_unit_by_its_largest_products() -> None:
    e = explain(network(1, [("gru", 32, {})], 3), sequence(1, 6, 3))
    document = shown(e)
    tables = re.findall(r"is a sum of (\d+) products:\n(.*?)\n\n", document, re.DOTALL)
    assert len(tables) == 3
    for n, rows in tables:
        count, body = int(n), rows.splitlines()[2:]
        values = [Decimal(row.split()[-1]) for row in body]
        *products, others, total = values
        assert len(products) == 5 and f"{count - 5} others sum to" in body[-2]
        printed = re.findall(r"(\(?-?[\d.]+\)?)(?:·(\(?-?[\d.]+\)?))?\s+(-?[\d.]+)$", "\n".join(body[:5]), re.MULTILINE)
        assert len(printed) == 5
        for a, b, value in printed:
            product = Decimal(a.strip("()")) * Decimal(b.strip("()") or 1)
            assert abs(product - Decimal(value)) <= Decimal(10) ** Decimal(value).as_tuple().exponent / 2
        assert round(sum(products) + others - total, -total.as_tuple().exponent) == 0
        assert sorted(map(abs, products), reverse=True) == list(map(abs, products))
    assert "furthest of 32" in document and "median error" in document


def test_long_results_and_inputs_are_cut() -> None:
    e = explain(network(1, [("gru", 32, {})], 1), sequence(1, 40, 1))
    head = shown(e).split("How to read it")[0]
    assert "and 24 more" in head and "..." in head
    assert all(len(line) <= 100 for line in shown(e, Extent(code=False)).splitlines())


def test_a_batch_is_worked_through_sequence_by_sequence(seed_network) -> None:
    x = np.array([[[1.0], [2], [9], [8]], [[1], [0], [0], [0]]])
    e = explain(seed_network, Tensor.of(x), 6)
    alone = explain(seed_network, Tensor.of(x[1:]), 6)
    assert [list(other.results) for other in e.others] == [list(alone.results)]
    document = shown(e)
    assert "Sequence 2 of 2" in document and document.count("Step 4") == 2 and document.count("\nWeights\n") == 1
    y = symgru.load(SEED)(x)
    assert abs(float(e.results[0]) - y[0, 0]) < 1e-6 and abs(float(e.others[0].results[0]) - y[1, 0]) < 1e-6


def test_every_sequence_of_a_batch_is_in_the_style(seed_network) -> None:
    e = explain(seed_network, Tensor.of(np.array([[[1.0], [2]], [[9], [8]]])), style=style("wikipedia"))
    assert all(other.style is e.style and other.written is e.written for other in e.others)
    pictures = [part.drawing() for part in outline(e, Extent("full")) if isinstance(part, Picture)]
    assert len(pictures) == 2  # wiring and steps; two steps have no picture over time
    assert "In the letters of Keras" in shown(e)


def test_layers_without_lines_are_walked_through_in_order() -> None:
    model = symgru.load(ROOT / "examples" / "brackets.keras")
    (x,), _ = model.read_all(["1,1,2"])
    e = explain(model.network, [x])
    titles = [part.text for part in outline(e, Extent()) if isinstance(part, Heading) and part.level == 2]
    assert len(titles) >= len(model.network.calls)
    document = shown(e)
    places = [document.index(f"“{layer.label or call.id}”") for call, layer in model.network]
    assert places == sorted(places)
    rows = model.network.layers["embedding"].weights
    first = next(iter(rows.values())).text[1]
    assert re.search(rf"^ +1 +{re.escape(first[0])} +{re.escape(first[1])}$", document, re.MULTILINE)


def test_the_order_of_the_outline(seed_network) -> None:
    document = shown(explain(seed_network, SEED_INPUT, 6))
    order = ["h_4 = -0.462795", "How to read it", "Weights", "How it is connected", "Equations", "Wikipedia", "Step 1"]
    order += ["Summary", "Verification", "If you got another number", "The same as code"]
    places = [document.index(word) for word in order]
    assert places == sorted(places)
    assert "-0.706910  You summed the sequence into one step" in document


def test_pictures_are_made_only_where_they_are_shown(seed_network, monkeypatch) -> None:
    parts = list(outline(explain(seed_network, SEED_INPUT), Extent()))
    assert sum(isinstance(part, Picture) for part in parts) == 3


def test_blanks_hide_values_everywhere_and_an_exercise_gives_nothing_away(seed_network) -> None:
    e = explain(seed_network, SEED_INPUT, 6)
    hidden = replace(e, layers=tuple(replace(w, hidden=lambda name, t, unit: t > 1) for w in e.layers))
    document = shown(hidden, Extent(answers=False))
    assert document.count(BLANK) > 3 * 8
    secrets = [w.value(s.name, t, 0) for w in e.layers for s in w.calculator.defined for t in (2, 3, 4)]
    assert not [v for v in secrets if v in document]
    assert "Verification" not in document and "another number" not in document


def test_code_can_be_left_out(seed_network) -> None:
    e = explain(seed_network, SEED_INPUT)
    assert any(isinstance(part, Listing) for part in outline(e, Extent()))
    assert not any(isinstance(part, Listing) for part in outline(e, Extent(code=False)))


def test_options_of_a_document_are_checked(tmp_path) -> None:
    example = symgru.load(SEED).explain([1, 2, 9, 8])
    with pytest.raises(UnusableInput, match="detail is 'all'; it can be full, matrix, overview"):
        example.save(tmp_path / "f.txt", detail="all")
    assert not list(tmp_path.iterdir())


def test_own_words_mark_code_and_values() -> None:
    from symgru.backends.markdown.worked import MarkdownWriter

    assert say("`x_y` and {n}", n="3")(MarkdownWriter().prose) == "`x_y` and 3"


def test_a_gate_that_is_given_nothing_has_lines_too() -> None:
    """A gate of bias alone, without its bias, is sigma(0)."""
    e = explain(network(1, [("type3", 2, {"use_bias": False})], 2), sequence(1, 2, 2))
    assert "z_1[1]   = σ(a_z_1[1]) = 1/(1 + e^-0.000000) = 0.500000" in shown(e)
