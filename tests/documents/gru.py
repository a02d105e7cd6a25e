"""Keras' GRU to fifty digits, in mpmath and with nothing of symgru: what the results of worked examples should be."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mpmath import mp, mpf, tanh, workdps

Texts = Any  # an array of numbers as typed


def last_state(weights: Mapping[str, Texts], x: Texts, reset_after: bool = True) -> list[Decimal]:
    """h after the last step, from h_0 = 0: one number for each unit.

    `weights` has W_g of shape (units, features), U_g of shape (units, units), b_g and, where the reset gate acts after
    the product, c_g of shape (units,), for the gates z, r and n; `x` has shape (time, features). All are texts.
    """
    with workdps(50):
        w = {name: _numbers(texts) for name, texts in weights.items()}
        h = [mpf(0)] * len(w["b_z"])
        for row in _numbers(x):
            h = _step(w, row, h, reset_after)
        return [Decimal(mp.nstr(v, 45)) for v in h]


def _step(w: Mapping[str, Any], x: list[Any], h: list[Any], reset_after: bool) -> list[Any]:
    units = range(len(h))
    none = [mpf(0)] * len(h)

    def product(matrix: list[list[Any]], v: list[Any]) -> list[Any]:
        return [sum((a * b for a, b in zip(row, v, strict=True)), mpf(0)) for row in matrix]

    def gate(g: str) -> list[Any]:
        i, k, b, c = product(w[f"W_{g}"], x), product(w[f"U_{g}"], h), w[f"b_{g}"], w.get(f"c_{g}", none)
        return [1 / (1 + mp.exp(-(i[u] + b[u] + k[u] + c[u]))) for u in units]

    z, r = gate("z"), gate("r")
    i = product(w["W_n"], x)
    if reset_after:
        k, c = product(w["U_n"], h), w["c_n"]
        k = [r[u] * (k[u] + c[u]) for u in units]
    else:
        k = product(w["U_n"], [r[u] * h[u] for u in units])
    n = [tanh(i[u] + w["b_n"][u] + k[u]) for u in units]
    return [z[u] * h[u] + (1 - z[u]) * n[u] for u in units]


def _numbers(texts: Texts) -> Any:
    return mpf(texts) if isinstance(texts, str) else [_numbers(t) for t in texts]
