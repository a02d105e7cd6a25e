"""The one entrance: which reader takes what, and what is refused before any of them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from symgru.errors import UnusableInput
from symgru.readers import read

ROOT = Path(__file__).parents[2]
PRINTED = "[array([[1., 2., 3.]], dtype=float32), array([[4., 5., 6.]], dtype=float32)]"


def test_a_text_file_of_printed_weights(tmp_path: Path) -> None:
    path = tmp_path / "My weights.txt"
    path.write_text(PRINTED, encoding="utf-8")
    network = read(str(path))
    assert (network.name, network.origin) == ("my_weights", "My weights.txt")
    assert network.layers["gru"].weights["W_n"].text.tolist() == [["3"]]
    assert any("as printed" in note for note in network.notes)
    asked = tmp_path / "asked.json"
    asked.write_text(json.dumps({"reset_after": False, "layers": [{"kind": "gru", "units": 1}]}))
    assert read(path, asked).layers["gru"].options["reset_after"] is False


@pytest.mark.parametrize("text", [PRINTED, "\ufeff" + PRINTED, (ROOT / "examples" / "seed.json").read_text()])
def test_standard_input(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    network = read("-")
    assert network.origin == "standard input"
    assert network.name == ("seed" if "seed" in text else "gru")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("m.keras", None, "m.keras: no such file"),
        ("m.json", b"", "empty"),
        ("m.txt", b" \n", "no text"),
        ("m.txt", b"\xff\xfe\x00", "UTF-8"),
        ("m.h6", b"x", "ending is not known; symgru reads .weights.h5, .safetensors, .*, .json and .txt"),
        ("m.h5", b"x", "m.h5: is not an HDF5 file, or a damaged one"),
        ("m", b"x", "x"),
        ("bad\n\x1b[31m.json", b"", r"bad\\n\\x1b\[31m.json: the file is empty"),
        ("x" * 200 + ".json", b"", "xxx…: the file is empty"),
        ("m.json", b"[]", "0 arrays"),
        ("m.json", b"3", "must be an object"),
    ],
)
def test_unusable_paths(name: str, content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableInput, match=reason) as error:
        read(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


def test_directories_and_odd_paths(tmp_path: Path) -> None:
    (tmp_path / "d.keras").mkdir()
    for path, reason in [
        (tmp_path, "is a directory"),
        (tmp_path / "d.keras", "d.keras: is a directory"),
        ("", "directory"),
        ("a\0b.keras", "no such|looked"),
        ("x" * 5000 + ".keras", "looked at|no such"),
    ]:
        with pytest.raises(UnusableInput, match=reason):
            read(path)


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [
        (3, "dict or the path"),
        ({1: 2}, "named entries"),
        ("missing.json", "missing.json: no such file"),
        ([], "dict or the path"),
    ],
)
def test_unusable_architectures(architecture: Any, reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason):
        read([[[1, 2, 3]], [[4, 5, 6]]], architecture)


def test_a_file_with_layers_takes_no_architecture() -> None:
    with pytest.raises(UnusableInput, match="its own layers"):
        read(ROOT / "examples" / "seed.json", {"activation": "relu"})


def test_readers_import_no_framework_and_no_sympy() -> None:
    code = (
        "import sys; from symgru.readers import read; read('examples/seed.json');"
        "print(sorted({'sympy', 'keras', 'tensorflow', 'torch', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
