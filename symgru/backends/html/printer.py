"""Equations as HTML whose text, without the tags, is what the text backend prints.

What only a plain text needs (the _ before an index, the ^ before an exponent, the brackets around either) stands in
<i> elements, which the page's style sheet makes invisible: an index is set low, an exponent high. So a line that is
copied from the page, read aloud, or parsed without a browser reads e^-(-0.9), and a calculator takes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape, unescape

from sympy import Expr

from symgru.algebra import Ref
from symgru.backends.formula import BEFORE, NOW, MatrixForm, Name, NumberForm, ScalarForm, Template, UnitForm
from symgru.backends.text.printer import ATOM, Text, plain_text
from symgru.backends.worked import Dialect

_TAG = re.compile(r"<[^<>]*>")


def html_text(untrusted: str, limit: int = 80) -> str:
    """A name from a file as harmless text."""
    return escape(plain_text(untrusted, limit))


def text_of(html: str) -> str:
    """What an element reads as: its text without tags and entities."""
    return unescape(_TAG.sub("", html))


def mark(plain: str) -> str:
    """Characters that only the plain text needs."""
    return f"<i>{plain}</i>" if plain else ""


def reference(ref: Ref) -> str:
    """What a quantity is called in the page: "W_z[0,1]" for a weight, "h[0]@3" for a component at step 3, where the
    step is open until `at_time` fills it in. Indices are those of the canonical form, counted from 0."""
    time = "" if ref.dt is None else f"@{NOW if ref.dt == 0 else BEFORE}"
    return f"{ref.of.name}[{','.join(map(str, ref.idx))}]{time}"


def referring(ref: Ref, html: str) -> str:
    """A symbol or number as an element that says which quantity it is."""
    return f'<span data-ref="{reference(ref)}">{html}</span>'


class Html(Text):
    """The spelling; a form adds the symbols."""

    language = "HTML"
    times = "·<wbr>"  # a long product may go on in the next line

    def name(self, n: Name) -> str:
        return f"{'∇' * n.bar}<var>{n.letter}</var>{_low(n)}"

    def whole(self, n: Name, matrix: bool) -> str:
        return f"{'∇' * n.bar}<var><b>{n.letter}</b></var>{_low(Name('', n.gate, n.time))}"

    def power_of_e(self, exponent: str) -> str:
        return f"e{_high(exponent)}"

    def squared(self, base: str) -> str:
        return f"{base}{_high('2')}"

    def transposed(self, matrix: str) -> str:
        return f"{matrix}{_high('T')}"

    def ratio(self, above: str, below: str) -> str:
        return f"{above}/{below}" if _is_atom(below) else f"{above}/({below})"

    def function(self, name: str, *args: str) -> str:
        plain = name.rstrip("'")
        head = ("σ" if plain == "sigma" else html_text(plain)) + name[len(plain) :]
        return f"{head}({', '.join(args)})"

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        return f"{then} if {condition.replace(' < ', ' &lt; ').replace(' > ', ' &gt; ')}, otherwise {otherwise}"


def _is_atom(html: str) -> bool:
    return bool(ATOM.fullmatch(text_of(html)))


def _high(exponent: str) -> str:
    opened, closed = ("^", "") if _is_atom(exponent) else ("^(", ")")
    return f"{mark(opened)}<sup>{exponent}</sup>{mark(closed)}"


def _low(n: Name) -> str:
    """Gate, time and indices of a name, set low; the time may stand in brackets, and indices always do."""
    parts = list(_indices(n))
    if not parts:
        return ""
    (first, text, due), *others = parts
    inside = text
    for opened, text, closed in others:
        inside += mark(due + opened) + text
        due = closed
    return f"{mark(first)}<sub>{inside}</sub>{mark(due)}"


def _indices(n: Name) -> Iterator[tuple[str, str, str]]:
    """(what the plain text has before it, an index, what it has after it)."""
    if n.gate:
        yield "_", n.gate, ""
    if n.time:
        bracketed = n.time.startswith("(")
        yield ("_(", n.time[1:-1], ")") if bracketed else ("_", n.time, "")
    if n.index:
        yield "[", ",".join(n.index), "]"


class HtmlMatrix(Html, MatrixForm):
    """z_t = σ(x_t @ W_z + ...)."""


class HtmlUnit(Html, UnitForm):
    """z_t[i] = σ(Σ(j=1..D) W_z[j,i]·x_t[j] + ...)."""


class HtmlScalar(Html, ScalarForm):
    """z_3[1] = σ(W_z[1,1]·x_3[1] + ...)."""

    def _print_Ref(self, e: Ref) -> str:
        return referring(e, super()._print_Ref(e))


class HtmlTemplate(Template):
    """A formula whose numbers say where they come from."""

    def _number(self, slot: str, texts: Mapping[Ref, str]) -> str:
        ref = self.slots[int(slot.lstrip("="))]
        number, bracketed = referring(ref, texts[ref]), slot[0] != "=" and texts[ref][0] in "+-"
        return self.form.brackets(number) if bracketed else number


class HtmlNumbers(Html, NumberForm):
    """0.28·(-0.031) + ...; each number says which quantity it is."""

    def template(self, e: Expr) -> Template:
        made = super().template(e)
        return HtmlTemplate(made.pieces, made.slots, made.form)


HTML = Dialect(HtmlMatrix, HtmlUnit, HtmlScalar, HtmlNumbers, Html, "(t-1)", "")
