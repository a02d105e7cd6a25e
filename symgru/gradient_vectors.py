"""Recorded gradients for a test that ships with emitted code, and how far its own arithmetic may be from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symgru.approximations import APPROXIMATIONS, numpy_function
from symgru.domains import Decimals, Float64
from symgru.errors import Unsupported, UnusableInput
from symgru.gradients import Gradients, gradients
from symgru.network import Array, Network, Tensor, stored
from symgru.trace import run
from symgru.yardstick import MULTIPLE, example_input

ULPS = 16
MOST_DIGITS = 320
AGREED = 22  # digits, of the largest magnitude in an array


class Plain(Float64):
    """Plain arithmetic of one float type; with the functions of the emitted C where `c`."""

    def __init__(self, dtype: str, c: bool = False) -> None:
        self.name = self.dtype = dtype
        self.c = c

    @property
    def functions(self) -> Mapping[str, object]:
        approximations = {name: numpy_function(a) for name, a in APPROXIMATIONS.items()} if self.c else {}
        return {**super().functions, **approximations}

    def lift(self, tensor: Tensor) -> Array:
        return tensor.value.astype(self.dtype)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, self.dtype)


@dataclass(frozen=True)
class GradientVectors:
    """An input, dL/d output, the exact gradients (Decimal objects), and the largest difference that code in `dtype` may
    show, as a share of each array's largest magnitude."""

    x: Tensor
    dy: Tensor
    exact: Gradients
    tolerance: float
    dtype: str

    @property
    def why(self) -> str:
        return f"{MULTIPLE} times plain {self.dtype}'s own error plus {ULPS} ulps"


def recorded_gradients(
    network: Network, x: Tensor | None = None, dtype: str | None = None, c: bool = False
) -> GradientVectors:
    """Exact gradients at x (an example input where None) for a dy from a seed, for code in `dtype` (the network's
    unless given) or, with `c`, for the emitted C.

    Raises UnusableInput where they are not finite.
    """
    dtype = dtype or network.dtype
    x = stored(x if x is not None else example_input(network), dtype)
    dy = example_dy(network, x)
    exact = exact_gradients(network, x, dy)
    plain = gradients(network, x, dy, Plain(dtype, c))
    error = max(relative(a, b) for a, b in zip(everything(plain), everything(exact), strict=True))
    if not np.isfinite(error):
        raise UnusableInput(f"the gradients are not finite in {dtype} on this input: give one the model was made for")
    return GradientVectors(x, dy, exact, MULTIPLE * error + ULPS * float(np.finfo(dtype).eps), dtype)


def example_dy(network: Network, x: Tensor) -> Tensor:
    """dL/dy for an example: quarters between -2 and 2, which every float type has."""
    shape = run(network, x, Float64()).y.shape
    return Tensor.of(np.random.default_rng(21).integers(-8, 9, shape) / 4)


def exact_gradients(network: Network, x: Tensor, dy: Tensor) -> Gradients:
    """Gradients as Decimal objects: two decimal precisions that agree. Strong evidence and not a proof."""
    digits = 2 * AGREED
    while digits <= MOST_DIGITS:
        low, high = (gradients(network, x, dy, Decimals(p)) for p in (digits, digits + 15))
        pairs = list(zip(everything(low), everything(high), strict=True))
        if not all(v.is_finite() for _, b in pairs for v in b.ravel()):
            raise UnusableInput("the gradients are not finite on this input: give one that the model was made for")
        with Decimals(digits).context():
            if all(abs(a - b).max() <= abs(b).max().scaleb(-AGREED) for a, b in pairs):
                return high
        digits *= 2
    raise Unsupported(f"the exact gradients cannot be had: {MOST_DIGITS} digits are lost on the way back")


def everything(g: Gradients) -> list[Array]:
    """Every array of gradients: each layer's parameters in their order, then the input's and the states'."""
    weights = [array for parts in g.weights.values() for _, array in sorted(parts.items())]
    return [*weights, g.x, *g.states.values()]


def relative(found: Array, exact: Array) -> float:
    """The largest difference as a share of the largest magnitude; 0 where both are 0 throughout."""
    right = exact.astype(np.float64)
    difference, size = float(np.abs(found - right).max()), float(np.abs(right).max())
    return difference / size if size else float("inf") if difference else 0.0
