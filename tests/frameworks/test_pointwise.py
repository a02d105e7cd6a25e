"""Layers without a state, and masked cells, against the layers of Keras: float32 and float64, special values too."""

import numpy as np
import pytest

from symgru.building import build
from symgru.cell import masked
from symgru.cells import CELLS
from symgru.domains import Float64
from symgru.float32 import Float32
from symgru.network import Tensor
from tests.frameworks.matrix import LIMITS, difference

FEATURES, STEPS = 5, 4
SLOPE = float(np.float32(0.3))  # tf.nn.leaky_relu holds its slope as a float32, in float64 models too
SCALE, OFFSET = float(np.float32(0.1)), float(np.float32(-0.7))  # and so does Keras' Rescaling
RNG = np.random.default_rng(11)
WEIGHTS = {
    "g": RNG.normal(size=FEATURES).astype(np.float32),
    "b": RNG.normal(size=FEATURES).astype(np.float32),
    "mu": RNG.normal(size=FEATURES).astype(np.float32),
    "v": np.array([0.0, 0.3, 1.0, 2.5, 40.0], np.float32),
    "alpha": np.array([0.0, 0.25, -0.5, 1.0, 2.0], np.float32),
}
ONES, ZEROS = np.ones(FEATURES, np.float32), np.zeros(FEATURES, np.float32)
# (kind, options, weights beside WEIGHTS, the layer, the layer's arrays)
LAYERS = {
    "relu": ("rectified", {"slope": 0.0, "threshold": 0.0, "highest": None}, {}, lambda k: k.ReLU(), ()),
    "relu max": ("rectified", {"slope": 0.0, "threshold": 0.0, "highest": 1.5}, {}, lambda k: k.ReLU(1.5), ()),
    "relu 6": ("rectified", {"slope": 0.0, "threshold": 0.0, "highest": 6.0}, {}, lambda k: k.ReLU(6.0), ()),
    "relu slope": ("rectified", {"slope": SLOPE, "threshold": 0, "highest": None}, {}, lambda k: k.ReLU(None, 0.3), ()),
    "relu slope max": ("rectified", {"slope": 0.3, "threshold": 0, "highest": 6}, {}, lambda k: k.ReLU(6.0, 0.3), ()),
    "relu threshold": (
        *("rectified", {"slope": 0.0, "threshold": 0.75, "highest": None}, {}),
        *(lambda k: k.ReLU(threshold=0.75), ()),
    ),
    "relu all": (
        *("rectified", {"slope": 0.3, "threshold": 0.75, "highest": 1.5}, {}),
        *(lambda k: k.ReLU(1.5, 0.3, 0.75), ()),
    ),
    "relu slope threshold": (
        *("rectified", {"slope": 0.3, "threshold": 0.75, "highest": None}, {}),
        *(lambda k: k.ReLU(None, 0.3, 0.75), ()),
    ),
    "leaky relu": ("leaky", {"slope": SLOPE}, {}, lambda k: k.LeakyReLU(0.3), ()),
    "elu": ("exponential_unit", {"slope": 0.7}, {}, lambda k: k.ELU(0.7), ()),
    "elu 1": ("exponential_unit", {"slope": 1.0}, {}, lambda k: k.ELU(), ()),
    "prelu": ("parametric", {}, {}, lambda k: k.PReLU(shared_axes=[1]), ("alpha",)),
    "softmax": ("activation", {"activation": "softmax"}, {}, lambda k: k.Softmax(), ()),
    "activation": ("activation", {"activation": "mish"}, {}, lambda k: k.Activation("mish"), ()),
    "rescaling": ("rescaling", {"scale": SCALE, "offset": OFFSET}, {}, lambda k: k.Rescaling(0.1, -0.7), ()),
    "normalization": (
        *("normalization", {"eps": 1e-7}, {}),
        *(lambda k: k.Normalization(mean=WEIGHTS["mu"], variance=WEIGHTS["v"]), ()),
    ),
    "normalization, inverted": (
        *("denormalization", {"eps": 1e-7}, {}),
        *(lambda k: k.Normalization(mean=WEIGHTS["mu"], variance=WEIGHTS["v"], invert=True), ()),
    ),
    "batch normalization": (
        *("batch_normalization", {"eps": 1e-3}, {}, lambda k: k.BatchNormalization()),
        ("g", "b", "mu", "v"),
    ),
    "batch normalization, no scale": (
        *("batch_normalization", {"eps": 0.01}, {"g": ONES}),
        *(lambda k: k.BatchNormalization(scale=False, epsilon=0.01), ("b", "mu", "v")),
    ),
    "layer normalization": (
        *("layer_normalization", {"eps": 1e-3}, {}),
        *(lambda k: k.LayerNormalization(), ("g", "b")),
    ),
    "layer normalization, no center": (
        *("layer_normalization", {"eps": 1e-6}, {"b": ZEROS}),
        *(lambda k: k.LayerNormalization(center=False, epsilon=1e-6), ("g",)),
    ),
    "layer normalization, mean left in": (
        *("rms_scaling", {"eps": 1e-3}, {}),
        *(lambda k: k.LayerNormalization(rms_scaling=True, center=False), ("g",)),
    ),
    "rms normalization": ("rms_normalization", {"eps": 1e-6}, {}, lambda k: k.RMSNormalization(), ("g",)),
    "unit normalization": ("unit_normalization", {"eps": 1e-12}, {}, lambda k: k.UnitNormalization(), ()),
}
MERGES = {"add": "Add", "multiply": "Multiply", "average": "Average", "subtract": "Subtract"}


