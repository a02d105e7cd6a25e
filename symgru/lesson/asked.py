"""What a diagnosis was asked of: the network in a few words, and its input as it is typed."""

from __future__ import annotations

from collections.abc import Sequence

from symgru.algebra import Mat
from symgru.backends.sentences import kind
from symgru.building import build
from symgru.diagnosis.findings import Diagnosis
from symgru.lesson.prose import Text, formula, given, joined, number, say
from symgru.maps import MAPS
from symgru.network import Layer, Tensor
from symgru.shapes import units
from symgru.wording import counted

MOST_LAYERS, MOST_ROWS, MOST_TYPED = 4, 8, 8  # that are named; of an input, and numbers of a row


def asked(d: Diagnosis) -> Text:
    """GRU, 2 features, 3 units, reset_after=True; input [0.5, -1], [1, 0.25]"""
    layers = [layer for layer in d.network.layers.values() if layer.kind not in MAPS]
    alone = len(layers) == 1
    told = [_layer(layer, k if not alone else 0) for k, layer in enumerate(layers[:MOST_LAYERS], 1)]
    if len(layers) > MOST_LAYERS:
        told.append(say(f"{len(layers) - MOST_LAYERS} more"))
    return say("{network}; {fed}.", network=joined(told, ", " if alone else "; then "), fed=_fed(d))


def _layer(layer: Layer, place: int) -> Text:
    """`place` is 0 where there is no other."""
    cell = build(layer.kind, layer.options)
    kernel = next((p for p in cell.params if isinstance(p, Mat) and cell.dims[p][-1] == "D"), None)
    name, features = kind(cell), layer.weights[kernel.name].value.shape[1] if kernel is not None else None
    words = [
        *([counted(features, "input" if place > 1 else "feature")] if features else []),
        counted(units(cell, layer), "unit"),
    ]
    if layer.kind == "gru":
        name, words = name.partition(" (")[0], [*words, f"reset_after={bool(layer.options.get('reset_after', True))}"]
    text = say(", ".join((name, *words)))
    return say("“{label}”: {text}", label=given(layer.label, 40), text=text) if place else text


def _fed(d: Diagnosis) -> Text:
    first = d.cases[0].inputs[0]
    if len(d.cases) > 1:
        return say(f"{len(d.cases)} inputs, the first {{x}}", x=sequence(first))
    if len(d.cases[0].inputs) > 1:
        return say(f"{len(d.cases[0].inputs)} inputs, the first {{x}}", x=sequence(first))
    if len(first.value) > 1:
        return say(f"input of {len(first.value)} sequences, the first {{x}}", x=sequence(first))
    return say("input {x}", x=sequence(first))


def sequence(x: Tensor) -> Text:
    """The first sequence of a batch as it is typed; a long one is cut."""
    steps = x.text[0].reshape(len(x.text[0]), -1).tolist() if x.text.ndim > 1 else [[v] for v in x.text]
    rows = [list(map(str, step)) for step in steps[:MOST_ROWS]]
    wide = len(steps[0]) > 1 if steps else False
    told = [_row(row) if wide else number(row[0]) for row in rows]
    if len(steps) > MOST_ROWS:
        told.append(say("… ({n} steps)", n=f"{len(steps):,}"))
    return joined(told)


def _row(texts: Sequence[str]) -> Text:
    if len(texts) <= MOST_TYPED:
        return formula(lambda d: d.row(list(texts)))
    few = joined(map(number, texts[:MOST_TYPED]))
    return say("[{few}, … {n} numbers]", few=few, n=str(len(texts)))
