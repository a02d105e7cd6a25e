"""Emitted NumPy of networks that are no chain: every map, masks, directions, several inputs and outputs."""

import ast
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest

from symgru.backends.numpy import files
from symgru.domains import Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.face import Model
from symgru.maps import MAPS
from symgru.network import Edge, Input, Tensor
from symgru.trace import run
from symgru.verify.emitted import _imported, emitted
from symgru.yardstick import example_inputs, recorded
from tests import oracle
from tests.wired import Graph, sequence, state_of

RNG = np.random.default_rng(7)
X = RNG.integers(-40, 40, (2, 5, 2)) / 16
X[0, 3], X[1, 3:] = 0, 0
MASK = np.array([[1, 1, 1, 0, 1], [1, 1, 1, 0, 0]], bool)
TABLE = RNG.integers(-40, 40, (7, 3)) / 16


def windowed(x, size, stride, dilation, before, after, fill=0.0):
    """A list of windows, each (batch, size, features), by plain indexing."""
    edge = np.full((len(x), 1, x.shape[2]), fill)
    padded = np.concatenate([edge] * before + [x] + [edge] * after, axis=1)
    starts = range(0, padded.shape[1] - dilation * (size - 1), stride)
    return [np.stack([padded[:, s + dilation * k] for k in range(size)], axis=1) for s in starts]


def stacked(rows):
    return np.stack(rows, axis=1)


