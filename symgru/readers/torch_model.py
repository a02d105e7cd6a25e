"""A live PyTorch module, by its own methods alone: torch is not imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgru.errors import Unsupported
from symgru.network import Network


def is_module(source: object) -> bool:
    """A torch module, judged by its methods."""
    return callable(getattr(source, "state_dict", None)) and callable(getattr(source, "named_modules", None))


def read_module(module: Any, architecture: Mapping[str, object] | None) -> Network:
    """The network that a live module computes."""
    raise Unsupported("PyTorch modules are not read yet")
