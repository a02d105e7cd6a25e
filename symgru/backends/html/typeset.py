"""Formulas as pictures: LaTeX set by ziamath as SVG, each glyph drawn once for the whole page.

A formula's LaTeX is its accessible text. A long one is several pictures, cut before the signs of its sums, so that it
goes on in the next line where a screen is narrow. The colour is the text's, so that a dark page needs no second set.
"""

from __future__ import annotations

import re
import warnings
from html import escape
from importlib import import_module
from typing import Any

from symgru.backends.latex.printer import width
from symgru.backends.wrapping import SUMS, split
from symgru.errors import Unsupported

NARROW = 180.0  # points at 10 pt that fit beside a left-hand side on a phone
SIZE = 24  # ziamath's own, in pixels; the page scales with its text
_SYMBOL = re.compile(r'<symbol id="([^"]+)"([^>]*)(?:/>|(?<!/)>(.*?)</symbol>)')  # a blank has nothing in it
_ID = re.compile(r"STIXTwoMath\w*?_")
_HEAD = re.compile(r'<svg [^>]*viewBox="([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)">')
_SPELLED = {r"\Bigl": "", r"\Bigr": "", r"\lvert": "|", r"\rvert": "|"}  # what ziamath sets wrongly


class Typesetter:
    """Sets the formulas of one page; equal ones are set once."""

    def __init__(self) -> None:
        self._glyphs: dict[str, str] = {}
        self._set: dict[str, str] = {}

    def formula(self, latex: str) -> str:
        """One formula within a line, as an element that is read as its LaTeX."""
        pieces = "".join(map(self._piece, split(latex, 1, SUMS) if width(latex) > NARROW else [latex]))
        return f'<span class="formula" role="img" aria-label="{escape(_said(latex))}">{pieces}</span>'

    def glyphs(self) -> str:
        """What the formulas so far are made of; stands once in the page, anywhere."""
        if not self._glyphs:
            return ""
        symbols = "\n".join(self._glyphs.values())
        return f'<svg class="glyphs" width="0" height="0" aria-hidden="true">\n{symbols}\n</svg>\n'

    def _piece(self, latex: str) -> str:
        if latex not in self._set:
            self._set[latex] = self._made(latex)
        return self._set[latex]

    def _made(self, latex: str) -> str:
        for command, spelled in _SPELLED.items():
            latex = latex.replace(command, spelled)
        if latex.startswith((*SUMS, "= ")):
            latex = "{}" + latex  # a sign between two terms has room on both sides
        svg = _ziamath().Latex(latex, size=SIZE, color="currentColor").svg()
        for name, attributes, drawn in _SYMBOL.findall(svg):
            short = _ID.sub("g", name)
            self._glyphs.setdefault(short, f'<symbol id="{short}"{attributes}>{drawn.replace(" />", "/>")}</symbol>')
        return _scaled(_SYMBOL.sub("", svg))


def _scaled(svg: str) -> str:
    """In units of the text's size, with its baseline on the text's."""
    head = _HEAD.match(svg)
    assert head
    x, top, width, height = map(float, head.groups())
    style = f"width:{width / SIZE:.3f}em;height:{height / SIZE:.3f}em;vertical-align:{-(top + height) / SIZE:.3f}em"
    body = _ID.sub("g", svg[head.end() :]).replace(' fill="currentColor"', "").replace(" />", "/>")
    return f'<svg viewBox="{x:g} {top:g} {width:g} {height:g}" style="{style}" aria-hidden="true">{body}'


def _said(latex: str) -> str:
    """LaTeX without what only guides the eye."""
    return re.sub(r"\\(Bigl|Bigr|,|;)", " ", latex).replace("  ", " ").strip()


def _ziamath() -> Any:
    try:
        with warnings.catch_warnings():  # it finds its font in a way that Python calls old
            warnings.simplefilter("ignore", DeprecationWarning)
            return import_module("ziamath")
    except ImportError:
        raise Unsupported('the web page needs ziamath to set formulas: pip install "symgru[documents]"') from None
