"""1 to 64 units in each style, in the detail that the network's size asks for: the LaTeX compiles and nothing sticks
out, and the PDF's text has the numbers of the lines in their order."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from symgru import styles
from symgru.explanation import explain
from symgru.lesson.extent import Extent
from tests.conftest import need
from tests.documents.conftest import FULL, documents, network, sequence
from tests.documents.test_latex import compile_latex, overfull

UNITS = (1, 2, 3, 4, 8, 16, 32, 64)
EXTENT = Extent(code=False)
DECIMAL = re.compile(r"\d+\.\d+")


@pytest.mark.parametrize("style", styles.named())
@pytest.mark.parametrize("units", UNITS)
def test_nothing_sticks_out(units: int, style: str, tmp_path: Path, monkeypatch) -> None:
    if style != "keras" or units > 16:  # what people do wrong is said in words, which no style changes much
        monkeypatch.setattr("symgru.lesson.outline.caught", lambda e: ())
    features = 1 + units % 3
    e = explain(network(units, [("gru", units, {})], features), sequence(units, 2, features), style=styles.style(style))
    log = compile_latex(str(documents(e, EXTENT, ["tex"])["tex"]), tmp_path)
    assert overfull(log) == []


@pytest.mark.parametrize("units", [1, 2, 3])
def test_the_pdf_has_the_numbers_in_their_order(units: int, tmp_path: Path) -> None:
    """From the first step to the summary; a digit altered in the PDF's text is noticed."""
    e = explain(network(units, [("gru", units, {})], 2), sequence(units, 3, 2), 6)
    source = str(documents(e, FULL, ["tex"])["tex"])
    compile_latex(source, tmp_path)
    text = text_of(tmp_path / "d.pdf")
    written, printed = (numbers(document) for document in (source, text))
    assert written == printed
    assert len(written) > 3 * units * 8 * 2
    at = text.rindex(printed[-1], 0, text.index("Summary")) + printed[-1].index(".") + 1
    assert numbers(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]) != written


def numbers(document: str) -> list[str]:
    """Every number with a decimal point from the first step to the summary."""
    start = document.index("Step 1")
    return DECIMAL.findall(document[start : document.index("Summary", start)])


def text_of(pdf: Path) -> str:
    done = subprocess.run([need("pdftotext"), "-raw", str(pdf), "-"], capture_output=True, text=True, check=True)
    return done.stdout
