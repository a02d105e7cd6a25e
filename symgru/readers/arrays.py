"""Arrays without a description, as get_weights() returns them: which layers they are follows from their shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any, cast

import numpy as np

from symgru.errors import UnusableInput
from symgru.network import Network
from symgru.readers import conventions, layouts
from symgru.readers.assemble import Spec, keras_layer, network
from symgru.readers.checks import MAX_NUMBERS, dtype_name, mapping, only, printable
from symgru.readers.conventions import Shape
from symgru.readers.decimals import shape_of
from symgru.readers.layouts import Layout
from symgru.readers.named_arrays import EVERY
from symgru.readers.printed import Printed

MAX_ARRAYS = 256
ARCHITECTURE = (
    'an architecture (--architecture F.json): {"layers": [{"kind": "gru"}, {"kind": "dense", "activation": …}]}'
)
GRU_OPTIONS = ("reset_after", "use_bias", "activation", "recurrent_activation", "return_sequences")


@dataclass(frozen=True)
class Piece:
    """Arrays `start` to `stop` are one layer, in Keras' own form where it has no other layout."""

    kind: str
    start: int
    stop: int
    units: int
    layout: Layout | None = None


def from_arrays(
    arrays: Sequence[object],
    architecture: Mapping[str, object] | None,
    *,
    name: str,
    origin: str,
    notes: Sequence[str] = (),
) -> Network:
    """A network from arrays in get_weights() order, or in that of another layout of readers.layouts.

    `architecture` gives what shapes cannot tell: {"activation": …, "recurrent_activation": …, "reset_after": …,
    "return_sequences": …} for the GRU layers, "dtype", and "layers": [{"kind": "dense", "activation": "relu"}, …].
    """
    asked = mapping(architecture or {}, "the architecture")
    only(asked, (*GRU_OPTIONS, "dtype", "layers"), "the architecture")
    if not 1 <= len(arrays) <= MAX_ARRAYS:
        raise UnusableInput(f"there are {len(arrays)} arrays; from 1 to {MAX_ARRAYS} are read")
    given = [_given(array) for array in arrays]
    dtype, more = _dtype([g.dtype for g in given], asked)
    shapes = [shape_of(g.data, f"array {k + 1}") for k, g in enumerate(given)]
    if sum(int(np.prod(shape, dtype=object)) for shape in shapes) > MAX_NUMBERS:
        raise UnusableInput(f"the arrays hold more than {MAX_NUMBERS} numbers")
    wanted = _wanted(asked)
    pieces, ambiguous = _pieces(shapes, wanted)
    last = [piece for piece in pieces if piece.kind == "gru"][-1:]
    specs = []
    for piece, own in zip(pieces, wanted or [{}] * len(pieces), strict=True):
        options = _options(piece, own, asked, last=[piece] == last)
        data = [g.data for g in given[piece.start : piece.stop]]
        specs.append(_layer(piece, str(own.get("name", piece.kind)), options, data, dtype))
    read_as = ", ".join(_described(spec) for spec in specs)
    said = [*notes, *more, f"the arrays are read, by their shapes, as {read_as}", *_assumed(pieces, wanted, asked)]
    told = zip(specs, wanted or [{}] * len(specs), strict=True)
    if any(spec.kind == "dense" and "activation" not in own for spec, own in told):
        said.append(
            "weights do not say which activation a Dense layer has, and linear is assumed; if it has softmax, "
            f"sigmoid or another, give {ARCHITECTURE}"
        )
    if ambiguous:
        said.append(f"the shapes fit other layers too; if these are not the model's, give {ARCHITECTURE}")
    return network(specs, dtype=dtype, name=name, origin=origin, notes=said)


def _layer(piece: Piece, label: str, options: Mapping[str, object], data: Sequence[object], dtype: str) -> Spec:
    if piece.layout is None:
        return keras_layer(piece.kind, label, options, data, dtype=dtype)
    spec = piece.layout.layer(label, options, data, dtype)
    return replace(spec, notes=()) if piece.kind == "dense" else spec  # what it notes is said of the whole network


