"""The report of a diagnosis: what it says is true of the numbers, and every format can show it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from symgru.backends import renderer
from symgru.diagnosis.claims import Case, Number
from symgru.diagnosis.findings import Diagnosis, Probe
from symgru.diagnosis.rarer import catalogue, earlier_states
from symgru.diagnosis.search import diagnose
from symgru.document import Document
from symgru.domains import Float64
from symgru.errors import SymgruError, UnusableInput
from symgru.lesson.side_by_side import beside
from symgru.mistakes import Mistake, Trial
from symgru.network import Network, Tensor
from tests.conftest import need
from tests.diagnosis.by_hand import diagnosis
from tests.documents.conftest import network, sequence
from tests.documents.test_latex import NASTY, compile_latex, overfull
from tests.one_unit import SEED, X, one_unit
from tests.one_unit import sequence as typed_sequence

SUM, SWAP = ("sequence", "summed into one step"), ("update rule", "swapped")
ORDER = ("gate order", "r | z | n")
RIGHT = "-0.46279538"
JARGON = re.compile(r"hypothes|hadamard|\bclass(es)?\b|transform|tolerance|enumerat", re.IGNORECASE)

TWO = network(3, [("gru", 2, {"reset_after": True})], 2)
STACK = network(
    7,
    [("gru", 3, {"return_sequences": True}), ("gru_before", 2, {}), ("dense", 2, {"activation": "relu"})],
    2,
)
MINIMAL = network(8, [("mgu", 2, {})], 2)
NETS = {"seed": (SEED, X), "two": (TWO, sequence(3, 4, 2)), "stack": (STACK, sequence(7, 4, 2)),
        "minimal": (MINIMAL, sequence(3, 4, 2))}  # fmt: skip


def claimed(network: Network, x: Tensor, *made: tuple[str, str], digits: int = 7) -> tuple[Number, ...]:
    """What somebody who makes these mistakes gets after the last step."""
    trial = Trial(network, x)
    by_name = {(m.kind, m.name): m for m in trial.mistakes}
    changed = trial.changed([by_name[name] for name in made])
    y = changed.results(changed.run(Float64()))[0, -1]
    return tuple(Number(f"{v:.{digits}f}", unit=k) for k, v in enumerate(y))


def found(network: Network, x: Tensor, *texts: str) -> Diagnosis:
    return diagnose(network, (Case((x,), tuple(Number(t, unit=k) for k, t in enumerate(texts))),))


def plain(d: Diagnosis) -> str:
    return "".join(renderer("text", "diagnosis")(d, header=False))


def flowing(document: str) -> str:
    """Without the line breaks of a paragraph."""
    return " ".join(document.split())


def pairs(document: str) -> list[tuple[str, str]]:
    """The lines of both calculations, each as one text."""
    found = re.findall(
        r"^  [▶ ] the network  (.*(?:\n {17,}.*)*)\n {4}yours {8}(.*(?:\n {17,}.*)*)$", document, re.MULTILINE
    )
    both = [(flowing(own), flowing(other)) for own, other in found]
    return [each for each in both if not re.match(r"\w_t\b", each[0])]  # without the equations


def alone(document: str) -> list[str]:
    """The lines that only one of them has."""
    found = re.findall(r"(?<=\n\n)    (?:the network|yours)  +(.*(?:\n {17,}.*)*)\n(?=\n)", document)
    return [flowing(line) for line in found]


# ---------------------------------------------------------------- the seed


def test_the_seed() -> None:
    told = plain(found(SEED, X, "-0.70691013"))
    assert "-0.70691013 is what comes out if you summed the sequence into one step." in told
    assert f"The network gives {RIGHT}." in flowing(told)
    (given, line) = pairs(told)
    assert given == ("x_1 = 1", "x_1 = 20")
    assert line[0].endswith("= -0.9095413700")
    assert line[1].endswith(f"= {Decimal('-0.90954137') * 20:.10f}")
    assert "▶ the network  x_1 = 1\n" in told
    assert "(the network has 4 steps, yours 1)" in told
    assert "Remember: Feed the inputs one after the other" in flowing(told)
    last = [row.split() for row in told.splitlines() if row.startswith("  result")]
    assert last == [["result", "-0.4627953800", "-0.7069101241"]]


def test_what_was_asked_of() -> None:
    """The network and its input in a line, a long input cut."""
    told = flowing(plain(REPORTS["two"]))
    typed = ", ".join(f"[{a}, {b}]" for a, b in sequence(3, 4, 2).text[0])
    assert f"GRU, 2 features, 2 units, reset_after=True; input {typed}. " in told
    long = typed_sequence(*["1", "2"] * 50)
    told = flowing(plain(diagnosis(SEED, long, ["-0.9"], "ambiguous", [[SUM]], chance=3)))
    assert "reset_after=True; input 1, 2, 1, 2, 1, 2, 1, 2, … (100 steps). " in told
    told = flowing(plain(REPORTS["stack"]))
    assert (
        "“layer 1”: GRU, 2 features, 3 units, reset_after=True; then “layer 2”: GRU (reset before the product), 3"
        in told
    )


def test_a_gate_that_was_taken_for_0() -> None:
    """The claim is the candidate to all its digits, and the state, which holds a little of the old one, is not."""
    told = flowing(plain(REPORTS["seed"]))
    (summed,) = X.value.sum(axis=1)
    assert f"{np.tanh(-0.04404902 * summed[0]):.8f}" == "-0.70691013"
    assert "In your calculation z is 1.258e-8. Taken as 0, it leaves h = n, which is -0.70691013 to its digits." in told
    assert 1 / (1 + np.exp(0.90954137 * summed[0])) == pytest.approx(1.258e-8, rel=1e-3)
    assert "Taken as 0" not in plain(found(SEED, X, "-0.02399954"))


def test_another_equation() -> None:
    """The lines before it are the same, and both stand in full: the values are NumPy's."""
    told = plain(found(SEED, X, "-0.02399954"))
    z, n = 1 / (1 + np.exp(0.90954137)), np.tanh(-0.04404902)
    ((own, other),) = pairs(told)
    assert own.startswith("h_1 = z_1·h_0 + (1 - z_1)·n_1 = ") and other.startswith("h_1 = (1 - z_1)·h_0 + z_1·n_1 = ")
    assert own.endswith(f"= {(1 - z) * n:.10f}") and other.endswith(f"= {z * n:.10f}")
    assert f"In step 1 both have a_z_1 = -0.9095413700, z_1 = {z:.10f}" in flowing(told)


