"""The emitted module: what it imports, takes, gives and refuses; and its own test."""

import ast
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from symgru.activations import table
from symgru.backends.model import layers
from symgru.backends.numpy import Options, files
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.face import load
from symgru.network import Tensor
from symgru.trace import run
from symgru.verify.emitted import _imported
from tests.conftest import SEED, random_input, random_network

SEQUENCES = {"return_sequences": True}
ACTIVATED = sorted(table())
NETWORKS = {
    "gru": [("gru", 3, {})],
    "before": [("gru", 3, {"reset_after": False})],
    "bare": [("gru", 3, {"use_bias": False}), ("dense", 2, {"use_bias": False})],
    "sequences": [("gru", 3, SEQUENCES)],
    "stack": [("gru", 4, SEQUENCES), ("gru", 2, {"reset_after": False}), ("dense", 3, {"activation": "softmax"})],
    "one": [("gru", 1, {})],
}
every = pytest.mark.parametrize("name", NETWORKS)


def network_of(name, dtype="float64"):
    return random_network(NETWORKS[name], 2, dtype, seed=sorted(NETWORKS).index(name), name=name)


def emit(network, folder, x=None):
    """The module's file and its test's."""
    emitted = files(network, x=x)
    for file, content in emitted.items():
        (folder / file).write_bytes(content)
    own, test = sorted(emitted, key=len)
    assert test == f"test_{own}"
    return folder / own, folder / test


def module_of(network, folder, x=None):
    return _imported(emit(network, folder, x)[0])


def get_weights(network):
    """As the framework's get_weights() would give them."""
    return [np.array(a.tolist(), dtype=network.dtype) for u in layers(network) for a in u.arrays.values()]


@every
def test_it_imports_numpy_and_nothing_else(name):
    for file, content in files(network_of(name)).items():
        tree = ast.parse(content)
        nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        imported = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
        imported |= {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
        assert imported - {name} == {"numpy"}, file
        called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        assert not called & {"eval", "exec", "open", "__import__", "compile"}


def test_only_gelu_needs_more_than_numpy():
    text = files(random_network([("gru", 2, {"activation": "gelu"})], 1))["net.py"].decode()
    assert "from math import erf" in text


@every
def test_predict_is_the_reference(name, tmp_path):
    network = network_of(name)
    x = random_input(network, 5, batch=3)
    y = module_of(network, tmp_path).predict(x.value)
    assert y.dtype == np.float64
    assert np.abs(y - run(network, x, Float64()).y).max() <= 1e-15


@pytest.mark.parametrize("activation", ACTIVATED)
def test_every_activation(activation, tmp_path):
    network = random_network([("gru", 3, {}), ("dense", 4, {"activation": activation})], 2, "float64", seed=3, scale=4)
    x = random_input(network, 4, batch=3)
    reference = run(network, x, Float64()).y
    y = module_of(network, tmp_path).predict(x.value)
    assert np.abs(y - reference).max() <= 1e-14 * max(1, np.abs(reference).max())


@pytest.mark.parametrize("activation", ACTIVATED)
def test_float32_stays_float32(activation, tmp_path):
    network = random_network([("gru", 2, {"activation": activation, "recurrent_activation": "hard_sigmoid"})], 1)
    y, (h,) = module_of(network, tmp_path).predict(np.ones((1, 2, 1)), return_states=True)
    assert y.dtype == h.dtype == np.float32


@every
def test_it_takes_live_weights(name, tmp_path):
    """predict(x, model.get_weights()): the equations with those, and not with the module's own."""
    network, other = network_of(name), random_network(NETWORKS[name], 2, "float64", seed=99)
    x = random_input(network, 4, batch=2)
    module = module_of(network, tmp_path)
    assert np.array_equal(module.predict(x.value, get_weights(network)), module.predict(x.value))
    with_others = module.predict(x.value, get_weights(other))
    assert np.abs(with_others - run(other, x, Float64()).y).max() <= 1e-15
    assert np.abs(with_others - module.predict(x.value)).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every
def test_weights_are_the_same_bits(name, dtype, tmp_path):
    network = network_of(name, dtype)
    literals = module_of(network, tmp_path).WEIGHTS
    own = [np.hstack([u.layer.weights[str(m)].value.T for m in u.layout.kernel]) for u in layers(network)]
    kernels = [w for w, u in zip(own, layers(network), strict=True)]
    assert [w.dtype for w in literals] == [np.dtype(dtype)] * len(literals)
    assert all(any(k.shape == w.shape and k.tobytes() == w.tobytes() for w in literals) for k in kernels)
    stored = {v.tobytes() for u in layers(network) for t in u.layer.weights.values() for v in t.value.ravel()}
    assert {v.tobytes() for w in literals for v in w.ravel()} == stored


def test_hard_floats_round_trip(tmp_path):
    hard = [1e-45, 0.0, 3.4028235e38, 1.17549435e-38, 0.1, 16777217, 1 / 3, -1e-4, 123456792, 1e9, 1e22, 5e-5]
    values = np.array(hard, np.float32)
    network = random_network([("gru", 12, {})], 1)
    layer = network.layers["gru_1"]
    changed = {**layer.weights, "b_z": Tensor.of(values)}
    network = replace(network, layers={"gru_1": replace(layer, weights=changed)})
    bias = module_of(network, tmp_path, Tensor.of(np.zeros((1, 1, 1)))).WEIGHTS[2]
    assert bias[0, :12].tobytes() == values.tobytes()


def test_minus_zero_round_trips(tmp_path):
    network = random_network([("gru", 2, {})], 1)
    network.layers["gru_1"].weights["b_z"].value[:] = [-0.0, 0.5]
    bias = module_of(network, tmp_path, Tensor.of(np.zeros((1, 1, 1)))).WEIGHTS[2]
    assert bias[0, 1] == 0.5
    assert np.signbit(bias[0, 0])


@every
def test_states(name, tmp_path):
    network = network_of(name)
    x = random_input(network, 6, batch=2).value
    module = module_of(network, tmp_path)
    whole, last = module.predict(x, return_states=True)
    recurrent = [u for u in layers(network) if u.recurrent]
    assert [s.shape for s in last] == [(2, u.sizes["H"]) for u in recurrent]
    _, half = module.predict(x[:, :2], return_states=True)
    rest, end = module.predict(x[:, 2:], states=half, return_states=True)
    assert np.array_equal(rest, whole[:, 2:] if whole.ndim == 3 else whole)
    assert all(np.array_equal(a, b) for a, b in zip(end, last, strict=True))
    zeros = [np.zeros((2, u.sizes["H"])) for u in recurrent]
    assert np.array_equal(module.predict(x, states=zeros), whole)
    assert not np.array_equal(module.predict(x, states=[s + 1 for s in zeros]), whole)


@pytest.mark.parametrize("shape", [(4,), (4, 2), (1, 4, 3), (1, 4, 1), (1, 0, 2), (1, 1, 4, 2)])
def test_wrong_shapes_raise(shape, tmp_path):
    module = module_of(network_of("gru"), tmp_path)
    with pytest.raises(ValueError, match="shape"):
        module.predict(np.zeros(shape))


def test_wrong_weights_and_states_raise(tmp_path):
    network = network_of("gru")
    module, x = module_of(network, tmp_path), np.zeros((1, 3, 2))
    weights = get_weights(network)
    for wrong in (weights[:2], [weights[0][:, :-1], *weights[1:]], [weights[0], weights[1], weights[2][0]]):
        with pytest.raises((ValueError, IndexError)):
            module.predict(x, wrong)
    with pytest.raises(ValueError):  # noqa: PT011  (NumPy's own words)
        module.predict(x, states=[])


def test_an_empty_batch_gives_an_empty_answer(tmp_path):
    assert module_of(network_of("gru"), tmp_path).predict(np.zeros((0, 3, 2))).shape == (0, 3)


def test_large_inputs_saturate_without_a_warning(tmp_path):
    y = module_of(network_of("gru", "float32"), tmp_path).predict(np.array([[[1e30, -1e30], [-1e4, 1e4]]]))
    assert np.isfinite(y).all()


def run_python(file):
    command = [sys.executable, file.name]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False, timeout=60)


