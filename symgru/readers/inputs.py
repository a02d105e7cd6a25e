"""The network's input as a person types it or a file holds it: (batch, time, features), and the digits typed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Array, Network, Shape, Tensor
from symgru.readers import json_file, printed
from symgru.readers.assemble import within
from symgru.readers.checks import MAX_NUMBERS, MAX_TEXT, a_file, printable, reason, text_of
from symgru.readers.decimals import canonical, tensor

SUFFIXES = (".npy", ".csv", ".json")


@dataclass(frozen=True)
class Inputs:
    """Inputs of shape (batch, time, features) in float64, their decimal texts, and what was added to get there."""

    value: Array
    text: Array
    notes: tuple[str, ...] = ()


def read_inputs(sources: Sequence[object], network: Network) -> list[Inputs]:
    """One source for each input of the network, in its order; all with as many sequences. Raises UnusableInput."""
    if len(sources) != len(network.inputs):
        names = ", ".join(printable(put.label or put.id) for put in network.inputs)
        raise UnusableInput(f"{len(sources)} inputs are given; the network takes {len(network.inputs)}: {names}")
    found = [read_input(source, network, k) for k, source in enumerate(sources)]
    if len({len(given.value) for given in found}) > 1:
        raise UnusableInput(
            f"the inputs hold {', '.join(str(len(g.value)) for g in found)} sequences; as many are needed"
        )
    return found


def read_input(source: object, network: Network, place: int = 0) -> Inputs:
    """`1,2,9,8`, `[[1,2],[3,4]]`, a .npy, .csv or .json file, nested lists or an array, as the network's input number
    `place` takes it.

    A missing batch axis, and for one feature a missing feature axis, is added and said so in the notes. Raises
    UnusableInput for anything empty, ragged, not finite, of the wrong width or too large.
    """
    put = network.inputs[place]
    with within("input" if len(network.inputs) == 1 else f"input {place + 1} ({printable(put.label or put.id)})"):
        given, notes = given_numbers(source)
        if given.value.ndim == 0:
            given = Tensor(given.value.reshape(1), given.text.reshape(1))
        shape, more = _placed(given.value.shape, put.shape)
        value = given.value.reshape(shape)
        with np.errstate(over="ignore"):
            if not np.isfinite(value.astype(network.dtype)).all():
                raise UnusableInput(f"a number is too large for the network's {network.dtype}")
        if put.whole and (value != np.trunc(value)).any():
            raise UnusableInput("holds numbers that are not whole; an Embedding takes indices")
        _check_indices(value, network, put.id)
        if put.shape and put.shape[0] not in (None, shape[1]):
            more.append(f"the model's input layer says {put.shape[0]} time steps; {shape[1]} are given")
        return Inputs(value, given.text.reshape(shape), (*notes, *more))


def _check_indices(value: Array, network: Network, name: str) -> None:
    """Refuse an index that is not in the table that it goes to."""
    for call, layer in network:
        if layer.kind == "embed" and call.args[0].source == name and call.args[0].port == "input" and value.size:
            rows = layer.weights["E"].value.shape[0]
            outside = value[(value < 0) | (value >= rows)]
            if outside.size:
                raise UnusableInput(f"holds the index {outside[0]:g}; the table of layer {layer.id} has {rows} rows")


def given_numbers(source: object) -> tuple[Tensor, list[str]]:
    """Numbers in any of the forms of an input, in the shape in which they are given, and what was passed over."""
    if isinstance(source, Path) or (isinstance(source, str) and not _is_text(source)):
        path = Path(source)
        with within(printable(path.name)):
            return _file(path)
    if isinstance(source, str):
        if len(source) > MAX_TEXT:
            raise UnusableInput(f"the text is longer than {MAX_TEXT} characters")
        data: object = printed.numbers(source)
    elif isinstance(source, list | tuple | int | float):
        data = source
    else:
        data = np.asarray(source)
        data = data.astype(np.int8) if data.dtype == bool else data  # a mask
    return _numbers(data), []


def _is_text(source: str) -> bool:
    """Numbers rather than a file's name: a list, or its first item is a number."""
    if source.lower().endswith(SUFFIXES):
        return False
    start = source.strip()
    return not start or start[0] in "[(" or bool(re.match(r"[-+\u2212]?\.?[0-9][^/\\]*$", start)) or "," in start