def test_another_place_of_the_reset_gate() -> None:
    """Both sum up a_n, from other parts: those stand before it, each in the calculation that has it; all letters are
    explained, and the equation that differs stands beside the network's."""
    x, made = sequence(3, 4, 2), ("reset gate", "before the product")
    told = plain(diagnosis(TWO, x, claimed(TWO, x, made), "explained", [[made]]))
    ((own, other),) = pairs(told)
    assert own.startswith("a_n_1[2] = W_n[1,2]·x_1[1] + W_n[2,2]·x_1[2] + b_n[2] + r_1[2]·u_n_1[2] = ")
    assert other.startswith("a_n_1[2] = W_n[1,2]·x_1[1] + W_n[2,2]·x_1[2] + b_n[2] + U_n[1,2]·v_n_1[1]")
    assert [line.split(" = ")[0] for line in alone(told)] == ["u_n_1[2]", "v_n_1[2]", "v_n_1[1]"]
    for line in (own, other, *alone(told)):
        numbers, value = line.split(" = ")[2:]
        assert value_of(numbers) == pytest.approx(float(value), abs=2e-9)
    words = flowing(told)
    assert "u_n is what r multiplies in a_n" in words and "In yours v_n is what U_n is multiplied by in a_n." in words
    assert "W multiplies the input x and U the state h; b is the bias beside the input's product and c" in words
    assert (
        "In a_n_1[2] stand gate, step and unit; in U_n[1,2] gate, from unit, to unit; in W_n[1,2] gate, from" in words
    )
    assert "Yours differ in this one: the network n_t[i] = tanh(" in words
    assert "U_n[k,i]·(r_t[k]·h_(t-1)[k])" in words


def test_equations_stand_only_where_they_differ() -> None:
    assert "equations" not in plain(found(SEED, X, "-0.70691013"))


