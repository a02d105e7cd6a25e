"""Exercises: what is drawn is fit to be worked by hand, the sheet hides its answers, and the key tells mistakes apart.

Every mistake of a GRU is made again in plain NumPy (test_mistakes.py), every line of the key worked out again by a
calculator that knows nothing of symgru, and the result asked of Keras.
"""

from __future__ import annotations

import itertools
import json
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from symgru.building import build
from symgru.cells import CELLS
from symgru.cli import main
from symgru.document import Document
from symgru.errors import UnusableInput
from symgru.exercise import Exercise, exercise
from symgru.face import load
from symgru.lesson.exercise import PAPER, SOLVED, key, sheet
from symgru.styles import style
from tests import oracle
from tests.calculator import check, check_lines, evaluate, read
from tests.calculator.checking import half_up
from tests.calculator.policy import decimals_carried, is_risky, is_tie
from tests.conftest import need_package
from tests.test_mistakes import expected, numbers

SEEDS = range(50)
OTHERS = [name for name in CELLS if build(name, {}).states and name != "gru"]
SHORT = r"-?\d(?:\.\d\d?)?"
UNIT = Decimal("0.0001")
TYPED = {("arrays", f"{k} decimals") for k in (2, 3, 4)} | {("sequence", "zeros skipped")}  # nothing here has so many


@cache
def made(seed: int, cell: str = "gru", units: int = 2, features: int = 2, steps: int = 3) -> Exercise:
    return exercise(cell, units, features, steps, seed)


def paper(one: Exercise, ending: str, blank: str | None = None) -> str:
    """The key, or with `blank` the sheet."""
    from symgru.blanks import blanks

    if blank is None:
        e, parts = key(one)
        return Document(e).text(ending, extent=SOLVED, parts=parts)
    e, parts = sheet(one, blanks(blank, one.explanation.layers[0]))
    return Document(e).text(ending, extent=PAPER, parts=parts)


def four(v: float) -> Decimal:
    return Decimal(repr(float(v))).quantize(UNIT, rounding=ROUND_HALF_UP)


# ---------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("seed", SEEDS)
def test_fit_to_be_worked_by_hand(seed: int) -> None:
    one = made(seed)
    (layer,) = one.network.layers.values()
    texts = [str(t) for w in layer.weights.values() for t in w.text.ravel()]
    assert len(texts) == 36
    assert all(re.fullmatch(SHORT, t) and float(t) != 0 for t in [*texts, *map(str, one.x.text.ravel())])
    lines = read(paper(one, ".txt"), "txt")
    assert len(lines) == 16 * 3
    decimals = decimals_carried(lines)
    for line in lines:
        value = evaluate(line.numbers)
        assert not is_tie(value, decimals), line
        assert not is_risky(value, decimals), line
        assert abs(value) >= Decimal("0.01"), line
        if line.name[:2] in ("z_", "r_"):
            assert Decimal("0.1") <= value <= Decimal("0.9"), line
        if line.name[:2] in ("n_", "h_"):
            assert abs(value) < Decimal("0.95"), line


@pytest.mark.parametrize("seed", SEEDS)
def test_mistakes_lead_to_answers_of_their_own(seed: int) -> None:
    one = made(seed)
    (layer,) = one.network.layers.values()
    by_hand = {k: v for k, v in expected(numbers(layer), one.x.value[0]).items() if k not in TYPED}
    printed = {k: tuple(map(four, v)) for k, v in by_hand.items()}
    printed["", "right"] = tuple(map(Decimal, one.answer))
    for (a, p), (b, q) in itertools.combinations(printed.items(), 2):
        assert max(abs(s - t) for s, t in zip(p, q, strict=True)) >= 2 * UNIT, (a, b)
    table = {(m.kind, m.name): mark.values for mark in one.marks for m in mark.mistakes}
    assert set(table) == set(by_hand)
    for k, values in table.items():  # the table's numbers come from rounded lines
        assert max(abs(Decimal(v) - p) for v, p in zip(values, printed[k], strict=True)) <= UNIT, k
    assert len({mark.values for mark in one.marks} | {one.answer}) == len(one.marks) + 1


