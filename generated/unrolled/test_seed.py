"""Checks seed.py against recorded numbers: python test_seed.py, or pytest.

The expected values are the equations evaluated in exact arithmetic on the stored weights, rounded once.
The tolerance, 3.9e-07, is
4 times plain float32's own error, the largest at 32 inputs within a thousandth of each, (or half an ulp of
the largest value) plus 2 ulps.

Made by symgru 0.1.0 from templates/numpy/unrolled_test.py.j2.
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
    assert np.abs(y - Y).max() <= 3.9e-07


if __name__ == "__main__":
    test_recorded()
    print("seed: largest difference", np.abs(predict(X) - Y).max(), "of at most 3.9e-07")