def test_other_weights_are_told_by_their_symbols() -> None:
    told = plain(found(SEED, X, "-0.02017149"))
    rows = [row.split() for row in told.splitlines() if "which is" in row]
    assert rows == [
        ["W_z", "-0.90954137", "1.0425225", "which", "is", "W_r"],
        ["U_z", "0.24168766", "0.8981342", "which", "is", "U_r"],
    ]


def test_a_weight_that_is_multiplied_by_0_is_not_where_they_part() -> None:
    """A transposed recurrent kernel meets a state of 0 in the first step: nothing comes of it before the second."""
    x = sequence(3, 4, 2)
    d = diagnosis(TWO, x, claimed(TWO, x, ("arrays", "recurrent kernel transposed")), "explained",
                  [[("arrays", "recurrent kernel transposed")]])  # fmt: skip
    told = flowing(plain(d))
    assert "Step 1 gives the same in both" in told and "they part in step 2" in told
    assert "which is U_z[1,2]" in told or "which is U_z[2,1]" in told


def test_the_end_of_one_of_them() -> None:
    told = flowing(plain(found(SEED, X, "-0.03138253")))
    assert "Step 1 gives the same in both, h_1 = -0.0313825293. There yours ends, and the network goes on." in told
    told = flowing(plain(found(SEED, X, "-0.47001897")))
    assert "Steps 1 to 4 give the same in both, h_4 = -0.4627953800. There the network ends, and yours goes on." in told


def test_the_state_that_one_begins_at() -> None:
    assert pairs(plain(found(SEED, X, "-0.44011918")))[0] == ("h_0 = 0", "h_0 = 1")


def test_another_line_taken_for_the_result() -> None:
    """Nothing in the calculation differs, and the report says so."""
    trial = Trial(SEED, X, catalogue)
    candidate = next(m for m in trial.mistakes if (m.kind, m.name) == ("output", "candidate"))
    own, changed = trial.changed(None), trial.changed([candidate])
    n = float(changed.results(changed.run(Float64()))[0, -1, 0])
    assert n == pytest.approx(-0.4628319878, abs=1e-10) != float(own.results(own.run(Float64()))[0, -1, 0])
    assert "Every line of the two is the same." in plain(found(SEED, X, f"{n:.8f}"))


# ---------------------------------------------------------------- verdicts


def test_a_right_number() -> None:
    told = flowing(plain(found(SEED, X, "-0.46279544")))
    assert f"-0.46279544 is right: the network gives {RIGHT}. It is 6e-08 away" in told
    assert "half a unit of its last digit (5e-09)" in told
    assert "Remember" not in told


def test_few_digits_say_little() -> None:
    assert re.search(
        r"So few digits say little, though: \d+ mistakes would give the same\.", plain(found(SEED, X, "-0.46"))
    )


def test_an_ambiguous_number() -> None:
    """How many ways fit, what chance would bring, and the list with its end."""
    names = ["swapped", "summed into one step", "mean in one step", "reversed"]
    kinds = {m.name: m.kind for m in Trial(SEED, X).mistakes}
    ways = [[[(kinds[name], name)]] for name in names] * 4
    d = replace(diagnosis(SEED, X, ["-0.3"], "ambiguous", *ways), chance=0.3)
    told = flowing(plain(d))
    assert "-0.3 may have come about in 16 different ways" in told
    assert "A random number would fit one of the single mistakes in 1 case of 3, so agreement alone tells" in told
    assert "and 4 more." in told
    assert told.count("You let the update gate z weigh the candidate") == 3  # of four, with 12 listed in all


def test_a_likely_way() -> None:
    """One way has the fewest mistakes and chance is small: it is first, and with it what only shortens its numbers."""
    shorter = ("arrays", "4 decimals")
    d = diagnosis(SEED, X, ["-0.7069"], "ambiguous", [[SUM]], [[SUM, shorter]], [[SUM, SWAP]], chance=0.004)
    told = plain(d)
    assert flowing(told).startswith(
        "Why -0.7069? ════════════ GRU, 1 feature, 1 unit, reset_after=True; input 1, 2, 9, 8. Most likely you "
        "summed the sequence into one step (-0.706910). 1 way with more "
        "mistakes gives it too, and a random number would fit one of the single mistakes in 1 case of 200: "
        f"more digits would settle it. The network gives {RIGHT[:-2]}."
    )
    assert "step. It fits as well if you also typed the weights with 4 decimals." in flowing(told)
    (summed,) = X.value.sum(axis=1)
    gate, n = 1 / (1 + np.exp(0.90954137 * summed[0])), np.tanh(-0.04404902 * summed[0])
    listed = re.findall(r"^  (-[0-9.e-]+) +You", told, re.MULTILINE)
    assert [float(v) for v in listed] == pytest.approx([(1 - gate) * n, gate * n], abs=1e-6)


