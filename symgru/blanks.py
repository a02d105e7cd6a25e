"""Which values of a worked example a reader is to fill in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from symgru.errors import UnusableInput
from symgru.working import Hidden, Working

KNOWN = "all, none, result, steps such as 2 or 2-3, and quantities such as z or h"


@dataclass(frozen=True)
class Blanks:
    """The values of these quantities at these steps, of every unit; a Hidden. A quantity is named as in a cell."""

    names: frozenset[str]
    steps: frozenset[int]

    def __call__(self, name: str, t: int, unit: int) -> bool:
        return name in self.names and t in self.steps


def usual(steps: int) -> str:
    """What is blank unless asked: all but the first step, which shows how it is done."""
    return f"2-{steps}" if steps > 2 else "2" if steps == 2 else "all"


def blanks(asked: str, layer: Working) -> Hidden:
    """What `asked` says, a list with commas: `all`, `none`, `result` (the state after the last step), steps (2, 2-3)
    and quantities (z, n, h, a_z). Steps alone mean every quantity there, quantities alone every step, and both
    together where they meet. Raises UnusableInput."""
    words = [w.strip().removeprefix("steps ").removeprefix("step ").strip() for w in asked.split(",")]
    letters, every = _letters(layer), frozenset(range(1, layer.steps + 1))
    if words == ["none"]:
        return Blanks(frozenset(), frozenset())
    if words == ["all"]:
        return Blanks(frozenset(letters.values()), every)
    if words == ["result"]:
        return Blanks(frozenset({layer.cell.output.name}), frozenset({layer.steps}))
    names: set[str] = set()
    steps: set[int] = set()
    for word in words:
        if word in letters:
            names.add(letters[word])
        elif found := _steps(word, layer.steps):
            steps.update(found)
        else:
            raise UnusableInput(
                f"--blank has {word[:30]!r}; it can be {KNOWN}. This layer has {', '.join(letters)}, and steps 1 to "
                f"{layer.steps}"
            )
    return Blanks(frozenset(names or letters.values()), frozenset(steps or every))


def _steps(word: str, last: int) -> Iterable[int]:
    """The steps that a word names; () where it names none."""
    found = re.fullmatch(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?", word)
    if not found:
        return ()
    first, end = int(found[1]), int(found[2] or found[1])
    return range(first, end + 1) if 1 <= first <= end <= last else ()


def _letters(layer: Working) -> Mapping[str, str]:
    """What a reader calls each quantity, and its name in the cell: the state is h."""
    after = {new: str(old.name) for old, new in layer.calculator.states}
    return {after.get(s, str(s.name)): str(s.name) for s in layer.calculator.defined}
