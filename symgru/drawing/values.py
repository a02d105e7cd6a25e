"""A layer's values as a picture shows them: each the exact one, rounded once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from symgru.explanation import Explanation
from symgru.network import Array
from symgru.rounding import Rounding, line_rounding
from symgru.working import Working, work_out

CARRIED = 40  # decimals in which the layers are worked out before what they show is rounded


def rightly_rounded(e: Explanation, decimals: int) -> tuple[Working, ...]:
    """The layers of a worked example with values rounded half up to `decimals`, and nothing rounded before: in a
    chain of rounded lines the last place of a later line may be another than that of its exact value."""
    network = replace(e.network, layers={**e.network.layers, **{w.layer.id: w.layer for w in e.layers}})
    cells = {w.trace.call.id: w.shown for w in e.layers}
    _, layers = work_out(network, e.inputs, cells, CARRIED)
    rounding = line_rounding(decimals)
    return tuple(_rounded(fine, w, rounding) for fine, w in zip(layers, e.layers, strict=True))


def _rounded(fine: Working, chain: Working, rounding: Rounding) -> Working:
    each = np.frompyfunc(rounding, 1, 1)
    text = np.frompyfunc(lambda v: rounding.text(rounding(v)), 1, 1)
    columns = {name: np.asarray(each(column)) for name, column in fine.trace.columns.items()}
    typed = np.asarray(fine.x_texts == chain.x_texts)  # what a layer before computes has other digits in each
    x: Array = np.where(typed, chain.x_texts, text(np.frompyfunc(Decimal, 1, 1)(fine.x_texts)))
    return replace(fine, trace=replace(fine.trace, columns=columns), rounding=rounding, x_texts=x)
