"""Texts of numbers, identifiers from untrusted names, and the fingerprint."""

import keyword
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symgru.network import Edge, Layer, Tensor, chain, safe_id, shortest
from tests.conftest import random_network

seeded = settings(derandomize=True, deadline=None)
floats32 = st.integers(0, 2**32 - 1).map(lambda bits: np.array([bits], np.uint32).view(np.float32))
floats64 = st.integers(0, 2**64 - 1).map(lambda bits: np.array([bits], np.uint64).view(np.float64))


def same(a, b):
    return (a.tobytes() == b.tobytes()) or (np.isnan(a).all() and np.isnan(b).all())


@settings(seeded, max_examples=2000)
@given(floats32)
@example(np.array([-0.0], np.float32))
@example(np.array([1e-45], np.float32))
@example(np.array([3.4028235e38], np.float32))
@example(np.array([0.1], np.float32))
@example(np.array([16777216.0], np.float32))
def test_the_text_reads_back_as_the_same_float32(value):
    (text,) = Tensor.of(value).text
    assert isinstance(text, str)
    assert same(np.array([np.float32(text)]), value)


@settings(seeded, max_examples=500)
@given(floats64)
def test_the_text_reads_back_as_the_same_float64(value):
    (text,) = shortest(value)
    assert same(np.array([float(text)]), value)


@settings(seeded, max_examples=500)
@given(floats32.filter(lambda v: np.isfinite(v).all() and v.all()))
def test_no_shorter_text_would_do(value):
    """One digit less is another float32."""
    (text,) = shortest(value)
    digits = len(re.sub(r"e.*|[-.]", "", text).strip("0"))
    if digits > 1:
        with np.errstate(all="ignore"):
            assert np.float32(f"{value[0]:.{digits - 2}e}") != value[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.90954137, "-0.90954137"),
        (0.1, "0.1"),
        (1.0, "1"),
        (-3.0, "-3"),
        (0.0, "0"),
        (1e-7, "1e-07"),
        (123456.0, "123456"),
    ],
)
def test_texts_a_person_would_write(value, text):
    assert shortest(np.array([value], np.float32))[0] == text


def test_tensor():
    t = Tensor.of(np.array([[1.5, 2], [3, 4], [5, 0]], np.float32))
    assert t.text.tolist() == [["1.5", "2"], ["3", "4"], ["5", "0"]]
    assert t.T.text.tolist() == [["1.5", "3", "5"], ["2", "4", "0"]]
    assert t[1].text.tolist() == ["3", "4"]
    assert t[1].value.tolist() == [3, 4]
    assert not t.is_zero
    assert Tensor.of(np.array([0.0, -0.0])).is_zero
    assert not Tensor.of(np.array([0.0, 1e-320])).is_zero
    typed = Tensor.of(np.array([0.1]), np.array(["0.10"], dtype=object))
    assert typed.text[0] == "0.10"


HOSTILE = [
    "",
    " ",
    "_",
    "__",
    "9",
    "9lives",
    "GRU",
    "gru",
    "é",
    "ß",
    "İstanbul",
    "层",
    "a b",
    "a-b",
    "a/b",
    "a\\b",
    "*/ int x; /*",
    "\x00",
    "\n#include <stdio.h>",
    '"""',
    "'; DROP TABLE",
    "a" * 5000,
    "{{7*7}}",
    "%s%n",
    "int",
    "while",
    "class",
    "numpy",
    "np",
    "__init__",
    "-",
    "1" * 40,
    "\u202egnp",
    "\ud800",
    "\\input{x}",
    "$(rm)",
    "layer",
    "layer_2",
    "x",
    "state",
    "y",
]


@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_safe_id_is_an_identifier(label):
    name = safe_id(label, set())
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert name.isidentifier()
    assert len(name) <= 32
    assert not name.endswith("_")


