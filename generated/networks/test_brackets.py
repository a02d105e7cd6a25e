"""Checks brackets.py against recorded numbers: python test_brackets.py, or pytest.

The expected values are the equations evaluated in exact arithmetic on the stored weights, rounded once.
The tolerance, 3.1e-07, is
4 times plain float32's own error (or half an ulp of the largest value) plus 2 ulps.

Made by symgru 0.1.0 from templates/numpy/test.py.j2.
Model SHA-256 a378e8a6ce575c0433039f25fa64cc5f3a04622c625096ee8ed93a34eae51292.
0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
"""

import numpy as np

from brackets import predict

X = np.array([[2, 0, 0, 1, 2],
              [0, 0, 1, 0, 0]])
Y = np.array([[[0.9999264898490167, 7.351015098328582e-05],
               [0.8521874468321102, 0.14781255316788974],
               [0.8521874468321102, 0.14781255316788974],
               [5.419212776850963e-05, 0.9999458078722315],
               [0.00023361119924733388, 0.9997663888007526]],
              [[0.8521874468321102, 0.14781255316788974],
               [0.8521874468321102, 0.14781255316788974],
               [0.999958751422154, 4.124857784598769e-05],
               [0.8521874468321102, 0.14781255316788974],
               [0.8521874468321102, 0.14781255316788974]]])


def test_recorded():
    y = predict(X)
    assert y.shape == Y.shape
    assert np.abs(y - Y).max() <= 3.1e-07


if __name__ == "__main__":
    test_recorded()
    print("brackets: largest difference", np.abs(predict(X) - Y).max(), "of at most 3.1e-07")
