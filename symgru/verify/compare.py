"""One table: each way of computing the network against exact arithmetic, with its tolerance and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symgru.backends import c
from symgru.domains import Float64
from symgru.errors import MissingTool, SymgruError, Unsupported
from symgru.network import Array, Network, Tensor, stored
from symgru.scaling import IDENTITY, Scale
from symgru.trace import exact_outputs, run
from symgru.verify.compilers import find_compiler
from symgru.verify.emitted import compiled, compiled_for, emitted
from symgru.verify.frameworks import framework
from symgru.yardstick import (
    check_finite,
    check_indices,
    largest,
    largest_difference,
    own_errors,
    recorded,
    scaled,
    tolerance,
)

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
    outputs: tuple[Array, ...]

    @property
    def output(self) -> Array:
        """The first output."""
        return self.outputs[0]

    @property
    def passed(self) -> bool:
        return self.difference <= self.limit


@dataclass(frozen=True)
class Skipped:
    """An engine that could not be asked."""

    engine: str
    why: str


def compare(
    network: Network, x: Tensor | Sequence[Tensor], path: Path | None = None, scale: Scale = IDENTITY
) -> Iterator[Row | Skipped]:
    """Rows as they become known: reference, the framework, emitted NumPy, emitted C (a window, step by step, with the
    scale). `x` is one tensor, or one for each input; `path` the file that the network came from.

    Emitted code is held to a multiple of the framework's own error, where it computes in the same precision; C always
    computes in float32. Of several outputs a row shows the one that is nearest to its limit.
    """
    given = [x] if isinstance(x, Tensor) else list(x)
    check_indices(network, given)
    first, *others = (stored(each, network.dtype) for each in given)
    case = _Case(network, [stored(scaled(first, scale), network.dtype), *others])
    share = "of the largest output"
    yield case.row(
        "reference", run(network, case.xs, Float64()).outputs, case.shares(REFERENCE_LIMIT), f"1e-12 {share}"
    )
    yardsticks, measure = case.errors(network.dtype), "plain arithmetic's"
    answer = _framework_row(case, path)
    yield answer
    if isinstance(answer, Row):
        yardsticks = [max(d, case.least) for d in case.differences(answer.outputs)]
        measure = "Keras'" if answer.engine.startswith("Keras") else "the framework's"
    why = f"4 times {measure} own error, plus 2 ulps"
    limits = case.limits(yardsticks, network.dtype)
    yield case.row("emitted NumPy", emitted(network).outputs(*case.values), limits, why)
    if network.dtype != "float32":
        yardsticks, why = case.errors("float32"), "4 times plain float32's own error, plus 2 ulps"
    if find_compiler() is None:
        yield Skipped("emitted C", "no C compiler: set CC, install gcc or clang, or run `pip install ziglang`")
        return
    try:
        yield from _c_rows(case, case.limits(yardsticks, "float32"), why)
    except Unsupported as error:
        yield Skipped("emitted C", str(error))
        return
    if scale != IDENTITY:
        yield _scaled_row(network, given[0], scale)


def _framework_row(case: _Case, path: Path | None) -> Row | Skipped:
    """The framework that the file comes from, or why it was not asked."""
    asked = framework(path)
    refusal = asked.refusal(case.network, case.values, path)
    if refusal:
        return Skipped(asked.NAME, refusal)
    limit = FRAMEWORK_LIMIT[case.network.dtype]
    try:
        found = asked.outputs(case.network, case.values, path)
    except SymgruError as error:
        return Skipped(asked.NAME, str(error))
    return case.row(asked.version(path), found, case.shares(limit), f"{limit:g} of the largest output")


class _Case:
    """A network on one set of inputs, and the exact outputs."""

    def __init__(self, network: Network, xs: Sequence[Tensor]) -> None:
        self.network, self.xs = network, list(xs)
        self.truth = exact_outputs(network, self.xs)
        for y in self.truth:
            check_finite(y, "float32")
        self.sizes = [largest(y) for y in self.truth]
        self.least = own_errors(network, self.xs, network.dtype)[1]

    @property
    def values(self) -> list[Array]:
        """The inputs as arrays."""
        return [x.value for x in self.xs]

    def errors(self, dtype: str) -> list[float]:
        """How far plain arithmetic of `dtype` is off, at least half an ulp of the largest value on the way."""
        found, least = own_errors(self.network, self.xs, dtype)
        return [max(d, least) for d in self.differences(found)]

    def differences(self, outputs: Sequence[Array]) -> list[float]:
        """Each output's largest difference from the exact one; infinite where the shapes differ."""
        if len(outputs) != len(self.truth):
            return [float("inf")] * len(self.truth)
        pairs = zip(outputs, self.truth, strict=True)
        return [largest_difference(y, t) if y.shape == t.shape else float("inf") for y, t in pairs]

    def shares(self, share: float) -> list[float]:
        """A limit for each output, as a share of its largest number."""
        return [share * size for size in self.sizes]

    def limits(self, errors: Sequence[float], dtype: str) -> list[float]:
        """A limit for each output, from the errors of a yardstick."""
        return [tolerance(error, size, dtype) for error, size in zip(errors, self.sizes, strict=True)]

    def row(self, engine: str, outputs: Sequence[Array], limits: Sequence[float], why: str) -> Row:
        """The output that is nearest to its limit, or farthest beyond it."""
        found = self.differences(outputs)
        place = max(range(len(found)), key=lambda k: found[k] / limits[k] if limits[k] else found[k] and np.inf)
        ulps = found[place] / ulp(self.sizes[place], str(outputs[0].dtype))
        return Row(engine, found[place], ulps, limits[place], why, tuple(outputs))


