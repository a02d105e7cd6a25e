"""The outputs in the README and in docs/ are what the commands print."""

import contextlib
import io
import re
import shlex

import pytest

from symgru.cli import main
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
BLOCKS = re.findall(r"^```console\n(.*?)^```", "\n".join(PAGES), re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def printed_by(command):
    """What a command prints on standard output."""
    words = shlex.split(command.removeprefix("$ "))
    assert words[0] == "symgru"
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
    assert ended.value.code == 0, command
    out.flush()
    return [line.rstrip() for line in out.buffer.getvalue().decode().splitlines()]


def runs(lines):
    """The runs of consecutive lines between `...`."""
    text = "\n".join(line.rstrip() for line in lines)
    parts = (part.strip("\n") for part in re.split(r"^\.\.\.$", text, flags=re.MULTILINE))
    return [part.split("\n") for part in parts if part]


@pytest.mark.parametrize("block", BLOCKS, ids=[b.split("\n", 1)[0] for b in BLOCKS])
def test_outputs_are_real(block, monkeypatch, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")  # what a command writes does not land in the tree
    monkeypatch.chdir(tmp_path)
    command, *shown = block.rstrip("\n").split("\n")
    output, at = printed_by(command), 0
    for part in runs(shown):
        places = [k for k in range(at, len(output)) if output[k : k + len(part)] == part]
        assert places, f"{command} does not print\n" + "\n".join(part)
        at = places[0] + len(part)


def test_python_example_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    code = next(p for p in PYTHON if "net.emit" in p).replace("out/", f"{tmp_path}/")
    exec(compile(code, "README", "exec"), {})
    assert {p.suffix for p in tmp_path.iterdir()} == {".c", ".h", ".onnx"}


def test_both_commands_are_there():
    for mark in ("<!-- run -->", "<!-- test -->"):
        assert re.search(re.escape(mark) + r"\n```sh\n[^\n]+\n```", README)
