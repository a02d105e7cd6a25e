"""Cases for `matrix`: models of tf_keras (Keras 2) and legacy files of Keras 3, saved in every form that they have.

`k` is the framework, tf_keras or keras, and `L` its layers. Functions of k make models, each under
a name that tells what it tries.
"""

from __future__ import annotations

import itertools
import os
import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.frameworks.matrix import Case

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
FORMS = ("h5", "keras", "weights", "list", "live")
STEPS, FEATURES = 4, 3
Make = Callable[[Any], Any]


@cache
def framework(name: str) -> Any:
    """tf_keras or keras; tests are skipped where it is not installed."""
    from tests.conftest import need_package

    return need_package(name)


@contextmanager
def without_gpu_kernels(package: str) -> Iterator[None]:
    """tf_keras' GRU without the functions and gradients that it makes for a GPU at each call, a second's work, to
    compute on a CPU what it computes without them (tf_keras/src/layers/rnn/gru.py, _defun_gru_call)."""
    if package != "tf_keras":
        yield
        return
    layer = framework(package).layers.GRU
    usual = layer.__init__

    def plain(self: Any, *args: Any, **options: Any) -> None:
        usual(self, *args, **options)
        self._could_use_gpu_kernel = False

    layer.__init__ = plain
    try:
        yield
    finally:
        layer.__init__ = usual


def randomised(model: Any, seed: int) -> Any:
    """The model with random weights, biases too; variances above 0."""
    rng = np.random.default_rng(seed)

    def draw(variable: Any) -> np.ndarray:
        name = getattr(variable, "path", variable.name)
        shape = tuple(variable.shape)
        return rng.uniform(0.2, 1.5, shape) if "variance" in name else rng.uniform(-1, 1, shape)

    model.set_weights([draw(variable) for variable in model.weights])
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # a Normalization computes with what it made of its weights
    return model


def saved(model: Any, form: str, folder: Path) -> object:
    """What symgru loads: a file of one of the forms, or the model itself."""
    if form == "live":
        return model
    if form in ("h5", "keras"):
        model.save(folder / f"m.{form}")
        return folder / f"m.{form}"
    (folder / "m.json").write_text(model.to_json(), encoding="utf-8")
    path = folder / ("m.weights.h5" if form == "weights" else "m.h5")
    model.save_weights(path)
    return path


def inputs_of(model: Any, seed: int) -> list[np.ndarray]:
    """Random inputs, two sequences of each; some time steps are 0, which Masking leaves out, the first among them."""
    rng = np.random.default_rng(seed)
    found = []
    for tensor in model.inputs:
        shape = tuple(n or (2 if k == 0 else STEPS) for k, n in enumerate(tensor.shape))
        kind = str(getattr(tensor.dtype, "name", tensor.dtype))
        x = rng.normal(size=shape)
        if kind.startswith("int"):
            x = rng.integers(0, 5, shape)
        elif kind == "bool":
            x = rng.random(shape) < 0.6
        elif len(shape) == 3:
            x[0, [0, 2 - len(found)]] = 0  # other steps in the second input, so that masks differ
            x[1, -1 - len(found)] = 0
        found.append(x.astype(kind))
    return found


