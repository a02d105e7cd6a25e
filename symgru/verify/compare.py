"""One table: each way of computing the network against exact arithmetic, with its tolerance and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symgru.backends import c
from symgru.domains import Float64
from symgru.errors import MissingTool
from symgru.network import Array, Network, Tensor, stored
from symgru.scaling import IDENTITY, Scale
from symgru.trace import exact, run
from symgru.verify import keras
from symgru.verify.compilers import find_compiler
from symgru.verify.emitted import compiled, run_numpy
from symgru.yardstick import check_finite, largest, largest_difference, own_error, recorded, scaled, tolerance

REFERENCE_LIMIT = 1e-12  # of the largest output: float64 has 1e-16, and a few hundred operations add up
FRAMEWORK_LIMIT = {"float32": 1e-5, "float64": 1e-12}  # of the largest output: a wrong convention gives 1e-3 or more


@dataclass(frozen=True)
class Row:
    """One engine: its largest difference from exact arithmetic, the limit, and what the limit is made of."""

    engine: str
    difference: float
    ulps: float
    limit: float
    why: str
    output: Array

    @property
    def passed(self) -> bool:
        return self.difference <= self.limit


@dataclass(frozen=True)
class Skipped:
    """An engine that could not be asked."""

    engine: str
    why: str


def compare(network: Network, x: Tensor, path: Path | None = None, scale: Scale = IDENTITY) -> Iterator[Row | Skipped]:
    """Rows as they become known: reference, Keras, emitted NumPy, emitted C (a window, step by step, with the scale).

    Emitted code is held to a multiple of the framework's own error, where it computes in the same precision; C always
    computes in float32.
    """
    case = _Case(network, stored(scaled(stored(x, network.dtype), scale), network.dtype))
    yield case.row(
        "reference", run(network, case.x, Float64()).y, REFERENCE_LIMIT * case.size, "1e-12 of the largest output"
    )
    yardstick, measure = case.error(network.dtype), "plain arithmetic's"
    if not keras.installed() or not keras.knows(network):
        why = "not installed: pip install tensorflow" if not keras.installed() else "has no such layer"
        yield Skipped("Keras", why)
    else:
        limit = FRAMEWORK_LIMIT[network.dtype]
        answer = case.row(
            keras.version(),
            keras.predict(network, case.x.value, path),
            limit * case.size,
            f"{limit:g} of the largest output",
        )
        yield answer
        yardstick, measure = max(answer.difference, case.least), "Keras'"
    why = f"4 times {measure} own error, plus 2 ulps"
    limit = tolerance(yardstick, case.size, network.dtype)
    yield case.row("emitted NumPy", run_numpy(network, case.x.value), limit, why)
    if network.dtype != "float32":
        yardstick, why = case.error("float32"), "4 times plain float32's own error, plus 2 ulps"
    if find_compiler() is None:
        yield Skipped("emitted C", "no C compiler: set CC, install gcc or clang, or run `pip install ziglang`")
        return
    yield from _c_rows(case, tolerance(yardstick, case.size), why)
    if scale != IDENTITY:
        yield _scaled_row(network, x, scale)


class _Case:
    """A network on one input, and the exact output."""

    def __init__(self, network: Network, x: Tensor) -> None:
        self.network, self.x = network, x
        self.truth = exact(network, x)
        check_finite(self.truth, "float32")
        self.size = largest(self.truth)
        self.least = own_error(network, x, network.dtype)[1]

    def error(self, dtype: str) -> float:
        """How far plain arithmetic of `dtype` is off, at least half an ulp of the largest value on the way."""
        y, least = own_error(self.network, self.x, dtype)
        return max(largest_difference(y, self.truth), least)

    def row(self, engine: str, output: Array, limit: float, why: str) -> Row:
        difference = largest_difference(output, self.truth)
        return Row(engine, difference, difference / ulp(self.size, str(output.dtype)), limit, why, output)


def ulp(size: float, dtype: str) -> float:
    """The spacing of `dtype` at a magnitude."""
    return float(np.spacing(np.dtype(dtype).type(max(size, np.finfo(dtype).tiny))))


def _c_rows(case: _Case, limit: float, why: str) -> Iterator[Row]:
    program = compiled(case.network)
    whole, steps = program.window(case.x.value), program.stream(case.x.value)
    yield case.row("emitted C, window", whole, limit, why)
    yield case.row("emitted C, step by step", steps if steps.shape == whole.shape else steps[:, -1], limit, why)


def _scaled_row(network: Network, x: Tensor, scale: Scale) -> Row:
    """The C with the normalisation inside, in the units outside."""
    vectors = recorded(network, x, "float32", scale)
    y = compiled(network, c.Options(None, scale)).window(vectors.x.value)
    difference = largest_difference(y, vectors.y)
    return Row(
        "emitted C, with --scale",
        difference,
        difference / ulp(largest(vectors.y), "float32"),
        vectors.tolerance,
        "4 times plain float32's own error, plus 2 ulps",
        y,
    )


@dataclass(frozen=True)
class Parting:
    """How far windows and a continuing state part on a recording: one difference for each time step compared."""

    window: int
    differences: Array
    size: float

    @property
    def worst(self) -> tuple[float, int]:
        """The largest difference and the time step (from 1) where it is."""
        k = int(self.differences.argmax())
        return float(self.differences[k]), k + self.window

    @property
    def median(self) -> float:
        return float(np.median(self.differences))


def parting(network: Network, recording: Tensor, window: int, scale: Scale = IDENTITY) -> Parting:
    """N_window on the last `window` inputs against N_step on all inputs so far, at every step of the recording."""
    if find_compiler() is None:
        raise MissingTool(
            "comparing N_window with N_step needs a C compiler: set CC, install gcc or clang, "
            "or run `pip install ziglang`"
        )
    program = compiled(network, c.Options(None, scale))
    x = recording.value[:1]
    streamed = program.stream(x)[0, window - 1 :]
    cut = np.stack([x[0, t - window : t] for t in range(window, x.shape[1] + 1)])
    windows = program.window(cut)
    last = windows[:, -1] if windows.ndim == 3 else windows
    return Parting(window, np.abs(streamed - last).max(axis=-1), float(np.abs(last).max()))
