"""Which framework is asked about a model: the one that its file comes from, else Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from symgru.network import Array, Network


class Framework(Protocol):
    """What each module of verify/ named after a framework offers; none imports it before it is asked."""

    NAME: str

    def loads(self, path: Path | None) -> bool:
        """Whether the file is one of this framework's."""

    def refusal(self, network: Network, xs: Sequence[Array], path: Path | None) -> str:
        """Why it cannot be asked; "" where it can."""

    def version(self, path: Path | None = None) -> str:
        """What is asked, with its version."""

    def outputs(self, network: Network, xs: Sequence[Array], path: Path | None = None) -> list[Array]:
        """Every output for one x for each input."""


def framework(path: Path | None) -> Framework:
    """The framework of a model that came from this file; Keras where there is none."""
    from symgru.verify import keras, onnx, torch

    return next((each for each in cast("list[Framework]", [onnx, torch]) if each.loads(path)), cast(Framework, keras))


def in_batches(ask: Callable[[list[Array]], list[Array]], xs: Sequence[Array], batch: int | None) -> list[Array]:
    """What `ask` gives for as many sequences at once as a model takes: any number where None. The last are repeated to
    make a batch full."""
    count = len(xs[0])
    if batch in (None, count):
        return ask(list(xs))
    assert batch is not None
    parts = []
    for first in range(0, count, batch):
        chosen = np.minimum(np.arange(first, first + batch), count - 1)
        parts.append(ask([x[chosen] for x in xs]))
    return [np.concatenate(each)[:count] for each in zip(*parts, strict=True)]
