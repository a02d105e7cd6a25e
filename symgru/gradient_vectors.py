"""Recorded gradients for a test that ships with emitted code, and how far its own arithmetic may be from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil, log2, pi, sqrt
from typing import cast

import numpy as np

from symgru.approximations import APPROXIMATIONS, numpy_function
from symgru.building import build
from symgru.cell import Cell
from symgru.certified import _doubt
from symgru.decimal_domain import Decimals
from symgru.domains import Float64, Step
from symgru.errors import Unsupported, UnusableInput
from symgru.gradients import Gradients, gradients
from symgru.layout import layout
from symgru.network import Array, Network, Tensor, stored
from symgru.trace import run
from symgru.yardstick import MULTIPLE, NEARBY, example_input

ULPS = 16
MOST_DIGITS = 320
AGREED = 22  # digits, of the largest magnitude in an array
DROWNED = 64  # an array is told from 0 where it is larger than so many of the errors that its arithmetic makes


class Plain(Float64):
    """Plain arithmetic of one float type, in which every operation is rounded, by the formulas of the emitted NumPy;
    with the functions of the emitted C where `c`."""

    def __init__(self, dtype: str, c: bool = False) -> None:
        self.name = self.dtype = dtype
        self.c = c
        self._steps: dict[Cell, Step] = {}

    @property
    def functions(self) -> Mapping[str, object]:
        functions = cast("Mapping[str, Callable[..., Array]]", super().functions)
        return {name: self._rounded(f) for name, f in {**functions, **_formulas(self.c)}.items()}

    def _rounded(self, f: Callable[..., Array]) -> Callable[..., Array]:
        """What NumPy works out in doubles or integers (erf, a step at a kink) is of this type from there on."""

        def rounded(*arguments: object) -> Array:
            return np.asarray(f(*arguments)).astype(self.dtype, copy=False)

        return rounded

    def step(self, cell: Cell) -> Step:
        if cell not in self._steps:
            self._steps[cell] = super().step(cell)
        return self._steps[cell]

    def lift(self, tensor: Tensor) -> Array:
        return tensor.value.astype(self.dtype)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, self.dtype)


def _formulas(c: bool) -> Mapping[str, Callable[..., Array]]:
    """What emitted code computes otherwise than the reference does."""
    if not c:
        return {"sigma": lambda a: 1 / (1 + np.exp(-a)), "gauss": lambda a: 2 / sqrt(pi) * np.exp(-a * a)}
    own = {name: numpy_function(a) for name, a in APPROXIMATIONS.items()}
    return {**own, "gauss": lambda a: 2 / sqrt(pi) * own["exp"](-a * a)}


@dataclass(frozen=True)
class GradientVectors:
    """An input, dL/d output, the exact gradients (Decimal objects), and the largest difference that code in `dtype` may
    show, as a share of each array's largest magnitude.

    An array that the errors of `dtype` drown stands as 0, and its share is the difference itself.
    """

    x: Tensor
    dy: Tensor
    exact: Gradients
    tolerance: float
    dtype: str
    drowned: bool = False  # whether there is such an array, but for those that are 0 anyway

    @property
    def why(self) -> str:
        """On one line, or two."""
        where = f"the largest here and at {NEARBY} inputs within a thousandth"
        more = f"\n(an array within {DROWNED} such errors of 0 stands as 0, and its difference is taken as it is)"
        return (
            f"{MULTIPLE} times plain {self.dtype}'s own error, {where}, plus {ULPS} ulps{more if self.drowned else ''}"
        )


def recorded_gradients(
    network: Network, x: Tensor | None = None, dtype: str | None = None, c: bool = False
) -> GradientVectors:
    """Exact gradients at x (an example input where None) for a dy from a seed, for code in `dtype` (the network's
    unless given) or, with `c`, for the emitted C.

    Code may add in another order than the measure, and one sample can be right by luck: the measure is the largest
    error around x too. Raises UnusableInput where the gradients are not finite.
    """
    dtype = dtype or network.dtype
    x = stored(x if x is not None else example_input(network), dtype)
    dy = example_dy(network, x)
    exact = exact_gradients(network, x, dy)
    right = [a.astype(np.float64) for a in everything(exact)]
    here = errors(gradients(network, x, dy, Plain(dtype, c)), right)
    if not np.isfinite(here).all():
        raise UnusableInput(f"the gradients are not finite in {dtype} on this input: give one the model was made for")
    error = np.maximum(here, nearby_errors(network, x, dy, dtype, c))
    size = np.array([_largest(a) for a in right])
    for group in [] if c else _stacks(network, exact):
        error[group], size[group] = error[group].max(), size[group].max()
    drowned = size <= DROWNED * error
    shares = np.where(drowned, size + error, error / np.where(drowned, 1, size))
    tolerance = MULTIPLE * float(shares.max()) + ULPS * float(np.finfo(dtype).eps)
    return GradientVectors(x, dy, _without(exact, drowned.tolist()), tolerance, dtype, bool(size[drowned].any()))


def _stacks(network: Network, g: Gradients) -> list[list[int]]:
    """The places among `everything` of those that are one array of the framework, which the NumPy test compares."""
    names = [(layer, name) for layer, parts in g.weights.items() for name in sorted(parts)]
    arrays = (
        (key, rows) for key, w in network.layers.items() for rows in layout(build(w.kind, w.options)).arrays.values()
    )
    return [[names.index((key, s.name)) for row in rows for s in row] for key, rows in arrays]


def nearby_errors(network: Network, x: Tensor, dy: Tensor, dtype: str, c: bool) -> Array:
    """The largest error of plain arithmetic in each array, at inputs within a thousandth of `x`; not what overflows.

    Rounding errors are in proportion to an ulp: those of float64 are taken from float32's.
    """
    plain, reference = Plain("float32", c), Plain("float64")
    worst = np.zeros(len(everything(gradients(network, x, dy, reference))))
    for factors in 1 + np.random.default_rng(20).uniform(-1e-3, 1e-3, (NEARBY, *x.value.shape)):
        near = stored(Tensor.of(x.value * factors), "float32")
        found, right = (gradients(network, near, dy, domain) for domain in (plain, reference))
        error = errors(found, everything(right))
        worst = np.maximum(worst, np.where(np.isfinite(error), error, 0))
    return np.asarray(worst * (np.finfo(dtype).eps / np.finfo(np.float32).eps))


def errors(found: Gradients, right: list[Array]) -> Array:
    """The largest difference in each array."""
    with np.errstate(invalid="ignore"):
        return np.array([_largest(a - b) for a, b in zip(everything(found), right, strict=True)])


def example_dy(network: Network, x: Tensor) -> Tensor:
    """dL/dy for an example: quarters between -2 and 2, which every float type has."""
    shape = run(network, x, Float64()).y.shape
    return Tensor.of(np.random.default_rng(21).integers(-8, 9, shape) / 4)


def exact_gradients(network: Network, x: Tensor, dy: Tensor) -> Gradients:
    """Gradients as Decimal objects: as ball arithmetic proves 22 digits of each array's largest magnitude, or, where
    it does not or python-flint is not there, as two decimal precisions agree on them.

    What shrinks with every precision tried is 0: nothing else cancels to so many places.
    """
    found = None if _doubt(network, x) else _settled(network, x, dy, _balls)
    if found is None:
        found = _settled(network, x, dy, _decimals)
    if found is None:
        raise Unsupported(f"the exact gradients cannot be had: {MOST_DIGITS} digits are lost on the way back")
    return found


Measure = Callable[[Network, Tensor, Tensor, int], tuple[Gradients, list[Array]]]


def _settled(network: Network, x: Tensor, dy: Tensor, measure: Measure) -> Gradients | None:
    """The gradients as soon as the digits suffice, or None: `measure` gives them and how uncertain each number is."""
    digits = 2 * AGREED
    while True:
        found, doubts = measure(network, x, dy, digits)
        with Decimals(digits).context():
            sizes = [(abs(a).max(), doubt.max()) for a, doubt in zip(everything(found), doubts, strict=True)]
            lost = [doubt > size.scaleb(-AGREED) for size, doubt in sizes]
            if not any(lost):
                return found
            if digits == MOST_DIGITS:
                ends = [size + doubt for (size, doubt), is_lost in zip(sizes, lost, strict=True) if is_lost]
                return _without(found, lost) if max(ends) < Decimal(10) ** (-digits // 2) else None
        digits = min(2 * digits, MOST_DIGITS)


def _balls(network: Network, x: Tensor, dy: Tensor, digits: int) -> tuple[Gradients, list[Array]]:
    """Midpoints, and the radii around them that certainly hold the gradients."""
    from symgru.gradient_balls import ball_gradients, midpoints

    balls = ball_gradients(network, x, dy, ceil(digits * log2(10)))
    both = [midpoints(a, digits) for a in everything(balls)]
    middle = replace(balls, y=midpoints(balls.y, digits)[0])
    return _replaced(middle, [a for a, _ in both]), [d for _, d in both]


def _decimals(network: Network, x: Tensor, dy: Tensor, digits: int) -> tuple[Gradients, list[Array]]:
    """The gradients in the higher of two precisions, and how far the lower is from them: strong evidence, no proof."""
    low, high = (gradients(network, x, dy, Decimals(p)) for p in (digits, digits + 15))
    arrays = everything(high)
    if not all(v.is_finite() for a in [*everything(low), *arrays] for v in a.ravel()):
        raise UnusableInput("the gradients are not finite on this input: give one that the model was made for")
    with Decimals(digits).context():
        return high, [abs(a - b) for a, b in zip(everything(low), arrays, strict=True)]


def _without(g: Gradients, zero: list[bool]) -> Gradients:
    """With 0 for those arrays."""
    zeros = np.vectorize(lambda _: Decimal(0), otypes=[object])
    return _replaced(g, [zeros(a) if is_zero else a for a, is_zero in zip(everything(g), zero, strict=True)])


def _replaced(g: Gradients, arrays: list[Array]) -> Gradients:
    """With other arrays, in the order of `everything`."""
    rest = iter(arrays)
    weights = {layer: {name: next(rest) for name in sorted(parts)} for layer, parts in g.weights.items()}
    return replace(g, weights=weights, x=next(rest), states={name: next(rest) for name in g.states})


def everything(g: Gradients) -> list[Array]:
    """Every array of gradients: each layer's parameters in their order, then the input's and the states'."""
    weights = [array for parts in g.weights.values() for _, array in sorted(parts.items())]
    return [*weights, g.x, *g.states.values()]


def _largest(a: Array) -> float:
    return float(np.abs(a).max(initial=0.0))
