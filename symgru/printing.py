"""The printer every target language builds on: it keeps the order of an expression and refuses what it does not know.

SymPy's own printers sort sums, drop the brackets of a + (b + c), and print an unknown function without a word. Here
the text evaluates in exactly the order of the tree, which is what makes float32 results the same everywhere.
"""

from __future__ import annotations

from typing import Any, cast

from sympy import Expr, Rational, S
from sympy.printing.printer import Printer

from symgru.algebra import is_inverse, is_square
from symgru.errors import Unsupported

ADD, MUL, UNARY, ATOM = 1, 2, 3, 4


def nearest(value: Any) -> float:
    """A number of any kind and size as a double; infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def is_below_zero(e: Expr) -> bool:
    """Whether `e` is a negative number. SymPy's own answer takes a tenth of a millisecond for each new one."""
    return bool(e.p < 0) if isinstance(e, Rational) else e is S.NegativeInfinity


def strength(e: Expr) -> int:
    """How tightly the head of `e` binds when it is written out."""
    if e.is_Add:
        return ADD
    if is_below_zero(e):
        return UNARY if e.is_Integer else MUL
    if e.is_Mul or is_inverse(e) or is_square(e) or isinstance(e, Rational) and not e.is_Integer:
        return MUL
    return ATOM


def negated(e: Expr) -> Expr | None:
    """-e where `e` is written with a leading minus sign, else None."""
    if is_below_zero(e) and e.is_Rational:
        return cast(Expr, -e)
    if e.is_Mul and e.args[0] is S.NegativeOne:
        rest = e.args[1:]
        return cast(Expr, rest[0] if len(rest) == 1 else e.func(*rest, evaluate=False))
    if e.is_Mul and e.args[0].is_Rational and is_below_zero(e.args[0]):
        return cast(Expr, e.func(-e.args[0], *e.args[1:], evaluate=False))
    return None


def fraction(e: Expr) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line of a product, each in order."""
    above: list[Expr] = []
    below: list[Expr] = []
    for a in e.args if e.is_Mul else (e,):
        if is_inverse(a):
            below.append(cast(Expr, a.args[0]))
        else:
            above.append(cast(Expr, a))
    return above, below


class OrderedPrinter(Printer):
    """Subclasses say how numbers, symbols and functions are spelled; sums and products are written here."""

    printmethod = "_symgru"
    times = "*"
    language = "this language"

    def emptyPrinter(self, expr: object) -> str:
        raise Unsupported(f"{self.language} has no spelling for {type(expr).__name__}: {str(expr)[:60]}")

    def brackets(self, text: str) -> str:
        return f"({text})"

    def strength(self, e: Expr) -> int:
        """How tightly `e` binds in this language."""
        return strength(e)

    def tight(self, e: Expr, level: int) -> str:
        """`e`, in brackets where its head binds less tightly than `level`."""
        text = cast(str, self._print(e))
        return self.brackets(text) if self.strength(e) < level else text

    def _print_Add(self, e: Expr) -> str:
        text = ""
        for i, t in enumerate(cast("tuple[Expr, ...]", e.args)):
            minus = negated(t)
            body = t if minus is None else minus
            # a + (b + c) keeps its brackets, and so does a - (b + c)
            part = self.tight(body, MUL) if i or minus is not None else self.tight(body, ADD)
            sign = "-" if minus is not None else "+"
            text += f" {sign} {part}" if i else part if minus is None else f"-{part}"
        return text

    def _print_Mul(self, e: Expr) -> str:
        minus = negated(e)
        if minus is not None:
            return f"-{self.tight(minus, MUL)}"
        above, below = fraction(e)
        return self.quotient(above, below) if below else self.product(above)

    def product(self, factors: list[Expr]) -> str:
        first, *others = factors or [S.One]
        return self.times.join([self.tight(first, MUL), *(self.tight(f, ATOM) for f in others)])

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        return "/".join([self.product(above), *(self.tight(b, ATOM) for b in below)])

    def _print_Pow(self, e: Expr) -> str:
        base, exponent = e.args
        if exponent == -1:
            return self.quotient([S.One], [cast(Expr, base)])
        if is_square(e):
            return self.product([cast(Expr, base)] * 2)
        return self.emptyPrinter(e)

    def call(self, name: str, args: tuple[Expr, ...]) -> str:
        """A function call as most languages write it."""
        return f"{name}({', '.join(cast(str, self._print(a)) for a in args)})"
