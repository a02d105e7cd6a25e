"""What the printers of all documents share: the forms an equation is shown in, and where a long one is broken.

A form says which symbols there are: vectors and matrices (`MatrixForm`), components under a general index
(`UnitForm`), the scalars of an unrolled program (`ScalarForm`), numbers (`NumberForm`). A syntax (LaTeX, plain text)
says how they are spelled. A document's printer is one of each. A style says which letters stand for the quantities,
where the time stands, and what numbers and products look like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, cast

from sympy import Expr, S, Symbol, oo

from symgru.activations import LOG_SOFTMAX, LOGISTIC, SOFTMAX, substitute
from symgru.algebra import (
    Across,
    Dot,
    Mat,
    Mean,
    Outer,
    Prime,
    Ref,
    Select,
    Total,
    Transposed,
    Vec,
    is_square,
    mul,
    sigma,
    square,
)
from symgru.backends.notation import Name, Notation, row_index
from symgru.printing import ADD, ATOM, MUL, OrderedPrinter
from symgru.styles import DEFAULT, Style

_SLOT = re.compile("\x03(=?[0-9]+)\x04")  # with = where brackets stand around it already
_EXACT = Context(prec=120)


class Syntax(OrderedPrinter):
    """What a document's language must spell; elementary functions are written so that a calculator has them."""

    ellipsis = "..."  # between the factors of a product

    def __init__(self, notation: Notation | None = None, style: Style = DEFAULT) -> None:
        super().__init__()
        self.style = style
        if notation and style.columns != notation.columns:
            notation = replace(notation, columns=style.columns)
        self.notation = cast(Notation, notation)

    @property
    def hadamard(self) -> str:
        """The style's sign of the element-wise product."""
        return f" {self.style.product} "

    @property
    def separator(self) -> str:
        """Between the numbers of a list."""
        return self.style.separator

    def number(self, text: str) -> str:
        """A number's text, with the style's decimal sign."""
        return text.replace(".", self.style.decimal)

    def name(self, n: Name) -> str:
        """A component or a parameter."""
        raise NotImplementedError

    def length(self, letter: str) -> str:
        """The letter of a length: D features, H units."""
        return self.name(Name(letter))

    def whole(self, n: Name, matrix: bool) -> str:
        """A whole vector or matrix."""
        raise NotImplementedError

    def row_times_matrix(self, row: str, matrix: str) -> str:
        """A matrix product; where vectors are columns a matrix times a column."""
        raise NotImplementedError

    def total(self, index: str, upto: str, body: str) -> str:
        """The sum of `body` over an index from 1."""
        raise NotImplementedError

    def power_of_e(self, exponent: str) -> str:
        raise NotImplementedError

    def power_of_ten(self, exponent: str) -> str:
        raise NotImplementedError

    def squared(self, base: str) -> str:
        raise NotImplementedError

    def transposed(self, matrix: str) -> str:
        raise NotImplementedError

    def partial(self, of: str) -> str:
        """dL/d of what a finished text names."""
        raise NotImplementedError

    def partial_in_a_sentence(self, of: str) -> str:
        """The same where a fraction would be too tall."""
        return self.partial(of)

    def derivative(self, above: str, below: str) -> str:
        """The derivative of one finished text by another."""
        raise NotImplementedError

    def identity(self) -> str:
        """The identity matrix."""
        raise NotImplementedError

    def ones(self) -> str:
        """The row of ones."""
        raise NotImplementedError

    def two_over_root_of_pi(self) -> str:
        raise NotImplementedError

    def ratio(self, above: str, below: str) -> str:
        """A fraction of two finished texts."""
        raise NotImplementedError

    def function(self, name: str, *args: str) -> str:
        raise NotImplementedError

    def root(self, text: str) -> str:
        """The square root of a finished text."""
        raise NotImplementedError

    def absolute(self, text: str) -> str:
        raise NotImplementedError

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        raise NotImplementedError

    def row(self, numbers: Sequence[str]) -> str:
        """A vector of finished numbers."""
        return f"[{self.separator.join(numbers)}]"

    def rows(self, numbers: Sequence[Sequence[str]]) -> str:
        """A matrix of finished numbers."""
        return self.row([self.row(row) for row in numbers])

    def scalar(self, e: object) -> str:
        return cast(str, self._print(e))

    def _print_Symbol(self, e: Symbol) -> str:
        return str(e.name)

    def _print_Integer(self, e: Expr) -> str:
        return str(e)

    def _print_Rational(self, e: Any) -> str:
        text = self.number(decimal_text(Fraction(int(e.p), int(e.q))))
        return text or self.ratio(str(e.p), str(e.q))

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        return self.ratio(self.product(above), self.scalar(below[0]) if len(below) == 1 else self.product(below))

    def _print_AppliedUndef(self, e: Expr) -> str:
        return self.function(type(e).__name__, *map(self.scalar, e.args))

    def _print_sigma(self, e: Expr) -> str:
        return self.function("sigma", self.scalar(e.args[0]))

    def _print_tanh(self, e: Expr) -> str:
        return self.function("tanh", self.scalar(e.args[0]))

    def _print_erf(self, e: Expr) -> str:
        return self.function("erf", self.scalar(e.args[0]))

    def _print_exp(self, e: Expr) -> str:
        return self.power_of_e(self.scalar(e.args[0]))

    def _print_expm1(self, e: Expr) -> str:
        return f"{self._print_exp(e)} - 1"

    def _print_log1p(self, e: Expr) -> str:
        return self.function("ln", f"1 + {self.tight(cast(Expr, e.args[0]), MUL)}")

    def _print_sqrt(self, e: Expr) -> str:
        return self.root(self.scalar(e.args[0]))

    def _print_Select(self, e: Select) -> str:
        return self.cases(*map(self.scalar, e.args))

    def _print_Abs(self, e: Expr) -> str:
        return self.absolute(self.scalar(e.args[0]))

    def _print_clip(self, e: Expr) -> str:
        argument, low, high = e.args
        inner = self.scalar(argument) if high is oo else self.function("min", self.scalar(high), self.scalar(argument))
        return self.function("max", self.scalar(low), inner)

    def _print_where_positive(self, e: Expr) -> str:
        condition, then, otherwise = map(self.scalar, e.args)
        return self.cases(f"{condition} > 0", then, otherwise)

    def _print_Across(self, e: Across) -> str:
        return self.function(cast(Symbol, e.args[0]).name, self.scalar(e.args[1]))

    def _print_Pow(self, e: Expr) -> str:
        return self.squared(self.tight(cast(Expr, e.args[0]), ATOM)) if is_square(e) else super()._print_Pow(e)

    def _print_Prime(self, e: Prime) -> str:
        return self.function(f"{e.args[0]}'", self.scalar(e.args[1]))

    def _print_between(self, e: Expr) -> str:
        a, low, high = map(self.scalar, e.args)
        return self.cases(f"{low} < {a} < {high}", "1", "0")

    def _print_within(self, e: Expr) -> str:
        a, low, high = map(self.scalar, e.args)
        return self.cases(f"{low} ≤ {a} ≤ {high}", "1", "0")

    def _print_gauss(self, e: Expr) -> str:
        exponent = mul(S.NegativeOne, square(cast(Expr, e.args[0])))
        return self.times.join([self.two_over_root_of_pi(), self.power_of_e(self.scalar(exponent))])

    def product(self, factors: list[Expr]) -> str:
        first, *others = factors or [S.One]
        # e^-a² with its factor in front of it is two factors more
        rest = (self.scalar(f) if type(f).__name__ == "gauss" else self.tight(f, ATOM) for f in others)
        return self.times.join([self.tight(first, MUL), *rest])

    def strength(self, e: Expr) -> int:
        if is_square(e):
            return ATOM
        if isinstance(e, Across) and e.args[0] == LOG_SOFTMAX and not isinstance(self, MatrixForm):
            return ADD
        return {"expm1": ADD, "gauss": MUL}.get(type(e).__name__) or super().strength(e)


