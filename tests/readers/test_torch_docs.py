"""docs/pytorch.md does what it says: its examples run, its table has every kind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symgru.readers.torch_layers import JOINED, OPTIONS
from symgru.readers.torch_pointwise import BUILDERS
from symgru.readers.torch_recurrent import KINDS
from tests.conftest import ROOT, need_package

PAGE = (ROOT / "docs" / "pytorch.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need_package("torch")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/pytorch.md", "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out.split()
    assert printed == ["True"] * example.count("# True")
    assert printed


def test_every_kind_is_in_the_table() -> None:
    kinds, options = (*KINDS, *JOINED, *BUILDERS), {option for own in OPTIONS.values() for option in own}
    assert [kind for kind in kinds if f"`{kind}`" not in PAGE] == []
    undocumented = {option for option in options if f"`{option}`" not in PAGE and f'"{option}"' not in PAGE}
    assert undocumented <= {"p", "dim", "batch_first"}
