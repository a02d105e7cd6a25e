"""Lines in matrix form, tables of contributions and decimal commas, read back from the files and worked out again.

What was counted is printed at the end of the run (conftest.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgru import styles
from symgru.explanation import Explanation, explain
from symgru.lesson.extent import Extent
from symgru.network import Network, Tensor
from tests.calculator import Wrong, check_lines, read
from tests.calculator.algebra import Array, work_out
from tests.calculator.policy import given, rounded
from tests.calculator.sums import check_sum, read_sums
from tests.calculator.vectors import check_vectors, elements, statements
from tests.conftest import ROOT
from tests.documents.conftest import documents, network, sequence

TEXTS = ("txt", "md", "tex", "html")
MATRIX = Extent("matrix", code=False)
OVERVIEW = Extent("overview", code=False)

# Keras' GRU, each gate's sum on a line of its own
GRU = {
    "a_z": "x @ W_z + b_z + h @ U_z + c_z",
    "z": "σ(a_z)",
    "a_r": "x @ W_r + b_r + h @ U_r + c_r",
    "r": "σ(a_r)",
    "u_n": "h @ U_n + c_n",
    "a_n": "x @ W_n + b_n + r ⊙ u_n",
    "n": "tanh(a_n)",
    "h": "z ⊙ h + (1 - z) ⊙ n",
}


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch) -> None:
    """And without the list of mistakes, which takes most of the time and has no lines."""
    for writer in ("html.worked.HtmlWriter", "latex.worked.LatexWriter"):
        monkeypatch.setattr(f"symgru.backends.{writer}.picture", lambda self, part: "")
    monkeypatch.setattr("symgru.lesson.outline.caught", lambda e: ())
    monkeypatch.setattr("symgru.backends.html.page.live", lambda e: None)
    monkeypatch.setattr("symgru.backends.html.typeset.Typesetter.formula", lambda self, latex: "")


def numbers(texts: Any) -> Array:
    """The exact numbers of an array of texts."""
    return Array(Decimal(t) if isinstance(t, str) else numbers(t) for t in texts)


def weights_of(made: Network) -> dict[str, Array]:
    """As rows x W multiply: a matrix has a row for each input."""
    found = made.layers["layer_1"].weights
    return {name: numbers(tensor.text.T.tolist()) for name, tensor in found.items()}


def chain(weights: dict[str, Array], x: Tensor, decimals: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Every value of the rounded chain, and before it is rounded, by name and time."""
    values: dict[str, Any] = {"h": Array([Decimal(0)] * len(weights["b_z"]))}
    found, exact = {"h_0": values["h"]}, {}
    for t, row in enumerate(x.text[0].tolist(), 1):
        values["x"] = found[f"x_{t}"] = numbers(row)
        for name, formula in GRU.items():
            exact[f"{name}_{t}"] = work_out(formula, {**weights, **values})
            values[name] = found[f"{name}_{t}"] = exact[f"{name}_{t}"].each(lambda v: rounded(v, decimals))
    return found, exact


def latex_name(name: str) -> str:
    """a_z_1 is a_{z,1} there."""
    stem, _, below = name.partition("_")
    return f"{stem}_{{{below.replace('_', ',')}}}" if below else stem


def as_spelled(values: dict[str, Array], kind: str) -> dict[str, Array]:
    return {latex_name(name): v for name, v in values.items()} if kind == "tex" else values


