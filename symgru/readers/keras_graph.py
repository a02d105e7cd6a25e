"""A Keras model's configuration as a Network: which layer is called on what, in which order."""

from __future__ import annotations

from symgru.network import Network
from symgru.readers.keras_weights import Weights


def build(config: object, weights: Weights, *, version: int = 3, name: str = "", origin: str = "") -> Network:
    """The network of {"class_name": "Sequential" or "Functional", "config": {…}} as Keras 3 writes it.

    `version` 2 is for what Keras 2 and tf_keras computed under the same names: their hard_sigmoid, and masks that hold
    with an initial state too.
    """
    raise NotImplementedError