@pytest.mark.parametrize("seed", [0, 7])
def test_keras_gives_the_keys_answer(seed: int) -> None:
    keras = need_package("keras")
    one = made(seed)
    model = json.loads(one.model())
    assert max(map(len, one.model().splitlines())) < 100
    gru = keras.layers.GRU(2)
    x = np.array([model["input"]], np.float32)
    gru.build(x.shape)
    gru.set_weights([np.array(a, np.float32) for a in model["layers"][0]["weights"]])
    for got, text in zip(np.asarray(gru(x))[0], one.answer, strict=True):
        assert four(got) == Decimal(text)


@pytest.mark.parametrize("cell", OTHERS)
def test_every_recurrent_cell(cell: str) -> None:
    for seed in range(3):
        one = made(seed, cell)
        lines = read(paper(one, ".txt"), "txt")
        assert len(lines) == 3 * len(one.explanation.layers[0].assigns)
        assert cell in ("type3", "mgu3") or check_lines(
            lines
        )  # there a gate is σ of a bias that no line printed before
        assert len({mark.values for mark in one.marks} | {one.answer}) == len(one.marks) + 1
        assert len(one.marks) >= 12
        for line in lines:
            assert half_up(evaluate(line.numbers), Decimal(line.value)) == Decimal(line.value)
            assert not is_tie(evaluate(line.numbers), 6) and not is_risky(evaluate(line.numbers), 6)
            if line.name[:2] in ("z_", "r_", "f_"):
                assert Decimal("0.1") <= Decimal(line.value) <= Decimal("0.9")


@pytest.mark.parametrize("sizes", [(2, 2, 3), (1, 1, 3), (2, 3, 2), (2, 2, 4)])
def test_relu_leaves_nothing_at_0(sizes: tuple[int, int, int]) -> None:
    for seed in range(4):
        one = made(seed, "ligru", *sizes)
        values = [Decimal(line.value) for line in read(paper(one, ".txt"), "txt")]
        assert min(map(abs, values)) >= Decimal("0.01")
        assert min(abs(Decimal(v)) for v in one.answer) >= Decimal("0.01")
        assert "linear candidate" in {m.name for m in one.unseen}  # since relu changes nothing


def test_where_relu_always_cuts_off() -> None:
    with pytest.raises(UnusableInput, match="none is without a line near 0") as raised:
        exercise("ligru", 8, 2, 3)
    assert "\n" not in str(raised.value)


def test_the_table_of_answers_has_plain_decimals() -> None:
    small = 0
    for seed in range(20):
        for mark in made(seed).marks:
            assert all(re.fullmatch(r"-?\d+\.\d{4}", v) for v in mark.values)
            small += sum(0 < abs(Decimal(v)) < Decimal("0.001") for v in mark.values)
    assert small > 1


def test_sigma_in_the_key_is_no_foreign_character() -> None:
    for ending in (".txt", ".md", ".tex"):
        text = paper(made(1), ending)
        assert "U+03" not in text
        assert "(-a)" in text or r"({-}a)" in text
    assert r"took \texttt{$\sigma$({-}a)} for \texttt{$\sigma$(a)}" in text


def test_reset_before_by_the_oracle() -> None:
    one = made(1, "gru_before")
    (layer,) = one.network.layers.values()
    w = numbers(layer)
    arrays = [np.concatenate([w[f"{a}_{g}"].T for g in "zrn"], -1) for a in "WU"]
    arrays.append(np.concatenate([w[f"b_{g}"] for g in "zrn"]))
    h = oracle.gru(one.x.value, arrays, reset_after=False)[0]
    assert tuple(str(four(float(v))) for v in h) == one.answer


