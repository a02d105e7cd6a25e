"""tests/oracle.py once more, in mpmath's numbers: Keras' documented GRU and Dense to as many digits as mpmath gives.

It shares nothing with symgru: it reads get_weights() arrays and follows keras/src/layers/rnn/gru.py, number by number.
`ONLY_RATIONAL` are the activations that keep Fractions Fractions.
"""

from fractions import Fraction

import mpmath

SLOPE = Fraction(13421773, 67108864)  # 0.2 as a float32, which is what Keras holds
HALF_ROOT = Fraction(11863283, 16777216)  # 1/√2 as a float32, which is what TensorFlow holds


def sigmoid(a):
    return 1 / (1 + mpmath.exp(-a))


def softplus(a):
    return mpmath.log(1 + mpmath.exp(a))


def hard_sigmoid(a):
    return min(max(a + 3, 0), 6) * Fraction(1, 6)


def rational(q):
    return mpmath.mpf(q.numerator) / q.denominator


ONLY_RATIONAL = {
    "linear": lambda a: a,
    "relu": lambda a: max(a, Fraction(0)),
    "relu6": lambda a: min(max(a, Fraction(0)), Fraction(6)),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": lambda a: a * hard_sigmoid(a),
    "hard_tanh": lambda a: min(max(a, Fraction(-1)), Fraction(1)),
    "leaky_relu": lambda a: a if a > 0 else a * SLOPE,
    "softsign": lambda a: a / (1 + abs(a)),
    "hard_shrink": lambda a: a if abs(a) > Fraction(1, 2) else Fraction(0),
    "soft_shrink": lambda a: max(abs(a) - Fraction(1, 2), Fraction(0)) * (-1 if a < 0 else 1),
    "sparse_plus": lambda a: Fraction(0) if a <= -1 else (a + 1) * (a + 1) * Fraction(1, 4) if a < 1 else a,
    "sparse_sigmoid": lambda a: min(max(a + 1, Fraction(0)), Fraction(2)) * Fraction(1, 2),
}
ACTIVATIONS = {
    "linear": lambda a: a,
    "sigmoid": sigmoid,
    "tanh": mpmath.tanh,
    "exponential": mpmath.exp,
    "relu": lambda a: max(a, mpmath.mpf(0)),
    "relu6": lambda a: min(max(a, mpmath.mpf(0)), mpmath.mpf(6)),
    "leaky_relu": lambda a: a if a > 0 else a * rational(SLOPE),
    "elu": lambda a: a if a > 0 else mpmath.expm1(a),
    "selu": lambda a: (
        mpmath.mpf("1.0507009873554804934193349852946")
        * (a if a > 0 else mpmath.mpf("1.6732632423543772848170429916717") * mpmath.expm1(a))
    ),
    "softplus": softplus,
    "softsign": lambda a: a / (1 + abs(a)),
    "silu": lambda a: a * sigmoid(a),
    "hard_sigmoid": lambda a: min(max(a + 3, mpmath.mpf(0)), mpmath.mpf(6)) / 6,
    "hard_silu": lambda a: a * min(max(a + 3, mpmath.mpf(0)), mpmath.mpf(6)) / 6,
    "hard_tanh": lambda a: min(max(a, mpmath.mpf(-1)), mpmath.mpf(1)),
    "tanh_shrink": lambda a: a - mpmath.tanh(a),
    "gelu": lambda a: a * mpmath.erfc(-a * rational(HALF_ROOT)) / 2,
    "mish": lambda a: a * mpmath.tanh(softplus(a)),
    "celu": lambda a: a if a > 0 else mpmath.expm1(a),
    "log_sigmoid": lambda a: -softplus(-a),
    "hard_shrink": lambda a: a if abs(a) > 0.5 else mpmath.mpf(0),
    "soft_shrink": lambda a: max(abs(a) - 0.5, mpmath.mpf(0)) * (-1 if a < 0 else 1),
    "sparse_plus": lambda a: mpmath.mpf(0) if a <= -1 else (a + 1) ** 2 / 4 if a < 1 else a,
    "sparse_sigmoid": lambda a: min(max(a + 1, mpmath.mpf(0)), mpmath.mpf(2)) / 2,
    "squareplus": lambda a: (a + mpmath.sqrt(a * a + 4)) / 2,
}


def softmax(values):
    e = [mpmath.exp(v) for v in values]
    return [v / sum(e) for v in e]


def columns(vector, matrix, first, last):
    """vector @ matrix[:, first:last]"""
    return [sum(v * row[k] for v, row in zip(vector, matrix, strict=True)) for k in range(first, last)]


def gru(x, arrays, number, activations, reset_after=True, use_bias=True, activation="tanh",
        recurrent_activation="sigmoid", return_sequences=False):  # fmt: skip
    kernel, recurrent, *bias = ([[number(v) for v in row] for row in a] for a in two_axes(arrays))
    units = len(recurrent)
    b = bias[0] if use_bias else [[number(0)] * (3 * units)] * 2
    act, gate = activations[activation], activations[recurrent_activation]
    h, out = [number(0)] * units, []
    for row in x:
        given = [a + c for a, c in zip(columns(row, kernel, 0, 3 * units), b[0], strict=True)]
        if reset_after:
            kept = [a + c for a, c in zip(columns(h, recurrent, 0, 3 * units), b[1], strict=True)]
        else:
            kept = columns(h, recurrent, 0, 2 * units)
        z, r = ([gate(given[k] + kept[k]) for k in range(at, at + units)] for at in (0, units))
        if not reset_after:
            kept += columns([p * q for p, q in zip(r, h, strict=True)], recurrent, 2 * units, 3 * units)
            r = [1] * units
        n = [act(given[2 * units + k] + r[k] * kept[2 * units + k]) for k in range(units)]
        h = [z[k] * h[k] + (1 - z[k]) * n[k] for k in range(units)]
        out.append(h)
    return out if return_sequences else out[-1:]


def dense(x, arrays, number, activations, use_bias=True, activation="linear"):
    kernel, *bias = ([[number(v) for v in row] for row in a] for a in two_axes(arrays))
    units = len(kernel[0])
    b = bias[0][0] if use_bias else [number(0)] * units
    sums = [[a + c for a, c in zip(columns(row, kernel, 0, units), b, strict=True)] for row in x]
    return [softmax(row) if activation == "softmax" else [activations[activation](a) for a in row] for row in sums]


def two_axes(arrays):
    return [a if a.ndim == 2 else a[None] for a in arrays]


def run(layers, x, number, activations=ACTIVATIONS):
    """The last output for one sequence x, (time, features). `layers`: (kind, options, arrays of get_weights()).

    `number` makes a number of an element of x and of the arrays: a text or a float.
    """
    value = [[number(v) for v in row] for row in x]
    for kind, options, arrays in layers:
        value = {"gru": gru, "dense": dense}[kind](value, arrays, number, activations, **options)
    return value[-1]