# kind: (options, what it is given, what comes out); "x" is X, "m" the mask, "n" lengths
MAPPED = [
    ("flip", {}, "x", [X[:, t] for t in (4, 3, 2, 1, 0)]),
    (
        "flip_until",
        {},
        "xn",
        [np.stack([X[0, t], X[1, s]]) for t, s in zip((4, 3, 2, 1, 0), (2, 1, 0, 3, 4), strict=True)],
    ),
    ("last", {}, "x", X[:, 4]),
    ("pad", {"before": 1, "after": 2}, "x", [0 * X[:, 0], *(X[:, t] for t in range(5)), 0 * X[:, 0], 0 * X[:, 0]]),
    ("crop", {"before": 1, "after": 2}, "x", [X[:, 1], X[:, 2]]),
    ("upsample", {"n": 2}, "x", [X[:, t // 2] for t in range(10)]),
    ("window", {"size": 2}, "x", [w.reshape(2, -1) for w in windowed(X, 2, 1, 1, 0, 0)]),
    (
        "window",
        {"size": 3, "padding": "causal", "dilation": 2},
        "x",
        [w.reshape(2, -1) for w in windowed(X, 3, 1, 2, 4, 0)],
    ),
    (
        "window",
        {"size": 2, "padding": "same", "stride": 2},
        "x",
        [w.reshape(2, -1) for w in windowed(X, 2, 2, 1, 0, 1)],
    ),
    ("max_pool", {"size": 2, "stride": 2}, "x", [w.max(axis=1) for w in windowed(X, 2, 2, 1, 0, 0)]),
    (
        "max_pool",
        {"size": 3, "stride": 1, "padding": "same"},
        "x",
        [w.max(axis=1) for w in windowed(X, 3, 1, 1, 1, 1, -np.inf)],
    ),
    ("mean_pool", {"size": 2, "stride": 2}, "x", [w.mean(axis=1) for w in windowed(X, 2, 2, 1, 0, 0)]),
    (
        "mean_pool",
        {"size": 2, "stride": 2, "padding": "same"},
        "x",
        [(X[:, 0] + X[:, 1]) / 2, (X[:, 2] + X[:, 3]) / 2, X[:, 4]],
    ),
    ("global_max", {}, "x", np.array([[max(X[b, :, k]) for k in range(2)] for b in range(2)])),
    ("global_mean", {}, "x", np.array([[sum(X[b, :, k]) / 5 for k in range(2)] for b in range(2)])),
    ("global_mean", {}, "xm", np.array([[sum(X[b, MASK[b], k]) / MASK[b].sum() for k in range(2)] for b in range(2)])),
    ("flatten", {}, "x", np.array([[v for row in X[b] for v in row] for b in range(2)])),
    ("reshape", {"shape": (2, -1)}, "x", np.array([[X[b].ravel()[:5], X[b].ravel()[5:]] for b in range(2)])),
    (
        "permute",
        {"axes": (2, 1)},
        "x",
        np.array([[[X[b, t, k] for t in range(5)] for k in range(2)] for b in range(2)]),
    ),
    ("concatenate", {"axis": 2}, "xx", [np.hstack([X[:, t], X[:, t]]) for t in range(5)]),
    ("concatenate", {"axis": 1}, "xx", [X[:, t % 5] for t in range(10)]),
    ("slice", {"start": 1, "stop": 2}, "x", [X[:, t, 1:] for t in range(5)]),
    ("take", {"axis": 1, "index": 2}, "x", X[:, 2]),
    ("part", {"axis": 1, "start": 1, "stop": 4, "step": 2}, "x", [X[:, 1], X[:, 3]]),
    ("erase", {}, "xm", [X[:, t] * MASK[:, t, None] for t in range(5)]),
    ("blank", {}, "xm", [X[:, t] * MASK[:, t, None] for t in range(5)]),
    ("not_zero", {}, "n", np.array([True, True])),
    ("not_equal", {"value": 0}, "x", stacked([X[:, t].any(axis=1) for t in range(5)])),
    ("differs", {"value": 0.0}, "x", [X[:, t] != 0 for t in range(5)]),
    ("any", {}, "d", stacked([X[:, t].any(axis=1) for t in range(5)])),
    ("until", {}, "xn", np.array([[True] * 5, [True] * 3 + [False] * 2])),
    ("started", {}, "m", np.ones((2, 5), bool)),
    ("both", {}, "mu", np.array([[1, 1, 1, 0, 1], [1, 1, 1, 0, 0]], bool)),
    ("either", {}, "mu", np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)),
    ("unmasked", {}, "x", np.ones((2, 5), bool)),
]
ELSEWHERE = {"repeat", "constant", "fold", "unfold", "embed", "cast"}  # tested below


def mapped(kind, options, given):
    """The map's value as the first output; a GRU beside it, so that there are weights."""
    g = Graph(sequence(), Input("n", (), whole=True))
    values = {"x": "x", "n": "n"}
    if set("mu") & set(given) or kind == "started":
        values["m"] = g.add("not_equal", "x", value=0)
        values["u"] = g.add("until", "x", "n")
    if "d" in given:
        values["d"] = g.add("differs", "x", value=0.0)
    found = g.add(kind, *(values[letter] for letter in given), **options)
    return g.network(found, g.add("gru", "x", features=2))


def as_input():
    return [Tensor.of(X), Tensor.of(np.array([5.0, 3.0]))]


def test_every_map_is_tested():
    assert {kind for kind, *_ in MAPPED} | ELSEWHERE == set(MAPS)


@pytest.mark.parametrize(("kind", "options", "given", "right"), MAPPED)
def test_a_map_is_what_its_name_says(kind, options, given, right):
    """Reference, emitted NumPy and exact digits against indexing by hand; the numbers are short binary fractions."""
    right = stacked(right) if isinstance(right, list) else right
    network = mapped(kind, options, given)
    for y in (run(network, as_input(), Float64()).y, emitted(network).outputs(X, np.array([5, 3]))[0]):
        assert y.shape == right.shape
        assert np.abs(y.astype(float) - right).max() <= 1e-15
    if right.dtype != bool:
        exact = Model(network).certify(as_input()).y
        assert exact.shape == right.shape
        assert all(isinstance(v, Decimal) for v in exact.ravel())
        assert np.abs(exact.astype(float) - right).max() <= 1e-15


def test_a_vector_at_every_step_and_each_step_a_sample():
    """repeat, fold, unfold: a Dense layer applied to each time step gives the same as applied to the whole."""
    g = Graph(sequence())
    first = g.add("gru", "x", units=3)
    again = g.add("repeat", first, n=4)
    folded = g.add("fold", again)
    scores = g.add("dense", folded, units=2, features=3)
    network = g.network(first, g.add("unfold", scores, again))
    h, y = emitted(network).outputs(X)
    layer = g.layers["dense_3"].weights
    right = h @ layer["W"].value.T + layer["b"].value
    assert y.shape == (2, 4, 2)
    assert np.abs(y - right[:, None]).max() <= 1e-15
    assert np.abs(run(network, Tensor.of(X), Float64()).outputs[1] - y).max() <= 1e-15


def test_constants_and_rows_of_a_table():
    g = Graph(Input("ids", (None,), whole=True))
    rows = g.add("embed", "ids", id="embedding", weights={"E": Tensor.of(TABLE)})
    fixed = g.add("constant", rows, weights={"E": Tensor.of(TABLE[:2])})
    network = g.network(rows, fixed, g.add("gru", rows, features=3))
    ids = np.array([[6, 0, 3], [1, 1, 5]])
    looked_up, repeated, _ = emitted(network).outputs(ids)
    assert np.array_equal(looked_up, np.array([[TABLE[i] for i in row] for row in ids]))
    assert np.array_equal(repeated, np.array([TABLE[:2]] * 2))
    module = emitted(network).module
    for wrong in (7, -1):
        with pytest.raises(ValueError, match="0 to 6"):
            module.predict(np.array([[0, wrong]]))
        with pytest.raises(UnusableInput, match="7 rows"):
            Model(network)([[0, wrong]])
    assert b"# embedding: embeddings" in files(network)["net.py"]
    text = files(network)["net.py"].decode()
    assert "= weights[0][x]\n" in text, "an index is looked up without another conversion"


# Masks and directions ------------------------------------------------------------------------------------------------


def gru_arrays(layer):
    """The arrays of a GRU as Keras has them, put together here by hand."""
    w = {name: t.value for name, t in layer.weights.items()}
    return (
        np.hstack([w[f"W_{g}"].T for g in "zrn"]),
        np.hstack([w[f"U_{g}"].T for g in "zrn"]),
        np.array([np.hstack([w[f"{b}_{g}"] for g in "zrn"]) for b in "bc"]),
    )


def alone(layer, x, mask=None):
    """Every state of a GRU on one sequence: masked steps are left out of the oracle's run and repeat the state."""
    units = layer.weights["U_z"].value.shape[0]
    kept = x if mask is None else x[mask]
    states = oracle.gru(kept[None], gru_arrays(layer), return_sequences=True)[0] if len(kept) else []
    found, k = [], 0
    for t in range(len(x)):
        k += mask is None or bool(mask[t])
        found.append(states[k - 1] if k else np.zeros(units))
    return np.array(found, float)


def bidirectional(dtype="float64"):
    g = Graph(sequence(), dtype=dtype)
    mask = g.add("not_equal", "x", id="masking", value=0.0)
    forward = g.add("gru", "x", id="forward", units=3, mask=mask, return_sequences=True)
    back_mask = g.add("flip", mask)
    backward = g.add("gru", g.add("flip", "x"), id="backward", units=3, mask=back_mask, return_sequences=True)
    both = g.add("concatenate", forward, g.add("flip", backward), axis=2)
    cleared = g.add("blank", both, mask)
    head = g.add("dense", cleared, id="head", units=2, features=6)
    return g.network(head, state_of(forward), state_of(backward), name="both_ways")


def test_a_masked_bidirectional_gru_by_hand():
    network = bidirectional()
    mask = X.any(axis=2)
    assert not mask.all()
    forward = np.array([alone(network.layers["forward"], x, m) for x, m in zip(X, mask, strict=True)])
    backward = np.array([alone(network.layers["backward"], x[::-1], m[::-1]) for x, m in zip(X, mask, strict=True)])
    together = np.concatenate([forward, backward[:, ::-1]], axis=2) * mask[..., None]
    head = network.layers["head"].weights
    right = [together @ head["W"].value.T + head["b"].value, forward[:, -1], backward[:, -1]]
    for found in (run(network, Tensor.of(X), Float64()).outputs, emitted(network).outputs(X), Model(network)(X)):
        assert all(np.abs(y - r).max() <= 1e-15 for y, r in zip(found, right, strict=True))
    exact = Model(network).exact(X)
    assert exact.proven
    assert all(np.abs(y.astype(float) - r).max() <= 1e-15 for y, r in zip(exact.outputs, right, strict=True))


def test_a_masked_bidirectional_gru_reads_as_written_by_hand():
    body = files(bidirectional())["both_ways.py"].decode().partition("meant\n")[2].partition("    return")[0]
    assert (
        body
        == """\
        mask = (x != 0).any(axis=-1)
        y_forward = masked_gru(x, weights[0:3], mask, h_forward, return_sequences=True)
        new_forward = y_forward[:, -1]
        y_backward = masked_gru(x[:, ::-1], weights[3:6], mask[:, ::-1], h_backward, return_sequences=True)
        new_backward = y_backward[:, -1]
        y = np.concatenate([y_forward, y_backward[:, ::-1]], axis=2)
        y = np.where(mask[..., None], y, 0)
        y_head = dense(y, weights[6:8])
        y = y_head, new_forward, new_backward
"""
    )


def test_a_mask_that_a_ball_cannot_tell_is_refused():
    """Whether a computed number is exactly 0.25 cannot be proven."""
    g = Graph(sequence(features=1))
    h = g.add("gru", "x", units=1, features=1, return_sequences=True)
    zero = g.add("subtract", h, h, inputs=2)
    mask = g.add("not_equal", zero, id="masking", value=0.0)
    network = g.network(g.add("gru", zero, units=1, features=1, mask=mask))
    with pytest.raises(Unsupported, match="layer masking: a value may be 0 or just beside it"):
        Model(network).exact(X[:, :, :1])


# Inputs, outputs, weights --------------------------------------------------------------------------------------------


def translator():
    """An encoder whose last state begins a decoder; a shared layer; two outputs."""
    g = Graph(sequence("source", 2), sequence("target", 1))
    encoder = g.add("gru", "source", id="encoder", units=3)
    decoder = g.add(
        "gru", "target", id="decoder", units=3, features=1, initial=[state_of(encoder)], return_sequences=True
    )
    scores = g.add("dense", decoder, id="scores", units=2, features=3)
    seen = g.call("scores", state_of(encoder))
    merged = g.add("add", scores, scores, inputs=2)
    return g.network(merged, g.add("activation", seen, activation="tanh"), name="translator")


def test_several_inputs_and_outputs_and_a_state_handed_on():
    network = translator()
    target = RNG.normal(size=(2, 4, 1))
    encoder, decoder, scores = (network.layers[name] for name in ("encoder", "decoder", "scores"))
    h = oracle.gru(X, gru_arrays(encoder))
    kernel, recurrent, bias = gru_arrays(decoder)
    states = []
    for t in range(4):  # the oracle begins at 0: one step from h by hand
        i, k = np.split(target[:, t] @ kernel + bias[0], 3, axis=1), np.split(h @ recurrent + bias[1], 3, axis=1)
        z, r = (1 / (1 + np.exp(-(i[j] + k[j]))) for j in (0, 1))
        h = z * h + (1 - z) * np.tanh(i[2] + r * k[2])
        states.append(h)

    def dense(v):
        return v @ scores.weights["W"].value.T + scores.weights["b"].value

    right = [2 * dense(stacked(states)), np.tanh(dense(oracle.gru(X, gru_arrays(encoder))))]
    for found in (Model(network)(X, target), Model(network)(X, target, engine="numpy")):
        assert all(np.abs(y - r).max() <= 1e-14 for y, r in zip(found, right, strict=True))
    exact = Model(network)(X, target, engine="exact")
    assert all(np.abs(y.astype(float) - r).max() <= 1e-14 for y, r in zip(exact, right, strict=True))
    module = emitted(network).module
    assert len(module.WEIGHTS) == 8, "the shared layer's weights are there once"
    y, states = module.predict(X, target, return_states=True)
    assert isinstance(y, tuple)
    assert len(states) == 1, "the decoder's first state is the network's to give"
    with pytest.raises(ValueError, match="the inputs hold"):
        module.predict(X, target[:1])
    with pytest.raises(ValueError, match="target has shape"):
        module.predict(X, target[:, :0])
    with pytest.raises(UnusableInput, match="1 inputs are given; the network takes 2"):
        Model(network)(X)


def test_names_that_python_or_the_module_needs():
    """Inputs called as the module's own functions, arguments or Python's words."""
    names = ["gru", "weights", "class", "len"]
    g = Graph(*(sequence(name) for name in names))
    network = g.network(g.add("gru", g.add("add", *names, inputs=4)))
    given = [RNG.normal(size=(1, 3, 2)) for _ in names]
    right = run(network, [Tensor.of(x) for x in given], Float64()).y
    assert np.abs(emitted(network).outputs(*given)[0] - right).max() <= 1e-15
    assert "def predict(x_gru, x_weights, x_class, x_len, " in files(network)["net.py"].decode()


def convolution():
    g = Graph(sequence(), dtype="float32")
    windows = g.add("window", "x", size=3, padding="causal")
    conv = g.add("dense", windows, id="conv", units=4, features=6, kernel_shape=(3, 2, 4), activation="relu")
    normal = g.add("batch_normalization", conv, id="normal", features=4, units=4, eps=0.001)
    return g.network(g.add("gru", normal, features=4))


def test_the_kernel_of_a_convolution_is_as_the_framework_has_it():
    network = convolution()
    module = emitted(network).module
    kernel, bias, gamma, beta, mean, variance, *_ = module.WEIGHTS
    assert kernel.shape == (3, 2, 4)
    conv, normal = network.layers["conv"].weights, network.layers["normal"].weights
    assert np.array_equal(kernel, conv["W"].value.T.reshape(3, 2, 4))
    for array, name in ((gamma, "g"), (beta, "b"), (mean, "mu"), (variance, "v")):
        assert np.array_equal(array, normal[name].value)
    x = RNG.normal(size=(2, 5, 2))
    padded = np.concatenate([np.zeros((2, 2, 2)), x], axis=1)
    right = []
    for t in range(5):  # Keras: the sum over the window's steps of x[t + k] @ kernel[k]
        a = sum(padded[:, t + k] @ kernel[k].astype(float) for k in range(3)) + bias
        right.append(gamma * (np.maximum(a, 0) - mean) / np.sqrt(variance + 0.001) + beta)
    inside = run(network, Tensor.of(x), Float64()).values[Edge("normal")]
    assert np.abs(inside - stacked(right)).max() <= 1e-6
    y = module.predict(x)
    assert y.dtype == np.float32
    assert np.abs(y - oracle.gru(stacked(right), module.WEIGHTS[6:])).max() <= 1e-6
    assert np.array_equal(module.predict(x, module.WEIGHTS), y)


def test_arrays_that_get_weights_does_not_have_and_those_that_nothing_reads():
    """BatchNormalization with scale=False, and a Normalization with its count and one that was given its numbers."""
    g = Graph(sequence())
    ones = {"g": np.ones(2), "b": [0.5, 1.5], "mu": [0.25, 0.75], "v": [1.0, 4.0]}
    weights = {name: Tensor.of(np.array(v)) for name, v in ones.items()}
    bare = ["beta", "moving_mean", "moving_variance"]
    y = g.add("batch_normalization", "x", id="plain", weights=weights, arrays=bare, eps=0.001)
    pair = {name: weights[name] for name in ("mu", "v")}
    y = g.add("normalization", y, id="counted", weights=pair, arrays=["mean", "variance", "count"], eps=1e-7)
    y = g.add("normalization", y, id="given", weights=pair, arrays=[], eps=1e-7)
    network = g.network(y, g.add("gru", y))
    module = emitted(network).module
    assert [w.shape for w in module.WEIGHTS[:6]] == [(2,)] * 5 + [()]
    assert np.array_equal(module.GIVEN_MU, ones["mu"])
    plain = (X - ones["mu"]) / np.sqrt(np.array(ones["v"]) + 0.001) + ones["b"]
    right = ((plain - ones["mu"]) / np.sqrt(ones["v"]) - ones["mu"]) / np.sqrt(ones["v"])
    assert np.abs(module.predict(X)[0] - right).max() <= 1e-14
    text = files(network)["net.py"].decode()
    assert "return (x - mu) / np.sqrt(v + 0.001) + b" in text, "a scale of 1 is not computed"
    live = [*module.WEIGHTS[:5], np.array(99), *module.WEIGHTS[6:]]
    assert np.array_equal(module.predict(X, live)[0], module.predict(X)[0])


def test_a_mixed_network_holds_each_layer_in_its_own_precision():
    g = Graph(sequence(), dtype="float32")
    h = g.add("gru", "x", return_sequences=True)
    wide = g.add("cast", h, dtype="float64")
    g.dtype = "float64"
    y = g.add("dense", wide, id="wide")
    g.dtype = "float32"
    network = g.network(h, y)
    module = emitted(network).module
    assert [str(w.dtype) for w in module.WEIGHTS] == ["float32"] * 3 + ["float64"] * 2
    narrow, found = module.predict(X)
    assert (narrow.dtype, found.dtype) == (np.float32, np.float64)
    right = (
        narrow.astype(float) @ network.layers["wide"].weights["W"].value.T + network.layers["wide"].weights["b"].value
    )
    assert np.abs(found - right).max() <= 1e-15


# The files -----------------------------------------------------------------------------------------------------------


def masked_stack():
    g = Graph(Input("words", (None,), whole=True), dtype="float32")
    rows = g.add("embed", "words", id="embedding", weights={"E": Tensor.of(TABLE.astype(np.float32))})
    mask = g.add("not_zero", "words", id="mask")
    first = g.add("gru", rows, id="first", features=3, mask=mask, return_sequences=True)
    second = g.add("gru", first, id="second", units=3, mask=mask, reset_after=False)
    return g.network(g.add("dense", second, id="head", features=3, activation="softmax"), name="stack")


def pooled():
    g = Graph(sequence(steps=6), Input("extra", (3,)), dtype="float32")
    pool = g.add("max_pool", "x", size=2, stride=2)
    flat = g.add("flatten", g.add("gru", pool, return_sequences=True))
    scaled = g.add("rescaling", "extra", scale=0.5, offset=1.0)
    both = g.add("concatenate", flat, scaled, axis=1)
    return g.network(g.add("dense", both, features=9), name="pooled")


def pair():
    """Two streams, masked, two outputs."""
    g = Graph(sequence("left", 2), sequence("right", 1), dtype="float32")
    mask = g.add("not_equal", "left", value=-1.0)
    left = g.add("gru", "left", id="lower", mask=mask, return_sequences=True)
    right = g.add("gru", "right", id="upper", features=1)
    both = g.add("layer_normalization", left, eps=0.001)
    return g.network(g.add("dense", both), right, name="pair")


NETWORKS = {n.name: n for n in (masked_stack(), pooled(), pair(), bidirectional("float32"), translator())}
every = pytest.mark.parametrize("name", NETWORKS)


@every
def test_it_imports_numpy_and_nothing_else(name):
    for file, content in files(NETWORKS[name]).items():
        tree = ast.parse(content)
        nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        imported = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
        imported |= {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
        assert imported - {name} == {"numpy"}, file
        called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        assert not called & {"eval", "exec", "open", "__import__", "compile"}
        assert max(map(len, content.decode().splitlines())) <= 120


@every
def test_its_own_test_passes_and_can_fail(name, tmp_path):
    for file, content in files(NETWORKS[name]).items():
        (tmp_path / file).write_bytes(content)
    command = [sys.executable, f"test_{name}.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "largest difference" in done.stdout
    module, test = _imported(tmp_path / f"{name}.py"), (tmp_path / f"test_{name}.py").read_text()
    assert ("two_halves" in test) == (name in ("stack", "pair")), "only what needs no look ahead can be cut in two"
    scope = {"__name__": "other"}
    sys.modules[name] = module
    try:
        exec(compile(test, "test", "exec"), scope)
        for array in module.WEIGHTS:  # every array is read, and the test sees it
            right = array.copy()
            array[...] += 0.01 * (1 + np.arange(array.size).reshape(array.shape))
            with pytest.raises(AssertionError):
                scope["test_recorded"]()
            array[...] = right
        scope["test_recorded"]()
    finally:
        del sys.modules[name]


@every
def test_emitted_float32_is_near_the_exact_outputs(name):
    network = NETWORKS[name]
    vectors = recorded(network)
    found = emitted(network).outputs(*(x.value for x in vectors.xs))
    for y, right, limit in zip(found, vectors.ys, vectors.tolerances, strict=True):
        assert y.dtype == network.dtype
        assert np.abs(y - right.astype(float)).max() <= limit <= 1e-5


def test_recorded_inputs_are_masked_and_look_up_what_is_there():
    words = example_inputs(NETWORKS["stack"])[0].value
    assert words.shape == (2, 5)
    assert (words == 0).any(axis=1).all()
    assert (words != 0).any(axis=1).all()
    assert words.min() >= 0
    assert words.max() < len(TABLE)
    left = example_inputs(NETWORKS["pair"])[0].value
    assert (left == -1).all(axis=2).any(axis=1).all()


@pytest.mark.parametrize("shape", [(4, 2), (1, 0, 2), (1, 5, 2), (1, 6, 3)])
def test_wrong_shapes_raise(shape):
    """Six steps are needed where the steps become features."""
    module = emitted(NETWORKS["pooled"]).module
    with pytest.raises(ValueError, match=r"x has shape .*; expected \(batch, 6, 2\)"):
        module.predict(np.zeros(shape), np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"extra has shape .*; expected \(batch, 3\)"):
        module.predict(np.zeros((1, 6, 2)), np.zeros((1, 2)))


# Stateful networks ---------------------------------------------------------------------------------------------------


def stateful():
    g = Graph(sequence())
    first = g.add("gru", "x", id="first", return_sequences=True, stateful=True)
    return g.network(g.add("gru", first, id="second"))


@pytest.mark.parametrize("engine", ["reference", "numpy"])
def test_a_stateful_network_goes_on_until_it_is_reset(engine):
    """Its second layer, which is not stateful, begins at 0 each time."""
    network = stateful()
    whole = run(network, Tensor.of(X), Float64()).values[Edge("first")]
    second = gru_arrays(network.layers["second"])
    model = Model(network)
    for _ in range(2):
        assert np.abs(model(X[:, :2], engine=engine) - oracle.gru(whole[:, :2], second)).max() <= 1e-15
        assert np.abs(model(X[:, 2:], engine=engine) - oracle.gru(whole[:, 2:], second)).max() <= 1e-15
        model.reset_states()
    model(X, engine=engine)
    with pytest.raises(UnusableInput, match="states are of 2 sequences, 1 are given"):
        model(X[:1], engine=engine)
    with pytest.raises(UnusableInput, match="the engine exact cannot go on"):
        model(X, engine="exact")


def test_engines_without_states_need_a_reset_before_each_call():
    model = Model(stateful())
    model(X, engine="exact")
    for engine in ("exact", "reference"):
        with pytest.raises(UnusableInput, match="reset_states"):
            model(X, engine=engine)
    model.reset_states()
    assert np.array_equal(model(X), Model(stateful())(X))


# What is for chains only ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (masked_stack(), "layer embedding: embed "),
        (translator(), "layer decoder: is given its first state"),
        (pair(), "layer not_equal_0: not_equal "),
    ],
)
def test_features_for_chains_name_what_is_in_the_way(network, words):
    with pytest.raises(Unsupported, match=words) as raised:
        files(network, files_options(gradients=True))
    assert "\n" not in str(raised.value)
    with pytest.raises(Unsupported, match=words):
        files(network, files_options(unrolled=True, steps=3))


def files_options(**options):
    from symgru.backends.numpy import Options

    return Options(**options)


@pytest.mark.parametrize(("network", "words"), [(masked_stack(), "layer embedding: "), (pair(), "layer not_equal_0: ")])
def test_so_do_gradients_as_numbers_and_formulas(network, words):
    model = Model(network)
    for feature in (lambda: model.gradients(X, X), lambda: model.derive(3), lambda: model.files("c", gradients=True)):
        with pytest.raises(Unsupported, match=words):
            feature()


@pytest.mark.parametrize(("kind", "options"), [("leaky", {"slope": 0.1}), ("layer_normalization", {"eps": 0.001})])
def test_layers_without_a_matrix_have_neither(kind, options):
    g = Graph(sequence())
    model = Model(g.network(g.add(kind, g.add("gru", "x"), id="head", **options)))
    for feature in (
        lambda: model.gradients(X, X[:, 0]),
        lambda: model.derive(3),
        lambda: model.files("numpy", gradients=True),
    ):
        with pytest.raises(Unsupported, match=f"layer head: {kind} is not taken here"):
            feature()


def test_its_names_are_the_outputs_of_run(tmp_path, capsys, monkeypatch):
    """Several outputs under their names, and in one file; an --input for each input."""
    from symgru.cli import arguments, main

    monkeypatch.setattr(arguments, "load", lambda *_, **__: Model(translator()))
    source, target = "[[1,2],[3,4]]", "[0.5,0.25,1]"

    def symgru(*words):
        with pytest.raises(SystemExit) as ended:
            main(["run", "made.keras", *words])
        return ended.value.code, capsys.readouterr()

    status, said = symgru("--input", source, "--input", target)
    assert status == 0
    lines = said.out.splitlines()
    assert [line for line in lines if line.endswith(":")] == ["add_3:", "activation_4:"]
    assert len(lines) == 2 + 3 + 1
    place = tmp_path / "y.npz"
    assert symgru("--input", source, "--input", target, "-o", str(place))[0] == 0
    with np.load(place) as arrays:
        assert {name: arrays[name].shape for name in arrays.files} == {"add_3": (1, 3, 2), "activation_4": (1, 2)}
        assert lines[1] == " ".join(map(str, arrays["add_3"][0, 0]))
    status, said = symgru("--input", source, "--input", target, "-o", str(tmp_path / "y.npy"))
    assert status == 2
    assert "2 outputs (add_3, activation_4); name a .npz file" in said.err
    status, said = symgru("--input", source)
    assert status == 2
    assert "1 inputs are given; the network takes 2: source, target" in said.err
