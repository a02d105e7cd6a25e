"""Printing and saving documents from Python."""

import pytest

import symgru
from symgru.errors import UnusableInput
from tests.conftest import SEED


@pytest.fixture(scope="module")
def example():
    return symgru.load(SEED).explain([1, 2, 9, 8], digits=6)


def test_printing_leaves_the_header_out(example):
    assert str(example).startswith("seed.json, worked out by hand\n")
    assert "h_4 = -0.462795" in str(example)


@pytest.mark.parametrize(
    ("ending", "start"), [(".tex", "% Made by symgru"), (".md", "<!--"), (".txt", "# Made by symgru")]
)
def test_saving_follows_the_ending(example, tmp_path, ending, start):
    for document in (example, symgru.derive(steps=2)):
        place = document.save(tmp_path / f"d{ending}")
        assert place.read_text(encoding="utf-8").startswith(start)


def test_an_unknown_ending_writes_nothing(example, tmp_path):
    with pytest.raises(UnusableInput, match=r"\.docx: .* \.tex, \.md, \.txt"):
        example.save(tmp_path / "d.docx")
    assert not list(tmp_path.iterdir())


def test_a_notebook_shows_markdown(example):
    assert "-0.46279538" in example._repr_markdown_()
