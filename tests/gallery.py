"""generated/gallery: the worked examples that the README links, each in every format.

`python -m tests.gallery` writes all of it anew (it needs LaTeX for the .pdf files). What does not depend on the version
of another program is compared with what symgru writes today by tests/test_generated.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from symgru.document import Document
from symgru.explanation import explain
from symgru.face import load
from symgru.writing import whole
from tests.conftest import ROOT

GALLERY = ROOT / "generated" / "gallery"
EXAMPLES = {  # model, input, digits
    "seed": ("seed.json", "1,2,9,8", 6),
    "two_units": ("two_units.json", "[[1,-0.5],[0.5,2],[-1.5,1]]", 4),
    "sunspots": ("sunspots.keras", "sunspots_window.csv", 4),
    "sunspots32": ("sunspots32.keras", "sunspots_window.csv", 4),
}
DIAGNOSES = {  # of examples/seed.json on 1,2,9,8: the two numbers of the question symgru began with
    "why_hand": "-0.70691",
    "why_claimed": "0.9680257",
}
REPORTS = (".tex", ".md", ".txt")
TEXTS = (".tex", ".md", ".txt", ".ipynb")  # the same bytes wherever they are made
ENDINGS = (*TEXTS, ".html", ".xlsx", ".pdf")
EXERCISE = ("--units", "2", "--features", "2", "--steps", "3", "--seed", "1", "--digits", "4", "--versions", "A,B")


def document(name: str) -> Document:
    """A worked example of the gallery, without asking a framework."""
    source, given, digits = EXAMPLES[name]
    model = load(ROOT / "examples" / source)
    (x,), _ = model.read_all([str(ROOT / "examples" / given) if given.endswith(".csv") else given])
    return Document(explain(model.network, x, digits))


def diagnosis(name: str) -> Document:
    """A report of the gallery."""
    return load(ROOT / "examples" / "seed.json").diagnose([1, 2, 9, 8], DIAGNOSES[name])


def gallery_files() -> Iterator[tuple[str, bytes]]:
    """What tests/test_generated.py compares byte by byte."""
    for name in EXAMPLES:
        made = document(name)
        for ending in TEXTS:
            yield f"gallery/{name}{ending}", whole(made.pieces(ending))
    for name in DIAGNOSES:
        report = diagnosis(name)
        for ending in REPORTS:
            yield f"gallery/{name}{ending}", whole(report.pieces(ending))
    yield from exercise_files(".tex")


def exercise_files(ending: str) -> Iterator[tuple[str, bytes]]:
    """The sheets, keys and models of an exam in two versions."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "symgru", "exercise", *EXERCISE, "-o", f"{folder}/exercise{ending}"]
        subprocess.run(command, check=True, capture_output=True)
        for place in sorted(Path(folder).iterdir()):
            yield f"gallery/{place.name}", place.read_bytes()


def without_pictures(page: str) -> str:
    """A web page without its drawings and typeset formulas, which follow the versions of ziamath and of its font."""
    return re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)


def main() -> None:
    GALLERY.mkdir(parents=True, exist_ok=True)
    for name in EXAMPLES:
        made = document(name)
        for ending in ENDINGS:
            made.save(GALLERY / f"{name}{ending}")
            print(f"{name}{ending}")
    for name in DIAGNOSES:
        report = diagnosis(name)
        for ending in (*REPORTS, ".html", ".pdf"):
            report.save(GALLERY / f"{name}{ending}")
            print(f"{name}{ending}")
    for ending in (".tex", ".pdf"):
        for name, content in exercise_files(ending):
            (GALLERY.parent / name).write_bytes(content)


if __name__ == "__main__":
    main()
