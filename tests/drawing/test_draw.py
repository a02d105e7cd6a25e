"""symgru draw."""

import json
import math
from pathlib import Path

import pytest

from symgru.backends.svg import render_svg
from symgru.cli import main
from symgru.drawing import heat_map
from tests.conftest import ROOT, SEED, need
from tests.drawing.pictures import at_work, number, parsed, words

BRACKETS = str(ROOT / "examples" / "brackets.keras")


def draw(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["draw", *map(str, arguments)])
    return ended.value.code


@pytest.mark.parametrize("what", ["wiring", "unrolled", "weights", "time", "graph"])
def test_each_picture(what, tmp_path):
    place = tmp_path / "f.svg"
    assert draw(SEED, "--input", "1,2,9,8", "--what", what, "-o", place) == 0
    assert words(parsed(place.read_text(encoding="utf-8")))
    assert draw(SEED, "--input", "1,2,9,8", "--what", what, "-o", tmp_path / "f.tex") == 0
    assert r"\begin{tikzpicture}" in (tmp_path / "f.tex").read_text(encoding="utf-8")


def seed_by_hand():
    """Every value of the seed's GRU, in doubles."""
    (layer,) = json.loads(Path(SEED).read_text(encoding="utf-8"))["layers"]
    ((wz, wr, wn),), ((uz, ur, un),), ((bz, br, bn), (cz, cr, cn)) = layer["weights"]
    h = 0.0
    for x in (1, 2, 9, 8):
        z = 1 / (1 + math.exp(-(wz * x + bz + uz * h + cz)))
        r = 1 / (1 + math.exp(-(wr * x + br + ur * h + cr)))
        n = math.tanh(wn * x + bn + r * (un * h + cn))
        h = z * h + (1 - z) * n
        yield from (z, r, n, h)


@pytest.mark.parametrize("digits", [3, 6, 8])
def test_values_are_rounded_from_the_exact_ones(digits, tmp_path):
    place = tmp_path / "f.svg"
    assert draw(SEED, "--input", "1,2,9,8", "--what", "unrolled", "--digits", digits, "-o", place) == 0
    shown = place.read_text(encoding="utf-8").replace("−", "-")
    wanted = [f"{v:.{digits}f}" for v in seed_by_hand() if abs(v) > 0.01]
    assert len(wanted) == 14  # the others, tiny ones, are printed with four digits
    assert all(v in shown for v in wanted)


def test_a_pdf(tmp_path):
    need("pdflatex")
    assert draw(SEED, "-o", tmp_path / "f.pdf") == 0
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")


def test_weights_need_no_input(tmp_path):
    for what in ("wiring", "weights"):
        assert draw(BRACKETS, "--what", what, "--layer", "backward_gru", "-o", tmp_path / "f.svg") == 0
        assert "backward_gru" in parsed((tmp_path / "f.svg").read_text(encoding="utf-8"))[0].text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--what", "time", "-o", "f.svg"], "--input"),
        (["-o", "f.png"], ".svg, .tex, .pdf"),
        (["--layer", "\x1b[31mnone", "-o", "f.svg"], "there are gru"),
        (["--what", "unrolled", "--input", "1,2", "--unit", "2", "-o", "f.svg"], "there is no unit 2"),
        (["--style", "nobody", "-o", "f.svg"], "nobody"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert draw(SEED, *arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("symgru: ") and says in error and "\x1b" not in error
    assert not list(tmp_path.iterdir())


def test_a_number_stands_only_in_a_square_of_its_own():
    """Where several weights share a square there are the numbers of the scale alone."""

    def numbers(features):
        svg = parsed(render_svg(heat_map(at_work("gru", 1, features, steps=1))))
        return [v for v in (number(word.text) for word in words(svg)) if v is not None]

    weights = 3 * 100 + 3 + 2 * 3
    assert len(numbers(100)) == weights + 3
    assert len(numbers(200)) == 3


def test_both_rows_of_the_biases_have_their_names(tmp_path):
    assert draw(ROOT / "examples" / "sunspots.keras", "--what", "weights", "-o", tmp_path / "f.svg") == 0
    shown = words(parsed((tmp_path / "f.svg").read_text(encoding="utf-8")))
    text = "".join(word.text for word in shown)
    assert all(name in text for name in ("bz", "br", "bn", "cz", "cr", "cn"))