@pytest.mark.parametrize("steps", [5, 8])  # of eight all but the first and last two are left out
@pytest.mark.parametrize("units", [4, 8, 16])
def test_matrix_form(units: int, steps: int, record_property) -> None:
    """Every vector from what the document prints before it. The same values as Keras' equations give by themselves."""
    made, x = network(units, [("gru", units, {})], 3), sequence(units, steps, 3)
    e = explain(made, x)
    shown = {5: 5, 8: 4}[steps]
    weights, d = weights_of(made), e.decimals
    values, _ = chain(weights, x, d)
    counts = {}
    for kind, document in documents(e, MATRIX, TEXTS).items():
        printed, count = worked(str(document), kind, d, as_spelled(weights, kind))
        expected = as_spelled({**weights, **values}, kind)
        assert all(expected[name] == value for name, value in printed.items()), kind
        assert count["lines"] == shown * 8 and count["numbers"] == shown * 8 * units, kind
        assert count["starts"] == 2 * shown and count["weights"] == 12, kind
        assert count["with weights from elsewhere"] == 0, kind
        assert ("Steps 3 to 6 are" in str(document)) == (steps == 8)
        assert count["lines of one unit"] + count["sums"] == 8, kind
        counts[kind] = count
    record_property("read back", {kind: dict(found) for kind, found in counts.items()})


def worked(
    document: str, kind: str, decimals: int, elsewhere: dict[str, Array] | None = None, comma: bool = False
) -> tuple[dict[str, Array], Counter[str]]:
    """All that is printed in vectors, and what was counted; every line of one unit has the same numbers."""
    printed: dict[str, Array] = {}
    count = check_vectors(statements(document, kind, comma), decimals, printed, elsewhere)
    known = elements({**(elsewhere or {}), **printed})
    for found in read_sums(document, kind, comma):
        count["products"] += check_sum(found, found.count, decimals, known)
        count["sums"] += 1
    lines = read(document, kind, comma)
    count["lines of one unit"] = check_lines(lines, known)
    missing = {name for _, name in given(lines)} - set(known)
    assert not missing, (kind, missing)
    return printed, count


@pytest.mark.parametrize(("units", "features"), [(32, 2), (64, 1), (40, 9)])
def test_contributions(units: int, features: int, record_property) -> None:
    """Each printed product is that of its printed factors, the rest is the exact rest, and together they round to the
    printed value; every number is the one of the chain that Keras' equations give."""
    made, x = network(units, [("gru", units, {})], features), sequence(units, 4, features)
    e = explain(made, x)
    weights = weights_of(made)
    values, exact = chain(weights, x, e.decimals)
    counts = {}
    for kind, document in documents(e, OVERVIEW, TEXTS).items():
        known = elements(as_spelled({**weights, **values}, kind))
        unrounded = elements(as_spelled(exact, kind))
        count: Counter[str] = Counter()
        for found in read_sums(str(document), kind):
            terms = units + 1 if found.name.startswith("u") else features + units + 2
            assert found.name in known
            count["products"] += check_sum(found, terms, e.decimals, known, unrounded[found.name])
            count["sums"] += 1
        assert count == {"sums": 3, "products": 15}, kind
        count["lines of one unit"] = check_lines(read(str(document), kind), known)
        assert count["lines of one unit"] == 5, kind
        counts[kind] = count
    record_property("read back", {kind: dict(found) for kind, found in counts.items()})


PARENTHESES = 'title = "Ours"\ntime = "h^{(t)}"\nproduct = "∘"\nvectors = "rows"\n'


def our_course() -> str:
    """The notation that docs/notation.md prints."""
    return (ROOT / "docs" / "notation.md").read_text().split("```toml\n")[1].split("```")[0]