def outputs_of(model: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    found = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    if isinstance(found, dict):  # TensorFlow's order of a dict
        found = [found[key] for key in sorted(found)]
    listed = found if isinstance(found, list | tuple) else [found]
    return [np.asarray(y) for y in listed]


def case(package: str, name: str, make: Make, form: str, dtype: str = "float32") -> Case:
    seed = zlib.crc32(name.encode()) % 1000

    def run(folder: Path) -> tuple[object, list[np.ndarray], list[np.ndarray]]:
        with nullcontext() if "gpu" in name else without_gpu_kernels(package):
            model = randomised(make(framework(package)), seed)
            inputs = inputs_of(model, seed + 1)
            return saved(model, form, folder), inputs, outputs_of(model, inputs)

    return Case(f"{package} {form}: {name}", run, dtype)


def chain(*layers: Make, shape: tuple[int | None, ...] = (STEPS, FEATURES), dtype: str = "float32") -> Make:
    """A Sequential model of layers given as functions of the framework's layers."""
    return lambda k: k.Sequential([k.layers.Input(shape, dtype=dtype), *(layer(k.layers) for layer in layers)])


def gru(units: int = 2, **options: Any) -> Make:
    return lambda L: L.GRU(units, **options)


def gru_v1(units: int = 2, **options: Any) -> Make:
    """tf_keras' first GRU: reset_after=False and hard_sigmoid unless told otherwise."""

    def make(L: Any) -> Any:
        from tf_keras.src.layers.rnn import gru_v1 as first

        return first.GRU(units, **options)

    return make


ACTIVATIONS = (
    *("elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax", "softplus"),
    *("softsign", "swish", "tanh", "leaky_relu", "relu6", "log_softmax"),
)


def single() -> Iterator[tuple[str, Make]]:
    """One recurrent layer with its options."""
    for after, bias, gate in itertools.product((True, False), (True, False), ("sigmoid", "hard_sigmoid")):
        options: dict[str, Any] = {"reset_after": after, "use_bias": bias, "recurrent_activation": gate}
        yield f"gru {after} {bias} {gate}", chain(gru(**options), lambda L: L.Dense(2, "softmax"))
    for name in ACTIVATIONS:
        gate = name if name not in ("exponential", "log_softmax") else "sigmoid"
        yield f"gru {name}", chain(gru(activation=name, recurrent_activation=gate))
    yield "gru with its functions for a gpu", chain(gru(return_sequences=True), gru(reset_after=False))
    yield "gru v1", chain(gru_v1())
    yield "gru v1 reset_after", chain(gru_v1(reset_after=True, return_sequences=True))
    yield "gru v1 masked", chain(lambda L: L.Masking(), gru_v1(return_sequences=True), gru_v1())
    yield "gru backwards", chain(gru(go_backwards=True, return_sequences=True), gru(go_backwards=True))
    yield "gru implementation 1", chain(gru(implementation=1, dropout=0.3, recurrent_dropout=0.2))
    yield "gru unrolled", chain(gru(unroll=True, return_sequences=True), gru())
    yield "any length", chain(gru(return_sequences=True), gru(1), shape=(None, FEATURES))


def masks() -> Iterator[tuple[str, Make]]:
    for options in (
        {},
        {"return_sequences": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True},
        {"zero_output_for_mask": True},
        {"return_sequences": True, "unroll": True},
        {"return_sequences": True, "unroll": True, "zero_output_for_mask": True},
        {"return_sequences": True, "unroll": True, "go_backwards": True, "zero_output_for_mask": True},
    ):
        yield f"masked {options}", chain(lambda L: L.Masking(), gru(**options))
    for mode in ("concat", "sum", "mul", "ave"):
        both = {"merge_mode": mode}
        yield (
            f"masked both {mode}",
            chain(
                lambda L: L.Masking(), lambda L, b=both: L.Bidirectional(L.GRU(2, return_sequences=True), **b), gru(1)
            ),
        )
        yield f"masked both last {mode}", chain(lambda L: L.Masking(), lambda L, b=both: L.Bidirectional(L.GRU(2), **b))
    yield (
        "embedded",
        chain(
            lambda L: L.Embedding(5, 3, mask_zero=True),
            gru(return_sequences=True),
            lambda L: L.LayerNormalization(),
            lambda L: L.GlobalAveragePooling1D(),
            shape=(STEPS,),
            dtype="int32",
        ),
    )
    yield "masked dense", chain(lambda L: L.Masking(), lambda L: L.TimeDistributed(L.Dense(3)), gru())
    yield (
        "masked passed on",
        chain(
            lambda L: L.Masking(),
            lambda L: L.Dropout(0.5),
            lambda L: L.Dense(3),
            lambda L: L.BatchNormalization(),
            lambda L: L.Activation("tanh"),
            gru(return_sequences=True),
            lambda L: L.GlobalMaxPooling1D(),
        ),
    )
    yield "masked rnn", chain(lambda L: L.Masking(), lambda L: L.RNN(L.GRUCell(2), return_sequences=True))
    yield (
        "masked stack",
        chain(lambda L: L.Masking(), lambda L: L.RNN([L.GRUCell(2), L.GRUCell(3, reset_after=False)])),
    )


def through() -> Iterator[tuple[str, Make]]:
    """A mask that other layers pass on, end, or join."""
    layers: dict[str, Make] = {
        "Conv1D": lambda L: L.Conv1D(3, 2),
        "MaxPooling1D": lambda L: L.MaxPooling1D(2),
        "ZeroPadding1D": lambda L: L.ZeroPadding1D(1),
        "Reshape": lambda L: L.Reshape((2, 6)),
        "Permute": lambda L: L.Permute((2, 1)),
        "UnitNormalization": lambda L: L.UnitNormalization(),
        "Rescaling": lambda L: L.Rescaling(0.5),
        "Normalization": lambda L: L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 0.5]),
        "LeakyReLU": lambda L: L.LeakyReLU(),
    }
    for name, layer in layers.items():
        yield f"mask through {name}", chain(lambda L: L.Masking(), layer, gru(return_sequences=True))

    def joined(k: Any, kind: str, both: bool) -> Any:
        L = k.layers
        x, y = L.Input((STEPS, FEATURES)), L.Input((STEPS, FEATURES))
        join = getattr(L, kind)()([L.Masking()(x), L.Masking()(y) if both else y])
        return k.Model([x, y], L.GRU(2, return_sequences=True)(join))

    for kind in ("Add", "Subtract", "Multiply", "Average", "Concatenate"):
        for both in (True, False):
            yield f"mask joined {kind} {both}", partial(joined, kind=kind, both=both)


