"""Whether a style suits the cells: every key names something, and no two quantities of a cell look the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from symgru.backends.notation import Name, taken_apart
from symgru.backends.text.printer import Text
from symgru.cell import Cell
from symgru.cells import CELLS
from symgru.errors import UnusableInput
from symgru.rules import CALCULATOR
from symgru.styles import Style

LENGTHS = ("D", "H")  # how many features, how many units
TAKEN = {"e": "Euler's number", "t": "the time", **dict.fromkeys("ijkl", "an index")}


def check(style: Style, where: str) -> None:
    """Raises UnusableInput, which begins with `where`."""
    _check_keys(style, where)
    for key, spelling in style.symbols.items():
        if spelling.sign.letter in TAKEN and not (spelling.sign.accent or spelling.below or spelling.above):
            letter = spelling.sign.letter
            raise UnusableInput(
                f"{where}: symbols.{key} is {letter!r}, which stands for {TAKEN[letter]} in every document"
            )
    form = Text(style=style)
    for cell in _cells():
        written: dict[str, str] = {}
        for name, spelled in _names(cell):
            other = written.setdefault(form.name(spelled), name)
            if other != name:
                raise UnusableInput(
                    f"{where}: {other} and {name} would both be written {form.name(spelled)}; give one of them "
                    "another symbol"
                )


def _check_keys(style: Style, where: str) -> None:
    known = {name for cell in _cells() for name, _ in _names(cell)}
    gated = {name.partition("_")[0] for name in known if "_" in name}
    gates = {name.partition("_")[2] for name in known if "_" in name}
    outputs = {_given(cell) for cell in _cells()}
    for key, spelling in style.symbols.items():
        if key in gated:
            example = ", ".join(sorted(name for name in known if name.startswith(f"{key}_"))[:3])
            if spelling.open != 1:
                raise UnusableInput(
                    f"{where}: symbols.{key} stands for {example} and more; it must hold one * where the gate goes, "
                    f'such as "{key}_*"'
                )
        elif key not in known:
            raise UnusableInput(
                f"{where}: symbols.{key[:40]} names nothing; known are {', '.join(sorted(known | gated))}"
            )
        elif spelling.open:
            raise UnusableInput(f"{where}: symbols.{key} is one symbol; * has no place in it")
    for table, keys, allowed in (("subscripts", style.subscripts, gates | outputs), ("gates", style.gates, gates)):
        for key in keys:
            if key not in allowed:
                raise UnusableInput(
                    f"{where}: {table} has {key[:40]!r}, which is no gate; known are {', '.join(sorted(allowed))}"
                )


@cache
def _cells() -> tuple[Cell, ...]:
    """Every cell with a line for each part, as worked examples show it."""
    return tuple(CALCULATOR(cell) for cell in CELLS.values())


def _names(cell: Cell) -> Iterator[tuple[str, Name]]:
    """Every quantity of a cell by its name in `cells`."""
    for s in cell.quantities:
        letter, gate = taken_apart(s.name)
        yield s.name, Name(letter, gate, of="" if gate or s not in cell.params else _given(cell))
    yield from ((letter, Name(letter)) for letter in LENGTHS)


def _given(cell: Cell) -> str:
    """The name of what a cell gives, which a weight without a gate belongs to."""
    return str(cell.stored(cell.output).name)
