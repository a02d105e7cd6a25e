"""What is converted computes the same in the framework on the other side, and comes back bit for bit."""

import numpy as np
import pytest

from symgru.errors import Unsupported
from symgru.face import load
from symgru.readers.keras_file import read as read_keras
from tests.conftest import need_package
from tests.frameworks.matrix import difference

LIMIT = {"float32": 1e-5, "float64": 1e-12}


def random_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.uniform(0.2, 1, w.shape) if "variance" in v.name else rng.normal(size=w.shape) * 0.5
            for w, v in zip(model.get_weights(), model.weights, strict=True)
        ]
    )
    return model


def keras_models(dtype="float32"):
    """Models by name, each with an input."""
    import keras

    k, common = keras.layers, {"dtype": dtype}
    x = np.random.default_rng(3).normal(size=(2, 6, 3)).astype(dtype)
    start = keras.Input((None, 3), dtype=dtype)
    a = k.GRU(4, return_sequences=True, reset_after=False, **common)(start)
    b = k.GRU(4, return_sequences=True, use_bias=False, **common)(start)
    joined = k.Add(**common)([a, b])
    graph = keras.Model(start, k.Concatenate(**common)([k.GRU(2, **common)(joined), k.GlobalMaxPooling1D(**common)(a)]))
    shared = k.GRU(3, return_sequences=True, **common)
    twice = keras.Model(start, k.Average(**common)([shared(start), shared(k.Rescaling(0.5, 0.25, **common)(start))]))
    models = {
        "stack": keras.Sequential(
            [
                keras.Input((None, 3), dtype=dtype),
                k.GRU(4, return_sequences=True, **common),
                k.GRU(3, **common),
                k.Dense(2, activation="softmax", **common),
            ]
        ),
        "bidirectional": keras.Sequential(
            [
                keras.Input((None, 3), dtype=dtype),
                k.Bidirectional(k.GRU(4, return_sequences=True, **common), **common),
                k.Bidirectional(k.GRU(2, **common), merge_mode="sum", **common),
                k.LayerNormalization(**common),
                k.Dense(2, "tanh", **common),
            ]
        ),
        "convolution": keras.Sequential(
            [
                keras.Input((6, 3), dtype=dtype),
                k.Conv1D(4, 3, padding="causal", activation="relu", **common),
                k.MaxPooling1D(2, **common),
                k.BatchNormalization(**common),
                k.GRU(4, return_sequences=True, activation="relu", recurrent_activation="hard_sigmoid", **common),
                k.GlobalAveragePooling1D(**common),
                k.RepeatVector(3, **common),
                k.GRU(2, return_sequences=True, activation="softsign", **common),
                k.Flatten(**common),
            ]
        ),
        "branches": graph,
        "shared": twice,
        "pictures": keras.Sequential(
            [
                keras.Input((6, 3), dtype=dtype),
                k.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu", **common),
                k.Conv1D(3, 2, padding="same", strides=2, use_bias=False, **common),
                k.MaxPooling1D(2, 1, **common),
                k.BatchNormalization(**common),
                k.GRU(4, **common),
                k.Dense(2, **common),
            ]
        ),
    }
    return {name: (random_weights(model, seed), x) for seed, (name, model) in enumerate(models.items())}


MODELS = ("stack", "bidirectional", "convolution", "branches", "shared", "pictures")
TORCH = ("stack", "bidirectional", "pictures")
REFUSED = {"convolution": "activation is relu", "branches": "the reset gate acts before", "shared": "rescaling"}


@pytest.fixture(scope="module")
def models():
    return keras_models() | {f"{name}/float64": v for name, v in keras_models("float64").items()}


def names():
    return [f"{name}{end}" for name in MODELS for end in ("", "/float64")]


@pytest.mark.parametrize("name", names())
def test_keras_to_keras(models, name, tmp_path):
    import keras

    model, x = models[name]
    load(model).convert(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights(), strict=True))
    assert np.array_equal(np.asarray(model(x)), np.asarray(again(x)))