@every
def test_its_own_test_passes_and_can_fail(name, tmp_path):
    network = network_of(name, "float32")
    own, test = emit(network, tmp_path, random_input(network, 4))
    done = run_python(test)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert f"{name}: largest difference" in done.stdout
    head, tail = own.read_text().split("WEIGHTS = [", 1)
    own.write_text(f"{head}WEIGHTS = [{tail.replace('[[', '[[0.5 + ', 1)}")
    assert run_python(test).returncode != 0, "another weight, another output"


HOSTILE = [
    "class",
    "match",
    "type",
    "numpy",
    "np",
    "math",
    "predict",
    "test",
    "None",
    '"""',
    "a b",
    "x",
    "weights",
    "gru",
    "dense",
    "import os; os.abort()",
    "__init__",
    "1",
    "é",
]


@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_hostile_names(label, tmp_path):
    """The name of the model and of every layer, as a file brings them."""
    layer = {"kind": "gru", "name": label, "weights": [[[0.1, 0.2, 0.3]], [[0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]] * 2]}
    head = {"kind": "dense", "name": label, "weights": [[[0.5]], [0.25]]}
    network = load({"name": label, "layers": [layer, head]}).network
    own, test = emit(network, tmp_path)
    assert own.stem.isidentifier()
    assert own.stem not in {"numpy", "np", "math", "test"}
    done = run_python(test)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("label", ["types", "time", "inspect", "sys"])
def test_a_model_named_like_a_standard_module(label, tmp_path):
    network = replace(random_network([("gru", 1, {})], 1), name=label)
    done = run_python(emit(network, tmp_path)[1])
    assert done.returncode == 0, done.stderr


NO_NAMES = ["class", "numpy", "np", "", "9", "a-b", "a.b", "a/b", "../a", "é", "a" * 49, "match", "a\n", "test"]


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(UnusableInput, match="--name"):
        files(random_network([("gru", 1, {})], 1), Options(name))


def test_a_chosen_name():
    emitted = files(random_network([("gru", 1, {})], 1), Options("Mine_1"))
    assert list(emitted) == ["Mine_1.py", "test_Mine_1.py"]
    assert b"from Mine_1 import predict" in emitted["test_Mine_1.py"]


def test_nothing_depends_on_when_or_where_it_is_emitted():
    assert files(network_of("stack")) == files(network_of("stack"))


def test_it_names_its_model_and_licence():
    network = network_of("gru")
    for content in files(network).values():
        assert network.fingerprint.encode() in content
        assert b"0BSD" in content
        assert max(map(len, content.decode().splitlines())) <= 120


def test_each_distinct_cell_is_written_once(tmp_path):
    network = random_network([("gru", 2, SEQUENCES), ("gru", 3, SEQUENCES), ("gru", 2, {"activation": "relu"})], 2)
    text = files(network)["net.py"].decode()
    assert text.count("def gru(") == 1
    assert text.count("def gru_2(") == 1
    assert "def gru_3" not in text


def test_the_seed(tmp_path):
    """shared/design.md: the answer to the question the project began with, from the values that Keras stores."""
    module = module_of(load(SEED).network, tmp_path)
    assert module.predict(np.array([[[1], [2], [9], [8]]]))[0, 0] == pytest.approx(-0.46279538681734, abs=3e-7)
