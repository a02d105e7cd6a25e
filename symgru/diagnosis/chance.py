"""How many of the ways tried would agree with a number that has nothing to do with them."""

from __future__ import annotations

from math import sqrt

import numpy as np

from symgru.network import Array

CERTAIN = 1e-3  # expected chance hits above which agreement is no explanation


@np.errstate(all="ignore")  # some ways lead beyond all bounds
def expected(values: Array, claim: Array, near: Array, alternatives: int = 1) -> float:
    """Expected chance hits: ways, times the probability that a number of no relation to them comes as near.

    `values` holds the different results of all ways with no more faults, (ways, numbers), without the one that is
    judged; `claim` and `near` (how near that one comes) have one entry for each number. A number of no relation is one
    that may lie anywhere in [-1, 1], or, where the results crowd, one that lies as densely as they do: whichever is
    more. Numbers are taken as independent, but for those that are the same in all results: they are one. What is at
    the ends of the range or in its middle says little: a saturated unit is at 1 or at -1, and an empty array at 0.
    """
    if not len(values):
        return float(alternatives * np.prod(_at_least(np.minimum(1.0, near), claim, near)))
    _, first = np.unique(np.round(values, 10), axis=1, return_index=True)
    values, claim, near = values[:, first], claim[first], near[first]
    k = min(len(values) - 1, max(1, round(sqrt(len(values)))))
    distance = np.maximum(np.sort(np.abs(values - claim), axis=0)[k], near)  # of the k nearest results
    crowded = np.where(distance > 0, (k + 1) / len(values) * near / distance, 0.0)
    probability = _at_least(np.minimum(1.0, np.maximum(near, crowded)), claim, near)
    return float((len(values) + 1) * alternatives * np.prod(probability))


@np.errstate(over="ignore")
def _at_least(probability: Array, claim: Array, near: Array) -> Array:
    """Of a claim of 1 or -1 one half; of claims of 0 one half for all together."""
    ends, middle = np.abs(np.abs(claim) - 1) <= near, np.abs(claim) <= near
    further = middle & (np.cumsum(middle) > 1)
    return np.where(further, 1.0, np.maximum(probability, 0.5 * (ends | middle)))


def different(values: Array) -> Array:
    """The results that differ, (results, numbers), of values (ways, numbers): those that float64 tells apart."""
    finite = values[np.isfinite(values).all(axis=1)]
    if not len(finite):
        return finite
    scale = 2.0 ** np.ceil(np.log2(np.maximum(1.0, np.abs(finite))))
    keys = np.round(finite / scale, 11) * scale + 0.0
    mixed = keys @ np.cos(np.arange(1, keys.shape[1] + 1))  # one number for each row, so that they are sorted quickly
    _, first = np.unique(np.round(mixed, 10), return_index=True)
    return finite[np.sort(first)]