@pytest.mark.parametrize("name", names())
def test_keras_to_onnx(models, name, tmp_path):
    onnx, ort = need_package("onnx"), need_package("onnxruntime")
    model, x = models[name]
    load(model).convert(tmp_path / "m.onnx")
    written = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(written, full_check=True)
    operators = [node.op_type for node in written.graph.node]
    assert "GRU" in operators
    assert not {"Loop", "Scan"} & set(operators)
    dtype, put = str(x.dtype), written.graph.input[0].name
    if dtype == "float32":
        y = ort.InferenceSession(str(tmp_path / "m.onnx")).run(None, {put: x})[0]
    else:  # ONNX Runtime has no GRU in double precision; the reference evaluator has, with sigmoid and tanh alone
        if name == "convolution/float64":
            return
        from onnx.reference import ReferenceEvaluator

        y = ReferenceEvaluator(written).run(None, {put: x})[0]
    assert difference(y, np.asarray(model(x))) <= LIMIT[dtype]


@pytest.mark.parametrize("name", [n for n in names() if n.partition("/")[0] in TORCH])
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_keras_to_torch(models, name, ending, tmp_path, monkeypatch):
    torch = need_package("torch")
    model, x = models[name]
    written = load(model).convert(tmp_path / f"m.{ending}")
    assert [path.name for path in written] == [f"m.{ending}", "m_torch.py"]
    namespace = {}
    exec(compile((tmp_path / "m_torch.py").read_text(), "m_torch.py", "exec"), namespace)
    monkeypatch.chdir(tmp_path)
    with torch.no_grad():
        y = namespace["load"]()(torch.tensor(x)).numpy()
    assert difference(y, np.asarray(model(x))) <= LIMIT[str(x.dtype)]


@pytest.mark.parametrize("name", REFUSED)
def test_what_torch_cannot_express_is_refused(models, name, tmp_path):
    """Or has its arrays written, and the module not: a Rescaling has no array."""
    model = load(models[name][0])
    if name == "shared":
        assert [path.name for path in model.convert(tmp_path / "m.pt")] == ["m.pt"]
        return
    with pytest.raises(Unsupported, match=f"layer .*{REFUSED[name]}"):
        model.convert(tmp_path / "m.pt")
    assert not list(tmp_path.iterdir())


def test_torch_to_keras_to_onnx_to_torch(tmp_path):
    """The same weights, bit for bit, also where -0 and the smallest numbers are among them."""
    torch = need_package("torch")
    torch.manual_seed(3)
    gru = torch.nn.GRU(3, 4, batch_first=True)
    with torch.no_grad():
        gru.bias_hh_l0[0], gru.bias_ih_l0[1], gru.weight_hh_l0[0, 0] = -0.0, 1e-45, float(np.float32(3e-39))
    first = {name: t.detach().numpy().copy() for name, t in gru.state_dict().items()}
    torch.save(gru.state_dict(), tmp_path / "a.pt")
    load(tmp_path / "a.pt").convert(tmp_path / "b.keras")
    load(tmp_path / "b.keras").convert(tmp_path / "c.onnx")
    load(tmp_path / "c.onnx").convert(tmp_path / "d.pt")
    last = {name.split(".")[-1]: t.numpy() for name, t in torch.load(tmp_path / "d.pt", weights_only=True).items()}
    assert sorted(last) == sorted(first)
    for name, array in first.items():
        assert array.tobytes() == last[name].tobytes(), name


def test_what_is_written_is_read_again(models, tmp_path):
    model, x = models["stack"]
    for ending in ("keras", "onnx"):
        load(model).convert(tmp_path / f"m.{ending}")
        assert difference(load(tmp_path / f"m.{ending}")(x), np.asarray(model(x))) <= 1e-5
    assert read_keras(tmp_path / "m.keras").parameters == model.count_params()
