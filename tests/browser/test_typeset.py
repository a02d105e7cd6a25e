"""Formulas as pictures: every glyph is there, and the LaTeX is what is read."""

from __future__ import annotations

import re
import sys
from html import unescape

import pytest

from symgru.activations import KERAS, activation
from symgru.backends.html.typeset import Typesetter
from symgru.backends.latex.document import LATEX
from symgru.backends.worked import equations
from symgru.cells import CELLS
from symgru.errors import Unsupported
from tests.conftest import need_installed


def formulas():
    for cell in CELLS.values():
        for sizes in ({"H": 1, "D": 1}, {"H": 2, "D": 2}):
            notation = LATEX.notation(cell, sizes)
            for form in (LATEX.matrix(notation), LATEX.unit(notation)):
                yield from (f"{left} = {right}" for left, right in equations(cell, form))
    yield from (LATEX.syntax().scalar(activation(name).meaning) for name in KERAS)


def test_every_glyph_of_every_formula_is_drawn_once():
    need_installed("ziamath", "documents")
    typesetter = Typesetter()
    written = "".join(map(typesetter.formula, formulas()))
    drawn = re.findall(r'<symbol id="([^"]+)"', typesetter.glyphs())
    assert len(drawn) == len(set(drawn)) > 50
    assert set(re.findall(r'href="#([^"]+)"', written)) == set(drawn)
    assert "STIX" not in written and 'fill="black"' not in written


def test_what_is_read_is_the_latex():
    need_installed("ziamath", "documents")
    written = Typesetter().formula(r"\sigma(a) = \frac{1}{1 + e^{-a}}")
    (label,) = re.findall(r'aria-label="([^"]*)"', written)
    assert unescape(label) == r"\sigma(a) = \frac{1}{1 + e^{-a}}"
    assert 'role="img"' in written


def test_without_ziamath_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ziamath", None)
    with pytest.raises(Unsupported, match=re.escape('pip install "symgru[documents]"')):
        Typesetter().formula("a")
