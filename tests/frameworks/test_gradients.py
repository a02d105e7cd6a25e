"""Gradients against TensorFlow's GradientTape and torch.autograd, in float64.

At most 1e-12 of each array's largest magnitude: the frameworks sum in another order, over up to 200 steps and a batch
of 3, each sum rounded by 1.1e-16. Measured: 6e-15 at most, and 3e-13 for one number whose summands cancel.
"""

import numpy as np
import pytest

from symgru.activations import ACROSS, a, table
from symgru.algebra import rebuild
from symgru.backends.model import layers
from symgru.cell import Cell, h, h1, x
from symgru.cells import CELLS, y
from symgru.derivatives import KINKS, derivative, prime
from symgru.domains import Float64, source
from symgru.gradients import gradients
from symgru.network import Tensor
from symgru.trace import run
from symgru.verify import keras as framework
from symgru.verify.gradients import run_numpy_gradients
from tests.conftest import need_package, random_input, random_network

RELATIVE = 1e-12
BATCH, FEATURES = 3, 3
SIZES = [(units, steps) for units in (1, 4, 32) for steps in (1, 10, 200)]
SEQUENCES = {"return_sequences": True}
sizes = pytest.mark.parametrize(("units", "steps"), SIZES)


def problem(specs, steps, features=FEATURES, seed=0):
    """A float64 network, an input and a dL/dy of the shape of the output."""
    network = random_network(specs, features, "float64", seed)
    x = random_input(network, steps, BATCH)
    shape = run(network, x, Float64()).y.shape
    return network, x, np.random.default_rng(seed).normal(size=shape)


def far(found, right):
    """The largest difference as a share of the largest magnitude; arrays of zeros must be zeros."""
    right = np.asarray(right)
    assert found.shape == right.shape
    difference, size = np.abs(found - right).max(), np.abs(right).max()
    return difference / size if size else difference


def agree(network, x, dy, weights, dx):
    """The reference and the emitted NumPy against a framework's gradients, arrays as get_weights() gives them."""
    ours = gradients(network, x, Tensor.of(dy))
    emitted, emitted_dx, emitted_states = run_numpy_gradients(network, x.value, dy)
    for name, found, found_dx in (("reference", ours.arrays(network), ours.x), ("NumPy", emitted, emitted_dx)):
        for place, (mine, right) in enumerate(zip(found, weights, strict=True)):
            assert far(mine, right) <= RELATIVE, f"{name}, array {place}"
        assert far(found_dx, dx) <= RELATIVE, f"{name}, dx"
    for mine, right in zip(emitted_states, ours.states.values(), strict=True):
        assert far(mine, right) <= RELATIVE


# TensorFlow ----------------------------------------------------------------------------------------------------------


def tape(model, x, dy):
    """dL/dweights and dL/dx of L = sum(dy * model(x))."""
    import tensorflow as tf

    given = tf.constant(x)
    with tf.GradientTape() as recording:
        recording.watch(given)
        loss = tf.reduce_sum(model(given, training=False) * dy)
    *weights, dx = recording.gradient(loss, [*(v.value for v in model.trainable_weights), given])
    return [w.numpy() for w in weights], dx.numpy()


@pytest.mark.parametrize(
    ("units", "steps", "reset_after"),
    [(*size, reset_after) for reset_after in (True, False) for size in SIZES],
)
def test_gru_against_tensorflow(units, steps, reset_after):
    options = {"reset_after": reset_after, "use_bias": units != 4}
    network, x, dy = problem([("gru", units, {**options, **(SEQUENCES if steps == 10 else {})})], steps)
    agree(network, x, dy, *tape(framework.model(network), x.value, dy))


@sizes
def test_a_stack_with_a_dense_head_against_tensorflow(units, steps):
    specs = [("gru", units, SEQUENCES), ("gru", units, {"reset_after": False}), ("dense", 2, {"activation": "tanh"})]
    network, x, dy = problem(specs, steps)
    agree(network, x, dy, *tape(framework.model(network), x.value, dy))


