"""Find the polynomial coefficients of symgru/approximations.py.

    python benchmarks/fit_activations.py

Prints each table with the largest error that the polynomial itself makes, in units of 2^-24 (half an ulp just above
1), as it stands in float32. Lawson's method: least squares whose weights grow where the error is large converges to
the minimax polynomial. Coefficients are rounded from the lowest up, and the rest fitted again after each rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp
import numpy as np
from numpy.polynomial import chebyshev

mp.mp.dps = 40


@dataclass(frozen=True)
class Fit:
    """P of a degree, so that scale(x) * (P(x) - target(x)) is small from low to high."""

    name: str
    low: float
    high: float
    degree: int
    target: Callable[[mp.mpf], mp.mpf]
    scale: Callable[[mp.mpf], mp.mpf]

    def coefficients(self, points: int = 2000) -> tuple[list[float], float]:
        """The coefficients, lowest first, as float32 values, and the largest scaled error."""
        x = (self.low + self.high) / 2 + (self.high - self.low) / 2 * np.cos(np.pi * (np.arange(points) + 0.5) / points)
        target = np.array([float(self.target(mp.mpf(v))) for v in x])
        scale = np.array([float(self.scale(mp.mpf(v))) for v in x])
        known: list[float] = []
        for k in range(self.degree + 1):
            rest = (target - np.polynomial.polynomial.polyval(x, known or [0.0])) / x**k
            known.append(float(np.float32(minimax(x, rest, scale * x**k, self.degree - k)[0])))
        error = np.abs(scale * (np.polynomial.polynomial.polyval(x, known) - target))
        return known, float(error.max())


def minimax(x: np.ndarray, y: np.ndarray, scale: np.ndarray, degree: int, rounds: int = 60) -> np.ndarray:
    """Coefficients (lowest first) of the polynomial that makes max |scale * (P(x) - y)| small."""
    weight = np.ones_like(x)
    best, smallest = np.zeros(degree + 1), np.inf
    for _ in range(rounds):
        fit = chebyshev.Chebyshev.fit(x, y, degree, w=np.sqrt(weight) * np.abs(scale))
        error = np.abs(scale * (fit(x) - y))
        if error.max() < smallest:
            best, smallest = fit.convert(kind=np.polynomial.Polynomial).coef, error.max()
        weight = weight * (error + 1e-3 * error.max())
        weight = weight / weight.sum()
    return best


def tanh_over_a(s: mp.mpf) -> mp.mpf:
    return mp.tanh(mp.sqrt(s)) / mp.sqrt(s)


def erf_over_a(s: mp.mpf) -> mp.mpf:
    return mp.erf(mp.sqrt(s)) / mp.sqrt(s)


FITS = (
    # e^r = 1 + (r + r^2 P(r)) for |r| <= log(2) / 2; the same with 3/4 < e^r < 3/2 for what needs e^r - 1
    Fit("EXP", -0.3475, 0.3475, 4, lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / mp.exp(r)),
    Fit("EXPM1", -0.3475, 0.4065, 5, lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / mp.expm1(r)),
    # log(1 + a) = a + a^2 P(a)
    Fit("LOG1P", 0.0, 1.0, 8, lambda a: (mp.log1p(a) - a) / a**2, lambda a: a**2 / mp.log1p(a)),
    # tanh(a) = a + a^3 P(a^2), in s = a^2 up to 0.55^2
    Fit("TANH", 1e-6, 0.3026, 4, lambda s: (tanh_over_a(s) - 1) / s, lambda s: s / tanh_over_a(s)),
    # erf(a) = a + a P(a^2), in s = a^2 up to 0.925^2
    Fit("ERF", 0.0, 0.86, 5, lambda s: erf_over_a(s) - 1, lambda s: 1 / erf_over_a(s)),
    # erf(a) = 1 - e^(a P(a)); an error of the exponent counts as much as erfc(a)
    Fit("ERFC", 0.925, 4.0, 6, lambda a: mp.log(mp.erfc(a)) / a, lambda a: a * mp.erfc(a) / mp.erf(a)),
)


def main() -> None:
    for fit in FITS:
        coefficients, error = fit.coefficients()
        print(f"{fit.name} = ({', '.join(str(np.float32(c)) for c in coefficients)})  # {error * 2**24:.3f}")


if __name__ == "__main__":
    main()
