"""A .safetensors file, read without the library, and files that lie about where their numbers are."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from symgru import load
from symgru.errors import SymgruError
from symgru.readers.safetensors_file import read_tensors
from tests.conftest import need_package
from tests.readers import torch_by_hand as hand

ARRAYS = hand.arrays()
NAME = "net.safetensors"


def refused(folder: Path, content: bytes, match: str) -> None:
    with pytest.raises(SymgruError, match=match) as error:
        load(hand.write(folder, content, NAME))
    assert str(error.value).isprintable()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_it_holds_what_the_library_wrote(tmp_path: Path, dtype: str) -> None:
    library = need_package("safetensors.numpy")
    given = hand.arrays(3, dtype) | {"steps": np.array(7), "empty": np.zeros((0, 2), dtype)}
    library.save_file(given, tmp_path / NAME, metadata={"format": "pt"})
    found = read_tensors(tmp_path / NAME)
    assert set(found) == set(given)
    for name, array in given.items():
        assert found[name].shape == array.shape
        assert np.array_equal(found[name].load(), array)
    library.save_file(hand.arrays(3, dtype), tmp_path / NAME)
    network = load(tmp_path / NAME).network
    assert network.dtype == ("float64" if dtype == "float64" else "float32")
    assert ("float16" in " ".join(network.notes)) == (dtype == "float16")


def test_the_library_reads_what_is_made_by_hand(tmp_path: Path) -> None:
    library = need_package("safetensors.numpy")
    found = library.load_file(hand.write(tmp_path, hand.safetensors(ARRAYS), NAME))
    assert all(np.array_equal(found[name], array) for name, array in ARRAYS.items())


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"data_offsets": [0, 71]}, "does not fit its data_offsets"),
        ({"data_offsets": [72, 0]}, "does not fit"),
        ({"data_offsets": [4, 76]}, "begins at byte 4; byte 0 is the next"),
        ({"data_offsets": [-72, 0]}, "whole numbers from 0"),
        ({"data_offsets": [0, True]}, "whole numbers from 0"),
        ({"data_offsets": [0.0, 72.0]}, "whole numbers from 0"),
        ({"data_offsets": [0]}, "does not fit"),
        ({"data_offsets": "abc"}, "whole numbers from 0"),
        ({"data_offsets": None}, "whole numbers from 0"),
        ({"shape": [6, -3]}, "whole numbers from 0"),
        ({"shape": [2**47, 2**47]}, "does not fit"),
        ({"shape": [2**60]}, "whole numbers from 0"),
        ({"shape": [1] * 9}, "at most 8"),
        ({"shape": [3, 6]}, "rows|shape"),
        ({"dtype": "F8_E4M3"}, "known are F64"),
        ({"dtype": 7}, "known are F64"),
        ({"dtype": "F64"}, "does not fit"),
        ({"dtype": "I32"}, "floating point numbers are needed"),
    ],
)
def test_entries_that_cannot_be(tmp_path: Path, entry: dict[str, object], match: str) -> None:
    refused(tmp_path, hand.safetensors(ARRAYS, {"weight_ih_l0": entry}), match)


def test_headers_that_cannot_be(tmp_path: Path) -> None:
    sound = hand.safetensors(ARRAYS)
    refused(tmp_path, struct.pack("<Q", 2**40) + sound[8:], "header would have 1099511627776 bytes")
    refused(tmp_path, sound[:40], "truncated")
    refused(tmp_path, sound[:-4], "its tensors need")
    refused(tmp_path, sound + b"\0", "its tensors need")
    refused(tmp_path, b"\0" * 8, "no safetensors file")
    for head, match in (
        (b'{"a": {}, "a": {}}', "same name twice"),
        (b'{"a": []}', "must be an object"),
        (b'{"a": NaN}', "finite"),
        (b'{"a": ' + b"[" * 100_000, "nested too deep|not JSON"),
        (b'{"\xff": 1}', "not UTF-8"),
        (b"{}", "holds 0 tensors"),
        (
            json.dumps(
                {str(k): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for k in range(20_001)}
            ).encode(),
            "20001",
        ),
    ):
        refused(tmp_path, struct.pack("<Q", len(head)) + head, match)


def test_two_tensors_in_one_place(tmp_path: Path) -> None:
    given = {"weight_ih_l0": ARRAYS["weight_ih_l0"], "weight_hh_l0": ARRAYS["weight_ih_l0"]}
    refused(tmp_path, hand.safetensors(given, {"weight_hh_l0": {"data_offsets": [0, 72]}}), "byte 72 is the next")


def test_numbers_that_are_not_finite(tmp_path: Path) -> None:
    given = {name: array.copy() for name, array in ARRAYS.items()}
    given["weight_hh_l0"][0, 1] = np.nan
    refused(tmp_path, hand.safetensors(given), r"weight_hh_l0 holds nan at \[0, 1\]")


def test_arrays_of_another_framework(tmp_path: Path) -> None:
    """MLX writes safetensors too: one bias for both sides, the candidate's of the state's side apart."""
    given = hand.arrays(5, shapes={"rnn.Wx": (6, 3), "rnn.Wh": (6, 2), "rnn.b": (6,), "rnn.bhn": (2,)})
    (layer,) = load(hand.write(tmp_path, hand.safetensors(given), NAME)).network.layers.values()
    assert np.array_equal(layer.weights["W_r"].value, given["rnn.Wx"][:2])
    assert np.array_equal(layer.weights["c_n"].value, given["rnn.bhn"])
    assert not layer.weights["c_z"].value.any()