def ulp(size: float, dtype: str) -> float:
    """The spacing of `dtype` at a magnitude."""
    return float(np.spacing(np.dtype(dtype).type(max(size, np.finfo(dtype).tiny))))


def _c_rows(case: _Case, limits: Sequence[float], why: str) -> Iterator[Row | Skipped]:
    program = compiled_for(case.network, case.values)
    whole = _listed(program.window(*case.values))
    yield case.row("emitted C, window", whole, limits, why)
    try:
        steps = _listed(program.stream(*case.values))
    except Unsupported as error:
        yield Skipped("emitted C, step by step", str(error))
        return
    ends = [y if y.shape == w.shape else y[:, -1] for y, w in zip(steps, whole, strict=True)]
    yield case.row("emitted C, step by step", ends, limits, why)


def _listed(found: Array | Sequence[Array]) -> list[Array]:
    return [found] if isinstance(found, np.ndarray) else list(found)


def _scaled_row(network: Network, x: Tensor, scale: Scale) -> Row:
    """The C with the normalisation inside, in the units outside."""
    vectors = recorded(network, x, "float32", scale)
    (y,) = _listed(compiled(network, c.Options(None, scale)).window(vectors.x.value))
    difference = largest_difference(y, vectors.y)
    return Row(
        "emitted C, with --scale",
        difference,
        difference / ulp(largest(vectors.y), "float32"),
        vectors.tolerance,
        "4 times plain float32's own error, plus 2 ulps",
        (y,),
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
    """N_window on the last `window` inputs against N_step on all inputs so far, at every step of the recording: the
    first output of a network with one input."""
    if len(network.inputs) > 1:
        raise Unsupported(f"--stream compares networks of one input; this one has {len(network.inputs)}")
    if find_compiler() is None:
        raise MissingTool(
            "comparing N_window with N_step needs a C compiler: set CC, install gcc or clang, "
            "or run `pip install ziglang`"
        )
    program = compiled(network, c.Options(None, scale))
    x = recording.value[:1]
    streamed = _listed(program.stream(x))[0][0, window - 1 :]
    cut = np.stack([x[0, t - window : t] for t in range(window, x.shape[1] + 1)])
    windows = _listed(program.window(cut))[0]
    last = windows[:, -1] if windows.ndim == 3 else windows
    return Parting(window, np.abs(streamed - last).max(axis=-1), float(np.abs(last).max()))
