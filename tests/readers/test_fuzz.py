"""Some hundreds of damaged files of every format, and every one that was a finding once."""

import time
from pathlib import Path

import numpy as np
import pytest

from tests import fuzzing
from tests.fuzzing import companions, mutated, outcome, safe, sound_files

CORPUS = Path(__file__).parent / "corpus"
EACH = 25
FILES = sound_files()


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_work_or_are_refused(name):
    assert outcome(name, FILES[name], companions(name, FILES)) == "works"
    found = [outcome(name, mutated(name, FILES[name], 7_000 + k), companions(name, FILES)) for k in range(EACH)]
    assert set(found) <= {"works", "refused"}
    assert "refused" in found


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_what_was_found_once(path):
    """A file's name begins with the number it had; what follows is a name that its format is known by."""
    name = path.name.partition(".")[2]
    assert outcome(name, path.read_bytes(), companions(name, FILES)) in ("works", "refused")


def test_the_same_number_gives_the_same_file():
    for name, content in FILES.items():
        assert mutated(name, content, 3) == mutated(name, content, 3)
        assert len({mutated(name, content, k) for k in range(20)}) > 15


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda path: {}["x"], "KeyError"),
        (lambda path: time.sleep(2), "takes too long"),
        (lambda path: np.zeros(1) @ np.zeros(2), "ValueError"),
        (lambda path: (path.parent / "left").touch(), "leaves ['left']"),
        (lambda path: (_ for _ in ()).throw(MemoryError), "takes too much memory"),
    ],
)
def test_what_goes_wrong_is_noticed(monkeypatch, act, said):
    def used(path):
        found = act(path)
        return next(found) if hasattr(found, "send") else "works"

    monkeypatch.setattr(fuzzing, "_used", used)
    monkeypatch.setattr(fuzzing, "SECONDS", 0.2)
    assert outcome("seed.json", FILES["seed.json"], {}).startswith(said)
    assert safe("a/b.json") == "a_b.json"
