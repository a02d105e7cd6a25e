"""Recorded vectors, and the error that float32 itself makes on them: the measure every comparison is held to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.float32 import Float32
from symgru.network import Array, Network, Tensor, stored
from symgru.scaling import IDENTITY, Scale
from symgru.trace import exact, run

MULTIPLE, ULPS = 4, 2
NEARBY = 32  # inputs around a recorded one, for code that adds in another order than the measure
OVERFLOW = "the output is not finite, or not in {}, on this input: give one that the model was made for"


@dataclass(frozen=True)
class Vectors:
    """Inputs, exact outputs (Decimal objects) and the largest difference that code computing in `dtype` may show.

    `nearby` says whether the error behind it is the largest at inputs around these too.
    """

    x: Tensor
    y: Array
    tolerance: float
    dtype: str
    nearby: bool = False

    @property
    def texts(self) -> Array:
        """The outputs as the nearest doubles, in their shortest decimals."""
        return np.array([repr(float(v)) for v in self.y.ravel()], dtype=object).reshape(self.y.shape)

    @property
    def tolerance_text(self) -> str:
        return f"{self.tolerance:.2g}"

    @property
    def why(self) -> str:
        where = f", the largest at {NEARBY} inputs within a thousandth of each," if self.nearby else ""
        return (
            f"{MULTIPLE} times plain {self.dtype}'s own error{where} (or half an ulp of the largest value) "
            f"plus {ULPS} ulps"
        )


def tolerance(error: float, scale: float, dtype: str = "float32") -> float:
    """The ceiling for emitted code: 4 times a yardstick's own error from exact arithmetic, plus 2 ulps at `scale`."""
    ulp = float(np.spacing(np.dtype(dtype).type(scale))) if scale else float(np.finfo(dtype).tiny)
    return MULTIPLE * error + ULPS * ulp


def largest_difference(y: Array, reference: Array) -> float:
    """max |y - reference| where the reference holds exact Decimals; NaN and Inf must agree or the answer is inf."""
    pairs = zip(np.asarray(y, np.float64).ravel().tolist(), reference.ravel(), strict=True)
    worst = 0.0
    for a, b in pairs:
        exact_value = float(b)
        if not (np.isfinite(a) and np.isfinite(exact_value)):
            if str(a) != str(exact_value):
                return float("inf")
            continue
        worst = max(worst, abs(float(type(b)(a) - b)))
    return worst


def largest(reference: Array) -> float:
    """The largest finite magnitude among exact values."""
    return max((abs(float(v)) for v in reference.ravel() if np.isfinite(float(v))), default=0.0)


def example_input(network: Network, scale: Scale = IDENTITY, batch: int = 2) -> Tensor:
    """A seeded input for a network that comes without one: short decimals between -2 and 2 after normalisation."""
    rng = np.random.default_rng(20)
    values = rng.integers(-200, 201, (batch, network.steps or 5, network.features)) / 100
    if scale.input is not None:
        values = (values * scale.input.deviation + scale.input.mean).astype(np.float32).astype(np.float64)
    return Tensor.of(values)


def recorded(
    network: Network,
    x: Tensor | None = None,
    dtype: str | None = None,
    scale: Scale = IDENTITY,
    nearby: bool = False,
) -> Vectors:
    """Vectors for a test that ships with emitted code computing in `dtype` (the network's unless given).

    With a scale, x and y are in the units outside it. `nearby` is for code that adds in an order of its own: one sample
    of the measure's order can be right by luck, so the measure is then the largest error around it.
    """
    dtype = dtype or network.dtype
    x = stored(x if x is not None else example_input(network, scale), dtype)
    y = scale_out(exact(network, scaled(x, scale), digits=20), scale)
    check_finite(y, dtype)
    inside = Tensor.of(scale.into(x.value.astype(dtype)))  # each operation rounded, as code of this dtype does
    plain, least = own_error(network, inside, dtype)
    deviation = 1.0 if scale.output is None else float(np.abs(scale.output.deviation).max())
    error = max(largest_difference(scale_out(plain, scale), y), least * deviation)
    if nearby:
        error = max(error, nearby_error(network, inside, dtype))
    return Vectors(x, y, tolerance(error, largest(y), dtype), dtype, nearby)


def nearby_error(network: Network, x: Tensor, dtype: str) -> float:
    """The largest error of plain arithmetic of `dtype` at inputs within a thousandth of `x`; what overflows is none."""
    factors = 1 + np.random.default_rng(20).uniform(-1e-3, 1e-3, (NEARBY, *x.value.shape))
    around = stored(Tensor.of((x.value * factors).reshape(-1, *x.value.shape[1:])), dtype)
    if dtype == "float32":
        plain, right = (run(network, around, domain).y.astype(np.float64) for domain in (Float32(), Float64()))
    else:
        plain, right = run(network, around, Float64()).y, exact(network, around, digits=20).astype(np.float64)
    with np.errstate(invalid="ignore"):
        differences = np.abs(plain - right)
    return float(differences[np.isfinite(differences)].max(initial=0.0))


def own_error(network: Network, x: Tensor, dtype: str) -> tuple[Array, float]:
    """What plain arithmetic of `dtype` gives, and the least error that counts as its own.

    One sample can be right by luck, so that is never less than half an ulp of the largest value on the way.
    """
    result = run(network, x, Float32() if dtype == "float32" else Float64())
    if not np.isfinite(result.y.astype(np.float64)).all():
        raise UnusableInput(OVERFLOW.format(dtype))
    size = max(largest(trace.columns[name]) for trace in result.traces for name in trace.columns)
    return result.y, float(np.spacing(np.dtype(dtype).type(size))) / 2


def check_finite(y: Array, dtype: str) -> None:
    """Refuse exact outputs that `dtype` cannot hold: there is nothing to compare with."""
    limit = Decimal(float(np.finfo(dtype).max))
    if not all(v.is_finite() and v.copy_abs().compare_total(limit) <= 0 for v in y.ravel()):
        raise UnusableInput(OVERFLOW.format(dtype))


def scaled(x: Tensor, scale: Scale) -> Tensor:
    """The input after normalisation, worked out in float64."""
    return x if scale.input is None else Tensor.of(scale.into(x.value))


def scale_out(y: Array, scale: Scale) -> Array:
    """Outputs in the target's units: exact ones (Decimal objects) exactly, others in their own precision."""
    if scale.output is None:
        return y
    if y.dtype != object:
        return scale.out_of(y)
    mean, deviation = (
        np.array([Decimal(float(v)) for v in a], dtype=object) for a in (scale.output.mean, scale.output.deviation)
    )
    outside: Array = y * deviation + mean
    return outside
