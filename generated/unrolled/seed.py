"""gru (1 -> 1) in NumPy, unrolled for 4 time steps: one straight line, no loop.

    from seed import predict
    y = predict(x)          # x (batch, 4, 1)  ->  y (batch, 1)

Work: 30 multiplications, 16 additions, 11 functions for each sequence
(as a loop over the equations as written: 36 multiplications, 44 additions, 12 functions).
Rules: zero initial state, merged biases, zero biases, unused lines, numbers

Made by symgru 0.1.0 from templates/numpy/unrolled.py.j2.
Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
"""

import numpy as np


def sigmoid(a):
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def predict(x):
    """The model's output for a batch of inputs: x (batch, 4, 1) -> y (batch, 1).

    h_4 is gru's h at step 4.
    Computed in float32, as Keras does.
    """
    x = np.asarray(x, dtype=np.float32)
    if x.ndim != 3 or x.shape[1:] != (4, 1):
        raise ValueError(f"x has shape {x.shape}; expected (batch, 4, 1)")
    with np.errstate(over="ignore"):  # e^-a may overflow to inf, and 1 / inf is the 0 that is meant
        # t = 1
        z_1 = sigmoid(-0.90954137 * x[:, 0, 0])
        n_1 = np.tanh(-0.04404902 * x[:, 0, 0])
        h_1 = (1 - z_1) * n_1
        # t = 2
        z_2 = sigmoid(-0.90954137 * x[:, 1, 0] + 0.24168766 * h_1)
        r_2 = sigmoid(1.0425225 * x[:, 1, 0] + 0.8981342 * h_1)
        n_2 = np.tanh(-0.04404902 * x[:, 1, 0] + 0.36734456 * r_2 * h_1)
        h_2 = z_2 * h_1 + (1 - z_2) * n_2
        # t = 3
        z_3 = sigmoid(-0.90954137 * x[:, 2, 0] + 0.24168766 * h_2)
        r_3 = sigmoid(1.0425225 * x[:, 2, 0] + 0.8981342 * h_2)
        n_3 = np.tanh(-0.04404902 * x[:, 2, 0] + 0.36734456 * r_3 * h_2)
        h_3 = z_3 * h_2 + (1 - z_3) * n_3
        # t = 4
        z_4 = sigmoid(-0.90954137 * x[:, 3, 0] + 0.24168766 * h_3)
        r_4 = sigmoid(1.0425225 * x[:, 3, 0] + 0.8981342 * h_3)
        n_4 = np.tanh(-0.04404902 * x[:, 3, 0] + 0.36734456 * r_4 * h_3)
        h_4 = z_4 * h_3 + (1 - z_4) * n_4
    y = np.empty((len(x), 1), dtype=np.float32)
    y[:, 0] = h_4
    return y