@pytest.mark.parametrize("sizes", [(1, 1, 4), (1, 2, 3), (2, 1, 2), (3, 2, 2), (4, 3, 3), (2, 2, 1)])
def test_other_sizes(sizes: tuple[int, int, int]) -> None:
    one = made(0, "gru", *sizes)
    assert one.x.value.shape == (1, sizes[2], sizes[1])
    assert len(one.answer) == sizes[0]
    assert check(paper(one, ".txt"), "txt")
    seen, unseen = [m for mark in one.marks for m in mark.mistakes], one.unseen
    assert len({(m.kind, m.name) for m in [*seen, *unseen]}) == len(seen) + len(unseen)
    if sizes[0] == 1:
        assert "recurrent kernel transposed" in {m.name for m in unseen}
    if sizes[2] == 1:
        assert {"reversed", "mean in one step", "last step dropped"} <= {m.name for m in unseen}


def test_digits() -> None:
    for digits in (3, 5, 6):
        one = exercise(seed=1, digits=digits)
        assert all(len(v.partition(".")[2]) == digits for v in one.answer)


def test_the_same_seed_is_the_same_exercise() -> None:
    assert exercise(seed=5).model() == made(5).model()
    assert exercise(seed=5, version="A").model() == exercise(seed=5, version="A").model()
    a, b, plain = (exercise(seed=5, version=v) for v in ("A", "B", ""))
    assert len({tuple(one.x.text.ravel()) for one in (a, b, plain)}) == 3
    assert len({one.answer for one in (a, b, plain)}) == 3
    assert len({one.answer for one in map(made, SEEDS)}) == len(SEEDS)


def test_a_style_of_the_cells_own_rule() -> None:
    plain, styled = exercise("fully_gated", seed=2), exercise("fully_gated", seed=2, style=style("wikipedia"))
    assert styled.model() == plain.model()
    assert [m.values for m in styled.marks] == [m.values for m in plain.marks]
    text = paper(styled, ".txt")
    assert "h_hat_3[1] = tanh(" in text
    assert check(text, "txt") == 48
    with pytest.raises(UnusableInput, match=r"choose another --style, or --cell gru_new, fully_gated, type1"):
        exercise("gru", style=style("wikipedia"))


def test_refusals() -> None:
    for options, message in (
        ({"cell": "dense"}, "no recurrent cell is called 'dense'"),
        ({"units": 0}, "units is 0; an exercise to be worked by hand has 1 to 8"),
        ({"features": 9}, "features is 9"),
        ({"steps": 13}, "steps is 13; an exercise to be worked by hand has 1 to 12"),
        ({"units": 8, "steps": 12}, "8 units at 12 steps are 96 states"),
        ({"digits": 7}, "digits is 7"),
        ({"seed": -1}, "seed is -1"),
        ({"units": 1, "features": 1, "digits": 1}, "more --digits"),
    ):
        with pytest.raises(UnusableInput, match=re.escape(message)) as raised:
            exercise(**options)  # type: ignore[arg-type]
        assert "\n" not in str(raised.value)


# ---------------------------------------------------------------- the papers


@pytest.mark.parametrize("ending", [".txt", ".md", ".tex"])
@pytest.mark.parametrize("seed", range(4))
def test_the_key_is_worked_out_again(seed: int, ending: str) -> None:
    one = made(seed)
    text = paper(one, ending)
    assert check(text, ending[1:]) == 48
    for mark in one.marks:
        assert all(v in text for v in mark.values)


@pytest.mark.parametrize("ending", [".txt", ".md", ".tex"])
@pytest.mark.parametrize(
    ("blank", "hidden"),
    [
        ("all", lambda name, t: True),
        ("2-3", lambda name, t: t > 1),
        ("steps 2-3", lambda name, t: t > 1),
        ("3", lambda name, t: t == 3),
        ("h,z", lambda name, t: name[:2] in ("h_", "z_")),
        ("a_z", lambda name, t: name.startswith("a_z")),
        ("h, 2-3", lambda name, t: name[:2] == "h_" and t > 1),
        ("result", lambda name, t: name[:2] == "h_" and t == 3),
        ("none", lambda name, t: False),
    ],
)
def test_blanks_hide_the_answers(ending: str, blank: str, hidden: object) -> None:
    for seed in range(3):
        one = made(seed)
        text = paper(one, ending, blank)
        lines = read(paper(one, ".txt"), "txt")
        gone = {line.value for line in lines if hidden(line.name, line.step)}  # type: ignore[operator]
        kept = {line.value for line in lines} - gone
        for value in gone:
            assert value.lstrip("-") not in text
            assert not re.search(rf"(?<![\d.]){re.escape(value.lstrip('-')[:6])}\b", text)  # nor as a picture rounds it
        shown = [value for value in kept if value.lstrip("-") in text]
        assert len(shown) == len(kept)
        assert (len(gone) > 0) is (blank != "none")
        assert not any(" ".join(one.answer) in text or f"{v} " in text for v in one.answer)


