"""Equations as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sympy import Expr

from symgru.backends.formula import MatrixForm, NumberForm, ScalarForm, Syntax, UnitForm
from symgru.backends.notation import BEFORE, NOW, Name
from symgru.styles.symbols import NAMES, Sign
from symgru.working import BLANK

_OPEN = re.compile(r"\\[A-Za-z]+$")
_PRODUCTS = {"⊙": r"\odot", "∘": r"\circ", "*": r"\ast", "·": r"\cdot", "×": r"\times"}
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "{-}",  # no en dashes in file names
}


def latex_text(untrusted: str, limit: int = 80) -> str:
    """A name from a file as harmless text: escaped, without control characters, other alphabets as their numbers.

    A long word may be broken every few characters, so that no name runs off the page.
    """
    shown = untrusted if len(untrusted) <= limit else untrusted[: limit - 3] + "..."
    written, run = "", 0
    for c in shown:
        text = _character(c)
        length = 1 if len(text) < 20 else 8
        if run + length > UNBROKEN:
            written, run = written + BREAK, 0
        written, run = written + text, 0 if c == " " else run + length
    return written


_WORDS = {"σ": r"\sigma", "⊙": r"\odot ", "tanh": r"\tanh"}


def latex_formulas(sentence: str) -> str:
    """A sentence of symgru's own whose formulas stand in backquotes."""
    parts = sentence.split("`")
    for k in range(1, len(parts), 2):
        for word, command in _WORDS.items():
            parts[k] = parts[k].replace(word, command)
        parts[k] = f"${parts[k]}$"
    return "".join(parts).replace("σ", r"$\sigma$")


def _sign(s: Sign, bold: bool) -> str:
    """One letter; what no style names may be several: the first is bold."""
    name = NAMES.get(s.letter[0])
    first = f"\\{name}" if name else s.letter[0]
    if bold:
        first = rf"\boldsymbol{{{first}}}" if name else rf"\mathbf{{{first}}}"
    text = first + s.letter[1:]
    return (rf"\{s.accent}{{{text}}}" if s.accent else text) + "'" * s.primes


def _signs(group: Iterable[Sign]) -> str:
    """Letters beside each other; a command is ended before a letter follows it."""
    text = ""
    for sign in group:
        one = _sign(sign, bold=False)
        text += " " * bool(_OPEN.search(text) and one[0].isalpha()) + one
    return text


def _around(time: str, brackets: str) -> str:
    """A time that stands above its symbol."""
    if not time or not brackets:
        return ""
    left, right = {"()": "()", "<>": (r"\langle ", r"\rangle")}[brackets]
    return f"{left}{time}{right}"


