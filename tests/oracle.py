"""A second implementation, for tests only: Keras' documented GRU and Dense by hand, in long double.

It shares nothing with symgru: it reads get_weights() arrays and follows keras/src/layers/rnn/gru.py.
"""

import numpy as np

WIDE = np.longdouble

ACTIVATIONS = {
    "linear": lambda a: a,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "hard_sigmoid": lambda a: np.clip(a / 6 + WIDE(1) / 2, 0, 1),
    "softsign": lambda a: a / (1 + np.abs(a)),
    "elu": lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
    "softplus": lambda a: np.log1p(np.exp(-np.abs(a))) + np.maximum(a, 0),
    "silu": lambda a: a / (1 + np.exp(-a)),
    "softmax": lambda a: np.exp(a) / np.exp(a).sum(-1, keepdims=True),
}


def gru(
    x,
    arrays,
    reset_after=True,
    use_bias=True,
    activation="tanh",
    recurrent_activation="sigmoid",
    return_sequences=False,
    **_,
):
    kernel, recurrent, *rest = (np.asarray(a, WIDE) for a in arrays)
    units = recurrent.shape[0]
    bias = rest[0] if use_bias else np.zeros((2, 3 * units) if reset_after else 3 * units, WIDE)
    input_bias, recurrent_bias = bias if reset_after else (bias, None)
    act, gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    h = np.zeros((x.shape[0], units), WIDE)
    out = []
    for t in range(x.shape[1]):
        i_z, i_r, i_n = np.split(np.asarray(x[:, t], WIDE) @ kernel + input_bias, 3, axis=-1)
        if reset_after:
            k_z, k_r, k_n = np.split(h @ recurrent + recurrent_bias, 3, axis=-1)
            z, r = gate(i_z + k_z), gate(i_r + k_r)
            n = act(i_n + r * k_n)
        else:
            z = gate(i_z + h @ recurrent[:, :units])
            r = gate(i_r + h @ recurrent[:, units : 2 * units])
            n = act(i_n + (r * h) @ recurrent[:, 2 * units :])
        h = z * h + (1 - z) * n
        out.append(h)
    return np.stack(out, axis=1) if return_sequences else h


def dense(x, arrays, use_bias=True, activation="linear", **_):
    kernel, *bias = (np.asarray(a, WIDE) for a in arrays)
    return ACTIVATIONS[activation](x @ kernel + (bias[0] if use_bias else 0))


def run(layers, x):
    """`layers`: (kind, options, arrays as get_weights() gives them)."""
    value = np.asarray(x, WIDE)
    for kind, options, arrays in layers:
        value = {"gru": gru, "dense": dense}[kind](value, arrays, **options)
    return value
