"""symgru verify with each framework's own file, or its layers built again: all agree, and a misreading is found."""

import dataclasses

import numpy as np
import pytest

from symgru.face import load
from symgru.network import Tensor
from symgru.verify import keras as with_keras
from symgru.verify import onnx as with_onnx
from symgru.verify import torch as with_torch
from symgru.verify.compare import Row, Skipped, compare
from symgru.verify.frameworks import framework, in_batches
from symgru.yardstick import example_inputs
from tests.conftest import ROOT, need_package, random_network
from tests.wired import Graph, sequence

BRACKETS = ROOT / "examples" / "brackets.keras"


def framework_row(model, xs=None):
    """The row of the framework, which comes second."""
    rows = compare(model.network, xs or example_inputs(model.network), model.path)
    next(rows)
    return next(rows)


def with_gates_exchanged(model):
    layers = {}
    for name, layer in model.network.layers.items():
        weights = dict(layer.weights)
        for letter in "WUbc":
            if f"{letter}_z" in weights:
                weights[f"{letter}_z"], weights[f"{letter}_r"] = weights[f"{letter}_r"], weights[f"{letter}_z"]
        layers[name] = dataclasses.replace(layer, weights=weights)
    model.network = dataclasses.replace(model.network, layers=layers)
    return model


def check(model, begins):
    row = framework_row(model)
    assert isinstance(row, Row), row
    assert row.engine.startswith(begins)
    assert row.passed
    assert row.difference < 2e-6
    assert not framework_row(with_gates_exchanged(model)).passed


def test_a_masked_bidirectional_keras_file():
    check(load(BRACKETS), "Keras 3")


def test_keras_with_several_outputs_and_a_batch_of_one(tmp_path):
    keras = pytest.importorskip("keras")
    entrance = keras.Input(batch_shape=(1, None, 2))
    y, state = keras.layers.GRU(3, return_sequences=True, return_state=True, stateful=True)(entrance)
    path = tmp_path / "stateful.keras"
    keras.Model(entrance, {"last": state, "every": keras.layers.Dense(2)(y)}).save(path)
    model = load(path)
    row = framework_row(model)  # of two sequences, each from a state of 0
    assert row.passed
    assert sorted(y.shape for y in row.outputs) == [(2, 3), (2, 5, 2)]


def test_a_file_that_fixes_its_steps_is_not_asked_about_others(tmp_path):
    keras = pytest.importorskip("keras")
    layers = keras.layers
    path = tmp_path / "fixed.keras"
    keras.Sequential([keras.Input((4, 2)), layers.Conv1D(3, 2), layers.GRU(2)]).save(path)
    model = load(path)
    assert framework_row(model).passed
    row = framework_row(model, [Tensor.of(np.ones((1, 3, 2)))])
    assert isinstance(row, Skipped)
    assert row.why == "its input layer takes 4 time steps; 3 are given"


def torch_file(tmp_path):
    torch = need_package("torch")
    torch.manual_seed(3)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = torch.nn.GRU(3, 4, 2, batch_first=True)
            self.head = torch.nn.Linear(4, 2)

    path = tmp_path / "net.pt"
    torch.save(Net().state_dict(), path)
    return path


def test_a_state_dict(tmp_path):
    check(load(torch_file(tmp_path)), "PyTorch 2")


def test_torch_is_asked_only_for_what_it_has():
    x = [np.zeros((1, 3, 2))]
    for options in ({"reset_after": False}, {"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}):
        assert not with_torch.knows(random_network([("gru", 3, options)], 2))
    assert with_torch.knows(random_network([("gru", 3, {}), ("dense", 2, {"activation": "softmax"})], 2))
    g = Graph(sequence())
    assert not with_torch.knows(g.network(g.add("gru", g.add("flip", "x"))))
    need_package("torch")
    words = with_torch.refusal(random_network([("gru", 3, {"reset_after": False})], 2), x, None)
    assert words == "is asked for GRU, Linear and activations in a row only"


@pytest.mark.parametrize("layout", ["steps first", "one direction"])
def test_an_onnx_file_with_the_batch_second(tmp_path, layout):
    """Y (steps, directions, batch, units) is ONNX' own; its batch of 2 is fixed in one of them."""
    need_package("onnxruntime")
    onnx = need_package("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    rng = np.random.default_rng(5)
    shapes = {"W": (1, 9, 2), "R": (1, 9, 3), "B": (1, 18)}
    weights = [
        numpy_helper.from_array(rng.uniform(-1, 1, shape).astype(np.float32), name) for name, shape in shapes.items()
    ]
    node = helper.make_node("GRU", ["x", *shapes], ["Y", "Y_h"], hidden_size=3, linear_before_reset=1)
    batch = 2 if layout == "one direction" else "batch"
    nodes, output = [node], helper.make_tensor_value_info("Y_h", onnx.TensorProto.FLOAT, [1, batch, 3])
    if layout == "steps first":
        weights.append(numpy_helper.from_array(np.array([1]), "axes"))
        nodes.append(helper.make_node("Squeeze", ["Y", "axes"], ["every"]))
        output = helper.make_tensor_value_info("every", onnx.TensorProto.FLOAT, ["time", batch, 3])
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["time", batch, 2])
    graph = helper.make_graph(nodes, "net", [x], [output], weights)
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8), path)
    check(load(path), "ONNX Runtime")
    model = load(path)
    row = framework_row(model, example_inputs(model.network, batch=3))
    assert row.passed
    assert len(row.output) == 3


def test_which_framework_is_asked(tmp_path):
    endings = {"a.keras": "Keras", "a.h5": "Keras", "a.json": "Keras", "a.onnx": "ONNX Runtime", "a.PT": "PyTorch"}
    assert {name: framework(tmp_path / name).NAME for name in endings} == endings
    assert framework(None).NAME == "Keras"
    assert not with_keras.loads(tmp_path / "a.weights.h5")


def test_a_framework_that_fails_or_lacks_is_a_row_that_says_so(tmp_path, monkeypatch):
    need_package("onnxruntime")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no graph")
    model = load(ROOT / "examples" / "seed.json")
    model.path = broken
    row = framework_row(model)
    assert isinstance(row, Skipped)
    assert row.why.startswith("ONNX Runtime cannot run broken.onnx (")
    assert "\n" not in row.why
    monkeypatch.setattr(with_onnx, "installed", lambda: False)
    assert framework_row(model).why == "not installed: pip install onnxruntime"


def test_as_many_sequences_at_once_as_a_model_takes():
    seen = []

    def ask(xs):
        seen.append(len(xs[0]))
        return [xs[0] * 2]

    x = np.arange(5.0)[:, None]
    for batch, sizes in ((None, [5]), (5, [5]), (2, [2, 2, 2]), (8, [8])):
        seen.clear()
        assert np.array_equal(in_batches(ask, [x], batch)[0], 2 * x)
        assert seen == sizes
