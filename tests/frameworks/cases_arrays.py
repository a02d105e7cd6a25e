"""Cases of frameworks that give arrays: TensorFlow 1's cells, CuDNNGRU's layout, Keras by names, RTNeural's JSON,
keras2c's C arrays. The outputs are TensorFlow's, tf_keras' or Keras' own."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from tests.frameworks.matrix import Case

SEQUENCE = {"return_sequences": True}
Made = tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]


def npz(folder, arrays: dict[str, np.ndarray]) -> object:
    path = folder / "m.npz"
    np.savez(path, **arrays)
    return path


def tf1(folder, seed: int, size: tuple[int, int], activation: str, dtype: str) -> Made:
    """The legacy GRUCell, its variables named as a TensorFlow 1 checkpoint has them."""
    import tensorflow as tf
    from tf_keras.src.layers.rnn.legacy_cells import GRUCell

    features, units = size
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.5, 1.5, (2, 4, features)).astype(dtype)
    with warnings.catch_warnings():  # it says that it is deprecated
        warnings.simplefilter("ignore", UserWarning)
        cell = GRUCell(units, activation=getattr(tf.nn, activation), dtype=dtype)
    cell.build((2, features))
    weights = [rng.uniform(-1, 1, w.shape).astype(dtype) for w in cell.get_weights()]
    cell.set_weights(weights)
    h, rows = tf.zeros((2, units), dtype), []
    for t in range(4):
        h, _ = cell(x[:, t], h)
        rows.append(h.numpy())
    names = ["gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"]
    assert [v.name.split(":")[0].split("/", 1)[-1] for v in cell.variables] == names
    saved = {f"rnn/gru_cell/{name}": w for name, w in zip(names, weights, strict=True)}
    return npz(folder, saved), [x], [np.stack(rows, 1)]


def tf1_block(folder, seed: int, size: tuple[int, int]) -> Made:
    """The operator GRUBlockCell itself."""
    import tensorflow as tf

    features, units = size
    rng = np.random.default_rng(seed)
    both = features + units
    shapes = {"w_ru": (both, 2 * units), "w_c": (both, units), "b_ru": (2 * units,), "b_c": (units,)}
    arrays = {name: rng.uniform(-1, 1, shape).astype("float32") for name, shape in shapes.items()}
    x = rng.uniform(-1.5, 1.5, (2, 4, features)).astype("float32")
    h, rows = np.zeros((2, units), "float32"), []
    for t in range(4):
        h = tf.raw_ops.GRUBlockCell(x=x[:, t], h_prev=h, **arrays).h.numpy()
        rows.append(h)
    return npz(folder, {f"cell/{name}": a for name, a in arrays.items()}), [x], [np.stack(rows, 1)]


def cudnn(folder, seed: int, size: tuple[int, int]) -> Made:
    """tf_keras' own conversion of a GRU's weights to CuDNNGRU's, which runs on GPUs only."""
    import tf_keras
    from tf_keras.src.saving.legacy.hdf5_format import preprocess_weights_for_loading

    class CuDNNGRU:  # the conversion looks at the class' name
        pass

    x, y, weights = keras_gru(tf_keras, seed, size, {})
    names = ("kernel", "recurrent_kernel", "bias")
    return npz(folder, dict(zip(names, preprocess_weights_for_loading(CuDNNGRU(), weights), strict=True))), [x], [y]


def keras_gru(
    keras, seed: int, size: tuple[int, int], options: dict
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """A GRU layer of Keras with random weights: input, sequence, get_weights()."""
    features, units = size
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.5, 1.5, (2, 4, features)).astype("float32")
    layer = keras.layers.GRU(units, return_sequences=True, **options)
    layer.build((None, None, features))
    weights = [rng.uniform(-1, 1, w.shape).astype("float32") for w in layer.get_weights()]
    layer.set_weights(weights)
    return x, np.asarray(layer(x)), weights


def keras_named(folder, seed: int, size: tuple[int, int], form: str, options: dict) -> Made:
    """Keras' arrays by name, in their order (np.savez(F, *get_weights())), or as keras2c names and lays them."""
    import keras

    x, y, weights = keras_gru(keras, seed, size, options)
    if form == "numbered":
        path = folder / "m.npz"
        np.savez(path, *weights)
        return path, [x], [y]
    arrays = dict(zip(("kernel", "recurrent_kernel", "bias"), weights, strict=False))
    if form == "keras2c":  # keras2c/weights2c.py: gates one below the other, both bias rows in one, flat C arrays
        for name in ("kernel", "recurrent_kernel"):
            arrays[name] = np.concatenate(np.split(arrays[name], 3, axis=1), axis=0).ravel()
        bias = arrays["bias"]
        arrays["bias"] = bias.ravel() if bias.ndim == 2 else np.concatenate([bias, np.zeros_like(bias)])
        arrays = {f"gru_{name}_array": a for name, a in arrays.items()}
    return npz(folder, arrays), [x], [y]


