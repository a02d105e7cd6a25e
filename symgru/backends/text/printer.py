"""Equations as plain text that can be typed into a calculator."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from sympy import Expr

from symgru.backends.formula import MatrixForm, NumberForm, ScalarForm, Syntax, UnitForm
from symgru.backends.notation import Name
from symgru.styles.symbols import GREEK, Sign

ASCII = str.maketrans(
    {
        "σ": "sigma",
        "δ": "delta",
        "∇": "grad_",
        "∂": "d",
        "·": "*",
        "⊙": "*",
        "Σ": "sum",
        "†": "!",
        "─": "-",
        "═": "=",
        "×": "x",
        "≤": "<=",
        "“": '"',
        "”": '"',
        "∘": "*",
        "▶": ">",
    }
    | {letter: name for name, letter in GREEK.items()}
)
ATOM = re.compile(r"-?(\w+|\x03\d+\x04|[\w\x01\x02]+(\[[\w,]*\])?)")
_RAISED = re.compile(r"[^()]*\^[(<][^()]*[)>](\[[\w,]*\])?")  # a symbol with the time above it


def plain_text(untrusted: str, limit: int = 80) -> str:
    """A name from a file as a terminal may show it: no control characters (they move the cursor or change colours),
    no invisible ones and none that turn the direction of writing."""
    shown = untrusted if len(untrusted) <= limit else untrusted[: limit - 3] + "..."
    return "".join(c if c.isprintable() else "?" for c in shown)


def ascii_text(text: str) -> str:
    """The same document for a terminal without Unicode."""
    return text.translate(ASCII).encode("ascii", "replace").decode("ascii")


def _sign(s: Sign) -> str:
    """h_hat for an accent: every typed letter stands on its own."""
    return s.letter + f"_{s.accent}" * bool(s.accent) + "'" * s.primes


def _signs(group: Iterable[Sign]) -> str:
    return "".join(map(_sign, group))


def _around(time: str, brackets: str) -> str:
    """A time that stands above its symbol."""
    return f"{brackets[0]}{time.strip('()')}{brackets[1]}" if time and brackets else ""


class Text(Syntax):
    """The spelling; a form adds the symbols."""

    language = "plain text"
    times = "·"

    def strength(self, e: Expr) -> int:
        # a case goes on to the end of what it stands in
        return 0 if type(e).__name__ in {"where_positive", "between", "within", "Select"} else super().strength(e)

    def name(self, n: Name) -> str:
        plain = n.letter.rstrip("'")
        symbol = self.style.spelling(plain, n.gate, n.of)
        letter = "∇" * n.bar + _sign(symbol.sign) + n.letter[len(plain) :]
        raised = self.style.time
        text = "_".join(part for part in (letter, _signs(symbol.below), n.time * (not raised)) if part)
        above = "".join(f"^{part}" for part in (_signs(symbol.above), _around(n.time, raised)) if part)
        return text + above + (f"[{','.join(n.index)}]" if n.index else "")

    def whole(self, n: Name, matrix: bool) -> str:
        return self.name(replace(n, index=()))

    def row_times_matrix(self, row: str, matrix: str) -> str:
        return f"{row} @ {matrix}"

    def total(self, index: str, upto: str, body: str) -> str:
        return f"Σ({index}=1..{upto}) {body}"

    def power_of_e(self, exponent: str) -> str:
        return f"e^{exponent}" if ATOM.fullmatch(exponent) else f"e^({exponent})"

    def power_of_ten(self, exponent: str) -> str:
        return self._raised("10", exponent)

    def squared(self, base: str) -> str:
        return self._raised(base, "2")

    def transposed(self, matrix: str) -> str:
        return self._raised(matrix, "T")

    def _raised(self, base: str, exponent: str) -> str:
        """What has something above it already is put in brackets first."""
        return f"({base})^{exponent}" if _RAISED.fullmatch(base) else f"{base}^{exponent}"

    def partial(self, of: str) -> str:
        return f"∂L/∂{of}"

    def derivative(self, above: str, below: str) -> str:
        return f"∂{above}/∂{below}"

    def identity(self) -> str:
        return "I"

    def ones(self) -> str:
        return "ones"

    def two_over_root_of_pi(self) -> str:
        return "2/sqrt(pi)"

    def ratio(self, above: str, below: str) -> str:
        return f"{above}/{below}" if ATOM.fullmatch(below) else f"{above}/({below})"

    def function(self, name: str, *args: str) -> str:
        plain = name.rstrip("'")
        head = ("σ" if plain == "sigma" else plain_text(plain)) + name[len(plain) :]
        return f"{head}({self.separator.join(args)})"

    def root(self, text: str) -> str:
        return f"sqrt({text})"

    def absolute(self, text: str) -> str:
        return f"abs({text})"

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        return f"{then} if {condition}, otherwise {otherwise}"


class TextMatrix(Text, MatrixForm):
    """z_t = σ(x_t @ W_z + ...)."""


class TextUnit(Text, UnitForm):
    """z_t[i] = σ(Σ(j=1..D) W_z[j,i]·x_t[j] + ...)."""


class TextScalar(Text, ScalarForm):
    """z_3[1] = σ(W_z[1,1]·x_3[1] + ...)."""


class TextNumbers(Text, NumberForm):
    """0.28·(-0.031) + ..."""
