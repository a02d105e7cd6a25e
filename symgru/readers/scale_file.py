"""The normalisation beside a model, as a JSON file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array
from symgru.readers import json_file
from symgru.readers.assemble import within
from symgru.readers.checks import mapping, printable, text_of
from symgru.readers.decimals import tensor
from symgru.scaling import Affine, Scale

FORM = '{"input": {"mean": [..], "deviation": [..]}, "output": {"mean": [..], "deviation": [..]}}'


def read_scale(path: str | Path, features: int, outputs: int) -> Scale:
    """The scale in a JSON file of the form `FORM`; either part may be left out.

    Raises UnusableInput where a list has not one finite number for each feature (or output), or a deviation is not
    above 0.
    """
    place = Path(path)
    with within(printable(place.name) or "the scale"):
        data = mapping(json_file.parse(text_of(place)), "the scale")
        if not data or set(data) - {"input", "output"}:
            raise UnusableInput(f"expected {FORM}")
        return Scale(_affine(data, "input", features), _affine(data, "output", outputs))


def _affine(data: object, part: str, width: int) -> Affine | None:
    parts = mapping(data, "the scale")
    if part not in parts:
        return None
    both = mapping(parts[part], part)
    if set(both) != {"mean", "deviation"}:
        raise UnusableInput(f"{part} needs a mean and a deviation, as in {FORM}")
    mean, deviation = (_numbers(both[key], f"{part} {key}", width) for key in ("mean", "deviation"))
    if (deviation <= 0).any():
        raise UnusableInput(f"{part} deviation: every number must be above 0")
    return Affine(mean, deviation)


def _numbers(given: object, what: str, width: int) -> Array:
    """As float32, which the emitted code computes in."""
    values = tensor(given, "float32", what).value
    if values.shape != (width,):
        raise UnusableInput(f"{what} must be a list of {width} numbers; it has shape {values.shape}")
    return np.asarray(values)
