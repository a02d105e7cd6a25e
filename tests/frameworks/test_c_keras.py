"""The emitted C of whole Keras models against what Keras itself predicts, over windows and step by step."""

import numpy as np
import pytest
from keras import Input, Model, Sequential, layers

from symgru.errors import Unsupported
from symgru.face import load
from symgru.verify.emitted import compiled_for

TOLERANCE = 1e-5  # of the largest magnitude, at least 1
STEPS, BATCH = 8, 3


def sequential(shape, *stack, dtype=None):
    return Sequential([Input(shape, dtype=dtype), *stack])


def functional():
    x, c = Input((None, 3)), Input((4,))
    each, state = layers.GRU(4, return_sequences=True, return_state=True)(x)
    y = layers.Multiply()([layers.Add()([each, layers.Dense(4)(x)]), each])
    last = layers.Concatenate()([layers.GRU(3)(y), c, state])
    return Model([x, c], [layers.Dense(2)(y), layers.Dense(3)(last)])


def given_state():
    x, c = Input((None, 3)), Input((4,))
    return Model([x, c], layers.GRU(4)(x, initial_state=c))


def tokens(dtype):
    stack = [layers.Embedding(9, 4, mask_zero=True), layers.GRU(5, return_sequences=True), layers.GRU(3)]
    return sequential((None,), *stack, dtype=dtype)


MODELS = {  # name: (model, whether it runs step by step)
    "causal": (
        lambda: sequential(
            (None, 3),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
            layers.BatchNormalization(),
            layers.GRU(4),
            layers.Dense(2, activation="softmax"),
        ),
        True,
    ),
    "tokens": (lambda: tokens("int32"), True),
    "tokens_as_floats": (lambda: tokens(None), True),
    "distributed": (
        lambda: sequential(
            (None, 4),
            layers.TimeDistributed(layers.Dense(3, activation="tanh")),
            layers.GRU(3, return_sequences=True),
            layers.TimeDistributed(layers.Dense(2)),
            layers.Softmax(),
        ),
        True,
    ),
    "masked": (
        lambda: sequential((None, 2), layers.Masking(), layers.GRU(3, return_sequences=True), layers.GRU(4)),
        True,
    ),
    "stacked": (
        lambda: sequential(
            (None, 2),
            layers.RNN(
                layers.StackedRNNCells([layers.GRUCell(3), layers.GRUCell(4, reset_after=False)]),
                return_sequences=True,
            ),
        ),
        True,
    ),
    "functional": (functional, True),
    "given_state": (given_state, False),
    "bidirectional": (
        lambda: sequential(
            (STEPS, 3),
            layers.Masking(),
            layers.Bidirectional(layers.GRU(4, return_sequences=True)),
            layers.LayerNormalization(),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2),
        ),
        False,
    ),
    "convolution": (
        lambda: sequential(
            (STEPS, 3), layers.Conv1D(4, 3, padding="same", strides=2), layers.MaxPooling1D(2), layers.GRU(3)
        ),
        False,
    ),
    "decoder": (
        lambda: sequential(
            (STEPS, 2),
            layers.GRU(4),
            layers.RepeatVector(3),
            layers.GRU(4, return_sequences=True),
            layers.Flatten(),
            layers.Dense(2),
        ),
        False,
    ),
    "backwards": (
        lambda: sequential(
            (4, 2),
            layers.GRU(3, go_backwards=True, return_sequences=True),
            layers.Permute((2, 1)),
            layers.Reshape((4, 3)),
            layers.ZeroPadding1D(1),
            layers.AveragePooling1D(2),
            layers.GRU(2),
        ),
        False,
    ),
}


def filled(model, rng):
    """The model with random weights, variances above 0."""
    for weight in model.weights:
        if "seed" not in weight.path:
            value = rng.normal(size=weight.shape) * 0.5
            weight.assign(np.abs(value) + 0.3 if "variance" in weight.path else value)
    return model


def inputs(model, rng, tokens):
    """Random inputs; the last time steps of one sequence and one inside another are 0."""
    found = []
    for put in model.inputs:
        shape = [STEPS if n is None else n for n in put.shape[1:]]
        x = rng.integers(0, 9, (BATCH, *shape)) if tokens else rng.normal(size=(BATCH, *shape))
        if len(shape) == 2:
            x[1, -2:], x[2, 1] = 0, 0
        found.append(x.astype(np.float32))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_c_is_keras(name, tmp_path):
    build, steps = MODELS[name]
    rng = np.random.default_rng(len(name))
    model = filled(build(), rng)
    model.save(tmp_path / "model.keras")
    network = load(tmp_path / "model.keras").network
    xs = inputs(model, rng, "tokens" in name)
    right = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
    right = right if isinstance(right, list) else [right]
    program = compiled_for(network, xs)
    found = program.window(*xs)
    found = found if isinstance(found, list) else [found]
    for y, r in zip(found, right, strict=True):
        assert y.shape == r.shape
        assert np.abs(y - r).max() <= TOLERANCE * max(1, np.abs(r).max())
    if not steps:
        with pytest.raises(Unsupported, match="does not run step by step: layer"):
            program.stream(*xs)
        return
    streamed = program.stream(*xs)
    for s, r in zip(streamed if isinstance(streamed, list) else [streamed], right, strict=True):
        assert np.abs((s if r.ndim == 3 else s[:, -1]) - r).max() <= TOLERANCE * max(1, np.abs(r).max())
