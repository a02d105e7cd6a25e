"""Models that Keras 3 makes, seeded: every option and layer around a GRU, alone and in random combinations."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.frameworks.matrix import Case

L = keras.layers
ACTIVATIONS = sorted(
    {
        name
        for name in dir(keras.activations)
        if not name.startswith("_") and name not in ("deserialize", "get", "serialize", "glu", "threshold")
    }
)
UNBOUNDED = ("exponential", "squareplus", "softplus", "sparse_plus")  # grow without end in a recurrence
Built = tuple[Any, Sequence[np.ndarray]]
Build = Callable[[np.random.Generator], Built]
CASES: list[Case] = []


def randomise(model: Any, rng: np.random.Generator) -> None:
    """Random weights of every kind, biases too; variances are positive."""
    values = []
    for variable in model.weights:
        value = rng.uniform(-1, 1, variable.shape)
        if "variance" in variable.path:
            value = value**2 + 0.1
        values.append(value.astype(variable.dtype) if "int" not in variable.dtype else np.zeros(variable.shape, int))
    model.set_weights(values)
    for layer in model._flatten_layers():
        if isinstance(layer, L.Normalization):
            layer.finalize_state()


def add(id: str, build: Build, *, dtype: str = "float32", live: bool = False, c: bool | str = True) -> None:
    """Enter a case; what it is made of is drawn from a seed that its id gives."""

    def make(folder: Any) -> tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]:
        with (
            warnings.catch_warnings()
        ):  # Keras tells of masks that end, of lists of one input, of softmax over one unit
            warnings.simplefilter("ignore")
            return made(folder)

    def made(folder: Any) -> tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]:
        rng = np.random.default_rng(zlib.crc32(id.encode()))
        model, inputs = build(rng)
        randomise(model, rng)
        outputs = model(list(inputs) if len(inputs) > 1 else inputs[0])
        found = [np.asarray(y) for y in keras.tree.flatten(outputs)]
        if live:
            return model, inputs, found
        path = Path(folder) / "model.keras"
        model.save(path)
        return path, inputs, found

    CASES.append(Case(id, make, dtype, c))


def sequence(
    rng: np.random.Generator, steps: int, features: int, holes: bool = False, dtype: str = "float32"
) -> np.ndarray:
    """Two sequences; with holes some time steps are 0, at the start of the first one too."""
    x = rng.normal(size=(2, steps, features)).astype(dtype)
    if holes:
        x[0, 0] = x[1, -1] = 0
        x[rng.random((2, steps)) < 0.3] = 0
    return x


def flip(rng: np.random.Generator, chance: float = 0.5) -> bool:
    return bool(rng.random() < chance)


def cell_options(rng: np.random.Generator) -> dict[str, Any]:
    options: dict[str, Any] = {"units": int(rng.integers(1, 5)), "reset_after": flip(rng), "use_bias": flip(rng, 0.8)}
    if flip(rng, 0.4):
        options["activation"] = str(rng.choice(["relu", "linear", "softsign", "elu", "selu", "mish"]))
        options["recurrent_activation"] = str(rng.choice(["hard_sigmoid", "sigmoid", "softmax", "relu6"]))
    return options


def layer_options(rng: np.random.Generator) -> dict[str, Any]:
    names = ("return_sequences", "go_backwards", "unroll", "zero_output_for_mask", "return_state")
    return {name: flip(rng) for name in names}


def recurrent(rng: np.random.Generator, **more: Any) -> Any:
    """A GRU, an RNN of a cell, or of several."""
    options, kind = {**layer_options(rng), **more}, rng.integers(4)
    if kind < 2:
        return L.GRU(**cell_options(rng), dropout=0.2, **options)
    cells = [L.GRUCell(**cell_options(rng)) for _ in range(1 if kind == 2 else int(rng.integers(2, 4)))]
    return L.RNN(cells if kind == 3 else cells[0], **options)


def states(rng: np.random.Generator, layer: Any) -> tuple[list[Any], list[np.ndarray]]:
    """An input for each initial state of a recurrent layer, and numbers for it."""
    sizes = [int(size) for size in layer.state_size]
    return [keras.Input((n,)) for n in sizes], [rng.normal(size=(2, n)).astype("float32") for n in sizes]


def masked_recurrence(rng: np.random.Generator) -> Built:
    """One recurrent layer with a mask or none, given or implicit, with initial states or none."""
    steps, features = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    layer, how = recurrent(rng), rng.choice(["none", "implicit", "given", "bool"])
    x = keras.Input((steps, features))
    inputs, arrays, keywords, h = [x], [sequence(rng, steps, features, holes=how != "none")], {}, x
    if how == "implicit":
        h = L.Masking()(x)
    if how == "given":
        keywords["mask"] = L.Masking().compute_mask(x)
    if how == "bool":
        mask = keras.Input((steps,), dtype="bool")
        keywords["mask"] = mask
        inputs.append(mask)
        arrays.append(rng.random((2, steps)) < 0.6)
    if flip(rng):
        first, numbers = states(rng, layer)
        keywords["initial_state"] = first if len(first) > 1 or flip(rng) else first[0]
        inputs += first
        arrays += numbers
    return keras.Model(inputs, layer(h, **keywords)), arrays


for k in range(50):
    add(f"recurrent-{k}", masked_recurrence, live=k % 5 == 4)


def activated(name: str, gate: str) -> Build:
    def build(rng: np.random.Generator) -> Built:
        steps = 2 if {name, gate} & set(UNBOUNDED) else 5
        after = flip(rng)
        layer = L.GRU(3, activation=name, recurrent_activation=gate, return_sequences=True, reset_after=after)
        return keras.Sequential([keras.Input((steps, 2)), layer]), [sequence(rng, steps, 2)]

    return build


for k, activation in enumerate(ACTIVATIONS):
    gate = ACTIVATIONS[(k + 7) % len(ACTIVATIONS)]
    add(f"activation-{activation}-{gate}", activated(activation, gate), live=k % 4 == 3)


def two_ways(mode: str | None) -> Build:
    def build(rng: np.random.Generator) -> Built:
        steps, features = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        own = flip(rng, 0.4)  # a backward layer of its own
        options = {**layer_options(rng), "go_backwards": own and flip(rng, 0.3)}
        cell = cell_options(rng)
        forward = L.GRU(**cell, **options) if flip(rng, 0.7) else L.RNN(L.GRUCell(**cell), **options)
        other = {**options, "go_backwards": not options["go_backwards"], "unroll": flip(rng)}
        units = {**cell_options(rng), **({} if mode in ("concat", None) else {"units": cell["units"]})}
        backward = L.GRU(**units, **other) if own else None
        layer = L.Bidirectional(forward, merge_mode=mode, backward_layer=backward)
        x = keras.Input((steps, features))
        holes = flip(rng, 0.7)
        h = L.Masking()(x) if holes else x
        inputs, arrays, keywords = [x], [sequence(rng, steps, features, holes)], {}
        if flip(rng, 0.3):
            sizes = [cell["units"], (units if backward else cell)["units"]]
            first = [keras.Input((n,)) for n in sizes]
            keywords["initial_state"] = first
            inputs += first
            arrays += [rng.normal(size=(2, n)).astype("float32") for n in sizes]
        return keras.Model(inputs, layer(h, **keywords)), arrays

    return build


for mode in ("concat", "sum", "mul", "ave", None):
    for k in range(6):
        add(f"bidirectional-{mode}-{k}", two_ways(mode), live=k == 5)


def behind(make: Callable[[], Any], shape: tuple[int, ...] = (4, 2), masked: bool = False) -> Build:
    """A layer behind a GRU that gives a sequence, and a GRU behind that where it is still one."""

    def build(rng: np.random.Generator) -> Built:
        x = keras.Input(shape)
        y = L.GRU(3, return_sequences=True)(L.Masking()(x) if masked else x)
        y = make()(y)
        outputs = [y, L.GRU(2)(y)] if len(y.shape) == 3 else [y]
        return keras.Model(x, outputs), [sequence(rng, *shape, holes=masked)]

    return build


MEAN, VARIANCE = [0.5, -1.0, 2.0], [0.3, 1.0, 4.0]
LAYERS: dict[str, Callable[[], Any]] = {
    "dense": lambda: L.Dense(2),
    "dense-relu": lambda: L.Dense(4, "relu", use_bias=False),
    "activation": lambda: L.Activation("gelu"),
    "softmax-activation": lambda: L.Activation("softmax"),
    "relu": L.ReLU,
    "relu-6": lambda: L.ReLU(max_value=6),
    "relu-slope": lambda: L.ReLU(negative_slope=0.3),
    "relu-all": lambda: L.ReLU(max_value=0.4, negative_slope=0.1, threshold=0.2),
    "relu-threshold": lambda: L.ReLU(threshold=0.2),
    "leaky": L.LeakyReLU,
    "leaky-slope": lambda: L.LeakyReLU(negative_slope=0.07),
    "elu": L.ELU,
    "elu-alpha": lambda: L.ELU(alpha=0.3),
    "prelu": L.PReLU,
    "prelu-time": lambda: L.PReLU(shared_axes=[1]),
    "prelu-features": lambda: L.PReLU(shared_axes=[2]),
    "prelu-one": lambda: L.PReLU(shared_axes=[1, 2]),
    "softmax": L.Softmax,
    "softmax-time": lambda: L.Softmax(axis=1),
    "softmax-both": lambda: L.Softmax(axis=(1, 2)),
    "dropout": lambda: L.Dropout(0.5),
    "noise": lambda: L.GaussianNoise(0.5),
    "gaussian": lambda: L.GaussianDropout(0.5),
    "alpha": lambda: L.AlphaDropout(0.5),
    "spatial": lambda: L.SpatialDropout1D(0.5),
    "regularised": lambda: L.ActivityRegularization(0.1),
    "identity": L.Identity,
    "batch": L.BatchNormalization,
    "batch-plain": lambda: L.BatchNormalization(center=False, scale=False),
    "batch-no-scale": lambda: L.BatchNormalization(scale=False, epsilon=0.1),
    "batch-time": lambda: L.BatchNormalization(axis=1),
    "batch-renorm": lambda: L.BatchNormalization(renorm=True),
    "layer": L.LayerNormalization,
    "layer-plain": lambda: L.LayerNormalization(center=False, scale=False),
    "layer-time": lambda: L.LayerNormalization(axis=1),
    "layer-both": lambda: L.LayerNormalization(axis=[1, 2], epsilon=0.01),
    "layer-no-center": lambda: L.LayerNormalization(center=False),
    "layer-rms": lambda: L.LayerNormalization(rms_scaling=True),
    "rms": L.RMSNormalization,
    "unit": L.UnitNormalization,
    "unit-time": lambda: L.UnitNormalization(axis=1),
    "unit-both": lambda: L.UnitNormalization(axis=[1, 2]),
    "rescaling": lambda: L.Rescaling(0.3, offset=-1),
    "rescaling-rows": lambda: L.Rescaling([0.3, 1.0, -2.0], offset=[1.0, 0.0, 0.1]),
    "rescaling-row": lambda: L.Rescaling([0.3, 1.0, -2.0], offset=2),
    "normalization": L.Normalization,
    "normalization-none": lambda: L.Normalization(axis=None),
    "normalization-both": lambda: L.Normalization(axis=(1, 2)),
    "normalization-time": lambda: L.Normalization(axis=1),
    "normalization-given": lambda: L.Normalization(mean=MEAN, variance=VARIANCE),
    "normalization-one": lambda: L.Normalization(mean=0.5, variance=2.0),
    "normalization-invert": lambda: L.Normalization(mean=MEAN, variance=VARIANCE, invert=True),
    "conv": lambda: L.Conv1D(2, 3),
    "conv-same": lambda: L.Conv1D(3, 2, padding="same", activation="tanh"),
    "conv-same-stride": lambda: L.Conv1D(2, 3, strides=2, padding="same", use_bias=False),
    "conv-causal": lambda: L.Conv1D(2, 3, padding="causal"),
    "conv-dilated": lambda: L.Conv1D(2, 2, padding="causal", dilation_rate=2),
    "conv-causal-stride": lambda: L.Conv1D(2, 2, padding="causal", strides=2),
    "conv-valid-dilated": lambda: L.Conv1D(2, 2, dilation_rate=3),
    "max-pool": L.MaxPooling1D,
    "max-pool-same": lambda: L.MaxPooling1D(3, strides=2, padding="same"),
    "mean-pool": lambda: L.AveragePooling1D(2, strides=1),
    "mean-pool-same": lambda: L.AveragePooling1D(3, padding="same"),
    "global-max": L.GlobalMaxPooling1D,
    "global-max-kept": lambda: L.GlobalMaxPooling1D(keepdims=True),
    "global-max-first": lambda: L.GlobalMaxPooling1D(data_format="channels_first"),
    "global-mean": L.GlobalAveragePooling1D,
    "global-mean-kept": lambda: L.GlobalAveragePooling1D(keepdims=True),
    "global-mean-first": lambda: L.GlobalAveragePooling1D(data_format="channels_first", keepdims=True),
    "flatten": L.Flatten,
    "flatten-first": lambda: L.Flatten(data_format="channels_first"),
    "reshape": lambda: L.Reshape((6, 2)),
    "reshape-free": lambda: L.Reshape((-1, 4)),
    "permute": lambda: L.Permute((2, 1)),
    "upsampling": lambda: L.UpSampling1D(3),
    "padding": lambda: L.ZeroPadding1D(2),
    "padding-left": lambda: L.ZeroPadding1D((2, 0)),
    "cropping": lambda: L.Cropping1D((1, 2)),
    "cropping-right": lambda: L.Cropping1D((0, 1)),
    "distributed-dense": lambda: L.TimeDistributed(L.Dense(2, "tanh")),
    "distributed-batch": lambda: L.TimeDistributed(L.BatchNormalization()),
    "distributed-layer": lambda: L.TimeDistributed(L.LayerNormalization(axis=1)),
    "distributed-prelu": lambda: L.TimeDistributed(L.PReLU()),
    "distributed-activation": lambda: L.TimeDistributed(L.Activation("elu")),
}
for k, (name, make) in enumerate(LAYERS.items()):
    add(f"layer-{name}", behind(make), live=k % 3 == 2)
HAND_ON = (
    "dense conv-causal max-pool global-max global-mean global-mean-kept flatten reshape permute dropout batch layer "
    "layer-rms unit rescaling normalization prelu relu leaky identity softmax-activation distributed-dense "
    "distributed-batch padding upsampling cropping rms regularised"
)
for k, name in enumerate(HAND_ON.split()):
    add(f"masked-{name}", behind(LAYERS[name], masked=True), live=k % 3 == 1)


def vector(make: Callable[[], Any]) -> Build:
    """A layer behind the last output of a GRU."""

    def build(rng: np.random.Generator) -> Built:
        x = keras.Input((None, 2))
        y = make()(L.GRU(3)(x))
        return keras.Model(x, [y, L.GRU(1)(y)] if len(y.shape) == 3 else y), [sequence(rng, 3, 2)]

    return build


for name in ("dense", "softmax", "batch", "layer", "prelu", "unit", "normalization", "flatten", "rescaling-row"):
    add(f"vector-{name}", vector(LAYERS[name]))
add("vector-repeat", vector(lambda: L.RepeatVector(3)))
add("vector-reshape", vector(lambda: L.Reshape((3, 1))))


def merged(make: Callable[[], Any], masks: tuple[bool, ...], shapes: tuple[tuple[int, int], ...]) -> Build:
    """Several sequences, some of them masked, joined, and a GRU behind."""

    def build(rng: np.random.Generator) -> Built:
        inputs = [keras.Input(shape) for shape in shapes]
        values = [L.Masking()(x) if mask else x for x, mask in zip(inputs, masks, strict=True)]
        values = [L.GRU(shape[1], return_sequences=True)(v) for v, shape in zip(values, shapes, strict=True)]
        y = make()(values)
        arrays = [sequence(rng, *shape, holes=mask) for shape, mask in zip(shapes, masks, strict=True)]
        return keras.Model(inputs, [y, L.GRU(2)(y)]), arrays

    return build


MERGES: dict[str, Callable[[], Any]] = {
    "add": L.Add,
    "subtract": L.Subtract,
    "multiply": L.Multiply,
    "average": L.Average,
    "concatenate": L.Concatenate,
    "concatenate-time": lambda: L.Concatenate(axis=1),
}
for name, make in MERGES.items():
    for masks in ((False, False), (True, False), (True, True)):
        said = "".join("m" if mask else "-" for mask in masks)
        add(f"merge-{name}-{said}", merged(make, masks, ((4, 2), (4, 2))))
add("merge-widths", merged(L.Concatenate, (True, True), ((3, 2), (3, 1))))
add("merge-broadcast", merged(L.Add, (True, True), ((3, 2), (1, 2))))
add("merge-three", merged(L.Average, (True, True, True), ((3, 2), (3, 2), (3, 2))))


def indices(rng: np.random.Generator, masks: bool, kind: str) -> Built:
    x = keras.Input((5,), dtype=kind)
    y = L.Embedding(6, 3, mask_zero=masks)(x)
    numbers = rng.integers(0, 6, (2, 5)) * (rng.random((2, 5)) < 0.7)
    outputs = [L.GRU(2, return_sequences=True)(y), L.Bidirectional(L.GRU(2))(y), L.GlobalAveragePooling1D()(y)]
    return keras.Model(x, outputs), [np.where(np.arange(5) == 2, 3, numbers)]


for masks in (False, True):
    for kind in ("int32", "int64", "float32"):
        add(f"embedding-{masks}-{kind}", lambda rng, masks=masks, kind=kind: indices(rng, masks, kind))


def seq2seq(rng: np.random.Generator) -> Built:
    """An encoder whose states begin the decoder."""
    x, t = keras.Input((None, 2)), keras.Input((None, 3))
    _, h = L.GRU(4, return_state=True)(L.Masking()(x))
    y = L.GRU(4, return_sequences=True)(t, initial_state=h)
    return keras.Model([x, t], L.TimeDistributed(L.Dense(2, "softmax"))(y)), [
        sequence(rng, 5, 2, holes=True),
        sequence(rng, 3, 3),
    ]


def shared(rng: np.random.Generator) -> Built:
    x, t = keras.Input((4, 2)), keras.Input((4, 2))
    layer, head = L.GRU(2, return_sequences=True), L.Dense(2, "tanh")
    y, z = head(layer(layer(L.Masking()(x)))), head(layer(t))
    return keras.Model([x, t], L.Subtract()([y, z])), [sequence(rng, 4, 2, holes=True), sequence(rng, 4, 2)]


def nested(rng: np.random.Generator) -> Built:
    """A functional model and a Sequential one inside, each called twice, and a mask that goes through."""
    a, b = keras.Input((4, 2)), keras.Input((4, 2))
    inner = keras.Model([a, b], [L.GRU(2, return_sequences=True)(a), L.Add()([L.Dropout(0.3)(a), b])])
    chain = keras.Sequential([L.GRU(2, return_sequences=True), L.Dense(2)])
    x, t = keras.Input((4, 2)), keras.Input((4, 2))
    y, z = inner([L.Masking()(x), t])
    w, _ = inner([t, x])
    return keras.Model([x, t], {"b": chain(y), "a": L.GRU(2)(z), "c": chain(w)}), [
        sequence(rng, 4, 2, holes=True),
        sequence(rng, 4, 2),
    ]


def operations(rng: np.random.Generator) -> Built:
    x, t = keras.Input((4, 2)), keras.Input((4, 2))
    mask = keras.ops.logical_or(L.Masking().compute_mask(x), L.Masking(0.5).compute_mask(t))
    y = L.GRU(2, return_sequences=True)(x * t + x - t, mask=mask)
    return keras.Model([x, t], y), [sequence(rng, 4, 2, holes=True), sequence(rng, 4, 2)]


def inside(rng: np.random.Generator) -> Built:
    """A GRU over each time step's own sequence, then one over those."""
    x = keras.Input((3, 4, 2))
    y = L.TimeDistributed(L.Bidirectional(L.GRU(2)))(x)
    z = L.TimeDistributed(keras.Sequential([keras.Input((4, 2)), L.Masking(), L.GRU(3), L.Dense(2)]))(x)
    numbers = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    numbers[:, :, 2] = 0
    return keras.Model(x, L.GRU(2)(L.Concatenate()([y, z]))), [numbers]


