"""Layers without a state, a time step at a time: element by element, or over all units. Their page of equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Expr, Function, Integer, evaluate, oo

from symgru.activations import clip, expm1, where_positive
from symgru.algebra import Mean, Total, add, mul, rebuild, sqrt, square, vectors
from symgru.cell import Cell, cell_of_page, x

# fmt: off
f, y, b, g, mu, v, alpha = vectors("f y b g mu v alpha")  # g, mu and v: a normalisation's scale, mean and variance
eps, scale, offset, slope, threshold, highest = vectors("eps scale offset slope threshold highest")  # a layer's options
phi = Function("phi", real=True)  # the layer's activation
zero = Integer(0)

with evaluate(False):  # keep the order a person wrote
    POINTWISE: dict[str, tuple[Any, ...]] = {
        "activation": ("Activation", "Keras' Activation (keras/src/layers/activations/activation.py)",
                       (y, phi(x))),
        "rectified": ("ReLU layer", "Keras' ReLU (keras/src/layers/activations/relu.py)",
                      (y, clip(x, zero, highest) - slope * clip(-x, zero, oo))),
        "rectified_above": ("ReLU layer with a threshold", "Keras' ReLU (keras/src/layers/activations/relu.py)",
                            (f, where_positive(x - threshold, x, zero)),
                            (y, clip(f, zero, highest) - slope * clip(threshold - x, zero, oo))),
        "leaky": ("LeakyReLU layer", "Keras' LeakyReLU (keras/src/layers/activations/leaky_relu.py)",
                  (y, where_positive(x, x, slope * x))),
        "exponential_unit": ("ELU layer", "Keras' ELU (keras/src/layers/activations/elu.py)",
                             (y, where_positive(x, x, slope * expm1(x)))),  # slope is Keras' alpha
        "parametric": ("PReLU layer", "Keras' PReLU (keras/src/layers/activations/prelu.py)",
                       (y, where_positive(x, x, alpha * x))),
        "rescaling": ("Rescaling", "Keras' Rescaling (keras/src/layers/preprocessing/rescaling.py)",
                      (y, x * scale + offset)),
        "affine": ("Scale and offset by feature", "ONNX' Mul and Add with constants (onnx/docs/Operators.md)",
                   (y, g * x + b)),
        "normalization": ("Normalization", "Keras' Normalization (keras/src/layers/preprocessing/normalization.py)",
                          (y, (x - mu) / clip(sqrt(v), eps, oo))),
        "denormalization": ("Normalization, inverted", "Keras' Normalization with invert=True",
                            (y, mu + x * clip(sqrt(v), eps, oo))),
        "batch_normalization": ("Batch normalisation in inference",
                                "Keras' BatchNormalization (keras/src/layers/normalization/batch_normalization.py)",
                                (y, g * (x - mu) / sqrt(v + eps) + b)),
        "layer_normalization": ("Layer normalisation",
                                "Keras' LayerNormalization (keras/src/layers/normalization/layer_normalization.py)",
                                (f, x - Mean(x)),
                                (y, g * f / sqrt(Mean(square(f)) + eps) + b)),
        # what is divided by is the deviation, though the mean stays in
        "rms_scaling": ("Layer normalisation, mean left in", "Keras' LayerNormalization with rms_scaling=True",
                        (f, x - Mean(x)),
                        (y, g * x / sqrt(Mean(square(f)) + eps))),
        "rms_normalization": ("Root mean square normalisation",
                              "Keras' RMSNormalization (keras/src/layers/normalization/rms_normalization.py)",
                              (y, g * x / sqrt(Mean(square(x)) + eps))),
        "unit_normalization": ("Unit normalisation",
                               "Keras' UnitNormalization (keras/src/layers/normalization/unit_normalization.py)",
                               (y, x / sqrt(clip(Total(square(x)), eps, oo)))),
    }
# fmt: on

MERGED: dict[str, tuple[str, Callable[..., Expr]]] = {  # layers of several inputs, and how these are put together
    "add": ("Add", add),
    "multiply": ("Multiply", mul),
    "subtract": ("Subtract", lambda p, q: p - q),
    "average": ("Average", lambda *xs: add(*xs) / Integer(len(xs))),
}

STATELESS = {name: cell_of_page(name, POINTWISE) for name in POINTWISE}
NUMBERS = (eps, scale, offset, slope, threshold, highest)  # what a layer's options of these names give
MAX_INPUTS = 256  # of one layer


def merged(kind: str, inputs: int) -> Cell:
    """A layer that puts several inputs together, element by element."""
    title, together = MERGED[kind]
    xs = (x, *vectors(" ".join(f"x{k}" for k in range(2, inputs + 1))))
    with evaluate(False):
        rhs = rebuild(together(*xs))
    return Cell(kind, ((y, rhs),), title, f"Keras' {title} (keras/src/layers/merging/{kind}.py)", xs, ())
