"""Small random networks, and each document in its three formats."""

from __future__ import annotations

import numpy as np

from symgru.backends import latex, markdown, text
from symgru.building import build
from symgru.explanation import Explanation
from symgru.network import Layer, Network, Tensor, chain

KINDS = ("txt", "md", "tex")


def documents(e: Explanation) -> dict[str, str]:
    return {
        "txt": "".join(text.render_explanation(e)),
        "md": markdown.render_explanation(e),
        "tex": latex.render_explanation(e),
    }


def typed(rng: np.random.Generator, *shape: int, decimals: int = 8, scale: float = 0.6) -> Tensor:
    """Numbers with at most so many decimals, stored as float32 and printed as float32 prints."""
    return Tensor.of(np.round(rng.normal(0, scale, shape), decimals).astype(np.float32))


def network(seed: int, layers: list[tuple[str, int, dict]], features: int) -> Network:
    """A stack of (kind, units, options) with random weights and biases."""
    rng = np.random.default_rng(seed)
    made, width = [], features
    for place, (kind, units, options) in enumerate(layers, 1):
        cell = build(kind, options)
        sizes = {"H": units, "D": width}
        weights = {p.name: typed(rng, *(sizes[d] for d in cell.dims[p])) for p in cell.params}
        made.append(Layer(f"layer_{place}", f"layer {place}", kind, options, weights))
        width = units
    return chain(made, dtype="float32", features=features)


def sequence(seed: int, steps: int, features: int) -> Tensor:
    return typed(np.random.default_rng(seed + 1000), 1, steps, features, decimals=3, scale=1.0)
