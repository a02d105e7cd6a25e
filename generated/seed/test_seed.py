"""Checks seed.py against recorded numbers: python test_seed.py, or pytest.

The expected values are the equations evaluated in exact arithmetic on the stored weights, rounded once.
The tolerance, 1.8e-07, is
4 times plain float32's own error (or half an ulp of the largest value) plus 2 ulps.

Made by symgru 0.1.0 from templates/numpy/test.py.j2.
Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
"""

import numpy as np

from seed import predict

X = np.array([[[1],
               [2],
               [9],
               [8]]])
Y = np.array([[-0.4627953868173388]])


def test_recorded():
    y = predict(X)
    assert y.shape == Y.shape
    assert np.abs(y - Y).max() <= 1.8e-07


def test_two_halves_are_the_whole():
    """A recording cut in two, the states handed over, ends where the whole one does (NumPy may add up arrays of
    another shape in another order, so the last bits are free)."""
    cut = X.shape[1] // 2
    if cut == 0:
        return
    _, states = predict(X[:, :cut], return_states=True)
    y = predict(X[:, cut:], states=states)
    assert np.abs(y - predict(X)).max() <= 1.8e-07


if __name__ == "__main__":
    test_recorded()
    test_two_halves_are_the_whole()
    print("seed: largest difference", np.abs(predict(X) - Y).max(), "of at most 1.8e-07")
