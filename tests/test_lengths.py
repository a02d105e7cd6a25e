"""Inputs of other lengths than a network's layers take: one line instead of a traceback or a read out of bounds."""

import re

import numpy as np
import pytest

from symgru.errors import UnusableInput
from symgru.face import Model
from symgru.shapes import shapes
from symgru.verify.emitted import compiled
from tests.graphs import Graph

ENGINES = ("reference", "numpy", "c", "exact")


def joined(kind, first=None, second=None):
    g = Graph()
    a, b = g.input("a", first, 2), g.input("b", second, 2)
    both = g.add(kind, a, b, **({"axis": 2} if kind == "concatenate" else {}))
    return Model(g.network(g.gru(both, 2)))


def short(kind, **options):
    g = Graph()
    return Model(g.network(g.gru(g.add(kind, g.input("x", None, 2), **options), 2)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("window", {"size": 3}),
        ("max_pool", {"size": 3}),
        ("crop", {"before": 1, "after": 1}),
        ("part", {"axis": 1, "start": 2}),
    ],
)
def test_too_few_time_steps_are_refused(kind, options, engine):
    with pytest.raises(UnusableInput, match=f"layer {kind}_1: {kind} of shape"):
        short(kind, **options)(np.ones((1, 2, 2)), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_inputs_of_unlike_lengths_are_not_joined(engine):
    with pytest.raises(UnusableInput, match=re.escape("layer concatenate_1: cannot join (3, 2) and (2, 2)")):
        joined("concatenate")(np.ones((1, 3, 2)), np.ones((1, 2, 2)), engine=engine)


def test_c_reads_no_input_past_its_end():
    with pytest.raises(UnusableInput, match="the inputs have 1 and 3 time steps"):
        joined("add")(np.ones((1, 3, 2)), np.ones((1, 1, 2)), engine="c")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fixed_length_that_a_layer_needs(engine):
    g = Graph()
    flat = g.add("flatten", g.gru(g.input("x", 4, 2), 2, sequences=True))
    model = Model(g.network(g.add("dense", flat, units=2)))
    with pytest.raises(UnusableInput, match="layer dense_3: its weights are for 8 features; it is given 4"):
        model(np.ones((1, 2, 2)), engine=engine)


def test_a_window_of_another_length_is_compiled_for_it():
    g = Graph()
    network = g.network(g.add("global_max", g.gru(g.input("x", 4, 2), 2, sequences=True)))
    x = np.random.default_rng(0).normal(size=(1, 2, 2)).astype(np.float32)
    assert np.abs(Model(network)(x, engine="c") - Model(network)(x)).max() <= 1e-5
    with pytest.raises(UnusableInput, match=re.escape("the C is for an input of shape (4, 2); input x has (2, 2)")):
        Model(network).files("c", Model(network).read(x)[0])
    assert compiled(network).ahead


@pytest.mark.parametrize("target", ["numpy", "c"])
def test_the_recorded_input_has_the_length_that_another_input_fixes(target):
    model = joined("concatenate", None, 4)
    assert shapes(model.network)
    assert model.files(target)