@pytest.fixture(scope="module")
def keras():
    from symgru.verify.keras import _keras

    return _keras()


def inputs(scale=1.0, seed=1):
    return (scale * 1.5 * np.random.default_rng(seed).normal(size=(3, STEPS, FEATURES))).astype(np.float32)


def ours(kind, options, domain, weights, *xs):
    cell = build(kind, options)
    held = {p.name: Tensor.of(weights[p.name]) for p in cell.params}
    more = {s.name: domain.lift(Tensor.of(x)) for s, x in zip(cell.inputs[1:], xs[1:], strict=True)}
    with domain.context():
        found = domain.step(cell)(domain.lift(Tensor.of(xs[0])), None, {**domain.params(cell, held), **more})["y"]
    return np.asarray(found)


def theirs(keras, name, dtype, x):
    *_, make, arrays = LAYERS[name]
    layer = make(keras.layers)
    config = layer.get_config()
    layer = type(layer).from_config({**config, "dtype": dtype})
    layer.build(x.shape)
    shaped = [WEIGHTS[a].reshape(w.shape) for a, w in zip(arrays, layer.weights, strict=False)]
    if shaped:
        layer.set_weights(shaped)
    return keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(x.astype(dtype))))


CASES = [(domain, dtype) for domain, dtype in ((Float64(), "float64"), (Float64(), "float32"), (Float32(), "float32"))]
every_precision = pytest.mark.parametrize(("domain", "dtype"), CASES, ids=[f"{d.name} for {t}" for d, t in CASES])


@every_precision
@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, domain, dtype, keras):
    kind, options, more, *_ = LAYERS[name]
    for x in (inputs(), inputs(20), np.zeros((1, 2, FEATURES), np.float32)):
        found = ours(kind, options, domain, WEIGHTS | more, x)
        assert difference(np.broadcast_to(found, x.shape), theirs(keras, name, dtype, x)) <= LIMITS[dtype]


@pytest.mark.parametrize("domain", [Float64(), Float32()], ids=lambda d: d.name)
@pytest.mark.parametrize(
    "name", [n for n, (kind, *_) in LAYERS.items() if kind in ("rectified", "leaky", "parametric")]
)
def test_nan_and_infinities(name, domain, keras):
    kind, options, more, *_ = LAYERS[name]
    x = np.array([[[np.nan] * 5, [np.inf] * 5, [-np.inf] * 5]], np.float32)
    right = theirs(keras, name, "float32", x)
    assert difference(ours(kind, options, domain, WEIGHTS | more, x), right) <= LIMITS["float32"]


@every_precision
@pytest.mark.parametrize(
    ("kind", "n"), [(kind, n) for kind in MERGES for n in ((2,) if kind == "subtract" else (2, 4))]
)
def test_several_inputs(kind, n, domain, dtype, keras):
    xs = [inputs(seed=k) for k in range(n)]
    layer = getattr(keras.layers, MERGES[kind])(dtype=dtype)
    right = layer([keras.ops.convert_to_tensor(x.astype(dtype)) for x in xs])
    found = ours(kind, {"inputs": n}, domain, {}, *xs)
    assert difference(found, keras.ops.convert_to_numpy(right)) <= LIMITS[dtype]


@every_precision
@pytest.mark.parametrize("reset_after", [True, False])
def test_masked_gru(reset_after, domain, dtype, keras):
    """One row of time steps for each way that a mask may begin, end and have holes."""
    mask = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0]], bool)
    x = np.random.default_rng(3).normal(size=(len(mask), STEPS, 2)).astype(np.float32)
    layer = keras.layers.GRU(3, reset_after=reset_after, dtype=dtype, return_state=True, bias_initializer="normal")
    right = keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(x.astype(dtype)), mask=mask)[1])
    kernel, recurrent, bias = (np.asarray(w) for w in layer.get_weights())
    cell = masked(build("gru", {"reset_after": reset_after}))
    weights = {}
    for k, g in enumerate("zrn"):
        columns = slice(3 * k, 3 * k + 3)
        weights |= {f"W_{g}": kernel[:, columns].T, f"U_{g}": recurrent[:, columns].T}
        weights |= dict(zip((f"b_{g}", f"c_{g}"), np.atleast_2d(bias)[:, columns], strict=False))
    held = {name: Tensor.of(value) for name, value in weights.items()}
    assert {p.name for p in CELLS[cell.name].params} == set(held)
    with domain.context():
        params, h = domain.params(cell, held), domain.zeros((len(mask), 3))
        for t in range(STEPS):
            h = domain.step(cell)(domain.lift(Tensor.of(x[:, t])), h, {**params, "m": mask[:, t, None]})["h1"]
    assert difference(h, right) <= LIMITS[dtype]
