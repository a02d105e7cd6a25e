"""Damaged and hostile ONNX files: one line that says what was found, quickly, and nothing read outside the folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from symgru.errors import SymgruError, UnusableInput
from symgru.face import load
from tests.readers.onnx_by_hand import Wire, gru_model, tensor, whole

SECONDS = 5.0


def refused(content: bytes, folder: Path, match: str = ".") -> str:
    """The message of the refusal, which must be one short line and come quickly."""
    path = folder / "hostile.onnx"
    path.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(SymgruError, match=match) as caught:
        load(path)
    assert time.perf_counter() - start < SECONDS
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500
    assert message.startswith("hostile.onnx: ")
    return message


def test_the_undamaged_model_is_read(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(gru_model())
    assert load(path).network.layers["gru"].kind == "gru"


def test_every_truncation_is_refused(tmp_path):
    content = gru_model()
    for size in range(1, len(content)):
        refused(content[:size], tmp_path)


def what_is_said(path: Path) -> str | None:
    """The refusal of a file, None where it is read; any other exception passes through."""
    try:
        load(path)
    except SymgruError as error:
        return str(error)
    return None


def test_every_flipped_bit_is_read_or_refused_in_one_line(tmp_path):
    content = bytearray(gru_model())
    path = tmp_path / "flipped.onnx"
    seen = {"read": 0, "refused": 0}
    for place in range(len(content)):
        bit = 1 << place % 8
        content[place] ^= bit
        path.write_bytes(bytes(content))
        content[place] ^= bit
        message = what_is_said(path)
        assert message is None or ("\n" not in message and len(message) < 500)
        seen["read" if message is None else "refused"] += 1
    assert min(seen.values()) > 20  # a flipped bit of a weight is another weight; one of a length is damage


@pytest.mark.parametrize(
    ("dims", "match"),
    [
        ([2**40, 2**40], "numbers are read"),
        ([1, 3, 2**31], "numbers are read"),
        ([-1, 3, 4], "has the shape"),
        ([1, 10**6, 2], "bytes of data where its shape needs"),
        ([1] * 9, "has the shape"),
        ([0, 3, 4], "bytes of data where its shape needs"),
    ],
)
def test_shapes_are_compared_with_the_bytes_before_anything_is_allocated(dims, match, tmp_path):
    refused(gru_model(w=tensor("W", np.zeros((1, 3, 2), np.float32), dims=dims)), tmp_path, match)


def test_a_packed_list_of_numbers_is_counted_before_it_is_read(tmp_path):
    held = Wire().number(1, 3).number(2, 7).text(8, "W").raw(7, b"\x01" * 4)
    refused(gru_model(w=held.content), tmp_path, "has 4 numbers where its shape needs 3")


def test_a_cycle_is_refused(tmp_path):
    nodes = [("Identity", ["b"], ["a"], {}), ("Identity", ["a"], ["b"], {}), ("GRU", ["b", "W", "R"], ["Y"], {})]
    refused(gru_model(nodes=nodes), tmp_path, "reads 'b', which nothing before it makes")


def test_a_node_that_reads_its_own_output(tmp_path):
    refused(
        gru_model(nodes=[("GRU", ["Y", "W", "R"], ["Y"], {})]), tmp_path, "reads 'Y', which nothing before it makes"
    )


def test_a_million_nodes(tmp_path):
    node = Wire().text(1, "X").text(2, "X").text(4, "Relu").content
    graph = (Wire().raw(1, node).content) * 1_000_000
    content = Wire().raw(7, graph).raw(8, Wire().number(2, 17).content).content
    refused(content, tmp_path, "fields; symgru reads no more")


def test_many_nodes_in_a_row_are_followed_quickly(tmp_path):
    chain = [("Transpose", [f"v{k}" if k else "X"], [f"v{k + 1}"], {"perm": [0, 1, 2]}) for k in range(5000)]
    path = tmp_path / "long.onnx"
    path.write_bytes(gru_model(nodes=[*chain, ("GRU", ["v5000", "W", "R"], ["Y"], {})]))
    start = time.perf_counter()
    assert len(load(path).network.calls) == 1
    assert time.perf_counter() - start < SECONDS


def test_constants_that_double_again_and_again(tmp_path):
    nodes = [("Concat", [f"c{k}" if k else "W"] * 2, [f"c{k + 1}"], {"axis": 0}) for k in range(60)]
    refused(gru_model(nodes=[*nodes, ("GRU", ["X", "c60", "R"], ["Y"], {})]), tmp_path, "too large|numbers")


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        ([("Squeeze", ["X"], ["a"], {"axes": [-9]})], "names axis -9 of a value with 3 axes"),
        ([("Transpose", ["X"], ["a"], {"perm": [0, 0, 7]})], "order of axes"),
        ([("Gather", ["X", "W"], ["a"], {"axis": -4})], "names axis -4|neighbouring"),
        ([("Concat", ["X", "X"], ["a"], {"axis": 9})], "names axis 9"),
        ([("Softmax", ["X"], ["a"], {"axis": -(2**60)})], "names axis"),
        ([("Flatten", ["X"], ["a"], {"axis": 2**62})], "names axis"),
        ([("Nothing\n\x1b[2J", ["X"], ["a"], {})], r"node 1 \(Nothing.*x1b.*\): is an operator"),
    ],
)
def test_axes_and_names_of_any_content(nodes, match, tmp_path):
    after = ("GRU", ["a", "W", "R"], ["Y"], {})
    refused(gru_model(nodes=[*nodes, after], opset=11), tmp_path, match)


def external(location: str, offset: str = "0", length: str = "24") -> bytes:
    """W of shape (1, 3, 2), its numbers in another file."""
    wire = Wire().number(1, 1).number(1, 3).number(1, 2).number(2, 1).text(8, "W").number(14, 1)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        wire.raw(13, Wire().text(1, key).text(2, value).content)
    return wire.content


def test_external_data_beside_the_model(tmp_path):
    numbers = np.arange(6, dtype=np.float32) / 8
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(b"12345678" + numbers.tobytes())
    path = tmp_path / "m.onnx"
    path.write_bytes(gru_model(w=external("data/w.bin", "8")))
    weights = load(path).network.layers["gru"].weights
    assert [weights[f"W_{g}"].value.tolist() for g in "zrn"] == [[[0, 0.125]], [[0.25, 0.375]], [[0.5, 0.625]]]


def outside(tmp_path: Path) -> Path:
    """A folder for the model, and a file beside the folder that must not be read."""
    (tmp_path / "secret.bin").write_bytes(bytes(100))
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "make", [lambda f: "../secret.bin", lambda f: str(f.parent / "secret.bin"), lambda f: "a/../../secret.bin"]
)
def test_external_data_outside_the_folder(make: Callable[[Path], str], tmp_path):
    folder = outside(tmp_path)
    refused(gru_model(w=external(make(folder))), folder, "not inside the model's folder")


def test_external_data_through_links(tmp_path):
    folder = outside(tmp_path)
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "way").symlink_to(tmp_path)
    for location in ("link.bin", "way/secret.bin"):
        refused(gru_model(w=external(location)), folder, "leads out of the model's folder")


@pytest.mark.parametrize(
    ("location", "offset", "length", "match"),
    [
        ("w.bin", "90", "24", "needs bytes 90 to 114 of 'w.bin', which has 100"),
        ("w.bin", "0", "100", "100 bytes where its shape needs 24"),
        ("w.bin", "-8", "24", "with the offset -8"),
        ("w.bin", "9" * 30, "24", "with the offset"),
        ("none.bin", "0", "24", "no file beside the model"),
        ("", "0", "24", "not inside"),
        ("w\0.bin", "0", "24", "not inside"),
        (".", "0", "24", "not inside|no file"),
    ],
)
def test_external_data_that_is_not_there(location, offset, length, match, tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(100))
    refused(gru_model(w=external(location, offset, length)), tmp_path, match)


def test_external_data_in_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(gru_model(w=external("pipe")), tmp_path, "no file beside the model")


def test_an_architecture_is_refused(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(gru_model())
    with pytest.raises(UnusableInput, match="has its own layers"):
        load(path, {"layers": []})


@pytest.mark.parametrize("content", [b"\x00", b"\x0a", b"PK\x03\x04", b"\xff" * 40, b"{}", b"\x08\x07" * 300_000])
def test_what_is_no_model(content, tmp_path):
    refused(content, tmp_path)


def test_an_expansion_that_does_not_fit(tmp_path):
    """Found by mutating files: NumPy's own error came through."""
    nodes = [
        ("Shape", ["X"], ["s"], {}),
        ("Expand", ["R", "s"], ["h"], {}),
        ("GRU", ["X", "W", "R", "", "", "h"], ["Y"], {}),
    ]
    refused(gru_model(nodes=nodes), tmp_path, "expands|initial_h")


def test_an_index_past_the_end_of_a_sequence_of_any_length(tmp_path):
    """Found by mutating files: how many time steps there are, only the input tells."""
    nodes = [("Gather", ["X", "i"], ["a"], {"axis": 0}), ("GRU", ["X", "W", "R"], ["", "h"], {})]
    refused(gru_model(nodes=nodes, more=[whole("i", -7)], outputs=("a",)), tmp_path, "has no GRU operator")
    path = tmp_path / "m.onnx"
    path.write_bytes(gru_model(nodes=nodes, more=[whole("i", -7)], outputs=("a", "h")))
    with pytest.raises(UnusableInput, match="past the end of the axis"):
        load(path)(np.ones((1, 3, 2)))