def test_what_cannot_be_blank() -> None:
    from symgru.blanks import blanks

    layer = made(0).explanation.layers[0]
    for asked in ("q", "4", "0", "3-2", "h,,z", "", "all,none"):
        with pytest.raises(UnusableInput, match="it can be all, none, result, steps such as 2"):
            blanks(asked, layer)


# ---------------------------------------------------------------- the command


def symgru(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["exercise", *words])
    assert ended.value.code == 0


def test_versions_of_an_exam(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    symgru("--seed", "4", "--versions", "A,B", "-o", str(tmp_path / "quiz.md"))
    names = {f"quiz_{v}{end}" for v in "AB" for end in (".md", "_key.md", ".json")}
    assert {p.name for p in tmp_path.iterdir()} == names
    a, b = ((tmp_path / f"quiz_{v}.md").read_text() for v in "AB")
    assert "version A" in a and "version B" in b and a != b
    assert re.sub(r"[-\d.]+", "", a).replace("A", "B").count("____") == re.sub(r"[-\d.]+", "", b).count("____")
    for v in "AB":
        keyed = (tmp_path / f"quiz_{v}_key.md").read_text()
        assert check(keyed, "md") == 48
        assert "____" not in keyed
        model, given = load(tmp_path / f"quiz_{v}.json"), json.loads((tmp_path / f"quiz_{v}.json").read_text())["input"]
        again = model.explain(given).text(".md")
        assert read(again, "md") == read(keyed, "md")
    assert capsys.readouterr().err.count("wrote") == 6


def test_the_sheet_is_made_for_a_pencil(tmp_path: Path) -> None:
    symgru("--seed", "4", "--versions", "A", "-o", str(tmp_path / "quiz.tex"))
    sheet_text, key_text = ((tmp_path / f"quiz_A{end}.tex").read_text() for end in ("", "_key"))
    assert r"\hspace{7em}" in sheet_text and r"\jot=" in sheet_text and r"Name \_\_\_" in sheet_text
    assert "tikzpicture" not in sheet_text and "Wikipedia" not in sheet_text
    assert r"\jot=" not in key_text and "tikzpicture" in key_text


def test_models_by_name_are_read_too(tmp_path: Path) -> None:
    symgru("--cell", "mgu", "--seed", "2", "-o", str(tmp_path / "quiz.txt"))
    data = json.loads((tmp_path / "quiz.json").read_text())
    again = load(tmp_path / "quiz.json").explain(data["input"]).text(".txt")
    assert read(again, "txt") == read((tmp_path / "quiz_key.txt").read_text(), "txt")


def test_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    symgru("--seed", "1", "--steps", "2")
    out = capsys.readouterr().out
    assert (
        out.index("Exercise")
        < out.index("____")
        < out.index("Key")
        < out.index("Which answer comes from which mistake")
    )
    assert "____" not in out[out.index("Key\n") :]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "quiz.html"), "an exercise is a .pdf, .tex, .md or .txt file"),
        (("--versions", "A,a"), "each version is named once"),
        (("--versions", "A,../b"), "letters and digits"),
        (("--versions", ""), "letters and digits"),
        (("--blank", "q"), "--blank has 'q'"),
    ],
)
def test_command_refusals(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["exercise", *words])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and message in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())
