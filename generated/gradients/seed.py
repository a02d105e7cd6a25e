"""gru (1 -> 1) in NumPy.

    from seed import predict
    y = predict(x)          # x (batch, time, 1)  ->  y (batch, 1)

    from seed import gradients
    dweights, dx, dstates = gradients(x, dy)        # dy = dL/dy of a loss L

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


def gru_gradients(x, weights, dy, h=None, return_sequences=False):
    """Back through time: what gru computes, kept step by step, then from the last step to the first.

    dy  dL/d what gru returns, for a loss L; the rest as for gru

    Returns dL/dweights (a list like weights), dL/dx and dL/dh, for the h before the first step. On the way, delta_z is
    dL/d the argument of the function that gives z, and ds is dL/ds of anything else.
    """
    kernel, recurrent_kernel, bias = weights
    W_z, W_r, W_n = np.split(kernel, 3, axis=1)
    U_z, U_r, U_n = np.split(recurrent_kernel, 3, axis=1)
    b_z, b_r, b_n = np.split(bias[0], 3)
    c_z, c_r, c_n = np.split(bias[1], 3)
    if h is None:
        h = np.zeros((len(x), len(recurrent_kernel)), dtype=x.dtype)
    kept = []
    for t in range(x.shape[1]):
        x_t = x[:, t]
        z = sigmoid(x_t @ W_z + b_z + h @ U_z + c_z)
        r = sigmoid(x_t @ W_r + b_r + h @ U_r + c_r)
        u_n = h @ U_n + c_n
        n = np.tanh(x_t @ W_n + b_n + r * u_n)
        kept.append((h, z, r, u_n, n))
        h = z * h + (1 - z) * n

    dx = np.empty_like(x)
    dh = np.zeros_like(h) if return_sequences else dy
    dkernel = np.zeros_like(kernel)
    drecurrent_kernel = np.zeros_like(recurrent_kernel)
    dbias = np.zeros_like(bias)
    dW_z, dW_r, dW_n = np.split(dkernel, 3, axis=1)
    dU_z, dU_r, dU_n = np.split(drecurrent_kernel, 3, axis=1)
    db_z, db_r, db_n = np.split(dbias[0], 3)
    dc_z, dc_r, dc_n = np.split(dbias[1], 3)
    for t in reversed(range(x.shape[1])):
        x_t = x[:, t]
        h, z, r, u_n, n = kept[t]
        if return_sequences:
            dh = dh + dy[:, t]
        delta_n = dh * (1 - z) * (1 - n * n)
        du_n = delta_n * r
        delta_r = delta_n * u_n * r * (1 - r)
        delta_z = dh * (h - n) * z * (1 - z)
        dW_z += x_t.T @ delta_z
        db_z += delta_z.sum(axis=0)
        dU_z += h.T @ delta_z
        dc_z += delta_z.sum(axis=0)
        dW_r += x_t.T @ delta_r
        db_r += delta_r.sum(axis=0)
        dU_r += h.T @ delta_r
        dc_r += delta_r.sum(axis=0)
        dW_n += x_t.T @ delta_n
        db_n += delta_n.sum(axis=0)
        dU_n += h.T @ du_n
        dc_n += du_n.sum(axis=0)
        dx[:, t] = delta_n @ W_n.T + delta_r @ W_r.T + delta_z @ W_z.T
        dh = dh * z + du_n @ U_n.T + delta_r @ U_r.T + delta_z @ U_z.T
    return [dkernel, drecurrent_kernel, dbias], dx, dh


def gradients(x, dy, weights=None, states=None):
    """The gradients of a loss L by weights, input and states, from its gradient by the output.

    x, weights, states  as for predict
    dy                  dL/dy, of the shape of y = predict(x)

    Returns dL/dweights (a list like weights), dL/dx (an array like x) and dL/dstates (a list like states).
    """
    weights = [np.asarray(w) for w in (WEIGHTS if weights is None else weights)]
    x = np.asarray(x, dtype=weights[0].dtype)
    dy = np.asarray(dy, dtype=x.dtype)
    if x.ndim != 3 or x.shape[1] == 0 or x.shape[2] != 1:
        raise ValueError(f"x has shape {x.shape}; expected (batch, time, 1) with at least one time step")
    if dy.shape != (len(x), 1):
        raise ValueError(f"dy has shape {dy.shape}; predict returns (batch, 1)")
    h_gru, = (None,) if states is None else states
    with np.errstate(over="ignore"):
        d_gru, dx, dh_gru = gru_gradients(x, weights[0:3], dy, h_gru)
    dweights = [*d_gru]
    dstates = [dh_gru]
    return dweights, dx, dstates


WEIGHTS = [
    # gru: kernel
    np.array([[-0.90954137, 1.0425225, -0.04404902]], dtype=np.float32),
    # gru: recurrent_kernel
    np.array([[0.24168766, 0.8981342, 0.36734456]], dtype=np.float32),
    # gru: bias
    np.array([[0, 0, 0],
              [0, 0, 0]], dtype=np.float32),
]