def _assumed(
    pieces: Sequence[Piece], wanted: Sequence[Mapping[str, object]] | None, asked: Mapping[str, object]
) -> Iterator[str]:
    """What is taken for granted of layers in another layout than Keras' own."""
    found = [(piece.layout, own) for piece, own in zip(pieces, wanted or [{}] * len(pieces), strict=True)]
    gru = [(layout, own) for layout, own in found if layout and layout.assumed]
    yield from dict.fromkeys(layout.assumed for layout, _ in gru)
    if gru and not gru[-1][0].convention.last and "return_sequences" not in {**asked, **gru[-1][1]}:
        yield EVERY


def _given(array: object) -> Printed:
    """An array, a framework's variable or nested lists, with the dtype they carry."""
    if isinstance(array, Printed):
        return array
    if isinstance(array, list | tuple):
        return Printed(array)
    if hasattr(array, "detach"):  # a parameter of PyTorch, which gives its numbers only without its gradient
        array = cast(Any, array).detach()
    if hasattr(array, "numpy"):
        array = cast(Any, array).numpy()
    array = np.asarray(array)
    return Printed(array, str(array.dtype) if array.dtype.kind not in "iu" else None)


def _dtype(found: Sequence[str | None], asked: Mapping[str, object]) -> tuple[str, list[str]]:
    """The network's dtype: what is asked for, else float64 where all arrays have it, else float32."""
    if "dtype" in asked:
        return dtype_name(asked["dtype"], "the architecture's dtype"), []
    for dtype in filter(None, found):
        dtype_name(dtype, "an array's dtype")
    if found and all(dtype == "float64" for dtype in found):
        return "float64", ["every array is float64, so the model is taken to be; the architecture's dtype changes that"]
    return "float32", []


def _wanted(asked: Mapping[str, object]) -> list[Mapping[str, object]] | None:
    """The layers that the architecture names, their kinds and options checked."""
    if "layers" not in asked:
        return None
    layers = asked["layers"]
    if not isinstance(layers, list | tuple):
        raise UnusableInput("the architecture's layers must be a list")
    found = [mapping(layer, f"layer {k + 1} of the architecture") for k, layer in enumerate(layers)]
    for k, layer in enumerate(found):
        kind = layer.get("kind")
        if kind not in ("gru", "dense"):
            raise UnusableInput(f"layer {k + 1} of the architecture is '{printable(kind)}'; it must be gru or dense")
        only(layer, ("kind", "name", *conventions.OPTIONS[str(kind)]), f"layer {k + 1} of the architecture")
        if not isinstance(layer.get("name", ""), str):
            raise UnusableInput(f"layer {k + 1} of the architecture: its name must be text")
    return found


def _pieces(shapes: Sequence[Shape], wanted: Sequence[Mapping[str, object]] | None) -> tuple[list[Piece], bool]:
    """How the arrays fall into layers, and whether there is another way. All have their gates alike."""
    columns, rows = (list(islice(_ways(shapes, wanted, candidates), 2)) for candidates in (_columns, _rows))
    if columns and rows:
        raise UnusableInput(
            f"arrays of shapes {_listed(shapes)} fit Keras' layers and PyTorch's: {layouts.SAY}, which tells them apart"
        )
    found = columns or rows
    if not found:
        raise UnusableInput(_why(shapes, wanted))
    return found[0], len(found) > 1


def _ways(
    shapes: Sequence[Shape],
    wanted: Sequence[Mapping[str, object]] | None,
    candidates: Callable[[Sequence[Shape], int, int | None], Iterator[Piece]],
) -> Iterator[list[Piece]]:
    """Every way in which arrays fall into layers, one of them a GRU, or into those wanted."""
    dead: set[tuple[int, int, int | None]] = set()

    def search(start: int, k: int, width: int | None) -> Iterator[list[Piece]]:
        if start == len(shapes):
            if wanted is None or k == len(wanted):
                yield []
            return
        if (start, k, width) in dead or (wanted is not None and k >= len(wanted)):
            return
        fits = False
        for piece in candidates(shapes, start, width):
            if wanted is None or _is_wanted(piece, wanted[k]):
                for rest in search(piece.stop, k + 1, piece.units):
                    fits = True
                    yield [piece, *rest]
        if not fits:
            dead.add((start, k, width))

    return (p for p in search(0, 0, None) if wanted is not None or any(piece.kind == "gru" for piece in p))


