"""A fragment that is \\input in an article as LaTeX comes, beside siunitx where there is one."""

from pathlib import Path

import pytest

from symgru.backends import latex
from symgru.explanation import explain
from tests.documents.conftest import network, sequence
from tests.documents.test_latex import compile_latex, overfull

ARTICLE = r"""\documentclass{article}
\usepackage{amsmath,booktabs,longtable,xcolor,tikz}
\IfFileExists{siunitx.sty}{\usepackage{siunitx}}{}
\begin{document}
Before.

\input{fragment}

In between: $a = b$.

\input{fragment}
\end{document}
"""


@pytest.mark.parametrize(("units", "features"), [(1, 1), (2, 2), (8, 3)])
def test_a_fragment_compiles_twice_in_an_article_and_fits_its_lines(units: int, features: int, tmp_path: Path) -> None:
    e = explain(network(3, [("gru", units, {})], features), sequence(3, 4, features))
    (tmp_path / "fragment.tex").write_text("".join(latex.render_explanation(e, fragment=True)), encoding="utf-8")
    assert overfull(compile_latex(ARTICLE, tmp_path)) == []