def test_of_which_unit_a_way_is() -> None:
    """Nobody said of which unit the number is, and ways of both fit."""
    d = diagnosis(TWO, sequence(3, 4, 2), ["0.1"], "ambiguous", [[SUM]], [[SWAP]], chance=3.2)
    units = [replace(d, classes=(replace(c, members=tuple(replace(f, unit=k) for f in c.members)),))
             for k, c in enumerate(d.classes)]  # fmt: skip
    told = plain(replace(d, classes=tuple(each.classes[0] for each in units)))
    assert re.search(r", unit 1 +You summed", told) and re.search(r", unit 2 +You let", told)
    assert "A random number would fit about 3 of the single mistakes" in flowing(told)


def test_many_numbers_with_all_the_digits_of_a_double() -> None:
    """The title counts them, the table cuts them, and what allows next to nothing is not named."""
    x = sequence(3, 4, 2)
    numbers = claimed(TWO, x, SWAP, digits=20)
    d = diagnosis(TWO, x, numbers * 6, "explained", [[SWAP]])
    told = plain(d)
    assert told.startswith("Why these 12 numbers?")
    table = told[told.index("Number by number") : told.index("Where the two")]
    assert max(len(number) for number in re.findall(r"-?0\.([0-9]+)", table)) == 10
    assert "half a unit of its last digit" not in told


def test_nothing_fits() -> None:
    told = flowing(plain(found(SEED, X, "0.9680257")))
    assert "0.9680257 is not what the network gives, which is -0.4627954" in told
    assert "Proven: No h_t is above 0" in told
    assert "Likely: These weights look freshly drawn, not trained." in told
    assert "print(model.predict(x, verbose=0))" in told
    assert "46 of 48 conventions cannot give 0.9680257 for any of these. Left are these 2: you took the blocks" in told
    assert "after the first step alone: symgru diagnose MODEL --input 1 --claimed ..." in told


def test_what_can_come_out_says_of_which_unit() -> None:
    """Each sentence about a range rules something out, and says of which unit it speaks."""
    d = diagnosis(TWO, sequence(3, 4, 2), ["0.999", "0.999"], "none")
    second = replace(d.cases[0].claim[1], unit=1)
    d = replace(d, cases=(replace(d.cases[0], claim=(d.cases[0].claim[0], second)),))
    said = flowing(plain(d)).split("What can come out: ")[1:]
    assert said and all(line.startswith("In the place of 0.999 and unit ") for line in said)
    assert "--input '[[" in flowing(plain(d))


def test_near_misses_are_called_near_misses() -> None:
    d = diagnosis(SEED, X, ["0.92669"], "none", near=[[("gate order", "r | n | z")]])
    told = flowing(plain(d))
    assert "These come nearest, but they are near misses and explain nothing: 0.926698 You took the blocks" in told


def test_what_tells_ways_apart() -> None:
    probe = Probe(typed_sequence("1", "0", "0"), ((-0.25,), (0.125,)), 2)
    ways = [[SUM], [SWAP]]
    told = flowing(plain(diagnosis(SEED, X, ["-0.70691013"], "explained", ways, probe=probe)))
    assert "With these weights and this input the same number comes out for each of these" in told
    assert "To tell them apart, feed 1, 0, 0. Then the result is: -0.250000 if you summed" in told
    assert "0.125000 if you let the update gate" in told


def test_several_numbers_stand_in_a_table() -> None:
    x = sequence(3, 4, 2)
    numbers = claimed(TWO, x, SWAP)
    d = diagnose(TWO, (Case((x,), numbers),))
    rows = [row.split() for row in plain(d).splitlines() if row.startswith("  unit ")]
    assert [row[2] for row in rows] == [n.text for n in numbers]
    assert [row[4] for row in rows] == [n.text for n in numbers]


