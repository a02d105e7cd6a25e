"""The scale file: what a good one does, and one line for every bad one."""

import json

import numpy as np
import pytest

from symgru.errors import UnusableInput
from symgru.readers.scale_file import read_scale
from symgru.scaling import IDENTITY, Affine, Scale

ONE = {"mean": [1], "deviation": [2]}


def written(tmp_path, content):
    path = tmp_path / "scale.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_good_file(tmp_path):
    content = {"input": {"mean": [44.5, -1], "deviation": [35.25, 0.5]}, "output": {"mean": [10], "deviation": [4]}}
    scale = read_scale(written(tmp_path, content), 2, 1)
    assert scale.input.mean.dtype == scale.output.deviation.dtype == np.float32
    assert scale.into(np.array([[79.75, 0.0]])).tolist() == [[1.0, 2.0]]
    assert scale.out_of(np.array([[-0.5]])).tolist() == [[8.0]]


@pytest.mark.parametrize("part", ["input", "output"])
def test_a_part_may_be_left_out(tmp_path, part):
    scale = read_scale(written(tmp_path, {part: ONE}), 1, 1)
    y = np.array([[5.0]])
    assert scale.into(y).tolist() == ([[2.0]] if part == "input" else [[5.0]])
    assert scale.out_of(y).tolist() == ([[11.0]] if part == "output" else [[5.0]])
    assert (scale.output if part == "input" else scale.input) is None


def test_there_and_back():
    """An output scale undoes the input scale of the same numbers."""
    part = Affine(np.array([3.5], np.float32), np.array([0.25], np.float32))
    values = np.linspace(-4, 4, 9)[:, None]
    scale = Scale(part, part)
    assert np.abs(scale.out_of(scale.into(values)) - values).max() <= 1e-15
    assert IDENTITY.into(values) is values
    assert IDENTITY.out_of(values) is values


def test_numbers_are_stored_as_float32(tmp_path):
    scale = read_scale(written(tmp_path, {"input": {"mean": [0.1], "deviation": [0.3]}}), 1, 1)
    assert float(scale.input.mean[0]) == float(np.float32(0.1))


BAD = {
    "empty": "",
    "no JSON": "mean: 1",
    "half": '{"input": {"mean": [1',
    "not UTF-8": b'{"input": \xff}',
    "nested": "[" * 100_000,
    "a list": [],
    "nothing": {},
    "a number": 4,
    "another key": {"input": ONE, "offset": ONE},
    "no deviation": {"input": {"mean": [1]}},
    "a third": {"input": {**ONE, "median": [1]}},
    "a list for a part": {"input": [1, 2]},
    "null": {"input": None},
    "text": {"input": {"mean": ["one"], "deviation": [1]}},
    "an object for numbers": {"input": {"mean": {"a": 1}, "deviation": [1]}},
    "null for a number": {"input": {"mean": [None], "deviation": [1]}},
    "too many": {"input": {"mean": [1, 2], "deviation": [1, 2]}},
    "too few": {"input": {"mean": [], "deviation": []}},
    "ragged": {"input": {"mean": [[1], [2, 3]], "deviation": [1]}},
    "a table": {"input": {"mean": [[1]], "deviation": [[1]]}},
    "unlike lengths": {"input": {"mean": [1], "deviation": [1, 2]}},
    "zero": {"input": {"mean": [1], "deviation": [0]}},
    "negative": {"input": {"mean": [1], "deviation": [-2]}},
    "zero as float32": {"input": {"mean": [1], "deviation": [1e-60]}},
    "NaN": '{"input": {"mean": [NaN], "deviation": [1]}}',
    "infinite": '{"input": {"mean": [1], "deviation": [Infinity]}}',
    "infinite as float32": {"input": {"mean": [1e300], "deviation": [1]}},
    "a huge integer": {"input": {"mean": [10**400], "deviation": [1]}},
    "a longer integer than Python reads": '{"input": {"mean": [' + "9" * 10_000 + '], "deviation": [1]}}',
    "the other width": {"output": {"mean": [1, 1], "deviation": [1, 1]}},
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_one_line(tmp_path, content):
    with pytest.raises(UnusableInput) as refused:
        read_scale(written(tmp_path, content), 1, 1)
    message = str(refused.value)
    assert message.startswith("scale.json: ")
    assert "\n" not in message
    assert len(message) < 300


LOOKS_LIKE_NUMBERS = {
    "numbers in quotes": {"input": {"mean": ["1.5"], "deviation": [1]}},
    "true": {"input": {"mean": [1], "deviation": [True]}},
    "a name twice": '{"input": {"mean": [1], "deviation": [1]}, "input": {"mean": [2], "deviation": [1]}}',
}


@pytest.mark.parametrize("content", LOOKS_LIKE_NUMBERS.values(), ids=LOOKS_LIKE_NUMBERS)
def test_what_looks_like_numbers_is_refused(tmp_path, content):
    with pytest.raises(UnusableInput):
        read_scale(written(tmp_path, content), 1, 1)


def test_no_file(tmp_path):
    with pytest.raises(UnusableInput, match=r"missing\.json: no such file"):
        read_scale(tmp_path / "missing.json", 1, 1)
    with pytest.raises(UnusableInput, match="directory"):
        read_scale(tmp_path, 1, 1)


def test_messages_say_what_is_wrong(tmp_path):
    said = {
        "zero": "deviation: every number must be above 0",
        "negative": "above 0",
        "NaN": "NaN",
        "too many": "input mean must be a list of 1 ",
        "the other width": "output mean must be a list of 1 ",
    }
    for key, words in said.items():
        with pytest.raises(UnusableInput, match=words):
            read_scale(written(tmp_path, BAD[key]), 1, 1)
