"""The worked lines of a cell as JavaScript that writes them: one component of each equation, in symbols and in numbers.

The texts come from the forms of every other document, so brackets, signs and functions are theirs. Where a form meets a
vector it leaves a slot, and JavaScript puts in the symbol or the number of a component at a step; a matrix product
becomes a sum of as many terms as there are inputs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from typing import cast

from sympy import Expr, Symbol

from symgru.activations import LOG_SOFTMAX, SOFTMAX, expanded, where_positive
from symgru.algebra import Across, Dot, Mat, Vec, rebuild, walk
from symgru.backends.formula import Name, Notation, NumberForm, ScalarForm
from symgru.backends.js.arithmetic import Arithmetic
from symgru.backends.js.text import in_template, quoted
from symgru.backends.text.printer import Text
from symgru.cell import Cell

TIME, UNIT, INPUT = "{t}", "{i}", "{k}"  # stand for the time and the indices in a name
_TAGS = str.maketrans({"\ue000": "<", "\ue001": ">", "\x05": ""})
_NO_ATOM = "\x05"  # behind a slot that holds a sum
_SLOT = re.compile("\x03(=?[0-9]+)\x04")


def tag(element: str, text: str, kind: str = "") -> str:
    """An HTML element; its angle brackets are marked, so that they alone survive the escaping."""
    attribute = f' class="{kind}"' if kind else ""
    return f"\ue000{element}{attribute}\ue001{text}\ue000/{element}\ue001"


def escaped(text: str) -> str:
    """HTML from text with marked tags."""
    return html.escape(text, quote=False).translate(_TAGS)


class Html(Text):
    """Plain text in HTML: what is copied is the line of the .txt, what is seen has sub- and superscripts (`_` and `^`
    are in elements of class "mark", which a page hides)."""

    language = "HTML"

    def name(self, n: Name) -> str:
        mark = tag("span", "_", "mark")
        parts = [tag("sub", mark + part, kind) for part, kind in ((n.gate, "gate"), (n.time, "time")) if part]
        index = [tag("sub", f"[{','.join(n.index)}]", "index")] if n.index else []
        return tag("var", n.letter) + "".join(parts + index)

    def power_of_e(self, exponent: str) -> str:
        power = super().power_of_e(exponent).removeprefix("e^")
        return tag("var", "e") + tag("sup", tag("span", "^", "mark") + power)

    def squared(self, base: str) -> str:
        return base + tag("sup", tag("span", "^", "mark") + "2")


class Slots(ScalarForm):
    """A form of scalars that takes vectors: each component is a slot, with the JavaScript that fills it. `writer` is
    the variable that does."""

    def __init__(self, cell: Cell, writer: str = "w") -> None:
        super().__init__()
        self.cell, self.writer, self.index = cell, writer, "i"
        self.fillings: list[Callable[[bool], str]] = []

    def slot(self, filling: Callable[[bool], str]) -> str:
        """`filling` is told whether the slot stands alone, where a negative number needs no brackets."""
        self.fillings.append(filling)
        return f"\x03{len(self.fillings) - 1}\x04"

    def component(self, symbol: Symbol, *index: str) -> str:
        place = ", ".join([quoted(symbol.name), *index])
        return self.slot(lambda alone: f"{self.writer}.{'alone' if alone else 'beside'}({place})")

    def sum(self, length: str, term: Callable[[], str]) -> str:
        """The sum of a term over the index k, as long as an axis of that letter."""
        outer, self.index = self.index, "k"
        body = self.javascript(term())
        self.index = outer
        return self.slot(lambda alone: f"{self.writer}.sum({quoted(length)}, (k) => {body})") + _NO_ATOM

    def _print_Vec(self, e: Vec) -> str:
        return self.component(e, self.index)

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Mat, Expr]", e.args)
        row = self.index

        def term() -> str:
            return self.times.join([self.component(matrix, row, self.index), self.scalar(operand)])

        return self.sum(self.cell.dims[matrix][1], term)

    def _print_Across(self, e: Across) -> str:
        name, operand = cast("tuple[Symbol, Vec]", e.args)
        units = self.cell.dims[self.cell.output][0]
        one = self.scalar(operand)
        every = self.sum(units, lambda: self.power_of_e(self.scalar(operand)))
        if name == SOFTMAX:
            return self.ratio(self.power_of_e(one), every)
        if name == LOG_SOFTMAX:
            return f"{one} - {self.function('ln', every)}"
        some = self.slot(lambda alone: f"{self.writer}.some({quoted(units)}, {quoted(operand.name)})")
        return self.function(name.name, one, some)

    def javascript(self, text: str) -> str:
        """A form's text as a JavaScript template. A number that fills brackets or stands alone needs none itself."""
        text = re.sub("(?<=[(])\x03([0-9]+)\x04(?=[)])", "\x03=\\1\x04", text)
        if _SLOT.fullmatch(text):
            text = text.replace("\x03", "\x03=")
        pieces = enumerate(_SLOT.split(text))
        return "`" + "".join(self._filled(p) if k % 2 else in_template(escaped(p)) for k, p in pieces) + "`"

    def _filled(self, slot: str) -> str:
        return f"${{{self.fillings[int(slot.lstrip('='))](slot[0] == '=')}}}"