@pytest.mark.parametrize("units", [1, 2, 5])
@pytest.mark.parametrize("name", ["our course", "parentheses", "cho"])
def test_notations(name: str, units: int, tmp_path: Path, record_property) -> None:
    """A decimal comma, the time above in angle brackets or parentheses, column vectors, Greek letters."""
    path = tmp_path / "n.toml"
    path.write_text(our_course() if name == "our course" else PARENTHESES)
    style = styles.style(name) if name == "cho" else styles.read_style(path)
    comma, total = name == "our course", {kind: Counter[str]() for kind in (*TEXTS, "xlsx")}
    for reset_after in (True, False):
        made = network(units, [("gru", units, {"reset_after": reset_after})], 2)
        e = explain(made, sequence(units, 3, 2), style=style)
        extent = Extent("full" if units < 5 else "matrix", code=False)
        for kind, document in documents(e, extent, total).items():
            if units == 1 or kind == "xlsx":
                count = Counter({"lines of one unit": check_lines(read(document, kind, comma))})
            else:
                _, count = worked(str(document), kind, e.decimals, comma=comma)
                assert count["lines"] == (8 if units == 2 else 24), kind
                assert count["filled"] == (8 if units == 2 else 0), kind
            assert count["lines of one unit"] == (8 if units == 5 and kind != "xlsx" else 3 * 8 * units), kind
            total[kind] += count
    record_property("read back", {kind: dict(found) for kind, found in total.items()})


def digits(text: str, start: str, end: str, number: str = r"\d+\.\d{4,}") -> list[int]:
    """Where the digits of decimals stand between two marks, in what is shown."""
    first = text.index(start)
    last = text.index(end, first)
    shown = re.sub(r"<[^>]*>|\\textcolor\{[^}]*\}|\\phantom\{[^}]*\}", lambda m: " " * len(m[0]), text)
    return [k for m in re.finditer(number, shown[first:last]) for k in range(first + m.start(), first + m.end())]


def altered(text: str, at: int) -> str:
    return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]


def noticed(text: str, places: Iterable[int], check: Any, few: int = 30) -> None:
    found = [at for at in places if text[at].isdigit()]
    assert len(found) > 2 * few
    check(text)
    for at in np.random.default_rng(0).choice(found, few, replace=False):
        with pytest.raises((Wrong, AssertionError)):
            check(altered(text, int(at)))


def explained(units: int, steps: int, features: int) -> Explanation:
    return explain(network(units, [("gru", units, {})], features), sequence(units, steps, features))


@pytest.mark.parametrize("kind", TEXTS)
def test_an_altered_digit_of_a_vector_or_a_weight_is_noticed(kind: str) -> None:
    e = explained(4, 5, 3)
    text = str(documents(e, MATRIX, (kind,))[kind])

    def check(text: str) -> None:
        worked(text, kind, e.decimals)

    leading = digits(text, "kernel, shape", "How it is connected", r"\d+\.\d{4}")  # rounding may hide what is behind
    noticed(text, leading, check)
    noticed(text, _vectors(text, kind), check)


def _vectors(text: str, kind: str) -> list[int]:
    """The digits from the last step's heading to the summary."""
    return digits(text, {"html": "<h4>Step 5"}.get(kind, "Step 5"), "Summary")


@pytest.mark.parametrize("kind", TEXTS)
def test_an_altered_digit_of_a_filled_in_matrix_is_noticed(kind: str) -> None:
    e = explained(2, 2, 2)
    text = str(documents(e, Extent("full", code=False), (kind,))[kind])
    start = {"html": "<h4>Step 1"}.get(kind, "Step 1")
    noticed(text, digits(text, start, "Row by column"), lambda text: worked(text, kind, e.decimals))


@pytest.mark.parametrize("kind", TEXTS)
def test_an_altered_digit_of_a_contribution_is_noticed(kind: str) -> None:
    e = explained(32, 3, 2)
    made, x = network(32, [("gru", 32, {})], 2), sequence(32, 3, 2)
    weights = weights_of(made)
    values, exact = chain(weights, x, e.decimals)
    text = str(documents(e, OVERVIEW, (kind,))[kind])
    known, unrounded = (elements(as_spelled(v, kind)) for v in ({**weights, **values}, exact))

    def check(text: str) -> None:
        own = dict(known)
        for found in read_sums(text, kind):
            check_sum(found, 33 if found.name.startswith("u") else 36, e.decimals, own, unrounded[found.name])
        assert check_lines(read(text, kind), own) == 5

    noticed(text, digits(text, "is a sum of", "What rounding to"), check)
