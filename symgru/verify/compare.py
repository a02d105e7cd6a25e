"""One table: each way of computing the network against exact arithmetic, with its tolerance and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symgru.backends import c
from symgru.domains import Float64
from symgru.errors import MissingTool
from symgru.float32 import Float32
from symgru.network import Array, Network, Tensor
from symgru.scaling import IDENTITY, Scale
from symgru.trace import exact, run
from symgru.verify import keras
from symgru.verify.compilers import find_compiler
from symgru.verify.emitted import compiled, run_numpy
from symgru.yardstick import largest, largest_difference, scale_out, scaled, stored, tolerance

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
    """Rows as they become known: reference, Keras, emitted NumPy, emitted C (window, then step by step)."""
    x = stored(x, network.dtype)
    inside = stored(scaled(x, scale), network.dtype)
    truth = exact(network, inside)
    size = largest(truth)

    def row(engine: str, output: Array, limit: float, why: str, truth: Array = truth) -> Row:
        difference = largest_difference(output, truth)
        ulp = float(np.spacing(np.dtype(network.dtype).type(max(largest(truth), np.finfo(np.float32).tiny))))
        return Row(engine, difference, difference / ulp, limit, why, output)

    reference = run(network, inside, Float64()).y
    yield row("reference", reference, REFERENCE_LIMIT * size, "1e-12 of the largest output")
    yardstick = largest_difference(run(network, inside, Float32()).y, truth)
    measure = "plain float32's own error"
    if not keras.installed() or not keras.knows(network):
        why = "not installed: pip install 'symgru[keras]'" if not keras.installed() else "has no such layer"
        yield Skipped("Keras", why)
    else:
        limit = FRAMEWORK_LIMIT[network.dtype]
        answer = row(keras.version(), keras.predict(network, inside.value, path), limit * size,
                     f"{limit:g} of the largest output")
        yield answer
        yardstick, measure = answer.difference, "Keras' own error"
    why = f"4 times {measure}, plus 2 ulps"
    limit = tolerance(yardstick, size, network.dtype)
    yield row("emitted NumPy", run_numpy(network, inside.value), limit, why)
    yield from _compiled_rows(network, x, inside, scale, row, tolerance(yardstick, size), why)


def _compiled_rows(network: Network, x: Tensor, inside: Tensor, scale: Scale, row: Callable[..., Row], limit: float,
                   why: str) -> Iterator[Row | Skipped]:
    if find_compiler() is None:
        yield Skipped("emitted C", "no C compiler: set CC, install gcc or clang, or run `pip install ziglang`")
        return
    program = compiled(network)
    yield row("emitted C, window", program.window(inside.value), limit, why)
    steps = program.stream(inside.value)
    whole = program.window(inside.value)
    yield row("emitted C, step by step", steps if steps.shape == whole.shape else steps[:, -1], limit, why)
    if scale != IDENTITY:
        outside = scale_out(exact(network, scaled(x, scale)), scale)
        deviation = 1.0 if scale.output is None else float(np.abs(scale.output.deviation).max())
        own = largest_difference(run(network, stored(scaled(x, scale), "float32"), Float32()).y,
                                 exact(network, scaled(x, scale))) * deviation
        yield row("emitted C, with --scale", compiled(network, c.Options(None, scale)).window(x.value),
                  max(tolerance(own, largest(outside)), limit * deviation),
                  "4 times float32's error on the normalised input, plus 2 ulps", outside)


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
        raise MissingTool("comparing N_window with N_step needs a C compiler: set CC, install gcc or clang, "
                          "or run `pip install ziglang`")
    program = compiled(network, c.Options(None, scale))
    x = recording.value[:1]
    streamed = program.stream(x)[0, window - 1 :]
    cut = np.stack([x[0, t - window : t] for t in range(window, x.shape[1] + 1)])
    windows = program.window(cut)
    last = windows[:, -1] if windows.ndim == 3 else windows
    return Parting(window, np.abs(streamed - last).max(axis=-1), float(np.abs(last).max()))
