"""What an operator is given: values of the network, constants, or nothing where an input is left out."""

from __future__ import annotations

from collections.abc import Sequence

from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array
from symgru.readers.onnx_values import Seen, Spread

Item = Array | Seen | Spread | None
Items = Sequence[Item]


def seen(given: Items, place: int = 0) -> Seen:
    """An input that depends on the network's input."""
    found = given[place] if len(given) > place else None
    if not isinstance(found, Seen):
        raise Unsupported(f"takes a constant as its input {place + 1}, where symgru needs a value of the network")
    return found


def constant(given: Items, place: int, what: str) -> Array:
    """An input that must be a constant."""
    found = optional(given, place, what)
    if found is None:
        raise UnusableInput(f"lacks its input {place + 1}, {what}")
    return found


def optional(given: Items, place: int, what: str) -> Array | None:
    """An input that must be a constant, where it is there."""
    found = given[place] if len(given) > place else None
    if isinstance(found, Spread):
        found = found.array
    if isinstance(found, Seen):
        raise Unsupported(f"takes {what} from a value of the network; symgru needs it in the file, as an initializer")
    return found


def constants(given: Items) -> list[Array | None]:
    """The inputs after the first, which must be constants."""
    return [None, *(optional(given, k, f"its input {k + 1}") for k in range(1, len(given)))]
