"""Which framework is asked about a model: the one that its file comes from, else Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

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
