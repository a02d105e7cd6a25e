"""Equations as plain text that can be typed into a calculator."""

from __future__ import annotations

import re

from sympy import Expr

from symgru.backends.formula import MatrixForm, Name, NumberForm, ScalarForm, Syntax, UnitForm

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
    }
)
ATOM = re.compile(r"-?(\w+|\x03\d+\x04|[\w\x01\x02]+(\[[\w,]*\])?)")


def plain_text(untrusted: str, limit: int = 80) -> str:
    """A name from a file as a terminal may show it: no control characters (they move the cursor or change colours),
    no invisible ones and none that turn the direction of writing."""
    shown = untrusted if len(untrusted) <= limit else untrusted[: limit - 3] + "..."
    return "".join(c if c.isprintable() else "?" for c in shown)


def ascii_text(text: str) -> str:
    """The same document for a terminal without Unicode."""
    return text.translate(ASCII).encode("ascii", "replace").decode("ascii")


class Text(Syntax):
    """The spelling; a form adds the symbols."""

    language = "plain text"
    times = "·"
    hadamard = " ⊙ "

    def strength(self, e: Expr) -> int:
        # a case goes on to the end of what it stands in
        return 0 if type(e).__name__ in {"where_positive", "between", "within", "Select"} else super().strength(e)

    def name(self, n: Name) -> str:
        index = f"[{','.join(n.index)}]" if n.index else ""
        return "∇" * n.bar + "_".join(part for part in (n.letter, n.gate, n.time) if part) + index

    def whole(self, n: Name, matrix: bool) -> str:
        return self.name(Name(n.letter, n.gate, n.time, bar=n.bar))

    def row_times_matrix(self, row: str, matrix: str) -> str:
        return f"{row} @ {matrix}"

    def total(self, index: str, upto: str, body: str) -> str:
        return f"Σ({index}=1..{upto}) {body}"

    def power_of_e(self, exponent: str) -> str:
        return f"e^{exponent}" if ATOM.fullmatch(exponent) else f"e^({exponent})"

    def squared(self, base: str) -> str:
        return f"{base}^2"

    def transposed(self, matrix: str) -> str:
        return f"{matrix}^T"

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
        return f"{head}({', '.join(args)})"

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
