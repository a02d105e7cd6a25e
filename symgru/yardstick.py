"""Recorded vectors, and the error that float32 itself makes on them: the measure every comparison is held to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np

from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.float32 import Float32
from symgru.network import Array, Layer, Network, Tensor, stored
from symgru.scaling import IDENTITY, Scale
from symgru.trace import Run, exact_outputs, run

MULTIPLE, ULPS = 4, 2
NEARBY = 32  # inputs around a recorded one, for code that adds in another order than the measure
OVERFLOW = "the output is not finite, or not in {}, on this input: give one that the model was made for"


@dataclass(frozen=True)
class Vectors:
    """Inputs, exact outputs (Decimal objects) and the largest difference from each that code computing in `dtype` may
    show: one of `xs` for each input of the network, one of `ys` and `tolerances` for each output.

    `nearby` says whether the error behind it is the largest at inputs around these too.
    """

    xs: tuple[Tensor, ...]
    ys: tuple[Array, ...]
    tolerances: tuple[float, ...]
    dtype: str
    nearby: bool = False

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.xs[0]

    @property
    def y(self) -> Array:
        """The first output."""
        return self.ys[0]

    @property
    def tolerance(self) -> float:
        """The largest of the tolerances: the one where there is one output."""
        return max(self.tolerances)

    @property
    def texts(self) -> Array:
        """The first output as the nearest doubles, in their shortest decimals."""
        return self.texts_of(0)

    def texts_of(self, place: int) -> Array:
        """The same for the output number `place`."""
        y = self.ys[place]
        return np.array([repr(float(v)) for v in y.ravel()], dtype=object).reshape(y.shape)

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
    """A seeded first input for a network that comes without one: short decimals, from -2 to 2 after normalisation."""
    return example_inputs(network, scale, batch)[0]


def example_inputs(network: Network, scale: Scale = IDENTITY, batch: int = 2) -> list[Tensor]:
    """The same for every input: whole numbers within the tables that they look up, and where something in the network
    masks time steps, some that are masked."""
    rng = np.random.default_rng(20)
    fixed = [put.shape[0] for put in network.inputs if len(put.shape) > 1 and put.shape[0]]
    steps = network.steps or (fixed[0] if fixed else 5)  # inputs that are joined have as many
    tables, masks = table_sizes(network), mask_values(network)
    found = []
    for place, put in enumerate(network.inputs):
        whole = put.whole or put.id in tables  # indices may be given as floats
        first = steps if put.shape[:1] == (None,) and (whole or len(put.shape) > 1) else None
        shape = (batch, *(first or n or 3 if k == 0 else n or 3 for k, n in enumerate(put.shape)))
        if whole:
            highest = tables.get(put.id, steps if not put.shape else 10)
            values = rng.integers(0 if put.shape else 1, max(highest, 1), shape, endpoint=not put.shape).astype(float)
        else:
            values = rng.integers(-200, 201, shape) / 100
        if put.id in masks:
            _mask_some(values, masks[put.id])
        if place == 0 and scale.input is not None:
            values = (values * scale.input.deviation + scale.input.mean).astype(np.float32).astype(np.float64)
        found.append(Tensor.of(values))
    return found


def _mask_some(values: Array, value: float) -> None:
    """Masked time steps: the last of the second sequence, and one inside the first."""
    if values.ndim < 2 or values.shape[1] < 3:
        return
    values[0, values.shape[1] // 2] = value
    if len(values) > 1:
        values[1, -(values.shape[1] // 3 + 1) :] = value


# maps that move numbers and look at none
MOVES = ("flip", "cast", "reshape", "flatten", "permute", "fold", "repeat", "slice", "last")


def _origins(network: Network, kinds: tuple[str, ...]) -> Iterator[tuple[str, Layer]]:
    """Each call of a map of these kinds that reads an input of the network: the input and the map."""
    calls = {call.id: call for call in network.calls}
    for call, layer in network:
        if layer.kind in kinds:
            edge = call.args[0]
            while edge.port == "y" and network.layers[calls[edge.source].layer].kind in MOVES:
                edge = calls[edge.source].args[0]
            if edge.port == "input":
                yield edge.source, layer


def table_sizes(network: Network) -> dict[str, int]:
    """The rows of the smallest table that each input looks up, by the input's id."""
    found: dict[str, int] = {}
    for put, layer in _origins(network, ("embed",)):
        rows = len(layer.weights["E"].value)
        found[put] = min(rows, found.get(put, rows))
    return found


def mask_values(network: Network) -> dict[str, float]:
    """What marks a masked time step in each input that has such a mark."""
    return {
        put: float(cast(float, layer.options.get("value", 0)))
        for put, layer in _origins(network, ("not_equal", "not_zero"))
    }