class MatrixForm(Syntax):
    """z_t = sigma(x_t W_z + ...): vectors are rows, as the framework multiplies them, or columns where the style has
    these: z_t = sigma(W_z x_t + ...)."""

    def _print_Vec(self, e: Vec) -> str:
        return self.whole(self.notation.vector(e), matrix=False)

    def _print_Mat(self, e: Mat) -> str:
        return self.whole(self.notation.matrix(e), matrix=True)

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Mat, Expr]", e.args)
        return self.row_times_matrix(*self.notation.shown(self.tight(operand, ATOM), self.scalar(matrix)))

    def _print_Transposed(self, e: Transposed) -> str:
        return self.transposed(self.scalar(e.args[0]))

    def _print_Outer(self, e: Outer) -> str:
        delta, operand = map(self.scalar, e.args)
        if self.style.columns:
            return self.row_times_matrix(delta, self.transposed(operand))
        return self.row_times_matrix(self.transposed(operand), delta)

    def _print_Total(self, e: Total) -> str:
        return self.function("sum", self.scalar(e.args[0]))

    def _print_Mean(self, e: Mean) -> str:
        return self.function("mean", self.scalar(e.args[0]))

    def product(self, factors: list[Expr]) -> str:
        if len(factors) < 2:
            return super().product(factors)
        # a matrix product beside an element-wise one needs brackets to be read rightly
        return self.hadamard.join(
            self.brackets(self.scalar(f)) if isinstance(f, Dot) else self.tight(f, ATOM) for f in factors
        )