# ---------------------------------------------------------------- every mistake


def every_mistake(name: str) -> Iterator[Mistake]:
    net, x = NETS[name]
    yield from Trial(net, x, catalogue).mistakes
    yield from earlier_states(x.value.shape[1])


def value_of(numbers: str) -> float:
    """What a line says is worked out, by Python."""
    code = numbers.replace("·", "*").replace("e^", "E**").replace("^", "**")
    known = {"E": math.e, "tanh": math.tanh, "max": max, "min": min, "sqrt": math.sqrt, "ln": math.log}
    return float(eval(code, {"__builtins__": {}}, known))


@pytest.mark.parametrize("name", NETS)
def test_every_mistake_is_told(name: str) -> None:
    """Whatever can be run can be written, and parts where the result differs; lines say what Python works out."""
    net, x = NETS[name]
    trial = Trial(net, x, catalogue)
    right = trial.changed(None)
    y = right.results(right.run(Float64()))
    told = 0
    for m in every_mistake(name):
        try:
            changed = trial.changed([m])
            other = changed.results(changed.run(Float64()))
        except (SymgruError, ValueError):
            continue
        both = beside(trial, [m], 8)
        assert both, (m.kind, m.name)
        if m.reads is None and m.outputs is None and (y.shape != other.shape or np.abs(y - other).max() > 1e-6):
            assert both.parting, (m.kind, m.name)
            told += 1
    assert told > 15


@pytest.mark.parametrize("name", ["seed", "two"])
def test_lines_can_be_typed_again(name: str) -> None:
    """symbols = numbers = value: Python gets the value from the numbers, in both calculations."""
    net, x = NETS[name]
    trial = Trial(net, x)
    typed = 0
    for m in trial.mistakes:
        try:
            claim = claimed(net, x, (m.kind, m.name))
        except (SymgruError, ValueError):
            continue
        d = diagnosis(net, x, claim, "explained", [[(m.kind, m.name)]])
        for pair in pairs(plain(d)):
            for line in pair:
                if line.count(" = ") == 3 and " if " not in line:  # name = symbols = numbers = value
                    numbers, value = line.split(", since ")[0].split(" = ")[2:]
                    assert value_of(numbers) == pytest.approx(float(value), abs=2e-9), line
                    typed += 1
    assert typed > 40


# ---------------------------------------------------------------- formats


def reports() -> dict[str, Diagnosis]:
    x = sequence(3, 4, 2)
    return {
        "seed": found(SEED, X, "-0.70691013"),
        "none": found(SEED, X, "0.9680257"),
        "ambiguous": found(SEED, X, "-0.34"),
        "right": found(SEED, X, "-0.46279544"),
        "two": diagnose(TWO, (Case((x,), claimed(TWO, x, ("reset gate", "before the product"))),)),
        "pair": diagnose(TWO, (Case((x,), claimed(TWO, x, SWAP, ("biases", "only the input's"))),)),
        "branches": diagnosis(SEED, X, ["-0.46289152"], "explained", [[("activations", "hard sigmoid of Keras 2")]]),
        "stack": diagnosis(STACK, NETS["stack"][1], claimed(*NETS["stack"], SWAP), "explained", [[SWAP]]),
    }


REPORTS = reports()


@pytest.mark.parametrize("name", REPORTS)
def test_plain_text(name: str) -> None:
    told = plain(REPORTS[name])
    assert max(map(len, told.splitlines())) <= 100
    assert not JARGON.search(told), JARGON.search(told)
    assert "\n\n\n" not in told.strip()
    assert "".join(renderer("text", "diagnosis")(REPORTS[name], ascii=True)).isascii()


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_can_be_posted(name: str) -> None:
    post = "".join(renderer("markdown", "diagnosis")(REPORTS[name]))
    body = post.partition("-->\n")[2]
    assert "$" not in body and "<" not in re.sub(r"`[^`]*`", "", body.replace("```", ""))
    assert body.count("```") % 2 == 0
    lines = body.splitlines()
    assert not re.search(r"^##? ", re.sub(r"```python.*?```", "", body, flags=re.DOTALL), re.MULTILINE)
    for k, line in enumerate(lines):
        if line.startswith("|") and not lines[k - 1].startswith("|"):
            assert not lines[k - 1] and set(lines[k + 1]) <= set("|-: ")
            assert line.count("|") == lines[k + 1].count("|")
    for sign, whose in (("+", "the network"), ("-", "yours")):
        assert all(line.startswith(sign) for line in lines if f"{whose}  " in line and not line.startswith("|"))
    if name == "seed":
        assert len(lines) <= 60 and "**Here they part:**" in body


