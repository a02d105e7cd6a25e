"""Checks seed.py against recorded numbers: python test_seed.py, or pytest.

The expected values are the equations evaluated in exact arithmetic on the stored weights, rounded once.
The tolerance, 1.8e-07, is
4 times plain float32's own error (or half an ulp of the largest value) plus 2 ulps.
So are the gradients, by the same equations' derivatives; their tolerance, 3.6e-06 of an array's largest
magnitude, is 4 times plain float32's own error, the largest here and at 32 inputs within a thousandth, plus 16 ulps.

Made by symgru 0.1.0 from templates/numpy/test.py.j2.
Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
"""

import numpy as np

from seed import gradients, predict

X = np.array([[[1],
               [2],
               [9],
               [8]]])
Y = np.array([[-0.4627953868173388]])
DY = np.array([[-0.75]])
DWEIGHTS = [
    np.array([[-0.0016980720302491785, 0.0003767057552745159, -6.476171591620015]]),
    np.array([[2.9386863445999212e-05, -1.425496354689823e-05, 0.25578648573814994]]),
    np.array([[-0.0008267664245249145, 9.641442504675069e-05, -0.8468166788940396],
              [-0.0008267664245249145, 9.641442504675069e-05, -0.8349955377156599]]),
]
DX = np.array([[[0.001099823142944332],
                [0.0030544037618686643],
                [0.00799988886287007],
                [0.02599982226005341]]])
DSTATES = [
    np.array([[-0.01342250186032825]]),
]


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


def gradient_pairs():
    """Every array of gradients, as found and as recorded."""
    dweights, dx, dstates = gradients(X, DY)
    return zip([*dweights, dx, *dstates], [*DWEIGHTS, DX, *DSTATES], strict=True)


def test_gradients():
    for found, right in gradient_pairs():
        assert found.shape == right.shape
        assert np.abs(found - right).max() <= 3.6e-06 * (np.abs(right).max() or 1)


if __name__ == "__main__":
    test_recorded()
    test_two_halves_are_the_whole()
    test_gradients()
    print("seed: largest difference", np.abs(predict(X) - Y).max(), "of at most 1.8e-07")
    share = max(np.abs(found - right).max() / (np.abs(right).max() or 1) for found, right in gradient_pairs())
    print("seed: gradients differ by", share, "of an array's largest magnitude, of at most 3.6e-06")