@pytest.mark.parametrize(
    "specs",
    [
        [("gru", 4, SEQUENCES), ("dense", 3, {"activation": "softmax"})],
        [
            ("dense", 4, {"activation": "selu"}),
            ("gru", 4, {"activation": "softmax"}),
            ("dense", 1, {"use_bias": False}),
        ],
        [("gru", 4, {"recurrent_activation": "hard_sigmoid", "activation": "relu"})],
        [("gru", 4, {"recurrent_activation": "softmax", "reset_after": False}), ("dense", 2, {"activation": "gelu"})],
    ],
    ids=["sequences", "softmax", "kinks", "softmax gates"],
)
def test_other_networks_against_tensorflow(specs):
    network, x, dy = problem(specs, 10)
    agree(network, x, dy, *tape(framework.model(network), x.value, dy))


@pytest.mark.parametrize(("units", "steps"), [(1, 1), (4, 10), (32, 200)])
def test_simple_against_tensorflow(units, steps):
    import keras

    network, x, dy = problem([("simple", units, SEQUENCES)], steps)
    layer = keras.layers.SimpleRNN(units, return_sequences=True, dtype="float64")
    layer.build(x.value.shape)
    (unit,) = layers(network)
    layer.set_weights([a.astype(np.float64) for a in unit.arrays.values()])
    agree(network, x, dy, *tape(layer, x.value, dy))


def at(points, e):
    """An expression in `a` at some points."""
    points = np.atleast_2d(points)
    cell = Cell("only this", ((y, rebuild(e, lambda s: x if s == a else s)),), states=())
    with Float64().context():
        return np.broadcast_to(Float64().step(cell)(points, None, {})["y"], points.shape)


KINK_POINTS = [-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0]
BETWEEN = [-7.5, -2.25, -0.5, 0.25, 2.5, 4.0, 8.0]


@pytest.mark.parametrize("name", sorted(set(table()) - {name.name for name in ACROSS}))
def test_derivatives_and_kinks_are_tensorflows(name):
    """1e-6: TensorFlow holds a slope of 0.2 and a root of 1/2 as float32, as symgru does, and 1/6 in float64."""
    import keras
    import tensorflow as tf

    points = np.array([[v] for v in KINK_POINTS + BETWEEN])
    given = tf.constant(points)
    with tf.GradientTape() as recording:
        recording.watch(given)
        value = keras.activations.get(name)(given)
    right = recording.gradient(value, given).numpy()
    if name == "celu":  # max(a, 0) + expm1(min(a, 0)): TensorFlow adds the slopes of both sides, where each is 1
        assert right[KINK_POINTS.index(0.0)] == 2
        right[KINK_POINTS.index(0.0)] = 1
    assert at(points, prime(name)) == pytest.approx(right, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("name", "kink", "right"), [("selu", 0.0, 1.0507009873554805), ("hard_tanh", 1.0, 1.0)])
def test_the_exceptions_are_needed(name, kink, right):
    """Taken as all others are, these would have another derivative at their kink than the one TensorFlow has."""
    assert name in KINKS
    meaning = table()[name].meaning
    assert at(kink, derivative(meaning, a, closed=True)) == pytest.approx(right, rel=1e-6)
    assert at(kink, derivative(meaning, a, closed=False)) != pytest.approx(right, rel=1e-2)


# PyTorch -------------------------------------------------------------------------------------------------------------


def torch_gradients(module, x, dy, h=None):
    torch = need_package("torch")
    given = torch.from_numpy(x).requires_grad_()
    output, _ = module(given, None if h is None else torch.from_numpy(h))
    output.backward(torch.from_numpy(dy))
    return {name.removesuffix("_l0"): p.grad.numpy() for name, p in module.named_parameters()}, given.grad.numpy()


