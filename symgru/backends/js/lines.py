"""The worked lines of a cell as JavaScript that writes them: one component of each equation, in symbols and in numbers.

The texts are a dialect's own, so brackets, signs and functions are those of the document. The forms are given slots in
place of scalars, and JavaScript puts in the symbol or the number of a component at a step; a matrix product is one
slot, a sum of as many terms as there are inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import cast

from sympy import Expr, Function, Pow, Symbol, exp

from symgru.activations import LOG_SOFTMAX, SOFTMAX, expanded, where_positive
from symgru.algebra import Across, Dot, Mat, Vec, add, mul, rebuild, walk
from symgru.backends.dialect import Dialect
from symgru.backends.formula import Syntax
from symgru.backends.js.arithmetic import Arithmetic
from symgru.backends.js.text import in_template, quoted
from symgru.backends.notation import Notation
from symgru.cell import Cell
from symgru.rules import negated

TIME, UNIT, INPUT = "{t}", "{i}", "{k}"  # stand for the time and the indices in a name
_SLOT = re.compile("\x03(=?[0-9]+)\x04\x05?")
_NO_ATOM = "\x05"  # behind a slot that holds a sum
_LN = Function("ln")


@dataclass
class Slots:
    """One component of vector expressions, and JavaScript for its text. `writer` is the variable that fills slots."""

    cell: Cell
    writer: str = "w"
    index: str = "i"
    fillings: list[Callable[[bool], str]] = field(default_factory=list)

    def template(self, e: Expr, form: Syntax, after: str = "") -> str:
        """The text of component i as a JavaScript template, with `after` behind it."""
        return self._template(form.scalar(self.component(e, form)) + after)

    def component(self, e: Expr, form: Syntax) -> Expr:
        """Component i in slots. Only a summand can be a product with a matrix: others have a line of their own."""
        if isinstance(e, Vec):
            return self._scalar(e, self.index)
        if isinstance(e, Dot):
            return self._product(e, form)
        if isinstance(e, Across):
            return self._across(e, form)
        if not e.args:
            return e
        return cast(Expr, e.func(*(self.component(cast(Expr, a), form) for a in e.args), evaluate=False))

    def _slot(self, filling: Callable[[bool], str], mark: str = "") -> Symbol:
        """`filling` is told whether the slot stands alone, where a negative number needs no brackets."""
        self.fillings.append(filling)
        return Symbol(f"\x03{len(self.fillings) - 1}\x04{mark}")

    def _scalar(self, symbol: Symbol, *index: str) -> Symbol:
        place = ", ".join([quoted(symbol.name), *index])
        return self._slot(lambda alone: f"{self.writer}.{'alone' if alone else 'beside'}({place})")

    def _sum(self, length: str, term: Callable[[], Expr], form: Syntax) -> Symbol:
        """The sum of a term over the index k, as long as an axis of that letter."""
        outer, self.index = self.index, "k"
        body = self._template(form.scalar(term()))
        self.index = outer
        return self._slot(lambda alone: f"{self.writer}.sum({quoted(length)}, (k) => {body})", _NO_ATOM)

    def _product(self, e: Dot, form: Syntax) -> Expr:
        matrix, operand = cast("tuple[Mat, Expr]", e.args)
        row = self.index

        def term() -> Expr:
            return mul(self._scalar(matrix, row, self.index), self.component(operand, form))

        return self._sum(self.cell.dims[matrix][1], term, form)

    def _across(self, e: Across, form: Syntax) -> Expr:
        name, operand = cast("tuple[Symbol, Vec]", e.args)
        units = self.cell.dims[self.cell.output][0]
        one = self.component(operand, form)
        if name not in (SOFTMAX, LOG_SOFTMAX):
            some = self._slot(lambda alone: f"{self.writer}.some({quoted(units)}, {quoted(operand.name)})")
            return cast(Expr, Function(name.name)(one, some))
        every = self._sum(units, lambda: cast(Expr, exp(self.component(operand, form), evaluate=False)), form)
        if name == LOG_SOFTMAX:
            return add(one, negated(cast(Expr, _LN(every))))
        return mul(cast(Expr, exp(one, evaluate=False)), cast(Expr, Pow(every, -1, evaluate=False)))

    def _template(self, text: str) -> str:
        """A form's text between backquotes. A number that fills brackets or stands alone needs none itself."""
        text = re.sub("(?<=[(])\x03([0-9]+)\x04(?=[)])", "\x03=\\1\x04", text)
        if _SLOT.fullmatch(text):
            text = text.replace("\x03", "\x03=")
        pieces = enumerate(_SLOT.split(text))
        return "`" + "".join(self._filled(piece) if k % 2 else in_template(piece) for k, piece in pieces) + "`"

    def _filled(self, slot: str) -> str:
        return f"${{{self.fillings[int(slot.lstrip('='))](slot[0] == '=')}}}"


