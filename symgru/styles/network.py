"""A network under a style: where the style has the other update rule, the same function is written in that rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sympy import Symbol

from symgru.algebra import sigma
from symgru.backends.notation import Name, taken_apart
from symgru.building import SWAPPED, build
from symgru.cell import Cell, h, x
from symgru.comparison import Profile, Update
from symgru.maps import MAPS
from symgru.network import Layer, Network
from symgru.styles import Style
from symgru.update_rules import NEGATED_UPDATE, rewritten_weights

if TYPE_CHECKING:
    from symgru.backends.dialect import Dialect
    from symgru.lesson.prose import Prose

RULES = {"keep": "how much of the state is kept", "new": "how much of the state is new"}


@dataclass(frozen=True)
class Note:
    """A sentence that each format writes with its own formulas; str() gives it as plain text. {name} in `words` stands
    for `symbols` of the cell, or for one of FORMULAS."""

    words: str
    symbols: tuple[tuple[str, tuple[Symbol, ...]], ...]
    style: Style

    def __call__(self, p: Prose) -> str:
        from symgru.lesson.prose import formula, joined, say  # documents rest on styles

        known = {name: formula(printed) for name, printed in FORMULAS.items()}
        for name, symbols in self.symbols:
            *most, last = [formula(partial(_letter, s)) for s in symbols]
            known[name] = joined([joined(most), last], " and ") if most else last
        return say(self.words, **known)(p)

    def __str__(self) -> str:
        from symgru.backends.text.document import TEXT
        from symgru.lesson.prose import Prose

        dialect = TEXT.styled(self.style)
        return self(Prose(dialect, str, lambda words, limit: words, str, dialect.number))


def _letter(s: Symbol, d: Dialect) -> str:
    return d.syntax().name(Name(*taken_apart(s.name)))


def _mirrored(function: str, d: Dialect) -> str:
    form = d.syntax()
    return f"{form.function(function, '-a')} = 1 - {form.function(function, 'a')}"


FORMULAS: dict[str, Callable[[Dialect], str]] = {
    "sigma": partial(_mirrored, "sigma"),
    "s": partial(_mirrored, "s"),
    "x": partial(_letter, x),
    "h": partial(_letter, h),
}


@dataclass(frozen=True)
class Styled:
    """The network as the style writes it, and what there is to say of that.

    x and h have the same numbers in `network` and in `original`. A framework is asked for the original.
    """

    original: Network
    network: Network
    notes: tuple[Note, ...]


def styled(network: Network, style: Style) -> Styled:
    """Each layer with an update gate in the style's update rule, its gate's weights negated where that is the other
    one; layers for which this would be another function, and all other layers, stay as they are."""
    layers: dict[str, Layer] = {}
    notes: list[Note] = []
    for name, layer in network.layers.items():
        layers[name] = layer
        if layer.kind in MAPS:
            continue
        cell = build(layer.kind, layer.options)
        profile = Profile(cell)
        update = profile.update
        if update and style.update and update.rule != style.update:
            if NEGATED_UPDATE.proof(cell):
                layers[name] = negated(layer, cell)
                notes.append(_negation(cell, update, style))
            else:
                notes.append(_left(cell, update, style))
        notes += _reset(profile, style)
    return Styled(network, replace(network, layers=layers), tuple(dict.fromkeys(notes)))


def negated(layer: Layer, cell: Cell) -> Layer:
    """The same function with the other update rule."""
    kind = layer.kind.removesuffix(SWAPPED) if layer.kind.endswith(SWAPPED) else layer.kind + SWAPPED
    return replace(layer, kind=kind, weights=rewritten_weights(NEGATED_UPDATE.apply(cell)[1], layer.weights))


def _negation(cell: Cell, update: Update, style: Style) -> Note:
    plain = any(isinstance(e, sigma) for lhs, e in cell.equations if lhs == update.gate)
    why = "{sigma}" if plain else "the gate's activation has {s}"
    words = (
        f"In the notation of {style.title} the update gate {{z}} says {RULES[style.update]}; in this network it says "
        f"{RULES[update.rule]}. So what is shown as {{z}} is 1 minus this network's, and {{negated}} are printed "
        f"negated. Because {why} it is the same function, and {{x}} and {{h}} keep their numbers "
        "(`symgru prove update-rules`)."
    )
    return Note(words, (("z", (update.gate,)), ("negated", tuple(NEGATED_UPDATE.apply(cell)[1]))), style)


def _left(cell: Cell, update: Update, style: Style) -> Note:
    words = (
        f"In the notation of {style.title} the update gate says {RULES[style.update]}; here {{z}} says "
        f"{RULES[update.rule]}, and stays so: with its weights negated the cell would be another function."
    )
    return Note(words, (("z", (update.gate,)),), style)


def _reset(profile: Profile, style: Style) -> Iterator[Note]:
    reset, update = profile.reset, profile.update
    if not reset or not style.reset or reset.acts == style.reset or update and update.gate == reset.gate:
        return
    words = (
        f"In the notation of {style.title} the reset gate {{r}} acts {style.reset} the product with {{U}}; in this "
        f"network it acts {reset.acts} the product. For several units these are different functions, so the equations "
        "here keep the network's."
    )
    yield Note(words, (("r", (reset.gate,)), ("U", (reset.matrix,))), style)
