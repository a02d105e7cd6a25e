"""The sensor's normalisation: what was done to the data before training, and what undoes it afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from symgru.network import Array


@dataclass(frozen=True)
class Affine:
    """Means and deviations, one for each feature."""

    mean: Array
    deviation: Array


@dataclass(frozen=True)
class Scale:
    """`input`: (x - mean) / deviation goes into the network. `output`: y * deviation + mean comes out."""

    input: Affine | None
    output: Affine | None

    def into(self, x: Array) -> Array:
        return x if self.input is None else (x - self.input.mean) / self.input.deviation

    def out_of(self, y: Array) -> Array:
        return y if self.output is None else y * self.output.deviation + self.output.mean


IDENTITY = Scale(None, None)
