"""gru (1 -> 1) in NumPy.

    from seed import predict
    y = predict(x)          # x (batch, time, 1)  ->  y (batch, 1)

Made by symgru 0.1.0 from templates/numpy/module.py.j2.
Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
"""

import numpy as np


def sigmoid(a):
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def gru(x, weights, h=None, return_sequences=False):
    """Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py).

    x        (batch, time, features)
    weights  as get_weights() gives them: kernel (features, 3 * units),
             recurrent_kernel (units, 3 * units),
             bias (2, 3 * units)
    h        (batch, units), the state before the first step; zeros where None

    Returns the last state (batch, units); with return_sequences all of them (batch, time, units).
    """
    kernel, recurrent_kernel, bias = weights
    W_z, W_r, W_n = np.split(kernel, 3, axis=1)
    U_z, U_r, U_n = np.split(recurrent_kernel, 3, axis=1)
    b_z, b_r, b_n = np.split(bias[0], 3)
    c_z, c_r, c_n = np.split(bias[1], 3)
    if h is None:
        h = np.zeros((len(x), len(recurrent_kernel)), dtype=x.dtype)
    states = []
    for t in range(x.shape[1]):
        x_t = x[:, t]
        z = sigmoid(x_t @ W_z + b_z + h @ U_z + c_z)
        r = sigmoid(x_t @ W_r + b_r + h @ U_r + c_r)
        n = np.tanh(x_t @ W_n + b_n + r * (h @ U_n + c_n))
        h = z * h + (1 - z) * n
        states.append(h)
    return np.stack(states, axis=1) if return_sequences else h


def predict(x, weights=None, states=None, return_states=False):
    """The model's output for a batch of inputs.

    x              (batch, time, 1)
    weights        the model's get_weights(); WEIGHTS below where None
    states         one array (batch, units) for each recurrent layer, before the first step; zeros where None
    return_states  also return the states after the last step, which the next call takes as `states`

    Returns (batch, 1), or (that, states). Computed in the dtype of the weights (float32), as Keras does.
    """
    weights = [np.asarray(w) for w in (WEIGHTS if weights is None else weights)]
    x = np.asarray(x, dtype=weights[0].dtype)
    if x.ndim != 3 or x.shape[1] == 0 or x.shape[2] != 1:
        raise ValueError(f"x has shape {x.shape}; expected (batch, time, 1) with at least one time step")
    h_gru, = (None,) if states is None else states
    with np.errstate(over="ignore"):  # e^-a may overflow to inf, and 1 / inf is the 0 that is meant
        y = gru(x, weights[0:3], h_gru)
        new_gru = y
    return (y, [new_gru]) if return_states else y


WEIGHTS = [
    # gru: kernel
    np.array([[-0.90954137, 1.0425225, -0.04404902]], dtype=np.float32),
    # gru: recurrent_kernel
    np.array([[0.24168766, 0.8981342, 0.36734456]], dtype=np.float32),
    # gru: bias
    np.array([[0, 0, 0],
              [0, 0, 0]], dtype=np.float32),
]