def renowned(rng: np.random.Generator) -> Built:
    """Names that are no identifiers, keywords, or twice the same once they are made safe."""
    names = ["gru_1", "class", "{{7*7}}", "*\\ int x; *", "\\input{x}", "A b", "a_b", "x" * 5000, "é"]
    chain = [L.GRU(2, return_sequences=True, name=name) for name in names]
    return keras.Sequential([keras.Input((2, 2)), *chain, L.Dense(1, name="gru")]), [sequence(rng, 2, 2)]


def partly(rng: np.random.Generator) -> Built:
    """A time step with one feature at the mask's value is not masked: all of them must be."""
    x = keras.Input((4, 2))
    numbers = rng.normal(size=(2, 4, 2)).astype("float32")
    numbers[0, 1, 0] = numbers[1, 2, 1] = numbers[0, 3] = 0.5
    return keras.Model(x, L.GRU(3, return_sequences=True)(L.Masking(0.5)(x))), [numbers]


def unsaid(folder: Any) -> tuple[object, Sequence[np.ndarray], Sequence[np.ndarray]]:
    """A Bidirectional whose file says zero_output_for_mask=false of its layers: Keras sets it all the same."""
    rng = np.random.default_rng(0)
    x = keras.Input((4, 2))
    model = keras.Model(x, L.Bidirectional(L.GRU(2, return_sequences=True))(L.Masking()(x)))
    randomise(model, rng)
    said, path = Path(folder) / "said.keras", Path(folder) / "model.keras"
    model.save(said)
    with zipfile.ZipFile(said) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                assert b'"zero_output_for_mask": true' in content
                content = content.replace(b'"zero_output_for_mask": true', b'"zero_output_for_mask": false')
            new.writestr(name, content)
    numbers = sequence(rng, 4, 2, holes=True)
    return path, [numbers], [np.asarray(keras.saving.load_model(path)(numbers))]


