"""Lines that a spreadsheet could round otherwise: it rounds binary numbers, and an exact decimal tie has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from symgru.explanation import GUARDS, MOST_DECIMALS, Explanation, promise
from symgru.network import Array
from symgru.rounding import PRECISION, Rounding
from symgru.working import Working, work_out

NEAR = 1e-7  # of a unit of the last place; what a sum of doubles is off by is far less
LARGEST = 12  # power of ten of a number, in units of its last place, from which no tie is looked for
_BITS = 2.0**-46  # of the number itself


@dataclass(frozen=True)
class Tie:
    """A line whose value before rounding is too near to half a unit of its last place."""

    layer: str
    line: str
    step: int
    unit: int


def ties(e: Explanation) -> list[Tie]:
    """The lines of a worked example that a spreadsheet could round to another number."""
    return [tie for layer in e.layers for tie in _ties(layer)]


def without_ties(e: Explanation) -> Explanation:
    """The same example with the fewest more decimals at which no line is a tie; itself where there are none such."""
    if not ties(e):
        return e
    cells = {layer.trace.call.id: layer.shown for layer in e.layers}
    exact = [promise(e.digits)(v) for y in e.exact_typed for v in y.ravel()]
    for decimals in range(e.decimals + 1, min(e.digits + max(GUARDS), MOST_DECIMALS) + 1):
        result, layers = work_out(e.written.network, e.inputs, cells, decimals)
        reached = [promise(e.digits)(v) for y in result.outputs for v in y.ravel()] == exact
        other = replace(
            e, decimals=decimals, reached=reached, layers=layers, outputs=result.outputs, values=result.values
        )
        if reached >= e.reached and not ties(other):
            return other
    return e


def _ties(layer: Working) -> Iterator[Tie]:
    for k, row in enumerate(layer.raw):
        for name, values in row.items():
            for place in _near(values, layer.rounding):
                step = k + 1 if layer.calculator.states else place // layer.sizes["H"] + 1
                if not layer.keeps(step):
                    yield Tie(layer.trace.call.id, name, step, place % layer.sizes["H"] + 1)


def _near(values: Array, rounding: Rounding) -> Iterator[int]:
    for place, v in enumerate(values.ravel()):
        if is_near_tie(Decimal(v), rounding):
            yield place


def is_near_tie(v: Decimal, rounding: Rounding) -> bool:
    """Whether a double near `v` could be rounded otherwise than `v`."""
    if not v or not v.is_finite():
        return False
    places = rounding.kept - 1 - v.adjusted() if rounding.is_tiny(v) else rounding.decimals
    if not (-40 < places < PRECISION and v.adjusted() + places < LARGEST):
        return False  # a double that large is whole in units of the last place
    with localcontext(prec=PRECISION):
        units = abs(v).scaleb(places)
        rest = float(units % 1)
    return abs(rest - 0.5) < NEAR + float(units) * _BITS