class UnitForm(Syntax):
    """One unit i of the equations, with the sums written out under a general index."""

    index = "i"

    def _print_Vec(self, e: Vec) -> str:
        return self.name(self.notation.vector(e, self.index))

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Mat | Transposed, Expr]", e.args)
        letter = self._summed(e)
        outer, self.index = self.index, row_index(letter)
        if self.index == outer:
            self.index = "l"
        if isinstance(matrix, Transposed):  # from unit to input: the rows are what is not summed over
            element = self.name(self.notation.matrix(cast(Mat, matrix.args[0]), outer, self.index))
        else:
            element = self.name(self.notation.matrix(matrix, self.index, outer))
        body = self.times.join([element, self.tight(operand, ATOM)])
        inner, self.index = self.index, outer
        return body if self.notation.sizes[letter] == 1 else self.total(inner, self.length(letter), body)

    def _summed(self, e: Dot) -> str:
        """The letter of the length that a product with a matrix sums over."""
        matrix = e.args[0]
        if isinstance(matrix, Transposed):
            return self.notation.dims[cast(Mat, matrix.args[0])][0]
        return self.notation.dims[cast(Mat, matrix)][1]

    def _print_Outer(self, e: Outer) -> str:
        """The element in row j (k for a unit) and column i."""
        delta, operand = cast("tuple[Vec, Vec]", e.args)
        outer, self.index = self.index, row_index(self.notation.dims[operand][0])
        row = self.scalar(operand)
        self.index = outer
        return self.times.join([row, self.scalar(delta)])

    def _print_Total(self, e: Total) -> str:
        outer, self.index = self.index, "k"
        body = self.tight(cast(Expr, e.args[0]), MUL)
        self.index = outer
        letter = self.notation.dims[self.notation.cell.output][0]
        return body if self.notation.sizes[letter] == 1 else self.total("k", self.length(letter), body)

    def _print_Mean(self, e: Mean) -> str:
        letter = self.notation.dims[self.notation.cell.output][0]
        total = self._print_Total(cast(Total, e))
        return total if self.notation.sizes[letter] == 1 else self.ratio(total, self.length(letter))

    def tight(self, e: Expr, level: int) -> str:
        # a sum over one term is a product like any other
        if isinstance(e, Dot) and level == ATOM and self.notation.sizes[self._summed(e)] == 1:
            return self.brackets(self.scalar(e))
        return super().tight(e, level)

    def _print_Across(self, e: Across) -> str:
        """One component of a function of all units: softmax(a)_i."""
        name, argument = cast("tuple[Symbol, Expr]", e.args)
        one = self.scalar(argument)
        outer, self.index = self.index, "k"
        other = self.scalar(argument)
        self.index = outer
        each = self.power_of_e(other)
        alone = self.notation.size(self.notation.cell.output) == 1
        letter = self.notation.dims[self.notation.cell.output][0]
        every = each if alone else self.total("k", self.length(letter), each)
        if name == SOFTMAX:
            return self.ratio(self.power_of_e(one), every)
        if name == LOG_SOFTMAX:
            return f"{self.tight(argument, ADD)} - {self.function('ln', every)}"
        return self.function(name.name, one, *([] if alone else [other]))