def rtneural(folder, seed: int, dense: str | None, one: bool) -> Made:
    """RTNeural's python/model_utils.py: type, activation, shape and weights of each layer of a Keras model."""
    import keras

    layers = [keras.Input((None, 2)), keras.layers.GRU(3, return_sequences=not one)]
    if dense is not None:
        layers.append(keras.layers.Dense(2, activation=dense or None))
    model = keras.Sequential(layers)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.get_weights()])
    said = {"GRU": "gru", "Dense": "dense"}
    listed = [
        {
            "type": said[type(layer).__name__],
            "activation": "tanh" if isinstance(layer, keras.layers.GRU) else dense,
            "shape": [None] * (len(layer.output.shape) - 1) + [layer.units],
            "weights": [w.tolist() for w in layer.get_weights()],
        }
        for layer in model.layers
    ]
    path = folder / "m.json"
    path.write_text(json.dumps({"in_shape": [None, None, 2], "layers": listed}))
    x = rng.uniform(-1.5, 1.5, (2, 4, 2)).astype("float32")
    return path, [x], [np.asarray(model(x))]


def torch_npz(folder, seed: int) -> Made:
    """A state_dict of PyTorch's GRU and Linear as .npz."""
    import torch

    rng = np.random.default_rng(seed)
    module = torch.nn.ModuleDict({"gru": torch.nn.GRU(2, 3, 2, batch_first=True), "head": torch.nn.Linear(3, 4)})
    state = {name: rng.uniform(-1, 1, p.shape).astype("float32") for name, p in module.state_dict().items()}
    module.load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})
    x = rng.uniform(-1.5, 1.5, (2, 4, 2)).astype("float32")
    with torch.no_grad():
        y = module["head"](module["gru"](torch.from_numpy(x))[0][:, -1]).numpy()
    return npz(folder, state), [x], [y]


def cases() -> Iterator[Case]:
    sizes = [(1, 1), (2, 3), (4, 2)]
    for seed, size in enumerate(sizes):
        yield Case(
            f"tf1-{size}", partial(tf1, seed=seed, size=size, activation="tanh", dtype="float32"), architecture=SEQUENCE
        )
        yield Case(f"tf1_block-{size}", partial(tf1_block, seed=seed, size=size), architecture=SEQUENCE)
        yield Case(f"cudnn-{size}", partial(cudnn, seed=seed, size=size), architecture=SEQUENCE)
        for after in (True, False):
            for form in ("named", "numbered", "keras2c"):
                made = partial(keras_named, seed=seed, size=size, form=form, options={"reset_after": after})
                asked = {
                    **SEQUENCE,
                    **({"convention": "keras2c" if after else "keras2c_before"} if form == "keras2c" else {}),
                }
                yield Case(f"keras-{form}-{after}-{size}", made, architecture=asked)
    relu = {**SEQUENCE, "activation": "relu"}
    yield Case("tf1-relu", partial(tf1, seed=5, size=(2, 3), activation="relu", dtype="float32"), architecture=relu)
    double = partial(tf1, seed=6, size=(2, 3), activation="tanh", dtype="float64")
    yield Case("tf1-float64", double, "float64", architecture=SEQUENCE)
    for after in (True, False):
        options = {"reset_after": after, "use_bias": False}
        asked = {**SEQUENCE, "convention": "keras" if after else "keras_before"}
        made = partial(keras_named, seed=7, size=(2, 3), form="named", options=options)
        yield Case(f"keras-no-bias-{after}", made, architecture=asked)
    for seed, (dense, one) in enumerate([(None, True), (None, False), ("", True), ("tanh", False), ("relu", False)]):
        yield Case(f"rtneural-{dense}-{one}", partial(rtneural, seed=seed, dense=dense, one=one))
    yield Case("torch", partial(torch_npz, seed=8), architecture={"return_sequences": False})
    yield Case("rtneural-softmax", partial(rtneural, seed=9, dense="softmax", one=False))


CASES = list(cases())