def _columns(shapes: Sequence[Shape], start: int, width: int | None) -> Iterator[Piece]:
    """The layers with kernels as Keras' that may begin at `start`: with a bias first, then without."""
    kernel, *rest = shapes[start : start + 3]
    if len(kernel) != 2 or width not in (None, kernel[0]):
        return
    if rest and len(rest[0]) == 2 and rest[0][1] == kernel[1] == 3 * rest[0][0]:
        units = rest[0][0]
        if rest[1:] and rest[1] in ((2, 3 * units), (3 * units,)):
            yield Piece("gru", start, start + 3, units)
        for layout in layouts.COLUMNS:
            for length in layout.lengths(shapes[start : start + 4]):
                if length > 2:
                    yield Piece("gru", start, start + length, units, layout)
        yield Piece("gru", start, start + 2, units)
        return
    if rest and rest[0] == (kernel[1],):
        yield Piece("dense", start, start + 2, kernel[1])
    yield Piece("dense", start, start + 1, kernel[1])


def _rows(shapes: Sequence[Shape], start: int, width: int | None) -> Iterator[Piece]:
    """The layers of PyTorch that may begin at `start`."""
    own = shapes[start : start + 4]
    if len(own[0]) != 2 or width not in (None, own[0][1]):
        return
    for layout in layouts.ROWS:
        kind = layout.convention.kind
        for length in layout.lengths(own):
            yield Piece(kind, start, start + length, own[1][1] if kind == "gru" else own[0][0], layout)


def _is_wanted(piece: Piece, layer: Mapping[str, object]) -> bool:
    biased = piece.stop - piece.start >= len(conventions.ARRAYS[piece.kind])
    return (piece.kind, piece.units, biased) == (
        layer["kind"],
        layer.get("units", piece.units),
        layer.get("use_bias", biased),
    )


def _options(piece: Piece, own: Mapping[str, object], asked: Mapping[str, object], *, last: bool) -> dict[str, object]:
    """A layer's own options before those asked for all GRU layers; return_sequences is asked for the last alone."""
    common = [key for key in GRU_OPTIONS if key in asked and (last or key != "return_sequences")]
    options = {key: asked[key] for key in common} if piece.kind == "gru" else {}
    return options | {key: value for key, value in own.items() if key not in ("kind", "name")}


def _described(spec: Spec) -> str:
    o = spec.options
    functions = [str(o[key]) for key in ("activation", "recurrent_activation") if key in o]
    reset = f", reset_after={o['reset_after']}" if "reset_after" in o else ""
    return f"{spec.kind} ({spec.features} to {spec.units}{reset}, {' and '.join(functions)})"


def _why(shapes: Sequence[Shape], wanted: Sequence[Mapping[str, object]] | None) -> str:
    """Why no layers fit, with the likely reason where the shapes show one."""
    listed = _listed(shapes)
    if wanted is not None:
        return f"arrays of shapes {listed} are not the {len(wanted)} layers of the architecture"
    for first, second in pairwise(shapes):
        if len(first) == len(second) == 2 and first[1] == second[1] == 4 * second[0]:
            return f"arrays of shapes {listed} have four gates, as an LSTM's; a GRU has three"
        if len(first) == len(second) == 2 and first[0] == second[0] == 3 * second[1]:
            return (
                f"arrays of shapes {listed} have their gates as rows, as PyTorch's, but are not its layers, of which "
                f"each has no bias or two: {layouts.SAY}"
            )
    return (
        f"arrays of shapes {listed} are not GRU and Dense layers in get_weights() order: "
        "(features, 3 units), (units, 3 units), (2, 3 units) for a GRU"
    )


def _listed(shapes: Sequence[Shape]) -> str:
    return printable(", ".join(str(shape) for shape in shapes), 160)