def _numbers(data: object) -> Tensor:
    return tensor(data, "float64", "the array")


def _file(path: Path) -> tuple[Tensor, list[str]]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnusableInput("is neither numbers, such as 1,2,9,8 or [[1,2],[3,4]], nor a .npy, .csv or .json file")
    if suffix == ".npy":
        return _numbers(_npy(path)), []
    text = text_of(path)
    if suffix == ".csv":
        rows, notes = _csv(text)
        return _numbers(rows), notes
    data = json_file.parse(text)
    if isinstance(data, Mapping):  # a network's own file may carry the input it is explained with
        if "input" not in data:
            raise UnusableInput("holds an object without 'input'; a list of numbers is needed")
        data = data["input"]
    return _numbers(data), []


def _npy(path: Path) -> Array:
    """An array of numbers, its shape and type looked at before it is read; pickles are refused."""
    a_file(path, 8 * MAX_NUMBERS + 2**16)
    try:
        data = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, TypeError, EOFError, SyntaxError, KeyError) as error:
        raise UnusableInput(f"is not an array that np.save wrote: {reason(error)}") from None
    if not isinstance(data, np.ndarray):
        data.close()
        raise UnusableInput("holds several arrays; np.save writes one")
    if data.dtype.kind not in "fiu":
        raise UnusableInput(f"has dtype {printable(data.dtype, 20)}; real numbers are needed")
    return np.array(data)


def _csv(text: str) -> tuple[list[list[object]], list[str]]:
    """Rows are time steps, columns features; one line of names above them is passed over."""
    try:
        lines = enumerate(csv.reader(io.StringIO(text), strict=True), 1)
        rows = [(line, row) for line, row in lines if any(map(str.strip, row))]
    except csv.Error as error:
        raise UnusableInput(f"is not CSV: {reason(error)}") from None
    notes = []
    if rows and not any(re.search(r"[0-9]|nan|inf", cell, re.IGNORECASE) for cell in rows[0][1]):
        notes.append(f"the first line, {printable(', '.join(rows.pop(0)[1]))}, is taken for names")
    found: list[list[object]] = []
    for line, row in rows:
        with within(f"line {line}"):
            found.append([canonical(cell) for cell in row])
    return found, notes


def _placed(shape: tuple[int, ...], wanted: Shape) -> tuple[tuple[int, ...], list[str]]:
    """The shape with a batch axis for what was given, and what had to be added. The first axis of a sequence may have
    any length: what a layer makes of another one than the model's, its shapes tell."""
    if len(wanted) == 2 and wanted[1] is not None:
        return _sequence(shape, wanted[1])
    if len(shape) == len(wanted) + 1 and _fits(shape[1:], wanted):
        return shape, []
    if len(shape) == len(wanted) and _fits(shape, wanted):
        return (1, *shape), ["one sample is given: a batch axis is added"]
    axes = ", ".join(["batch", *("time" if n is None else str(n) for n in wanted)])
    raise UnusableInput(f"has shape {shape}, but the network takes ({axes})")


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    free = len(wanted) == 1 and wanted[0] is None
    return free or all(n in (None, given) for n, given in zip(wanted, shape, strict=True))


def _sequence(shape: tuple[int, ...], features: int) -> tuple[tuple[int, int, int], list[str]]:
    batch = "one sequence is given: a batch axis is added"
    width = f"{features} feature" + ("s" if features > 1 else "")
    if len(shape) == 3 and shape[2] == features:
        return (shape[0], shape[1], shape[2]), []
    if len(shape) == 2 and shape[1] == features:
        return (1, *shape), [batch]
    if len(shape) == 2 and features == 1:
        return (*shape, 1), ["each row is a sequence of 1 feature: a feature axis is added"]
    if len(shape) == 1 and features == 1:
        return (1, *shape, 1), ["each number is a time step of 1 feature: a batch and a feature axis are added"]
    if len(shape) == 1 and shape[0] == features:
        return (1, 1, features), [f"the {features} numbers are one time step of {width}: batch and time axes are added"]
    raise UnusableInput(
        f"has shape {shape}, but the network takes {width}: (time, {features}) or (batch, time, {features}) is right"
    )
