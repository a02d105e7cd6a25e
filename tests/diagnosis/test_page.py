"""docs/mistakes.md lists what the tables hold."""

from __future__ import annotations

import pytest

from symgru.diagnosis.page import listed, markdown
from symgru.mistakes import MISTAKES
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "mistakes.md"


def test_the_page_holds_the_table(request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")
    head, mark, _ = page.partition("## The table\n\n")
    expected = head + mark + "\n".join(markdown()).rstrip() + "\n"
    if request.config.getoption("--update"):
        PAGE.write_text(expected, encoding="utf-8")
    assert page == expected, "run pytest tests/diagnosis/test_page.py --update"


def test_it_lists_the_common_ones_and_every_kind_once() -> None:
    found = listed()
    assert len({(m.kind, m.name) for m in found}) == len(found)
    assert len(found) > len(MISTAKES)
    assert [m.rank for m in found] == sorted(m.rank for m in found)
