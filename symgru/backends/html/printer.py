"""Equations as HTML whose text, without the tags, is what the text backend prints.

What only a plain text needs (the _ before an index, the ^ before an exponent, the brackets around either) stands in
<i> elements, which the page's style sheet makes invisible: an index is set low, an exponent high. So a line that is
copied from the page, read aloud, or parsed without a browser reads e^-(-0.9), and a calculator takes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape, unescape

from sympy import Expr

from symgru.algebra import Ref
from symgru.backends.dialect import Dialect
from symgru.backends.formula import MatrixForm, NumberForm, ScalarForm, Template, UnitForm
from symgru.backends.notation import BEFORE, NOW, Name
from symgru.backends.text.printer import ATOM, Text, plain_text
from symgru.styles.symbols import Sign

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
        return self._name(n, bold=False)

    def whole(self, n: Name, matrix: bool) -> str:
        return self._name(replace(n, index=()), bold=True)

    def _name(self, n: Name, bold: bool) -> str:
        """The letter; below it gate and time, above it what the style places there; its indices."""
        plain = n.letter.rstrip("'")
        symbol, raised = self.style.spelling(plain, n.gate, n.of), self.style.time
        below = [("_", _signs(symbol.below), "")] if symbol.below else []
        above = [("^", _signs(symbol.above), "")] if symbol.above else []
        index = [("[", ",".join(n.index), "]")] if n.index else []
        if n.time and raised:
            above.append(("^", escape(f"{raised[0]}{n.time.strip('()')}{raised[1]}"), ""))
        elif n.time:
            below.append(("_(", n.time[1:-1], ")") if n.time[0] == "(" else ("_", n.time, ""))
        low, high, last = (below, above, index) if above else ([*below, *index], [], [])
        letter = _sign(symbol.sign, bold) + n.letter[len(plain) :]
        return f"{'∇' * n.bar}{letter}{_set('sub', low)}{_set('sup', high)}{_set('sub', last)}"

    def power_of_e(self, exponent: str) -> str:
        return f"e{_high(exponent)}"

    def _raised(self, base: str, exponent: str) -> str:
        plain = text_of(base)
        alone = super()._raised(plain, exponent) == f"{plain}^{exponent}"
        return f"{base if alone else self.brackets(base)}{_high(exponent)}"

    def ratio(self, above: str, below: str) -> str:
        return f"{above}/{below}" if _is_atom(below) else f"{above}/({below})"

    def function(self, name: str, *args: str) -> str:
        plain = name.rstrip("'")
        head = ("σ" if plain == "sigma" else html_text(plain)) + name[len(plain) :]
        return f"{head}({self.separator.join(args)})"

    def cases(self, condition: str, then: str, otherwise: str) -> str:
        return f"{then} if {condition.replace(' < ', ' &lt; ').replace(' > ', ' &gt; ')}, otherwise {otherwise}"


def _is_atom(html: str) -> bool:
    return bool(ATOM.fullmatch(text_of(html)))


def _high(exponent: str) -> str:
    opened, closed = ("^", "") if _is_atom(exponent) else ("^(", ")")
    return f"{mark(opened)}<sup>{exponent}</sup>{mark(closed)}"


def _set(element: str, parts: Sequence[tuple[str, str, str]]) -> str:
    """Parts of a name that are set low or high: (what plain text has before it, the part, what it has after it)."""
    if not parts:
        return ""
    (first, inside, due), *others = parts
    for opened, text, closed in others:
        inside, due = inside + mark(due + opened) + text, closed
    return f"{mark(first)}<{element}>{inside}</{element}>{mark(due)}"


def _sign(s: Sign, bold: bool = False) -> str:
    """One letter; an accent is a class, which the style sheet draws."""
    letter = f"<b>{s.letter}</b>" if bold else s.letter
    accent = f' class="{s.accent}"' if s.accent else ""
    return f"<var{accent}>{letter}</var>{mark(f'_{s.accent}' * bool(s.accent))}{chr(39) * s.primes}"


def _signs(group: Iterable[Sign]) -> str:
    """What stands below or above a symbol; only a style's own letters have accents or primes there."""
    return "".join(s.letter if not s.accent and not s.primes else _sign(s) for s in group)


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
        number = referring(ref, self.form.number(texts[ref]))
        bracketed = slot[0] != "=" and texts[ref][0] in "+-"
        return self.form.brackets(number) if bracketed else number


class HtmlNumbers(Html, NumberForm):
    """0.28·(-0.031) + ...; each number says which quantity it is."""

    def template(self, e: Expr) -> Template:
        made = super().template(e)
        return HtmlTemplate(made.pieces, made.slots, made.form)


HTML = Dialect(HtmlMatrix, HtmlUnit, HtmlScalar, HtmlNumbers, Html, "(t-1)", "")