@pytest.mark.parametrize("name", REPORTS)
def test_latex_compiles_within_its_margins(name: str, tmp_path: Path) -> None:
    log = compile_latex("".join(renderer("latex", "diagnosis")(REPORTS[name])), tmp_path)
    assert overfull(log) == [] and "Missing character" not in log


class Page(HTMLParser):
    """Its text, and whether every element is closed."""

    VOID = frozenset({"meta", "br", "wbr", "input", "img", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.said += data


@pytest.mark.parametrize("name", REPORTS)
def test_the_page(name: str) -> None:
    pytest.importorskip("ziamath")
    written = "".join(renderer("html", "diagnosis")(REPORTS[name]))
    page = Page()
    page.feed(written)
    assert page.open == [] and not JARGON.search(page.said)
    assert re.findall(r'(?:src|href)="(?!#|https://pypi.org)[^"]*"', written) == []
    if REPORTS[name].verdict == "explained":
        assert "▶ the network" in page.said and "▶ yours" in page.said


def test_the_same_is_said_everywhere() -> None:
    pytest.importorskip("ziamath")
    d = REPORTS["seed"]
    page = Page()
    page.feed("".join(renderer("html", "diagnosis")(d)))
    every = [plain(d), "".join(renderer("markdown", "diagnosis")(d)), page.said]
    for words in ("is what comes out if you summed the sequence into one step", "-18.1908274000", "-0.7069101241"):
        assert all(words in flowing(told) for told in every)


def test_names_from_files_stay_names(tmp_path: Path) -> None:
    layers = {
        name: replace(layer, label=NASTY) if layer.kind == "gru" else layer for name, layer in STACK.layers.items()
    }
    nasty = replace(STACK, layers=layers, name=NASTY)
    d = diagnosis(nasty, NETS["stack"][1], claimed(*NETS["stack"], SWAP), "explained", [[SWAP]])
    assert overfull(compile_latex("".join(renderer("latex", "diagnosis")(d)), tmp_path)) == []
    assert "\x1b" not in plain(d)
    assert "<script>`" not in "".join(renderer("markdown", "diagnosis")(d)).replace("\\<script\\>", "")
    page = Page()
    page.feed("".join(renderer("html", "diagnosis")(d)))
    assert page.open == []


# ---------------------------------------------------------------- as a document


def test_a_document_of_it(tmp_path: Path) -> None:
    document = Document(REPORTS["seed"])
    assert repr(document) == "<diagnosis: Why -0.70691013?>"
    for ending in (".txt", ".md", ".tex", ".html"):
        assert document.save(tmp_path / f"d{ending}").stat().st_size > 1000
    with pytest.raises(UnusableInput, match=r"^\.xlsx: "):
        document.save(tmp_path / "d.xlsx")


def test_a_bias_that_is_0_in_one_of_them_only() -> None:
    """It stands in both, and what is marked is the line of which something comes: b_n + c_n is the same either way."""
    net = one_unit(bias=("0.1", "0.2", "0.3", "0", "0", "0"))
    d = diagnosis(net, X, claimed(net, X, ("biases", "rows exchanged")), "explained", [[("biases", "rows exchanged")]])
    ((own, other),) = pairs(plain(d))
    assert own == "u_n_1 = U_n·h_0 + c_n = 0.36734456·0 + 0 = 0.000000000"
    assert other == "u_n_1 = U_n·h_0 + c_n = 0.36734456·0 + 0.3 = 0.300000000"


def test_pdf(tmp_path: Path) -> None:
    need("pdflatex")
    made = Document(REPORTS["seed"]).save(tmp_path / "d.pdf")
    assert made.read_bytes().startswith(b"%PDF")
