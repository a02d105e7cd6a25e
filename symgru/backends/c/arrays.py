"""Arrays in C: where an element lies, and loops over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

Index = tuple[str, int]  # an index as C spells it, and how far apart its elements are


@dataclass(frozen=True)
class Value:
    """An array (`lead` samples of `shape`) behind the pointer `name`. `reversed` reads the first axis backwards."""

    name: str
    shape: tuple[int, ...]
    lead: int = 1
    offset: int = 0
    reversed: bool = False

    @property
    def size(self) -> int:
        return self.lead * prod(self.shape)

    @property
    def axes(self) -> tuple[int, ...]:
        """All axes, the samples first."""
        return (self.lead, *self.shape)

    def flat(self, *indices: str) -> str:
        """The place of an element from its indices, that of the sample first."""
        if self.reversed:
            sample, first, *others = indices
            turned = str(self.shape[0] - 1 - int(first)) if first.isdigit() else f"({self.shape[0] - 1} - {first})"
            indices = (sample, turned, *others)
        terms: list[Index] = []
        for k, index in enumerate(indices):
            terms.append((index, prod(self.axes[k + 1 :])))
        return summed(terms, self.offset)

    def at(self, *indices: str) -> str:
        return f"{self.name}[{self.flat(*indices)}]"

    def row(self, *indices: str) -> str:
        """A pointer to what lies behind these first indices."""
        place = self.flat(*indices, *["0"] * (len(self.axes) - len(indices)))
        return self.name if place == "0" else f"{self.name} + {place}"


def summed(terms: Sequence[Index], constant: int = 0) -> str:
    """A sum of indices times their strides."""
    known = constant + sum(int(i) * stride for i, stride in terms if i.isdigit())
    words = [i if stride == 1 else f"{_tight(i)} * {stride}" for i, stride in terms if not i.isdigit()]
    if len(words) == 1 and not known:
        return words[0][1:-1] if words[0].startswith("(") and words[0].endswith(")") else words[0]
    return " + ".join([*words, *([str(known)] if known or not words else [])])


def plus(index: str, n: int) -> str:
    """An index n further on."""
    if index.isdigit():
        return str(int(index) + n)
    return f"{index} + {n}" if n else index


def _tight(index: str) -> str:
    return f"({index})" if " " in index and not (index.startswith("(") and index.endswith(")")) else index


LETTERS = "btijkl"


def nest(axes: Sequence[int], inner: Sequence[str]) -> list[str]:
    """Loops over axes with the indices `names` gives, around lines."""
    lines = list(inner)
    if all(n == 1 for n in axes) and len(lines) > 1:  # what it declares is its own
        return ["{", *(f"    {line}" for line in lines), "}"]
    for letter, n in reversed(list(zip(names(axes), axes, strict=True))):
        if not letter.isdigit():
            head = f"for (size_t {letter} = 0; {letter} < {n}; {letter}++) {{"
            lines = [head, *(f"    {line}" for line in lines), "}"]
    return lines


def names(axes: Sequence[int]) -> list[str]:
    """An index for each axis (the samples first); 0 where there is one element."""
    letters = ["b", "i"] if len(axes) == 2 else LETTERS
    return ["0" if n == 1 else letters[k] for k, n in enumerate(axes)]


def filled(target: Value, source: str) -> list[str]:
    """Lines that give every element of `target` the expression `source`, in its indices."""
    return nest(target.axes, [f"{target.at(*names(target.axes))} = {source};"])
