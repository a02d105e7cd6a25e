"""Which layer comes after which, where nothing but their names and widths tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from symgru.errors import UnusableInput
from symgru.readers.checks import printable

MAX_STEPS = 5_000
ASK = 'give their order in an architecture: {"layers": ["first", "second", …]}'


def order(labels: Sequence[str], widths: Sequence[tuple[int, int]]) -> list[int]:
    """The one order in which each layer takes as many features as the one before has units.

    Layers of one name that are numbered keep their order. Raises UnusableInput where there is none, or another.
    """
    found = list(islice(_orders(labels, widths), 2))
    shown = printable(", ".join(f"{label} ({d} to {h})" for label, (d, h) in zip(labels, widths, strict=True)), 160)
    if not found:
        raise UnusableInput(f"the layers {shown} cannot follow one another by their widths; {ASK}")
    if len(found) > 1:
        raise UnusableInput(f"the layers {shown} fit in more than one order; {ASK}")
    return found[0]


def _orders(labels: Sequence[str], widths: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    after = _before(labels)
    steps = 0

    def search(placed: dict[int, None], width: int | None) -> Iterator[list[int]]:
        nonlocal steps
        steps += 1
        if steps > MAX_STEPS:
            raise UnusableInput(f"the order of {len(labels)} layers cannot be told from their widths; {ASK}")
        if len(placed) == len(labels):
            yield list(placed)
            return
        for k, (features, units) in enumerate(widths):
            if k not in placed and width in (None, features) and after[k] <= placed.keys():
                placed[k] = None
                yield from search(placed, units)
                del placed[k]

    yield from search({}, None)


def _before(labels: Sequence[str]) -> list[set[int]]:
    """For each layer those of the same name with a lower number."""
    named = [_number(label) for label in labels]
    return [{j for j, (other, lower) in enumerate(named) if other == stem and lower < number} for stem, number in named]


def _number(label: str) -> tuple[str, int]:
    """The last number in a name and what stands around it: layers/2/cell is 2 in layers/#/cell; gru is gru_0."""
    match = re.search(r"_?([0-9]{1,9})(?!.*[0-9])", label)
    if not match:
        return label, 0
    return label[: match.start()] + label[match.end() :], int(match[1])