class ScalarForm(Syntax):
    """The scalars of an unrolled program."""

    def _print_Ref(self, e: Ref) -> str:
        return self.name(self.notation.scalar(e))

    def _print_Across(self, e: Across) -> str:
        name, one, *every = cast("tuple[Expr, ...]", e.args)
        powers = [self.power_of_e(self.scalar(a)) for a in (one, *every)]
        if name == SOFTMAX:
            return self.share(*powers)
        if name == LOG_SOFTMAX:
            return f"{self.tight(one, ADD)} - {self.function('ln', ' + '.join(powers[1:]))}"
        some = [*map(self.scalar, every)] if len(every) < 4 else [self.scalar(every[0]), "...", self.scalar(every[-1])]
        return self.function(cast(Symbol, name).name, self.scalar(one), *some)

    def share(self, one: str, *every: str) -> str:
        return self.ratio(one, " + ".join(every))


class NumberForm(ScalarForm):
    """Numbers in place of scalars, and only functions that a pocket calculator has.

    A Ref becomes a slot: one template serves every step, and is filled with the numbers as they are printed.
    """

    def plain(self, number: str) -> str:
        """A number that stands alone or between brackets."""
        return self.number(number)

    def operand(self, number: str) -> str:
        """A number beside an operator: in brackets where it has a sign."""
        return self.brackets(self.plain(number)) if number[0] in "+-" else self.plain(number)

    def __init__(self, style: Style = DEFAULT) -> None:
        super().__init__(style=style)
        self.slots: list[Ref] = []

    def _print_Ref(self, e: Ref) -> str:
        self.slots.append(e)
        return f"\x03{len(self.slots) - 1}\x04"

    def _print_sigma(self, e: Expr) -> str:
        return self.scalar(substitute(LOGISTIC, cast(Expr, e.args[0])))

    def strength(self, e: Expr) -> int:
        share = isinstance(e, Across) and e.args[0] == SOFTMAX
        return MUL if share or isinstance(e, sigma) else super().strength(e)

    def template(self, e: Expr) -> Template:
        self.slots = []
        text = self.scalar(e)
        text = re.sub("(?<=[(])\x03([0-9]+)\x04(?=[)])", "\x03=\\1\x04", text)
        if _SLOT.fullmatch(text):
            text = "\x03=0\x04"
        return Template(tuple(_SLOT.split(text)), tuple(self.slots), self)


@dataclass(frozen=True)
class Template:
    """A formula with slots for numbers: texts and slot numbers in turn."""

    pieces: tuple[str, ...]
    slots: tuple[Ref, ...]
    form: NumberForm

    def fill(self, texts: Mapping[Ref, str]) -> str:
        return "".join(self._number(piece, texts) if k % 2 else piece for k, piece in enumerate(self.pieces))

    def _number(self, slot: str, texts: Mapping[Ref, str]) -> str:
        text = texts[self.slots[int(slot.lstrip("="))]]
        return self.form.plain(text) if slot[0] == "=" else self.form.operand(text)


def decimal_text(q: Fraction) -> str:
    """The exact decimals of a fraction where they are no longer than the fraction itself, else ""."""
    places = next((k for k in range(60) if 10**k % q.denominator == 0), None)
    if places is None:
        return ""
    text = f"{Decimal(q.numerator * 10**places // q.denominator).scaleb(-places, _EXACT):f}"
    return text if len(text) <= len(str(q)) + 1 else ""
