"""Markdown as a renderer reads it: CommonMark with tables, as GitHub, StackExchange and Jupyter have it."""

from __future__ import annotations

import re

import pytest

from symgru import styles
from symgru.explanation import explain
from symgru.lesson.extent import Extent
from tests.calculator import plain, read
from tests.conftest import need_package
from tests.documents.conftest import documents, network, sequence

markdown_it = need_package("markdown_it")

CASES = {
    "one unit": ([("gru", 1, {})], 1, Extent("full")),
    "two units": ([("gru", 2, {})], 2, Extent("full")),
    "matrix form": ([("gru", 9, {})], 2, Extent("matrix")),
    "overview": ([("gru", 20, {})], 2, Extent("overview")),
    "a stack with a head": (
        [("gru", 2, {"return_sequences": True}), ("mgu", 2, {}), ("dense", 2, {"activation": "softmax"})],
        2,
        Extent("full"),
    ),
}


def written(case: str, style: str = "keras") -> tuple[str, list]:
    """A document and its tokens, nested ones beside the others."""
    layers, features, extent = CASES[case]
    e = explain(network(4, layers, features), sequence(4, 3, features), style=styles.style(style))
    text = str(documents(e, extent, ["md"])["md"])
    parsed = markdown_it.MarkdownIt("commonmark").enable("table").parse(text)
    return text, [token for block in parsed for token in (block, *(block.children or ()))]


def displays(text: str) -> list[str]:
    """What stands between two rows that are $$."""
    fenceless = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    rows = fenceless.splitlines()
    places = [k for k, row in enumerate(rows) if row == "$$"]
    assert len(places) % 2 == 0 and "$$" not in "".join(row for row in rows if row != "$$")
    return ["\n".join(rows[i + 1 : j]) for i, j in zip(places[::2], places[1::2], strict=True)]


@pytest.mark.parametrize("style", ["keras", "cho"])
@pytest.mark.parametrize("case", CASES)
def test_a_renderer_finds_what_is_meant(case: str, style: str) -> None:
    text, tokens = written(case, style)
    kinds = [token.type for token in tokens]
    shown = text.partition("-->")[2] if text.startswith("<!--") else text
    assert kinds.count("html_block") == (text != shown), "only the note of origin is a comment"
    assert "html_inline" not in kinds and "code_block" not in kinds and "hr" not in kinds
    headings = [re.sub(r"\\(.)", r"\1", row).strip("# ") for row in shown.splitlines() if re.match(r"#+ ", row)]
    fences = [token for token in tokens if token.type == "fence"]
    code = "\n".join(token.content for token in fences)
    headings = [heading for heading in headings if f"# {heading}\n" not in code]
    titles = [tokens[k + 1].content for k, kind in enumerate(kinds) if kind == "heading_open"]
    assert [re.sub(r"\\(.)", r"\1", title) for title in titles] == headings
    assert {token.info for token in fences} <= {"text", "python"} and shown.count("```") == 2 * len(fences)
    assert not {"```", "$$"} & set("".join(t.content for t in tokens if t.type in ("text", "code_inline")).split("`"))


@pytest.mark.parametrize("case", CASES)
def test_emphasis_is_only_what_is_meant(case: str) -> None:
    """The words that lead a paragraph and the results of mistakes; nothing of a formula is taken for emphasis."""
    _, tokens = written(case)
    for k, token in enumerate(tokens):
        if token.type in ("em_open", "strong_open"):
            inside = tokens[k + 1].content
            assert re.fullmatch(r"[A-Z][a-z ]+[:.]?|-?\d[-\d., …]*", inside), inside


@pytest.mark.parametrize("case", CASES)
def test_one_formula_in_each_block(case: str) -> None:
    text, tokens = written(case)
    found = displays(text)
    assert found
    for formula in found:
        assert "\n" not in formula.strip() and r"\\" not in formula, formula
        assert not re.search(r"\\(begin|end)\{(aligned|align|gather|split|array|cases)", formula), formula
        assert formula.count("{") == formula.count("}")
    assert "aligned" not in text
    # a renderer that knows nothing of formulas must leave them whole for the one that does: no emphasis, no escapes
    paragraphs = [t.content for t in tokens if t.type == "inline" and t.content.startswith("$$")]
    assert [p.strip("$\n") for p in paragraphs] == [formula.strip("\n") for formula in found]
    for token in tokens:
        if token.type == "inline" and token.content.startswith("$$"):
            assert {child.type for child in token.children} <= {"text", "softbreak", "text_special"}, token.content


@pytest.mark.parametrize("case", CASES)
def test_every_line_stands_in_a_block_of_text(case: str) -> None:
    """What the renderer shows as code has all worked lines, none cut."""
    text, tokens = written(case)
    shown = "".join(token.content for token in tokens if token.type == "fence" and token.info == "text")
    weights = ("W_", "U_", "b_", "c_")  # of one unit they stand side by side
    statements = [s for s in plain.statements(shown) if s.count(" = ") == 3 and not s.startswith(weights)]
    assert [s.partition(" = ")[0] for s in statements] == [line.name for line in read(text, "md")]


@pytest.mark.parametrize("case", CASES)
def test_tables_have_their_columns(case: str) -> None:
    text, tokens = written(case)
    rows = [row for row in re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S).splitlines() if row.startswith("| ")]
    assert sum(token.type == "tr_open" for token in tokens) == sum("| ---" not in row for row in rows)
    assert sum(token.type == "table_open" for token in tokens) == sum("| ---" in row for row in rows) > 0
