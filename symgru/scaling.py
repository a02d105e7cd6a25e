"""The sensor's normalisation: what was done to the data before training, and what undoes it afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array

FORM = '{"input": {"mean": [..], "deviation": [..]}, "output": {"mean": [..], "deviation": [..]}}'


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


def read_scale(path: str | Path, features: int, outputs: int) -> Scale:
    """The scale in a JSON file of the form `FORM`; either part may be left out."""
    name = Path(path).name[:60]
    try:
        data = json.loads(Path(path).read_bytes()[: 2**20])
    except FileNotFoundError:
        raise UnusableInput(f"{name}: no such file; --scale takes a JSON file of the form {FORM}") from None
    except (OSError, ValueError, RecursionError) as e:
        raise UnusableInput(f"{name}: not readable as JSON ({str(e)[:60]}); expected {FORM}") from None
    if not isinstance(data, dict) or not data or set(data) - {"input", "output"}:
        raise UnusableInput(f"{name}: expected {FORM}")
    return Scale(_affine(name, data, "input", features), _affine(name, data, "output", outputs))


def _affine(name: str, data: Mapping[str, object], part: str, width: int) -> Affine | None:
    if part not in data:
        return None
    both = data[part]
    if not isinstance(both, dict) or set(both) != {"mean", "deviation"}:
        raise UnusableInput(f"{name}: {part!r} needs 'mean' and 'deviation', as in {FORM}")
    try:
        wide = [np.atleast_1d(np.array(both[key], dtype=np.float64)) for key in ("mean", "deviation")]
    except (TypeError, ValueError, OverflowError):
        raise UnusableInput(f"{name}: {part} mean and deviation must be lists of numbers") from None
    with np.errstate(over="ignore"):
        mean, deviation = (a.astype(np.float32) for a in wide)
    for key, a in (("mean", mean), ("deviation", deviation)):
        if a.shape != (width,):
            raise UnusableInput(f"{name}: {part} {key} has {a.size} numbers; the network's {part} has {width}")
        if not np.isfinite(a).all():
            raise UnusableInput(f"{name}: {part} {key} holds NaN or Inf (as float32)")
    if (deviation == 0).any():
        raise UnusableInput(f"{name}: {part} deviation holds 0, which cannot be divided by")
    return Affine(mean, deviation)
