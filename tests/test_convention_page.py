"""docs/conventions.md and `symgru show --conventions` say what the table says, and the page's examples run."""

from __future__ import annotations

import contextlib
import io
import re

from click.testing import CliRunner

from symgru.cli import cli
from symgru.convention_page import facts, markdown, text
from symgru.conventions import CONVENTIONS, TABLE
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "conventions.md"


def test_the_page_holds_the_table(request) -> None:
    page = PAGE.read_text(encoding="utf-8")
    head, mark, _ = page.partition("## The table\n\n")
    expected = head + mark + "\n".join(markdown()).rstrip() + "\n"
    if request.config.getoption("--update"):
        PAGE.write_text(expected, encoding="utf-8")
    assert page == expected, "run pytest tests/test_convention_page.py --update"


def test_the_examples_print_what_they_say(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = re.findall(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 2
    for code, printed in found:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "docs/conventions.md", "exec"), {})
        assert out.getvalue() == re.sub("^    ", "", printed, flags=re.MULTILINE)


def test_show_conventions_prints_every_one() -> None:
    result = CliRunner().invoke(cli, ["show", "--conventions"])
    assert result.exit_code == 0
    assert result.output == "\n".join(text()) + "\n"
    assert result.output.isascii()
    for convention in TABLE:
        assert f"\n{convention.name}: {convention.title}\n" in result.output
        for name in convention.arrays:
            assert f"  {name} (" in result.output


def test_what_a_row_says() -> None:
    rows = {name: facts(CONVENTIONS[name])[2:] for name in CONVENTIONS if CONVENTIONS[name] in TABLE}
    assert rows["keras"] == ("z r n columns", "(D, 3H)", "(H, 3H)", "(2, 3H)", "after", "keep", "tanh / sigmoid")
    assert rows["torch"] == ("r z n rows", "(3H, D)", "(3H, H)", "2 x (3H,)", "after", "keep", "tanh / sigmoid !")
    assert rows["haiku"] == ("z r n columns", "(D, 3H)", "(H, 3H)", "(3H,)", "before", "new", "tanh / sigmoid !")
    assert rows["flax"][:4] == ("r z n apart", "3 x (D, H)", "3 x (H, H)", "4 x (H,)")
    assert rows["tf1"][:4] == ("r z n columns", "(D + H, 2H) (D + H, H)", "in the kernel", "(2H,) (H,)")
    assert rows["equinox"][3] == "(3H,) (H,)"
    assert rows["speechbrain_ligru"][4:] == ("none", "keep", "relu / sigmoid")
