"""Equations as LaTeX."""

from __future__ import annotations

import re

from sympy import Expr

from symgru.backends.formula import BEFORE, NOW, MatrixForm, Name, NumberForm, ScalarForm, Syntax, UnitForm

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "-": "{-}",  # no en dashes in file names
}


def latex_text(untrusted: str) -> str:
    """A name from a file as harmless text: escaped, without control characters, other alphabets as their numbers.

    A long word may be broken every few characters, so that no name runs off the page.
    """
    shown = untrusted if len(untrusted) <= 80 else untrusted[:77] + "..."
    written, run = "", 0
    for c in shown:
        text = _character(c)
        length = 1 if len(text) < 20 else 8
        if run + length > UNBROKEN:
            written, run = written + r"\allowbreak{}", 0
        written, run = written + text, 0 if c == " " else run + length
    return written


LONG = 90  # characters of an exponent that would be too wide to stay on its line
UNBROKEN = 12  # characters of a name without a place to break it


def _character(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if " " <= c <= "~" or "\xa1" <= c <= "\xff" and c != "\xad":
        return c
    return rf"\textless U+{ord(c):04X}\textgreater{{}}"


def latex_number(text: str) -> str:
    """A number's text; 1.2e-08 as a power of ten."""
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa}\cdot 10^{{{int(exponent)}}}" if e else text


class Latex(Syntax):
    """The spelling; a form adds the symbols."""

    language = "LaTeX"
    times = r"\,"
    hadamard = r" \odot "

    def brackets(self, text: str) -> str:
        return rf"\Bigl({text}\Bigr)" if r"\sum" in text else f"({text})"

    def name(self, n: Name) -> str:
        inside = ",".join(part for part in (n.gate, n.time, *n.index) if part)
        return f"{n.letter}_{{{inside}}}" if inside else n.letter

    def whole(self, n: Name, matrix: bool) -> str:
        return self.name(Name(rf"\mathbf{{{n.letter[0]}}}{n.letter[1:]}", n.gate, n.time))

    def row_times_matrix(self, row: str, matrix: str) -> str:
        return rf"{row}\,{matrix}"

    def total(self, index: str, upto: str, body: str) -> str:
        return rf"\sum_{{{index}=1}}^{{{upto}}} {body}"

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """The bar of the fraction serves as brackets."""
        return self.ratio(*(self.scalar(side[0]) if len(side) == 1 else self.product(side) for side in (above, below)))

    def power_of_e(self, exponent: str) -> str:
        return f"e^{{{exponent}}}" if len(exponent) < LONG else rf"\exp({exponent})"

    def ratio(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def function(self, name: str, *args: str) -> str:
        known = {"sigma": r"\sigma", "tanh": r"\tanh", "ln": r"\ln", "max": r"\max", "min": r"\min"}
        head = known.get(name) or rf"\operatorname{{{latex_text(name)}}}"
        return head + self.brackets(r",\ ".join(args))

    def root(self, radicand: str) -> str:
        return rf"\sqrt{{{radicand}}}"

    def absolute(self, text: str) -> str:
        return rf"\lvert {text}\rvert"

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        return rf"\begin{{cases}} {then} & \text{{if }} {condition}\\ {otherwise} & \text{{otherwise}}\end{{cases}}"

    def share(self, one: str, *every: str) -> str:
        """A fraction whose line may be broken where it would be long."""
        total = " + ".join(every)
        return self.ratio(one, total) if len(every) < 4 and len(total) < 4 * LONG else rf"{one} / ({total})"


class LatexMatrix(Latex, MatrixForm):
    """z_t = sigma(x_t W_z + ...)."""


class LatexUnit(Latex, UnitForm):
    """z_{t,i} = sigma(sum_j W_{z,j,i} x_{t,j} + ...)."""


class LatexScalar(Latex, ScalarForm):
    """z_{3,1} = sigma(W_{z,1,1} x_{3,1} + ...)."""


class LatexNumbers(Latex, NumberForm):
    r"""0.28 \cdot (-0.031) + ..."""

    times = r" \cdot "

    def plain(self, number: str) -> str:
        return latex_number(number)

    def operand(self, number: str) -> str:
        text = self.plain(number)
        return self.brackets(text) if number[0] in "+-" or text != number else text


# Widths in points at 10 pt of Latin Modern: enough to know where a line must be broken
_WIDE = {
    "+": 12.3, "-": 12.3, "=": 13.4, "(": 3.9, ")": 3.9, ",": 4.5, ".": 2.8, " ": 0.0, "/": 5.0,
    NOW: 5.0, BEFORE: 16.0,
}
_COMMANDS = {
    r"\,": 1.7, r"\ ": 3.4, r"\cdot": 7.3, r"\odot": 12.3, r"\sum": 17.0, r"\tanh": 21.0, r"\sigma": 5.8, r"\ln": 9.0,
    r"\exp": 19.0, r"\max": 19.0, r"\min": 17.0, r"\Bigl": 2.0, r"\Bigr": 2.0, r"\lvert": 2.8, r"\rvert": 2.8,
    r"\dagger": 4.5,
}
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)


_SCRIPT = re.compile(r"[_^]\{([^{}]*)\}")
_ONE = {c: _WIDE.get(c, 5.0 if c.isdigit() else 6.2) for c in map(chr, range(127))} | {"⋅": _COMMANDS[r"\cdot"]}


def width(latex: str) -> float:
    """About how many points a formula is wide."""
    parts = _SCRIPT.split(latex.replace(r"\cdot", "⋅").replace(r"\,", ""))
    if not any("\\" in part or "{" in part for part in parts):  # sums of products, which are nearly all there is
        spaces = latex.count(r"\,") * _COMMANDS[r"\,"]
        return spaces + sum((0.72 if k % 2 else 1) * sum(map(_ONE.__getitem__, part)) for k, part in enumerate(parts))
    return _Measure(_TOKEN.findall(latex)).row()


class _Measure:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    def row(self) -> float:
        """Up to the end or the closing brace."""
        total = 0.0
        while self.at < len(self.tokens) and self.tokens[self.at] != "}":
            total += self.one()
        return total

    def one(self) -> float:
        token = self.tokens[self.at]
        self.at += 1
        if token in "^_":
            return 0.72 * self.one() + 0.5
        if token == "{":
            inner = self.row()
            self.at += 1
            return inner
        if token == r"\frac":
            return max(self.one(), self.one()) + 2.4
        if token in (r"\mathbf", r"\operatorname", r"\sqrt", r"\text"):
            return 1.1 * self.one() + (9 if token == r"\sqrt" else 0)
        if token.startswith("\\"):
            return _COMMANDS.get(token, 6.0 * len(token))
        return _WIDE.get(token, 5.0 if token.isdigit() else 6.2)
