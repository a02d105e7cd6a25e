"""The PDF: which engine is taken, what is said where there is none or it fails, and a page that says what it should."""

import re
import subprocess

import pytest

import symgru
from symgru.backends import latex
from symgru.backends.pdf import engine as engines
from symgru.errors import MissingTool, SymgruError
from tests.conftest import SEED, need

LATEX = r"\documentclass{article}\begin{document}%s\end{document}"


@pytest.fixture(scope="module")
def example():
    return symgru.load(SEED).explain([1, 2, 9, 8], digits=6)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs on a PATH that holds nothing else: `programs("pdflatex")`."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(*names, script="exit 1"):
        for name in names:
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (("tectonic", "latexmk", "pdflatex"), "tectonic"),
        (("latexmk", "pdflatex", "lualatex"), "latexmk"),
        (("latexmk", "lualatex"), "lualatex"),  # latexmk is no engine itself
        (("pdflatex", "lualatex", "xelatex"), "pdflatex"),
        (("xelatex",), "xelatex"),
    ],
)
def test_the_first_engine_that_is_there(programs, there, taken):
    programs(*there)
    assert engines.require_engine().program == taken


def test_without_an_engine_one_line_says_what_to_install_and_nothing_is_written(programs, example, tmp_path):
    with pytest.raises(MissingTool, match=r"^no LaTeX engine found for a \.pdf: install .*TeX Live.*$"):
        example.save(tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


def test_an_engine_that_says_nothing_useful(programs):
    programs("pdflatex", script="echo Cannot find format; exit 3")
    with pytest.raises(SymgruError, match=r"^pdflatex could not typeset the document: Cannot find format; .*$"):
        engines.typeset(["anything"], engines.require_engine())


def test_the_shell_is_never_allowed():
    for engine in engines.ENGINES:
        assert any("no-shell-escape" in option or option == "--untrusted" for option in engine.options)


OTHERS = [e.program for e in engines.ENGINES if e.is_there and e.program != "pdflatex"]


@pytest.fixture(scope="module", params=["pdflatex", *OTHERS])
def engine(request):
    """pdflatex, and each of the others that is there."""
    need(request.param)
    return next(e for e in engines.ENGINES if e.program == request.param)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (r"\nonsense", r"Undefined control sequence.* \(line \d+\)"),
        (r"\usepackage{nowhere}", r"LaTeX Error: Can be used only in preamble"),
        (r"\input{nowhere}", r"File `nowhere\.tex' not found.*install"),
    ],
)
def test_the_first_error_in_one_line(engine, body, says):
    with pytest.raises(SymgruError, match=rf"^{engine.program} could not typeset the document: .*{says}.*$"):
        engines.typeset([LATEX % body], engine)


def test_an_endless_document_ends(engine):
    with pytest.raises(SymgruError, match=r"did not finish the document within 4 s; --show 3"):
        engines.typeset([LATEX % r"\def\again{\again}\again"], engine, limit=4)


def test_a_shell_command_does_not_run(engine):
    made = engines.typeset([LATEX % r"\ifdefined\directlua\else\immediate\write18{echo pwned > made.txt}\fi"
                            r"\IfFileExists{made.txt}{\undefined}{safe}"], engine)  # fmt: skip
    assert made.startswith(b"%PDF")


def test_the_same_bytes_each_time(engine, example):
    text = "".join(latex.render_explanation(example.content))
    assert engines.typeset([text], engine) == engines.typeset([text], engine)


def test_a_caller_may_set_the_clock(monkeypatch):
    need("pdflatex")
    engine = next(e for e in engines.ENGINES if e.program == "pdflatex")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert b"D:19700102" in engines.typeset([r"\pdfcompresslevel0 \pdfobjcompresslevel0 " + LATEX % "a"], engine)


def pdf_text(place):
    return subprocess.run([need("pdftotext"), "-layout", place, "-"], capture_output=True, text=True, check=True).stdout


def test_the_page_says_what_the_text_does(example, tmp_path):
    need("pdflatex")
    text = pdf_text(example.save(tmp_path / "a.pdf"))
    worked = re.findall(r"= (-?\d\.\d{8})$", example.text(".txt").partition("Step 1")[2], re.MULTILINE)
    found = [n.replace("−", "-") for n in re.findall(r"= ([-−]?\d\.\d{8})\b", text)]
    assert len(worked) > 4 * 8
    remaining = iter(found)
    assert all(number in remaining for number in worked), "the worked values in their order"


@pytest.mark.parametrize("made", [symgru.derive(steps=2), symgru.derive(steps=2, gradients=True), symgru.derive("all")])
def test_every_kind_of_document(made, tmp_path):
    need("pdflatex")
    assert "Made" not in pdf_text(made.save(tmp_path / "a.pdf"))
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-1.")