def check_indices(network: Network, xs: Sequence[Tensor]) -> None:
    """Refuse an index that its table does not have: frameworks differ in what they make of it."""
    sizes = table_sizes(network)
    for put, x in zip(network.inputs, xs, strict=False):
        rows = sizes.get(put.id)
        if rows is not None and x.value.size and not (x.value.min() >= 0 and x.value.max() < rows):
            bad = x.value.min() if x.value.min() < 0 else x.value.max()
            raise UnusableInput(f"the index {bad:g} is not in the table of {rows} rows: 0 to {rows - 1} are")


def recorded(
    network: Network,
    x: Tensor | Sequence[Tensor] | None = None,
    dtype: str | None = None,
    scale: Scale = IDENTITY,
    nearby: bool = False,
) -> Vectors:
    """Vectors for a test that ships with emitted code computing in `dtype` (the network's unless given).

    `x` is one tensor, or one for each input. With a scale, x and y are in the units outside it. `nearby` is for code
    that adds in an order of its own: one sample of the measure's order can be right by luck, so the measure is then the
    largest error around it.
    """
    dtype = dtype or network.dtype
    given = example_inputs(network, scale) if x is None else [x] if isinstance(x, Tensor) else list(x)
    check_indices(network, given)
    xs = [stored(each, dtype) for each in given]
    ys = [scale_out(y, scale) for y in exact_outputs(network, _scaled_all(xs, scale), digits=20)]
    for y in ys:
        check_finite(y, dtype)
    # each operation rounded, as code of this dtype does
    inside = [Tensor.of(scale.into(xs[0].value.astype(dtype))), *xs[1:]]
    plain, least = own_errors(network, inside, dtype)
    deviation = 1.0 if scale.output is None else float(np.abs(scale.output.deviation).max())
    more = nearby_errors(network, inside, dtype) if nearby else [0.0] * len(ys)
    limits = [
        tolerance(max(largest_difference(scale_out(p, scale), y), least * deviation, near), largest(y), dtype)
        for p, y, near in zip(plain, ys, more, strict=True)
    ]
    return Vectors(tuple(xs), tuple(ys), tuple(limits), dtype, nearby)


def nearby_error(network: Network, x: Tensor, dtype: str) -> float:
    """The largest error of plain arithmetic of `dtype` at inputs within a thousandth of `x`; what overflows is none."""
    return nearby_errors(network, [x], dtype)[0]


def nearby_errors(network: Network, xs: Sequence[Tensor], dtype: str) -> list[float]:
    """The same for each output."""
    around, rng, masks, tables = [], np.random.default_rng(20), mask_values(network), table_sizes(network)
    for put, x in zip(network.inputs, xs, strict=True):
        factors = np.ones((NEARBY, *x.value.shape))
        if not put.whole and put.id not in tables:
            factors += rng.uniform(-1e-3, 1e-3, factors.shape) * (x.value != masks.get(put.id))
        around.append(stored(Tensor.of((x.value * factors).reshape(-1, *x.value.shape[1:])), dtype))
    plain = plain_run(network, around, dtype).outputs
    right = run(network, around, Float64()).outputs if dtype == "float32" else exact_outputs(network, around, digits=20)
    with np.errstate(invalid="ignore"):
        differences = [np.abs(p.astype(np.float64) - r.astype(np.float64)) for p, r in zip(plain, right, strict=True)]
    return [float(d[np.isfinite(d)].max(initial=0.0)) for d in differences]


def plain_run(network: Network, xs: Sequence[Tensor], dtype: str) -> Run:
    """The network in plain arithmetic of `dtype`: float32 as the emitted C does it."""
    return run(network, xs, Float32() if dtype == "float32" else Float64())


def own_error(network: Network, x: Tensor, dtype: str) -> tuple[Array, float]:
    """What plain arithmetic of `dtype` gives, and the least error that counts as its own.

    One sample can be right by luck, so that is never less than half an ulp of the largest value on the way.
    """
    found, least = own_errors(network, [x], dtype)
    return found[0], least


def own_errors(network: Network, xs: Sequence[Tensor], dtype: str) -> tuple[tuple[Array, ...], float]:
    """The same for every output."""
    result = plain_run(network, xs, dtype)
    if not all(np.isfinite(y.astype(np.float64)).all() for y in result.outputs):
        raise UnusableInput(OVERFLOW.format(dtype))
    columns = [trace.columns[name] for trace in result.traces for name in trace.columns]
    size = max(map(largest, columns or result.outputs))
    return result.outputs, float(np.spacing(np.dtype(dtype).type(size))) / 2


def check_finite(y: Array, dtype: str) -> None:
    """Refuse exact outputs that `dtype` cannot hold: there is nothing to compare with."""
    limit = Decimal(float(np.finfo(dtype).max))
    if not all(v.is_finite() and v.copy_abs().compare_total(limit) <= 0 for v in y.ravel()):
        raise UnusableInput(OVERFLOW.format(dtype))


def _scaled_all(xs: Sequence[Tensor], scale: Scale) -> list[Tensor]:
    return [scaled(xs[0], scale), *xs[1:]]


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
