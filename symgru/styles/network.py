"""A network under a style: where the style has the other update rule, the same function is written in that rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sympy import Symbol

from symgru.algebra import sigma
from symgru.building import SWAPPED, build
from symgru.cell import Cell
from symgru.comparison import Profile, Update
from symgru.hypotheses import NEGATED_UPDATE, listed, rewritten_weights
from symgru.maps import MAPS
from symgru.network import Layer, Network
from symgru.styles import Style

RULES = {"keep": "how much of the state is kept", "new": "how much of the state is new"}


@dataclass(frozen=True)
class Styled:
    """The network as the style writes it, and what there is to say of that, as sentences of plain text.

    x and h have the same numbers in `network` and in `original`. A framework is asked for the original.
    """

    original: Network
    network: Network
    notes: tuple[str, ...]


def styled(network: Network, style: Style) -> Styled:
    """Each layer with an update gate in the style's update rule, its gate's weights negated where that is the other
    one; layers for which this would be another function, and all other layers, stay as they are."""
    layers: dict[str, Layer] = {}
    notes: list[str] = []
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


def _negation(cell: Cell, update: Update, style: Style) -> str:
    gate = _written([update.gate], style)
    turned = _written(NEGATED_UPDATE.apply(cell)[1], style)
    plain = any(isinstance(e, sigma) for lhs, e in cell.equations if lhs == update.gate)
    function = "σ" if plain else "its activation s"
    law = "σ(-a) = 1 - σ(a)" if plain else "s(-a) = 1 - s(a)"
    return (
        f"In the notation of {style.title} the update gate {gate} says {RULES[style.update]}; in this network it says "
        f"{RULES[update.rule]}. So 1 - {gate} is shown as {gate}, and {turned} are printed negated: {function} has "
        f"{law}, which makes it the same function, and x and h keep their numbers (symgru prove update-rules)."
    )


def _left(cell: Cell, update: Update, style: Style) -> str:
    gate = _written([update.gate], style)
    return (
        f"In the notation of {style.title} the update gate says {RULES[style.update]}; here {gate} says "
        f"{RULES[update.rule]}, and stays so: with its weights negated {cell.title or cell.name} would be another "
        "function."
    )


def _reset(profile: Profile, style: Style) -> Iterator[str]:
    reset, update = profile.reset, profile.update
    if not reset or not style.reset or reset.acts == style.reset or update and update.gate == reset.gate:
        return
    matrix = _written([reset.matrix], style)
    yield (
        f"In the notation of {style.title} the reset gate acts {style.reset} the product with {matrix}; in this "
        f"network it acts {reset.acts} the product. For several units these are different functions, so the equations "
        "here keep the network's."
    )


def _written(symbols: Iterable[Symbol], style: Style) -> str:
    from symgru.backends.formula import Name
    from symgru.backends.text.printer import Text  # whose folder's other modules build on explanations

    form = Text(style=style)
    return listed([form.name(Name(*s.name.split("_"))) for s in symbols])