def wrapped() -> Iterator[tuple[str, Make]]:
    for mode in ("concat", "sum", "mul", "ave"):
        yield f"both {mode}", chain(lambda L, m=mode: L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode=m))
    yield (
        "both, another backward layer",
        chain(
            lambda L: L.Bidirectional(
                L.GRU(2, return_sequences=True),
                backward_layer=L.GRU(3, return_sequences=True, reset_after=False, go_backwards=True),
            ),
            lambda L: L.Bidirectional(L.GRU(1)),
        ),
    )
    yield "rnn of a cell", chain(lambda L: L.RNN(L.GRUCell(2, reset_after=False), return_sequences=True), gru())
    yield "stacked cells", chain(lambda L: L.RNN(L.StackedRNNCells([L.GRUCell(2), L.GRUCell(3), L.GRUCell(1)])))
    yield "each step dense", chain(gru(return_sequences=True), lambda L: L.TimeDistributed(L.Dense(2, "relu")))
    yield (
        "each step a gru",
        chain(lambda L: L.Reshape((2, 2, 3)), lambda L: L.TimeDistributed(L.GRU(2)), gru()),
    )
    yield "nested", lambda k: k.Sequential([k.layers.Input((STEPS, FEATURES)), nested(k), k.layers.Dense(2)])
    yield "nested and frozen", lambda k: frozen(k.Sequential([k.layers.Input((STEPS, FEATURES)), nested(k)]))


def nested(k: Any) -> Any:
    L = k.layers
    inner = k.Sequential([L.Input((STEPS, 2)), L.BatchNormalization(), L.GRU(2, return_sequences=True), L.Dense(3)])
    first = L.GRU(2, return_sequences=True)
    return k.Sequential([L.Input((STEPS, FEATURES)), first, L.BatchNormalization(), inner, L.GRU(2)])


def frozen(model: Any) -> Any:
    """Some layers that training leaves alone: a legacy file lists their weights behind all others."""
    model.layers[0].layers[0].trainable = False
    model.layers[0].layers[2].layers[0].trainable = False
    return model