LONG = 90  # characters of an exponent that would be too wide to stay on its line
WIDE = 300.0  # points of a denominator that is still written below a line
UNBROKEN = 12  # characters of a name without a place to break it
BREAK = r"\allowbreak{}"


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
    ellipsis = r"\cdots"

    def brackets(self, text: str) -> str:
        return rf"\Bigl({text}\Bigr)" if r"\sum" in text else f"({text})"

    def name(self, n: Name) -> str:
        return self._name(n, bold=False)

    def whole(self, n: Name, matrix: bool) -> str:
        return self._name(replace(n, index=()), bold=True)

    def _name(self, n: Name, bold: bool) -> str:
        plain = n.letter.rstrip("'")
        symbol = self.style.spelling(plain, n.gate, n.of)
        letter = _sign(symbol.sign, bold) + n.letter[len(plain) :]
        letter = rf"\bar{{{letter}}}" if n.bar else letter
        raised = self.style.time
        below = ",".join(part for part in (_signs(symbol.below), n.time * (not raised), *n.index) if part)
        above = ",".join(part for part in (_signs(symbol.above), _around(n.time, raised)) if part)
        return letter + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")

    @property
    def hadamard(self) -> str:
        return rf" {_PRODUCTS[self.style.product]} "

    @property
    def separator(self) -> str:
        return self.style.separator.replace(" ", r"\ ")

    def number(self, text: str) -> str:
        """A decimal comma stands in braces, so that TeX leaves no space after it; a blank is a line to write on."""
        if text == BLANK:
            return r"\underline{\hspace{7em}}"  # for -0.015101 by hand
        return latex_number(text if self.style.decimal == "." else text.replace(".", f"{{{self.style.decimal}}}"))

    def row_times_matrix(self, row: str, matrix: str) -> str:
        return rf"{row}\,{matrix}"

    def total(self, index: str, upto: str, body: str) -> str:
        return rf"\sum_{{{index}=1}}^{{{upto}}} {body}"

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """The bar of the fraction serves as brackets."""
        return self.ratio(*(self.scalar(side[0]) if len(side) == 1 else self.product(side) for side in (above, below)))

    def power_of_e(self, exponent: str) -> str:
        return f"e^{{{exponent}}}" if len(exponent) < LONG else rf"\exp({exponent})"

    def power_of_ten(self, exponent: str) -> str:
        return self._raised("10", exponent)

    def squared(self, base: str) -> str:
        return self._raised(base, "2")

    def transposed(self, matrix: str) -> str:
        return self._raised(matrix, r"\top")

    def _raised(self, base: str, exponent: str) -> str:
        """What has something above it already is put in brackets first."""
        return f"{self.brackets(base) if base.endswith('}') and '^' in base else base}^{{{exponent}}}"

    def partial(self, of: str) -> str:
        return self.ratio(r"\partial L", rf"\partial {of}")

    def partial_in_a_sentence(self, of: str) -> str:
        return rf"\partial L/\partial {of}"

    def derivative(self, above: str, below: str) -> str:
        return self.ratio(rf"\partial {above}", rf"\partial {below}")

    def identity(self) -> str:
        return r"\mathbf{I}"

    def ones(self) -> str:
        return r"\mathbf{1}"

    def two_over_root_of_pi(self) -> str:
        return r"\frac{2}{\sqrt{\pi}}"

    def ratio(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def function(self, name: str, *args: str) -> str:
        known = {"sigma": r"\sigma", "tanh": r"\tanh", "ln": r"\ln", "max": r"\max", "min": r"\min"}
        plain = name.rstrip("'")
        head = (known.get(plain) or rf"\operatorname{{{latex_text(plain).replace(BREAK, '')}}}") + name[len(plain) :]
        return head + self.brackets(self.separator.join(args))

    def row(self, numbers: Sequence[str]) -> str:
        return f"({self.separator.join(numbers)})" + (r"^{\top}" if self.style.columns else "")

    def rows(self, numbers: Sequence[Sequence[str]]) -> str:
        body = r" \\ ".join(" & ".join(row) for row in numbers)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"

    def root(self, text: str) -> str:
        return rf"\sqrt{{{text}}}"

    def absolute(self, text: str) -> str:
        return rf"\lvert {text}\rvert"

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        condition = condition.replace("≤", r"\le")
        return rf"\begin{{cases}} {then} & \text{{if }} {condition}\\ {otherwise} & \text{{else}}\end{{cases}}"

    def share(self, one: str, *every: str) -> str:
        """A fraction whose line may be broken where it would be long."""
        total = " + ".join(every)
        return self.ratio(one, total) if len(every) < 4 and width(total) < WIDE else rf"{one} / ({total})"


class LatexMatrix(Latex, MatrixForm):
    """z_t = sigma(x_t W_z + ...)."""


class LatexUnit(Latex, UnitForm):
    """z_{t,i} = sigma(sum_j W_{z,j,i} x_{t,j} + ...)."""


class LatexScalar(Latex, ScalarForm):
    """z_{3,1} = sigma(W_{z,1,1} x_{3,1} + ...)."""


class LatexNumbers(Latex, NumberForm):
    r"""0.28 \cdot (-0.031) + ..."""

    times = r" \cdot "

    def operand(self, number: str) -> str:
        text = self.plain(number)
        return self.brackets(text) if number[0] in "+-" or "e" in number else text


# Widths in points at 10 pt of Latin Modern: enough to know where a line must be broken
_ITALIC = """
    a5.3 b4.3 c4.4 d5.3 e4.7 f5.4 g4.9 h5.8 i3.5 j4.3 k5.3 l3.1 m8.8 n6.0 o4.9 p5.1 q4.6 r4.6 s4.7 t3.7 u5.8 v5.0
    w7.3 x5.8 y5.0 z4.8 A7.5 B7.8 C7.5 D8.4 E7.7 F7.2 G7.9 H8.7 I4.8 J6.1 K8.9 L6.9 M10.3 N8.6 O7.8 P7.2 Q8.0 R7.7
    S6.5 T6.6 U7.4 V7.0 W9.5 X8.7 Y7.0 Z7.2"""
_ONE = (
    dict.fromkeys(map(chr, range(127)), 5.1)
    | {pair[0]: float(pair[1:]) for pair in _ITALIC.split()}
    | {
        "+": 12.3,
        "-": 12.3,
        "=": 13.4,
        "<": 13.4,
        ">": 13.4,
        "(": 3.9,
        ")": 3.9,
        ",": 4.5,
        ".": 2.8,
        " ": 0.0,
        "'": 2.4,
        NOW: 5.0,
        BEFORE: 5.0,
        "⋅": 7.3,
    }
)
# in a sub- or superscript, where operators have no space around them
_SMALL = {c: 0.83 * w for c, w in _ONE.items()} | {
    "+": 6.2,
    "-": 6.2,
    "=": 6.2,
    ",": 2.3,
    ".": 2.3,
    "⋅": 2.3,
    **dict.fromkeys("0123456789", 4.0),
}
_AFTER = 0.5  # what TeX leaves after a script
_COMMANDS = {
    r"\,": 1.7,
    r"\ ": 3.4,
    r"\odot": 12.3,
    r"\circ": 9.5,
    r"\ast": 9.5,
    r"\times": 12.3,
    r"\langle": 3.9,
    r"\rangle": 3.9,
    r"\sum": 17.0,
    r"\tanh": 20.1,
    r"\sigma": 6.1,
    r"\ln": 8.5,
    r"\exp": 15.3,
    r"\max": 18.8,
    r"\min": 16.7,
    r"\Bigl": 2.2,
    r"\Bigr": 2.2,
    r"\lvert": 2.8,
    r"\rvert": 2.8,
    r"\dagger": 4.5,
    r"\_": 5.1,
    r"\le": 13.4,
    r"\delta": 4.9,
    r"\partial": 6.0,
    r"\pi": 6.1,
    r"\top": 7.8,
    r"\cdots": 15.0,
    r"\quad": 10.0,
    r"\;": 2.8,
}
_AROUND = {
    r"\mathbf": (1.3, 0.0),
    r"\boldsymbol": (1.2, 0.0),
    r"\bar": (1.0, 0.0),
    r"\hat": (1.0, 0.0),
    r"\tilde": (1.0, 0.0),
    r"\operatorname": (1.0, 1.7),
    r"\sqrt": (1.0, 9.0),
    r"\text": (1.0, 0.0),
    r"\phantom": (1.0, 0.0),
    r"\underline": (1.0, 0.0),
}
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_SCRIPT = re.compile(r"[_^]\{([^{}]*)\}")


def width(latex: str) -> float:
    """About how many points a formula is wide, rather too many than too few."""
    short = latex.replace(r"\cdot", "⋅").replace(r"\,", "")
    parts = _SCRIPT.split(short)
    if any("\\" in part or "{" in part for part in parts):
        return _Measure(_TOKEN.findall(latex.replace(r"\cdot", "⋅"))).row(_ONE)
    # sums of products, which are nearly all there is
    return (
        latex.count(r"\,") * _COMMANDS[r"\,"]
        + len(parts) // 2 * _AFTER
        + sum(sum(map((_SMALL if k % 2 else _ONE).__getitem__, part)) for k, part in enumerate(parts))
    )


class _Measure:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    def row(self, size: Mapping[str, float]) -> float:
        """Up to the end or the closing brace."""
        total = 0.0
        while self.at < len(self.tokens) and self.tokens[self.at] != "}":
            total += self.one(size)
        return total

    def one(self, size: Mapping[str, float]) -> float:
        token = self.tokens[self.at]
        self.at += 1
        if token in "^_":
            return self.one(_SMALL) + _AFTER
        if token == "{":
            inner = self.row(size)
            self.at += 1
            return inner
        if token == r"\frac":
            return max(self.one(size), self.one(size)) + 2.4
        if token == r"\begin":
            return self.cases(size)
        if token in _AROUND:
            factor, more = _AROUND[token]
            return factor * self.one(size) + more
        if token.startswith("\\"):
            return _COMMANDS.get(token, 6.0 * len(token))
        return size.get(token, 6.2)

    def cases(self, size: Mapping[str, float]) -> float:
        r"""The rows from after \begin to the name after \end."""
        self.one(size)
        rows = [0.0]
        while (token := self.tokens[self.at]) != r"\end":
            if token in ("&", r"\\"):
                self.at += 1
                rows = [*rows, 0.0] if token == r"\\" else [*rows[:-1], rows[-1] + 10.0]
            else:
                rows[-1] += self.one(size)
        self.at += 1
        self.one(size)
        return max(rows) + 18.0