@seeded
@given(st.lists(st.text(max_size=50) | st.sampled_from(["gru", "gru_2", "GRU", "gru 2", "a" * 32]), max_size=12))
def test_safe_ids_are_unique(labels):
    taken = set()
    names = [safe_id(label, taken) for label in labels]
    assert len(set(names)) == len(labels)
    assert taken == set(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


def test_names_that_are_fine_stay():
    assert safe_id("gru_1", set()) == "gru_1"
    assert safe_id("My GRU (1)", set()) == "my_gru_1"
    assert safe_id("gru", {"gru"}) == "gru_2"
    assert safe_id("gru", {"gru", "gru_2"}) == "gru_3"
    assert safe_id("7", set(), "dense") == "dense_7"
    assert safe_id("", set(), "dense") == "dense"


@pytest.mark.parametrize(("label", "taken"), [("a" * 40, {"a" * 32}), ("1" * 40, set())], ids=["taken", "digits"])
def test_an_identifier_has_at_most_32_characters(label, taken):
    assert len(safe_id(label, set(taken))) <= 32


def test_keywords_are_left_to_the_backends():
    assert keyword.iskeyword(safe_id("while", set()))


def network():
    return random_network([("gru", 3, {"return_sequences": True}), ("dense", 2, {"activation": "relu"})], 2)


def edited(net, layer_id, **changes):
    return replace(net, layers={**net.layers, layer_id: replace(net.layers[layer_id], **changes)})


@pytest.mark.parametrize("layer", ["gru_1", "dense_2"])
def test_one_bit_of_any_weight_changes_the_fingerprint(layer):
    net = network()
    for name, tensor in net.layers[layer].weights.items():
        for k in range(tensor.value.size):
            value = tensor.value.copy()
            value.reshape(-1).view(np.uint32)[k] ^= 1
            other = edited(net, layer, weights={**net.layers[layer].weights, name: Tensor.of(value)})
            assert other.fingerprint != net.fingerprint, f"{name}[{k}]"


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"return_sequences": False}},
        {"options": {"return_sequences": True, "activation": "relu"}},
        {"options": {}},
        {"kind": "gru_before"},
    ],
    ids=str,
)
def test_options_and_kinds_change_the_fingerprint(change):
    assert edited(network(), "gru_1", **change).fingerprint != network().fingerprint


def test_what_else_changes_the_fingerprint():
    net = network()
    assert replace(net, dtype="float64").fingerprint != net.fingerprint
    assert replace(net, calls=net.calls[:1]).fingerprint != net.fingerprint
    weights = net.layers["gru_1"].weights
    swapped = {**weights, "b_z": weights["b_r"], "b_r": weights["b_z"]}
    assert edited(net, "gru_1", weights=swapped).fingerprint != net.fingerprint
    assert edited(net, "gru_1", weights={**weights, "U_z": weights["U_z"].T}).fingerprint != net.fingerprint


def test_what_does_not_change_the_fingerprint():
    net = network()
    assert re.fullmatch("[0-9a-f]{64}", net.fingerprint)
    same_function = [
        network(),
        replace(net, origin="elsewhere.keras"),
        replace(net, name="other"),
        replace(net, notes=("read",)),
        net.with_steps(9),
        edited(net, "gru_1", label="another name", notes=("a note",)),
        edited(net, "gru_1", weights=dict(reversed(net.layers["gru_1"].weights.items()))),
        edited(
            net,
            "gru_1",
            weights={k: Tensor(np.asfortranarray(t.value), t.text) for k, t in net.layers["gru_1"].weights.items()},
        ),
    ]
    assert {other.fingerprint for other in same_function} == {net.fingerprint}


def test_chain():
    net = network()
    assert [(call.id, layer.id) for call, layer in net] == [("gru_1", "gru_1"), ("dense_2", "dense_2")]
    assert net.calls[0].args == (Edge("x", "input"),)
    assert net.calls[1].args == (Edge("gru_1"),)
    assert net.outputs == (Edge("dense_2"),)
    assert net.parameters == 3 * (2 * 3 + 3 * 3 + 2 * 3) + 3 * 2 + 2
    assert chain([Layer("a", "a", "dense", {}, {})], dtype="float32", features=4, steps=7).steps == 7
