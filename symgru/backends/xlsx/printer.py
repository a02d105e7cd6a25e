"""Equations as spreadsheet formulas, one unit at a time, in functions that Excel and LibreOffice share.

The exponent of e is kept below what a double holds, and e^a - 1 and ln(1 + a) are written so that they lose no digits
near 0, which is what their nodes promise. A power is a product: to a spreadsheet -a^2 is (-a)^2.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from sympy import Abs, Expr, Symbol, oo

from symgru.activations import LOG_SOFTMAX, LOGISTIC, SOFTMAX, expanded, substitute
from symgru.algebra import Across, Dot, Mat, Mean, Ref, Select, Total, Vec, add, mul, rebuild, sigma
from symgru.errors import Unsupported
from symgru.printing import MUL, OrderedPrinter, negated

WRITTEN_OUT = 4  # terms up to which a product with a matrix is written out
LARGEST = 700  # an exponent of e that a double holds
LONGEST = 8192  # characters of a formula in Excel
FUNCTIONS = {"tanh": "TANH", "erf": "ERF", "sqrt": "SQRT", "Abs": "ABS"}


class Cells(Protocol):
    """Where the numbers stand that an equation reads."""

    def one(self, s: Symbol, *index: int) -> str:
        """One component of a vector; of a matrix the element that leads from input index[1] to unit index[0]."""

    def every(self, s: Symbol) -> str:
        """All components of a vector, as a range that runs down."""

    def into(self, m: Symbol, unit: int) -> str:
        """All elements of a matrix that lead to a unit, as a range that runs down."""

    def size(self, s: Symbol) -> int:
        """How many components a vector has."""


class SheetPrinter(OrderedPrinter):
    """Prints one unit of an equation; where `unit` is None a vector is the range of all its components."""

    language = "a spreadsheet"

    def __init__(self, cells: Cells) -> None:
        super().__init__()
        self.cells = cells
        self.unit: int | None = None

    def formula(self, e: Expr, unit: int) -> str:
        """The right side of an equation for one unit, without the equals sign."""
        self.unit = unit
        return self.text(rebuild(expanded(e), self._written_out)).replace(" ", "")

    def text(self, e: object) -> str:
        return cast(str, self._print(e))

    def _written_out(self, e: Expr) -> Expr:
        """A product with a matrix of few columns as a sum."""
        if not isinstance(e, Dot):
            return e
        matrix, operand = cast("tuple[Mat, Vec]", e.args)
        columns = self.cells.size(operand)
        if columns > WRITTEN_OUT:
            return e
        return add(*(mul(Ref(matrix, (cast(int, self.unit), j)), Ref(operand, (j,))) for j in range(columns)))

    def _print_Ref(self, e: Ref) -> str:
        return self.cells.one(e.of, *e.idx)

    def _print_Vec(self, e: Vec) -> str:
        return self.cells.every(e) if self.unit is None else self.cells.one(e, self.unit)

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Mat, Vec]", e.args)
        return f"SUMPRODUCT({self.cells.into(matrix, cast(int, self.unit))},{self.cells.every(operand)})"

    def _over_units(self, e: Expr) -> str:
        own, self.unit = self.unit, None
        text = self.text(e)
        self.unit = own
        return text

    def _print_Total(self, e: Total) -> str:
        return f"SUMPRODUCT({self._over_units(cast(Expr, e.args[0]))})"

    def _print_Mean(self, e: Mean) -> str:
        argument = cast(Expr, e.args[0])
        count = next(self.cells.size(s) for s in argument.free_symbols if isinstance(s, Vec))
        return f"(SUMPRODUCT({self._over_units(argument)})/{count})"

    def strength(self, e: Expr) -> int:
        return MUL if isinstance(e, sigma) or type(e).__name__ == "expm1" else super().strength(e)

    def _print_Integer(self, e: Expr) -> str:
        return str(e)

    def _print_Rational(self, e: Any) -> str:
        return repr(float(e)).upper()

    def _print_sigma(self, e: Expr) -> str:
        return self.text(substitute(LOGISTIC, cast(Expr, e.args[0])))

    def _print_exp(self, e: Expr) -> str:
        exponent = cast(Expr, e.args[0])
        text = self.text(exponent)
        return f"EXP({text})" if isinstance(negated(exponent), Abs) else f"EXP(MIN({text},{LARGEST}))"

    def _print_expm1(self, e: Expr) -> str:
        a = cast(Expr, e.args[0])
        return f"TANH({self.tight(a, MUL)}/2)*(EXP(MIN({self.text(a)},{LARGEST}))+1)"

    def _print_log1p(self, e: Expr) -> str:
        a = cast(Expr, e.args[0])
        return f"2*ATANH({self.tight(a, MUL)}/(2+{self.tight(a, MUL)}))"

    def _print_clip(self, e: Expr) -> str:
        a, low, high = cast("tuple[Expr, ...]", e.args)
        if self.unit is None:
            raise Unsupported("a spreadsheet has no largest of two ranges, element by element")
        inner = self.text(a) if high is oo else f"MIN({self.text(high)},{self.text(a)})"
        return f"MAX({self.text(low)},{inner})"

    def _print_where_positive(self, e: Expr) -> str:
        condition, then, otherwise = (self.text(a) for a in e.args)
        return f"IF({condition}>0,{then},{otherwise})"

    def _print_Select(self, e: Select) -> str:
        return f"IF({','.join(self.text(a) for a in e.args)})"

    def _print_Across(self, e: Across) -> str:
        """Relative to the largest component, so that no power overflows."""
        name, argument = cast("tuple[Symbol, Vec]", e.args)
        one, every = self.text(argument), self.cells.every(argument)
        if name not in (SOFTMAX, LOG_SOFTMAX):
            return _sparsemax(one, every, self.cells.size(argument))
        total = f"SUMPRODUCT(EXP({every}-MAX({every})))"
        if name == SOFTMAX:
            return f"(EXP({one}-MAX({every}))/{total})"
        return f"({one}-MAX({every})-LN({total}))"

    def _print_Function(self, e: Expr) -> str:
        name = type(e).__name__
        if name not in FUNCTIONS:
            return self.emptyPrinter(e)
        return self.call(FUNCTIONS[name], cast("tuple[Expr, ...]", e.args))


def _sparsemax(one: str, every: str, units: int) -> str:
    """max(0, a - t) as in `domains`: t is the sum of all partial sums of the falling numbers in the support, less 1,
    over their number."""
    supported = []
    for k in range(1, units + 1):
        partial = f"SUMPRODUCT(LARGE({every},{{{','.join(map(str, range(1, k + 1)))}}}))"
        supported.append((f"(1+{k}*LARGE({every},{k})>{partial})", partial))
    total = "+".join(f"{holds}*{partial}" for holds, partial in supported)
    count = "+".join(holds for holds, _ in supported)
    return f"MAX(0,{one}-({total}-1)/({count}))"


def checked(formula: str) -> str:
    """A formula that Excel takes. Raises Unsupported."""
    if len(formula) > LONGEST:
        raise Unsupported(f"a formula of {len(formula)} characters is longer than a spreadsheet takes ({LONGEST})")
    return formula
