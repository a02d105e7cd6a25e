"""Layers one after the other become a Network: widths, sequences and sizes are checked here, for every reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from symgru.errors import SymgruError, UnusableInput
from symgru.network import Layer, Network, Tensor, chain, safe_id
from symgru.readers import conventions
from symgru.readers.checks import MAX_NUMBERS, MAX_UNITS, printable
from symgru.readers.decimals import tensor

MAX_LAYERS = 256


@dataclass(frozen=True)
class Spec:
    """A layer on its way into a network: its weights are canonical, its name still the file's own."""

    kind: str
    label: str
    options: Mapping[str, object]
    weights: Mapping[str, Tensor]
    features: int
    units: int
    recurrent: bool
    notes: tuple[str, ...] = ()


@contextmanager
def within(place: str) -> Iterator[None]:
    """Begin the message of any error raised inside with the place it was found in."""
    try:
        yield
    except SymgruError as error:
        raise type(error)(f"{place}: {error}") from None
    except RecursionError:
        raise UnusableInput(f"{place}: is nested too deep") from None
    except MemoryError:
        raise UnusableInput(f"{place}: is too large for this machine's memory") from None


def named(label: object) -> str:
    """A layer as messages name it."""
    return f"layer '{printable(label)}'"


def keras_layer(
    kind: str,
    label: str,
    options: Mapping[str, object],
    arrays: Sequence[object],
    *,
    dtype: str,
    notes: Sequence[str] = (),
) -> Spec:
    """A GRU or Dense layer from arrays in get_weights() order; options that lack follow from their shapes."""
    names = conventions.ARRAYS[kind]
    with within(named(label)):
        tensors = [tensor(a, dtype, names[min(k, len(names) - 1)]) for k, a in enumerate(arrays[:4])]
        full, more = conventions.complete(kind, options, [t.value.shape for t in tensors])
        weights = conventions.canonical(kind, tensors)
    units = tensors[-1].value.shape[-1] if kind == "dense" else tensors[1].value.shape[0]
    return Spec(kind, label, full, weights, tensors[0].value.shape[0], units, kind == "gru", (*notes, *more))


def network(
    specs: Sequence[Spec],
    *,
    dtype: str,
    name: str,
    origin: str,
    features: int | None = None,
    steps: int | None = None,
    notes: Sequence[str] = (),
) -> Network:
    """The chain of `specs`. Refused: none, too many, widths or sequences that do not fit together."""
    if not specs:
        raise UnusableInput("there is no layer with weights; a GRU is needed")
    if len(specs) > MAX_LAYERS:
        raise UnusableInput(f"has {len(specs)} layers; at most {MAX_LAYERS} are read")
    _check_size(specs)
    _check_widths(specs, features)
    taken: set[str] = set()
    layers = [
        Layer(safe_id(spec.label, taken, spec.kind), spec.label, spec.kind, options, spec.weights, spec.notes)
        for spec, options in zip(specs, _sequences(specs), strict=True)
    ]
    return chain(
        layers,
        dtype=dtype,
        features=specs[0].features,
        steps=steps,
        name=safe_id(name, set(), "gru"),
        origin=origin,
        notes=tuple(notes),
    )


def _check_size(specs: Sequence[Spec]) -> None:
    total = sum(t.value.size for spec in specs for t in spec.weights.values())
    if total > MAX_NUMBERS:
        raise UnusableInput(f"has {total} parameters; at most {MAX_NUMBERS} are read")


def _check_widths(specs: Sequence[Spec], features: int | None) -> None:
    width, giver = features, "the input"
    for spec in specs:
        if not 1 <= spec.features <= MAX_UNITS:
            raise UnusableInput(f"{named(spec.label)}: has {spec.features} features; from 1 to {MAX_UNITS} are read")
        if width is not None and spec.features != width:
            raise UnusableInput(f"{named(spec.label)}: takes {spec.features} features, but {giver} has {width}")
        width, giver = spec.units, named(spec.label)


def _sequences(specs: Sequence[Spec]) -> list[Mapping[str, object]]:
    """Complete options: a recurrent layer before another must hand on its sequence, the last does if it says so."""
    last = max((k for k, spec in enumerate(specs) if spec.recurrent), default=-1)
    complete: list[Mapping[str, object]] = []
    for k, spec in enumerate(specs):
        options = dict(spec.options)
        if spec.recurrent and not options.setdefault("return_sequences", k < last) and k < last:
            raise UnusableInput(
                f"{named(spec.label)}: gives its last output only, but {named(specs[last].label)} after it needs "
                "a sequence; return_sequences must be true"
            )
        complete.append(options)
    return complete
