"""`symgru diagnose` from the command line: what it takes, what it writes, what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symgru.diagnosis.claims import LAST
from symgru.diagnosis.reading import read_claim
from symgru.errors import UnusableInput
from tests.conftest import ROOT

SEED = str(ROOT / "examples" / "seed.json")
TWO = {  # one unit of weights that nobody needs to look at, another beside it
    "dtype": "float32",
    "layers": [
        {
            "kind": "gru",
            "options": {},
            "weights": [
                [[0.3, -0.2, 0.5, 0.4, -0.7, 0.6]],
                [[0.1, 0.2, -0.3, 0.4, 0.5, -0.6], [-0.2, 0.3, 0.4, -0.5, 0.6, 0.7]],
                [[0.01, 0.02, 0.03, 0.04, 0.05, 0.06], [0.06, 0.05, 0.04, 0.03, 0.02, 0.01]],
            ],
        }
    ],
}


def symgru(*args: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "symgru", *args], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_thread_answered() -> None:
    status, out, err = symgru("diagnose", SEED, "--input", "1,2,9,8", "--claimed", "-0.70691")
    assert status == 0
    assert "-0.70691 is what comes out if you summed the sequence into one step" in " ".join(out.split())
    assert err.count("\n") == 1 and err.startswith("note: ")


@pytest.mark.parametrize("ending", [".md", ".html", ".tex", ".txt"])
def test_a_file_by_its_ending(tmp_path: Path, ending: str) -> None:
    place = tmp_path / f"why{ending}"
    status, out, err = symgru("diagnose", SEED, "--input", "1,2,9,8", "--claimed", "-0.70691", "-o", str(place))
    assert status == 0 and not out and f"wrote {place}" in err
    assert "0.70691" in place.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "--claimed V"),
        (("--claimed", "0.5", "--all-steps", "0.1,0.2,0.3,0.4"), "exclude each other"),
        (("--claimed", "0.5", "--against", SEED), "takes no --claimed"),
        (("--claimed", "0.1,0.2"), "2 numbers"),
        (("--claimed", "1"), "as many decimals"),
        (("--claimed", "0.5", "--unit", "2"), "unit 2 is none"),
        (("--claimed", "0.5", "--unit", "x"), "whole numbers such as 1,3"),
        (("--claimed", "missing.npy"), "missing.npy"),
        (("--claimed", "0.5", "-o", "why.docx"), ".docx"),
        (("--all-steps", "0.1,0.2,0.3"), "3 numbers"),
        (("--claimed", "0.5", "--input", "1,2"), "each --input has a --claimed"),
    ],
)
def test_one_line_says_what_is_wrong(args: tuple[str, ...], says: str) -> None:
    status, out, err = symgru("diagnose", SEED, "--input", "1,2,9,8", *args)
    assert status == 2 and not out
    assert says in err.splitlines()[-1] and err.splitlines()[-1].startswith("symgru: ")
    assert "Traceback" not in err


def test_several_inputs_with_a_claim_each() -> None:
    """Both are those of the update rule swapped, worked out in tests/test_mistakes.py by hand for the first."""
    status, out, _ = symgru(
        *("diagnose", SEED, "--input", "1,2,9,8", "--claimed", "-0.0239995"),
        *("--input", "1", "--claimed", "-0.0126380"),  # z n of the facts' first step: 0.2870936963 * -0.0440205524
    )
    assert status == 0
    assert "the update gate z weigh the candidate" in " ".join(out.split())


def test_a_network_from_standard_input_and_an_array_file(tmp_path: Path) -> None:
    (tmp_path / "two.json").write_text(json.dumps(TWO), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "symgru",
            "run",
            str(tmp_path / "two.json"),
            "--input",
            "1,2",
            "-o",
            str(tmp_path / "y.npy"),
        ],
        check=True,
        capture_output=True,
    )
    assert not done.stdout
    np.save(tmp_path / "claim.npy", np.load(tmp_path / "y.npy")[0].astype(np.float32))
    status, out, _ = symgru(
        "diagnose", str(tmp_path / "two.json"), "--input", "1,2", "--claimed", str(tmp_path / "claim.npy")
    )
    assert status == 0 and "right" in out


def test_nothing_is_written_over_what_is_read(tmp_path: Path) -> None:
    claim = tmp_path / "claim.json"
    claim.write_text("[-0.70691]", encoding="utf-8")
    status, _, err = symgru("diagnose", SEED, "--input", "1,2,9,8", "--claimed", str(claim), "-o", str(claim))
    assert status == 2 and "is an input of this command" in err
    assert claim.read_text(encoding="utf-8") == "[-0.70691]"


# ---------------------------------------------------------------- which number is which


def test_numbers_of_the_units() -> None:
    found, notes = read_claim("0.1,-0.2", (1, 3, 2))
    assert [(n.text, n.sequence, n.step, n.unit) for n in found] == [("0.1", 0, LAST, 0), ("-0.2", 0, LAST, 1)]
    assert not notes


def test_numbers_of_some_units() -> None:
    found, _ = read_claim("[0.1,-0.2]", (1, 3, 4), units=[4, 2])
    assert [n.unit for n in found] == [3, 1]


def test_one_number_of_nobody_knows_which_unit() -> None:
    found, notes = read_claim("0.15", (1, 3, 4))
    assert found[0].unit is None and "any may be it" in notes[0]


def test_numbers_of_all_steps() -> None:
    found, _ = read_claim([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], (1, 3, 2))
    assert [(n.step, n.unit) for n in found] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    one, _ = read_claim("0.1,0.2,0.3", (1, 3, 1))
    assert [n.step for n in one] == [0, 1, 2]


def test_as_many_units_as_steps_are_units_unless_said() -> None:
    found, notes = read_claim("0.1,0.2,0.3", (1, 3, 3))
    assert [n.unit for n in found] == [0, 1, 2] and "last step" in notes[0]


def test_one_number_for_each_sequence() -> None:
    found, _ = read_claim("0.1,0.2", (2, 3, 1))
    assert [(n.sequence, n.step) for n in found] == [(0, LAST), (1, LAST)]


def test_a_printed_array_keeps_its_decimals() -> None:
    """NumPy prints 1.00000000 as 1. beside numbers of 8 decimals."""
    found, _ = read_claim("[1., 0.12345678]", (1, 3, 2))
    assert [n.half for n in found] == [5e-9, 5e-9]
    typed, _ = read_claim("0.5,0.12345678", (1, 3, 2))
    assert typed[0].half == 0.05


def test_an_array_has_no_printing() -> None:
    found, _ = read_claim(np.array([0.25, 0.5], np.float32), (1, 3, 2))
    assert {n.half for n in found} == {0.0}


@pytest.mark.parametrize("source", ["0.1,0.2", [[0.1], [0.2]], "[[0.1,0.2,0.3,0.4]]", "0.1,inf", "1e31"])
def test_what_cannot_be_placed_is_refused(source: object) -> None:
    with pytest.raises(UnusableInput) as error:
        read_claim(source, (1, 3, 1))
    assert str(error.value).startswith("the claim: ")
