"""Notations: how a document spells the quantities that the equations name.

A style is a TOML file; the named ones lie beside this module and are read like a user's own. It changes how things are
written, never what is computed: the numbers of x and h stay the same under every style.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from symgru.errors import UnusableInput
from symgru.styles.symbols import NoSymbol, Sign, Spelling, read_group, read_symbol

FOLDER = Path(__file__).parent
STATE = "h"
LARGEST = 64_000  # bytes of a notation file
MOST_SYMBOLS = 200
CHOICES: dict[str, dict[str, str]] = {  # what each key of a notation file may say, and what that means here
    "time": {"h_t": "", "h^{(t)}": "()", "h^{<t>}": "<>"},
    "product": {sign: sign for sign in "⊙∘*·×"},
    "vectors": {"rows": "rows", "columns": "columns"},
    "decimal": {".": ".", ",": ","},
    "update": {"keep": "keep", "new": "new", "any": ""},
    "reset": {"before": "before", "after": "after", "any": ""},
}
TABLES = ("symbols", "subscripts")
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .'-]{0,39}")
_GATES = re.compile(r"[a-z]")
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Style:
    """How everything is written.

    `time` is "" where the time stands below a symbol, else the brackets around it above. `update` and `reset` are what
    the style's source has, "" where it has both: the update gate says how much to "keep" or what is "new", the reset
    gate acts "before" the product or "after" it. `gates` is the order in which weights are listed. `symbols` spells a
    quantity by its name in `cells` (z, W_z), or all of a letter with * in the gate's place (W).
    """

    title: str
    time: str = ""
    product: str = "⊙"
    vectors: str = "rows"
    decimal: str = "."
    update: str = ""
    reset: str = ""
    gates: tuple[str, ...] = ()
    symbols: Mapping[str, Spelling] = field(default_factory=dict)
    subscripts: Mapping[str, tuple[Sign, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> bool:
        """Whether vectors are columns and matrices stand before them, one row for each unit."""
        return self.vectors == "columns"

    @property
    def separator(self) -> str:
        """What stands between the numbers of a list."""
        return ", " if self.decimal == "." else "; "

    @cached_property
    def _spelled(self) -> dict[tuple[str, str, str], Spelling]:
        return {}

    def spelling(self, letter: str, gate: str = "", of: str = "") -> Spelling:
        """The symbol of a quantity: letter "W" and gate "z", or letter "z" alone. A weight without a gate belongs to
        what it computes (`of`): the state h, an output y."""
        key = letter, gate, of
        if key not in self._spelled:
            self._spelled[key] = self._spell(*key)
        return self._spelled[key]

    def _spell(self, letter: str, gate: str, of: str) -> Spelling:
        own = self.symbols.get(f"{letter}_{gate}" if gate else letter)
        if own and not own.open:
            return own
        pattern = self.symbols.get(letter)
        below = self.subscript(gate) if gate else self.subscripts.get(of, ())
        if pattern and pattern.open:
            if of == STATE and len((*pattern.below, *pattern.above)) > 1:
                below = self.subscript(STATE)  # what else stands there is not left out with the gate: W_{xh}
            return pattern.of(below)
        return Spelling(Sign(letter), below)

    def subscript(self, gate: str) -> tuple[Sign, ...]:
        """A gate as it stands below its weights."""
        if gate in self.subscripts:
            return self.subscripts[gate]
        own = self.symbols.get(gate)
        return (own.sign, *own.below) if own else (Sign(gate),)

    def order(self, gated: Iterable[T], gate: Callable[[T], str]) -> list[T]:
        """Things that belong to gates in the order in which the style lists these; what it does not list comes last."""
        place = {g: k for k, g in enumerate(self.gates)}
        return sorted(gated, key=lambda a: place.get(gate(a), len(place)))


def named() -> tuple[str, ...]:
    """The styles that have a name, the default first."""
    return tuple(sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (name != "keras", name)))


def style(name: str) -> Style:
    """A style by its name, in capitals or not. Raises UnusableInput."""
    if name.lower() not in named():
        raise UnusableInput(f"no style is called {name[:40]!r}; known are {', '.join(named())}")
    return _named(name.lower())


@cache
def _named(name: str) -> Style:
    return _read(FOLDER / f"{name}.toml")


def any_style(named: str | Path) -> Style:
    """A style by its name, or from a file that ends in .toml. Raises UnusableInput."""
    return read_style(named) if Path(named).suffix.lower() == ".toml" else style(str(named))


def read_style(path: Path | str) -> Style:
    """A notation file. Raises UnusableInput, which names the file, the key and what may stand there."""
    made = _read(Path(path))
    from symgru.styles.checks import check  # which reads the cells

    check(made, str(path))
    return made


def _read(path: Path) -> Style:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise UnusableInput(f"{path}: a notation file has at most {LARGEST:,} bytes; this one has {size:,}")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        why = str(error).splitlines()[0][:100]
        raise UnusableInput(f"{path}: is not TOML: {why}") from None
    return _style(table, path)


def _style(table: Mapping[str, Any], path: Path) -> Style:
    known = ("title", *CHOICES, "gates", *TABLES)
    for key in table:
        if key not in known:
            raise UnusableInput(f"{path}: unknown key {key[:40]!r}; known are {', '.join(known)}")
    given: dict[str, Any] = {"title": _title(table.get("title", "own notation"), path)}
    for key, choices in CHOICES.items():
        if key in table:
            if not isinstance(table[key], str) or table[key] not in choices:
                allowed = ", ".join(f'"{choice}"' for choice in choices)
                raise UnusableInput(f"{path}: {key} is {_shown(table[key])}; it must be one of {allowed}")
            given[key] = choices[table[key]]
    gates = table.get("gates", [])
    if not isinstance(gates, list) or not all(isinstance(g, str) and _GATES.fullmatch(g) for g in gates):
        raise UnusableInput(f'{path}: gates is {_shown(gates)}; it must be a list of gates such as ["z", "r", "n"]')
    if len(set(gates)) < len(gates):
        raise UnusableInput(f"{path}: gates names a gate twice")
    given["gates"] = tuple(gates)
    for key, read in (("symbols", read_symbol), ("subscripts", read_group)):
        given[key] = _spellings(table.get(key, {}), key, read, path)
    return Style(**given)


def _title(title: object, path: Path) -> str:
    if not isinstance(title, str) or not _TITLE.fullmatch(title):
        raise UnusableInput(
            f"{path}: title is {_shown(title)}; it must be at most 40 letters, digits, spaces "
            "and .'-, a letter or digit first"
        )
    return title


def _spellings(table: object, name: str, read: Callable[[str], T], path: Path) -> dict[str, T]:
    if not isinstance(table, dict) or len(table) > MOST_SYMBOLS:
        raise UnusableInput(f'{path}: {name} must be a table of at most {MOST_SYMBOLS} lines such as z = "u"')
    found: dict[str, T] = {}
    for key, text in table.items():
        where = f"{path}: {name}.{key[:40]}"
        if not isinstance(text, str):
            raise UnusableInput(f'{where} is {_shown(text)}; it must be a symbol such as "u" or "\\\\tilde h"')
        try:
            found[key] = read(text)
        except NoSymbol as why:
            raise UnusableInput(
                f"{where} is {_shown(text)}: {why}; a symbol is a letter or a Greek one, with \\tilde, \\hat or \\bar, "
                "primes, and letters below or above it, such as W_{xz}"
            ) from None
    return found


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


DEFAULT = style("keras")
