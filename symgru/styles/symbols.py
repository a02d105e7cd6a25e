r"""What a symbol may look like: a letter with its accent, its primes, and letters below and above it.

The same few signs are spelled in every language of a document. They are all that passes: a notation file is untrusted,
and nothing of it reaches an output but what is read here.

    symbol:  sign [_ group] [^ group]            W_{xz}   \tilde h   W^{(z)}   \Gamma_u
    sign:    [\tilde | \hat | \bar] letter '…    a Latin letter, or a Greek one as Γ or \Gamma
    group:   one sign, or several in braces; * stands for the gate that the symbol belongs to
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 40  # characters of a symbol in a notation file
ACCENTS = ("tilde", "hat", "bar")
GATE = "*"
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "tau": "τ",
    "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
NAMES = {letter: name for name, letter in GREEK.items()}  # sigma is missing: it is the sigmoid function
_TOKEN = re.compile(rf"\\[A-Za-z]+|[A-Za-z{''.join(NAMES)}_^{{}}()'*]")


@dataclass(frozen=True)
class Sign:
    """One letter, its accent and its primes."""

    letter: str
    accent: str = ""
    primes: int = 0


@dataclass(frozen=True)
class Spelling:
    """A symbol: a sign, and what stands below and above it."""

    sign: Sign
    below: tuple[Sign, ...] = ()
    above: tuple[Sign, ...] = ()

    @property
    def open(self) -> int:
        """How often the gate's place is marked."""
        return sum(part.letter == GATE for part in (*self.below, *self.above))

    def of(self, gate: tuple[Sign, ...]) -> Spelling:
        """With a gate's signs in the place marked; a group with such a place is left out where there is no gate."""
        return Spelling(self.sign, _put(self.below, gate), _put(self.above, gate))


def _put(group: tuple[Sign, ...], gate: tuple[Sign, ...]) -> tuple[Sign, ...]:
    if not any(s.letter == GATE for s in group):
        return group
    return tuple(part for s in group for part in (gate if s.letter == GATE else (s,))) if gate else ()


class NoSymbol(ValueError):
    """A text that is no symbol; the message says why."""


def read_symbol(text: str) -> Spelling:
    """Raises NoSymbol."""
    reader = _Reader(text)
    sign = reader.sign()
    groups: dict[str, tuple[Sign, ...]] = {}
    while (mark := reader.next) in ("_", "^") and mark not in groups:
        reader.take()
        groups[mark] = reader.group()
    reader.end()
    return Spelling(sign, groups.get("_", ()), groups.get("^", ()))


def read_group(text: str) -> tuple[Sign, ...]:
    """What stands below a symbol, without the braces. Raises NoSymbol."""
    reader = _Reader("{" + text + "}")
    signs = reader.group()
    reader.end()
    return signs


class _Reader:
    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise NoSymbol(f"it is longer than {LONGEST} characters")
        found = list(_TOKEN.finditer(text))
        between = _TOKEN.sub("", text).strip(" ")
        if between:
            raise NoSymbol(f"{between[0]!r} is no part of a symbol")
        self.tokens = [token[0] for token in found]

    @property
    def next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self) -> str:
        if not self.tokens:
            raise NoSymbol("something is missing at its end")
        return self.tokens.pop(0)

    def end(self) -> None:
        if self.tokens:
            raise NoSymbol(f"{self.next!r} is too much")

    def sign(self) -> Sign:
        accent = self.take()[1:] if self.next[1:] in ACCENTS else ""
        braced = bool(accent) and self.next == "{"
        if braced:
            self.take()
        letter = self.letter()
        if braced and self.take() != "}":
            raise NoSymbol("an accent stands over one letter")
        primes = 0
        while self.next == "'":
            self.take()
            primes += 1
        return Sign(letter, accent, primes)

    def letter(self) -> str:
        token = self.take()
        if token.startswith("\\"):
            if token[1:] not in GREEK:
                raise NoSymbol(f"{token!r} is neither a Greek letter other than sigma nor an accent")
            return GREEK[token[1:]]
        if not token.isalpha():
            raise NoSymbol(f"a letter is expected in place of {token!r}")
        return token

    def group(self) -> tuple[Sign, ...]:
        if self.next != "{":
            return (self.part(),)
        self.take()
        signs = []
        while self.next != "}":
            signs.append(self.part())
        self.take()
        inside = "".join(s.letter for s in signs)
        if not re.fullmatch(r"\([^()]+\)|[^()]+", inside):
            raise NoSymbol("a group holds letters, in round brackets or not")
        return tuple(signs)

    def part(self) -> Sign:
        return Sign(self.take()) if self.next in (GATE, "(", ")") else self.sign()
