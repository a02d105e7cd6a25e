"""generated/ holds what symgru writes today: `pytest tests/test_generated.py --update` rewrites what differs."""

import difflib
import io
import json
from functools import cache

import openpyxl
import pytest

from symgru.answer import DIGITS, answer
from symgru.backends import latex, markdown, renderer, text
from symgru.cells import CELLS
from symgru.comparison import compare
from symgru.derivation import derive
from symgru.explanation import explain
from symgru.face import load
from symgru.proving import prove
from symgru.writers.targets import converted
from tests.conftest import ROOT, SEED
from tests.gallery import (
    DIAGNOSES,
    ENDINGS,
    EXAMPLES,
    GALLERY,
    diagnosis,
    document,
    gallery_files,
    without_pictures,
)

GENERATED = ROOT / "generated"
DOCUMENTS = {".tex": latex, ".md": markdown, ".txt": text}


def whole(parts):
    return (parts if isinstance(parts, str) else "".join(parts)).encode()


def seed_files():
    from symgru.backends.text.answer import render_answer

    story = json.loads(SEED.read_text(), parse_float=str)["story"]
    model = load(SEED)
    x, _ = model.read("1,2,9,8")
    example = explain(model.network, x, DIGITS)
    told = answer(model.network, x, story["hand_calculation"], story["claimed"])
    yield "seed/answer.txt", render_answer(told).encode()
    for ending, backend in DOCUMENTS.items():
        yield f"seed/seed{ending}", whole(backend.render_explanation(example))
    for target in ("numpy", "c", "js"):
        for name, content in model.files(target, x).items():
            yield f"seed/{name}", content


def derivation_files():
    for name, cell in CELLS.items():
        if cell.states:
            for ending, backend in DOCUMENTS.items():
                yield f"derivation/{name}{ending}", whole(backend.render_derivation(derive(name)))
    yield "derivation/gru_2_units.tex", whole(latex.render_derivation(derive("gru", units=2, features=2, steps=2)))


def unrolled_files():
    model = load(SEED)
    x, _ = model.read("1,2,9,8")
    for target in ("numpy", "c"):
        for name, content in model.files(target, x, unrolled=True, steps=4).items():
            yield f"unrolled/{name}", content
    for ending, backend in DOCUMENTS.items():
        yield f"unrolled/formula{ending}", whole(backend.render_derivations(model.derive(steps=2).content))


def gradients_files():
    model = load(SEED)
    x, _ = model.read("1,2,9,8")
    for target in ("numpy", "c"):
        for name, content in model.files(target, x, gradients=True).items():
            yield f"gradients/{name}", content
    for ending, backend in DOCUMENTS.items():
        yield f"gradients/gru{ending}", whole(backend.render_derivation(derive("gru", units=2, gradients=True)))


def networks_files():
    """A masked Bidirectional over a window, and the seed as PyTorch has it."""
    from symgru.overview import overview

    model = load(ROOT / "examples" / "brackets.keras")
    (x,), _ = model.read_all(["1,1,2"])
    yield "networks/brackets_show.txt", ("\n".join(overview(model.network)) + "\n").encode()
    example = explain(model.network, [x])
    yield "networks/brackets.txt", whole(text.render_explanation(example))
    for target, options in (("numpy", {}), ("c", {"steps": 20})):
        for name, content in model.files(target, **options).items():
            yield f"networks/{name}", content
    yield "networks/seed_torch.py", converted(load(SEED).network, "seed.pt").files["seed_torch.py"]


def cells_files():
    for ending, backend in DOCUMENTS.items():
        yield f"cells{ending}", whole(backend.render_comparison(compare()))


def proofs_files():
    proved = prove()
    for ending, backend in DOCUMENTS.items():
        yield f"proofs{ending}", whole(renderer(backend.__name__.rpartition(".")[2], "proofs")(proved))


def picture_files():
    from symgru import drawing
    from symgru.backends.latex.tikz import render_fragment
    from symgru.backends.svg import render_svg
    from symgru.drawing.values import rightly_rounded

    (seed,) = _at_work(SEED, "1,2,9,8")
    brackets = load(ROOT / "examples" / "brackets.keras")
    sunspots = _at_work(ROOT / "examples" / "sunspots.keras", str(ROOT / "examples" / "sunspots_window.csv"))[0]
    model = load(SEED)
    (exact,) = rightly_rounded(explain(model.network, model.read("1,2,9,8")[0]), 6)
    yield "../docs/seed.svg", render_svg(drawing.unrolled(exact)).encode()
    yield "pictures/seed_wiring.svg", render_svg(drawing.wiring(seed)).encode()
    yield "pictures/seed_wiring.tex", render_fragment(drawing.wiring(seed)).encode()
    yield "pictures/brackets_layers.svg", render_svg(drawing.graph(brackets.network)).encode()
    yield "pictures/sunspots_wiring.svg", render_svg(drawing.wiring(sunspots)).encode()
    yield "pictures/sunspots_weights.svg", render_svg(drawing.heat_map(sunspots)).encode()
    yield "pictures/sunspots_time.svg", render_svg(drawing.over_time(sunspots)).encode()


def _at_work(path, given):
    model = load(path)
    return explain(model.network, model.read(given)[0], DIGITS).layers


MAKERS = [
    seed_files,
    derivation_files,
    unrolled_files,
    gradients_files,
    networks_files,
    cells_files,
    proofs_files,
    picture_files,
    gallery_files,
]


@pytest.mark.parametrize("make", MAKERS)
def test_generated_files_are_up_to_date(make, request):
    stale = []
    for name, content in made(make).items():
        place = GENERATED / name
        committed = place.read_bytes() if place.exists() else b""
        if committed.replace(b"\r\n", b"\n") == content:
            continue
        if request.config.getoption("--update"):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            continue
        old, new = (t.decode().splitlines(keepends=True) for t in (committed, content))
        stale.append("".join(difflib.unified_diff(old, new, f"committed {name}", f"made now {name}", n=1)))
    assert not stale, "run pytest tests/test_generated.py --update\n" + "\n".join(stale)


@cache
def made(make):
    return dict(make())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_gallerys_web_pages_and_sheets_are_up_to_date(name):
    """`python -m tests.gallery` writes them anew."""
    page = (GALLERY / f"{name}.html").read_text(encoding="utf-8")
    assert without_pictures(page) == without_pictures(document(name).text(".html"))
    committed, now = (
        {
            sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()]
            for sheet in openpyxl.load_workbook(file)
        }
        for file in (GALLERY / f"{name}.xlsx", io.BytesIO(b"".join(document(name).pieces(".xlsx"))))
    )
    assert committed == now


@pytest.mark.parametrize("name", DIAGNOSES)
def test_the_gallerys_reports_are_up_to_date(name):
    page = (GALLERY / f"{name}.html").read_text(encoding="utf-8")
    assert without_pictures(page) == without_pictures(diagnosis(name).text(".html"))


def test_nothing_is_left_over():
    known = {(GENERATED / name).resolve() for make in MAKERS for name in made(make)}
    known |= {(GALLERY / f"{name}{ending}").resolve() for name in EXAMPLES for ending in ENDINGS}
    known |= {(GALLERY / f"{name}{ending}").resolve() for name in DIAGNOSES for ending in (".html", ".pdf")}
    known |= {(GALLERY / place).with_suffix(".pdf").resolve() for place in GALLERY.glob("exercise*.tex")}
    assert {p.resolve() for p in GENERATED.rglob("*") if p.is_file()} <= known