class Symbols(Html, Slots):
    """W_z·x_1 + ..."""


class Numbers(Html, Slots, NumberForm):
    """(-0.9)·1 + ..."""


def names(cell: Cell) -> dict[str, dict[str, str]]:
    """How each symbol is spelled, by which of its axes are longer than 1 ("01": the second) and whether there is time
    ("t"): the marks TIME, UNIT and INPUT stand for numbers."""
    return {s.name: dict(_spellings(cell, s)) for s in cell.dims}


def _spellings(cell: Cell, s: Symbol) -> Iterator[tuple[str, str]]:
    letters = cell.dims[s]
    for timed in (False,) if s in cell.params else (True, False):
        for lengths in product((1, 2), repeat=len(set(letters))):
            sizes = dict(zip(dict.fromkeys(letters), lengths, strict=True))
            notation = Notation(cell, sizes, timed, TIME, TIME)
            name = notation.matrix(s, INPUT, UNIT) if isinstance(s, Mat) else notation.vector(s, UNIT)
            key = "".join(str(sizes[letter] - 1) for letter in letters) + "t" * timed
            yield key, escaped(Html().name(name))


def written(cell: Cell, rhs: Expr) -> Iterator[tuple[str, str, str]]:
    """What writes one equation, for each set of its biases that may be 0 and left out: their names, symbols, numbers."""
    biases = biases_of(cell, rhs)
    for zero in (some for count in range(len(biases) + 1) for some in combinations(biases, count)):
        kept = cell.with_equations(((cell.output, rhs),)).without(set(zero)).equations[0][1]
        form = Symbols(cell)
        yield (
            " ".join(p.name for p in zero),
            f"(w, i) => {form.javascript(form.scalar(kept))}",
            f"(w, i, s, isPositive) => {_numbers(cell, expanded(kept), {})}",
        )


def biases_of(cell: Cell, rhs: Expr) -> list[Symbol]:
    """The vectors among the parameters of an equation."""
    read = set(walk(rhs))
    return [p for p in cell.params if isinstance(p, Vec) and p in read]


def _numbers(cell: Cell, e: Expr, known: Mapping[Expr, bool]) -> str:
    """[numbers, since]: of a function by cases only the case that applies, and the conditions that chose it."""
    asked = list(dict.fromkeys(_asked(e, known)))
    condition = next((c for c in asked if c not in known), None)
    if condition is not None:
        question = f"isPositive((m, v) => {Arithmetic().doprint(condition)})"
        return f"{question} ? {_numbers(cell, e, {**known, condition: True})} : " + _numbers(
            cell, e, {**known, condition: False}
        )
    form = Numbers(cell)
    numbers = form.javascript(form.scalar(rebuild(e, lambda node: _case(node, known))))
    return f"[{numbers}, {', '.join(_since(cell, c, known[c]) for c in asked)}]".replace(", ]", "]")


def _since(cell: Cell, condition: Expr, holds: bool) -> str:
    form = Symbols(cell, "s")
    return form.javascript(f"{form.scalar(condition)} {'>' if holds else '≤'} 0")


def _case(e: Expr, known: Mapping[Expr, bool]) -> Expr:
    if not isinstance(e, where_positive):
        return e
    condition, then, otherwise = cast("tuple[Expr, Expr, Expr]", e.args)
    return then if known[condition] else otherwise


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