def around() -> Iterator[tuple[str, Make]]:
    """Layers around a GRU, as Keras 2 writes their options."""
    before: dict[str, Make] = {
        "BatchNormalization": lambda L: L.BatchNormalization(),
        "BatchNormalization without scale": lambda L: L.BatchNormalization(scale=False, axis=2),
        "LayerNormalization": lambda L: L.LayerNormalization(),
        "Conv1D": lambda L: L.Conv1D(3, 2, padding="causal", activation="relu"),
        "Conv1D strides": lambda L: L.Conv1D(3, 3, padding="same", strides=2, use_bias=False),
        "MaxPooling1D": lambda L: L.MaxPooling1D(2),
        "AveragePooling1D": lambda L: L.AveragePooling1D(3, strides=1, padding="same"),
        "ZeroPadding1D": lambda L: L.ZeroPadding1D((1, 2)),
        "Permute": lambda L: L.Permute((2, 1)),
        "Reshape": lambda L: L.Reshape((-1, 2)),
        "UnitNormalization": lambda L: L.UnitNormalization(),
        "Rescaling": lambda L: L.Rescaling(2.5, -0.5),
        "Normalization": lambda L: L.Normalization(mean=[0.5, 1.0, -1.0], variance=[1.0, 2.0, 0.5]),
        "Normalization adapted": lambda L: L.Normalization(),
        "Softmax": lambda L: L.Softmax(),
        "ReLU": lambda L: L.ReLU(max_value=1.5, negative_slope=0.2, threshold=0.3),
        "ELU": lambda L: L.ELU(0.7),
        "PReLU": lambda L: L.PReLU(shared_axes=[1]),
        "Activation": lambda L: L.Activation("hard_sigmoid"),
        "GaussianNoise": lambda L: L.GaussianNoise(0.3),
        "SpatialDropout1D": lambda L: L.SpatialDropout1D(0.3),
    }
    for name, layer in before.items():
        yield f"around {name}", chain(layer, gru(return_sequences=True))
    yield "around LeakyReLU", chain(lambda L: L.LeakyReLU(), gru())
    yield "around ThresholdedReLU", chain(lambda L: L.ThresholdedReLU(0.4), lambda L: L.ReLU(), gru())
    yield (
        "around the end",
        chain(gru(return_sequences=True), lambda L: L.Flatten(), lambda L: L.Dense(3, "hard_sigmoid")),
    )
    yield "around RepeatVector", chain(gru(), lambda L: L.RepeatVector(3), gru(return_sequences=True))


def graphs() -> Iterator[tuple[str, Make]]:
    def several(k: Any) -> Any:
        L = k.layers
        x, state = L.Input((STEPS, FEATURES)), L.Input((2,))
        y, last = L.GRU(2, return_sequences=True, return_state=True)(x, initial_state=state)
        shared = L.Dense(2)
        z = L.Add()([shared(y), L.Multiply()([y, shared(y)])])
        return k.Model([x, state], [L.Concatenate()([z, y]), last, L.Subtract()([last, state])])

    def both_states(k: Any) -> Any:
        L = k.layers
        x, a, b = L.Input((STEPS, FEATURES)), L.Input((2,)), L.Input((2,))
        layer = L.Bidirectional(L.GRU(2, return_sequences=True, return_state=True))
        return k.Model([x, a, b], list(layer(x, initial_state=[a, b])))

    def masked_state(k: Any) -> Any:
        """Keras 2 applies the mask of the input, Keras 3 does not."""
        L = k.layers
        x, state = L.Input((STEPS, FEATURES)), L.Input((2,))
        y = L.GRU(2, return_sequences=True)(L.Masking()(x), initial_state=state)
        return k.Model([x, state], [y, L.GRU(1)(y)])

    def given_mask(k: Any) -> Any:
        L = k.layers
        x, mask = L.Input((STEPS, FEATURES)), L.Input((STEPS,), dtype="bool")
        return k.Model([x, mask], L.GRU(2, return_sequences=True)(x, mask=mask))

    def named_outputs(k: Any) -> Any:
        L = k.layers
        x = L.Input((STEPS, FEATURES))
        y = L.GRU(2)(x)
        return k.Model(x, {"b": L.Dense(1)(y), "a": L.Average()([y, L.GRU(2)(x)])})

    def nested_twice(k: Any) -> Any:
        L = k.layers
        x = L.Input((STEPS, FEATURES))
        inner = k.Sequential([L.Input((STEPS, FEATURES)), L.GRU(3, return_sequences=True)])
        return k.Model(x, L.GRU(2)(inner(inner(x))))

    yield "graph of several", several
    yield "graph both states", both_states
    yield "graph masked with a state", masked_state
    yield "graph given mask", given_mask
    yield "graph named outputs", named_outputs
    yield "graph nested twice", nested_twice


