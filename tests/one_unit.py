"""The seed's network and others of one unit and one feature, their numbers as they are typed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgru.network import Layer, Network, Tensor, chain

KERNEL = ("-0.90954137", "1.0425225", "-0.04404902")
RECURRENT = ("0.24168766", "0.8981342", "0.36734456")


def typed(texts: object, dtype: str = "float32") -> Tensor:
    text = np.array(texts, dtype=object)
    return Tensor(text.astype(np.float64).astype(dtype), text)


def one_unit(
    kernel: Sequence[str] = KERNEL,
    recurrent: Sequence[str] = RECURRENT,
    bias: Sequence[str] = ("0",) * 6,
    dtype: str = "float32",
    **options: object,
) -> Network:
    """A GRU of 1 unit and 1 feature, arrays in Keras' order z, r, n; bias: the input's row, then the state's."""
    w = {f"W_{g}": typed([[v]], dtype) for g, v in zip("zrn", kernel, strict=True)}
    w |= {f"U_{g}": typed([[v]], dtype) for g, v in zip("zrn", recurrent, strict=True)}
    w |= {
        f"{row}_{g}": typed([v], dtype) for (row, g), v in zip([(r, g) for r in "bc" for g in "zrn"], bias, strict=True)
    }
    return chain([Layer("gru", "gru", "gru", options, w)], dtype=dtype, features=1, name="seed")


def sequence(*texts: str) -> Tensor:
    return typed([[[t] for t in texts]], "float64")


SEED, X = one_unit(), sequence("1", "2", "9", "8")