@sizes
def test_gru_against_torch(units, steps):
    torch = need_package("torch")
    network, x, dy = problem([("gru", units, SEQUENCES)], steps)
    w = {name: t.value for name, t in network.layers["gru_1"].weights.items()}
    rows = {"weight_ih": "W", "weight_hh": "U", "bias_ih": "b", "bias_hh": "c"}
    module = torch.nn.GRU(FEATURES, units, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for name, letter in rows.items():
            getattr(module, f"{name}_l0").copy_(torch.from_numpy(np.concatenate([w[f"{letter}_{g}"] for g in "rzn"])))
    theirs, dx = torch_gradients(module, x.value, dy)
    ours = gradients(network, x, Tensor.of(dy))
    for name, letter in rows.items():
        mine = np.concatenate([ours.weights["gru_1"][f"{letter}_{g}"] for g in "rzn"])
        assert far(mine, theirs[name]) <= RELATIVE, name
    assert far(ours.x, dx) <= RELATIVE


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@sizes
def test_simple_against_torch(units, steps, activation):
    torch = need_package("torch")
    network, x, dy = problem([("simple", units, {**SEQUENCES, "activation": activation})], steps)
    w = {name: t.value for name, t in network.layers["simple_1"].weights.items()}
    module = torch.nn.RNN(FEATURES, units, nonlinearity=activation, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for name, value in (("weight_ih", w["W"]), ("weight_hh", w["U"]), ("bias_ih", w["b"]), ("bias_hh", 0 * w["b"])):
            getattr(module, f"{name}_l0").copy_(torch.from_numpy(value))
    theirs, dx = torch_gradients(module, x.value, dy)
    ours = gradients(network, x, Tensor.of(dy))
    for name, p in (("weight_ih", "W"), ("weight_hh", "U"), ("bias_ih", "b")):
        assert far(ours.weights["simple_1"][p], theirs[name]) <= RELATIVE, name
    assert far(ours.x, dx) <= RELATIVE


def autograd(network, x, dy):
    """Every cell's own forward equations, run on torch's tensors and differentiated by torch."""
    torch = need_package("torch")
    names = {"sigma": torch.sigmoid, "tanh": torch.tanh, "dot": lambda W, v: v @ W.T, "store": lambda v: v}
    names["clip"] = torch.clamp
    given = value = torch.from_numpy(x).requires_grad_()
    weights = {}
    for unit in layers(network):
        namespace = dict(names)
        exec(source(unit.cell), namespace)
        own = {k: torch.from_numpy(t.value.copy()).requires_grad_() for k, t in unit.layer.weights.items()}
        weights[unit.id] = own
        if unit.recurrent:
            state, states = torch.zeros(len(x), unit.sizes["H"], dtype=torch.float64), []
            for t in range(x.shape[1]):
                state = namespace["step"](value[:, t], state, own)[h1.name]
                states.append(state)
            value = torch.stack(states, 1)
        else:
            value = namespace["step"](value, None, own)["y"]
    value.backward(torch.from_numpy(dy))
    return {key: {k: p.grad.numpy() for k, p in own.items()} for key, own in weights.items()}, given.grad.numpy()


@pytest.mark.parametrize(("units", "steps"), [(1, 10), (4, 50), (32, 10)])
@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.states])
def test_every_cell_against_torchs_autograd(name, units, steps):
    """Its derivative is PyTorch's own; the forward equations are those of cells.py, which test_cells.py compares."""
    assert h in dict.fromkeys(s for s, _ in CELLS[name].states)
    network, x, dy = problem([(name, units, SEQUENCES), ("dense", 2, {"activation": "tanh"})], steps)
    weights, dx = autograd(network, x.value, dy)
    ours = gradients(network, x, Tensor.of(dy))
    for key, parts in weights.items():
        for p, right in parts.items():
            assert far(ours.weights[key][p], right) <= RELATIVE, p
    assert far(ours.x, dx) <= RELATIVE