def cases() -> list[Case]:
    """Every model of tf_keras in one of the forms, in turn, and those that the forms write unlike in all; every model
    of Keras 3 in its legacy form."""
    found, forms = [], itertools.cycle(FORMS)
    models = [*single(), *masks(), *through(), *wrapped(), *around(), *graphs()]
    for name, make in models:
        for form in FORMS if name.startswith(("gru v1", "nested", "graph")) else [next(forms)]:
            found.append(case("tf_keras", name, make, form))
    own = (
        "gru v1",
        "both, another",
        "around Thresholded",
        "masked {'return_sequences': True, 'unroll': True, 'go_backwards'",
    )
    for name, make in models:
        if not name.startswith(own) and "implementation" not in name:
            found.append(case("keras", name, make, "h5"))
    return [*found, *cudnn(), *doubles()]


def cudnn() -> Iterator[Case]:
    """CuDNNGRU, which runs on a GPU alone: what tf_keras makes of its file in a GRU is what counts."""

    def make(folder: Path, form: str, wrap: bool) -> tuple[object, list[np.ndarray], list[np.ndarray]]:
        k = framework("tf_keras")
        from tf_keras.src.layers.rnn.cudnn_gru import CuDNNGRU

        def model(kind: Any) -> Any:
            L = k.layers
            first = kind(3, return_sequences=True)
            first = L.Bidirectional(first) if wrap else first
            return k.Sequential([L.Input((STEPS, FEATURES)), first, kind(2), L.Dense(2)])

        theirs, ours = model(CuDNNGRU), model(k.layers.GRU)
        randomised(theirs, 3)
        theirs.save_weights(folder / "list.h5")
        ours.load_weights(folder / "list.h5")
        inputs = inputs_of(ours, 4)
        return saved(theirs, form, folder), inputs, outputs_of(ours, inputs)

    for form, wrap in itertools.product(FORMS, (False, True)):
        name = f"CuDNNGRU{', both directions' * wrap}"
        yield Case(f"tf_keras {form}: {name}", partial(make, form=form, wrap=wrap))


def doubles() -> Iterator[Case]:
    """float64 all through."""
    chance = random.Random(5)
    for k in range(10):
        after, both, gate = chance.random() < 0.5, chance.random() < 0.5, chance.choice(["sigmoid", "hard_sigmoid"])
        form = chance.choice(FORMS)

        def make(k: Any, after: bool = after, both: bool = both, gate: str = gate) -> Any:
            L, double = k.layers, {"dtype": "float64"}
            layer = L.GRU(2, reset_after=after, recurrent_activation=gate, return_sequences=True, **double)
            middle = L.Bidirectional(layer, **double) if both else layer
            ends = [middle, L.LayerNormalization(**double), L.GRU(2, **double), L.Dense(1, **double)]
            return k.Sequential([L.Input((STEPS, FEATURES), dtype="float64"), *ends])

        yield case("tf_keras", f"float64 {k} {after} {both} {gate}", make, form, "float64")
