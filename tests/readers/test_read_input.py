"""Inputs as typed, as nested lists and from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgru.errors import UnusableInput
from symgru.network import Network
from symgru.readers import read, read_input


def network(features: int = 1, dtype: str = "float32") -> Network:
    kernel = np.ones((features, 3)).tolist()
    return read({"dtype": dtype, "layers": [{"kind": "gru", "weights": [kernel, [[1, 1, 1]], [[0, 0, 0], [0, 0, 0]]]}]})


@pytest.mark.parametrize(
    ("source", "features", "shape", "said"),
    [
        ("1,2,9,8", 1, (1, 4, 1), "each number is a time step"),
        ("1 2\n9 8", 1, (1, 4, 1), "each number is a time step"),
        ("[1, 2, 9, 8]", 1, (1, 4, 1), "each number is a time step"),
        ("[[1],[2],[9],[8]]", 1, (1, 4, 1), "batch axis"),
        ("[[1,2,9,8]]", 1, (1, 4, 1), "feature axis"),
        ("[[[1],[2],[9],[8]]]", 1, (1, 4, 1), None),
        ("5", 1, (1, 1, 1), "time step"),
        ("1,2", 2, (1, 1, 2), "one time step of 2 features"),
        ("[[1,2],[3,4],[5,6]]", 2, (1, 3, 2), "batch axis"),
        ("[[[1,2]],[[3,4]]]", 2, (2, 1, 2), None),
        ([[1, 2], [3, 4]], 2, (1, 2, 2), "batch axis"),
        (np.zeros((5, 4, 2), np.float32), 2, (5, 4, 2), None),
        (np.arange(4), 1, (1, 4, 1), "time step"),
        (7, 1, (1, 1, 1), "time step"),
    ],
)
def test_missing_axes_are_added_and_said(source: Any, features: int, shape: tuple[int, ...], said: str | None) -> None:
    found = read_input(source, network(features))
    assert found.value.shape == found.text.shape == shape
    assert found.value.dtype == np.float64
    assert said in found.notes[0] if said else found.notes == ()


def test_the_digits_are_kept() -> None:
    found = read_input("+1.50, -.5, 1E-3, −2", network())
    assert found.text.ravel().tolist() == ["1.50", "-0.5", "1e-3", "-2"]
    assert found.value.ravel().tolist() == [1.5, -0.5, 0.001, -2]


def test_files(tmp_path: Path) -> None:
    expected = [[[1.5, 2.0], [3.0, -4.0]]]
    np.save(tmp_path / "x.npy", np.array(expected, np.float32))
    (tmp_path / "x.csv").write_text("temperature,pressure\n1.50,2\n\n3, -4\n")
    (tmp_path / "x.json").write_text("[[1.50, 2], [3, -4]]")
    for name in ("x.npy", "x.csv", "x.json"):
        for source in (tmp_path / name, str(tmp_path / name)):
            assert read_input(source, network(2)).value.tolist() == expected
    assert read_input(tmp_path / "x.csv", network(2)).text[0, 0, 0] == "1.50"
    assert "temperature" in read_input(tmp_path / "x.csv", network(2)).notes[0]
    assert read_input(tmp_path / "x.npy", network(2)).text[0, 0, 0] == "1.5"


def test_a_networks_file_may_carry_its_input() -> None:
    seed = Path(__file__).parents[2] / "examples" / "seed.json"
    assert read_input(seed, read(seed)).text.ravel().tolist() == ["1", "2", "9", "8"]


def test_a_float32_file_shows_its_shortest_decimals(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([0.1], np.float32))
    found = read_input(tmp_path / "x.npy", network())
    assert found.text.item() == "0.1"
    assert found.value.item() == float(np.float32(0.1))


@pytest.mark.parametrize(
    ("source", "features", "reason"),
    [
        ("1,2,3", 2, r"has shape \(3,\), but the network takes 2 features: \(time, 2\) or \(batch, time, 2\)"),
        ("[[1,2,3]]", 2, "takes 2 features"),
        ("[[[1,2]]]", 1, "takes 1 feature:"),
        ("[[1],[2,3]]", 1, "ragged"),
        ("", 1, "empty"),
        ("[]", 1, "empty"),
        ("[[]]", 1, "empty"),
        (np.zeros((1, 0, 1)), 1, "must hold"),
        ("1,nan", 1, "finite"),
        ("inf,1", 1, "finite"),
        ([float("inf")], 1, "'inf'"),
        (np.array([np.nan]), 1, "holds nan"),
        ("1e39", 1, "too large for the network's float32"),
        ("1e400", 1, "finite"),
        ("1e401", 1, "exponent"),
        ("1,x", 1, "'x' is not part"),
        ("1,,2,;", 1, "where a number|line 1"),
        ("[1,2", 1, "ends"),
        ("hello", 1, "neither"),
        ("[[[[1]]]]", 1, r"has shape \(1, 1, 1, 1\)"),
        ({"a": 1}, 1, "dtype object"),
        (None, 1, "dtype object"),
        (["1"], 1, "not a number"),
        (np.array([1 + 2j]), 1, "dtype complex128"),
        ("missing.npy", 1, "input: missing.npy: no such file"),
        ("x.pt", 1, "nor a .npy"),
        ("[1, ..., 2]", 1, "abbreviated"),
        (np.broadcast_to(0.0, (2**25, 1)), 1, "must hold"),
    ],
)
def test_unusable_inputs(source: Any, features: int, reason: str) -> None:
    with pytest.raises(UnusableInput, match=reason) as error:
        read_input(source, network(features))
    assert str(error.value).startswith("input: ")
    assert str(error.value).isprintable()


def test_float64_networks_take_larger_numbers() -> None:
    assert read_input("1e39", network(dtype="float64")).value.item() == 1e39


def test_hostile_files(tmp_path: Path) -> None:
    pickled = tmp_path / "p.npy"
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    several = tmp_path / "z.npy"
    with several.open("wb") as file:
        np.savez(file, a=np.zeros(1))
    text = np.lib.format.header_data_from_array_1_0(np.zeros(1)) | {"shape": (2**40,)}
    declared = tmp_path / "d.npy"
    with declared.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, text)
        file.write(bytes(64))
    contents = {
        "a.npy": b"\x93NUMPY",
        "e.npy": b"",
        "b.json": b"{}",
        "c.json": json.dumps({"input": "x"}).encode(),
        "d.json": b"[1, NaN]",
        "e.csv": b"1\nx\n",
        "f.csv": b"1,2\n3\n",
        "g.csv": b"\xff",
        "h.csv": b"1\nnan\n",
        "i.csv": b"",
        "j.csv": b"a\n",
        "k.json": b"[" * 200_000,
        "l.csv": b'"1\n',
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for path in (pickled, several, declared, tmp_path, *(tmp_path / name for name in contents)):
        with pytest.raises(UnusableInput) as error:
            read_input(path, network())
        assert str(error.value).startswith(f"input: {path.name}: ") or "array" in str(error.value)
        assert str(error.value).isprintable()


def test_a_bad_cell_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("t\n1\n\n2,5x\n")
    with pytest.raises(UnusableInput, match=r"x.csv: line 4: '5x' is not"):
        read_input(path, network())


def test_other_than_the_declared_steps_is_said() -> None:
    fixed = network().with_steps(3)
    assert any("3 time steps; 4" in note for note in read_input("1,2,9,8", fixed).notes)
