"""200 random networks in every format: each line recomputed, the digits those of the policy, the result exact or said
not to be. What was counted is printed at the end of the run (conftest.py)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from symgru.explanation import explain
from symgru.network import Network, Tensor
from tests.calculator import Line, check_lines, evaluate, number, read, tokens
from tests.calculator.checking import signed
from tests.calculator.policy import (
    Key,
    check_digits,
    decimals_carried,
    decimals_to_carry,
    given,
    is_tie,
    promised,
)
from tests.documents.conftest import WRITERS, documents, network, sequence
from tests.documents.gru import last_state

NETWORKS, CHUNK, WHOLE = 200, 10, 100
SAYS_SO = "The exact value rounds otherwise"
MARKED = ("txt", "md", "tex", "html")  # a spreadsheet has no calculator's ten digits


def random_case(seed: int) -> tuple[Network, Tensor, int]:
    """One to three units and features, one to four steps; one network in five has weights five times as large."""
    rng = np.random.default_rng([5, seed])
    units, features, steps, digits = (int(rng.integers(1, n + 1)) for n in (3, 3, 4, 6))
    made = network(
        seed, [("gru", units, {"reset_after": bool(seed % 4)})], features, scale=3.0 if seed % 5 == 0 else 0.6
    )
    return made, sequence(seed, steps, features), digits


def without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what holds no worked line and takes most of the time."""
    for writer in ("html.worked.HtmlWriter", "latex.worked.LatexWriter"):
        monkeypatch.setattr(f"symgru.backends.{writer}.picture", lambda self, part: "")
    monkeypatch.setattr("symgru.lesson.outline.caught", lambda e: ())
    monkeypatch.setattr("symgru.backends.html.page.live", lambda e: None)
    monkeypatch.setattr("symgru.backends.html.typeset.Typesetter.formula", lambda self, latex: "")


@pytest.mark.parametrize("first", range(0, NETWORKS, CHUNK))
def test_random_networks(first: int, record_property, monkeypatch) -> None:
    """One of a hundred documents is whole; those of test_worked_lines.py are too."""
    counts: dict[str, Counter[str]] = {}
    for seed in range(first, first + CHUNK):
        if seed % WHOLE == 1 or seed == first and seed % WHOLE:
            without_extras(monkeypatch)
        made, x, digits = random_case(seed)
        e = explain(made, x, digits)
        weights = {name: tensor.text.tolist() for name, tensor in made.layers["layer_1"].weights.items()}
        exact = last_state(weights, x.text[0].tolist(), "c_n" in weights)
        made_of = documents(e, kinds=WRITERS)
        lines = {kind: read(document, kind) for kind, document in made_of.items()}
        decimals = carried(lines["txt"], digits, exact)
        wanted = sorted([*flat(weights), *flat(x.text), *[Decimal(0)] * len(exact)])
        for kind, document in made_of.items():
            found = lines[kind]
            assert check_lines(found) == e.steps * len(exact) * 8, (kind, seed)
            assert sorted(map(Decimal, given(found).values())) == wanted, (kind, seed)
            own = decimals_carried(found)
            count = Counter(documents=1, lines=len(found), reached=reaches(found, digits, exact))
            count["marked"] = check_digits(found, own, marks=kind in MARKED)
            if own != decimals:
                assert kind == "xlsx" and any(is_tie(evaluate(line.numbers), decimals) for line in lines["txt"])
                count["more decimals"] = 1
            else:
                assert numbers_of(found, kind in MARKED) == numbers_of(lines["txt"], kind in MARKED), (kind, seed)
            assert (SAYS_SO in words_of(document)) == (not reaches(found, digits, exact)), (kind, seed)
            counts[kind] = counts.get(kind, Counter()) + count
    record_property("worked lines", {kind: dict(found) for kind, found in counts.items()})


def carried(lines: list[Line], digits: int, exact: list[Decimal]) -> int:
    """The decimals that the policy carries, which the results printed reach if any does."""
    results = lines[-len(exact) :]
    wanted: dict[Key, Decimal] = {(line.layer, line.name): v for line, v in zip(results, exact, strict=True)}
    decimals, reached = decimals_to_carry(lines, digits, wanted)
    assert reached == reaches(lines, digits, exact)
    return decimals


def reaches(lines: list[Line], digits: int, exact: list[Decimal]) -> bool:
    """Whether the results that a document prints are the exact ones to the digits promised."""
    last = sorted(lines, key=lambda line: line.step or 0)[-len(exact) :]
    printed = [promised(number(line.value), digits) for line in last]
    return printed == [promised(v, digits) for v in exact]


def words_of(document: str | bytes) -> str:
    """What a document says; of a spreadsheet the texts of its cells."""
    if isinstance(document, str):
        return document
    with ZipFile(BytesIO(document)) as archive:
        return archive.read("xl/sharedStrings.xml").decode()


def numbers_of(lines: list[Line], marks: bool) -> list[tuple[int | None, list[Decimal], Decimal, str]]:
    """What every format says alike: the numbers of each line in their order, signs apart, its value and mark."""
    return [
        (line.step, operands(line.numbers), number(line.value), str(number(line.more)) if marks and line.more else "")
        for line in sorted(lines, key=lambda line: line.step or 0)
    ]


def operands(numbers: str) -> list[Decimal]:
    typed = (token.lstrip("-") for token in signed(tokens(numbers)))
    return [Decimal(token) for token in typed if token[:1].isdigit()]


def flat(texts: Any) -> list[Decimal]:
    """The number of every text in lists, arrays and dicts of them."""
    if isinstance(texts, str):
        return [Decimal(texts)]
    return [text for each in (texts.values() if isinstance(texts, dict) else texts) for text in flat(each)]