@dataclass(frozen=True)
class CellWriter:
    """Prints a cell's lines in a dialect, as JavaScript."""

    cell: Cell
    dialect: Dialect

    def names(self) -> dict[str, dict[str, str]]:
        """How each symbol is spelled, by which of its axes are longer than 1 ("01": the second) and whether there is
        time ("t"): the marks TIME, UNIT and INPUT stand for numbers."""
        return {s.name: dict(self._spellings(s)) for s in self.cell.dims}

    def _spellings(self, s: Symbol) -> Iterator[tuple[str, str]]:
        letters, form = self.cell.dims[s], self.dialect.syntax()
        for timed in (False,) if s in self.cell.params else (True, False):
            for lengths in product((1, 2), repeat=len(set(letters))):
                sizes = dict(zip(dict.fromkeys(letters), lengths, strict=True))
                notation = Notation(self.cell, sizes, timed, TIME, TIME, columns=self.dialect.style.columns)
                name = notation.matrix(s, INPUT, UNIT) if isinstance(s, Mat) else notation.vector(s, UNIT)
                yield "".join(str(sizes[letter] - 1) for letter in letters) + "t" * timed, form.name(name)

    def written(self, rhs: Expr) -> Iterator[tuple[str, str, str]]:
        """What writes one equation, for each set of its biases that may be 0 and left out: their names, the symbols,
        and the numbers where they are not written like the symbols ("" else)."""
        biases = biases_of(self.cell, rhs)
        for zero in (some for count in range(len(biases) + 1) for some in combinations(biases, count)):
            kept = self.cell.with_equations(((self.cell.output, rhs),)).without(set(zero)).equations[0][1]
            symbols = Slots(self.cell).template(kept, self.dialect.scalar())
            numbers = self._numbers(expanded(kept), {})
            parameters = "w, i, s, isPositive" if "isPositive" in numbers else "w, i"
            yield (
                " ".join(p.name for p in zero),
                f"(w, i) => {symbols}",
                f"({parameters}) => {numbers}" if numbers != symbols else "",
            )

    def _numbers(self, e: Expr, known: Mapping[Expr, bool]) -> str:
        """A template; of a function by cases [template, since, ...] of the case that applies, with what chose it."""
        asked = list(dict.fromkeys(_asked(e, known)))
        condition = next((c for c in asked if c not in known), None)
        if condition is not None:
            question = Arithmetic().doprint(condition)
            then, otherwise = (self._numbers(e, {**known, condition: holds}) for holds in (True, False))
            return f"isPositive((m, v) => {question}) ? {then} : {otherwise}"
        numbers = Slots(self.cell).template(rebuild(_chosen(e, known)), self.dialect.numbers())
        since = [self._since(c, known[c]) for c in asked]
        return f"[{', '.join([numbers, *since])}]" if since else numbers

    def _since(self, condition: Expr, holds: bool) -> str:
        return Slots(self.cell, "s").template(condition, self.dialect.scalar(), f" {'&gt;' if holds else '≤'} 0")


def biases_of(cell: Cell, rhs: Expr) -> list[Symbol]:
    """The vectors among the parameters of an equation."""
    read = set(walk(rhs))
    return [p for p in cell.params if isinstance(p, Vec) and p in read]


def _chosen(e: Expr, known: Mapping[Expr, bool]) -> Expr:
    """An expression with only the cases that apply."""
    if isinstance(e, where_positive):
        condition, then, otherwise = cast("tuple[Expr, Expr, Expr]", e.args)
        return _chosen(then if known[condition] else otherwise, known)
    if not e.args:
        return e
    return cast(Expr, e.func(*(_chosen(cast(Expr, a), known) for a in e.args), evaluate=False))


def _asked(e: Expr, known: Mapping[Expr, bool]) -> Iterator[Expr]:
    """The conditions that choose what is computed, from the outermost on, as far as the answers are known."""
    if isinstance(e, where_positive):
        condition, then, otherwise = cast("tuple[Expr, Expr, Expr]", e.args)
        yield condition
        if condition in known:
            yield from _asked(then if known[condition] else otherwise, known)
    else:
        for argument in cast("tuple[Expr, ...]", e.args):
            yield from _asked(argument, known)
