"""What was found by trying to break it: claims in odd forms, heads wider than the layer, lines that are rounded."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from symgru.backends import renderer
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.findings import Probe
from symgru.diagnosis.lemmas import lemmas
from symgru.diagnosis.ranges import ranges
from symgru.diagnosis.rarer import catalogue
from symgru.diagnosis.reading import read_claim
from symgru.diagnosis.search import diagnose
from symgru.errors import UnusableInput
from symgru.face import Model
from symgru.lesson.side_by_side import beside
from symgru.mistakes import Trial
from symgru.network import Tensor
from tests.diagnosis.by_hand import diagnosis
from tests.documents.conftest import network, sequence
from tests.one_unit import SEED, X

LAST = (1, 4, 1)  # one sequence of 4 steps, 1 unit


@pytest.mark.parametrize(
    ("claimed", "shape", "units", "says"),
    [
        ("0.5123", LAST, [1, 1], "unit 1 is named twice"),
        ("0.5123", (1, 4, 2), [1, 2], "has 1 number of shape"),
        ("-0,70691", LAST, None, "write -0.70691"),
        ("−0,70691", (1, 4, 2), None, "write −0.70691"),
        (np.array([1]), LAST, None, "cannot be told from other numbers"),
    ],
)
def test_claims_that_cannot_be_meant(claimed: object, shape: tuple[int, int, int], units: list[int], says: str) -> None:
    with pytest.raises(UnusableInput, match=re.escape(says)):
        read_claim(claimed, shape, units)


def test_two_whole_numbers_are_two() -> None:
    numbers, _ = read_claim("0,12", (1, 4, 2))
    assert [n.text for n in numbers] == ["0", "12"]


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.float32, (10**7,))
    with pytest.raises(UnusableInput, match="10000000 numbers; at most"):
        read_claim(tmp_path / "large.npy", LAST)


@pytest.mark.parametrize("stored", [True, False])
def test_numbers_of_16_bits_are_as_good_as_their_bits(stored: bool, tmp_path: Path) -> None:
    """0.1 of 16 bits is one of the numbers that are 6e-5 apart there."""
    values = np.array([[-0.4628], [0.1]], dtype=np.float16)
    np.save(tmp_path / "half.npy", values)
    numbers, _ = read_claim(tmp_path / "half.npy" if stored else values, (2, 4, 1))
    for n, v in zip(numbers, values.ravel(), strict=True):
        assert n.half >= float(np.spacing(np.abs(v))) / 2
        assert abs(float(n.value) - float(v)) <= n.half
        assert n.half < 1e-3


def test_a_right_number_of_16_bits_is_right() -> None:
    numbers, _ = read_claim(np.array([-0.46279538], dtype=np.float16), LAST)
    assert diagnose(SEED, (Case((X,), numbers),)).verdict == "right"


WIDE = network(3, [("gru", 2, {"reset_after": True}), ("dense", 5, {"activation": "linear"})], 2)


@pytest.mark.parametrize("name", ["last step dropped", "summed into one step"])
def test_an_output_that_the_layer_has_no_unit_for(name: str) -> None:
    """A head of 5 numbers on a layer of 2 units; one of the two calculations ends a step earlier."""
    x = sequence(3, 4, 2)
    d = diagnosis(WIDE, x, (Number("0.5", unit=4),), "explained", [[("sequence", name)]])
    assert "Where the two calculations part" in "".join(renderer("text", "diagnosis")(d, header=False))


@pytest.mark.parametrize("decimals", [2, 3])
def test_lines_that_were_rounded_have_so_many_decimals(decimals: int) -> None:
    """0.00492 to 3 decimals is 0.005, however few digits that leaves."""
    small = network(3, [("gru", 2, {"reset_after": True})], 2)
    x = Tensor(np.array([[[0.01, -0.02], [0.003, 0.004]]]))
    trial = Trial(small, (x,), catalogue)
    name = f"{decimals} decimals"
    both = beside(trial, [m for m in trial.mistakes if (m.kind, m.name) == ("rounding", name)], 8)
    assert both
    for layer in both.other:
        for t in range(1, layer.steps + 1):
            for line in layer.lines(t):
                assert re.fullmatch(rf"-?[0-9]+\.[0-9]{{{decimals}}}", line.text), line.text


def test_of_several_ranges_it_is_said_of_which_number_each_is() -> None:
    net = Model(network(3, [("gru", 2, {"reset_after": True})], 2))
    report = str(net.diagnose(sequence(3, 4, 2).value, claimed="0.99991,-0.99992"))
    for paragraph in re.findall(r"What can come out: ([^.]*)", report):
        assert paragraph.startswith("In the place of")


def test_of_a_long_sequence_only_the_networks_own_convention_is_bounded() -> None:
    """500 steps of a small layer take as long as those of a larger one; all conventions would take a minute."""
    x = Tensor(np.zeros((1, 500, 2)))
    (reach,) = ranges(network(3, [("gru", 2, {"reset_after": True})], 2), (Case((x,), (Number("0.5"),)),))
    assert reach.conventions == 1


WAYS = [("sequence", "summed into one step"), ("update rule", "swapped"), ("sequence", "reversed")]


def _asked(*values: tuple[float, ...]) -> str:
    probe = Probe(sequence(3, 1, 1), values, 2)
    d = diagnosis(SEED, X, ["-0.70691013"], "explained", [[way] for way in WAYS], probe=probe)
    return " ".join("".join(renderer("text", "diagnosis")(d, header=False)).split())


def test_as_many_numbers_are_told_as_tell_the_ways_apart() -> None:
    told = _asked((0.1, 0.2, 0.3, 0.4, 0.5), (0.1, 0.2, 0.3, 0.6, 0.5), (0.1, 0.2, 0.3, 0.7, 0.5))
    assert "Then the result (its first 4 numbers) is: 0.100000, 0.200000, 0.300000, 0.400000 if" in told
    assert "does not tell apart" not in told


def test_what_an_input_does_not_tell_apart_is_said() -> None:
    told = _asked((0.1,), (0.2,), (0.2,))
    assert "Those with the same result this input does not tell apart." in told


def test_ways_that_nobody_ran_with_that_input_are_not_told() -> None:
    told = _asked((0.1,), (0.2,))
    assert told.count(" if you ") == 3  # two of the ways, and the title's sentence


def test_relu_needs_no_sign_of_a_weight() -> None:
    """What is said of the weights in a proof has to hold of them."""
    net = network(3, [("gru", 2, {"reset_after": True, "activation": "relu"})], 2)
    (layer,) = net.layers.values()
    assert (layer.weights["U_n"].value < 0).any()
    found = [p for p in lemmas(net, (Case((sequence(3, 4, 2),), (Number("-0.51"),)),), catalogue) if p.name == "sign"]
    assert [lemma.every for lemma in found] == ["for every input"]
    assert "no weight" not in found[0].proof and "no bias" not in found[0].proof