CASES.append(Case("bidirectional-zeroing-unsaid", unsaid))
for build in (seq2seq, shared, nested, operations, inside, renowned, partly):
    add(f"graph-{build.__name__}", build)
    add(f"graph-{build.__name__}-live", build, live=True)


def double(rng: np.random.Generator) -> Built:
    """A model of float64 throughout: Keras' own setting, since its stacked cells take their precision from there."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        return _double(rng)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def _double(rng: np.random.Generator) -> Built:
    x = keras.Input((4, 2))
    first = str(rng.choice(["tanh", "softsign", "elu", "selu", "leaky_relu"]))
    y = L.Bidirectional(L.GRU(3, return_sequences=True, activation=first, reset_after=flip(rng)))(L.Masking()(x))
    choice = rng.integers(7)
    if choice == 0:
        y = L.LayerNormalization()(y)
    if choice == 1:
        y = L.BatchNormalization()(y)
    if choice == 2:
        y = L.Dense(3, str(rng.choice(["softmax", "tanh", "linear"])))(y)
    if choice == 3:
        y = L.Conv1D(2, 2, padding="causal")(y)
    if choice == 4:
        y = L.Add()([y, L.Dense(6)(y)])
    if choice == 5:
        y = L.Rescaling(0.3, 0.1)(L.UnitNormalization()(L.PReLU()(y)))
    if choice == 6:
        y = L.LeakyReLU(negative_slope=0.3)(L.Normalization()(y))
    outputs = [y, L.RNN([L.GRUCell(2), L.GRUCell(3)])(y), L.GlobalAveragePooling1D()(y)]
    return keras.Model(x, outputs), [sequence(rng, 4, 2, holes=True, dtype="float64")]


for k in range(12):
    add(f"float64-{k}", double, dtype="float64", live=k % 4 == 3)


def random_model(rng: np.random.Generator) -> Built:
    """A functional model whose layers and wiring are drawn: what each draws from are the tensors so far."""
    steps, features = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    x = keras.Input((steps, features))
    holes = flip(rng, 0.6)
    tensors = [L.Masking()(x) if holes else x]
    for _ in range(int(rng.integers(2, 7))):
        tensors.append(grown(rng, tensors))
    sequences = [t for t in tensors if len(t.shape) == 3 and t.shape[1]]
    if flip(rng, 0.4) and len({t.shape[1] for t in sequences[-2:]}) == 1:
        tensors.append(L.Concatenate()(sequences[-2:]))
    last = tensors[-1]
    outputs = [last, L.GRU(2)(last)] if len(last.shape) == 3 else [last, L.GRU(2)(sequences[-1])]
    return keras.Model(x, outputs), [sequence(rng, steps, features, holes)]


def grown(rng: np.random.Generator, tensors: list[Any]) -> Any:
    """A tensor that a random layer makes of one of them (two of one shape)."""
    sequences = [t for t in tensors if len(t.shape) == 3]
    x = sequences[int(rng.integers(len(sequences)))]
    alike = [t for t in sequences if t.shape == x.shape]
    choices: list[Callable[[], Any]] = [
        lambda: recurrent(rng, return_state=False, return_sequences=True)(x),
        lambda: L.Bidirectional(L.GRU(**cell_options(rng), return_sequences=True), str(rng.choice(["concat", "ave"])))(
            x
        ),
        lambda: L.Dense(2, str(rng.choice(["tanh", "relu", "linear"])))(x),
        lambda: L.TimeDistributed(L.Dense(3))(x),
        lambda: L.LayerNormalization()(x),
        lambda: L.BatchNormalization()(x),
        lambda: L.Conv1D(2, 2, padding=str(rng.choice(["causal", "same"])))(x),
        lambda: L.UpSampling1D(2)(x),
        lambda: L.ZeroPadding1D(1)(x),
        lambda: L.Permute((2, 1))(x),
        lambda: L.RepeatVector(2)(L.GlobalAveragePooling1D()(x)),
        lambda: L.RepeatVector(3)(recurrent(rng, return_state=False, return_sequences=False)(x)),
        lambda: L.LeakyReLU()(x),
        lambda: L.Dropout(0.2)(x),
        lambda: L.Masking(0.0)(x),
        lambda: L.PReLU(shared_axes=[1])(x),
        lambda: L.Add()([alike[int(rng.integers(len(alike)))], x]),
        lambda: L.Multiply()([alike[int(rng.integers(len(alike)))], x]),
        lambda: L.Concatenate()([alike[int(rng.integers(len(alike)))], x]),
        lambda: L.Rescaling(0.5, offset=0.1)(x),
    ]
    return choices[int(rng.integers(len(choices)))]()


for k in range(40):
    add(f"random-{k}", random_model, live=k % 3 == 2)
